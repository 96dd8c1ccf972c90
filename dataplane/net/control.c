/* SPDX-License-Identifier: BSD-2-Clause */
/* The control plane's own datagrams: heartbeats over the network that users come from. They are for its port
 * on the address of the first listener, only from addresses of nodes, and wait here for the feed to take them
 * up. */
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "net/state.h"

#define CONTROL_RATE  4000 /* a second and core */
#define CONTROL_BURST 256

struct net_control {
    struct hg_endpoint local;
    unsigned npeers, n;
    struct hg_ip peer[HG_NODES_MAX];
    struct net_bucket bucket;
    struct net_control_datagram box[NET_CONTROL_BOX];
};

bool control_create(struct net *net, const struct hg_config *config)
{
    struct net_control *c = rte_zmalloc("net_control", sizeof(*c), 64);
    net->control = c;
    if (!c)
        return false;
    const struct hg_endpoint *sip = hg_config_first_sip(config);
    if (sip) {
        c->local = *sip;
        c->local.port = (uint16_t)config->ha_service_port;
        c->local.proto = HG_UDP;
    }
    return true;
}

void control_destroy(struct net *net)
{
    rte_free(net->control);
}

bool control_is(const struct net *net, const struct hg_ip *ip, uint16_t port)
{
    const struct net_control *c = net->control;
    return c->npeers && port == c->local.port && hg_ip_eq(ip, &c->local.ip);
}

static bool is_peer(const struct net_control *c, const struct hg_ip *ip)
{
    for (unsigned i = 0; i < c->npeers; i++)
        if (hg_ip_eq(&c->peer[i], ip))
            return true;
    return false;
}

unsigned control_input(struct net *net, const struct frame *f, uint16_t src_port, uint32_t len)
{
    struct net_control *c = net->control;
    if (!is_peer(c, &f->src))
        return HG_DROP_control_denied;
    if (len > HG_DATAGRAM_MAX || c->n == NET_CONTROL_BOX ||
        !bucket_take(&c->bucket, net->ctx->ms, CONTROL_RATE, CONTROL_BURST))
        return HG_DROP_control_rate;
    struct net_control_datagram *d = &c->box[c->n++];
    d->src = (struct hg_endpoint){.ip = f->src, .port = src_port, .proto = HG_UDP};
    d->length = len;
    memcpy(d->data, f->l4 + 8, len);
    return HG_C_net_control;
}

void net_control_peers(struct net *net, const struct hg_ip *ip, unsigned n)
{
    struct net_control *c = net->control;
    c->npeers = n < HG_NODES_MAX ? n : HG_NODES_MAX;
    memcpy(c->peer, ip, c->npeers * sizeof(*ip));
}

unsigned net_control_take(struct net *net, const struct net_control_datagram **out)
{
    unsigned n = net->control->n;
    *out = net->control->box;
    net->control->n = 0;
    return n;
}

bool net_control_send(struct net *net, const struct hg_endpoint *dst, const char *data, uint32_t length)
{
    struct rte_mbuf *m =
        net->control->local.port && length <= HG_DATAGRAM_MAX ? net_buffer(net, length) : NULL;
    if (!m)
        return false;
    memcpy(rte_pktmbuf_mtod(m, char *), data, length);
    net_udp_send(net, m, &net->control->local, dst);
    return true;
}
