/* SPDX-License-Identifier: BSD-2-Clause */
/* Multicast listener reports (RFC 3810) for our solicited-node groups: a switch that snoops would else keep
 * neighbour solicitations from us. */
#include <netinet/in.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "net/state.h"

#define REPORT     143
#define TO_EXCLUDE 4 /* "change to exclude nothing": join */
#define RECORD_LEN 20
#define GROUPS_MAX (HG_ADDRS_MAX + 1 + NET_SERVICE_MAX)
#define IP_LEN     48 /* with the router alert in a hop-by-hop header */

static bool group_add(struct hg_ip *group, unsigned n, const struct hg_ip *ip)
{
    struct hg_ip g = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ip->b[13], ip->b[14], ip->b[15]}};
    for (unsigned i = 0; i < n; i++)
        if (hg_ip_eq(&group[i], &g))
            return false;
    group[n] = g;
    return true;
}

static unsigned groups_of(const struct net *net, uint16_t index, struct hg_ip group[GROUPS_MAX])
{
    const struct net_iface *iface = &net->ifaces[index];
    unsigned n = group_add(group, 0, &iface->link_local);
    for (unsigned a = 0; a < iface->naddrs; a++)
        if (!hg_ip_is4(&iface->addr[a].ip))
            n += group_add(group, n, &iface->addr[a].ip);
    for (unsigned s = 0; s < net->nservice; s++) {
        const struct net_service *service = &net->service[s];
        if (service->held && service->local.iface == index && !hg_ip_is4(&service->local.ip))
            n += group_add(group, n, &service->local.ip);
    }
    return n;
}

void mld_report(struct net *net, uint16_t i)
{
    static const struct hg_ip routers = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16}};
    static const uint8_t mac[6] = {0x33, 0x33, 0, 0, 0, 0x16};
    const struct net_iface *iface = &net->ifaces[i];
    struct hg_ip group[GROUPS_MAX];
    unsigned n = groups_of(net, i, group);
    uint32_t len = 8 + n * RECORD_LEN;
    struct rte_mbuf *m = net_buffer(net, (iface->vlan ? 18 : 14) + IP_LEN + len);
    if (!m)
        return;
    uint8_t *ip = tx_l2_header(iface, rte_pktmbuf_mtod(m, uint8_t *), mac, RTE_ETHER_TYPE_IPV6);
    uint8_t *p = ip + IP_LEN;
    uint16_t payload = rte_cpu_to_be_16((uint16_t)(len + 8));
    memset(ip, 0, IP_LEN + len);
    ip[0] = 0x60;
    memcpy(ip + 4, &payload, 2);
    ip[6] = IPPROTO_HOPOPTS;
    ip[7] = 1;
    memcpy(ip + 8, iface->link_local.b, 16);
    memcpy(ip + 24, routers.b, 16);
    memcpy(ip + 40, (uint8_t[]){IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0}, 8);
    p[0] = REPORT;
    p[7] = (uint8_t)n;
    for (unsigned g = 0; g < n; g++) {
        p[8 + g * RECORD_LEN] = TO_EXCLUDE;
        memcpy(p + 12 + g * RECORD_LEN, group[g].b, 16);
    }
    uint64_t pseudo = checksum_pseudo(&iface->link_local, &routers, len, IPPROTO_ICMPV6);
    uint16_t sum = (uint16_t)~checksum_fold(net->sum(p, len, pseudo));
    memcpy(p + 2, &sum, 2);
    tx_put(net, iface->port, m);
}

/* RFC 3810 section 5.1.14: from a link-local router, not forwarded. */
unsigned mld_query(struct net *net, const struct frame *f)
{
    if (f->ttl != 1 || f->src.b[0] != 0xfe || (f->src.b[1] & 0xc0) != 0x80 || f->l4_len < 24)
        return HG_DROP_icmp_bad;
    if (!net->ifaces[f->iface].has6 || !bucket_take(&net->mld_bucket, net->ctx->ms, 10, 10))
        return HG_C_net_absorbed;
    mld_report(net, f->iface);
    return HG_C_net_answered;
}
