/* SPDX-License-Identifier: BSD-2-Clause */
/* The turn: each stage runs over what the one before it left, and nobody calls upward. */
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "core/core.h"
#include "core/stage.h"
#include "core/turn.h"
#include "feed/core_feed.h"
#include "lib/lease.h"
#include "net/stage.h"
#include "route/route.h"
#include "sip/sip.h"
#include "tcp/tcp.h"
#include "tls/tls.h"

#define TIMERS_MAX  256 /* a storm of timers is spread over turns */
#define HOUSE_MASK  255
#define SAMPLE_MASK 15

uint16_t port_send(const struct core_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
    uint16_t sent = 0;

    if (p->prepare)
        n = rte_eth_tx_prepare(p->id, queue, m, n);
    while (sent < n) {
        uint16_t took = rte_eth_tx_burst(p->id, queue, m + sent, (uint16_t)(n - sent));
        if (took == 0)
            break;
        sent = (uint16_t)(sent + took);
    }
    return sent;
}

static unsigned port_mail(struct core *core, uint16_t port, struct rte_mbuf **m, unsigned n)
{
    unsigned sent = 0;

    while (sent < n && mail_send(&core->ctx, core->port[port].tx_core,
                                 (struct mail){.kind = MAIL_TX_FRAME, .a = port, .m = m[sent]}))
        sent++;
    return sent;
}

static void turn_tx(struct core *core)
{
    for (uint16_t i = 0; i < core->nports; i++) {
        const struct core_port *p = &core->port[i];
        struct rte_mbuf **m;
        unsigned n = net_tx_take(core->net, i, &m);
        if (n == 0)
            continue;
        uint64_t since = stage_begin(core);
        unsigned sent = p->tx ? port_send(p, core->ctx.core, m, (uint16_t)n) : port_mail(core, i, m, n);
        net_tx_done(core->net, i, sent);
        stage_end(core, HG_STAGE_tx, since, n);
    }
}

void turn_sip(struct core *core, struct datagram *d, unsigned n)
{
    if (n == 0)
        return;
    uint64_t since = stage_begin(core);
    sip_input(core->sip, d, n);
    stage_end(core, HG_STAGE_sip, since, n);
    turn_tx(core);
}

static void turn_frames(struct core *core, uint16_t port, struct rte_mbuf **m, unsigned n, uint8_t flags)
{
    struct datagram d[CORE_BURST];
    struct segment s[CORE_BURST];
    struct net_up up = {.datagram = d, .segment = s};

    if (n == 0)
        return;
    uint64_t since = stage_begin(core);
    net_input(core->net, port, m, n, &up);
    stage_end(core, HG_STAGE_net, since, n);
    for (unsigned i = 0; flags != 0 && i < up.datagrams; i++)
        d[i].flags |= flags;
    turn_sip(core, d, up.datagrams);
    turn_segments(core, s, up.segments);
}

unsigned turn_queue(struct core *core, uint16_t port, struct frame_queue *q, uint8_t flags)
{
    struct ahead *ahead = &core->ahead;
    unsigned due = queue_due(q);

    ahead->fetched = q->fetched >= due;
    ahead_set(&ahead->whole, q->m + due, RTE_MIN(q->n - due, (unsigned)CORE_BURST));
    ahead->rested = 0;
    ahead->look_at = core_is_hot(core) ? core->hot_at + CORE_HEADERS : 0;
    turn_frames(core, port, q->m, due, flags);
    while (ahead->whole.at < ahead->whole.n || ahead->heads.at < ahead->heads.n)
        ahead_step(ahead);
    while (ahead->rested < ahead->whole.at)
        ahead_rest(ahead);
    ahead->fetched = false;
    queue_drop(q, due);
    core->load.frames += due;
    return due;
}

/* One by one: what the first one does may cancel, or free, those that are due in the same millisecond. */
static unsigned turn_timers(struct core *core)
{
    struct wheel_timer *t;
    unsigned work = 0;
    uint64_t since = stage_begin(core);

    while (work < TIMERS_MAX && wheel_advance(&core->wheel, core->ctx.ms, &t, 1) == 1) {
        work++;
        if (WHEEL_ROOM(t->kind) == WHEEL_NET)
            net_timers(core->net, &t, 1);
        else if (WHEEL_ROOM(t->kind) == WHEEL_SIP)
            sip_timers(core->sip, &t, 1);
        else if (WHEEL_ROOM(t->kind) == WHEEL_TCP)
            tcp_timers(core->tcp, &t, 1);
        else if (WHEEL_ROOM(t->kind) == WHEEL_TLS)
            tls_timers(core->tls, &t, 1);
    }
    stage_end(core, HG_STAGE_timers, since, work);
    return work;
}

static unsigned turn_feed(struct core *core)
{
    if (core->feed == NULL)
        return 0;
    uint64_t since = stage_begin(core);
    unsigned n = feed_turn(core->feed, core->loaded);
    stage_end(core, HG_STAGE_feed, since, n > 0);
    return n;
}

static void turn_account(struct core *core, unsigned work)
{
    struct ctx *c = &core->ctx;

    ctx_count(c, HG_C_core_turns);
    if (work == 0)
        return;
    ctx_count(c, HG_C_core_busy_turns);
    core->busy_since = c->tsc;
    if (core->sample)
        stage_sample(core, HG_STAGE_turn, c->tsc, 1);
}

/* Once a millisecond, for whoever gives frames away. */
static void tell_load(struct core *core)
{
    struct ctx *c = &core->ctx;
    unsigned waiting = c->cores > 1 ? mail_depth(&core->mail_in) : 0;
    unsigned load = load_tell(&core->load, c->ms, c->tsc, waiting);

    atomic_store_explicit(&core->mail_out.board[c->core].load, load, memory_order_relaxed);
}

/* This reading of the clock ends the turn before. */
static void account_last_turn(struct core *core)
{
    uint64_t took = core->ctx.tsc - core->busy_since;

    if (core->busy_since == 0)
        return;
    hg_count(core->ctx.counters, HG_C_core_busy_cycles, took);
    load_add(&core->load, took, core->loaded || core->mail_full);
    core->busy_since = 0;
}

unsigned core_turn(struct core *core)
{
    struct ctx *c = &core->ctx;

    clock_read(&core->clock, c);
    c->lease_over = lease_over_at(c, c->tsc);
    account_last_turn(core);
    if (c->ms != core->load.ms)
        tell_load(core);
    core->sample = (core->turns & SAMPLE_MASK) == 0;
    unsigned work = turn_mail(core);
    work += turn_rx(core);
    work += turn_timers(core);
    work += turn_streams(core);
    if (work) /* what was done under the old tables has left before "applied" is said of new ones */
        turn_tx(core);
    work += turn_feed(core);
    turn_tx(core);
    if ((++core->turns & HOUSE_MASK) == 0)
        core_house(core);
    turn_account(core, work);
    return work;
}
