/* SPDX-License-Identifier: BSD-2-Clause */
/* What the ports have received. Under load three bursts are on their way at once: one is asked for and its
 * heads are fetched, one has been steered and what stays of it is fetched, one is worked on. */
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "core/core.h"
#include "core/stage.h"
#include "core/steer.h"
#include "core/turn.h"

/* A core that gives frames away asks for more, because small bursts are dear. */
static unsigned rx_wanted(const struct core *core)
{
    return core_is_hot(core) ? CORE_POLL : CORE_BURST;
}

static void rx_poll(struct core *core, struct core_port *p)
{
    unsigned wanted = rx_wanted(core);

    p->polled = rte_eth_rx_burst(p->id, core->ctx.core, p->poll, (uint16_t)wanted);
    p->full = p->polled == wanted;
}

/* What was asked for is counted, and what stays here joins the queue. Returns how many frames came. */
static unsigned rx_steer(struct core *core, uint16_t port)
{
    struct core_port *p = &core->port[port];
    unsigned came = p->polled, bytes = 0;

    if (came == 0)
        return 0;
    uint64_t since = stage_begin(core);
    for (unsigned i = 0; i < came; i++)
        bytes += rte_pktmbuf_pkt_len(p->poll[i]);
    hg_count(core->ctx.counters, HG_C_rx_frames, came);
    hg_count(core->ctx.counters, HG_C_rx_bytes, bytes);
    for (unsigned at = 0; at < came; at += CORE_BURST) {
        unsigned n = RTE_MIN(came - at, (unsigned)CORE_BURST);
        if (core->ctx.cores > 1)
            n = steer_burst(core, port, p->poll + at, n, p->steer);
        queue_add(&p->queue, p->poll + at, n);
    }
    p->polled = 0;
    stage_end(core, HG_STAGE_rx, since, came);
    return came;
}

static unsigned rx_port(struct core *core, uint16_t port)
{
    struct core_port *p = &core->port[port];

    queue_begin(&p->queue);
    if (p->polled == 0 && queue_room(&p->queue) >= CORE_POLL)
        rx_poll(core, p);
    unsigned came = rx_steer(core, port);
    if (p->full && queue_room(&p->queue) + queue_due(&p->queue) >= CORE_POLL)
        rx_poll(core, p);
    ahead_set(&core->ahead.heads, p->poll, p->polled);
    return came + turn_queue(core, port, &p->queue, 0);
}

unsigned turn_rx(struct core *core)
{
    unsigned work = 0;
    bool full = false;

    for (uint16_t i = 0; i < core->nports; i++) {
        if (!core->port[i].rx)
            continue;
        work += rx_port(core, i);
        full |= core->port[i].full;
    }
    core->loaded = full;
    return work;
}
