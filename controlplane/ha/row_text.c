/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/row_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* -1: no role stands here. */
static int role_at(const char *start, const char *p)
{
    bool word = p == start || !isalnum((unsigned char)p[-1]);

    if (!word || p[0] != 'N' || (p[1] != '1' && p[1] != '2') || isalnum((unsigned char)p[2]))
        return -1;
    return p[1] - '1';
}

const char *row_text(const char *text, const char *const node[2], bool flip, char *out)
{
    size_t n = 0;

    for (const char *p = text; *p && n + 1 < ROW_TEXT_MAX;) {
        int role = role_at(text, p);
        if (role < 0) {
            out[n++] = *p++;
            continue;
        }
        int len = snprintf(out + n, ROW_TEXT_MAX - n, "%s", node[flip ? 1 - role : role]);
        n += len > 0 ? (size_t)len : 0;
        n = n < ROW_TEXT_MAX ? n : ROW_TEXT_MAX - 1;
        p += 2;
    }
    out[n] = '\0';
    return out;
}
