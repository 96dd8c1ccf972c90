/* SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>

#include "sip/chars.h"
#include "sip/names.h"

struct masks {
    uint64_t lf, cr, ws, comma, bad;
};

static inline uint64_t movemask(__m128i v)
{
    return (uint32_t)_mm_movemask_epi8(v);
}

static inline struct masks classify(const char *p)
{
    struct masks k = {0};
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i lf = _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')), cr = _mm_cmpeq_epi8(v, _mm_set1_epi8('\r'));
        __m128i ht = _mm_cmpeq_epi8(v, _mm_set1_epi8('\t')), sp = _mm_cmpeq_epi8(v, _mm_set1_epi8(' '));
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
        __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
        __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_or_si128(_mm_or_si128(lf, cr), ht), low), del);
        k.lf |= movemask(lf) << i;
        k.cr |= movemask(cr) << i;
        k.ws |= movemask(_mm_or_si128(ht, sp)) << i;
        k.comma |= movemask(_mm_cmpeq_epi8(v, _mm_set1_epi8(','))) << i;
        k.bad |= movemask(bad) << i;
    }
    return k;
}

static inline uint32_t stops16(const char *p)
{
    const __m128i low = _mm_setr_epi8(SIP_TOKEN_LOW);
    const __m128i high = _mm_setr_epi8(0, 0, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0);
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p), nibble = _mm_set1_epi8(0x0f);
    __m128i l = _mm_shuffle_epi8(low, _mm_and_si128(v, nibble));
    __m128i h = _mm_shuffle_epi8(high, _mm_and_si128(_mm_srli_epi16(v, 4), nibble));
    return (uint32_t)movemask(_mm_cmpeq_epi8(_mm_and_si128(l, h), _mm_setzero_si128()));
}

/* Bytes of the first 32 that are no token. */
static inline uint32_t name_stops(const char *p)
{
    return stops16(p) | stops16(p + 16) << 16;
}

static inline uint32_t name_differs(const char *p, const struct sip_name *e)
{
    const __m128i lower = _mm_set1_epi8(0x20);
    __m128i a = _mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)p), lower);
    __m128i b = _mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)(p + 16)), lower);
    const __m128i *n = (const __m128i *)(const void *)e;
    return ~(uint32_t)(movemask(_mm_cmpeq_epi8(a, _mm_load_si128(n))) |
                       movemask(_mm_cmpeq_epi8(b, _mm_load_si128(n + 1))) << 16);
}

#define SIP_FAST_NAME sip_index_sse42
#include "sip/index_fast.h"
