/* SPDX-License-Identifier: BSD-2-Clause */
#include "parse/peers.h"

#ifdef HAVE_OSIP
#include <osipparser2/osip_parser.h>

bool peers_osip_init(void)
{
    return parser_init() == 0;
}

bool peers_osip(const char *p, uint32_t len)
{
    osip_message_t *s;
    if (osip_message_init(&s) != 0)
        return false;
    bool ok = osip_message_parse(s, p, len) == 0 && s->req_uri && s->req_uri->host && s->from &&
              s->from->url && s->from->url->host && s->to && s->call_id && s->call_id->number && s->cseq;
    osip_message_free(s);
    return ok;
}
#else
bool peers_osip_init(void)
{
    return false;
}

bool peers_osip(const char *p, uint32_t len)
{
    return p && len;
}
#endif
