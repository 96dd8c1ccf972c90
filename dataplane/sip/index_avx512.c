/* SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>

#include "sip/chars.h"
#include "sip/names.h"

struct masks {
    uint64_t lf, cr, ws, comma, bad;
};

static inline struct masks classify(const char *p)
{
    __m512i v = _mm512_loadu_si512(p);
    struct masks k;
    uint64_t ht = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\t'));
    k.lf = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n'));
    k.cr = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\r'));
    k.ws = ht | _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(' '));
    k.comma = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(','));
    k.bad = (_mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20)) & ~(ht | k.lf | k.cr)) |
            _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(0x7f));
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
    return _mm256_testn_epi8_mask(l, h);
}

static inline uint32_t name_differs(const char *p, const struct sip_name *e)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    v = _mm256_or_si256(v, _mm256_set1_epi8(0x20));
    return _mm256_cmpneq_epi8_mask(v, _mm256_load_si256((const __m256i *)(const void *)e));
}

#define SIP_FAST_NAME sip_index_avx512
#include "sip/index_fast.h"
