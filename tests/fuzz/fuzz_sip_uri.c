/* SPDX-License-Identifier: BSD-2-Clause */
/* One text as URI, as name-addr, as a list of them: parts lie inside it, decoding what was decoded gives the
 * same. */
#include <stdlib.h>

#include "sip/decode.h"

#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x))                                                                                            \
            abort();                                                                                         \
    } while (0)

static struct slice all;

static void inside(struct slice s)
{
    CHECK(s.len == 0 || (s.p >= all.p && s.p + s.len <= all.p + all.len));
}

static void see(const struct sip_uri *u)
{
    char out[64];
    uint32_t len;
    struct slice value;
    inside(u->user);
    inside(u->password);
    inside(u->host);
    inside(u->params);
    inside(u->headers);
    inside(u->rest);
    CHECK(u->scheme == SIP_SCHEME_TEL || u->scheme == SIP_SCHEME_OTHER || u->host.len > 0);
    CHECK(sip_uri_equal(u, u));
    if (sip_unescape(u->user, out, sizeof(out), &len))
        CHECK(len <= u->user.len && len <= sizeof(out));
    if (sip_param(u->params, SLICE_LIT("lr"), &value))
        inside(value);
    if (sip_param(u->params, SLICE_LIT("transport"), &value))
        inside(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sip_uri u, again;
    struct sip_addr a;
    struct sip_cseq cseq;
    uint32_t number;
    if (size > 4096)
        return 0;
    all = slice_of((const char *)data, (uint32_t)size);
    if (sip_uri_decode(all, &u) == SIP_DONE) {
        CHECK(u.whole.p == all.p && u.whole.len == all.len);
        see(&u);
    }
    if (sip_addr_decode(all, &a) == SIP_DONE && !a.star) {
        inside(a.display);
        inside(a.params);
        inside(a.tag);
        see(&a.uri);
        CHECK(sip_uri_decode(a.uri.whole, &again) == SIP_DONE);
        CHECK(sip_uri_equal(&a.uri, &again) || a.uri.scheme == SIP_SCHEME_OTHER);
    }
    if (sip_cseq_decode(all, &cseq) == SIP_DONE)
        inside(cseq.method_name);
    if (sip_uint_decode(all, 255, &number) == SIP_DONE)
        CHECK(number <= 255);
    return 0;
}
