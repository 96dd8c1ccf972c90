/* SPDX-License-Identifier: BSD-2-Clause */
/* The two ends and their time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "../unit/eal.h"
#include "lib/log_out.h"
#include "two_impl.h"

#define MBUFS    4096
#define BIG      8
#define START_US 10000000
#define TSC_HZ   1000000000ull

static struct rte_mempool *pools[2], *pools_big[2];

/* In place of the C library's: keys, ports and initial sequence numbers are the seed's as well. */
static uint64_t secret_state = 1;
ssize_t getrandom(void *out, size_t len, unsigned flags)
{
    uint8_t *p = out;
    (void)flags;
    for (size_t i = 0; i < len; i++) {
        secret_state = secret_state * 6364136223846793005ull + 1442695040888963407ull;
        p[i] = (uint8_t)(secret_state >> 56);
    }
    return (ssize_t)len;
}

static struct hg_net net_of(const char *ip, unsigned bits)
{
    struct hg_net n = {.bits = (uint8_t)bits};
    REQUIRE(hg_ip_parse(slice_str(ip), &n.ip));
    return n;
}

static void configure(struct end *e)
{
    struct hg_config *c = hg_config_defaults();
    REQUIRE(c);
    e->config = c;
    c->nports = 1;
    c->ports = calloc(1, sizeof(*c->ports));
    REQUIRE(c->ports);
    struct hg_config_iface *i = c->ports[0].iface;
    c->ports[0].nifaces = 1;
    i->naddrs = 2;
    i->addr[0] = net_of(e->side == A ? "10.0.0.1" : "10.0.0.2", 96 + 24);
    i->addr[1] = net_of(e->side == A ? "fd00::1" : "fd00::2", 64);
    e->ip4 = i->addr[0].ip;
    e->ip6 = i->addr[1].ip;
    c->dp_mbufs = MBUFS;
    c->dp_fragments_max = 16;
    c->dp_neighbours_max = 16;
    c->tcp_connections_max = 1024;
}

static void end_time(struct two *w, struct end *e)
{
    e->ctx.tsc = w->us * (TSC_HZ / 1000000);
    e->ctx.ms = w->us / 1000;
}

static void end_open(struct two *w, enum side side, const struct two_options *o)
{
    struct end *e = &w->end[side];
    e->side = side;
    memcpy(e->mac, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)(0xa + side)}, 6);
    e->pool = pools[side];
    e->pool_big = pools_big[side];
    configure(e);
    if (o->tweak)
        o->tweak(e->config, side);
    wheel_init(&e->wheel, w->us / 1000);
    e->ctx = (struct ctx){.tsc_hz = TSC_HZ,
                          .cores = 1,
                          .home = {.cores = 1},
                          .counters = e->counters,
                          .pool = e->pool,
                          .pool_big = e->pool_big,
                          .wheel = &e->wheel,
                          .config = e->config,
                          .log = log_out_create_null(),
                          .rng = w->seed ^ (side + 1)};
    end_time(w, e);
    struct net_setup setup = {.nports = 1, .config = e->config};
    setup.port[0] = (struct net_port){.mtu = 1500, .up = true};
    memcpy(setup.port[0].mac, e->mac, 6);
    if (w->lone && side == B)
        return;
    e->net = net_create(&e->ctx, &setup);
    REQUIRE(e->net);
    net_set_ready(e->net, true);
    e->tcp = tcp_create(&e->ctx, e->net);
    REQUIRE(e->tcp);
}

static uint64_t seed_of(const struct two_options *o)
{
    const char *given = getenv("WIRE_SEED");
    if (given)
        return strtoull(given, NULL, 0);
    return o->seed ? o->seed : 1;
}

static FILE *pcap_open(void)
{
    static unsigned number;
    const char *dir = getenv("WIRE_PCAP");
    char path[512];
    if (!dir)
        return NULL;
    snprintf(path, sizeof(path), "%s/%u.pcap", dir, number++);
    FILE *f = fopen(path, "wb");
    const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};
    if (f)
        fwrite(head, sizeof(head), 1, f);
    return f;
}

struct two *two_open(const struct two_options *options)
{
    static const struct two_options usual;
    const struct two_options *o = options ? options : &usual;
    REQUIRE(test_eal_start());
    for (unsigned i = 0; i < 2 && !pools[i]; i++) {
        pools[i] = test_pool(i ? "b" : "a", MBUFS);
        pools_big[i] = test_pool_big(i ? "b_big" : "a_big", BIG);
        REQUIRE(pools[i] && pools_big[i]);
    }
    struct two *w = calloc(1, sizeof(*w));
    REQUIRE(w);
    w->us = w->start_us = START_US;
    w->first_seed = seed_of(o);
    w->seed = w->first_seed * 0x9e3779b97f4a7c15ull | 1;
    secret_state = w->seed;
    w->v6 = o->v6;
    w->lone = o->lone;
    w->peer_port = 40000;
    w->link[A].delay_us = w->link[B].delay_us = o->delay_us ? o->delay_us : 10000;
    w->pcap = pcap_open();
    end_open(w, A, o);
    end_open(w, B, o);
    return w;
}

static void end_close(struct end *e)
{
    for (unsigned i = 0; i < e->in; i++)
        rte_pktmbuf_free(e->queue[i]);
    if (e->tcp)
        tcp_destroy(e->tcp);
    if (e->net)
        net_destroy(e->net);
    log_out_destroy(e->ctx.log);
    hg_config_free(e->config);
}

void two_close(struct two *w)
{
    for (struct flying *f; (f = w->flying);) {
        w->flying = f->next;
        free(f);
    }
    for (unsigned i = 0; i < 2; i++) {
        end_close(&w->end[i]);
        if (w->end[i].wheel.armed)
            two_fail(w, __FILE__, __LINE__, "%c has %u timers left", 'A' + i, w->end[i].wheel.armed);
        if (rte_mempool_avail_count(pools[i]) != MBUFS || rte_mempool_avail_count(pools_big[i]) != BIG)
            two_fail(w, __FILE__, __LINE__, "%c has lost %u buffers", 'A' + i,
                     MBUFS - rte_mempool_avail_count(pools[i]));
    }
    if (w->pcap)
        fclose(w->pcap);
    free(w->seen);
    free(w);
}

/* ---- time ---- */

static void frames_in(struct two *w, struct end *e)
{
    struct datagram datagram[64];
    struct segment segment[64];
    struct net_up up = {.datagram = datagram, .segment = segment};
    const struct net_icmp_news *news;
    unsigned n = e->in;
    e->in = 0;
    if (n == 0)
        return;
    w->busy = true;
    net_input(e->net, 0, e->queue, n, &up);
    for (unsigned i = 0; i < up.datagrams; i++)
        rte_pktmbuf_free(datagram[i].m);
    tcp_input(e->tcp, segment, up.segments);
    n = net_icmp_take(e->net, &news);
    tcp_news(e->tcp, news, n);
}

static void timers_fire(struct two *w, struct end *e)
{
    struct wheel_timer *t;
    while (wheel_advance(&e->wheel, e->ctx.ms, &t, 1) == 1) {
        w->busy = true;
        if (WHEEL_ROOM(t->kind) == WHEEL_NET)
            net_timers(e->net, &t, 1);
        else
            tcp_timers(e->tcp, &t, 1);
    }
}

static void frames_out(struct two *w, struct end *e)
{
    struct rte_mbuf **m;
    unsigned n = net_tx_take(e->net, 0, &m);
    for (unsigned i = 0; i < n; i++) {
        REQUIRE(m[i]->nb_segs == 1);
        wire_put(w, e->side, rte_pktmbuf_mtod(m[i], const uint8_t *), m[i]->data_len);
    }
    w->busy |= n > 0;
    rte_pktmbuf_free_bulk(m, n);
    net_tx_done(e->net, 0, n);
}

void two_turn(struct two *w, enum side side)
{
    struct end *e = &w->end[side];
    if (!e->net)
        return;
    end_time(w, e);
    if (!w->in_arrive) {
        w->in_arrive = true;
        wire_arrive(w);
        w->in_arrive = false;
    }
    frames_in(w, e);
    timers_fire(w, e);
    socks_turn(w, side);
    if (w->on_turn)
        w->on_turn(w, side);
    tcp_turn_end(e->tcp);
    frames_out(w, e);
    if ((++e->turns & 255) == 0)
        tcp_housekeeping(e->tcp);
}

static void step(struct two *w, uint64_t end_us)
{
    uint64_t next = (w->us / 1000 + 1) * 1000; /* the next tick of the wheels */
    if (w->flying && w->flying->at_us < next)
        next = w->flying->at_us > w->us ? w->flying->at_us : w->us;
    w->us = next < end_us ? next : end_us;
    two_turn(w, A);
    two_turn(w, B);
}

void two_run(struct two *w, uint64_t ms)
{
    uint64_t end = w->us + ms * 1000;
    while (w->us < end)
        step(w, end);
}

void two_settle(struct two *w, uint64_t quiet_ms, uint64_t max_ms)
{
    uint64_t end = w->us + max_ms * 1000, quiet = w->us;
    while (w->us < end && (w->flying || w->us - quiet < quiet_ms * 1000)) {
        w->busy = false;
        step(w, end);
        if (w->busy)
            quiet = w->us;
    }
}

bool two_until(struct two *w, bool (*done)(struct two *), uint64_t max_ms)
{
    uint64_t end = w->us + max_ms * 1000;
    while (!done(w)) {
        if (w->us >= end)
            return false;
        step(w, end);
    }
    return true;
}

uint64_t two_count(const struct two *w, enum side side, unsigned id)
{
    return w->end[side].counters[id];
}

struct hg_endpoint two_at(const struct two *w, enum side side, uint16_t port)
{
    const struct end *e = &w->end[side];
    return (struct hg_endpoint){.ip = w->v6 ? e->ip6 : e->ip4, .port = port, .proto = HG_TCP};
}
