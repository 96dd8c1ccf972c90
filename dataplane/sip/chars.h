/* SPDX-License-Identifier: BSD-2-Clause */
/* Character classes of RFC 3261 section 25 and the small steps that every decoder is made of. */
#ifndef SIP_CHARS_H
#define SIP_CHARS_H

#include <stdbool.h>
#include <stdint.h>

#include "sip/sip_tables.h"

extern const uint16_t sip_chars[256];

static inline bool ch_is(char c, unsigned class_bits)
{
    return sip_chars[(uint8_t)c] & class_bits;
}

/* First byte outside the class. */
static inline const char *ch_span(const char *p, const char *e, unsigned class_bits)
{
    while (p < e && ch_is(*p, class_bits))
        p++;
    return p;
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
