/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/srv.h"

#include <stdio.h>

#include <ares.h>

#define HEADER   12
#define TYPE_SRV 33
#define CLASS_IN 1

static unsigned u16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t u32(const unsigned char *p)
{
    return (uint32_t)u16(p) << 16 | u16(p + 2);
}

/* Bytes that the name takes in the message, -1 if broken. name may be NULL. */
static long take_name(const unsigned char *at, const unsigned char *msg, int len, char *name, unsigned size)
{
    char *text = NULL;
    long used = 0;

    if (at >= msg + len || ares_expand_name(at, msg, len, &text, &used) != ARES_SUCCESS)
        return -1;
    int n = name ? snprintf(name, size, "%s", text) : 0;
    ares_free_string(text);
    return n >= (int)size && name ? -1 : used;
}

int srv_parse(const unsigned char *msg, int len, struct srv *out, int max, uint32_t *ttl)
{
    *ttl = UINT32_MAX;
    if (len < HEADER)
        return -1;
    unsigned questions = u16(msg + 4), answers = u16(msg + 6);
    const unsigned char *at = msg + HEADER, *end = msg + len;
    int n = 0;

    for (; questions > 0; questions--) {
        long used = take_name(at, msg, len, NULL, 0);
        if (used < 0 || end - at < used + 4)
            return -1;
        at += used + 4;
    }
    for (; answers > 0; answers--) {
        long used = take_name(at, msg, len, NULL, 0);
        if (used < 0 || end - at < used + 10)
            return -1;
        at += used;
        unsigned type = u16(at), class = u16(at + 2), rdlen = u16(at + 8);
        uint32_t seconds = u32(at + 4);
        at += 10;
        if (end - at < (long)rdlen)
            return -1;
        if (seconds < *ttl)
            *ttl = seconds;
        if (type == TYPE_SRV && class == CLASS_IN && n < max) {
            if (rdlen < 7)
                return -1;
            out[n] = (struct srv){.priority = (uint16_t)u16(at),
                                  .weight = (uint16_t)u16(at + 2),
                                  .port = (uint16_t)u16(at + 4)};
            if (take_name(at + 6, msg, len, out[n].target, sizeof(out[n].target)) < 0)
                return -1;
            n++;
        }
        at += rdlen;
    }
    return n;
}
