/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/log_text.h"

#include <string.h>

#define CUT "..."

struct slice log_text_number(uint64_t n, char out[LOG_TEXT_NUMBER])
{
    char *end = out + LOG_TEXT_NUMBER, *p = end;
    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    return slice_of(p, (uint32_t)(end - p));
}

static uint32_t escape_one(unsigned char c, char out[4])
{
    const char *hex = "0123456789abcdef";
    if (c == '\\') {
        out[0] = out[1] = '\\';
        return 2;
    }
    if (c >= 0x20 && c < 0x7f) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = 'x';
    out[2] = hex[c >> 4];
    out[3] = hex[c & 15];
    return 4;
}

uint32_t log_text_escape(struct slice in, char *out, uint32_t max)
{
    uint32_t n = 0, fits = 0; /* fits: up to here CUT still has room behind it */
    for (uint32_t i = 0; i < in.len; i++) {
        char one[4];
        uint32_t len = escape_one((unsigned char)in.p[i], one);
        if (n + len > max) {
            memcpy(out + fits, CUT, sizeof(CUT) - 1);
            return fits + (uint32_t)sizeof(CUT) - 1;
        }
        memcpy(out + n, one, len);
        n += len;
        if (n + sizeof(CUT) - 1 <= max)
            fits = n;
    }
    return n;
}
