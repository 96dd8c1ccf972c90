/* SPDX-License-Identifier: BSD-2-Clause */
/* What the core has to tell, and when it opens its listeners. */
#include <string.h>

#include "feed/core_feed_impl.h"
#include "lib/log_out.h"
#include "net/stage.h"
#include "sip/sip.h"

/* Every so many turns: hop states, and whether draining is over. */
#define TELL_MASK 31
/* Who lost its place asks again after this time. */
#define ASK_AGAIN_MS 1000

void feed_ask(struct feed *feed)
{
    feed->asked_ms = feed->setup.ctx->ms;
    feed->news |= NEWS_RESYNC;
}

void feed_open(struct feed *feed)
{
    const struct hg_segment *s = feed->setup.segment;
    if (feed->ready || !feed->whole ||
        atomic_load_explicit(&feed->area->image_generation, memory_order_relaxed) == 0)
        return;
    feed->ready = true;
    feed->news |= NEWS_READY;
    net_set_ready(feed->setup.net, true);
    /* The last core to get here sees all others done: each stored its own before it looks. */
    atomic_thread_fence(memory_order_seq_cst);
    for (unsigned i = 0; i < s->cores; i++)
        if (atomic_load_explicit(&s->core[i].area->applied_generation, memory_order_acquire) == 0 ||
            atomic_load_explicit(&s->core[i].area->image_generation, memory_order_acquire) == 0)
            return;
    atomic_store_explicit(&s->header->dp_ready, 1, memory_order_release);
}

static void tell(struct feed *feed, unsigned which, uint16_t type)
{
    struct hg_record r = {.type = type};
    if ((feed->news & which) && log_record(feed->setup.ctx, &r, sizeof(r)))
        feed->news &= ~which;
}

static unsigned tell_hops(struct feed *feed)
{
    struct ctx *c = feed->setup.ctx;
    if (feed->nevents == 0)
        feed->nevents = route_take_events(feed->setup.route, feed->event, EVENTS_MAX);
    unsigned sent = 0;
    while (sent < feed->nevents) {
        const struct route_event *e = &feed->event[sent];
        if (!log_hop_state(c, e->hop_slot, e->state, &e->ep))
            break;
        if (e->state == HOP_DOWN)
            log_endpoint_numbers(c, HG_LOGID_hop_down, &e->ep, e->probes,
                                 (uint64_t)(e->failures - e->probes));
        else if (e->state == HOP_UP)
            log_endpoint(c, HG_LOGID_hop_up, &e->ep);
        sent++;
    }
    feed->nevents -= sent;
    memmove(feed->event, feed->event + sent, feed->nevents * sizeof(feed->event[0]));
    return sent;
}

unsigned feed_tell(struct feed *feed)
{
    if (feed->news) {
        tell(feed, NEWS_RESYNC, HG_UP_RESYNC);
        tell(feed, NEWS_READY, HG_UP_READY);
        tell(feed, NEWS_DRAINED, HG_UP_DRAINED);
    }
    unsigned told = feed_tell_connections(feed);
    if (++feed->turn & TELL_MASK)
        return told;
    if (feed->lost && feed->setup.ctx->ms - feed->asked_ms >= ASK_AGAIN_MS)
        feed_ask(feed);
    if (feed->draining && !feed->drained && !sip_busy(feed->setup.sip)) {
        feed->drained = true;
        feed->news |= NEWS_DRAINED;
    }
    log_trace_expire(feed->setup.ctx);
    hg_gauge(feed->setup.ctx->counters, HG_C_down_depth, hg_ring_used(&feed->ring));
    return told + tell_hops(feed);
}
