/* SPDX-License-Identifier: BSD-2-Clause */
/* What TCP costs a core from frame to frame, net/ included, its peers played by hand: a round of 250 bytes in
 * and 250 out, and accepting and closing. Run by hand: bench_tcp [IDLE CONNECTIONS]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "../net/rig.h"
#include "tcp/tcp.h"

#define BURST   32
#define ACTIVE  1000
#define ROUNDS  40000
#define BYTES   250
#define US      "10.0.0.1"
#define GATEWAY "10.0.0.253"
#define HEADERS (14 + 20 + 20)

struct peer {
    struct hg_ip ip;
    uint16_t port;
    uint32_t seq, ack;
};

struct bench {
    struct rig *rig;
    struct tcp *tcp;
    struct rte_mbuf *burst[BURST];
    struct hg_ip us;
    uint64_t cycles, turns;
    unsigned nreply;
    bool asked;
    struct reply {
        uint32_t seq, ack, len;
        uint8_t flags;
        uint16_t port;
    } reply[4 * BURST];
};

static void put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, 4);
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

static struct peer peer_of(uint32_t i)
{
    return (struct peer){.ip = hg_ip_from4(__builtin_bswap32(0xc0a80000u + i / 50000 % 60000)),
                         .port = (uint16_t)(10000 + i % 50000),
                         .seq = 1000};
}

static struct rte_mbuf *frame(struct bench *b, const struct peer *p, uint8_t flags, uint32_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(b->rig->ctx.pool);
    if (!m)
        abort();
    uint8_t *f = rte_pktmbuf_mtod(m, uint8_t *), *ip = f + 14, *tcp = ip + 20;
    m->pkt_len = HEADERS + len;
    m->data_len = (uint16_t)m->pkt_len;
    memcpy(f, rig_mac, 6);
    memcpy(f + 6, rig_peer_mac, 6);
    put16(f + 12, 0x0800);
    memset(ip, 0, 40 + len);
    ip[0] = 0x45;
    put16(ip + 2, (uint16_t)(40 + len));
    ip[8] = 64;
    ip[9] = 6;
    memcpy(ip + 12, p->ip.b + 12, 4);
    memcpy(ip + 16, b->us.b + 12, 4);
    fix_ip4(f);
    put16(tcp, p->port);
    put16(tcp + 2, 5060);
    put32(tcp + 4, p->seq);
    put32(tcp + 8, p->ack);
    tcp[12] = 0x50;
    tcp[13] = flags;
    put16(tcp + 14, 65535);
    uint32_t pseudo = 6 + 20 + len;
    for (unsigned i = 12; i < 20; i += 2)
        pseudo += (uint32_t)(ip[i] << 8 | ip[i + 1]);
    put16(tcp + 16, sum_of(tcp, 20 + len, pseudo));
    return m;
}

static void serve(struct bench *b)
{
    const struct tcp_event *e;
    struct slice s[4];
    unsigned n;
    do {
        n = tcp_events(b->tcp, &e);
        for (unsigned i = 0; i < n; i++) {
            if (e[i].bits & TCP_EVENT_CLOSED)
                continue;
            if (e[i].bits & TCP_EVENT_READABLE) {
                unsigned k = tcp_peek(b->tcp, e[i].id, s, 4);
                tcp_write(b->tcp, e[i].id, s, k);
                tcp_consume(b->tcp, e[i].id, tcp_readable(b->tcp, e[i].id));
            }
            if (e[i].bits & TCP_EVENT_PEER_CLOSED)
                tcp_close(b->tcp, e[i].id);
        }
    } while (n == TCP_EVENTS_MAX);
}

static void reply_note(struct bench *b, const struct rte_mbuf *m)
{
    const uint8_t *tcp = rte_pktmbuf_mtod_offset(m, const uint8_t *, 34);
    if (tcp[12 - 34] != 8 || tcp[13 - 34] != 0) { /* the neighbour is asked whether it is there */
        b->asked = true;
        return;
    }
    b->reply[b->nreply++] = (struct reply){.seq = get32(tcp + 4),
                                           .ack = get32(tcp + 8),
                                           .flags = tcp[13],
                                           .len = m->pkt_len - 34 - (uint32_t)(tcp[12] >> 4) * 4,
                                           .port = (uint16_t)(tcp[2] << 8 | tcp[3])};
}

/* A turn over what stands in the burst: from frames in to frames out. */
static void turn(struct bench *b, unsigned n)
{
    struct ctx *c = &b->rig->ctx;
    struct datagram d[BURST];
    struct segment s[BURST];
    struct net_up up = {.datagram = d, .segment = s};
    struct rte_mbuf **sent;
    struct wheel_timer *t;
    uint64_t begin = rte_rdtsc_precise();
    c->tsc += c->tsc_hz / 100000; /* a clock of its own: a machine that stalls makes no time-outs */
    c->ms = c->tsc / (c->tsc_hz / 1000);
    net_input(b->rig->net, 0, b->burst, n, &up);
    tcp_input(b->tcp, s, up.segments);
    while (wheel_advance(c->wheel, c->ms, &t, 1) == 1)
        if (WHEEL_ROOM(t->kind) == WHEEL_TCP)
            tcp_timers(b->tcp, &t, 1);
    serve(b);
    tcp_turn_end(b->tcp);
    unsigned k = net_tx_take(b->rig->net, 0, &sent);
    b->cycles += rte_rdtsc_precise() - begin;
    b->turns++;
    b->nreply = 0;
    for (unsigned i = 0; i < k; i++)
        if (b->nreply < 4 * BURST)
            reply_note(b, sent[i]);
    rte_pktmbuf_free_bulk(sent, k);
    net_tx_done(b->rig->net, 0, k);
    if (b->asked) {
        uint8_t arp[64];
        rig_feed(b->rig, 0, arp, make_arp(arp, 2, rig_peer_mac, GATEWAY, US));
        rig_flush(b->rig);
        b->asked = false;
    }
}

/* Their replies are in the order of the burst. */
static void open_all(struct bench *b, struct peer *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        b->burst[i] = frame(b, &p[i], 2, 0);
    turn(b, n);
    if (b->nreply != n)
        abort();
    for (unsigned i = 0; i < n; i++) {
        p[i].seq++;
        p[i].ack = b->reply[i].seq + 1;
        b->burst[i] = frame(b, &p[i], 16, 0);
    }
    turn(b, n);
}

static void rounds(struct bench *b, struct peer *p)
{
    for (unsigned r = 0; r < ROUNDS; r++) {
        unsigned at = r * BURST % (ACTIVE - BURST);
        for (unsigned i = 0; i < BURST; i++)
            b->burst[i] = frame(b, &p[at + i], 24, BYTES);
        if (r == ROUNDS / 4)
            b->cycles = b->turns = 0;
        turn(b, BURST);
        if (b->nreply != BURST)
            abort();
        for (unsigned i = 0; i < BURST; i++) {
            p[at + i].seq += BYTES;
            p[at + i].ack = b->reply[i].seq + b->reply[i].len;
        }
    }
}

static void accepts(struct bench *b, uint32_t first)
{
    struct peer p[BURST];
    b->cycles = 0;
    for (unsigned r = 0; r < ROUNDS / 4; r++) {
        for (unsigned i = 0; i < BURST; i++)
            p[i] = peer_of(first + r * BURST + i);
        open_all(b, p, BURST);
        for (unsigned i = 0; i < BURST; i++)
            b->burst[i] = frame(b, &p[i], 17, 0);
        turn(b, BURST);
        for (unsigned i = 0; i < BURST; i++) {
            p[i].seq++;
            p[i].ack++;
            b->burst[i] = frame(b, &p[i], 16, 0);
        }
        turn(b, BURST);
    }
}

static void tweak(struct hg_config *config, struct net_setup *setup)
{
    (void)setup;
    config->tcp_connections_max = 2000000;
}

int main(int argc, char **argv)
{
    static struct bench b;
    static struct peer p[ACTIVE];
    uint32_t idle = argc > 1 ? (uint32_t)atoi(argv[1]) : 1000;
    b.rig = rig_open(tweak);
    b.us = ip_of(US);
    b.rig->ctx.tsc_hz = rte_get_tsc_hz();
    b.rig->ctx.tsc = 100 * b.rig->ctx.tsc_hz;
    b.rig->ctx.ms = 100000;
    wheel_clear(&b.rig->wheel);
    wheel_init(&b.rig->wheel, b.rig->ctx.ms);
    rig_know4(b.rig, GATEWAY);
    b.tcp = tcp_create(&b.rig->ctx, b.rig->net);
    struct hg_endpoint ep = ep_of(US, 5060);
    if (!b.tcp || !tcp_listen(b.tcp, &ep, 0, &(struct tcp_listen_options){0}))
        return 1;
    for (uint32_t i = 0; i < idle; i += 25) {
        struct peer few[25];
        for (unsigned k = 0; k < 25; k++)
            few[k] = peer_of(i + k);
        open_all(&b, few, 25);
        /* spread over the idle ones: those that are busy stand everywhere in memory */
        for (unsigned k = 0; k < 25; k++)
            if ((uint64_t)(i + k) * ACTIVE / idle != (uint64_t)(i + k + 1) * ACTIVE / idle || i + k == 0)
                p[(uint64_t)(i + k) * ACTIVE / idle] = few[k];
    }
    double ns = 1e9 / (double)rte_get_tsc_hz();
    printf("%u connections\n", tcp_connections(b.tcp));
    rounds(&b, p);
    printf("round: %.1f ns\n", (double)b.cycles * ns / (double)b.turns / BURST);
    accepts(&b, idle);
    double each = (double)b.cycles * ns / (ROUNDS / 4) / BURST;
    printf("accept and close: %.1f ns, %.0f a second\n", each, 1e9 / each);
    return 0;
}
