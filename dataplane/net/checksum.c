/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/checksum.h"

#include <immintrin.h>

/* 32-bit words into a 64-bit sum: 2^32 of them fit before it could overflow, a datagram has 2^14. */
uint64_t checksum_plain(const void *p, uint32_t len, uint64_t sum)
{
    const uint8_t *b = p;
    uint64_t even = 0, odd = 0;
    for (; len >= 16; b += 16, len -= 16) {
        uint64_t w[2];
        memcpy(w, b, 16);
        even += (w[0] & 0xffffffff) + (w[1] & 0xffffffff);
        odd += (w[0] >> 32) + (w[1] >> 32);
    }
    sum += even + odd;
    for (; len >= 4; b += 4, len -= 4) {
        uint32_t w;
        memcpy(&w, b, 4);
        sum += w;
    }
    uint32_t rest = 0;
    memcpy(&rest, b, len);
    return sum + rest;
}

__attribute__((target("avx2"))) uint64_t checksum_avx2(const void *p, uint32_t len, uint64_t sum)
{
    const uint8_t *b = p;
    const __m256i low = _mm256_set1_epi64x(0xffffffff);
    __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0;
    for (; len >= 64; b += 64, len -= 64) {
        __m256i v = _mm256_loadu_si256((const __m256i *)b);
        __m256i w = _mm256_loadu_si256((const __m256i *)(b + 32));
        s0 = _mm256_add_epi64(s0, _mm256_and_si256(v, low));
        s1 = _mm256_add_epi64(s1, _mm256_srli_epi64(v, 32));
        s2 = _mm256_add_epi64(s2, _mm256_and_si256(w, low));
        s3 = _mm256_add_epi64(s3, _mm256_srli_epi64(w, 32));
    }
    s0 = _mm256_add_epi64(_mm256_add_epi64(s0, s1), _mm256_add_epi64(s2, s3));
    __m128i h = _mm_add_epi64(_mm256_castsi256_si128(s0), _mm256_extracti128_si256(s0, 1));
    sum += (uint64_t)_mm_cvtsi128_si64(h) + (uint64_t)_mm_extract_epi64(h, 1);
    return checksum_plain(b, len, sum);
}

__attribute__((target("avx512f,avx512bw"))) uint64_t checksum_avx512(const void *p, uint32_t len,
                                                                     uint64_t sum)
{
    const uint8_t *b = p, *end = b + (len & ~63u);
    /* Sums of whole words, which may wrap, and of their upper halves, which cannot: the latter say what the
     * former lost. */
    __m512i words = _mm512_setzero_si512(), upper = words;
    for (; b < end; b += 64) {
        __m512i v = _mm512_loadu_si512(b);
        words = _mm512_add_epi64(words, v);
        upper = _mm512_add_epi64(upper, _mm512_srli_epi64(v, 32));
    }
    __m512i v = _mm512_maskz_loadu_epi8(((uint64_t)1 << (len & 63)) - 1, b);
    words = _mm512_add_epi64(words, v);
    upper = _mm512_add_epi64(upper, _mm512_srli_epi64(v, 32));
    __m512i lower = _mm512_sub_epi64(words, _mm512_slli_epi64(upper, 32));
    return sum + (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(lower, upper));
}

checksum_fn checksum_best(void)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        return checksum_avx512;
    return __builtin_cpu_supports("avx2") ? checksum_avx2 : checksum_plain;
}
