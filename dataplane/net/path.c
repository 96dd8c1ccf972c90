/* SPDX-License-Identifier: BSD-2-Clause */
/* Where packets leave: connected networks, static routes and gateways, longest prefix first; a small cache of
 * destinations in front; path MTUs learned from routers. */
#include <stdlib.h>

#include <rte_malloc.h>

#include "net/state.h"

#define PMTU_LIFE_MS 600000 /* RFC 8201 section 5.3: not before 5 minutes, 10 recommended */
#define PMTU_MIN4    552
#define PMTU_MIN6    1280

static bool is_link_local(const struct hg_ip *ip)
{
    return ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
}

bool ip_is_group(const struct hg_ip *ip)
{
    if (hg_ip_is4(ip))
        return ip->b[12] >= 224;
    return ip->b[0] == 0xff;
}

/* The address of a connected IPv4 network that means all of it, or none of it. */
static bool is_broadcast_of(const struct hg_net *net, const struct hg_ip *ip)
{
    if (net->bits >= 127 || net->bits < 96 || !hg_ip_is4(&net->ip))
        return false;
    uint32_t host = UINT32_MAX >> (net->bits - 96);
    uint32_t low = __builtin_bswap32(hg_ip_to4(ip)) & host;
    return low == host || low == 0;
}

static int route_order(const void *a, const void *b)
{
    const struct net_route *x = a, *y = b;
    if (x->net.bits != y->net.bits)
        return y->net.bits - x->net.bits;
    return x->via - y->via;
}

static void route_add(struct net *net, const struct hg_net *dst, const struct hg_ip *gateway, uint16_t iface)
{
    struct net_route *r = &net->routes[net->nroutes++];
    *r = (struct net_route){.net = *dst, .iface = iface, .via = gateway != NULL, .is4 = hg_ip_is4(&dst->ip)};
    if (gateway)
        r->gateway = *gateway;
}

static bool is_set(const struct hg_ip *ip)
{
    static const struct hg_ip zero;
    return !hg_ip_eq(ip, &zero) && !(hg_ip_is4(ip) && hg_ip_to4(ip) == 0);
}

static void iface_routes_add(struct net *net, const struct hg_config_iface *config, uint16_t i)
{
    const struct net_iface *iface = &net->ifaces[i];
    for (unsigned a = 0; a < iface->naddrs; a++)
        route_add(net, &iface->addr[a], NULL, i);
    if (iface->has6)
        route_add(net, &(struct hg_net){.ip = {{0xfe, 0x80}}, .bits = 64}, NULL, i);
    if (is_set(&config->gateway4))
        route_add(net, &(struct hg_net){.ip = hg_ip_from4(0), .bits = 96}, &config->gateway4, i);
    if (is_set(&config->gateway6))
        route_add(net, &(struct hg_net){.bits = 0}, &config->gateway6, i);
}

bool path_routes_create(struct net *net, const struct hg_config *config)
{
    uint32_t room = net->nifaces * (HG_ADDRS_MAX + 3u) + config->nstatics + 1;
    net->routes = rte_zmalloc("net_routes", room * sizeof(*net->routes), 64);
    net->paths = rte_zmalloc("net_paths", NET_PATHS * sizeof(*net->paths), 64);
    net->pmtus = rte_zmalloc("net_pmtus", NET_PMTUS * sizeof(*net->pmtus), 64);
    net->route_gen = 1;
    if (!net->routes || !net->paths || !net->pmtus)
        return false;
    uint16_t next = 0;
    for (uint32_t p = 0; p < config->nports && p < net->nports; p++)
        for (uint16_t i = 0; i < RTE_MIN(config->ports[p].nifaces, HG_IFACES_MAX); i++)
            iface_routes_add(net, &config->ports[p].iface[i], next++);
    uint32_t connected = net->nroutes;
    for (uint32_t s = 0; s < config->nstatics; s++) {
        const struct hg_config_static *st = &config->statics[s];
        /* the most specific connected network that has the gateway */
        const struct net_route *best = NULL;
        for (uint32_t r = 0; r < connected; r++)
            if (!net->routes[r].via && hg_net_contains(&net->routes[r].net, &st->gateway) &&
                (!best || net->routes[r].net.bits > best->net.bits))
                best = &net->routes[r];
        if (best)
            route_add(net, &st->net, &st->gateway, best->iface);
    }
    qsort(net->routes, net->nroutes, sizeof(*net->routes), route_order);
    return true;
}

static void source_choose(const struct net *net, const struct hg_ip *dst, struct net_path *path)
{
    const struct net_iface *iface = &net->ifaces[path->iface];
    const struct hg_ip *any = NULL;
    bool is4 = hg_ip_is4(dst);
    if (!is4 && is_link_local(dst)) {
        path->src = iface->link_local;
        return;
    }
    for (unsigned a = 0; a < iface->naddrs; a++) {
        if (hg_ip_is4(&iface->addr[a].ip) != is4)
            continue;
        if (hg_net_contains(&iface->addr[a], &path->gateway)) {
            path->src = iface->addr[a].ip;
            return;
        }
        if (!any)
            any = &iface->addr[a].ip;
    }
    if (any)
        path->src = *any;
    else
        memset(&path->src, 0, sizeof(path->src));
}

/* scope: the interface for link-local destinations, or NET_NONE. */
static const struct net_route *route_find(const struct net *net, const struct hg_ip *dst, uint16_t scope)
{
    bool is4 = hg_ip_is4(dst);
    bool local_scope = !is4 && is_link_local(dst);
    if (ip_is_group(dst) || !is_set(dst) || net_is_local(net, dst) || (is4 && dst->b[12] == 127))
        return NULL;
    for (uint32_t i = 0; i < net->nroutes; i++) {
        const struct net_route *r = &net->routes[i];
        if (r->is4 != is4 || !hg_net_contains(&r->net, dst))
            continue;
        if (local_scope && (r->via || (scope != NET_NONE && r->iface != scope)))
            continue;
        if (!net->port[net->ifaces[r->iface].port].up)
            continue;
        if (!r->via && is_broadcast_of(&r->net, dst))
            return NULL;
        return r;
    }
    return NULL;
}

static uint16_t mtu_to(const struct net *net, const struct hg_ip *dst, uint16_t iface, uint64_t *expires_ms)
{
    const struct net_pmtu *p = &net->pmtus[net_hash(net, dst, 1) & (NET_PMTUS - 1)];
    uint16_t mtu = net->ifaces[iface].mtu;
    *expires_ms = UINT64_MAX;
    if (p->mtu && p->mtu < mtu && p->expires_ms > net->ctx->ms && hg_ip_eq(&p->dst, dst)) {
        *expires_ms = p->expires_ms;
        return p->mtu;
    }
    return mtu;
}

bool net_path_find(struct net *net, const struct hg_ip *dst, struct net_path *path)
{
    const struct net_route *r = route_find(net, dst, NET_NONE);
    uint64_t expires;
    if (!r)
        return false;
    path->iface = r->iface;
    path->gateway = r->via ? r->gateway : *dst;
    path->mtu = mtu_to(net, dst, r->iface, &expires);
    source_choose(net, dst, path);
    return true;
}

static const struct net_path_entry *path_fill(struct net *net, struct net_path_entry *e,
                                              const struct hg_ip *dst, const struct hg_ip *src)
{
    uint16_t scope = NET_NONE;
    if (is_link_local(dst)) {
        const struct net_local *l = local_find(net, src);
        scope = l ? l->iface : NET_NONE;
        e = &net->scratch; /* the same address means another neighbour on another interface */
    }
    const struct net_route *r = route_find(net, dst, scope);
    if (!r) {
        ctx_count(net->ctx, HG_C_tx_no_route);
        return NULL;
    }
    uint32_t n = neighbour_want(net, r->iface, r->via ? &r->gateway : dst);
    if (n == NET_NIL) {
        ctx_count(net->ctx, HG_C_tx_no_neighbour);
        return NULL;
    }
    e->dst = *dst;
    e->iface = r->iface;
    e->mtu = mtu_to(net, dst, r->iface, &e->expires_ms);
    e->neighbour = n;
    e->neighbour_gen = net->neighbours[n].gen;
    e->route_gen = net->route_gen;
    return e;
}

void path_forget(struct net *net)
{
    net->route_gen += net->route_gen == UINT32_MAX ? 2 : 1; /* 0 marks an empty line of the path cache */
}

/* NULL: counted, nothing can be sent. */
const struct net_path_entry *path_get(struct net *net, const struct hg_ip *dst, const struct hg_ip *src)
{
    struct net_path_entry *e = &net->paths[net_hash(net, dst, 1) & (NET_PATHS - 1)];
    if (likely(e->route_gen == net->route_gen && hg_ip_eq(&e->dst, dst) && e->expires_ms > net->ctx->ms &&
               net->neighbours[e->neighbour].gen == e->neighbour_gen))
        return e;
    return path_fill(net, e, dst, src);
}

void path_mtu_note(struct net *net, const struct hg_ip *dst, uint32_t mtu)
{
    uint32_t h = net_hash(net, dst, 1);
    struct net_pmtu *p = &net->pmtus[h & (NET_PMTUS - 1)];
    uint32_t floor = hg_ip_is4(dst) ? PMTU_MIN4 : PMTU_MIN6;
    struct net_path path;
    mtu = RTE_MAX(mtu, floor);
    if (!net_path_find(net, dst, &path) || mtu >= path.mtu)
        return;
    *p = (struct net_pmtu){.dst = *dst, .mtu = (uint16_t)mtu, .expires_ms = net->ctx->ms + PMTU_LIFE_MS};
    net->paths[h & (NET_PATHS - 1)].route_gen = 0;
}
