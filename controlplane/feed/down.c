/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling the down rings: others before users, the newest value of each, as much as there is room for. */
#include <stddef.h>
#include <string.h>

#include "feed/feed_impl.h"

static bool others_clean(const struct others *o)
{
    return !o->begin && !o->nodes && !o->services && !o->settings[0] && !o->settings[1] && !o->image &&
           !o->drain && !o->trace && !o->connections;
}

/* The next record's header; the caller has filled the rest behind it in feed->buf. */
void feed_number(struct feed *feed, unsigned core, struct hg_record *r, uint16_t type, uint32_t length)
{
    *r = (struct hg_record){.type = type,
                            .version = HG_RECORD_VERSION,
                            .length = length,
                            .seq = HG_SEQ(feed->epoch, feed->core[core].number + 1)};
}

void feed_sent(struct feed *feed, unsigned core)
{
    struct feed_core *c = &feed->core[core];
    c->number++;
    if (others_clean(&c->others))
        c->others_sent = feed->change;
    struct checkpoint *k = &c->check[c->check_in++ & (feed->segment.ring_cells - 1)];
    *k = (struct checkpoint){.seq = HG_SEQ(feed->epoch, c->number),
                             .users = feed->users.queue[core].popped,
                             .contacts = feed->contacts.keys.queue[core].popped,
                             .others = c->others_sent};
}

/* Every record takes a cell at least, so checkpoints of what a core has not applied yet fit, but for those it
 * has released and not yet published: leave some room. */
bool feed_room(const struct feed *feed, unsigned core)
{
    const struct feed_core *c = &feed->core[core];
    return c->check_in - c->check_out < feed->segment.ring_cells;
}

bool feed_put(struct feed *feed, unsigned core, void *record, uint16_t type, uint32_t length)
{
    feed_number(feed, core, record, type, length);
    return feed_room(feed, core) && hg_ring_put(&feed->core[core].down, record, length);
}

static bool put_begin(struct feed *feed, unsigned core)
{
    struct hg_segment_header *h = feed->segment.header;
    struct hg_down_begin out = {.generation =
                                    atomic_load_explicit(&h->cp_generation, memory_order_relaxed) + 1};
    if (!feed_put(feed, core, &out, HG_DOWN_BEGIN, sizeof(out)))
        return false;
    atomic_store_explicit(&h->cp_generation, out.generation, memory_order_release);
    return true;
}

static bool put_node(struct feed *feed, unsigned core, unsigned at)
{
    const struct feed_node *n = &feed->node[at];
    struct hg_down_node out = {
        .node = (uint16_t)at, .present = n->present, .self = n->self, .sip = n->sip, .pair = n->pair};
    memcpy(out.name, n->name, sizeof(out.name));
    return feed_put(feed, core, &out, HG_DOWN_NODE, sizeof(out));
}

static bool put_setting(struct feed *feed, unsigned core, unsigned at)
{
    const struct feed_setting *s = feed->setting[at];
    struct hg_down_setting *out = (void *)feed->buf;
    out->path_len = (uint16_t)strlen(s->path);
    out->value_len = (uint16_t)strlen(s->value);
    memcpy(out->text, s->path, out->path_len);
    memcpy(out->text + out->path_len, s->value, out->value_len);
    uint32_t length = (uint32_t)offsetof(struct hg_down_setting, text) + out->path_len + out->value_len;
    return feed_put(feed, core, out, HG_DOWN_SETTING, length);
}

static bool put_image(struct feed *feed, unsigned core)
{
    struct hg_down_image out = {.generation = feed->image.generation, .size = feed->image.size};
    memcpy(out.name, feed->image.name, sizeof(out.name));
    return feed_put(feed, core, &out, HG_DOWN_IMAGE, sizeof(out));
}

static bool put_drain(struct feed *feed, unsigned core)
{
    struct hg_down_drain out = {.on = feed->drain_on, .retry_after_s = feed->drain_retry_after_s};
    return feed_put(feed, core, &out, HG_DOWN_DRAIN, sizeof(out));
}

static bool put_trace(struct feed *feed, unsigned core)
{
    struct hg_down_trace out = feed->trace;
    return feed_put(feed, core, &out, HG_DOWN_TRACE, sizeof(out));
}

static bool put_connections(struct feed *feed, unsigned core)
{
    struct hg_down_connections out = feed->connections;
    return feed_put(feed, core, &out, HG_DOWN_CONNECTIONS, sizeof(out));
}

/* Sends one of the others; false when none is left or the ring is full. */
static bool fill_one(struct feed *feed, unsigned core)
{
    struct others *o = &feed->core[core].others;
    bool ok;
    if (o->begin) { /* before anything else */
        if ((ok = put_begin(feed, core)))
            o->begin = false;
    } else if (o->nodes) {
        unsigned at = (unsigned)__builtin_ctzll(o->nodes);
        if ((ok = put_node(feed, core, at)))
            o->nodes &= o->nodes - 1;
    } else if (o->services) {
        if ((ok = feed_put_service(feed, core, (unsigned)__builtin_ctzll(o->services))))
            o->services &= o->services - 1;
    } else if (o->settings[0] || o->settings[1]) {
        unsigned word = !o->settings[0];
        if ((ok = put_setting(feed, core, word * 64 + (unsigned)__builtin_ctzll(o->settings[word]))))
            o->settings[word] &= o->settings[word] - 1;
    } else if (o->drain) {
        if ((ok = put_drain(feed, core)))
            o->drain = false;
    } else if (o->trace) {
        if ((ok = put_trace(feed, core)))
            o->trace = false;
    } else if (o->connections) {
        if ((ok = put_connections(feed, core)))
            o->connections = false;
    } else if (o->image) { /* last, because the core waits for the mapping */
        if ((ok = put_image(feed, core)))
            o->image = false;
    } else {
        return false;
    }
    if (ok)
        feed_sent(feed, core);
    return ok;
}

static bool fill_users(struct feed *feed, unsigned core)
{
    struct hg_ring *ring = &feed->core[core].down;
    struct hg_down_users *out = (void *)feed->buf;
    uint64_t waiting = mirror_waiting(&feed->users, core);
    unsigned n = waiting < HG_DOWN_USERS_MAX ? (unsigned)waiting : HG_DOWN_USERS_MAX;
    uint32_t length = (uint32_t)(sizeof(*out) + n * sizeof(out->user[0]));
    struct hg_spans spans;
    /* room first: what is taken out of the queue counts as told */
    if (n == 0 || !feed_room(feed, core) || !hg_ring_reserve(ring, length, &spans))
        return false;
    out->n = mirror_take(&feed->users, core, out->user, n);
    out->pad = 0;
    feed_number(feed, core, &out->r, HG_DOWN_USERS, length);
    hg_spans_write(&spans, 0, out, length);
    hg_ring_commit(ring, length);
    feed_sent(feed, core);
    return true;
}

/* The end of a resynchronisation: when the users are all there and were sent, and an image. */
static bool fill_end(struct feed *feed, unsigned core)
{
    struct feed_core *c = &feed->core[core];
    struct hg_record out;
    if (c->state != CORE_SYNC || c->walking || !feed->users_loaded || feed->image.generation == 0 ||
        feed->users.queue[core].popped < c->users_end ||
        feed->contacts.keys.queue[core].popped < c->contacts_end || !others_clean(&c->others))
        return false;
    if (!feed_put(feed, core, &out, HG_DOWN_END, sizeof(out)))
        return false;
    c->state = CORE_LIVE;
    feed_sent(feed, core);
    c->end_seq = HG_SEQ(feed->epoch, c->number);
    return true;
}

/* A piece of what a core that lost its place has to be told again; END waits for all of it. */
static bool walk(struct feed *feed, unsigned core)
{
    struct feed_core *c = &feed->core[core];
    if (!c->walking)
        return false;
    bool more = mirror_dirty_some(&feed->users, core);
    more |= mirror_dirty_some(&feed->contacts.keys, core);
    c->walking = more;
    c->users_end = feed->users.queue[core].pushed;
    c->contacts_end = feed->contacts.keys.queue[core].pushed;
    return true;
}

bool feed_fill(struct feed *feed, unsigned core, struct pace *pace)
{
    bool any = walk(feed, core);
    while (fill_one(feed, core))
        any = true;
    if (feed->core[core].others.begin) /* the ring is full */
        return any;
    while (!pace_is_over_now(pace) && fill_users(feed, core))
        any = true;
    while (!pace_is_over_now(pace) && feed_fill_contacts(feed, core))
        any = true;
    return fill_end(feed, core) || any || pace_is_over_now(pace);
}

/* A core that applied what was never sent read something else than our records: it and we start over behind
 * it. */
static void overtaken(struct feed *feed, unsigned core, uint64_t applied)
{
    struct feed_core *c = &feed->core[core];
    if (HG_SEQ_EPOCH(applied) != feed->epoch)
        return;
    feed_message(feed, HG_LOG_WARNING,
                 "core %u applied records that were never sent and gets everything again", core);
    c->number = HG_SEQ_NUMBER(applied);
    feed_resync(feed, core);
}

void feed_settle(struct feed *feed, unsigned core)
{
    struct feed_core *c = &feed->core[core];
    uint64_t applied =
        atomic_load_explicit(&feed->segment.core[core].area->applied_seq, memory_order_acquire);
    if (applied > HG_SEQ(feed->epoch, c->number)) {
        overtaken(feed, core, applied);
        return;
    }
    while (c->check_out != c->check_in) {
        const struct checkpoint *k = &c->check[c->check_out & (feed->segment.ring_cells - 1)];
        if (k->seq > applied)
            break;
        c->users_applied = k->users;
        c->contacts_applied = k->contacts;
        c->others_applied = k->others;
        c->check_out++;
    }
}
