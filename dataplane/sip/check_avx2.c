/* SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>

#include "sip/chars.h"

struct window {
    __m256i a, b;
};

/* n bytes at p, 64 at most; zeros behind them. */
static inline struct window window_at(const char *p, uint32_t n)
{
    char copy[64] = {0};
    memcpy(copy, p, n);
    return (struct window){_mm256_loadu_si256((const __m256i *)(const void *)copy),
                           _mm256_loadu_si256((const __m256i *)(const void *)(copy + 32))};
}

static inline uint64_t both(__m256i a, __m256i b)
{
    return (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
}

static inline uint64_t window_is(const struct window *w, char c)
{
    __m256i all = _mm256_set1_epi8(c);
    return both(_mm256_cmpeq_epi8(w->a, all), _mm256_cmpeq_epi8(w->b, all));
}

static inline uint64_t window_high(const struct window *w)
{
    return both(w->a, w->b);
}

/* All ones where the byte is outside the class. */
static inline __m256i outside(__m256i v, __m256i low)
{
    const __m256i high =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0));
    const __m256i nibble = _mm256_set1_epi8(0x0f);
    __m256i l = _mm256_shuffle_epi8(low, _mm256_and_si256(v, nibble));
    __m256i h = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
    return _mm256_cmpeq_epi8(_mm256_and_si256(l, h), _mm256_setzero_si256());
}

/* Bytes of a class. */
static inline uint64_t window_in(const struct window *w, unsigned class_bits)
{
    __m256i low =
        _mm256_broadcastsi128_si256(ch_load16((const char *)sip_class_low[__builtin_ctz(class_bits)]));
    return ~both(outside(w->a, low), outside(w->b, low));
}

#include "sip/shape.h"

#define SIP_CHECK_REQUEST  sip_check_request_avx2
#define SIP_CHECK_RESPONSE sip_check_response_avx2
#include "sip/check_impl.h"
