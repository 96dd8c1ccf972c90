/* SPDX-License-Identifier: BSD-2-Clause */
/* Neighbour discovery for hosts with fixed addresses (RFC 4861 sections 4.3, 4.4 and 7.2). Routers are
 * configured, so their advertisements and redirects are absorbed unread; our addresses are announced and
 * defended, not probed for first. */
#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "net/state.h"

#define NS           135
#define NA           136
#define OPT_SOURCE   1
#define OPT_TARGET   2
#define NA_SOLICITED 0x40
#define NA_OVERRIDE  0x20
#define ND_LEN       32 /* ICMPv6 header, flags, target and one address option */

struct nd {
    uint8_t type, flags;
    struct hg_ip target;
    const uint8_t *mac; /* of the option that matters for this type, or NULL */
};

static const struct hg_ip all_nodes = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
static const struct hg_ip unspecified;

static bool nd_options(struct nd *nd, const uint8_t *p, uint32_t len)
{
    uint8_t wanted = nd->type == NS ? OPT_SOURCE : OPT_TARGET;
    while (len) {
        if (len < 8 || p[1] == 0 || p[1] * 8u > len)
            return false;
        if (p[0] == wanted && p[1] == 1)
            nd->mac = p + 2;
        len -= p[1] * 8u;
        p += p[1] * 8u;
    }
    static const uint8_t none[6];
    return !nd->mac || (!(nd->mac[0] & 1) && memcmp(nd->mac, none, 6) != 0);
}

/* RFC 4861 sections 7.1.1 and 7.1.2; the checksum has been verified. */
static bool nd_parse(const struct frame *f, struct nd *nd)
{
    if (!f->l3 || f->ttl != 255 || f->l4_len < 24 || f->l4[1] != 0)
        return false;
    *nd = (struct nd){.type = f->l4[0], .flags = f->l4[4]};
    memcpy(nd->target.b, f->l4 + 8, 16);
    if (ip_is_group(&nd->target) || !nd_options(nd, f->l4 + 24, f->l4_len - 24))
        return false;
    if (nd->type == NS && hg_ip_eq(&f->src, &unspecified))
        return !nd->mac && f->dst.b[0] == 0xff;
    return !(nd->type == NA && f->dst.b[0] == 0xff && (nd->flags & NA_SOLICITED));
}

static bool is_ours_here(const struct net *net, uint16_t iface, const struct hg_ip *ip)
{
    const struct net_iface *i = &net->ifaces[iface];
    for (unsigned a = 0; a < i->naddrs; a++)
        if (hg_ip_eq(&i->addr[a].ip, ip))
            return true;
    return (i->has6 && hg_ip_eq(&i->link_local, ip)) || (net->nservice && service_is_here(net, iface, ip));
}

static bool on_link(const struct net_iface *iface, const struct hg_ip *ip)
{
    if (ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80)
        return true;
    for (unsigned a = 0; a < iface->naddrs; a++)
        if (!hg_ip_is4(&iface->addr[a].ip) && hg_net_contains(&iface->addr[a], ip))
            return true;
    return false;
}

static uint32_t nd_frame_len(const struct net_iface *iface)
{
    return (iface->vlan ? 18 : 14) + 40 + ND_LEN;
}

static void nd_write(struct net *net, const struct net_iface *iface, struct rte_mbuf *m,
                     const uint8_t l2_dst[6], const struct hg_ip *src, const struct hg_ip *dst, uint8_t type,
                     uint8_t flags, const struct hg_ip *target)
{
    uint8_t *ip = tx_l2_header(iface, rte_pktmbuf_mtod(m, uint8_t *), l2_dst, RTE_ETHER_TYPE_IPV6);
    uint8_t *p = ip + 40;
    (void)service_may_send(net, m,
                           type == NA ? target : src); /* marked, if it speaks for a service address */
    memset(ip, 0, 40 + ND_LEN);
    ip[0] = 0x60;
    ip[5] = ND_LEN;
    ip[6] = IPPROTO_ICMPV6;
    ip[7] = 255;
    memcpy(ip + 8, src->b, 16);
    memcpy(ip + 24, dst->b, 16);
    p[0] = type;
    p[4] = flags;
    memcpy(p + 8, target->b, 16);
    p[24] = type == NS ? OPT_SOURCE : OPT_TARGET;
    p[25] = 1;
    memcpy(p + 26, iface->mac, 6);
    uint16_t sum =
        (uint16_t)~checksum_fold(net->sum(p, ND_LEN, checksum_pseudo(src, dst, ND_LEN, IPPROTO_ICMPV6)));
    memcpy(p + 2, &sum, 2);
}

/* RFC 2464 section 7 */
static void group_mac(const struct hg_ip *group, uint8_t mac[6])
{
    mac[0] = mac[1] = 0x33;
    memcpy(mac + 2, group->b + 12, 4);
}

void nd_solicit(struct net *net, const struct neighbour *n, bool unicast)
{
    const struct net_iface *iface = &net->ifaces[n->iface];
    const struct hg_ip *src = &iface->link_local;
    struct hg_ip group = {
        {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, n->ip.b[13], n->ip.b[14], n->ip.b[15]}};
    uint8_t mac[6];
    if (!iface->has6)
        return;
    for (unsigned a = 0; a < iface->naddrs; a++)
        if (!hg_ip_is4(&iface->addr[a].ip) && hg_net_contains(&iface->addr[a], &n->ip))
            src = &iface->addr[a].ip;
    struct rte_mbuf *m = net_buffer(net, nd_frame_len(iface));
    if (!m)
        return; /* asked again by the timer */
    group_mac(&group, mac);
    nd_write(net, iface, m, unicast ? n->l2 : mac, src, unicast ? &n->ip : &group, NS, 0, &n->ip);
    tx_put(net, iface->port, m);
}

void nd_announce(struct net *net, uint16_t i, const struct hg_ip *ip)
{
    const struct net_iface *iface = &net->ifaces[i];
    struct rte_mbuf *m = net_buffer(net, nd_frame_len(iface));
    uint8_t mac[6];
    if (!m)
        return;
    group_mac(&all_nodes, mac);
    nd_write(net, iface, m, mac, ip, &all_nodes, NA, NA_OVERRIDE, ip);
    tx_put(net, iface->port, m);
}

static bool nd_learn(struct net *net, const struct frame *f, const struct nd *nd)
{
    const struct net_iface *iface = &net->ifaces[f->iface];
    if (nd->type == NS) {
        if (!nd->mac || !is_ours_here(net, f->iface, &nd->target) || !on_link(iface, &f->src))
            return false;
        return neighbour_learn(net, f->iface, &f->src, nd->mac, NEWS_QUESTION);
    }
    if (!on_link(iface, &nd->target) || net_is_local(net, &nd->target))
        return false;
    /* an answer to a unicast question need not repeat the address: section 4.4 */
    const uint8_t *mac = nd->mac ? nd->mac : f->l2 + 6;
    return neighbour_learn(net, f->iface, &nd->target, mac,
                           nd->flags & NA_SOLICITED ? NEWS_ANSWER : NEWS_GOSSIP);
}

unsigned nd_input(struct net *net, struct frame *f)
{
    const struct net_iface *iface = &net->ifaces[f->iface];
    struct nd nd;
    if (!nd_parse(f, &nd))
        return HG_DROP_arp_bad;
    if (nd_learn(net, f, &nd))
        neighbour_tell(net, f);
    if (nd.type == NA && is_ours_here(net, f->iface, &nd.target) &&
        (!nd.mac || memcmp(nd.mac, iface->mac, 6) != 0) && address_contested(net, &nd.target))
        nd_announce(net, f->iface, &nd.target);
    if (nd.type != NS || !is_ours_here(net, f->iface, &nd.target))
        return HG_C_net_absorbed;
    bool anonymous = hg_ip_eq(&f->src, &unspecified); /* somebody's duplicate address detection: tell all */
    uint8_t mac[6];
    if (anonymous)
        group_mac(&all_nodes, mac);
    else
        memcpy(mac, nd.mac ? nd.mac : f->l2 + 6, 6);
    struct hg_ip dst = anonymous ? all_nodes : f->src, target = nd.target;
    if (!net_reuse(f->m, nd_frame_len(iface)))
        return HG_DROP_no_mbuf;
    nd_write(net, iface, f->m, mac, &target, &dst, NA, NA_OVERRIDE | (anonymous ? 0 : NA_SOLICITED), &target);
    tx_put(net, iface->port, f->m);
    f->m = NULL;
    return HG_C_net_answered;
}

/* A copy from another core, which has verified it. */
void nd_news(struct net *net, struct frame *f)
{
    struct nd nd;
    if (nd_parse(f, &nd))
        nd_learn(net, f, &nd);
}
