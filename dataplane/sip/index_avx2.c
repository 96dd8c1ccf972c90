/* SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>

#include "sip/chars.h"
#include "sip/names.h"

#define BLOCK_LINES_MAX 16 /* a header line has four bytes at least */

struct masks {
    uint64_t lf, cr, comma, blank, control; /* blank: up to 0x20; control: below that, or DEL */
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
        __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
        __m256i del = _mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7f));
        __m256i blank = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(' ')), v);
        k.lf |= movemask(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\n'))) << i;
        k.cr |= movemask(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\r'))) << i;
        k.comma |= movemask(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(','))) << i;
        k.blank |= movemask(blank) << i;
        k.control |= movemask(_mm256_or_si256(low, del)) << i;
    }
    return k;
}

static inline uint32_t first_bit(uint64_t x)
{
    return (uint32_t)_tzcnt_u64(x);
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

static inline bool name_is(const char *p, const struct sip_name *e)
{
    const __m256i *n = (const __m256i *)(const void *)e;
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    v = _mm256_xor_si256(_mm256_or_si256(v, _mm256_set1_epi8(0x20)), _mm256_load_si256(n));
    return _mm256_testz_si256(v, _mm256_load_si256(n + 1));
}

/* Bytes of the first 32 that are white space or control bytes. */
static inline uint32_t blanks(const char *p)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    return (uint32_t)movemask(_mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(' ')), v));
}

#define SIP_FAST_NAME sip_index_avx2
#include "sip/index_fast.h"
