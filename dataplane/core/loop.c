/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's loop, its naps, and what is done only now and then. */
#include <time.h>

#include <rte_mempool.h>
#include <rte_pause.h>
#include <rte_ring.h>

#include "core/core.h"
#include "hg/config.h"
#include "hg/stages.h"
#include "lib/log_out.h"
#include "net/stage.h"
#include "route/route.h"
#include "sip/sip.h"
#include "stream/stream.h"
#include "tcp/tcp.h"
#include "tls/tls.h"

#define SPIN_TURNS  256  /* idle turns at full speed first: a request's answer is often near */
#define PAUSE_TURNS 1024 /* then with a pause, about a tenth of a microsecond each */
#define NAP_FIRST   8000 /* ns; doubles with every 32 idle turns */
#define NAP_LAST    64000

static void house_links(struct core *core)
{
    for (uint16_t i = 0; i < core->nports; i++) {
        struct core_port *p = &core->port[i];
        struct port *port = &core->ports->port[i];
        bool up = atomic_load_explicit(&port->up, memory_order_relaxed);
        if (up == p->up)
            continue;
        p->up = up;
        net_link(core->net, i, up);
        if (core->ctx.core != 0)
            continue;
        if (up)
            log_numbers(&core->ctx, HG_LOGID_link_up, i,
                        atomic_load_explicit(&port->speed, memory_order_relaxed));
        else
            log_number(&core->ctx, HG_LOGID_link_down, i);
    }
}

/* The first core tells what the main thread saw of the ports. */
static void house_losses(struct core *core)
{
    uint64_t missed = 0, no_mbuf = 0;

    for (uint16_t i = 0; i < core->nports; i++) {
        struct port *port = &core->ports->port[i];
        uint64_t n = atomic_load_explicit(&port->no_mbuf, memory_order_relaxed);
        missed += atomic_load_explicit(&port->missed, memory_order_relaxed);
        no_mbuf += n;
        if (n > core->port[i].no_mbuf)
            log_number(&core->ctx, HG_LOGID_pool_exhausted, i);
        core->port[i].no_mbuf = n;
    }
    hg_gauge(core->ctx.counters, HG_C_port_missed, missed);
    hg_gauge(core->ctx.counters, HG_C_port_no_mbuf, no_mbuf);
}

void core_house(struct core *core)
{
    struct ctx *c = &core->ctx;
    uint64_t *counters = c->counters;
    uint64_t since = rte_rdtsc();

    atomic_fetch_add_explicit(&core->area->heartbeat, 1, memory_order_relaxed);
    hg_gauge(counters, HG_C_timers, core->wheel.armed);
    hg_gauge(counters, HG_C_mail_depth, mail_depth(&core->mail_in));
    /* counting a pool looks into every core's cache: seldom is enough */
    if ((core->turns & 0xffff) == 0 || core->idle > SPIN_TURNS) {
        hg_gauge(counters, HG_C_mbuf_free, rte_mempool_avail_count(c->pool));
        hg_gauge(counters, HG_C_mbuf_big_free, rte_mempool_avail_count(c->pool_big));
    }
    house_links(core);
    if (c->core == 0)
        house_losses(core);
    net_service_house(core->net);
    net_health(core->net, core->area);
    tcp_housekeeping(core->tcp);
    if (core->tls != NULL)
        tls_housekeeping(core->tls);
    stream_housekeeping(core->stream);
    sip_housekeeping(core->sip);
    unsigned bucket = 63 - (unsigned)__builtin_clzll((rte_rdtsc() - since) | 1);
    hg_count(core->area->histogram[HG_STAGE_house], bucket < HG_HISTOGRAM ? bucket : HG_HISTOGRAM - 1, 1);
}

void core_nap(struct core *core, unsigned work)
{
    if (work > 0 || core->loaded) {
        core->idle = 0;
        return;
    }
    core->idle++;
    if (core->ctx.config->dp_polling == HG_POLLING_BUSY || core->idle < SPIN_TURNS)
        return;
    if (core->idle < PAUSE_TURNS) {
        rte_pause();
        return;
    }
    uint32_t doublings = (core->idle - PAUSE_TURNS) / 32;
    long ns = doublings >= 3 ? NAP_LAST : (long)NAP_FIRST << doublings;
    struct timespec nap = {.tv_nsec = ns};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
    ctx_count(&core->ctx, HG_C_core_naps);
}

void core_loop(struct core *core)
{
    while (!atomic_load_explicit(core->stop, memory_order_relaxed))
        core_nap(core, core_turn(core));
}
