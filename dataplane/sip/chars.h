/* SPDX-License-Identifier: BSD-2-Clause */
/* Character classes of RFC 3261 section 25 and the small steps that every decoder is made of. */
#ifndef SIP_CHARS_H
#define SIP_CHARS_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sip/sip_tables.h"

extern const uint32_t sip_chars[256];
extern const uint8_t sip_class_low[CH_CLASSES][16];

static inline bool ch_is(char c, unsigned class_bits)
{
    return sip_chars[(uint8_t)c] & class_bits;
}

/* A load of 16 bytes at p may look past the end of the text but never past its page, so it cannot fault; what
 * it sees there is masked off. The address sanitizer cannot know that: under it only whole loads inside the
 * text are made. */
static inline bool ch_wide(const char *p, const char *e)
{
#if defined(__SANITIZE_ADDRESS__)
    return e - p >= 16;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return e - p >= 16;
#endif
#endif
    return p < e && ((uintptr_t)p & 4095) <= 4096 - 16;
}

/* For short words: first byte outside the class. */
static inline const char *ch_span_short(const char *p, const char *e, unsigned class_bits)
{
    while (p < e && ch_is(*p, class_bits))
        p++;
    return p;
}

/* Bit i: byte i of the 16 at p is outside the class (one class, no white space). */
static inline unsigned ch_stops16(__m128i v, unsigned class_bits)
{
    const __m128i high = _mm_setr_epi8(0, 0, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m128i nibble = _mm_set1_epi8(0x0f);
    __m128i low = _mm_loadu_si128((const __m128i *)(const void *)sip_class_low[__builtin_ctz(class_bits)]);
    __m128i l = _mm_shuffle_epi8(low, _mm_and_si128(v, nibble));
    __m128i h = _mm_shuffle_epi8(high, _mm_and_si128(_mm_srli_epi16(v, 4), nibble));
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(l, h), _mm_setzero_si128()));
}

static inline __m128i ch_load16(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* First byte outside the class, 16 bytes at a time. */
static inline const char *ch_span(const char *p, const char *e, unsigned class_bits)
{
    while (ch_wide(p, e)) {
        ptrdiff_t left = e - p;
        unsigned stops = ch_stops16(ch_load16(p), class_bits) | 1u << (left < 16 ? left : 16);
        unsigned n = (unsigned)__builtin_ctz(stops);
        p += n;
        if (n < 16)
            return p;
    }
    return ch_span_short(p, e, class_bits);
}

/* Up to eight bytes as one lower-case word, 0x20 behind them: token bytes that setting bit 5 makes a letter
 * were that letter, and no token holds 0x20, so equal words are equal names. */
static inline uint64_t ch_word(const char *p, size_t len)
{
    uint64_t v = 0;
    if (len >= 4) {
        uint32_t first, last;
        memcpy(&first, p, 4);
        memcpy(&last, p + len - 4, 4);
        v = first | (uint64_t)last << (len - 4) * 8;
    } else if (len) {
        v = (uint64_t)(uint8_t)p[0] | (uint64_t)(uint8_t)p[len / 2] << len / 2 * 8 |
            (uint64_t)(uint8_t)p[len - 1] << (len - 1) * 8;
    }
    return v | 0x2020202020202020ull;
}

#define CH_WORD8(a, b, c, d, e, f, g, h)                                                                     \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 | (uint64_t)(e) << 32 |  \
     (uint64_t)(f) << 40 | (uint64_t)(g) << 48 | (uint64_t)(h) << 56)

/* memset of a constant size of at least 16, without the start-up cost of "rep stos". */
static inline __attribute__((always_inline)) void ch_zero(void *at, size_t size)
{
    char *p = at;
    __m128i zero = _mm_setzero_si128();
    __asm__("" : "+x"(zero)); /* or the compiler sees a memset again */
    size_t i = 0;
#ifdef __AVX512F__
    for (__m512i wide = _mm512_broadcast_i32x4(zero); i + 64 <= size; i += 64)
        _mm512_storeu_si512(p + i, wide);
#endif
    for (; i + 16 <= size; i += 16)
        _mm_storeu_si128((__m128i *)(void *)(p + i), zero);
    if (size % 16)
        _mm_storeu_si128((__m128i *)(void *)(p + size - 16), zero);
}

/* The same with %-escapes counted in; a '%' that starts none ends the span. */
static inline const char *ch_span_escaped(const char *p, const char *e, unsigned class_bits)
{
    for (;;) {
        p = ch_span(p, e, class_bits);
        if (e - p < 3 || *p != '%' || !ch_is(p[1], CH_HEX) || !ch_is(p[2], CH_HEX))
            return p;
        p += 3;
    }
}

/* The index pass has checked that CR and LF stand only in folds, so they are white space here. */
static inline const char *ch_skip_ws(const char *p, const char *e)
{
    while (p < e && ch_is(*p, CH_WS))
        p++;
    return p;
}

static inline const char *ch_trim_end(const char *p, const char *e)
{
    while (e > p && ch_is(e[-1], CH_WS))
        e--;
    return e;
}

/* p at '"'; returns the byte after the closing quote, 0 when there is none or a byte is illegal. */
const char *ch_quoted(const char *p, const char *e);

#endif
