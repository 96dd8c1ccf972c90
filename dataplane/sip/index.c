/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/index_impl.h"
#include "sip/check.h"

bool sip_isa_usable(enum sip_isa isa)
{
    switch (isa) {
    case SIP_ISA_AVX512:
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2");
    case SIP_ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
    case SIP_ISA_SSE42:
        return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    default:
        return isa == SIP_ISA_SCALAR;
    }
}

enum sip_isa sip_isa_best(void)
{
    if (sip_isa_usable(SIP_ISA_AVX512))
        return SIP_ISA_AVX512;
    return sip_isa_usable(SIP_ISA_AVX2) ? SIP_ISA_AVX2 : SIP_ISA_SSE42;
}

const char *sip_isa_name(enum sip_isa isa)
{
    static const char *const names[SIP_ISA_COUNT] = {"scalar", "sse4.2", "avx2", "avx-512"};
    return names[isa];
}

enum sip_result sip_index_with(enum sip_isa isa, struct sip_msg *m, const char *buf, uint32_t len,
                               bool datagram, unsigned headers_max)
{
    static sip_index_fn *const fast[SIP_ISA_COUNT] = {
        [SIP_ISA_SSE42] = sip_index_sse42,
        [SIP_ISA_AVX2] = sip_index_avx2,
        [SIP_ISA_AVX512] = sip_index_avx512,
    };
    if (isa != SIP_ISA_SCALAR && fast[isa](m, buf, len, datagram, headers_max) == SIP_DONE)
        return SIP_DONE;
    return sip_index_scalar(m, buf, len, datagram, headers_max);
}

/* The processor is asked each time: a few loads of constants and branches that never miss, against a pointer
 * that would be writable state of the process. */
enum sip_result sip_index(struct sip_msg *m, const char *buf, uint32_t len, bool datagram,
                          unsigned headers_max)
{
    enum sip_result r;
    if (sip_isa_usable(SIP_ISA_AVX512))
        r = sip_index_avx512(m, buf, len, datagram, headers_max);
    else if (sip_isa_usable(SIP_ISA_AVX2))
        r = sip_index_avx2(m, buf, len, datagram, headers_max);
    else if (sip_isa_usable(SIP_ISA_SSE42))
        r = sip_index_sse42(m, buf, len, datagram, headers_max);
    else
        r = SIP_MORE;
    return r == SIP_DONE ? r : sip_index_scalar(m, buf, len, datagram, headers_max);
}

const struct sip_field *sip_next(const struct sip_msg *m, const struct sip_field *f)
{
    if (m->count[f->id] < 2)
        return NULL;
    for (const struct sip_field *g = f + 1; g < m->f + m->n; g++)
        if (g->id == f->id)
            return g;
    return NULL;
}

struct slice sip_name(const struct sip_msg *m, const struct sip_field *f)
{
    uint32_t len = f->name_len;
    if (len == 127) {
        const char *colon = memchr(m->buf + f->name, ':', m->head_len - f->name);
        len = colon ? (uint32_t)(colon - m->buf) - f->name : len;
        while (len > 127 && (m->buf[f->name + len - 1] == ' ' || m->buf[f->name + len - 1] == '\t'))
            len--;
    }
    return slice_of(m->buf + f->name, len);
}

uint16_t sip_error_status(enum sip_error e)
{
    static const uint16_t status[SIP_E_COUNT] = {
#define SIP_ERROR(id, status, phrase) [SIP_E_##id] = status,
#include "sip/errors.def"
#undef SIP_ERROR
    };
    return e < SIP_E_COUNT ? status[e] : 0;
}

struct slice sip_error_phrase(enum sip_error e)
{
    static const struct slice phrase[SIP_E_COUNT] = {
#define SIP_ERROR(id, status, phrase) [SIP_E_##id] = {phrase, sizeof(phrase) - 1},
#include "sip/errors.def"
#undef SIP_ERROR
    };
    return e < SIP_E_COUNT ? phrase[e] : phrase[0];
}
