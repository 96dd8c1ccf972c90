/* SPDX-License-Identifier: BSD-2-Clause */
/* Appending text to a bounded buffer. Nothing is written past the end; over tells that something did not fit.
 */
#ifndef SIP_TEXT_H
#define SIP_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "hg/endpoint.h"
#include "hg/slice.h"

struct text {
    char *start, *p, *end;
    bool over;
};

static inline struct text text_over(char *buf, uint32_t size)
{
    return (struct text){.start = buf, .p = buf, .end = buf + size};
}

static inline void text_bytes(struct text *t, const char *p, uint32_t n)
{
    if ((uint32_t)(t->end - t->p) < n) {
        t->over = true;
        return;
    }
    if (n == 0)
        return;
    memcpy(t->p, p, n);
    t->p += n;
}

#define text_lit(t, literal) text_bytes(t, literal, sizeof(literal) - 1)

static inline void text_slice(struct text *t, struct slice s)
{
    text_bytes(t, s.p, s.len);
}

static inline void text_str(struct text *t, const char *s)
{
    text_bytes(t, s, (uint32_t)strlen(s));
}

/* Eight decimal digits in one word, the first in its low byte, as numbers; v < 10^8. */
static inline uint64_t decimal_word(uint32_t v)
{
    uint64_t w = v / 10000 | (uint64_t)(v % 10000) << 32, q;
    q = w * 10486 >> 20 & 0x0000007f0000007full; /* hundreds of each half */
    w = q | (w - q * 100) << 16;
    q = w * 103 >> 10 & 0x000f000f000f000full; /* tens of each quarter */
    return q | (w - q * 10) << 8;
}

#define DECIMAL_MAX 10

/* Returns the place behind the number; DECIMAL_MAX bytes at p may be written over. */
static inline char *decimal_write(char *p, uint32_t v)
{
    char digits[DECIMAL_MAX];
    unsigned at = sizeof(digits);
    if (v < 100) {
        uint32_t tens = v * 103 >> 10, w = v < 10 ? v : tens | (v - tens * 10) << 8;
        w += 0x3030;
        memcpy(p, &w, 2);
        return p + 1 + (v >= 10);
    }
    if (v < 100000000) {
        uint64_t w = decimal_word(v);
        unsigned zeros = (unsigned)__builtin_ctzll(w) & ~7u;
        w = (w + 0x3030303030303030ull) >> zeros;
        memcpy(p, &w, 8);
        return p + 8 - zeros / 8;
    }
    for (; v; v /= 10)
        digits[--at] = (char)('0' + v % 10);
    memcpy(p, digits + at, sizeof(digits) - at);
    return p + sizeof(digits) - at;
}

static inline void text_number(struct text *t, uint32_t v)
{
    char buf[DECIMAL_MAX];
    if (t->end - t->p >= DECIMAL_MAX)
        t->p = decimal_write(t->p, v);
    else
        text_bytes(t, buf, (uint32_t)(decimal_write(buf, v) - buf));
}

#define HEX_ONES 0x0101010101010101ull

/* Eight digits in one word, the first in its low byte. */
static inline uint64_t hex_word(uint32_t v)
{
    uint64_t x = v;
    x = (x & 0xffff) << 32 | x >> 16;
    x = (x & 0x0000ff000000ffull) << 16 | (x & 0x00ff000000ff00ull) >> 8;
    x = (x & 0x000f000f000f000full) << 8 | (x & 0x00f000f000f000f0ull) >> 4;
    uint64_t letter = (x + 6 * HEX_ONES) >> 4 & HEX_ONES;
    return x + '0' * HEX_ONES + letter * ('a' - '0' - 10);
}

/* false: some byte is no digit in lower case. */
static inline bool hex_unword(uint64_t x, uint32_t *v)
{
    if (x & 0x80 * HEX_ONES)
        return false;
    /* bit 7 of each byte: at least '0', past '9', at least 'a', past 'f' */
    uint64_t digit = (x + (0x80 - '0') * HEX_ONES) & ~(x + (0x80 - '9' - 1) * HEX_ONES);
    uint64_t letter = (x + (0x80 - 'a') * HEX_ONES) & ~(x + (0x80 - 'f' - 1) * HEX_ONES);
    if (~(digit | letter) & 0x80 * HEX_ONES)
        return false;
    x = (x & 0x0f * HEX_ONES) + (letter >> 7 & HEX_ONES) * 9;
    x = (x & 0x000f000f000f000full) << 4 | (x >> 8 & 0x000f000f000f000full);
    x = (x & 0x000000ff000000ffull) << 8 | (x >> 16 & 0x000000ff000000ffull);
    *v = (uint32_t)(x << 16 | x >> 32);
    return true;
}

/* The low 4 * digits bits of v, lower case. */
static inline void hex_write(char *out, uint64_t v, unsigned digits)
{
    for (; digits >= 8; digits -= 8, out += 8) {
        uint64_t word = hex_word((uint32_t)(v >> (digits - 8) * 4));
        memcpy(out, &word, 8);
    }
    for (unsigned i = digits; i-- > 0; v >>= 4)
        out[i] = "0123456789abcdef"[v & 15];
}

static inline bool hex_read(const char *in, unsigned digits, uint64_t *out)
{
    uint64_t v = 0;
    for (; digits >= 8; digits -= 8, in += 8) {
        uint64_t word;
        uint32_t part;
        memcpy(&word, in, 8);
        if (!hex_unword(word, &part))
            return false;
        v = v << 32 | part;
    }
    for (unsigned i = 0; i < digits; i++) {
        char c = in[i];
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *out = v;
    return true;
}

/* "0" to "255", in the order of the bytes; the highest byte says how many there are. */
extern const uint32_t text_octets[256];

#define IP4_MAX 16 /* "255.255.255.255." */

/* Returns the length of the text; out has IP4_MAX bytes. */
static inline uint32_t ip4_write(char *out, const struct hg_ip *ip)
{
    char *p = out;
    for (unsigned i = 12; i < 16; i++) {
        uint32_t w = text_octets[ip->b[i]];
        memcpy(p, &w, 4);
        p += w >> 24;
        *p++ = '.';
    }
    return (uint32_t)(p - out) - 1;
}

static inline void text_ip4(struct text *t, const struct hg_ip *ip)
{
    char buf[IP4_MAX];
    if (t->end - t->p >= IP4_MAX)
        t->p += ip4_write(t->p, ip); /* in place: what was just written in pieces is slow to copy */
    else
        text_bytes(t, buf, ip4_write(buf, ip));
}

/* As a host of RFC 3261: IPv6 in brackets. */
static inline void text_host(struct text *t, const struct hg_ip *ip)
{
    char buf[HG_IP_STRLEN];
    uint32_t n;
    if (hg_ip_is4(ip)) {
        text_ip4(t, ip);
        return;
    }
    n = (uint32_t)hg_ip_format(ip, buf);
    text_lit(t, "[");
    text_bytes(t, buf, n);
    text_lit(t, "]");
}

static inline struct slice text_done(const struct text *t)
{
    return slice_of(t->start, (uint32_t)(t->p - t->start));
}

#endif
