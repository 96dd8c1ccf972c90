/* SPDX-License-Identifier: BSD-2-Clause */
/* What the control plane says of the cluster, and the datagrams that it sends to those of other nodes. */
#include "feed/core_feed_impl.h"
#include "lib/log_out.h"
#include "net/stage.h"
#include "route/apply.h"
#include "sip/sip.h"
#include "stream/stream.h"

static_assert(ROUTE_SERVICE_MAX <= NET_SERVICE_MAX, "net holds what route tells");

static void tell_service(struct feed *feed)
{
    struct route_service_address from[ROUTE_SERVICE_MAX];
    struct net_service_address to[ROUTE_SERVICE_MAX];
    struct hg_ip ip[ROUTE_SERVICE_MAX], held[ROUTE_SERVICE_MAX];
    unsigned nheld = 0, n = route_service_addresses(feed->setup.route, from);
    for (unsigned i = 0; i < n; i++) {
        to[i] = (struct net_service_address){.ip = from[i].net.ip, .held = from[i].held};
        ip[i] = from[i].net.ip;
        if (from[i].held)
            held[nheld++] = ip[i];
    }
    if (!sip_service_set(feed->setup.sip, ip, n) && feed->setup.ctx->core == 0)
        log_event(feed->setup.ctx, HG_LOGID_service_listeners_full, 0, NULL);
    if (!stream_service_set(feed->setup.stream, held, nheld) && feed->setup.ctx->core == 0)
        log_event(feed->setup.ctx, HG_LOGID_service_listeners_full, 0, NULL);
    if (!net_service_set(feed->setup.net, to, n) && feed->setup.ctx->core == 0)
        log_event(feed->setup.ctx, HG_LOGID_service_address_off_link, 0, NULL);
}

static void tell_peers(struct feed *feed)
{
    struct hg_ip peer[HG_NODES_MAX];
    struct hg_endpoint ep;
    unsigned n = 0;
    bool self = false;
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (route_node(feed->setup.route, i, &ep, &self) && !self)
            peer[n++] = ep.ip;
    net_control_peers(feed->setup.net, peer, n);
}

void feed_cluster_changed(struct feed *feed)
{
    tell_service(feed);
    tell_peers(feed);
}

bool feed_take_node(struct feed *feed, const struct hg_record *r)
{
    if (!route_apply_node(feed->setup.route, r, r->length))
        return false;
    feed_cluster_changed(feed);
    return true;
}

bool feed_take_serving(struct feed *feed, const struct hg_record *r)
{
    if (!route_apply_serving(feed->setup.route, r, r->length))
        return false;
    tell_service(feed);
    atomic_store_explicit(&feed->area->serving_epoch, route_serving_epoch(feed->setup.route),
                          memory_order_release);
    return true;
}

bool feed_take_service(struct feed *feed, const struct hg_record *r)
{
    if (!route_apply_service(feed->setup.route, r, r->length))
        return false;
    tell_service(feed);
    return true;
}

bool feed_take_datagram(struct feed *feed, const struct hg_record *r)
{
    const struct hg_down_datagram *d = (const void *)r;
    if (r->length < sizeof(*d) || d->length > HG_DATAGRAM_MAX || r->length != sizeof(*d) + d->length ||
        d->dst.port == 0 || d->dst.proto != HG_UDP)
        return false;
    if (net_control_send(feed->setup.net, &d->dst, d->data, d->length))
        ctx_count(feed->setup.ctx, HG_C_control_sent);
    return true; /* without a buffer it is lost, as on a wire */
}
