/* SPDX-License-Identifier: BSD-2-Clause */
/* The IP header, and packets that are larger than their path cut into fragments. */
#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "net/state.h"

#define FRAGMENTS_MAX 128 /* 64 KiB over the smallest path */

static void *prepend(struct rte_mbuf *m, uint16_t len)
{
    m->data_off -= len;
    m->data_len += len;
    m->pkt_len += len;
    return rte_pktmbuf_mtod(m, void *);
}

/* From the values: reading back what was just written in smaller pieces would stall. */
static uint16_t ip4_header_sum(const struct rte_ipv4_hdr *h)
{
    uint64_t sum = (uint64_t)h->src_addr + h->dst_addr + h->total_length + h->packet_id + h->fragment_offset +
                   (uint32_t)(h->version_ihl | h->type_of_service << 8) +
                   (uint32_t)(h->time_to_live | h->next_proto_id << 8);
    return (uint16_t)~checksum_fold(sum);
}

static void ip4_header(struct net *net, struct rte_mbuf *m, const struct hg_ip *src, const struct hg_ip *dst,
                       uint8_t proto, uint16_t id, uint16_t fragment, bool offload)
{
    void *at = prepend(m, sizeof(struct rte_ipv4_hdr));
    struct rte_ipv4_hdr h = {
        .version_ihl = 0x45,
        .type_of_service = ip_traffic_class(net),
        .total_length = rte_cpu_to_be_16((uint16_t)m->pkt_len),
        .packet_id = id,
        .fragment_offset = rte_cpu_to_be_16(fragment),
        .time_to_live = NET_TTL,
        .next_proto_id = proto,
        .src_addr = hg_ip_to4(src),
        .dst_addr = hg_ip_to4(dst),
    };
    if (offload)
        m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
    else
        h.hdr_checksum = ip4_header_sum(&h);
    if (m->ol_flags) /* the lengths stand in the buffer's second line: nobody else needs it */
        m->l3_len = sizeof(h);
    memcpy(at, &h, sizeof(h));
}

static void ip6_header(struct net *net, struct rte_mbuf *m, const struct hg_ip *src, const struct hg_ip *dst,
                       uint8_t proto)
{
    struct rte_ipv6_hdr *h = prepend(m, sizeof(*h));
    h->vtc_flow = rte_cpu_to_be_32(6u << 28 | (uint32_t)ip_traffic_class(net) << 20);
    h->payload_len = rte_cpu_to_be_16((uint16_t)(m->pkt_len - sizeof(*h)));
    h->proto = proto;
    h->hop_limits = NET_TTL;
    memcpy(h->src_addr, src->b, 16);
    memcpy(h->dst_addr, dst->b, 16);
    m->l3_len = sizeof(*h);
}

/* All pieces are had before the first one leaves: half a datagram helps nobody. */
static void ip_fragment(struct net *net, struct rte_mbuf *m, const struct hg_ip *src, const struct hg_ip *dst,
                        uint8_t proto, const struct net_path_entry *path)
{
    struct rte_mbuf *piece[FRAGMENTS_MAX];
    bool is4 = hg_ip_is4(dst);
    uint32_t step = RTE_MIN(path->mtu - (is4 ? 20u : 48u), net->room_small - 8) & ~7u;
    uint32_t total = m->pkt_len, n = (total + step - 1) / step;
    uint32_t id6 = (uint32_t)(ctx_random(net->ctx) >> 16);
    uint16_t id4 = ip4_id(net);
    if (n > FRAGMENTS_MAX || rte_pktmbuf_alloc_bulk(net->ctx->pool, piece, n) != 0) {
        ctx_count(net->ctx, HG_C_tx_no_mbuf);
        rte_pktmbuf_free(m);
        return;
    }
    const uint8_t *from = rte_pktmbuf_mtod(m, const uint8_t *);
    for (uint32_t i = 0, at = 0; i < n; i++, at += step) {
        uint32_t len = RTE_MIN(step, total - at);
        bool more = at + len < total;
        struct rte_mbuf *f = piece[i];
        f->data_off = NET_HEADROOM;
        f->data_len = (uint16_t)len;
        f->pkt_len = len;
        f->ol_flags |= m->ol_flags & net->fence;
        memcpy(rte_pktmbuf_mtod(f, void *), from + at, len);
        if (is4) {
            ip4_header(net, f, src, dst, proto, id4, (uint16_t)(at / 8 | (more ? RTE_IPV4_HDR_MF_FLAG : 0)),
                       net->port[net->ifaces[path->iface].port].tx_ip_cksum);
        } else {
            uint8_t *h = prepend(f, 8);
            uint16_t bits = rte_cpu_to_be_16((uint16_t)(at | more));
            h[0] = proto;
            h[1] = 0;
            memcpy(h + 2, &bits, 2);
            memcpy(h + 4, &id6, 4);
            ip6_header(net, f, src, dst, IPPROTO_FRAGMENT);
        }
        ctx_count(net->ctx, HG_C_tx_fragments);
        neighbour_send(net, path->neighbour, f);
    }
    rte_pktmbuf_free(m);
}

void ip_send(struct net *net, struct rte_mbuf *m, const struct hg_ip *src, const struct hg_ip *dst,
             uint8_t proto, const struct net_path_entry *path)
{
    bool is4 = hg_ip_is4(dst);
    if (unlikely(net->nservice != 0) && !service_may_send(net, m, src)) {
        ctx_count(net->ctx, HG_C_lease_over);
        rte_pktmbuf_free(m);
        return;
    }
    if (unlikely(m->pkt_len + (is4 ? 20 : 40) > path->mtu)) {
        ip_fragment(net, m, src, dst, proto, path);
        return;
    }
    if (is4)
        ip4_header(net, m, src, dst, proto, ip4_id(net), proto == IPPROTO_TCP ? RTE_IPV4_HDR_DF_FLAG : 0,
                   net->port[net->ifaces[path->iface].port].tx_ip_cksum);
    else
        ip6_header(net, m, src, dst, proto);
    neighbour_send(net, path->neighbour, m);
}
