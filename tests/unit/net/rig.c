/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "../eal.h"
#include "lib/log_out.h"

const uint8_t rig_mac[6] = {2, 0, 0, 0, 0, 1}, rig_peer_mac[6] = {2, 0, 0, 0, 0, 0x99};
static struct rte_mempool *pool, *pool_big;

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) {                                                                                          \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                          \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

static struct hg_net net_of(const char *ip, unsigned bits)
{
    struct hg_net n = {.ip = ip_of(ip)};
    n.bits = (uint8_t)(hg_ip_is4(&n.ip) ? 96 + bits : bits);
    return n;
}

static void configure(struct hg_config *c)
{
    c->nports = 2;
    c->ports = calloc(2, sizeof(*c->ports));
    REQUIRE(c->ports);
    struct hg_config_iface *i = c->ports[0].iface;
    c->ports[0].nifaces = 2;
    i[0].naddrs = 3;
    i[0].addr[0] = net_of("10.0.0.1", 24);
    i[0].addr[1] = net_of("10.0.0.2", 24);
    i[0].addr[2] = net_of("fd00::1", 64);
    i[0].gateway4 = ip_of("10.0.0.254");
    i[0].gateway6 = ip_of("fd00::fe");
    i[1].vlan = 7;
    i[1].naddrs = 1;
    i[1].addr[0] = net_of("10.7.0.1", 24);
    c->ports[1].nifaces = 1;
    c->ports[1].iface[0].naddrs = 1;
    c->ports[1].iface[0].addr[0] = net_of("172.16.0.1", 30);
    c->nstatics = 1;
    c->statics = calloc(1, sizeof(*c->statics));
    c->nlisteners = 3;
    c->listeners = calloc(3, sizeof(*c->listeners));
    REQUIRE(c->statics && c->listeners);
    c->statics[0].net = net_of("192.168.0.0", 16);
    c->statics[0].gateway = ip_of("10.0.0.253");
    c->listeners[0].ep = ep_of("0.0.0.0", 5060);
    c->listeners[1].ep = ep_of("::", 5060);
    c->listeners[2].ep = ep_of("10.0.0.2", 5080);
    c->dp_mbufs = RIG_MBUFS;
    c->dp_fragments_max = 16;
    c->dp_neighbours_max = 16;
}

struct rig *rig_open(void (*tweak)(struct hg_config *, struct net_setup *))
{
    REQUIRE(test_eal_start());
    if (!pool) {
        pool = test_pool("small", RIG_MBUFS);
        pool_big = test_pool_big("big", RIG_BIG);
    }
    struct rig *rig = calloc(1, sizeof(*rig));
    REQUIRE(pool && pool_big && rig);
    rig->config = hg_config_defaults();
    REQUIRE(rig->config);
    configure(rig->config);
    wheel_init(&rig->wheel, 1000);
    rig->ctx = (struct ctx){.ms = 1000,
                            .cores = 1,
                            .counters = rig->counters,
                            .pool = pool,
                            .pool_big = pool_big,
                            .wheel = &rig->wheel,
                            .config = rig->config,
                            .log = log_out_create_null(),
                            .rng = 88172645463325252ull};
    rig->setup = (struct net_setup){.nports = 2, .config = rig->config};
    rig->setup.port[0] = (struct net_port){.mtu = 1500, .up = true};
    rig->setup.port[1] = (struct net_port){.mtu = 1500, .up = true};
    memcpy(rig->setup.port[0].mac, rig_mac, 6);
    memcpy(rig->setup.port[1].mac, (uint8_t[]){2, 0, 0, 0, 0, 2}, 6);
    if (tweak)
        tweak(rig->config, &rig->setup);
    rig->net = net_create(&rig->ctx, &rig->setup);
    REQUIRE(rig->net);
    net_set_ready(rig->net, true);
    rig_wait(rig, 5000); /* the announcements */
    rig_flush(rig);
    return rig;
}

void rig_free_out(struct rig *rig)
{
    for (unsigned i = 0; i < rig->nout; i++)
        rte_pktmbuf_free(rig->out[i].m);
    for (unsigned i = 0; i < rig->nsegments; i++)
        rte_pktmbuf_free(rig->segment[i].m);
    rig->nout = rig->nsegments = 0;
}

void rig_close(struct rig *rig)
{
    rig_free_out(rig);
    rig_flush(rig);
    net_destroy(rig->net);
    REQUIRE(rig->wheel.armed == 0);
    log_out_destroy(rig->ctx.log);
    hg_config_free(rig->config);
    REQUIRE(rte_mempool_avail_count(pool) == RIG_MBUFS);
    REQUIRE(rte_mempool_avail_count(pool_big) == RIG_BIG);
    free(rig);
}

uint64_t rig_count(const struct rig *rig, unsigned id)
{
    return rig->counters[id];
}

uint64_t rig_dispositions(const struct rig *rig)
{
    uint64_t n = rig_count(rig, HG_C_net_up_datagrams) + rig_count(rig, HG_C_net_answered) +
                 rig_count(rig, HG_C_net_absorbed) + rig_count(rig, HG_C_net_parked_fragments) +
                 rig_count(rig, HG_C_net_control) + rig_count(rig, HG_C_net_up_segments);
    for (unsigned id = 0; id < HG_DROP_COUNT; id++)
        if (strcmp(hg_counter_info[id].layer, "net") == 0 && id != HG_DROP_frag_timeout)
            n += rig_count(rig, id);
    return n;
}

static void collect(struct rig *rig)
{
    for (uint16_t p = 0; p < rig->setup.nports; p++) {
        struct rte_mbuf **frames;
        unsigned n = net_tx_take(rig->net, p, &frames);
        for (unsigned i = 0; i < n && rig->nsent < RIG_SENT; i++) {
            struct rte_mbuf *m = frames[i];
            REQUIRE(m->nb_segs == 1 && rte_mbuf_refcnt_read(m) == 1 && m->data_len == m->pkt_len);
            uint8_t *b = malloc(m->data_len);
            REQUIRE(b);
            memcpy(b, rte_pktmbuf_mtod(m, void *), m->data_len);
            rig->sent[rig->nsent].b = b;
            rig->sent[rig->nsent].len = m->data_len;
            rig->sent[rig->nsent].port = p;
            rig->sent[rig->nsent++].ol_flags = m->ol_flags;
        }
        rte_pktmbuf_free_bulk(frames, n);
        net_tx_done(rig->net, p, n);
    }
}

unsigned rig_feed(struct rig *rig, uint16_t port, const uint8_t *b, uint32_t len)
{
    uint64_t before[HG_COUNTERS_MAX], sum = rig_dispositions(rig);
    memcpy(before, rig->counters, sizeof(before));
    struct rte_mbuf *m = rte_pktmbuf_alloc(len > 2048 ? pool_big : pool);
    REQUIRE(m);
    memcpy(rte_pktmbuf_append(m, (uint16_t)len), b, len);
    REQUIRE(rig->nout < 64 && rig->nsegments < 64);
    struct net_up up = {.datagram = rig->out + rig->nout, .segment = rig->segment + rig->nsegments};
    net_input(rig->net, port, &m, 1, &up);
    REQUIRE(up.datagrams + up.segments <= 1);
    rig->nout += up.datagrams;
    rig->nsegments += up.segments;
    collect(rig);
    REQUIRE(rig_dispositions(rig) == sum + 1);
    static const unsigned ends[] = {HG_C_net_up_datagrams,     HG_C_net_answered, HG_C_net_absorbed,
                                    HG_C_net_parked_fragments, HG_C_net_control,  HG_C_net_up_segments};
    for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (rig->counters[ends[i]] != before[ends[i]])
            return ends[i];
    for (unsigned id = 0; id < HG_DROP_COUNT; id++)
        if (id != HG_DROP_frag_timeout && rig->counters[id] != before[id])
            return id;
    abort();
}

unsigned rig_input(struct rig *rig, uint16_t port, struct rte_mbuf **m, unsigned n)
{
    struct net_up up = {.datagram = rig->out, .segment = rig->segment};
    net_input(rig->net, port, m, n, &up);
    rig->nsegments = up.segments;
    return rig->nout = up.datagrams;
}

void rig_wait(struct rig *rig, unsigned ms)
{
    struct wheel_timer *t[16];
    while (ms) {
        unsigned n, step = ms >= 100 ? 10 : 1;
        ms -= step;
        rig->ctx.ms += step;
        do {
            n = wheel_advance(&rig->wheel, rig->ctx.ms, t, 16);
            net_timers(rig->net, t, n);
        } while (n == 16);
        collect(rig);
    }
}

const uint8_t *rig_sent(struct rig *rig, uint32_t *len)
{
    if (rig->taken == rig->nsent)
        return NULL;
    if (len)
        *len = rig->sent[rig->taken].len;
    return rig->sent[rig->taken++].b;
}

void rig_flush(struct rig *rig)
{
    collect(rig);
    for (unsigned i = 0; i < rig->nsent; i++)
        free(rig->sent[i].b);
    rig->nsent = rig->taken = 0;
}

void rig_know4(struct rig *rig, const char *ip)
{
    uint8_t b[64];
    const char *ours = strncmp(ip, "10.7", 4) == 0  ? "10.7.0.1"
                       : strncmp(ip, "172", 3) == 0 ? "172.16.0.1"
                                                    : "10.0.0.1";
    uint32_t len = make_arp(b, 1, rig_peer_mac, ip, ours);
    REQUIRE(rig_feed(rig, ours[0] == '1' && ours[1] == '7', b, len) == HG_C_net_answered);
    rig_flush(rig);
}

void rig_know6(struct rig *rig, const char *ip)
{
    uint8_t b[128];
    REQUIRE(rig_feed(rig, 0, b, make_nd(b, 135, 0, ip, "fd00::1", "fd00::1", true)) == HG_C_net_answered);
    rig_flush(rig);
}

struct rte_mbuf *rig_payload(struct rig *rig, const void *data, uint32_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(len > 1800 ? rig->ctx.pool_big : rig->ctx.pool);
    REQUIRE(m);
    memcpy(rte_pktmbuf_append(m, (uint16_t)len), data, len);
    return m;
}
