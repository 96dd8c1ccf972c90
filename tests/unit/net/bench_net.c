/* SPDX-License-Identifier: BSD-2-Clause */
/* What one frame costs in this room: in to a listener, out to a known neighbour, in bursts of 32. Run by
 * hand: bench_net. The checksum of the payload is measured apart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "net/state.h"
#include "rig.h"

#define BURST  32
#define SETS   12
#define ROUNDS 20000

static bool offload;

static void tweak(struct hg_config *config, struct net_setup *setup)
{
    (void)config;
    setup->port[0].rx_ip_cksum = setup->port[0].rx_udp_cksum = offload;
    setup->port[0].tx_ip_cksum = setup->port[0].tx_udp_cksum = offload;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
    qsort(v, n, sizeof(*v), by_value);
    return v[n / 2];
}

static void frame_restore(struct rte_mbuf *m, const uint8_t *frame, uint32_t len)
{
    rte_pktmbuf_reset(m);
    memcpy(rte_pktmbuf_append(m, (uint16_t)len), frame, len);
    if (offload)
        m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
}

static void measure(const char *name, const char *peer, const char *us, uint32_t payload)
{
    static uint8_t frame[SETS * BURST][2048], text[2048];
    static double in[ROUNDS], out[ROUNDS];
    struct rig *rig = rig_open(tweak);
    struct rte_mbuf *m[SETS * BURST], *burst[BURST], **sent;
    bool is4 = strchr(us, ':') == NULL;
    uint32_t len = 0;
    if (is4) {
        rig_know4(rig, peer);
    } else {
        rig_know6(rig, peer);
    }
    double ns = 1e9 / (double)rte_get_tsc_hz() / BURST;
    struct hg_endpoint from = ep_of(us, 5060), to = ep_of(peer, 5070);
    for (unsigned i = 0; i < SETS * BURST; i++) {
        m[i] = rte_pktmbuf_alloc(rig->ctx.pool);
        len = make_udp(frame[i], peer, (uint16_t)(4000 + i), us, 5060, text, payload);
    }
    for (unsigned r = 0; r < ROUNDS; r++) {
        struct rte_mbuf **set = &m[r % SETS * BURST];
        for (unsigned i = 0; i < BURST; i++)
            frame_restore(set[i], frame[r % SETS * BURST + i], len);
        memcpy(burst, set, sizeof(burst));
        uint64_t t0 = rte_rdtsc_precise();
        unsigned n = rig_input(rig, 0, burst, BURST);
        uint64_t t1 = rte_rdtsc_precise();
        rig->nout = 0; /* they leave */
        for (unsigned i = 0; i < n; i++)
            net_udp_send(rig->net, rig->out[i].m, &from, &to);
        unsigned k = net_tx_take(rig->net, 0, &sent);
        uint64_t t2 = rte_rdtsc_precise();
        if (n != BURST || k < BURST)
            abort();
        for (unsigned i = BURST; i < k; i++) /* the question to the neighbour */
            rte_pktmbuf_free(sent[i]);
        net_tx_done(rig->net, 0, k);
        in[r] = (double)(t1 - t0) * ns;
        out[r] = (double)(t2 - t1) * ns;
        if (r == 0) { /* known for good */
            uint8_t b[128];
            rig_feed(rig, 0, b,
                     is4 ? make_arp(b, 2, rig_peer_mac, peer, us)
                         : make_nd(b, 136, 0x60, peer, us, peer, true));
        }
    }
    double i = median(in, ROUNDS), o = median(out, ROUNDS);
    printf("%-28s in %5.1f  out %5.1f  sum %5.1f ns a frame\n", name, i, o, i + o);
    for (unsigned f = 0; f < SETS * BURST; f++)
        rte_pktmbuf_free(m[f]);
    rig_close(rig);
}

static void measure_sum(const char *name, checksum_fn fn, uint32_t len)
{
    static uint8_t b[65536];
    static double t[1000];
    uint64_t s = 0;
    double ns = 1e9 / (double)rte_get_tsc_hz() / 100;
    for (unsigned r = 0; r < 1000; r++) {
        uint64_t t0 = rte_rdtsc_precise();
        for (unsigned i = 0; i < 100; i++)
            s += fn(b + i * 64, len, s & 1);
        t[r] = (double)(rte_rdtsc_precise() - t0) * ns;
    }
    printf("%-28s %5.1f ns for %u bytes%s\n", name, median(t, 1000), len, s == 1 ? "." : "");
}

static uint64_t sum_dpdk(const void *p, uint32_t len, uint64_t sum)
{
    return sum + rte_raw_cksum(p, len);
}

int main(void)
{
    static const uint32_t sizes[] = {489, 1034};
    for (unsigned o = 0; o < 2; o++) {
        offload = o == 0;
        const char *kind = offload ? "sums by the port" : "sums by us";
        for (unsigned s = 0; s < 2; s++) {
            char name[64];
            snprintf(name, sizeof(name), "v4 %4u %s", sizes[s], kind);
            measure(name, "10.0.0.9", "10.0.0.1", sizes[s]);
            snprintf(name, sizeof(name), "v6 %4u %s", sizes[s], kind);
            measure(name, "fd00::9", "fd00::1", sizes[s]);
        }
    }
    for (unsigned s = 0; s < 2; s++) {
        measure_sum("checksum plain", checksum_plain, sizes[s]);
        measure_sum("checksum best", checksum_best(), sizes[s]);
        measure_sum("rte_raw_cksum", sum_dpdk, sizes[s]);
    }
    return 0;
}
