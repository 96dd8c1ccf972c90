/* SPDX-License-Identifier: BSD-2-Clause */
/* A burst of segments: headers judged and hashed, table lines asked for, connections asked for, then one
 * after the other through the steps. */
#include <rte_byteorder.h>

#include "tcp/state.h"

#define HEADER 20

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return rte_be_to_cpu_32(v);
}

static bool sum_good(const struct tcp *t, const struct segment *s)
{
    if (s->flags & SEGMENT_SUM_GOOD)
        return true;
    return checksum_fold(t->sum(s->tcp, s->len, checksum_pseudo(&s->src, &s->dst, s->len, 6))) == 0xffff;
}

static unsigned header_read(const struct tcp *t, const struct segment *s, struct tcp_rx *rx)
{
    const uint8_t *p = s->tcp;
    uint32_t header = s->len >= HEADER ? (uint32_t)(p[12] >> 4) * 4 : 0;
    rx->m = s->m;
    rx->segment = s;
    if (unlikely(header < HEADER || header > s->len))
        return HG_DROP_tcp_bad_header;
    if (unlikely(!sum_good(t, s)))
        return HG_DROP_tcp_bad_checksum;
    rx->key.local = s->dst;
    rx->key.remote = s->src;
    rx->key.local_port = be16(p + 2);
    rx->key.remote_port = be16(p);
    rx->seq = be32(p + 4);
    rx->ack = be32(p + 8);
    rx->flags = p[13] & 63;
    rx->wnd = be16(p + 14);
    rx->data = p + header;
    rx->len = s->len - header;
    if (unlikely(!rx->key.local_port || !rx->key.remote_port ||
                 !tcp_options_read(p + HEADER, header - HEADER, &rx->o)))
        return HG_DROP_tcp_bad_header;
    rx->hash = tcp_hash(t, &rx->key);
    return RX_GO_ON;
}

const struct tcp_key *table_key(const struct tcp *t, uint32_t value)
{
    uint32_t index = TCP_VALUE_INDEX(value);
    if (TCP_VALUE_KIND(value) == TCP_KIND_CONN)
        return &t->conn[index].key;
    return slab_at(TCP_VALUE_KIND(value) == TCP_KIND_HALF ? t->halves : t->waits, index);
}

static unsigned steer(struct tcp *t, struct tcp_rx *rx)
{
    struct tcp_cursor cursor = tcp_table_begin(&t->table, rx->hash);
    uint32_t v;
    while ((v = tcp_table_next(&t->table, &cursor)) != 0) {
        if (!key_eq(table_key(t, v), &rx->key))
            continue;
        uint32_t index = TCP_VALUE_INDEX(v);
        if (TCP_VALUE_KIND(v) == TCP_KIND_HALF)
            return half_input(t, rx, slab_at(t->halves, index));
        if (TCP_VALUE_KIND(v) == TCP_KIND_WAIT)
            return wait_input(t, rx, slab_at(t->waits, index));
        struct tcp_conn *c = &t->conn[index];
        return c->state == TCP_SYN_SENT ? syn_sent_input(t, rx, c) : segment_input(t, rx, c);
    }
    return listen_input(t, rx);
}

static void finish(struct tcp *t, struct tcp_rx *rx, unsigned verdict)
{
    ctx_count(t->ctx, verdict);
    if (rx->m)
        rte_pktmbuf_free(rx->m);
}

/* The connection that a segment is probably of: its first lines. */
static void fetch(const struct tcp *t, uint64_t hash)
{
    uint32_t v = tcp_table_guess(&t->table, hash);
    if (!v)
        return;
    const char *p = (const char *)table_key(t, v);
    __builtin_prefetch(p);
    if (TCP_VALUE_KIND(v) == TCP_KIND_CONN)
        for (unsigned line = 64; line <= offsetof(struct tcp_conn, hint); line += 64)
            __builtin_prefetch(p + line);
}

static void burst(struct tcp *t, struct segment *s, unsigned n)
{
    struct tcp_rx rx[TCP_BURST];
    unsigned verdict[TCP_BURST];
    for (unsigned i = 0; i < n; i++) {
        verdict[i] = header_read(t, &s[i], &rx[i]);
        if (likely(verdict[i] == RX_GO_ON))
            tcp_table_prefetch(&t->table, rx[i].hash);
    }
    for (unsigned i = 0; i < n; i++)
        if (likely(verdict[i] == RX_GO_ON))
            fetch(t, rx[i].hash);
    for (unsigned i = 0; i < n; i++) {
        if (likely(verdict[i] == RX_GO_ON))
            verdict[i] = steer(t, &rx[i]);
        finish(t, &rx[i], verdict[i]);
    }
}

void tcp_input(struct tcp *t, struct segment *s, unsigned n)
{
    clock_look(t);
    while (n) {
        unsigned now = n < TCP_BURST ? n : TCP_BURST;
        burst(t, s, now);
        s += now;
        n -= now;
    }
}
