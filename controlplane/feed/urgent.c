/* SPDX-License-Identifier: BSD-2-Clause */
/* The urgent lane: the serving map and the control plane's own datagrams. A failover and a heartbeat wait
 * neither for a route image nor for users; in each poll this lane comes first. */
#include <stdalign.h>
#include <string.h>

#include "feed/feed_impl.h"

#define RECORDS_A_POLL 256

bool feed_urgent_attach(struct feed *feed, unsigned core)
{
    struct urgent *u = &feed->core[core].urgent;
    const struct hg_segment_core *s = &feed->segment.core[core];
    return hg_ring_open(&u->down, s->urgent_down, HG_URGENT_CELLS) &&
           hg_ring_open(&u->up, s->urgent_up, HG_URGENT_CELLS);
}

static uint64_t applied(const struct feed *feed, unsigned core)
{
    return atomic_load_explicit(&feed->segment.core[core].area->urgent_seq, memory_order_acquire);
}

/* ---- down ---- */

static bool put(struct feed *feed, unsigned core, void *record, uint16_t type, uint32_t length)
{
    struct urgent *u = &feed->core[core].urgent;
    *(struct hg_record *)record = (struct hg_record){.type = type,
                                                     .version = HG_RECORD_VERSION,
                                                     .length = length,
                                                     .seq = HG_SEQ(feed->epoch, u->number + 1)};
    if (!hg_ring_put(&u->down, record, length))
        return false;
    u->number++;
    return true;
}

static bool put_serving(struct feed *feed, unsigned core)
{
    enum { HOMES = HG_NODES_MAX - 1 };
    alignas(8) char room[sizeof(struct hg_down_serving) + HOMES * sizeof(struct hg_down_serves)];
    struct hg_down_serving *out = (void *)room;
    struct urgent *u = &feed->core[core].urgent;
    *out = (struct hg_down_serving){.epoch = feed->serving.epoch, .n = HOMES};
    for (uint16_t home = 1; home <= HOMES; home++)
        out->map[home - 1] = (struct hg_down_serves){.home = home, .serving = feed->serving.node[home]};
    if (!put(feed, core, out, HG_DOWN_SERVING, sizeof(room)))
        return false;
    u->serving = u->ping = false;
    u->serving_sent = feed->serving_change;
    u->serving_seq = HG_SEQ(feed->epoch, u->number);
    return true;
}

static bool put_ping(struct feed *feed, unsigned core)
{
    struct hg_record r;
    if (!put(feed, core, &r, HG_DOWN_PING, sizeof(r)))
        return false;
    feed->core[core].urgent.ping = false;
    return true;
}

bool feed_datagram_send(struct feed *feed, const struct hg_endpoint *dst, const void *data, uint32_t length)
{
    alignas(8) char room[sizeof(struct hg_down_datagram) + HG_DATAGRAM_MAX];
    struct hg_down_datagram *out = (void *)room;
    if (!feed->segment.header || length > HG_DATAGRAM_MAX || dst->port == 0)
        return false;
    *out = (struct hg_down_datagram){.dst = *dst, .length = length};
    memcpy(out->data, data, length);
    return put(feed, 0, out, HG_DOWN_DATAGRAM, (uint32_t)sizeof(*out) + length);
}

/* A core that applied what was never sent read something else than our records. */
static void overtaken(struct feed *feed, unsigned core)
{
    struct urgent *u = &feed->core[core].urgent;
    uint64_t seq = applied(feed, core);
    if (HG_SEQ_EPOCH(seq) != feed->epoch || HG_SEQ_NUMBER(seq) <= u->number)
        return;
    feed_message(feed, HG_LOG_WARNING,
                 "core %u applied urgent records that were never sent and gets everything again", core);
    u->number = HG_SEQ_NUMBER(seq);
    feed_resync(feed, core);
}

/* ---- up ---- */

static bool take_datagram(struct feed *feed, const struct hg_record *r)
{
    const struct hg_up_datagram *in = (const void *)r;
    if (r->length < sizeof(*in) || in->length > HG_DATAGRAM_MAX || r->length != sizeof(*in) + in->length ||
        in->src.proto != HG_UDP)
        return false;
    if (feed->on.on_datagram)
        feed->on.on_datagram(feed->ctx, &in->src, in->tsc, in->data, in->length);
    return true;
}

static bool drain(struct feed *feed, unsigned core)
{
    struct feed_core *c = &feed->core[core];
    struct hg_reader reader;
    unsigned n = 0;
    hg_reader_begin(&reader, &c->urgent.up);
    for (; n < RECORDS_A_POLL; n++) {
        enum hg_take got = hg_reader_next(&reader, feed->buf);
        const struct hg_record *r = (const void *)feed->buf;
        if (got == HG_TAKE_NONE)
            break;
        if (got == HG_TAKE_RECORD && r->seq <= c->urgent.up_seq &&
            c->urgent.up_seq - r->seq < HG_URGENT_CELLS)
            continue; /* delivered before: somebody died between taking and releasing */
        if (got == HG_TAKE_RECORD && r->version == HG_RECORD_VERSION && r->type == HG_UP_DATAGRAM &&
            take_datagram(feed, r))
            c->urgent.up_seq = r->seq;
        else
            c->bad_records++;
    }
    hg_reader_end(&reader, &c->urgent.up);
    return n == RECORDS_A_POLL;
}

bool feed_urgent_poll(struct feed *feed, unsigned core)
{
    struct urgent *u = &feed->core[core].urgent;
    overtaken(feed, core);
    /* no room: the next poll */
    if (u->serving)
        (void)put_serving(feed, core);
    else if (u->ping)
        (void)put_ping(feed, core);
    return drain(feed, core);
}

/* ---- when is the map in force ---- */

bool feed_serving_in_force(const struct feed *feed, unsigned core, uint64_t change)
{
    const struct urgent *u = &feed->core[core].urgent;
    return change == 0 || (!u->serving && u->serving_sent >= change && applied(feed, core) >= u->serving_seq);
}

void feed_serving_mark(const struct feed *feed, struct feed_serving_token *token)
{
    *token = (struct feed_serving_token){.attach = feed->segment.header ? feed->attaches : 0,
                                         .change = feed->serving_change};
}

enum feed_progress feed_serving_applied(const struct feed *feed, const struct feed_serving_token *token)
{
    if (!feed->segment.header)
        return FEED_PENDING;
    if (token->attach && token->attach != feed->attaches)
        return FEED_LOST;
    for (unsigned i = 0; i < feed->segment.cores; i++)
        if (!feed_serving_in_force(feed, i, token->change))
            return FEED_PENDING;
    return FEED_APPLIED;
}
