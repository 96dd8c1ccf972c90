/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include <rte_malloc.h>

#include "lib/log_out.h"
#include "sip/flow.h"
#include "sip/mix.h"
#include "sip/probe.h"
#include "sip/proxy.h"
#include "sip/txn.h"

uint16_t sip_default_port(uint8_t proto)
{
    return proto == HG_TLS ? 5061 : 5060;
}

void listener_init(struct listener *l, const struct hg_endpoint *ep)
{
    static const char *const names[] = {[HG_UDP] = "UDP", [HG_TCP] = "TCP", [HG_TLS] = "TLS"};
    struct text t = text_over(l->hostport, sizeof(l->hostport));
    l->ep = *ep;
    l->ep.pad = 0;
    text_host(&t, &ep->ip);
    l->host_len = (uint16_t)text_done(&t).len;
    l->host_mask = l->host_len < 8 ? (1ull << l->host_len * 8) - 1 : ~0ull;
    l->host_word = hg_load64(l->hostport) & l->host_mask;
    text_lit(&t, ":");
    text_number(&t, ep->port);
    l->hostport_len = (uint16_t)text_done(&t).len;
    t = text_over(l->via, sizeof(l->via));
    text_lit(&t, "Via: SIP/2.0/");
    text_str(&t, names[ep->proto]);
    text_lit(&t, " ");
    text_bytes(&t, l->hostport, l->hostport_len);
    text_lit(&t, ";branch=");
    l->via_len = (uint16_t)text_done(&t).len;
}

/* Who only listens by UDP opens connections all the same, and says its port in their Via. */
static void speak_tcp(struct sip *s)
{
    unsigned n = s->nlisteners;
    for (unsigned i = 0; i < n && s->nlisteners < HG_LISTENERS_MAX; i++) {
        struct hg_endpoint ep = s->listener[i].ep;
        bool there = ep.proto != HG_UDP;
        for (unsigned k = 0; k < s->nlisteners && !there; k++)
            there = s->listener[k].ep.proto == HG_TCP && hg_ip_eq(&s->listener[k].ep.ip, &ep.ip);
        ep.proto = HG_TCP;
        if (there)
            continue;
        s->listener[s->nlisteners].quiet = true;
        listener_init(&s->listener[s->nlisteners++], &ep);
    }
}

struct sip *sip_create(struct ctx *ctx, struct net *net, struct route *route, struct stream *stream)
{
    static const char purpose[] = "sip branch and tag";
    struct sip *s = rte_zmalloc("sip", sizeof(*s), 64);
    uint64_t derived[2];
    if (!s) {
        fprintf(stderr, "sip: no memory for core %u\n", ctx->core);
        return NULL;
    }
    s->ctx = ctx;
    s->net = net;
    s->route = route;
    s->stream = stream;
    batch_init(s);
    hg_siphash128(route_user_secret(route), purpose, sizeof(purpose), derived);
    s->secret.k[0] = derived[0];
    s->secret.k[1] = derived[1];
    s->seed = hg_siphash64(&s->secret, purpose, sizeof(purpose));
    for (uint32_t i = 0; i < ctx->config->nlisteners && s->nlisteners < HG_LISTENERS_MAX; i++)
        if (ctx->config->listeners[i].service == HG_SERVICE_SIP)
            listener_init(&s->listener[s->nlisteners++], &ctx->config->listeners[i].ep);
    if (stream)
        speak_tcp(s);
    for (unsigned i = 0; i < s->nlisteners; i++)
        s->has_v6 |= !hg_ip_is4(&s->listener[i].ep.ip);
    s->guard = guard_create();
    s->oc = rte_zmalloc("sip oc", sizeof(*s->oc) * HG_HOP_SLOTS, 64);
    s->txns = txns_create(ctx->config);
    s->flows = flows_create(ctx->config);
    if (!s->guard || !s->oc || !s->txns || !s->flows) {
        fprintf(stderr, "sip: no memory for the tables of core %u; lower dataplane.transactions_max\n",
                ctx->core);
        sip_destroy(s);
        return NULL;
    }
    return s;
}

void sip_destroy(struct sip *s)
{
    if (!s)
        return;
    if (s->txns)
        txns_destroy(s->txns);
    flows_destroy(s->flows);
    guard_destroy(s->guard);
    rte_free(s->oc);
    rte_free(s);
}

const struct listener *sip_listener_of(const struct sip *s, const struct hg_endpoint *ep)
{
    for (unsigned i = 0; i < s->nlisteners; i++) {
        const struct listener *l = &s->listener[i];
        if (l->ep.port == ep->port && hg_ip_eq(&l->ep.ip, &ep->ip) && l->ep.proto == ep->proto && !l->gone)
            return l;
    }
    return NULL;
}

bool sip_is_us(const struct sip *s, uint8_t host_kind, const struct hg_ip *ip, uint16_t port)
{
    if (host_kind == SIP_HOST_NAME)
        return false;
    for (unsigned i = 0; i < s->nlisteners; i++) {
        const struct listener *l = &s->listener[i];
        if (l->ep.port == (port ? port : sip_default_port(l->ep.proto)) && hg_ip_eq(&l->ep.ip, ip) &&
            !l->gone)
            return true;
    }
    return false;
}

static const struct listener *listener_find(struct sip *s, const struct hg_endpoint *dst,
                                            const struct listener *like)
{
    const struct listener *same_ip = NULL, *same_family = NULL;
    struct net_path path;
    if (!net_path_find(s->net, &dst->ip, &path))
        return NULL;
    for (unsigned i = 0; i < s->nlisteners; i++) {
        const struct listener *l = &s->listener[i];
        if (l->service || l->ep.proto != dst->proto)
            continue;
        bool ip = hg_ip_eq(&l->ep.ip, &path.src);
        if (ip && (!like || l->ep.port == like->ep.port))
            return l;
        if (ip && !same_ip)
            same_ip = l;
        if (hg_ip_is4(&l->ep.ip) == hg_ip_is4(&dst->ip) && (!same_family || l == like))
            same_family = l;
    }
    return same_ip ? same_ip : same_family;
}

const struct listener *sip_listener_to(struct sip *s, const struct hg_endpoint *dst,
                                       const struct listener *like)
{
    uint64_t h = mix_fold(s->seed ^ hg_load64(dst->ip.b) ^ hg_load64(dst->ip.b + 8), MIX_WORD);
    struct sip_path *p = &s->path[(h + dst->proto + (like ? like->ep.port : 0)) % SIP_PATHS];
    if (p->out && hg_ip_eq(&p->dst, &dst->ip) && p->out->ep.proto == dst->proto &&
        (!like || p->out->ep.port == like->ep.port))
        return p->out;
    p->out = listener_find(s, dst, like);
    p->dst = dst->ip;
    return p->out;
}

struct rte_mbuf *sip_mbuf(struct sip *s, uint32_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(s->ctx->pool);
    if (m && rte_pktmbuf_tailroom(m) >= len)
        return m;
    rte_pktmbuf_free(m);
    m = rte_pktmbuf_alloc(s->ctx->pool_big);
    if (m && rte_pktmbuf_tailroom(m) >= len)
        return m;
    rte_pktmbuf_free(m);
    return NULL;
}

bool sip_send(struct sip *s, struct rte_mbuf *m, const struct hg_endpoint *src, const struct hg_endpoint *dst,
              uint64_t flow)
{
    if (unlikely(log_trace_filter(s->ctx) != NULL))
        trace_message(s, slice_of(rte_pktmbuf_mtod(m, char *), m->data_len), src, dst, true);
    ctx_count(s->ctx, HG_C_sip_sent);
    if (unlikely(dst->proto != HG_UDP))
        return flow_send(s, m, src, dst, flow);
    if (s->fenced)
        net_udp_send_fenced(s->net, m, src, dst);
    else
        net_udp_send(s->net, m, src, dst);
    return true;
}

static uint8_t own_node(const struct sip *s)
{
    struct hg_endpoint ep;
    bool self = false;
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (route_node(s->route, i, &ep, &self) && self)
            return (uint8_t)i;
    return s->node;
}

void sip_housekeeping(struct sip *s)
{
    s->fenced = false;
    s->node = own_node(s);
    overload_measure(s);
    memset(s->path, 0, sizeof(s->path)); /* routes and addresses may have changed */
    probe_send_due(s);
    txns_gauges(s);
    hg_gauge(s->ctx->counters, HG_C_sip_flows, slab_used(s->flows->slab));
}

void sip_drain(struct sip *s, bool on, uint32_t retry_after_s)
{
    s->draining = on;
    s->drain_retry_s = retry_after_s;
}

bool sip_busy(const struct sip *s)
{
    return txns_busy(s->txns);
}
