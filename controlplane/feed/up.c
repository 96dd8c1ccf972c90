/* SPDX-License-Identifier: BSD-2-Clause */
/* Draining the up rings. Whatever a record says is checked before it is believed. */
#include <stddef.h>
#include <string.h>

#include "feed/feed_impl.h"

#define RECORDS_A_POLL 256 /* per core */
#define HOP_STATES     3   /* enum hop_state of the dataplane: unknown, up, down */

static bool printable(const char *text, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    return true;
}

static bool take_log(struct feed *feed, unsigned core, const struct hg_record *r)
{
    const struct hg_up_log *in = (const void *)r;
    const uint32_t head = offsetof(struct hg_up_log, text);
    struct feed_log log = {.core = core};
    if (r->length < head || in->id >= HG_LOGS_MAX || in->args > HG_LOG_ARGS_MAX)
        return false;
    uint32_t at = head;
    for (unsigned i = 0; i < in->args; i++) {
        const char *p = (const char *)r + at;
        uint32_t len = at < r->length ? (uint8_t)*p : 0;
        if (at >= r->length || len > r->length - at - 1 || len > HG_LOG_ARG_MAX || !printable(p + 1, len))
            return false;
        log.arg[i] = slice_of(p + 1, len);
        at += 1 + len;
    }
    if (at != r->length)
        return false;
    log.tsc = in->tsc;
    log.id = (enum hg_log_id)in->id;
    log.suppressed = in->suppressed;
    log.nargs = in->args;
    if (feed->on.on_log)
        feed->on.on_log(feed->ctx, &log);
    return true;
}

static bool take_hop_state(struct feed *feed, unsigned core, const struct hg_record *r)
{
    const struct hg_up_hop_state *in = (const void *)r;
    if (r->length != sizeof(*in) || in->hop_slot >= feed->segment.hop_slots || in->state >= HOP_STATES ||
        in->ep.proto > HG_TLS)
        return false;
    if (feed->on.on_hop_state)
        feed->on.on_hop_state(feed->ctx, core, in->hop_slot, in->state, &in->ep);
    return true;
}

static bool take_trace(struct feed *feed, unsigned core, const struct hg_record *r)
{
    const struct hg_up_trace *in = (const void *)r;
    const uint32_t head = offsetof(struct hg_up_trace, message);
    if (r->length < head || r->length - head > HG_TRACE_CUT_MAX || in->full_length < r->length - head ||
        in->full_length > HG_MESSAGE_MAX || in->outgoing > 1 || in->src.proto > HG_TLS ||
        in->dst.proto > HG_TLS)
        return false;
    if (feed->on.on_trace)
        feed->on.on_trace(feed->ctx, core, in, slice_of(in->message, r->length - head));
    return true;
}

static bool take_connections(struct feed *feed, unsigned core, const struct hg_record *r)
{
    const struct hg_up_connections *in = (const void *)r;
    if (r->length < sizeof(*in) || in->n > HG_CONNECTIONS_PAGE || in->done > 1 ||
        r->length != sizeof(*in) + in->n * sizeof(in->row[0]))
        return false;
    for (uint32_t i = 0; i < in->n; i++)
        if (in->row[i].state >= HG_CONNECTION_STATES_N || in->row[i].local.proto > HG_TLS ||
            in->row[i].remote.proto > HG_TLS)
            return false;
    if (feed->on.on_connections)
        feed->on.on_connections(feed->ctx, core, in);
    return true;
}

static bool take_plain(struct feed *feed, unsigned core, const struct hg_record *r,
                       void (*handler)(void *ctx, unsigned core))
{
    if (r->length != sizeof(*r))
        return false;
    if (handler)
        handler(feed->ctx, core);
    return true;
}

static bool take_resync(struct feed *feed, unsigned core, const struct hg_record *r)
{
    if (r->length != sizeof(*r))
        return false;
    if (feed->core[core].others.begin) /* on its way already */
        return true;
    feed_message(feed, HG_LOG_WARNING, "core %u lost its place in the down ring and gets everything again",
                 core);
    feed_resync(feed, core);
    return true;
}

bool feed_take_up(struct feed *feed, unsigned core, const struct hg_record *r)
{
    if (r->version != HG_RECORD_VERSION)
        return false;
    switch (r->type) {
    case HG_UP_LOG:
        return take_log(feed, core, r);
    case HG_UP_HOP_STATE:
        return take_hop_state(feed, core, r);
    case HG_UP_TRACE:
        return take_trace(feed, core, r);
    case HG_UP_CONNECTIONS:
        return take_connections(feed, core, r);
    case HG_UP_READY:
        return take_plain(feed, core, r, feed->on.on_ready);
    case HG_UP_DRAINED:
        return take_plain(feed, core, r, feed->on.on_drained);
    case HG_UP_RESYNC:
        return take_resync(feed, core, r);
    default:
        return false;
    }
}

bool feed_drain_up(struct feed *feed, unsigned core)
{
    struct feed_core *c = &feed->core[core];
    struct hg_reader reader;
    unsigned n = 0;
    hg_reader_begin(&reader, &c->up);
    for (; n < RECORDS_A_POLL; n++) {
        enum hg_take got = hg_reader_next(&reader, feed->buf);
        if (got == HG_TAKE_NONE)
            break;
        const struct hg_record *r = (const void *)feed->buf;
        if (got == HG_TAKE_BROKEN) {
            c->bad_records++;
            continue;
        }
        /* Delivered before: somebody died between taking and releasing. A cry for help is heard whatever its
         * number. */
        if (r->type != HG_UP_RESYNC && r->seq <= c->up_seq && c->up_seq - r->seq < feed->segment.ring_cells)
            continue;
        uint64_t seq = r->seq;
        if (feed_take_up(feed, core, r))
            c->up_seq = seq; /* of what was believed only */
        else
            c->bad_records++;
    }
    hg_reader_end(&reader, &c->up);
    return n == RECORDS_A_POLL;
}
