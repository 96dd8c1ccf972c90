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
