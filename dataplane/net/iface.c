/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces, our own addresses and the listeners, made once from the configuration. */
#include <stdlib.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "lib/log_out.h"
#include "net/state.h"

#define IP4_MTU_MIN 576 /* what every host takes whole; below it fragmenting would get absurd */

static bool ip_is_zero(const struct hg_ip *ip)
{
    static const struct hg_ip zero;
    return hg_ip_eq(ip, &zero);
}

/* 0.0.0.0 or ::, the listener on every address of its family. */
static bool ip_is_any(const struct hg_ip *ip)
{
    return ip_is_zero(ip) || (hg_ip_is4(ip) && hg_ip_to4(ip) == 0);
}

static void link_local_from_mac(struct net_iface *iface)
{
    uint8_t *b = iface->link_local.b;
    const uint8_t *mac = iface->mac;
    memset(b, 0, 16);
    b[0] = 0xfe;
    b[1] = 0x80;
    b[8] = mac[0] ^ 2;
    b[9] = mac[1];
    b[10] = mac[2];
    b[11] = 0xff;
    b[12] = 0xfe;
    b[13] = mac[3];
    b[14] = mac[4];
    b[15] = mac[5];
}

const struct net_local *local_find(const struct net *net, const struct hg_ip *ip)
{
    for (uint32_t i = net_hash(net, ip, 0) & net->local_mask; net->locals[i].used;
         i = (i + 1) & net->local_mask)
        if (hg_ip_eq(&net->locals[i].ip, ip))
            return &net->locals[i];
    return net->nservice ? service_local(net, ip) : NULL;
}

bool net_is_local(const struct net *net, const struct hg_ip *ip)
{
    return local_find(net, ip) != NULL;
}

static void local_add(struct net *net, const struct hg_ip *ip, uint16_t iface)
{
    uint32_t i = net_hash(net, ip, 0) & net->local_mask;
    while (net->locals[i].used && !hg_ip_eq(&net->locals[i].ip, ip))
        i = (i + 1) & net->local_mask;
    if (!net->locals[i].used)
        net->locals[i] = (struct net_local){*ip, iface, 1};
}

const struct net_listener *listener_find(const struct net *net, const struct hg_ip *ip, uint16_t port)
{
    uint32_t i = net_hash(net, ip, port) & net->listener_mask;
    for (; net->listeners[i].port; i = (i + 1) & net->listener_mask)
        if (net->listeners[i].port == port && hg_ip_eq(&net->listeners[i].ip, ip))
            return &net->listeners[i];
    return net->nservice ? service_listener(net, ip, port) : NULL;
}

static void listener_add(struct net *net, const struct hg_ip *ip, uint16_t port)
{
    uint32_t i = net_hash(net, ip, port) & net->listener_mask;
    if (port == 0 || listener_find(net, ip, port))
        return;
    while (net->listeners[i].port)
        i = (i + 1) & net->listener_mask;
    net->listeners[i] = (struct net_listener){*ip, port};
}

static void iface_fill(struct net_iface *iface, const struct net_port *port, uint16_t port_id,
                       const struct hg_config_iface *config)
{
    uint16_t port_mtu = port->mtu ? port->mtu : 1500;
    iface->port = port_id;
    iface->vlan = config->vlan & 0xfff;
    iface->mtu = config->mtu && config->mtu < port_mtu ? config->mtu : port_mtu;
    iface->naddrs = RTE_MIN(config->naddrs, HG_ADDRS_MAX);
    memcpy(iface->mac, port->mac, 6);
    memcpy(iface->addr, config->addr, iface->naddrs * sizeof(iface->addr[0]));
    for (unsigned i = 0; i < iface->naddrs; i++)
        iface->has6 |= !hg_ip_is4(&iface->addr[i].ip);
    iface->mtu = RTE_MAX(iface->mtu, IP4_MTU_MIN);
    if (iface->has6 && iface->mtu < 1280) /* RFC 8200 section 5: IPv6 needs it */
        iface->mtu = RTE_MIN(port_mtu, 1280);
    link_local_from_mac(iface);
}

static bool vlans_create(struct net *net, uint16_t port)
{
    uint16_t *map = rte_malloc("net_vlan", 4096 * sizeof(*map), 64);
    if (!map)
        return false;
    for (unsigned v = 0; v < 4096; v++)
        map[v] = NET_NONE;
    net->vlan_iface[port] = map;
    return true;
}

static bool tables_create(struct net *net, const struct hg_config *config, uint32_t addrs)
{
    uint32_t locals = rte_align32pow2(4 * (addrs + 1));
    uint32_t listeners = rte_align32pow2(4 * (config->nlisteners * (addrs + 1) + 1));
    net->local_mask = locals - 1;
    net->listener_mask = listeners - 1;
    net->locals = rte_zmalloc("net_locals", locals * sizeof(*net->locals), 64);
    net->listeners = rte_zmalloc("net_listeners", listeners * sizeof(*net->listeners), 64);
    return net->locals && net->listeners;
}

static void addresses_add(struct net *net)
{
    for (uint16_t i = 0; i < net->nifaces; i++) {
        for (unsigned a = 0; a < net->ifaces[i].naddrs; a++)
            local_add(net, &net->ifaces[i].addr[a].ip, i);
        if (net->ifaces[i].has6)
            local_add(net, &net->ifaces[i].link_local, i);
    }
}

static void listeners_add(struct net *net, const struct hg_config *config)
{
    for (uint32_t l = 0; l < config->nlisteners; l++) {
        const struct hg_endpoint *ep = &config->listeners[l].ep;
        if (ep->proto != HG_UDP)
            continue;
        if (!ip_is_any(&ep->ip)) {
            if (net_is_local(net, &ep->ip))
                listener_add(net, &ep->ip, ep->port);
            continue;
        }
        for (uint16_t i = 0; i < net->nifaces; i++)
            for (unsigned a = 0; a < net->ifaces[i].naddrs; a++)
                if (hg_ip_is4(&net->ifaces[i].addr[a].ip) == hg_ip_is4(&ep->ip))
                    listener_add(net, &net->ifaces[i].addr[a].ip, ep->port);
    }
}

bool iface_create_all(struct net *net, const struct hg_config *config)
{
    uint32_t total = 0, addrs = 0;
    uint32_t ports = RTE_MIN((uint32_t)net->nports, config->nports);
    for (uint32_t p = 0; p < ports; p++)
        total += RTE_MIN(config->ports[p].nifaces, HG_IFACES_MAX);
    net->ifaces = rte_zmalloc("net_ifaces", (total + 1) * sizeof(*net->ifaces), 64);
    if (!net->ifaces)
        return false;
    for (uint16_t p = 0; p < net->nports; p++) {
        if (!vlans_create(net, p))
            return false;
        for (uint16_t i = 0; p < ports && i < RTE_MIN(config->ports[p].nifaces, HG_IFACES_MAX); i++) {
            struct net_iface *iface = &net->ifaces[net->nifaces];
            iface_fill(iface, &net->port[p], p, &config->ports[p].iface[i]);
            if (net->vlan_iface[p][iface->vlan] == NET_NONE)
                net->vlan_iface[p][iface->vlan] = net->nifaces;
            addrs += iface->naddrs + 1u;
            net->nifaces++;
        }
    }
    if (!tables_create(net, config, addrs))
        return false;
    addresses_add(net);
    listeners_add(net, config);
    return true;
}

bool address_contested(struct net *net, const struct hg_ip *ip)
{
    ctx_count(net->ctx, HG_C_address_conflicts);
    log_ip(net->ctx, HG_LOGID_address_conflict, ip);
    return bucket_take(&net->defend_bucket, net->ctx->ms, 1, 10);
}
