/* SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>

#include "sip/chars.h"

struct window {
    __m512i v;
};

/* n bytes at p, 64 at most; zeros behind them. */
static inline struct window window_at(const char *p, uint32_t n)
{
    return (struct window){_mm512_maskz_loadu_epi8(_bzhi_u64(~0ull, n), p)};
}

static inline uint64_t window_is(const struct window *w, char c)
{
    return _mm512_cmpeq_epi8_mask(w->v, _mm512_set1_epi8(c));
}

static inline uint64_t window_high(const struct window *w)
{
    return (uint64_t)_mm512_movepi8_mask(w->v);
}

/* Bytes of a class. */
static inline uint64_t window_in(const struct window *w, unsigned class_bits)
{
    const __m512i high =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 0, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0));
    const __m512i nibble = _mm512_set1_epi8(0x0f);
    __m512i low = _mm512_broadcast_i32x4(ch_load16((const char *)sip_class_low[__builtin_ctz(class_bits)]));
    __m512i l = _mm512_shuffle_epi8(low, _mm512_and_si512(w->v, nibble));
    __m512i h = _mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16(w->v, 4), nibble));
    return _mm512_test_epi8_mask(l, h);
}

#include "sip/shape.h"

#define SIP_CHECK_REQUEST  sip_check_request_avx512
#define SIP_CHECK_RESPONSE sip_check_response_avx512
#include "sip/check_impl.h"
