/* SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>
#include <stdint.h>

typedef __m256i vec;

#define VEC_BYTES     32
#define vec_all(c)    _mm256_set1_epi8(c)
#define vec_eq(a, b)  _mm256_cmpeq_epi8(a, b)
#define vec_min(a, b) _mm256_min_epu8(a, b)
#define vec_or(a, b)  _mm256_or_si256(a, b)

static inline vec vec_load(const char *p)
{
    return _mm256_loadu_si256((const vec *)(const void *)p);
}

static inline uint64_t vec_mask(vec v)
{
    return (uint32_t)_mm256_movemask_epi8(v);
}

static inline uint32_t first_bit(uint64_t x)
{
    return (uint32_t)_tzcnt_u64(x);
}

#include "sip/index_blocks.h"

/* Bytes of the first 32 that are no token. */
static inline uint32_t name_stops(const char *p)
{
    const __m256i low = _mm256_setr_epi8(SIP_TOKEN_LOW, SIP_TOKEN_LOW);
    const __m256i high = _mm256_setr_epi8(0, 0, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4,
                                          8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0);
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p), nibble = _mm256_set1_epi8(0x0f);
    __m256i l = _mm256_shuffle_epi8(low, _mm256_and_si256(v, nibble));
    __m256i h = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
    return (uint32_t)vec_mask(_mm256_cmpeq_epi8(_mm256_and_si256(l, h), _mm256_setzero_si256()));
}

static inline bool name_is(const char *p, const struct sip_name *e)
{
    const __m256i *n = (const __m256i *)(const void *)e;
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    v = _mm256_xor_si256(_mm256_or_si256(v, _mm256_set1_epi8(0x20)), _mm256_load_si256(n));
    return _mm256_testz_si256(v, _mm256_load_si256(n + 1));
}

#define SIP_FAST_NAME sip_index_avx2
#include "sip/index_fast.h"
