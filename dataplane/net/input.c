/* SPDX-License-Identifier: BSD-2-Clause */
/* A burst of frames on its way up, in stages: Ethernet for all, then IP and UDP for all. The verdict of each
 * frame is the id of the one counter that it raises. */
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "lib/ahead.h"
#include "net/state.h"

#define AHEAD    4
#define BODY_MAX 1536

static unsigned l3_input(struct net *net, struct frame *f)
{
    switch (f->type) {
    case RTE_ETHER_TYPE_IPV4:
        return ip4_input(net, f);
    case RTE_ETHER_TYPE_IPV6:
        return ip6_input(net, f);
    case RTE_ETHER_TYPE_ARP:
        return arp_input(net, f);
    default:
        return HG_DROP_eth_unknown_type;
    }
}

/* Chains and shared buffers are rare: they become flat ones, and every step may then write and needs no walk.
 */
static unsigned frame_start(struct net *net, struct frame *f)
{
    if (unlikely(f->m->nb_segs != 1 || rte_mbuf_refcnt_read(f->m) != 1)) {
        f->m = net_flatten(net, f->m);
        if (!f->m)
            return HG_DROP_no_mbuf;
    }
    return eth_input(net, f);
}

/* The checksum reads the whole frame, and what is written in front of it on its way out stands in lines of
 * its own: all of them are asked for while the frames before this one are worked on. */
static void body_prefetch(const struct rte_mbuf *m)
{
    if (unlikely(!m))
        return;
    const char *data = rte_pktmbuf_mtod(m, const char *);
    uint32_t len = RTE_MIN(m->data_len, (uint32_t)BODY_MAX);
    for (uint32_t at = 64; at < len; at += 64)
        rte_prefetch0(data + at);
    __builtin_prefetch(data - 64, 1);
    __builtin_prefetch(data - 128, 1);
}

static unsigned burst_input(struct net *net, uint16_t port, struct rte_mbuf **m, unsigned n,
                            struct datagram *out)
{
    struct frame frames[NET_BURST];
    unsigned verdict[NET_BURST], up = 0;
    bool fetched = net->ctx->ahead && net->ctx->ahead->fetched;
    /* what is ours changes between bursts only */
    net->known = (struct net_known){.pair4 = NET_PAIR4_NONE};
    for (unsigned i = 0; i < n; i++)
        rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
    for (unsigned i = 0; i < n; i++) {
        struct frame *f = &frames[i];
        f->m = m[i];
        f->port = port;
        verdict[i] = frame_start(net, f);
        if (i < AHEAD && !fetched)
            body_prefetch(f->m);
    }
    for (unsigned i = 0; i < n; i++) {
        struct frame *f = &frames[i];
        if (i + AHEAD < n && !fetched)
            body_prefetch(frames[i + AHEAD].m);
        f->out = &out[up];
        if (likely(verdict[i] == ETH_GO_ON))
            verdict[i] = l3_input(net, f);
        if (likely(verdict[i] == HG_C_net_up_datagrams))
            up++;
        else
            ctx_count(net->ctx, verdict[i]);
        if (unlikely(f->m != NULL))
            rte_pktmbuf_free(f->m);
    }
    if (up)
        hg_count(net->ctx->counters, HG_C_net_up_datagrams, up);
    return up;
}

void net_input(struct net *net, uint16_t port, struct rte_mbuf **m, unsigned n, struct net_up *up)
{
    up->datagrams = 0;
    net->segment = up->segment;
    for (unsigned at = 0; at < n; at += NET_BURST)
        up->datagrams += burst_input(net, port, m + at, RTE_MIN(n - at, (unsigned)NET_BURST),
                                     up->datagram + up->datagrams);
    up->segments = (unsigned)(net->segment - up->segment);
}

void net_neighbour_news(struct net *net, uint16_t port, struct rte_mbuf *m)
{
    struct frame f = {.m = m, .port = port};
    if (eth_input(net, &f) == ETH_GO_ON) {
        if (f.type == RTE_ETHER_TYPE_ARP)
            arp_news(net, &f);
        else if (f.type == RTE_ETHER_TYPE_IPV6)
            ip6_news(net, &f);
    }
    rte_pktmbuf_free(f.m);
}
