/* SPDX-License-Identifier: BSD-2-Clause */
/* The turn: each stage runs over what the one before it left, and nobody calls upward. */
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "core/core.h"
#include "core/steer.h"
#include "feed.h"
#include "hg/stages.h"
#include "lib/prefetch.h"
#include "net/stage.h"
#include "route/route.h"
#include "sip/sip.h"

#define MAIL_BURST 64
#define TIMERS_MAX 256 /* a storm of timers is spread over turns */
#define BACKLOG                                                                                              \
    (2 * MAIL_BURST) /* mails that are no delay yet; of more each is half a microsecond of work              \
                      */
#define HOUSE_MASK  255
#define SAMPLE_MASK 15
#define RX_ROUNDS   4
#define RX_LEAST    8 /* that a port is asked for */

/* n samples of the mean cycles of one item. */
static void stage_sample(struct core *core, enum hg_stage stage, uint64_t since, unsigned n)
{
    uint64_t cycles = (rte_rdtsc() - since) / n;
    unsigned bucket = cycles > 1 ? 63 - (unsigned)__builtin_clzll(cycles) : 0;
    uint64_t *row = core->area->histogram[stage];

    if (bucket >= HG_HISTOGRAM)
        bucket = HG_HISTOGRAM - 1;
    hg_count(row, bucket, n);
}

static uint64_t stage_begin(const struct core *core)
{
    return core->sample ? rte_rdtsc() : 0;
}

static void stage_end(struct core *core, enum hg_stage stage, uint64_t since, unsigned n)
{
    if (core->sample && n > 0)
        stage_sample(core, stage, since, n);
}

static uint16_t port_send(const struct core_port *p, uint16_t queue, struct rte_mbuf **m, uint16_t n)
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

static void turn_sip(struct core *core, struct datagram *d, unsigned n)
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

    if (n == 0)
        return;
    uint64_t since = stage_begin(core);
    unsigned up = net_input(core->net, port, m, n, d);
    stage_end(core, HG_STAGE_net, since, n);
    for (unsigned i = 0; flags != 0 && i < up; i++)
        d[i].flags |= flags;
    turn_sip(core, d, up);
}

/* ---- mail ---- */

struct mailed_frames {
    unsigned n;
    struct rte_mbuf *m[CORE_BURST];
};

struct sorted_mail {
    unsigned datagrams;
    struct datagram datagram[CORE_BURST];
    struct mailed_frames frames[HG_PORTS_MAX], sprayed[HG_PORTS_MAX];
};

static void turn_mailed(struct core *core, uint16_t port, struct mailed_frames *f, bool sprayed)
{
    turn_frames(core, port, f->m, f->n, sprayed ? DATAGRAM_ALLOWED : 0);
    f->n = 0;
}

static void mail_rx_frame(struct core *core, struct sorted_mail *s, const struct mail *mail)
{
    bool sprayed = mail->kind == MAIL_RX_SPRAYED;

    if (mail->a >= core->nports) {
        rte_pktmbuf_free(mail->m);
        return;
    }
    struct mailed_frames *f = sprayed ? &s->sprayed[mail->a] : &s->frames[mail->a];
    f->m[f->n++] = mail->m;
    if (f->n == CORE_BURST)
        turn_mailed(core, mail->a, f, sprayed);
}

/* Sent on behalf of a core without a queue; that core has counted it as sent. */
static void mail_tx_frame(struct core *core, const struct mail *mail)
{
    struct rte_mbuf *m = mail->m;

    if (mail->a < core->nports && core->port[mail->a].tx &&
        port_send(&core->port[mail->a], core->ctx.core, &m, 1) == 1)
        return;
    ctx_count(&core->ctx, HG_C_tx_dropped);
    rte_pktmbuf_free(m);
}

static void mail_datagram(struct core *core, struct sorted_mail *s, const struct mail *mail)
{
    struct datagram *d = &s->datagram[s->datagrams++];

    memcpy(d, rte_mbuf_to_priv(mail->m), sizeof(*d));
    d->flags |= DATAGRAM_HANDED_OVER;
    if (s->datagrams == CORE_BURST) {
        turn_sip(core, s->datagram, CORE_BURST);
        s->datagrams = 0;
    }
}

static void mail_sort(struct core *core, struct sorted_mail *s, const struct mail *mail)
{
    switch (mail->kind) {
    case MAIL_RX_FRAME:
    case MAIL_RX_SPRAYED:
        mail_rx_frame(core, s, mail);
        break;
    case MAIL_TX_FRAME:
        mail_tx_frame(core, mail);
        break;
    case MAIL_NEIGHBOUR:
        if (mail->a < core->nports)
            net_neighbour_news(core->net, mail->a, mail->m);
        else
            rte_pktmbuf_free(mail->m);
        break;
    case MAIL_SIP_DATAGRAM:
        mail_datagram(core, s, mail);
        break;
    case MAIL_HOP_HEALTH:
        route_hop_mail(core->route, mail->a, mail->b);
        break;
    default:
        rte_pktmbuf_free(mail->m);
    }
}

static void mail_prefetch(const struct mail *mail)
{
    if (mail->m == NULL)
        return;
    prefetch_write(mail->m);
    if (mail->kind == MAIL_SIP_DATAGRAM)
        rte_prefetch0(rte_mbuf_to_priv(mail->m));
    else
        rte_prefetch0((const char *)mail->m + mail->b);
}

static unsigned turn_mail(struct core *core)
{
    struct mail mail[MAIL_BURST];
    struct sorted_mail s;

    if (core->ctx.cores == 1 && mail_depth(&core->mail_in) == 0)
        return 0;
    uint64_t since = stage_begin(core);
    unsigned n = mail_take(&core->mail_in, mail, MAIL_BURST);
    if (n == 0)
        return 0;
    s.datagrams = 0;
    for (uint16_t i = 0; i < core->nports; i++)
        s.frames[i].n = s.sprayed[i].n = 0;
    for (unsigned i = 0; i < n; i++)
        mail_prefetch(&mail[i]);
    for (unsigned i = 0; i < n; i++)
        mail_sort(core, &s, &mail[i]);
    stage_end(core, HG_STAGE_mail, since, n);
    hg_count(core->ctx.counters, HG_C_mail_received, n);
    for (uint16_t i = 0; i < core->nports; i++) {
        turn_mailed(core, i, &s.frames[i], false);
        turn_mailed(core, i, &s.sprayed[i], true);
    }
    turn_sip(core, s.datagram, s.datagrams);
    return n;
}

/* ---- the other stages ---- */

/* A burst of what stays here: a core that gives frames away asks again, because small bursts are dear. */
static unsigned rx_burst(struct core *core, uint16_t port, struct rte_mbuf **m, unsigned *came)
{
    const struct core_port *p = &core->port[port];
    unsigned kept = 0, frames = 0, bytes = 0;

    for (unsigned round = 0; round < RX_ROUNDS && CORE_BURST - kept >= RX_LEAST; round++) {
        struct rte_mbuf **at = m + kept;
        unsigned wanted = CORE_BURST - kept;
        unsigned n = rte_eth_rx_burst(p->id, core->ctx.core, at, (uint16_t)wanted);
        for (unsigned k = 0; k < n; k++)
            bytes += rte_pktmbuf_pkt_len(at[k]);
        frames += n;
        unsigned stay = core->ctx.cores > 1 && n > 0 ? steer_burst(core, port, at, n, p->steer) : n;
        kept += stay;
        core->loaded = n == wanted;
        if (n < wanted || stay == n)
            break;
    }
    *came = frames;
    if (frames > 0) {
        hg_count(core->ctx.counters, HG_C_rx_frames, frames);
        hg_count(core->ctx.counters, HG_C_rx_bytes, bytes);
    }
    return kept;
}

static unsigned turn_rx(struct core *core)
{
    unsigned work = 0;
    bool full = false;

    for (uint16_t i = 0; i < core->nports; i++) {
        struct rte_mbuf *m[CORE_BURST];
        unsigned came;
        if (!core->port[i].rx)
            continue;
        uint64_t since = stage_begin(core);
        unsigned kept = rx_burst(core, i, m, &came);
        stage_end(core, HG_STAGE_rx, since, came);
        full |= core->loaded;
        work += came;
        turn_frames(core, i, m, kept, 0);
    }
    core->loaded = full;
    return work;
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

/* Once a millisecond: how much of the time since the last one was work, and how much waits. */
static void load_publish(struct core *core)
{
    struct ctx *c = &core->ctx;
    uint64_t busy = c->counters[HG_C_core_busy_cycles];
    uint64_t past = c->tsc - core->load.tsc;
    unsigned load = past > 0 ? (unsigned)RTE_MIN((busy - core->load.busy_cycles) * 1000 / past, 1000u) : 0;
    unsigned waiting = c->cores > 1 ? mail_depth(&core->mail_in) : 0;

    if (waiting > BACKLOG)
        load += (waiting - BACKLOG) / 2;
    atomic_store_explicit(&core->mail_out.board[c->core].load, load, memory_order_relaxed);
    core->load = (struct core_load){.ms = c->ms, .tsc = c->tsc, .busy_cycles = busy};
}

unsigned core_turn(struct core *core)
{
    struct ctx *c = &core->ctx;

    clock_read(&core->clock, c);
    if (core->busy_since != 0) { /* this reading of the clock ends the turn before */
        hg_count(c->counters, HG_C_core_busy_cycles, c->tsc - core->busy_since);
        core->busy_since = 0;
    }
    if (c->ms != core->load.ms)
        load_publish(core);
    core->sample = (core->turns & SAMPLE_MASK) == 0;
    unsigned work = turn_mail(core);
    work += turn_rx(core);
    work += turn_timers(core);
    work += turn_feed(core);
    turn_tx(core);
    if ((++core->turns & HOUSE_MASK) == 0)
        core_house(core);
    turn_account(core, work);
    return work;
}
