/* SPDX-License-Identifier: BSD-2-Clause */
/* SYN cookies (RFC 4987 section 3.6): while half-open connections are many, what a SYN says is kept by its
 * sender. Our sequence number holds a tick of 64 s (5 bits), a class of MSS (3) and 24 bits of a keyed hash;
 * the low bits of our timestamp, which the ACK echoes, hold the window scale and whether SACK was offered. */
#include "tcp/state.h"

#define TICK_MS   64000
#define SCALE_ON  0x10u
#define SACK_ON   0x20u
#define LOW_BITS  0x3fu
#define HASH_MASK 0xffffffu

static const uint16_t mss_class[8] = {64, 256, 536, 1024, 1220, 1360, 1440, 1460};

static uint32_t cookie_hash(const struct tcp *t, const struct tcp_key *key, uint32_t irs, uint32_t top)
{
    struct {
        struct tcp_key key;
        uint32_t irs, top;
    } in = {*key, irs, top};
    static_assert(sizeof(in) == sizeof(struct tcp_key) + 8, "no padding: it is hashed as bytes");
    return (uint32_t)hg_siphash64(&t->cookie, &in, sizeof(in)) & HASH_MASK;
}

uint32_t cookie_make(struct tcp *t, const struct tcp_rx *rx, uint16_t *mss)
{
    uint32_t class = 7;
    while (class > 0 && mss_class[class] > *mss)
        class --;
    uint32_t top = (uint32_t)(t->ctx->ms / TICK_MS % 32) << 3 | class;
    *mss = mss_class[class];
    return top << 24 | cookie_hash(t, &rx->key, rx->seq, top);
}

uint32_t cookie_ts(uint32_t now, const struct tcp_options *o)
{
    uint32_t low = o->has & TCP_OPTION_SCALE ? SCALE_ON | (o->scale & 15u) : 0;
    if (o->has & TCP_OPTION_SACK_OK)
        low |= SACK_ON;
    uint32_t ts = (now & ~LOW_BITS) | low;
    return seq_gt(ts, now) ? ts - (LOW_BITS + 1) : ts; /* never of the future */
}

/* out: what half_input() would have had. */
bool cookie_check(struct tcp *t, const struct tcp_rx *rx, struct tcp_half *out)
{
    uint32_t cookie = rx->ack - 1, top = cookie >> 24, irs = rx->seq - 1;
    uint32_t age = (uint32_t)(t->ctx->ms / TICK_MS - (top >> 3)) % 32;
    const struct tcp_listener *l = listener_at(t, &rx->key.local, rx->key.local_port);
    if (age > 1 || !l || cookie_hash(t, &rx->key, irs, top) != (cookie & HASH_MASK))
        return false;
    uint32_t isn;
    memset(out, 0, sizeof(*out));
    out->key = rx->key;
    out->irs = irs;
    out->iss = cookie;
    out->slot = (uint8_t)(l - t->listener);
    out->fenced = l->options.fenced;
    out->mss = mss_class[top & 7];
    out->wnd = rx->wnd;
    out->tries = 1; /* when it was sent is not known that well */
    isn_make(t, &rx->key, &isn, &out->ts_offset);
    if (!(rx->o.has & TCP_OPTION_TS))
        return true;
    out->has = TCP_OPTION_TS;
    out->ts_recent = rx->o.ts_val;
    if (rx->o.ts_ecr & SCALE_ON) {
        out->has |= TCP_OPTION_SCALE;
        out->scale = rx->o.ts_ecr & 15u;
    }
    if (rx->o.ts_ecr & SACK_ON)
        out->has |= TCP_OPTION_SACK_OK;
    return true;
}
