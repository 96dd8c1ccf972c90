/* SPDX-License-Identifier: BSD-2-Clause */
/* ARP (RFC 826) with the announcements of RFC 5227. */
#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>

#include "net/state.h"

static const uint8_t to_all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct arp {
    uint16_t op;
    uint8_t mac[6];
    struct hg_ip sender, target;
    bool probe; /* sender 0.0.0.0: somebody checks for a conflict */
};

static bool arp_parse(const struct frame *f, struct arp *arp)
{
    const struct rte_arp_hdr *h = (const void *)f->l3;
    if (f->l3_len < sizeof(*h) || h->arp_hardware != rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) ||
        h->arp_protocol != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) || h->arp_hlen != 6 || h->arp_plen != 4)
        return false;
    arp->op = rte_be_to_cpu_16(h->arp_opcode);
    memcpy(arp->mac, h->arp_data.arp_sha.addr_bytes, 6);
    arp->sender = hg_ip_from4(h->arp_data.arp_sip);
    arp->target = hg_ip_from4(h->arp_data.arp_tip);
    arp->probe = h->arp_data.arp_sip == 0;
    if (arp->op != RTE_ARP_OP_REQUEST && arp->op != RTE_ARP_OP_REPLY)
        return false;
    static const uint8_t none[6];
    return !(arp->mac[0] & 1) && memcmp(arp->mac, none, 6) != 0;
}

/* Only what lives on this wire may be learned from it. */
static bool on_link(const struct net_iface *iface, const struct hg_ip *ip)
{
    for (unsigned a = 0; a < iface->naddrs; a++)
        if (hg_ip_is4(&iface->addr[a].ip) && hg_net_contains(&iface->addr[a], ip))
            return !ip_is_group(ip);
    return false;
}

static bool is_ours_here(const struct net *net, uint16_t iface, const struct hg_ip *ip)
{
    const struct net_iface *i = &net->ifaces[iface];
    for (unsigned a = 0; a < i->naddrs; a++)
        if (hg_ip_eq(&i->addr[a].ip, ip))
            return true;
    return net->nservice && service_is_here(net, iface, ip);
}

static uint8_t *arp_write(struct net *net, const struct net_iface *iface, struct rte_mbuf *m,
                          const uint8_t l2_dst[6], uint16_t op, const struct hg_ip *sender,
                          const uint8_t target_mac[6], const struct hg_ip *target)
{
    uint8_t *start = rte_pktmbuf_mtod(m, uint8_t *);
    (void)service_may_send(net, m, sender); /* marked, if it speaks for a service address */
    struct rte_arp_hdr *h = (void *)tx_l2_header(iface, start, l2_dst, RTE_ETHER_TYPE_ARP);
    h->arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
    h->arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
    h->arp_hlen = 6;
    h->arp_plen = 4;
    h->arp_opcode = rte_cpu_to_be_16(op);
    memcpy(h->arp_data.arp_sha.addr_bytes, iface->mac, 6);
    h->arp_data.arp_sip = hg_ip_to4(sender);
    memcpy(h->arp_data.arp_tha.addr_bytes, target_mac, 6);
    h->arp_data.arp_tip = hg_ip_to4(target);
    return start;
}

static uint32_t arp_frame_len(const struct net_iface *iface)
{
    return (iface->vlan ? 18 : 14) + sizeof(struct rte_arp_hdr);
}

void arp_request(struct net *net, const struct neighbour *n, bool unicast)
{
    const struct net_iface *iface = &net->ifaces[n->iface];
    static const uint8_t unknown[6];
    const struct hg_ip *src = NULL;
    for (unsigned a = 0; a < iface->naddrs; a++)
        if (hg_ip_is4(&iface->addr[a].ip) && (!src || hg_net_contains(&iface->addr[a], &n->ip)))
            src = &iface->addr[a].ip;
    struct rte_mbuf *m = src ? net_buffer(net, arp_frame_len(iface)) : NULL;
    if (!m)
        return; /* asked again by the timer */
    arp_write(net, iface, m, unicast ? n->l2 : to_all, RTE_ARP_OP_REQUEST, src, unknown, &n->ip);
    tx_put(net, iface->port, m);
}

void arp_announce(struct net *net, uint16_t i, const struct hg_ip *ip)
{
    const struct net_iface *iface = &net->ifaces[i];
    static const uint8_t unknown[6];
    struct rte_mbuf *m = net_buffer(net, arp_frame_len(iface));
    if (!m)
        return;
    arp_write(net, iface, m, to_all, RTE_ARP_OP_REQUEST, ip, unknown, ip);
    tx_put(net, iface->port, m);
}

static bool arp_learn(struct net *net, const struct frame *f, const struct arp *arp)
{
    if (arp->probe || !on_link(&net->ifaces[f->iface], &arp->sender) || net_is_local(net, &arp->sender))
        return false;
    enum neighbour_news news = NEWS_GOSSIP;
    if (is_ours_here(net, f->iface, &arp->target))
        news = arp->op == RTE_ARP_OP_REQUEST ? NEWS_QUESTION : NEWS_ANSWER;
    return neighbour_learn(net, f->iface, &arp->sender, arp->mac, news);
}

unsigned arp_input(struct net *net, struct frame *f)
{
    const struct net_iface *iface = &net->ifaces[f->iface];
    struct arp arp;
    if (!arp_parse(f, &arp))
        return HG_DROP_arp_bad;
    if (!arp.probe && is_ours_here(net, f->iface, &arp.sender)) {
        /* RFC 5227 section 2.4 */
        if (memcmp(arp.mac, iface->mac, 6) != 0 && address_contested(net, &arp.sender))
            arp_announce(net, f->iface, &arp.sender);
        return HG_C_net_absorbed;
    }
    if (arp_learn(net, f, &arp))
        neighbour_tell(net, f);
    if (arp.op != RTE_ARP_OP_REQUEST || !is_ours_here(net, f->iface, &arp.target))
        return HG_C_net_absorbed;
    if (!net_reuse(f->m, arp_frame_len(iface)))
        return HG_DROP_no_mbuf;
    arp_write(net, iface, f->m, arp.mac, RTE_ARP_OP_REPLY, &arp.target, arp.mac, &arp.sender);
    tx_put(net, iface->port, f->m);
    f->m = NULL;
    return HG_C_net_answered;
}

void arp_news(struct net *net, struct frame *f)
{
    struct arp arp;
    if (arp_parse(f, &arp) && !is_ours_here(net, f->iface, &arp.sender))
        arp_learn(net, f, &arp);
}
