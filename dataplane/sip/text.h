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

static inline void text_number(struct text *t, uint32_t v)
{
    char digits[10];
    unsigned at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    text_bytes(t, digits + at, (uint32_t)sizeof(digits) - at);
}

/* The low 4 * digits bits of v, lower case. */
static inline void hex_write(char *out, uint64_t v, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; v >>= 4)
        out[i] = "0123456789abcdef"[v & 15];
}

static inline bool hex_read(const char *in, unsigned digits, uint64_t *out)
{
    uint64_t v = 0;
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

/* As a host of RFC 3261: IPv6 in brackets. */
static inline void text_host(struct text *t, const struct hg_ip *ip)
{
    char buf[HG_IP_STRLEN];
    uint32_t n;
    if (hg_ip_is4(ip)) {
        for (unsigned i = 12; i < 16; i++) {
            text_number(t, ip->b[i]);
            if (i < 15)
                text_lit(t, ".");
        }
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
