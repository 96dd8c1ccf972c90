/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/assemble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "feed/core_feed.h"
#include "impl/segment.h"
#include "lib/log_out.h"
#include "net/stage.h"
#include "route/route.h"
#include "sip/sip.h"
#include "stream/stream.h"
#include "tcp/tcp.h"
#include "tls/tls.h"

/* One rule for all ports of the node: where a port spreads by RSS, everybody does as it does. */
static struct flow_home home_of(const struct core_setup *s)
{
    struct flow_home home = {.seed = s->boot, .cores = s->cores, .kind = FLOW_SOFTWARE};

    for (uint16_t i = 0; i < s->ports->n; i++)
        if (s->ports->port[i].rss && s->ports->port[i].rxq >= s->cores)
            home.kind = FLOW_TOEPLITZ;
    return home;
}

static void fill_ctx(struct core *core, const struct core_setup *s)
{
    struct ctx *c = &core->ctx;

    c->tsc_hz = s->tsc_hz;
    c->tsc = s->start_tsc;
    c->core = s->index;
    c->cores = s->cores;
    c->boot = s->boot;
    c->home = home_of(s);
    c->serve_until = s->segment ? &s->segment->header->serve_until : NULL;
    c->counters = core->area->counters;
    c->pool = s->pool;
    c->pool_big = s->pool_big;
    c->wheel = &core->wheel;
    c->ahead = &core->ahead;
    c->mail = &core->mail_out;
    c->config = s->config;
    if (getrandom(&c->rng, sizeof(c->rng), 0) != sizeof(c->rng) || c->rng == 0)
        c->rng = s->start_tsc | 1;
}

static bool create_tls(struct core *core, const struct core_setup *s)
{
    const struct hg_config *config = s->config;
    const struct tls_setup setup = {
        .shelf = s->shelf,
        .workers = s->workers,
        .connections_max = (uint32_t)config->tls_connections_max,
        .handshakes_max = (uint32_t)config->tls_handshakes_max,
        .handshake_ms = (uint32_t)config->tls_handshake_timeout_ms,
        .kept_max = (uint32_t)config->tls_kept_max,
        .kept_total = (uint32_t)config->tls_kept_memory_mb << 20,
    };

    return (core->tls = tls_create(&core->ctx, core->tcp, &setup)) != NULL;
}

static bool create_rooms(struct core *core, const struct core_setup *s)
{
    struct net_setup net = {.nports = core->nports, .config = s->config};

    for (uint16_t i = 0; i < core->nports; i++)
        net.port[i] = s->ports->port[i].net;
    core->ctx.log = s->segment ? log_out_create(s->segment, s->index) : log_out_create_null();
    if (core->ctx.log == NULL)
        return false;
    if ((core->net = net_create(&core->ctx, &net)) == NULL)
        return false;
    if ((core->tcp = tcp_create(&core->ctx, core->net)) == NULL)
        return false;
    if (s->shelf != NULL && !create_tls(core, s))
        return false;
    if ((core->stream = stream_create(&core->ctx, core->tcp, core->tls)) == NULL)
        return false;
    if ((core->route = route_create(&core->ctx, s->config, &s->secret)) == NULL)
        return false;
    if ((core->sip = sip_create(&core->ctx, core->net, core->route, core->stream)) == NULL)
        return false;
    if (s->segment == NULL)
        return true;
    net_gateway_watch(core->net);
    struct feed_setup feed = {.ctx = &core->ctx,
                              .segment = s->segment,
                              .images = s->images,
                              .net = core->net,
                              .route = core->route,
                              .sip = core->sip,
                              .tcp = core->tcp,
                              .stream = core->stream};
    return (core->feed = feed_init(&feed)) != NULL;
}

struct core *core_create(const struct core_setup *s)
{
    struct core *core = aligned_alloc(64, (sizeof(*core) + 63) & ~(size_t)63);

    if (core == NULL) {
        fprintf(stderr, "core %u: no memory\n", s->index);
        return NULL;
    }
    memset(core, 0, sizeof(*core));
    const struct hg_segment_core *seg = s->segment ? &s->segment->core[s->index] : NULL;
    core->area = seg ? seg->area : s->area;
    core->ctx.route_stats = seg ? seg->route_stats : s->route_stats;
    core->ctx.hop_stats = seg ? seg->hop_stats : s->hop_stats;
    core->ports = s->ports;
    core->stop = s->stop;
    core->nports = s->ports->n;
    fill_ctx(core, s);
    clock_start(&core->clock, s->tsc_hz, s->start_tsc);
    wheel_init(&core->wheel, 0);
    share_init(&core->share);
    mail_office_bind(s->office, s->index, &core->mail_out, &core->mail_in);
    for (uint16_t i = 0; i < core->nports; i++)
        port_bind(&s->ports->port[i], s->index, &core->port[i]);
    if (!create_rooms(core, s)) {
        fprintf(stderr, "core %u: cannot be set up; memory is short: see dataplane.memory\n", s->index);
        core_destroy(core);
        return NULL;
    }
    return core;
}

void core_destroy(struct core *core)
{
    if (core == NULL)
        return;
    for (uint16_t i = 0; i < core->nports; i++) {
        struct core_port *p = &core->port[i];
        rte_pktmbuf_free_bulk(p->poll, p->polled);
        queue_free(&p->queue);
        queue_free(&p->mailed);
        queue_free(&p->sprayed);
    }
    wheel_clear(&core->wheel); /* its entries lie in the rooms, which go one after the other */
    if (core->feed != NULL)
        feed_close(core->feed);
    if (core->sip != NULL)
        sip_destroy(core->sip);
    if (core->route != NULL)
        route_destroy(core->route);
    if (core->stream != NULL)
        stream_destroy(core->stream);
    tls_destroy(core->tls);
    if (core->tcp != NULL)
        tcp_destroy(core->tcp);
    if (core->net != NULL)
        net_destroy(core->net);
    if (core->ctx.log != NULL)
        log_out_destroy(core->ctx.log);
    free(core);
}
