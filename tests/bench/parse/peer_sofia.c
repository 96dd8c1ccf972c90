/* SPDX-License-Identifier: BSD-2-Clause */
#include "parse/peers.h"

#ifdef HAVE_SOFIA
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_parser.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/su.h>

bool peers_sofia_init(void)
{
    return su_init() == 0;
}

bool peers_sofia(const char *p, uint32_t len)
{
    msg_t *m = msg_make(sip_default_mclass(), 0, p, (ssize_t)len);
    sip_t *s = m ? sip_object(m) : NULL;
    bool ok = s && !msg_has_error(m) && !s->sip_error && s->sip_request && s->sip_request->rq_url->url_host &&
              s->sip_via && s->sip_from && s->sip_from->a_url->url_host && s->sip_to && s->sip_call_id &&
              s->sip_cseq;
    if (m)
        msg_destroy(m);
    return ok;
}
#else
bool peers_sofia_init(void)
{
    return false;
}

bool peers_sofia(const char *p, uint32_t len)
{
    return p && len;
}
#endif
