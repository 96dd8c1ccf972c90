/* SPDX-License-Identifier: BSD-2-Clause */
/* A datagram and the same bytes as a stream: every implementation of the index pass gives the same verdict
 * and the same fields, every slice lies inside the input, and whatever is asked of the message ends. */
#include <stdlib.h>

#include "../unit/sip/same_fields.h"
#include "sip/check.h"
#include "sip/index_impl.h"

#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x))                                                                                            \
            abort();                                                                                         \
    } while (0)

static const char *lo, *hi;
static volatile uint32_t sink;

static void inside(struct slice s)
{
    CHECK(s.len == 0 || (s.p >= lo && s.p + s.len <= hi));
    for (uint32_t i = 0; i < s.len; i++)
        sink += (uint8_t)s.p[i];
}

static void see_uri(const struct sip_uri *u)
{
    inside(u->whole);
    inside(u->user);
    inside(u->password);
    inside(u->host);
    inside(u->params);
    inside(u->headers);
    inside(u->rest);
    CHECK(sip_uri_equal(u, u));
}

static void see_fields(const struct sip_msg *m)
{
    unsigned seen[SIP_H_COUNT] = {0};
    CHECK(m->n <= SIP_HEADERS_MAX && m->len <= (uint32_t)(hi - lo));
    for (unsigned i = 0; i < m->n; i++) {
        inside(sip_value(m, &m->f[i]));
        inside(sip_name(m, &m->f[i]));
        CHECK(sip_name(m, &m->f[i]).len > 0);
        if (!seen[m->f[i].id]++)
            CHECK(m->first[m->f[i].id] == i + 1);
    }
    for (unsigned id = 0; id < SIP_H_COUNT; id++) {
        unsigned n = 0;
        CHECK(m->count[id] == seen[id]);
        for (const struct sip_field *f = sip_first(m, (enum sip_header_id)id); f; f = sip_next(m, f))
            n++;
        CHECK(n == m->count[id]);
    }
}

static void see_elements(const struct sip_msg *m)
{
    for (unsigned id = 0; id < SIP_H_COUNT; id++) {
        struct sip_cursor c;
        struct slice element;
        struct sip_addr a;
        struct sip_via v;
        sip_cursor_init(&c, m, (enum sip_header_id)id);
        while (sip_cursor_next(&c, &element) == SIP_DONE) {
            inside(element);
            if (sip_addr_decode(element, &a) == SIP_DONE)
                see_uri(&a.uri);
            if (sip_via_decode(element, &v) == SIP_DONE)
                inside(v.branch);
        }
    }
}

/* Every implementation of the check finds what the decoders alone find. */
static void see_checks(const struct sip_msg *m)
{
    struct sip_core_fields want, c;
    enum sip_error e = m->is_request ? sip_check_request_with(SIP_ISA_SSE42, m, &want)
                                     : sip_check_response_with(SIP_ISA_SSE42, m, &want);
    for (unsigned isa = SIP_ISA_AVX2; isa < SIP_ISA_COUNT; isa++) {
        if (!sip_isa_usable((enum sip_isa)isa))
            continue;
        memset(&c, 0x5a, sizeof(c));
        CHECK((m->is_request ? sip_check_request_with((enum sip_isa)isa, m, &c)
                             : sip_check_response_with((enum sip_isa)isa, m, &c)) == e);
        CHECK(e != SIP_E_NONE || same_fields(&want, &c, m->is_request));
    }
}

static void see(const struct sip_msg *m, enum sip_result r)
{
    struct sip_core_fields c;
    inside(m->method_name);
    inside(m->ruri);
    inside(m->reason);
    inside(m->body);
    see_fields(m);
    see_elements(m);
    enum sip_error e = r != SIP_DONE   ? sip_check_broken(m, &c)
                       : m->is_request ? sip_check_request(m, &c)
                                       : sip_check_response(m, &c);
    CHECK(r != SIP_BAD || e != SIP_E_NONE);
    inside(c.via.whole);
    inside(c.from.tag);
    inside(c.to.whole);
    inside(c.call_id);
    if (e == SIP_E_NONE)
        see_uri(&c.from.uri);
}

static void same(const struct sip_msg *a, const struct sip_msg *b)
{
    CHECK(memcmp(a, b, offsetof(struct sip_msg, f)) == 0);
    CHECK(memcmp(a->f, b->f, a->n * sizeof(a->f[0])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65535)
        return 0;
    const char *buf = (const char *)data;
    lo = buf;
    hi = buf + size;
    for (unsigned datagram = 0; datagram < 2; datagram++) {
        struct sip_msg reference, m;
        memset(&reference, 0, sizeof(reference));
        enum sip_result want = sip_index_scalar(&reference, buf, (uint32_t)size, datagram, 64);
        CHECK(want != SIP_MORE || !datagram);
        for (unsigned isa = SIP_ISA_SSE42; isa < SIP_ISA_COUNT; isa++) {
            if (!sip_isa_usable((enum sip_isa)isa))
                continue;
            memset(&m, 0, sizeof(m));
            CHECK(sip_index_with((enum sip_isa)isa, &m, buf, (uint32_t)size, datagram, 64) == want);
            same(&reference, &m);
        }
        see(&reference, want);
        if (want == SIP_DONE)
            see_checks(&reference);
    }
    return 0;
}
