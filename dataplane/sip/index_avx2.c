/* SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>

#include "sip/chars.h"
#include "sip/names.h"

struct masks {
    uint64_t lf, cr, ws, comma, bad;
};

static inline uint64_t movemask(__m256i v)
{
    return (uint32_t)_mm256_movemask_epi8(v);
}

static inline struct masks classify(const char *p)
{
    struct masks k = {0};
    for (unsigned i = 0; i < 64; i += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        __m256i lf = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\n')),
                cr = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\r'));
        __m256i ht = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\t')),
                sp = _mm256_cmpeq_epi8(v, _mm256_set1_epi8(' '));
        __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
        __m256i del = _mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7f));
        __m256i bad =
            _mm256_or_si256(_mm256_andnot_si256(_mm256_or_si256(_mm256_or_si256(lf, cr), ht), low), del);
        k.lf |= movemask(lf) << i;
        k.cr |= movemask(cr) << i;
        k.ws |= movemask(_mm256_or_si256(ht, sp)) << i;
        k.comma |= movemask(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(','))) << i;
        k.bad |= movemask(bad) << i;
    }
    return k;
}

/* Bytes of the first 32 that are no token. */
static inline uint32_t name_stops(const char *p)
{
    const __m256i low = _mm256_setr_epi8(SIP_TOKEN_LOW, SIP_TOKEN_LOW);
    const __m256i high = _mm256_setr_epi8(0, 0, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4,
                                          8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0);
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p), nibble = _mm256_set1_epi8(0x0f);
    __m256i l = _mm256_shuffle_epi8(low, _mm256_and_si256(v, nibble));
    __m256i h = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
    return (uint32_t)movemask(_mm256_cmpeq_epi8(_mm256_and_si256(l, h), _mm256_setzero_si256()));
}

static inline uint32_t name_differs(const char *p, const struct sip_name *e)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    v = _mm256_or_si256(v, _mm256_set1_epi8(0x20));
    __m256i name = _mm256_load_si256((const __m256i *)(const void *)e);
    return ~(uint32_t)movemask(_mm256_cmpeq_epi8(v, name));
}

#define SIP_FAST_NAME sip_index_avx2
#include "sip/index_fast.h"
