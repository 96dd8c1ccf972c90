/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether the gateways answer: asked once a second by ARP or ND, so that the control plane can tell a node
 * that has lost its network from one whose peer is gone. */
#include "net/state.h"

#define ASK_MS 1000

void net_gateway_watch(struct net *net)
{
    net->gateway_timer.kind = WHEEL_KIND(WHEEL_NET, NET_TIMER_GATEWAY);
    for (uint32_t i = 0; i < net->nroutes; i++) {
        const struct net_route *r = &net->routes[i];
        if (r->via && r->net.bits == (r->is4 ? 96 : 0) && net->ngateways < NET_GATEWAYS_MAX)
            net->gateway[net->ngateways++] = (struct net_gateway){.ip = r->gateway, .iface = r->iface};
    }
    if (net->ngateways && net->ctx->core == 0) /* the others learn from its questions, too */
        wheel_arm(net->ctx->wheel, &net->gateway_timer, net->ctx->ms + ASK_MS);
}

void gateway_timer(struct net *net)
{
    for (unsigned i = 0; i < net->ngateways; i++) {
        const struct net_gateway *g = &net->gateway[i];
        if (!net->port[net->ifaces[g->iface].port].up)
            continue;
        uint32_t n = neighbour_want(net, g->iface, &g->ip);
        if (n != NET_NIL)
            neighbour_check(net, &net->neighbours[n]);
    }
    wheel_arm(net->ctx->wheel, &net->gateway_timer, net->ctx->ms + ASK_MS);
}

void gateway_seen(struct net *net, const struct neighbour *n)
{
    for (unsigned i = 0; i < net->ngateways; i++)
        if (net->gateway[i].iface == n->iface && hg_ip_eq(&net->gateway[i].ip, &n->ip))
            net->gateway[i].seen = net->ctx->tsc;
}

void net_health(const struct net *net, struct hg_core_area *area)
{
    uint64_t links = 0, gateways = 0;
    for (uint16_t p = 0; p < net->nports; p++)
        links |= (uint64_t)net->port[p].up << p;
    for (unsigned i = 0; i < net->ngateways; i++) {
        const struct net_gateway *g = &net->gateway[i];
        if (g->iface >= HG_IFACES_MAX)
            continue;
        gateways |= 1ull << g->iface;
        if (g->seen > atomic_load_explicit(&area->gateway_seen[g->iface], memory_order_relaxed))
            atomic_store_explicit(&area->gateway_seen[g->iface], g->seen, memory_order_release);
    }
    atomic_store_explicit(&area->links, links, memory_order_relaxed);
    atomic_store_explicit(&area->gateways, gateways, memory_order_relaxed);
}
