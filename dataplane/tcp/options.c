/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/options.h"

#include <string.h>

enum {
    KIND_END = 0,
    KIND_NOP = 1,
    KIND_MSS = 2,
    KIND_SCALE = 3,
    KIND_SACK_OK = 4,
    KIND_SACK = 5,
    KIND_TS = 8
};
#define SCALE_MAX 14

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

static void put32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, 4);
}

static void read_sacks(const uint8_t *p, uint32_t len, struct tcp_options *out)
{
    for (; len >= 8 && out->sacks < TCP_SACKS; p += 8, len -= 8)
        out->sack[out->sacks++] = (struct tcp_range){.from = get32(p), .to = get32(p + 4)};
}

/* len: of the whole option. A known kind of a wrong length is passed over, as one not known is. */
static void read_one(const uint8_t *p, uint32_t len, struct tcp_options *out)
{
    if (p[0] == KIND_MSS && len == 4) {
        out->mss = get16(p + 2);
        out->has |= TCP_OPTION_MSS;
    } else if (p[0] == KIND_SCALE && len == 3) {
        out->scale = p[2] > SCALE_MAX ? SCALE_MAX : p[2];
        out->has |= TCP_OPTION_SCALE;
    } else if (p[0] == KIND_SACK_OK && len == 2) {
        out->has |= TCP_OPTION_SACK_OK;
    } else if (p[0] == KIND_TS && len == 10) {
        out->ts_val = get32(p + 2);
        out->ts_ecr = get32(p + 6);
        out->has |= TCP_OPTION_TS;
    } else if (p[0] == KIND_SACK && len >= 10 && (len - 2) % 8 == 0) {
        read_sacks(p + 2, len - 2, out);
    }
}

bool tcp_options_read(const uint8_t *p, uint32_t len, struct tcp_options *out)
{
    out->has = 0;
    out->sacks = 0;
    if (len == TCP_OPTIONS_TS && get32(p) == 0x0101080a) { /* the usual segment */
        out->ts_val = get32(p + 4);
        out->ts_ecr = get32(p + 8);
        out->has = TCP_OPTION_TS;
        return true;
    }
    while (len && *p != KIND_END) {
        if (*p == KIND_NOP) {
            p++;
            len--;
            continue;
        }
        if (len < 2 || p[1] < 2 || p[1] > len)
            return false;
        read_one(p, p[1], out);
        len -= p[1];
        p += p[1];
    }
    return true;
}

uint32_t tcp_options_syn(uint8_t *p, const struct tcp_options *o)
{
    uint8_t *at = p;
    put32(at, (uint32_t)KIND_MSS << 24 | 4u << 16 | o->mss);
    at += 4;
    if (o->has & TCP_OPTION_TS) {
        put32(at, o->has & TCP_OPTION_SACK_OK ? 0x0402080a : 0x0101080a);
        put32(at + 4, o->ts_val);
        put32(at + 8, o->ts_ecr);
        at += 12;
    } else if (o->has & TCP_OPTION_SACK_OK) {
        put32(at, 0x01010402);
        at += 4;
    }
    if (o->has & TCP_OPTION_SCALE) {
        put32(at, 0x01030300u | o->scale);
        at += 4;
    }
    return (uint32_t)(at - p);
}

uint32_t tcp_options_sack(uint8_t *p, const struct tcp_range *r, unsigned n)
{
    if (n == 0)
        return 0;
    put32(p, 0x01010500u | (2 + 8 * n));
    for (unsigned i = 0; i < n; i++) {
        put32(p + 4 + 8 * i, r[i].from);
        put32(p + 8 + 8 * i, r[i].to);
    }
    return 4 + 8 * n;
}
