/* SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>
#include <stdint.h>

typedef __m128i vec;

#define VEC_BYTES     16
#define vec_all(c)    _mm_set1_epi8(c)
#define vec_eq(a, b)  _mm_cmpeq_epi8(a, b)
#define vec_min(a, b) _mm_min_epu8(a, b)
#define vec_or(a, b)  _mm_or_si128(a, b)

static inline vec vec_load(const char *p)
{
    return _mm_loadu_si128((const vec *)(const void *)p);
}

static inline uint64_t vec_mask(vec v)
{
    return (uint32_t)_mm_movemask_epi8(v);
}

static inline uint32_t first_bit(uint64_t x)
{
    return x ? (uint32_t)__builtin_ctzll(x) : 64;
}

#include "sip/index_blocks.h"

static inline uint32_t stops16(const char *p)
{
    const __m128i low = _mm_setr_epi8(SIP_TOKEN_LOW);
    const __m128i high = _mm_setr_epi8(0, 0, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0);
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p), nibble = _mm_set1_epi8(0x0f);
    __m128i l = _mm_shuffle_epi8(low, _mm_and_si128(v, nibble));
    __m128i h = _mm_shuffle_epi8(high, _mm_and_si128(_mm_srli_epi16(v, 4), nibble));
    return (uint32_t)vec_mask(_mm_cmpeq_epi8(_mm_and_si128(l, h), _mm_setzero_si128()));
}

/* Bytes of the first 32 that are no token. */
static inline uint32_t name_stops(const char *p)
{
    return stops16(p) | stops16(p + 16) << 16;
}

static inline bool name_is(const char *p, const struct sip_name *e)
{
    const __m128i lower = _mm_set1_epi8(0x20), *n = (const __m128i *)(const void *)e;
    __m128i a = _mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)p), lower);
    __m128i b = _mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)(p + 16)), lower);
    a = _mm_and_si128(_mm_xor_si128(a, _mm_load_si128(n)), _mm_load_si128(n + 2));
    b = _mm_and_si128(_mm_xor_si128(b, _mm_load_si128(n + 1)), _mm_load_si128(n + 3));
    a = _mm_or_si128(a, b);
    return _mm_testz_si128(a, a);
}

#define SIP_FAST_NAME sip_index_sse42
#include "sip/index_fast.h"
