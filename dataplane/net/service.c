/* SPDX-License-Identifier: BSD-2-Clause */
/* Service addresses: those under which the users of a home node know it. This node has them while it serves
 * that home and its lease lasts; everything that comes from one is fenced. Taken over from a peer that is
 * gone, so they are announced at once and again: switches and neighbours still believe the other one. */
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "lib/lease.h"
#include "net/state.h"

static const uint16_t again_ms[] = {50, 150, 300, 500, 1000, 2000};
#define ANNOUNCEMENTS (1 + sizeof(again_ms) / sizeof(again_ms[0]))

bool service_create(struct net *net, const struct hg_config *config)
{
    static const struct rte_mbuf_dynflag fence = {.name = "hg_fenced"};
    int bit = rte_mbuf_dynflag_register(&fence);
    if (bit < 0)
        return false;
    net->fence = 1ull << bit;
    net->service_timer.kind = WHEEL_KIND(WHEEL_NET, NET_TIMER_SERVICE);
    for (uint32_t i = 0; i < config->nlisteners && net->nservice_ports < HG_LISTENERS_MAX; i++)
        if (config->listeners[i].ep.proto == HG_UDP)
            net->service_ports[net->nservice_ports++] = config->listeners[i].ep.port;
    return true;
}

static struct net_service *known(struct net *net, const struct hg_ip *ip)
{
    for (unsigned i = 0; i < net->nservice; i++)
        if (hg_ip_eq(&net->service[i].local.ip, ip))
            return &net->service[i];
    return NULL;
}

const struct net_local *service_local(const struct net *net, const struct hg_ip *ip)
{
    const struct net_service *s = known((struct net *)(uintptr_t)net, ip);
    return s && s->held && !net->ctx->lease_over ? &s->local : NULL;
}

bool service_is_here(const struct net *net, uint16_t iface, const struct hg_ip *ip)
{
    const struct net_local *l = service_local(net, ip);
    return l && l->iface == iface;
}

const struct net_listener *service_listener(const struct net *net, const struct hg_ip *ip, uint16_t port)
{
    static const struct net_listener any;
    if (!service_local(net, ip))
        return NULL;
    for (unsigned i = 0; i < net->nservice_ports; i++)
        if (net->service_ports[i] == port)
            return &any;
    return NULL;
}

bool service_may_send(struct net *net, struct rte_mbuf *m, const struct hg_ip *src)
{
    const struct net_service *s = known(net, src);
    if (!s)
        return true;
    m->ol_flags |= net->fence;
    return s->held;
}

static bool iface_of(const struct net *net, const struct hg_ip *ip, uint16_t *iface)
{
    for (uint16_t i = 0; i < net->nifaces; i++)
        for (unsigned a = 0; a < net->ifaces[i].naddrs; a++)
            if (hg_ip_is4(&net->ifaces[i].addr[a].ip) == hg_ip_is4(ip) &&
                hg_net_contains(&net->ifaces[i].addr[a], ip)) {
                *iface = i;
                return true;
            }
    return false;
}

/* Only one core speaks for the node. */
static void announce(struct net *net, struct net_service *s)
{
    s->announcements = net->ctx->core == 0 ? ANNOUNCEMENTS : 0;
    if (s->announcements)
        wheel_arm(net->ctx->wheel, &net->service_timer, net->ctx->ms);
}

/* A place for one more: a free one, or that of an address that nobody tells of any more. Those keep theirs as
 * long as they can, so that answers that are still under way from them are known for what they are. */
static struct net_service *place(struct net *net)
{
    if (net->nservice < NET_SERVICE_MAX)
        return &net->service[net->nservice++];
    for (unsigned i = 0; i < NET_SERVICE_MAX; i++)
        if (!net->service[i].told)
            return &net->service[i];
    return NULL;
}

static bool take(struct net *net, const struct net_service_address *a)
{
    struct net_service *s = known(net, &a->ip);
    uint16_t iface = 0;
    if (!iface_of(net, &a->ip, &iface) || (!s && local_find(net, &a->ip)))
        return !a->held;
    if (!s) {
        if (!(s = place(net)))
            return false;
        *s = (struct net_service){.local = {.ip = a->ip, .iface = iface, .used = 1}};
    }
    s->told = true;
    if (a->held && !s->held)
        announce(net, s);
    s->held = a->held;
    return true;
}

bool net_service_set(struct net *net, const struct net_service_address *a, unsigned n)
{
    bool all = true;
    for (unsigned i = 0; i < net->nservice; i++)
        net->service[i].told = false;
    for (unsigned i = 0; i < n; i++)
        all &= take(net, &a[i]);
    for (unsigned i = 0; i < net->nservice; i++)
        net->service[i].held &= net->service[i].told;
    path_forget(net); /* what was a neighbour's may be ours now, and the other way round */
    return all;
}

void service_announce(struct net *net, const struct net_service *s)
{
    if (!s->held || net->ctx->lease_over || !net->port[net->ifaces[s->local.iface].port].up)
        return;
    ctx_count(net->ctx, HG_C_service_announcements);
    if (hg_ip_is4(&s->local.ip)) {
        arp_announce(net, s->local.iface, &s->local.ip);
        return;
    }
    mld_report(net, s->local.iface);
    nd_announce(net, s->local.iface, &s->local.ip);
}

void service_timer(struct net *net)
{
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < net->nservice; i++) {
        struct net_service *s = &net->service[i];
        if (!s->announcements)
            continue;
        service_announce(net, s);
        if (--s->announcements == 0)
            continue;
        uint64_t wait = again_ms[ANNOUNCEMENTS - 1 - s->announcements];
        next = RTE_MIN(next, wait);
    }
    if (next != UINT64_MAX)
        wheel_arm(net->ctx->wheel, &net->service_timer, net->ctx->ms + next);
}

/* A lease that comes back finds a wire on which somebody else may have spoken meanwhile. */
void net_service_house(struct net *net)
{
    bool was_over = net->service_was_over;
    unsigned held = 0;
    net->service_was_over = net->ctx->lease_over;
    for (unsigned i = 0; i < net->nservice; i++) {
        held += net->service[i].held && !net->ctx->lease_over;
        if (was_over && !net->ctx->lease_over && net->service[i].held)
            announce(net, &net->service[i]);
    }
    hg_gauge(net->ctx->counters, HG_C_service_addresses, held);
}

/* What the lease no longer covers is taken out from among what waits to leave. */
void fence_tx(struct net *net, struct net_tx *tx)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < tx->n; i++) {
        if (net_fenced(net, tx->frame[i])) {
            ctx_count(net->ctx, HG_C_lease_over);
            rte_pktmbuf_free(tx->frame[i]);
        } else {
            tx->frame[kept++] = tx->frame[i];
        }
    }
    tx->n = tx->summed = kept;
}

bool net_may_leave(struct net *net, const struct rte_mbuf *m)
{
    if (!net_fenced(net, m) || !lease_over_now(net->ctx))
        return true;
    ctx_count(net->ctx, HG_C_lease_over);
    return false;
}
