/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "sip/decode.h"

#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x))                                                                                            \
            abort();                                                                                         \
    } while (0)

static void inside(struct slice all, struct slice s)
{
    CHECK(s.len == 0 || (s.p >= all.p && s.p + s.len <= all.p + all.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    struct slice all = slice_of((const char *)data, (uint32_t)size);
    struct sip_via v, again;
    if (sip_via_decode(all, &v) != SIP_DONE)
        return 0;
    inside(all, v.whole);
    inside(all, v.transport);
    inside(all, v.host);
    inside(all, v.params);
    inside(all, v.branch);
    inside(all, v.received);
    inside(all, v.maddr);
    inside(all, v.ttl);
    inside(all, v.rport);
    CHECK(v.transport.len && v.host.len);
    CHECK(v.has_rport || v.rport.len == 0);
    CHECK(sip_via_decode(v.whole, &again) == SIP_DONE);
    CHECK(slice_eq(v.branch, again.branch) && v.port == again.port && hg_ip_eq(&v.ip, &again.ip));
    return 0;
}
