/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers that this room builds, and the frames that wait for the end of the turn. */
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "lib/lease.h"
#include "net/state.h"

#define SUMS_BEHIND 2 /* frames that follow before a payload has settled, and has not left the cache */

struct rte_mbuf *net_buffer(struct net *net, uint32_t len)
{
    struct rte_mempool *pool = len <= net->room_small ? net->ctx->pool : net->ctx->pool_big;
    if (len > net->room_small && len > net->room_big)
        return NULL;
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    if (unlikely(!m))
        return NULL;
    m->data_off = NET_HEADROOM;
    m->data_len = (uint16_t)len;
    m->pkt_len = len;
    return m;
}

struct rte_mbuf *net_flatten(struct net *net, struct rte_mbuf *m)
{
    struct rte_mbuf *flat = net_buffer(net, m->pkt_len);
    if (flat) {
        char *to = rte_pktmbuf_mtod(flat, char *);
        for (const struct rte_mbuf *s = m; s; s = s->next) {
            memcpy(to, rte_pktmbuf_mtod(s, const char *), s->data_len);
            to += s->data_len;
        }
    }
    rte_pktmbuf_free(m);
    return flat;
}

/* Makes a received buffer an empty one of len bytes. */
bool net_reuse(struct rte_mbuf *m, uint32_t len)
{
    if (m->buf_len < NET_HEADROOM + len)
        return false;
    m->data_off = NET_HEADROOM;
    m->data_len = (uint16_t)len;
    m->pkt_len = len;
    m->ol_flags = 0;
    m->packet_type = 0;
    return true;
}

void tx_put(struct net *net, uint16_t port, struct rte_mbuf *m)
{
    tx_put_unsummed(net, port, m, 0, 0, 0);
}

static void sums_make(struct net *net, struct net_tx *tx, unsigned n)
{
    for (; tx->summed < n; tx->summed++) {
        const struct net_tx_sum *s = &tx->sum[tx->summed];
        struct rte_mbuf *m = tx->frame[tx->summed];
        if (!s->from)
            continue;
        uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
        uint16_t sum = (uint16_t)~checksum_fold(net->sum(frame + s->from, m->data_len - s->from, s->sum));
        sum = sum ? sum : 0xffff; /* zero would mean none to UDP; to TCP both are the same */
        memcpy(frame + s->to, &sum, 2);
    }
}

void tx_put_unsummed(struct net *net, uint16_t port, struct rte_mbuf *m, uint32_t from, uint32_t to,
                     uint32_t sum)
{
    struct net_tx *tx = &net->tx[port];
    if (unlikely(tx->n == NET_TX_MAX || !net->port[port].up)) {
        ctx_count(net->ctx, HG_C_tx_dropped);
        rte_pktmbuf_free(m);
        return;
    }
    tx->sum[tx->n] = (struct net_tx_sum){.sum = sum, .from = (uint16_t)from, .to = (uint16_t)to};
    tx->frame[tx->n++] = m;
    if (tx->n > SUMS_BEHIND)
        sums_make(net, tx, tx->n - SUMS_BEHIND);
}

unsigned net_tx_take(struct net *net, uint16_t port, struct rte_mbuf ***frames)
{
    struct net_tx *tx = &net->tx[port];
    uint64_t bytes = 0;
    *frames = tx->frame;
    sums_make(net, tx, tx->n);
    if (tx->n && unlikely(lease_over_now(net->ctx)))
        fence_tx(net, tx);
    for (unsigned i = 0; i < tx->n; i++)
        bytes += tx->frame[i]->pkt_len;
    if (tx->n) {
        hg_count(net->ctx->counters, HG_C_tx_frames, tx->n);
        hg_count(net->ctx->counters, HG_C_tx_bytes, bytes);
    }
    return tx->n;
}

void net_tx_done(struct net *net, uint16_t port, unsigned sent)
{
    struct net_tx *tx = &net->tx[port];
    if (unlikely(sent < tx->n)) {
        uint64_t bytes = 0;
        unsigned left = tx->n - sent;
        for (unsigned i = sent; i < tx->n; i++)
            bytes += tx->frame[i]->pkt_len;
        rte_pktmbuf_free_bulk(tx->frame + sent, left);
        hg_count(net->ctx->counters, HG_C_tx_frames, -(uint64_t)left);
        hg_count(net->ctx->counters, HG_C_tx_bytes, -bytes);
        hg_count(net->ctx->counters, HG_C_tx_dropped, left);
    }
    tx->n = 0;
    tx->summed = 0;
}

/* Returns where the payload of the frame begins. */
uint8_t *tx_l2_header(const struct net_iface *iface, uint8_t *p, const uint8_t dst[6], uint16_t type)
{
    memcpy(p, dst, 6);
    memcpy(p + 6, iface->mac, 6);
    p += 12;
    if (iface->vlan) {
        uint16_t tag[2] = {rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN), rte_cpu_to_be_16(iface->vlan)};
        memcpy(p, tag, 4);
        p += 4;
    }
    uint16_t be = rte_cpu_to_be_16(type);
    memcpy(p, &be, 2);
    return p + 2;
}

bool bucket_take(struct net_bucket *b, uint64_t now_ms, uint32_t rate, uint32_t burst)
{
    uint64_t full = (uint64_t)burst * 1000;
    if (now_ms > b->ms) {
        uint64_t gained = (now_ms - b->ms) > 60000 ? full : (now_ms - b->ms) * rate;
        b->milli = RTE_MIN(full, b->milli + gained);
        b->ms = now_ms;
    }
    if (b->milli < 1000)
        return false;
    b->milli -= 1000;
    return true;
}
