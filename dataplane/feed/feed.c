/* SPDX-License-Identifier: BSD-2-Clause */
#include "feed/core_feed.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed/core_feed_impl.h"
#include "lib/log_out.h"
#include "net/stage.h"
#include "route/apply.h"
#include "route/route.h"
#include "sip/sip.h"
#include "stream/stream.h"

#define RECORDS_A_TURN        8 /* 512 users: some 25 us */
#define RECORDS_A_LOADED_TURN 2

struct feed *feed_init(const struct feed_setup *setup)
{
    unsigned core = setup->ctx->core;
    struct feed *feed = calloc(1, sizeof(*feed));
    if (!feed || core >= setup->segment->cores ||
        !hg_ring_open(&feed->ring, setup->segment->core[core].down, setup->segment->ring_cells) ||
        !feed_urgent_open(&feed->urgent, &setup->segment->core[core])) {
        fprintf(stderr, "hg-dataplane: core %u: no memory, or no down ring in the segment\n", core);
        free(feed);
        return NULL;
    }
    hg_ring_repair_consumer(&feed->ring);
    feed->setup = *setup;
    feed->area = setup->segment->core[core].area;
    feed->snapshot[0] = *setup->ctx->config;
    feed->snapshot[1] = *setup->ctx->config;
    return feed;
}

void feed_close(struct feed *feed)
{
    free(feed);
}

bool feed_ready(const struct feed *feed)
{
    return feed->ready;
}

static void publish(struct feed *feed)
{
    uint64_t seq = HG_SEQ(feed->epoch, feed->number);
    if (feed->epoch && seq != feed->published) {
        feed->published = seq;
        atomic_store_explicit(&feed->area->applied_seq, seq, memory_order_release);
    }
}

/* ---- order ---- */

/* Records come without gaps; anything else means that this core's place in the ring is lost, and with it what
 * the tables should be. All is asked for again, and until it comes the tables stay as they are. */
static void lose(struct feed *feed)
{
    ctx_count(feed->setup.ctx, HG_C_feed_bad);
    feed->lost = true;
    feed_ask(feed);
}

enum order { ORDER_NEXT, ORDER_OLD, ORDER_LOST };

static enum order order_of(struct feed *feed, const struct hg_record *r)
{
    uint64_t epoch = HG_SEQ_EPOCH(r->seq), number = HG_SEQ_NUMBER(r->seq);
    const struct hg_segment_header *h = feed->setup.segment->header;
    /* cp_epoch is raised before the first record of an epoch is committed */
    if (epoch == 0 || epoch > atomic_load_explicit(&h->cp_epoch, memory_order_acquire))
        return ORDER_LOST;
    if (epoch < feed->epoch || (epoch == feed->epoch && number <= feed->number))
        return ORDER_OLD;
    if (feed->lost)
        return r->type == HG_DOWN_BEGIN ? ORDER_NEXT : ORDER_OLD;
    if (epoch > feed->epoch)
        return number == 1 && r->type == HG_DOWN_BEGIN ? ORDER_NEXT : ORDER_LOST;
    return number == feed->number + 1 ? ORDER_NEXT : ORDER_LOST;
}

/* ---- one record ---- */

static bool take_image(struct feed *feed, const struct hg_record *r)
{
    if (r->length != sizeof(struct hg_down_image))
        return false;
    memcpy(&feed->wanted, r, sizeof(feed->wanted));
    if (feed->wanted.generation == 0)
        return false;
    images_ask(feed->setup.images, feed->setup.ctx->core, &feed->wanted);
    feed->state = FEED_WAIT_IMAGE;
    return true;
}

/* Into the snapshot that is not in force; both share the lists, which no setting changes. */
static bool take_setting(struct feed *feed, const struct hg_record *r)
{
    const struct hg_down_setting *s = (const void *)r;
    char path[SETTING_PATH_MAX + 1], value[SETTING_VALUE_MAX + 1];
    const uint32_t head = offsetof(struct hg_down_setting, text);
    if (r->length < head || s->path_len > SETTING_PATH_MAX || s->value_len > SETTING_VALUE_MAX ||
        r->length != head + s->path_len + s->value_len)
        return false;
    memcpy(path, s->text, s->path_len);
    memcpy(value, s->text + s->path_len, s->value_len);
    path[s->path_len] = value[s->value_len] = '\0';
    struct ctx *c = feed->setup.ctx;
    struct hg_config *fresh = &feed->snapshot[c->config == &feed->snapshot[0]];
    *fresh = *c->config;
    if (hg_config_set(fresh, path, value))
        return false;
    c->config = fresh;
    return true;
}

static bool take_drain(struct feed *feed, const struct hg_record *r)
{
    const struct hg_down_drain *d = (const void *)r;
    if (r->length != sizeof(*d) || d->on > 1 || d->retry_after_s > 86400)
        return false;
    struct hg_segment_header *h = feed->setup.segment->header;
    feed->draining = d->on;
    feed->drained = false;
    sip_drain(feed->setup.sip, d->on, d->retry_after_s);
    stream_drain(feed->setup.stream, d->on);
    atomic_store_explicit(&h->dp_draining, d->on, memory_order_relaxed);
    return true;
}

static bool take_trace(struct feed *feed, const struct hg_record *r)
{
    const struct hg_down_trace *t = (const void *)r;
    if (r->length != sizeof(*t))
        return false;
    if (t->on &&
        (t->count < 1 || t->count > HG_TRACE_COUNT_MAX || t->seconds < 1 || t->seconds > HG_TRACE_TIME_MAX ||
         t->rate < 1 || t->rate > HG_TRACE_RATE_MAX || t->method_len > sizeof(t->method) ||
         t->from_len > sizeof(t->from) || t->to_len > sizeof(t->to) || t->uri_len > sizeof(t->uri) ||
         t->call_id_len > sizeof(t->call_id) || t->peer.bits > 128))
        return false;
    log_trace_set(feed->setup.ctx, t);
    return true;
}

static bool take_begin(struct feed *feed, const struct hg_record *r)
{
    if (!route_apply_begin(feed->setup.route, r, r->length))
        return false;
    feed->lost = false;
    feed->records = 0;
    feed->news &= ~(unsigned)NEWS_RESYNC;
    return true;
}

static bool take_end(struct feed *feed, const struct hg_record *r)
{
    if (!route_apply_end(feed->setup.route, r, r->length))
        return false;
    feed->state = FEED_SWEEP;
    feed_cluster_changed(feed);
    return true;
}

static bool take(struct feed *feed, const struct hg_record *r)
{
    if (r->version != HG_RECORD_VERSION)
        return false;
    switch (r->type) {
    case HG_DOWN_BEGIN:
        return take_begin(feed, r);
    case HG_DOWN_END:
        return take_end(feed, r);
    case HG_DOWN_USERS:
        return route_apply_users(feed->setup.route, r, r->length);
    case HG_DOWN_NODE:
        return feed_take_node(feed, r);
    case HG_DOWN_IMAGE:
        return take_image(feed, r);
    case HG_DOWN_SETTING:
        return take_setting(feed, r);
    case HG_DOWN_DRAIN:
        return take_drain(feed, r);
    case HG_DOWN_TRACE:
        return take_trace(feed, r);
    case HG_DOWN_CONNECTIONS:
        return feed_take_connections(feed, r);
    case HG_DOWN_PING:
        return r->length == sizeof(*r);
    case HG_DOWN_CONTACTS:
        return route_apply_contacts(feed->setup.route, r, r->length);
    case HG_DOWN_SERVICE:
        return feed_take_service(feed, r);
    default:
        return false;
    }
}

void feed_take(struct feed *feed, const struct hg_record *r)
{
    struct ctx *c = feed->setup.ctx;
    switch (order_of(feed, r)) {
    case ORDER_OLD:
        return;
    case ORDER_LOST:
        if (!feed->lost)
            lose(feed);
        return;
    case ORDER_NEXT:
        break;
    }
    feed->epoch = HG_SEQ_EPOCH(r->seq);
    feed->number = HG_SEQ_NUMBER(r->seq);
    feed->records++;
    ctx_count(c, HG_C_feed_records);
    if (!take(feed, r)) {
        ctx_count(c, HG_C_feed_bad);
        log_number(c, HG_LOGID_feed_bad_record, r->type);
    }
}

/* ---- the turn ---- */

static unsigned turn_records(struct feed *feed, unsigned max)
{
    struct hg_reader reader;
    unsigned n = 0;
    hg_reader_begin(&reader, &feed->ring);
    while (n < max && feed->state == FEED_RUN) {
        enum hg_take got = hg_reader_next(&reader, feed->buf);
        if (got == HG_TAKE_NONE)
            break;
        n++;
        if (got == HG_TAKE_BROKEN)
            lose(feed);
        else
            feed_take(feed, (const struct hg_record *)feed->buf);
    }
    hg_reader_end(&reader, &feed->ring);
    if (n && feed->state == FEED_RUN)
        publish(feed);
    return n;
}

static unsigned turn_image(struct feed *feed)
{
    struct ctx *c = feed->setup.ctx;
    const void *base = NULL;
    const char *why = "";
    uint64_t size = 0;
    char text[LOG_TEXT_NUMBER];
    switch (images_poll(feed->setup.images, c->core, &base, &size, &why)) {
    case IMAGES_WAIT:
        return 0;
    case IMAGES_READY:
        route_image_set(feed->setup.route, base);
        images_in_force(feed->setup.images, c->core);
        hg_gauge(c->counters, HG_C_route_generation, feed->wanted.generation);
        atomic_store_explicit(&feed->area->image_generation, feed->wanted.generation, memory_order_release);
        break;
    case IMAGES_REFUSED:
        ctx_count(c, HG_C_feed_bad);
        log_event(c, HG_LOGID_image_refused, 2,
                  (struct slice[]){log_text_number(feed->wanted.generation, text), slice_str(why)});
        break;
    }
    feed->state = FEED_RUN;
    feed_open(feed);
    publish(feed);
    return 1;
}

static unsigned turn_sweep(struct feed *feed)
{
    struct ctx *c = feed->setup.ctx;
    if (!route_resync_sweep(feed->setup.route))
        return 1;
    uint64_t generation = route_resync_generation(feed->setup.route);
    atomic_store_explicit(&feed->area->applied_generation, generation, memory_order_release);
    feed->whole = true;
    feed->state = FEED_RUN;
    log_numbers(c, HG_LOGID_feed_resync, generation, feed->records);
    feed_open(feed);
    if (feed->ready)
        feed->news |= NEWS_READY;
    publish(feed);
    return 1;
}

unsigned feed_turn(struct feed *feed, bool loaded)
{
    unsigned n = feed_urgent_turn(feed) + feed_tell(feed) + feed_tell_datagrams(feed);
    switch (feed->state) {
    case FEED_WAIT_IMAGE:
        return n + turn_image(feed);
    case FEED_SWEEP:
        return n + turn_sweep(feed);
    case FEED_RUN:
        break;
    }
    return n + turn_records(feed, loaded ? RECORDS_A_LOADED_TURN : RECORDS_A_TURN);
}
