/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP out. Whatever leaves is one flat buffer that is ours alone: every port can send it, and nothing of a
 * message that is kept for retransmission is pinned or written to. */
#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include "net/state.h"

#define HEADERS_MAX (NET_L2_MAX + 40 + 8)
#define PAYLOAD_MAX 65507

static void udp_sum(struct net *net, struct rte_mbuf *m, struct rte_udp_hdr *h, const struct hg_endpoint *src,
                    const struct hg_endpoint *dst, const struct net_path_entry *path)
{
    uint32_t len = m->pkt_len;
    bool is4 = hg_ip_is4(&dst->ip);
    uint64_t sum = checksum_pseudo(&src->ip, &dst->ip, len, IPPROTO_UDP);
    if (net->port[net->ifaces[path->iface].port].tx_udp_cksum && len + (is4 ? 20 : 40) <= path->mtu) {
        m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM | (is4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
        m->l3_len = is4 ? 20 : 40;
        h->dgram_cksum = checksum_fold(sum);
        return;
    }
    /* the header from its values: reading back what was just written would stall */
    sum += (uint32_t)h->src_port + h->dst_port + h->dgram_len;
    uint16_t folded = (uint16_t)~checksum_fold(net->sum(h + 1, len - sizeof(*h), sum));
    h->dgram_cksum = folded ? folded : 0xffff; /* zero would mean none */
}

/* The usual datagram: whole, over IPv4, to a neighbour that is there. All headers at once and from values;
 * ip_output.c and neighbour.c have them one by one. false: not the usual one. */
static bool send_usual(struct net *net, struct rte_mbuf *m, const struct hg_endpoint *src,
                       const struct hg_endpoint *dst, const struct net_path_entry *path, uint64_t marks)
{
    const struct neighbour *n = &net->neighbours[path->neighbour];
    uint16_t port_id = net->ifaces[n->iface].port;
    const struct net_port *port = &net->port[port_id];
    uint32_t len = m->pkt_len + 8, total = len + 20;
    if (n->state != NEIGHBOUR_REACHABLE || total > path->mtu || !hg_ip_is4(&dst->ip) || port->tx_ip_cksum ||
        port->tx_udp_cksum || net->nservice != 0)
        return false;
    uint32_t from = hg_ip_to4(&src->ip), to = hg_ip_to4(&dst->ip);
    uint64_t len_be = rte_cpu_to_be_16((uint16_t)len), total_be = rte_cpu_to_be_16((uint16_t)total);
    uint64_t ports = rte_cpu_to_be_16(src->port) | (uint64_t)rte_cpu_to_be_16(dst->port) << 16;
    uint64_t first =
        0x45 | (uint64_t)ip_traffic_class(net) << 8 | total_be << 16 | (uint64_t)ip4_id(net) << 32;
    uint64_t ttl = NET_TTL | IPPROTO_UDP << 8, addresses = (uint64_t)from + to;
    uint64_t sum = (first & UINT32_MAX) + (first >> 32) + ttl + addresses;
    uint64_t header[3] = {first, ttl | (uint64_t)(uint16_t)~checksum_fold(sum) << 16 | (uint64_t)from << 32,
                          to | ports << 32};
    sum = addresses + (IPPROTO_UDP << 8) + ports + 2 * len_be;
    m->ol_flags = marks;
    m->data_off = (uint16_t)(m->data_off - n->l2_len - 28);
    m->data_len = (uint16_t)(total + n->l2_len);
    m->pkt_len = total + n->l2_len;
    uint8_t *at = rte_pktmbuf_mtod(m, uint8_t *);
    memcpy(at, n->l2, NET_L2_MAX); /* all of it: a copy of constant length, written over by what follows */
    memcpy(at + n->l2_len, header, sizeof(header));
    memcpy(at + n->l2_len + 24, &len_be, 4); /* and no checksum yet */
    sum = (sum & UINT32_MAX) + (sum >> 32);
    tx_put_unsummed(net, port_id, m, n->l2_len + 28u, n->l2_len + 26u,
                    (uint32_t)(sum + (sum >> 32))); /* a carry may carry */
    return true;
}

static void udp_send(struct net *net, struct rte_mbuf *payload, const struct hg_endpoint *src,
                     const struct hg_endpoint *dst, uint64_t marks)
{
    struct rte_mbuf *m = payload;
    const struct net_path_entry *path = path_get(net, &dst->ip, &src->ip);
    if (unlikely(!path || m->pkt_len > PAYLOAD_MAX || hg_ip_is4(&src->ip) != hg_ip_is4(&dst->ip))) {
        if (path)
            ctx_count(net->ctx, HG_C_tx_no_route);
        rte_pktmbuf_free(m);
        return;
    }
    if (unlikely(m->nb_segs != 1 || rte_mbuf_refcnt_read(m) != 1 || !RTE_MBUF_DIRECT(m) ||
                 rte_pktmbuf_headroom(m) < HEADERS_MAX)) {
        m = net_flatten(net, m);
        if (!m) {
            ctx_count(net->ctx, HG_C_tx_no_mbuf);
            return;
        }
    }
    if (likely(send_usual(net, m, src, dst, path, marks)))
        return;
    m->ol_flags = marks;
    struct rte_udp_hdr *h = (void *)rte_pktmbuf_prepend(m, sizeof(*h));
    h->src_port = rte_cpu_to_be_16(src->port);
    h->dst_port = rte_cpu_to_be_16(dst->port);
    h->dgram_len = rte_cpu_to_be_16((uint16_t)m->pkt_len);
    h->dgram_cksum = 0;
    udp_sum(net, m, h, src, dst, path);
    ip_send(net, m, &src->ip, &dst->ip, IPPROTO_UDP, path);
}

void net_udp_send(struct net *net, struct rte_mbuf *payload, const struct hg_endpoint *src,
                  const struct hg_endpoint *dst)
{
    udp_send(net, payload, src, dst, 0);
}

void net_udp_send_fenced(struct net *net, struct rte_mbuf *payload, const struct hg_endpoint *src,
                         const struct hg_endpoint *dst)
{
    udp_send(net, payload, src, dst, net->fence);
}
