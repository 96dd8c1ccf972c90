/* SPDX-License-Identifier: BSD-2-Clause */
/* The urgent lane: a heartbeat or a failover waits neither for the mapping of an image, nor for a sweep, nor
 * for a million users that stand in the plain ring. Each record stands for itself, so nothing has to be kept
 * in order with the tables; of a map that was lost the next one is asked for. */
#include <string.h>

#include "feed/core_feed_impl.h"
#include "lib/log_out.h"
#include "net/stage.h"

#define RECORDS_A_TURN 8

bool feed_urgent_open(struct feed_urgent *urgent, const struct hg_segment_core *core)
{
    if (!hg_ring_open(&urgent->down, core->urgent_down, HG_URGENT_CELLS) ||
        !hg_ring_open(&urgent->up, core->urgent_up, HG_URGENT_CELLS))
        return false;
    hg_ring_repair_consumer(&urgent->down);
    hg_ring_repair_producer(&urgent->up);
    return true;
}

static void lose(struct feed *feed)
{
    ctx_count(feed->setup.ctx, HG_C_feed_bad);
    feed->urgent.lost = true;
    feed_ask(feed);
}

/* false: delivered before, of a control plane that is gone, or behind a gap. Whoever resynchronises begins
 * with a map, or with a ping where there is none yet: with that the lane goes on. */
static bool in_order(struct feed *feed, const struct hg_record *r)
{
    struct feed_urgent *u = &feed->urgent;
    uint64_t epoch = HG_SEQ_EPOCH(r->seq), number = HG_SEQ_NUMBER(r->seq);
    const struct hg_segment_header *h = feed->setup.segment->header;
    bool whole = r->type == HG_DOWN_SERVING || r->type == HG_DOWN_PING;
    bool known = epoch != 0 && epoch <= atomic_load_explicit(&h->cp_epoch, memory_order_acquire);
    if (known && (epoch < u->epoch || (epoch == u->epoch && number <= u->number)))
        return false;
    bool next = known && number == (epoch == u->epoch ? u->number + 1 : 1);
    if (u->lost ? !known || !whole : !next) {
        if (!u->lost)
            lose(feed);
        return false;
    }
    u->epoch = epoch;
    u->number = number;
    return true;
}

static bool take(struct feed *feed, const struct hg_record *r)
{
    if (r->version != HG_RECORD_VERSION)
        return false;
    switch (r->type) {
    case HG_DOWN_PING:
        feed->urgent.lost = false;
        return r->length == sizeof(*r);
    case HG_DOWN_SERVING:
        feed->urgent.lost = false;
        return feed_take_serving(feed, r);
    case HG_DOWN_DATAGRAM:
        return feed_take_datagram(feed, r);
    default:
        return false;
    }
}

unsigned feed_urgent_turn(struct feed *feed)
{
    struct feed_urgent *u = &feed->urgent;
    struct ctx *c = feed->setup.ctx;
    struct hg_reader reader;
    unsigned n = 0;
    if (hg_ring_used(&u->down) == 0)
        return 0;
    hg_reader_begin(&reader, &u->down);
    for (; n < RECORDS_A_TURN; n++) {
        const struct hg_record *r = (const void *)feed->buf;
        enum hg_take got = hg_reader_next(&reader, feed->buf);
        if (got == HG_TAKE_NONE)
            break;
        if (got == HG_TAKE_BROKEN) {
            lose(feed);
            continue;
        }
        if (!in_order(feed, r))
            continue;
        ctx_count(c, HG_C_feed_records);
        if (!take(feed, r)) {
            ctx_count(c, HG_C_feed_bad);
            log_number(c, HG_LOGID_feed_bad_record, r->type);
        }
    }
    hg_reader_end(&reader, &u->down);
    if (!u->lost && u->epoch)
        atomic_store_explicit(&feed->area->urgent_seq, HG_SEQ(u->epoch, u->number), memory_order_release);
    return n;
}

unsigned feed_tell_datagrams(struct feed *feed)
{
    struct feed_urgent *u = &feed->urgent;
    const struct net_control_datagram *d;
    unsigned n = net_control_take(feed->setup.net, &d);
    for (unsigned i = 0; i < n; i++) {
        alignas(8) char room[sizeof(struct hg_up_datagram) + HG_DATAGRAM_MAX];
        struct hg_up_datagram *out = (void *)room;
        uint32_t length = (uint32_t)sizeof(*out) + d[i].length;
        *out = (struct hg_up_datagram){.r = {.type = HG_UP_DATAGRAM,
                                             .version = HG_RECORD_VERSION,
                                             .length = length,
                                             .seq = u->up_number + 1},
                                       .tsc = feed->setup.ctx->tsc,
                                       .src = d[i].src,
                                       .length = d[i].length};
        memcpy(out->data, d[i].data, d[i].length);
        if (hg_ring_put(&u->up, out, length)) {
            u->up_number++;
            ctx_count(feed->setup.ctx, HG_C_up_records);
        } else {
            ctx_count(feed->setup.ctx, HG_C_control_lost);
        }
    }
    return n;
}
