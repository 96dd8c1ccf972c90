/* SPDX-License-Identifier: BSD-2-Clause */
#include "feed/feed.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed/feed_impl.h"

struct feed *feed_create(const char *node, const struct feed_handlers *handlers, void *ctx)
{
    struct feed *feed = NULL;
    if (strlen(node) > HG_NODE_NAME_MAX || posix_memalign((void **)&feed, 64, sizeof(*feed)) != 0)
        return NULL;
    memset(feed, 0, sizeof(*feed));
    feed->on = *handlers;
    feed->ctx = ctx;
    feed->segment.fd = -1;
    snprintf(feed->node_name, sizeof(feed->node_name), "%s", node);
    mirror_init(&feed->users);
    contacts_init(&feed->contacts);
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        feed->serving.node[i] = i;
    if (!mirror_reset(&feed->users, 0) || !contacts_reset(&feed->contacts, 0)) {
        mirror_free(&feed->users);
        free(feed);
        return NULL;
    }
    hg_segment_hello(node);
    return feed;
}

void feed_destroy(struct feed *feed)
{
    if (!feed)
        return;
    feed_detach(feed);
    hg_segment_goodbye(feed->node_name);
    mirror_free(&feed->users);
    contacts_free(&feed->contacts);
    for (unsigned i = 0; i < feed->nsettings; i++)
        free(feed->setting[i]);
    free(feed);
}

void feed_message(struct feed *feed, enum hg_log_level level, const char *format, ...)
{
    char text[HG_SEGMENT_ERROR + 128];
    va_list args;
    if (!feed->on.on_message)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    feed->on.on_message(feed->ctx, level, text);
}

static void beat(struct feed *feed)
{
    struct hg_segment_header *h = feed->segment.header;
    if (feed->now_ms - feed->beat_ms < BEAT_MS)
        return;
    feed->beat_ms = feed->now_ms;
    atomic_fetch_add_explicit(&h->cp_heartbeat, 1, memory_order_relaxed);
    for (unsigned i = 0; i < feed->segment.cores; i++) {
        struct feed_core *c = &feed->core[i];
        uint64_t now = atomic_load_explicit(&feed->segment.core[i].area->heartbeat, memory_order_relaxed);
        if (now != c->heartbeat) {
            if (c->told_stuck)
                feed_message(feed, HG_LOG_INFO, "core %u of the dataplane turns again", i);
            c->heartbeat = now;
            c->heartbeat_ms = feed->now_ms;
            c->told_stuck = false;
        } else if (!c->told_stuck && feed->now_ms - c->heartbeat_ms > ALIVE_MS) {
            c->told_stuck = true;
            feed_message(feed, HG_LOG_WARNING, "core %u of the dataplane has not turned for %u ms", i,
                         ALIVE_MS);
        }
    }
}

bool feed_poll(struct feed *feed, uint64_t now_ms)
{
    struct pace pace = pace_begin();
    bool more = false;
    feed->now_ms = now_ms;
    feed_look(feed);
    if (!feed->segment.header)
        return false;
    beat(feed);
    for (unsigned i = 0; i < feed->segment.cores; i++)
        more |= feed_urgent_poll(feed, i);
    feed->first_core++; /* nobody is always the last one, for whom there is no time */
    for (unsigned n = 0; n < feed->segment.cores; n++) {
        unsigned i = (feed->first_core + n) % feed->segment.cores;
        feed_settle(feed, i);
        more |= feed_fill(feed, i, &pace);
        more |= feed_drain_up(feed, i);
    }
    return contacts_free_some(&feed->contacts) || more;
}

/* ---- when is it in force ---- */

void feed_mark(const struct feed *feed, struct feed_token *token)
{
    *token = (struct feed_token){.attach = feed->segment.header ? feed->attaches : 0, .others = feed->change};
    token->serving = feed->serving_change;
    token->image = feed->image.change;
    for (unsigned i = 0; i < feed->segment.cores && feed->segment.header; i++) {
        token->users[i] = feed->users.queue[i].pushed;
        token->contacts[i] = feed->contacts.keys.queue[i].pushed;
    }
}

/* The change with which an image of that generation was set, 0 when it is not one of ours. */
static uint64_t image_change(const struct feed *feed, uint64_t generation)
{
    unsigned n = feed->nknown < IMAGES_KNOWN ? feed->nknown : IMAGES_KNOWN;
    for (unsigned i = 0; i < n; i++)
        if (feed->known[i].generation == generation)
            return feed->known[i].change;
    return 0;
}

bool feed_core_whole(const struct feed *feed, unsigned core)
{
    const struct feed_core *c = &feed->core[core];
    uint64_t applied =
        atomic_load_explicit(&feed->segment.core[core].area->applied_seq, memory_order_acquire);
    return c->state == CORE_LIVE && applied >= c->end_seq;
}

enum feed_progress feed_applied(const struct feed *feed, const struct feed_token *token,
                                unsigned *lagging_core)
{
    unsigned ignored;
    bool refused = false;
    if (!lagging_core)
        lagging_core = &ignored;
    *lagging_core = 0;
    if (!feed->segment.header)
        return FEED_PENDING;
    if (token->attach && token->attach != feed->attaches)
        return FEED_LOST;
    /* A dataplane that serves already may wait long for the end of users, when the record is away. What was
     * set since the attach is in force on it all the same; only a core that lost its place may have lost
     * that, too. */
    bool early = token->attach && !feed->users_loaded &&
                 atomic_load_explicit(&feed->segment.header->dp_ready, memory_order_acquire);
    for (unsigned i = 0; i < feed->segment.cores; i++) {
        const struct feed_core *c = &feed->core[i];
        bool count = feed_core_whole(feed, i) || (early && !c->again);
        if (!count || c->users_applied < token->users[i] || c->contacts_applied < token->contacts[i] ||
            c->others_applied < token->others || !feed_serving_in_force(feed, i, token->serving)) {
            *lagging_core = i;
            return FEED_PENDING;
        }
    }
    for (unsigned i = 0; i < feed->segment.cores && !refused; i++) {
        uint64_t generation =
            atomic_load_explicit(&feed->segment.core[i].area->image_generation, memory_order_acquire);
        refused = token->image && image_change(feed, generation) < token->image;
        if (refused)
            *lagging_core = i;
    }
    return refused ? FEED_REFUSED : FEED_APPLIED;
}

bool feed_image_served(const struct feed *feed, uint64_t generation)
{
    uint64_t change = image_change(feed, generation);
    if (!feed->segment.header || change == 0)
        return change != 0;
    for (unsigned i = 0; i < feed->segment.cores; i++)
        if (feed->core[i].others_applied < change)
            return false;
    return true;
}

/* ---- what is known of the dataplane ---- */

const struct hg_segment *feed_segment(const struct feed *feed)
{
    return feed->segment.header ? &feed->segment : NULL;
}

static uint64_t heartbeat_age(const struct feed *feed, unsigned core)
{
    return feed->now_ms - feed->core[core].heartbeat_ms;
}

bool feed_dp_ready(const struct feed *feed)
{
    if (!feed->segment.header || !hg_segment_dp_lives(&feed->segment) ||
        atomic_load_explicit(&feed->segment.header->dp_ready, memory_order_acquire) == 0)
        return false;
    for (unsigned i = 0; i < feed->segment.cores; i++)
        if (heartbeat_age(feed, i) > ALIVE_MS)
            return false;
    return true;
}

bool feed_core_status(const struct feed *feed, unsigned core, struct feed_core_status *out)
{
    if (!feed->segment.header || core >= feed->segment.cores)
        return false;
    const struct feed_core *c = &feed->core[core];
    const struct hg_core_area *a = feed->segment.core[core].area;
    *out = (struct feed_core_status){
        .alive = heartbeat_age(feed, core) <= ALIVE_MS && hg_segment_dp_lives(&feed->segment),
        .heartbeat_age_ms = heartbeat_age(feed, core),
        .applied_seq = atomic_load_explicit(&a->applied_seq, memory_order_acquire),
        .sent_seq = HG_SEQ(feed->epoch, c->number),
        .applied_generation = atomic_load_explicit(&a->applied_generation, memory_order_acquire),
        .image_generation = atomic_load_explicit(&a->image_generation, memory_order_acquire),
        .down_cells = hg_ring_used(&c->down),
        .up_cells = hg_ring_used(&c->up),
        .ring_cells = feed->segment.ring_cells,
        .dirty = mirror_waiting(&feed->users, core) + mirror_waiting(&feed->contacts.keys, core),
        .resyncing = !feed_core_whole(feed, core),
        .bad_records = c->bad_records,
    };
    return true;
}
