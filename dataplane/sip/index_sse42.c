/* SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>

#include "sip/chars.h"
#include "sip/names.h"

#define BLOCK_LINES_MAX 16 /* a header line has four bytes at least */

struct masks {
    uint64_t lf, cr, comma, blank, control; /* blank: up to 0x20; control: below that, or DEL */
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
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
        __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
        __m128i blank = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(' ')), v);
        k.lf |= movemask(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n'))) << i;
        k.cr |= movemask(_mm_cmpeq_epi8(v, _mm_set1_epi8('\r'))) << i;
        k.comma |= movemask(_mm_cmpeq_epi8(v, _mm_set1_epi8(','))) << i;
        k.blank |= movemask(blank) << i;
        k.control |= movemask(_mm_or_si128(low, del)) << i;
    }
    return k;
}

static inline uint32_t first_bit(uint64_t x)
{
    return x ? (uint32_t)__builtin_ctzll(x) : 64;
}

/* Writes base + the place of each bit, at most BLOCK_LINES_MAX of them; returns how many bits there are. */
static inline uint32_t put_starts(uint16_t *at, uint32_t base, uint64_t starts)
{
    uint32_t count = (uint32_t)__builtin_popcountll(starts);
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint16_t)(base + first_bit(starts));
        starts &= starts - 1;
    }
    if (__builtin_expect(count > 4, 0))
        for (unsigned i = 4; i < count && i < BLOCK_LINES_MAX; i++) {
            at[i] = (uint16_t)(base + first_bit(starts));
            starts &= starts - 1;
        }
    return count;
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

/* Bytes of the first 32 that are white space or control bytes. */
static inline uint32_t blanks(const char *p)
{
    const __m128i space = _mm_set1_epi8(' ');
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + 16));
    return (uint32_t)(movemask(_mm_cmpeq_epi8(_mm_min_epu8(a, space), a)) |
                      movemask(_mm_cmpeq_epi8(_mm_min_epu8(b, space), b)) << 16);
}

#define SIP_FAST_NAME sip_index_sse42
#include "sip/index_fast.h"
