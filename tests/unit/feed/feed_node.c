/* SPDX-License-Identifier: BSD-2-Clause */
#include "feed_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed/core_feed.h"
#include "hg/config.h"
#include "feed/images.h"
#include "lib/log_out.h"
#include "lib/mailbox.h"
#include "net/stage.h"
#include "route/apply.h"
#include "route/route.h"
#include "sip/sip.h"
#include "tcp/tcp.h"

struct net {
    bool open;
    unsigned nservice, npeers, ninbox;
    struct net_service_address service[NET_SERVICE_MAX];
    struct hg_ip peer[HG_NODES_MAX];
    struct net_control_datagram inbox[NET_CONTROL_BOX], sent;
};

struct sip {
    bool draining, busy;
    unsigned nservice;
};

struct stream {
    bool draining;
    unsigned nservice;
};

struct tcp {
    unsigned n;
    struct tcp_info info[FEED_CONNECTIONS];
    bool killed[FEED_CONNECTIONS];
};

struct feed_node {
    struct hg_segment segment;
    struct images *images;
    struct hg_config *config;
    unsigned cores;
    struct ctx ctx[HG_CORES_MAX];
    struct net net[HG_CORES_MAX];
    struct sip sip[HG_CORES_MAX];
    struct stream stream[HG_CORES_MAX];
    struct tcp tcp[HG_CORES_MAX];
    struct route *route[HG_CORES_MAX];
    struct feed *feed[HG_CORES_MAX];
};

void net_set_ready(struct net *net, bool open)
{
    net->open = open;
}

void sip_drain(struct sip *sip, bool on, uint32_t retry_after_s)
{
    (void)retry_after_s;
    sip->draining = on;
}

void stream_drain(struct stream *s, bool on)
{
    s->draining = on;
}

bool tcp_walk(const struct tcp *t, uint32_t *at, uint32_t look, struct tcp_info *out, unsigned max,
              unsigned *found)
{
    *found = 0;
    for (; *at < t->n && look && *found < max; (*at)++, look--)
        if (!t->killed[*at])
            out[(*found)++] = t->info[*at];
    return *at < t->n;
}

void tcp_kill(struct tcp *t, tcp_id id)
{
    for (unsigned i = 0; i < t->n; i++)
        t->killed[i] |= t->info[i].id == id;
}

bool stream_service_set(struct stream *s, const struct hg_ip *ip, unsigned n)
{
    (void)ip;
    s->nservice = n;
    return true;
}

bool sip_busy(const struct sip *sip)
{
    return sip->busy;
}

bool sip_service_set(struct sip *sip, const struct hg_ip *ip, unsigned n)
{
    (void)ip;
    sip->nservice = n;
    return true;
}

bool net_service_set(struct net *net, const struct net_service_address *a, unsigned n)
{
    net->nservice = n;
    memcpy(net->service, a, n * sizeof(*a));
    return true;
}

void net_control_peers(struct net *net, const struct hg_ip *ip, unsigned n)
{
    net->npeers = n;
    memcpy(net->peer, ip, n * sizeof(*ip));
}

unsigned net_control_take(struct net *net, const struct net_control_datagram **out)
{
    unsigned n = net->ninbox;
    net->ninbox = 0;
    *out = net->inbox;
    return n;
}

bool net_control_send(struct net *net, const struct hg_endpoint *dst, const char *data, uint32_t length)
{
    net->sent = (struct net_control_datagram){.src = *dst, .length = length};
    memcpy(net->sent.data, data, length);
    return true;
}

bool mail_send(struct ctx *c, unsigned to_core, struct mail mail)
{
    (void)c, (void)to_core, (void)mail;
    return false;
}

static bool start_core(struct feed_node *n, unsigned i)
{
    struct ctx *c = &n->ctx[i];
    *c = (struct ctx){.core = (uint16_t)i,
                      .cores = (uint16_t)n->cores,
                      .tsc_hz = 1000000,
                      .config = n->config,
                      .rng = 1 + i};
    c->counters = n->segment.core[i].area->counters;
    c->route_stats = n->segment.core[i].route_stats;
    c->hop_stats = n->segment.core[i].hop_stats;
    c->log = log_out_create(&n->segment, i);
    n->route[i] = c->log ? route_create(c, n->config, &n->segment.header->secret) : NULL;
    if (!n->route[i])
        return false;
    struct feed_setup setup = {.ctx = c,
                               .segment = &n->segment,
                               .images = n->images,
                               .net = &n->net[i],
                               .route = n->route[i],
                               .sip = &n->sip[i],
                               .tcp = &n->tcp[i],
                               .stream = &n->stream[i]};
    n->feed[i] = feed_init(&setup);
    return n->feed[i] != NULL;
}

struct feed_node *feed_node_start(const char *node, unsigned cores, uint32_t ring_cells, int64_t users_max,
                                  char *error)
{
    struct feed_node *n = calloc(1, sizeof(*n));
    struct hg_segment_spec spec = {.node = node,
                                   .cores = cores,
                                   .ring_cells = ring_cells,
                                   .hop_slots = HG_HOP_SLOTS,
                                   .tsc_hz = 1000000,
                                   .boot = 1};
    n->config = hg_config_defaults();
    n->config->dp_users_max = users_max;
    n->config->dp_contacts_max = 4000;
    spec.route_slots = (uint32_t)(n->config->dp_routes_max = 1024);
    n->cores = cores;
    n->images = images_create(cores);
    if (!n->images || !hg_segment_create(&spec, &n->segment, error)) {
        n->segment.header = NULL;
        n->segment.fd = -1;
        feed_node_stop(n);
        return NULL;
    }
    for (unsigned i = 0; i < cores; i++)
        if (!start_core(n, i)) {
            snprintf(error, HG_SEGMENT_ERROR, "core %u", i);
            feed_node_stop(n);
            return NULL;
        }
    return n;
}

void feed_node_stop(struct feed_node *n)
{
    for (unsigned i = 0; i < n->cores; i++) {
        if (n->feed[i])
            feed_close(n->feed[i]);
        route_destroy(n->route[i]);
        log_out_destroy(n->ctx[i].log);
    }
    images_destroy(n->images);
    if (n->segment.header)
        hg_segment_destroy(&n->segment);
    hg_config_free(n->config);
    free(n);
}

unsigned feed_node_turn_core(struct feed_node *n, unsigned core)
{
    struct hg_core_area *a = n->segment.core[core].area;
    atomic_fetch_add_explicit(&a->heartbeat, 1, memory_order_relaxed);
    return feed_turn(n->feed[core], false);
}

unsigned feed_node_turn(struct feed_node *n)
{
    unsigned did = images_serve(n->images);
    for (unsigned i = 0; i < n->cores; i++)
        did += feed_node_turn_core(n, i);
    return did;
}

void feed_node_ms(struct feed_node *n, uint64_t ms)
{
    for (unsigned i = 0; i < n->cores; i++) {
        n->ctx[i].ms += ms;
        n->ctx[i].tsc += ms * 1000;
    }
}

const struct hg_segment *feed_node_segment(const struct feed_node *n)
{
    return &n->segment;
}

struct ctx *feed_node_ctx(struct feed_node *n, unsigned core)
{
    return &n->ctx[core];
}

uint16_t feed_node_user(struct feed_node *n, unsigned core, const struct hg_user_key *key)
{
    return route_user_find(n->route[core], key);
}

uint64_t feed_node_users(struct feed_node *n, unsigned core)
{
    return route_user_count(n->route[core]);
}

bool feed_node_has(struct feed_node *n, unsigned core, uint16_t node, uint16_t port)
{
    struct hg_endpoint ep;
    bool self;
    return route_node(n->route[core], node, &ep, &self) && ep.port == port;
}

bool feed_node_ready(struct feed_node *n, unsigned core)
{
    return feed_ready(n->feed[core]);
}

bool feed_node_open(struct feed_node *n, unsigned core)
{
    return n->net[core].open;
}

bool feed_node_draining(struct feed_node *n, unsigned core)
{
    return n->sip[core].draining && n->stream[core].draining;
}

void feed_node_connections(struct feed_node *n, unsigned core, unsigned connections)
{
    struct tcp *t = &n->tcp[core];
    memset(t, 0, sizeof(*t));
    for (t->n = 0; t->n < connections; t->n++)
        t->info[t->n] = (struct tcp_info){
            .id = 1000 * (core + 1) + t->n,
            .local = {.ip = hg_ip_from4(0x0100000a), .port = 5060},
            .remote = {.ip = hg_ip_from4(0x0200000a + (t->n % 2 << 24)), .port = (uint16_t)(t->n + 1)},
            .listener = TCP_LISTENER_NONE,
            .state = t->n % 3 ? TCP_ESTABLISHED : TCP_CLOSE_WAIT,
            .bytes_in = t->n,
        };
}

unsigned feed_node_killed(const struct feed_node *n, unsigned core)
{
    unsigned killed = 0;
    for (unsigned i = 0; i < n->tcp[core].n; i++)
        killed += n->tcp[core].killed[i];
    return killed;
}

void feed_node_busy(struct feed_node *n, bool busy)
{
    for (unsigned i = 0; i < n->cores; i++)
        n->sip[i].busy = busy;
}

unsigned feed_node_images(struct feed_node *n)
{
    return images_mapped(n->images);
}

struct route *feed_node_route(struct feed_node *n, unsigned core)
{
    return n->route[core];
}

unsigned feed_node_service(struct feed_node *n, unsigned core, const struct net_service_address **out)
{
    const struct net *net = &n->net[core];
    unsigned held = 0;
    *out = net->service;
    for (unsigned i = 0; i < net->nservice; i++)
        held += net->service[i].held;
    if (held != n->stream[core].nservice) /* connections are taken on those that are ours, and on no others */
        return UINT32_MAX;
    return n->sip[core].nservice == net->nservice ? net->nservice : 0;
}

bool feed_node_peer(struct feed_node *n, unsigned core, const struct hg_ip *ip)
{
    for (unsigned i = 0; i < n->net[core].npeers; i++)
        if (hg_ip_eq(&n->net[core].peer[i], ip))
            return true;
    return false;
}

void feed_node_receive(struct feed_node *n, unsigned core, const struct hg_endpoint *src, const char *text)
{
    struct net_control_datagram *d = &n->net[core].inbox[n->net[core].ninbox++];
    *d = (struct net_control_datagram){.src = *src, .length = (uint32_t)strlen(text)};
    memcpy(d->data, text, d->length);
}

const struct net_control_datagram *feed_node_sent(struct feed_node *n, unsigned core)
{
    return &n->net[core].sent;
}
