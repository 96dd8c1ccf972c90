/* SPDX-License-Identifier: BSD-2-Clause */
/* The index pass has one reference implementation, byte by byte, and fast ones for well-formed messages. A
 * fast one either says SIP_DONE and leaves exactly what the reference would, or says SIP_MORE: "ask the
 * reference". So every verdict on bad or unusual input is made in one place, and all processors agree. */
#ifndef SIP_INDEX_IMPL_H
#define SIP_INDEX_IMPL_H

#include "sip/msg.h"

typedef enum sip_result sip_index_fn(struct sip_msg *m, const char *buf, uint32_t len, bool datagram,
                                     unsigned headers_max);

sip_index_fn sip_index_scalar;
sip_index_fn sip_index_sse42, sip_index_avx2, sip_index_avx512;

enum sip_isa { SIP_ISA_SCALAR, SIP_ISA_SSE42, SIP_ISA_AVX2, SIP_ISA_AVX512, SIP_ISA_COUNT };

/* An implementation with its fall back: for who has asked once what is best, tests and benchmarks. usable:
 * false when this processor lacks it. */
bool sip_isa_usable(enum sip_isa isa);
enum sip_isa sip_isa_best(void); /* SSE4.2 at least, which DPDK needs, too */
const char *sip_isa_name(enum sip_isa isa);
enum sip_result sip_index_with(enum sip_isa isa, struct sip_msg *m, const char *buf, uint32_t len,
                               bool datagram, unsigned headers_max);

/* The check of the core fields, likewise; scalar is that of SSE4.2. */
struct sip_core_fields;
typedef enum sip_error sip_check_fn(const struct sip_msg *m, struct sip_core_fields *out);
sip_check_fn sip_check_request_sse42, sip_check_request_avx2, sip_check_request_avx512;
sip_check_fn sip_check_response_sse42, sip_check_response_avx2, sip_check_response_avx512;
enum sip_error sip_check_request_with(enum sip_isa isa, const struct sip_msg *m, struct sip_core_fields *out);
enum sip_error sip_check_response_with(enum sip_isa isa, const struct sip_msg *m,
                                       struct sip_core_fields *out);

/* Decimal digits only, at least one, at most max; false otherwise. */
static inline bool sip_digits(const char *p, uint32_t len, uint32_t max, uint32_t *out)
{
    uint64_t v = 0;
    if (len == 0)
        return false;
    for (uint32_t i = 0; i < len; i++) {
        unsigned d = (uint8_t)p[i] - '0';
        if (d > 9)
            return false;
        v = v * 10 + d;
        if (v > max)
            return false;
    }
    *out = (uint32_t)v;
    return true;
}

#endif
