/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP out. What the connection's hint finds is believed as long as neither routes nor the neighbour entry
 * have changed; all headers are then written at once. Packets that fit their interface are marked "do not
 * fragment" (RFC 8899 and 4821 probe with them, RFC 1191 needs it). */
#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "net/state.h"

#define SUM_AT      16 /* of the checksum in the TCP header */
#define SEGMENT_MIN 20

/* Odd factor: the two raise one at a time, and no pair of them comes again soon. 0 is "none". */
static uint32_t generations(const struct net *net, const struct neighbour *n)
{
    return (net->route_gen * 0x9e3779b1u ^ n->gen) | 1u << 31;
}

static bool hint_holds(const struct net *net, const struct net_hint *hint)
{
    return hint->neighbour < net->neighbours_max &&
           hint->generations == generations(net, &net->neighbours[hint->neighbour]);
}

static bool hint_find(struct net *net, struct net_hint *hint, const struct hg_ip *src,
                      const struct hg_ip *dst)
{
    const struct net_path_entry *path = path_get(net, dst, src);
    if (!path)
        return false;
    hint->neighbour = path->neighbour;
    hint->generations = generations(net, &net->neighbours[path->neighbour]);
    return true;
}

static uint8_t *grow(struct rte_mbuf *m, uint32_t len)
{
    m->data_off = (uint16_t)(m->data_off - len);
    m->data_len = (uint16_t)(m->data_len + len);
    m->pkt_len += len;
    return rte_pktmbuf_mtod(m, uint8_t *);
}

/* Returns the sum of the pseudo header. */
static uint64_t headers4(struct net *net, struct rte_mbuf *m, const struct neighbour *n,
                         const struct hg_ip *src, const struct hg_ip *dst)
{
    uint32_t len = m->pkt_len, total = len + 20, from = hg_ip_to4(src), to = hg_ip_to4(dst);
    uint64_t total_be = rte_cpu_to_be_16((uint16_t)total), addresses = (uint64_t)from + to;
    uint64_t first = 0x45 | (uint64_t)ip_traffic_class(net) << 8 | total_be << 16 |
                     (uint64_t)ip4_id(net) << 32 | (uint64_t)rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG) << 48;
    uint64_t ttl = NET_TTL | IPPROTO_TCP << 8;
    uint64_t sum = (first & UINT32_MAX) + (first >> 32) + ttl + addresses;
    uint64_t header[2] = {first, ttl | (uint64_t)(uint16_t)~checksum_fold(sum) << 16 | (uint64_t)from << 32};
    uint8_t *at = grow(m, n->l2_len + 20u);
    memcpy(at, n->l2, NET_L2_MAX); /* all of it: a copy of constant length, written over by what follows */
    memcpy(at + n->l2_len, header, sizeof(header));
    memcpy(at + n->l2_len + 16, &to, 4);
    return addresses + (IPPROTO_TCP << 8) + rte_cpu_to_be_16((uint16_t)len);
}

static uint64_t headers6(struct net *net, struct rte_mbuf *m, const struct neighbour *n,
                         const struct hg_ip *src, const struct hg_ip *dst)
{
    uint32_t len = m->pkt_len;
    uint64_t first = rte_cpu_to_be_32(6u << 28 | (uint32_t)ip_traffic_class(net) << 20) |
                     (uint64_t)rte_cpu_to_be_16((uint16_t)len) << 32 | (uint64_t)IPPROTO_TCP << 48 |
                     (uint64_t)NET_TTL << 56;
    uint8_t *at = grow(m, n->l2_len + 40u);
    memcpy(at, n->l2, NET_L2_MAX);
    at += n->l2_len;
    memcpy(at, &first, 8);
    memcpy(at + 8, src->b, 16);
    memcpy(at + 24, dst->b, 16);
    return checksum_pseudo(src, dst, len, IPPROTO_TCP);
}

/* Whole, by software, to a neighbour that is there. false: not so. */
static bool send_usual(struct net *net, struct rte_mbuf *m, const struct neighbour *n,
                       const struct hg_ip *src, const struct hg_ip *dst)
{
    const struct net_iface *iface = &net->ifaces[n->iface];
    const struct net_port *port = &net->port[iface->port];
    bool is4 = hg_ip_is4(dst);
    if (n->state != NEIGHBOUR_REACHABLE || m->pkt_len + (is4 ? 20 : 40) > iface->mtu || port->tx_ip_cksum ||
        port->tx_tcp_cksum)
        return false;
    uint64_t sum = is4 ? headers4(net, m, n, src, dst) : headers6(net, m, n, src, dst);
    uint32_t tcp = n->l2_len + (is4 ? 20u : 40u);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    tx_put_unsummed(net, iface->port, m, tcp, tcp + SUM_AT, (uint32_t)(sum + (sum >> 32)));
    return true;
}

static void sum_make(struct net *net, struct rte_mbuf *m, const struct hg_ip *src, const struct hg_ip *dst,
                     const struct net_iface *iface, uint16_t mss)
{
    const struct net_port *port = &net->port[iface->port];
    uint8_t *tcp = rte_pktmbuf_mtod(m, uint8_t *);
    uint32_t len = m->pkt_len, header = (tcp[12] >> 4) * 4u;
    bool is4 = hg_ip_is4(dst), cut = port->tx_tso && mss && len > header + mss;
    uint16_t sum;
    if (cut || (port->tx_tcp_cksum && len + (is4 ? 20 : 40) <= iface->mtu)) {
        m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM | (is4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
        m->ol_flags |= cut ? RTE_MBUF_F_TX_TCP_SEG : 0;
        m->l3_len = is4 ? 20 : 40;
        m->l4_len = header;
        m->tso_segsz = cut ? mss : 0;
        sum = checksum_fold(checksum_pseudo(src, dst, cut ? 0 : len, IPPROTO_TCP));
    } else {
        sum = (uint16_t)~checksum_fold(net->sum(tcp, len, checksum_pseudo(src, dst, len, IPPROTO_TCP)));
    }
    memcpy(tcp + SUM_AT, &sum, 2);
}

/* Anything else. The path is not the one with a learned MTU in it: TCP knows that better. */
static void send_other(struct net *net, struct rte_mbuf *m, const struct net_hint *hint,
                       const struct hg_ip *src, const struct hg_ip *dst, uint16_t mss)
{
    const struct neighbour *n = &net->neighbours[hint->neighbour];
    const struct net_iface *iface = &net->ifaces[n->iface];
    sum_make(net, m, src, dst, iface, mss);
    struct net_path_entry path = {.neighbour = hint->neighbour, .iface = n->iface, .mtu = iface->mtu};
    if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
        path.mtu = UINT16_MAX;
    ip_send(net, m, src, dst, IPPROTO_TCP, &path);
}

struct rte_mbuf *net_tcp_buffer(struct net *net, uint32_t len)
{
    return net_buffer(net, len);
}

bool net_tcp_send(struct net *net, struct rte_mbuf *m, const struct hg_ip *src, const struct hg_ip *dst,
                  struct net_hint *hint, uint16_t mss, bool fenced)
{
    if (unlikely(!hint_holds(net, hint)) && !hint_find(net, hint, src, dst)) {
        rte_pktmbuf_free(m);
        return false;
    }
    m->ol_flags = fenced ? net->fence : 0;
    if (unlikely(net->nservice != 0) && !service_may_send(net, m, src)) {
        ctx_count(net->ctx, HG_C_lease_over);
        rte_pktmbuf_free(m);
        return false;
    }
    if (unlikely(!send_usual(net, m, &net->neighbours[hint->neighbour], src, dst)))
        send_other(net, m, hint, src, dst, mss);
    return true;
}

uint32_t net_tso_max(const struct net *net, const struct net_hint *hint)
{
    if (!hint_holds(net, hint) || !net->port[net->ifaces[net->neighbours[hint->neighbour].iface].port].tx_tso)
        return 0;
    return NET_TSO_MAX;
}

void net_path_mtu_set(struct net *net, const struct hg_ip *dst, uint16_t mtu)
{
    path_mtu_note(net, dst, mtu);
}
