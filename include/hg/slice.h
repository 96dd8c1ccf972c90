/* SPDX-License-Identifier: BSD-2-Clause */
/* A view of bytes that somebody else owns. Never NUL terminated, never freed through the view. */
#ifndef HG_SLICE_H
#define HG_SLICE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *p;
    uint32_t len;
};

#define SLICE_FMT      "%.*s"
#define SLICE_ARG(s)   (int)(s).len, (s).p
#define SLICE_LIT(lit) ((struct slice){.p = (lit), .len = sizeof(lit) - 1})

static inline struct slice slice_of(const char *p, uint32_t len)
{
    return (struct slice){.p = p, .len = len};
}

static inline struct slice slice_str(const char *s)
{
    return (struct slice){.p = s, .len = (uint32_t)strlen(s)};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline char ascii_lower(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char)(c | 0x20) : c;
}

/* ASCII only: SIP tokens and host names are. */
static inline bool slice_ieq(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (uint32_t i = 0; i < a.len; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && memcmp(s.p, prefix.p, prefix.len) == 0;
}

#endif
