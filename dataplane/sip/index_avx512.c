/* SPDX-License-Identifier: BSD-2-Clause */
#include <immintrin.h>

#include "sip/chars.h"
#include "sip/names.h"

#define BLOCK_LINES_MAX 16 /* a header line has four bytes at least */

struct masks {
    uint64_t lf, cr, comma, blank, control; /* blank: up to 0x20; control: below that, or DEL */
};

static inline struct masks classify(const char *p)
{
    __m512i v = _mm512_loadu_si512(p);
    return (struct masks){
        .lf = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n')),
        .cr = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\r')),
        .comma = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(',')),
        .blank = _mm512_cmple_epu8_mask(v, _mm512_set1_epi8(' ')),
        .control = _kor_mask64(_mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(' ')),
                               _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(0x7f))),
    };
}

/* Writes base + the place of each bit, at most 16 of them; returns how many bits there are. */
static inline uint32_t put_starts(uint16_t *at, uint32_t base, uint64_t starts)
{
    const __m512i places =
        _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43,
                        42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22,
                        21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m128i bytes = _mm512_castsi512_si128(_mm512_maskz_compress_epi8(starts, places));
    __m256i words = _mm256_add_epi16(_mm256_cvtepu8_epi16(bytes), _mm256_set1_epi16((short)base));
    _mm256_storeu_si256((__m256i *)(void *)at, words);
    return (uint32_t)__builtin_popcountll(starts);
}

static inline uint32_t first_bit(uint64_t x)
{
    return (uint32_t)_tzcnt_u64(x);
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
    return _mm256_cmple_epu8_mask(v, _mm256_set1_epi8(' '));
}

#define SIP_FAST_NAME sip_index_avx512
#include "sip/index_fast.h"
