/* SPDX-License-Identifier: BSD-2-Clause */
#include "hg/contacts.h"

#include <string.h>

/* A URI goes into a start line as it is: a space or a control character there would make another message. */
static bool uri_ok(struct slice uri)
{
    if (uri.len < 1 || uri.len > HG_CONTACT_URI_MAX)
        return false;
    for (uint32_t i = 0; i < uri.len; i++)
        if (uri.p[i] <= ' ' || uri.p[i] > '~' || uri.p[i] == '<' || uri.p[i] == '>' || uri.p[i] == '"')
            return false;
    return true;
}

static bool contact_ok(const struct hg_endpoint *ep, uint16_t q)
{
    return ep->proto <= HG_TLS && ep->pad == 0 && ep->port != 0 && q <= 1000;
}

uint32_t hg_contact_put(char *bytes, uint32_t size, uint32_t at, const struct hg_endpoint *ep, uint16_t q,
                        struct slice uri)
{
    struct hg_contact head = {.ep = *ep, .q = q, .uri_len = (uint16_t)uri.len};
    if (!uri_ok(uri) || !contact_ok(ep, q) || at > size || size - at < HG_CONTACT_SIZE(uri.len))
        return 0;
    memset(bytes + at, 0, HG_CONTACT_SIZE(uri.len));
    memcpy(bytes + at, &head, sizeof(head));
    memcpy(bytes + at + sizeof(head), uri.p, uri.len);
    return at + HG_CONTACT_SIZE(uri.len);
}

bool hg_contacts_check(const char *bytes, uint32_t length, unsigned n)
{
    uint32_t at = 0;
    uint16_t last = 1000;
    if (n > HG_CONTACTS_MAX)
        return false;
    for (unsigned i = 0; i < n; i++) {
        struct hg_contact c;
        if (length - at < sizeof(c))
            return false;
        memcpy(&c, bytes + at, sizeof(c));
        if (!contact_ok(&c.ep, c.q) || c.q > last || length - at < HG_CONTACT_SIZE(c.uri_len) ||
            !uri_ok(slice_of(bytes + at + sizeof(c), c.uri_len)))
            return false;
        last = c.q;
        at += HG_CONTACT_SIZE(c.uri_len);
    }
    return at == length;
}
