/* SPDX-License-Identifier: BSD-2-Clause */
/* The room's beginning and end, its timers, and what core tells it. */
#include "net/net.h"

#include <sys/random.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "net/state.h"

#define ANNOUNCEMENTS 3
#define ANNOUNCE_MS   1000
#define PARKED_SHARE  4  /* of this core's buffers, at most a quarter waits for other pieces */
#define PIECES_EACH   16 /* on average */

static uint32_t data_room(struct rte_mempool *pool)
{
    uint32_t room = pool ? rte_pktmbuf_data_room_size(pool) : 0;
    return room > NET_HEADROOM ? room - NET_HEADROOM : 0;
}

static bool tables_create(struct net *net, const struct hg_config *config)
{
    uint32_t datagrams = (uint32_t)config->dp_fragments_max;
    uint32_t pieces = RTE_MIN((uint64_t)datagrams * PIECES_EACH, (uint64_t)config->dp_mbufs / PARKED_SHARE);
    return iface_create_all(net, config) && path_routes_create(net, config) &&
           neighbour_create(net, (uint32_t)config->dp_neighbours_max) &&
           reassembly_create(net, datagrams, pieces) != NULL && service_create(net, config) &&
           control_create(net, config);
}

static void announce_start(struct net *net)
{
    if (net->ctx->core != 0) /* once per node is enough */
        return;
    net->announcements = ANNOUNCEMENTS;
    wheel_arm(net->ctx->wheel, &net->announce, net->ctx->ms);
}

struct net *net_create(struct ctx *ctx, const struct net_setup *setup)
{
    struct net *net = rte_zmalloc("net", sizeof(*net), 64);
    if (!net)
        return NULL;
    net->ctx = ctx;
    net->sum = checksum_best();
    net->nports = setup->nports;
    memcpy(net->port, setup->port, sizeof(net->port));
    net->room_small = data_room(ctx->pool);
    net->room_big = data_room(ctx->pool_big);
    net->announce.kind = WHEEL_KIND(WHEEL_NET, NET_TIMER_ANNOUNCE);
    if (getrandom(net->secret, sizeof(net->secret), 0) != sizeof(net->secret) || net->room_small < 1500 ||
        !tables_create(net, setup->config)) {
        net_destroy(net);
        return NULL;
    }
    net->ip4_ids = (uint16_t)net->secret[0];
    announce_start(net);
    return net;
}

void net_destroy(struct net *net)
{
    if (!net)
        return;
    control_destroy(net);
    reassembly_destroy(net);
    neighbour_destroy(net);
    wheel_cancel(net->ctx->wheel, &net->announce);
    wheel_cancel(net->ctx->wheel, &net->service_timer);
    wheel_cancel(net->ctx->wheel, &net->gateway_timer);
    for (uint16_t p = 0; p < net->nports; p++) {
        rte_pktmbuf_free_bulk(net->tx[p].frame, net->tx[p].n);
        rte_free(net->vlan_iface[p]);
    }
    rte_free(net->ifaces);
    rte_free(net->routes);
    rte_free(net->paths);
    rte_free(net->pmtus);
    rte_free(net->locals);
    rte_free(net->listeners);
    rte_free(net);
}

static void announce_all(struct net *net)
{
    for (uint16_t i = 0; i < net->nifaces; i++) {
        const struct net_iface *iface = &net->ifaces[i];
        if (!net->port[iface->port].up)
            continue;
        for (unsigned a = 0; a < iface->naddrs; a++) {
            if (hg_ip_is4(&iface->addr[a].ip))
                arp_announce(net, i, &iface->addr[a].ip);
            else
                nd_announce(net, i, &iface->addr[a].ip);
        }
        if (iface->has6) {
            mld_report(net, i);
            nd_announce(net, i, &iface->link_local);
        }
    }
    for (unsigned i = 0; i < net->nservice; i++)
        service_announce(net, &net->service[i]);
    if (--net->announcements)
        wheel_arm(net->ctx->wheel, &net->announce, net->ctx->ms + ANNOUNCE_MS);
}

void net_timers(struct net *net, struct wheel_timer **t, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (wheel_armed(t[i])) /* by an earlier one of this batch */
            continue;
        switch (t[i]->kind & 0xff) {
        case NET_TIMER_NEIGHBOUR:
            neighbour_timer(net, (struct neighbour *)((char *)t[i] - offsetof(struct neighbour, timer)));
            break;
        case NET_TIMER_REASSEMBLY:
            reassembly_timer(net);
            break;
        case NET_TIMER_ANNOUNCE:
            announce_all(net);
            break;
        case NET_TIMER_SERVICE:
            service_timer(net);
            break;
        case NET_TIMER_GATEWAY:
            gateway_timer(net);
            break;
        }
    }
}

void net_set_ready(struct net *net, bool open)
{
    net->ready = open;
}

void net_link(struct net *net, uint16_t port, bool up)
{
    if (port >= net->nports || net->port[port].up == up)
        return;
    net->port[port].up = up;
    path_forget(net);
    if (up)
        announce_start(net);
    else
        neighbour_port_down(net, port);
}
