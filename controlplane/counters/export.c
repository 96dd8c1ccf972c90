/* SPDX-License-Identifier: BSD-2-Clause */
#include "counters/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane.h"
#include "counters/hset.h"
#include "counters/names.h"
#include "counters/view.h"
#include "feed/feed.h"
#include "hg/stages.h"

#define NAMED_TURN 20000 /* routes or hops looked at in one second at most */
#define KEY_MAX    400

struct sent_route {
    char name[64];
    struct hg_route_stats stats;
};

struct sent_hop {
    struct hg_endpoint ep;
    struct hg_hop_stats stats;
};

struct export
{
    struct controlplane *cp;
    struct hset hset;
    char key[4][KEY_MAX]; /* counters, cycles, routes, hops */
    uint64_t *values;     /* [cores + 1][HG_COUNTERS_MAX]: total, then core by core */
    uint64_t *buckets;    /* [cores + 1][HG_STAGES][HG_HISTOGRAM] */
    unsigned cores;
    struct sent_route *routes;
    uint32_t nroutes, route_at;
    struct sent_hop *hops; /* [HG_HOP_SLOTS] */
    unsigned unanswered;
    bool whole; /* everything has to be sent, what is there is not known */
    uint64_t skipped, done;
};

enum { KEY_COUNTERS, KEY_CYCLES, KEY_ROUTES, KEY_HOPS };

static void on_answer(void *arg, const redisReply *reply, const char *error)
{
    struct export *e = arg;

    (void)reply;
    e->unanswered--;
    if (error)
        e->whole = true;
    else if (e->unanswered == 0)
        e->done++;
}

struct export *export_create(struct controlplane *cp)
{
    static const char *const suffix[4] = {"", ":cycles", ":routes", ":hops"};
    struct export *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->hops = calloc(HG_HOP_SLOTS, sizeof(e->hops[0]));
    if (!e->hops) {
        free(e);
        return NULL;
    }
    e->cp = cp;
    e->whole = true;
    e->hset.redis = cp->exports;
    e->hset.answer = on_answer;
    e->hset.arg = e;
    for (int i = 0; i < 4; i++)
        snprintf(e->key[i], KEY_MAX, "hg:{%s}:counters:%s%s", cp->config->cluster_id, cp->config->node_name,
                 suffix[i]);
    return e;
}

void export_free(struct export *e)
{
    if (!e)
        return;
    free(e->values);
    free(e->buckets);
    free(e->routes);
    free(e->hops);
    free(e);
}

void export_reset(struct export *e)
{
    if (e)
        e->whole = true;
}

uint64_t export_skipped(const struct export *e)
{
    return e->skipped;
}

uint64_t export_done(const struct export *e)
{
    return e->done;
}

static bool resize(struct export *e, unsigned cores)
{
    size_t nv = (size_t)(cores + 1) * HG_COUNTERS_MAX, nb = (size_t)(cores + 1) * HG_STAGES * HG_HISTOGRAM;
    uint64_t *values = malloc(nv * sizeof(uint64_t)), *buckets = malloc(nb * sizeof(uint64_t));

    if (!values || !buckets) {
        free(values);
        free(buckets);
        return false;
    }
    free(e->values);
    free(e->buckets);
    e->values = values;
    e->buckets = buckets;
    e->cores = cores;
    memset(values, 0xff, nv * sizeof(uint64_t));
    memset(buckets, 0, nb * sizeof(uint64_t)); /* a bucket that was never hit is left out */
    if (e->routes)
        memset(e->routes, 0, e->nroutes * sizeof(e->routes[0]));
    memset(e->hops, 0, HG_HOP_SLOTS * sizeof(e->hops[0]));
    return true;
}

static void counters(struct export *e, const struct hg_segment *s)
{
    for (unsigned id = 0; id < HG_COUNTERS_MAX; id++) {
        uint64_t v = view_total(s, id), *last = &e->values[id];
        if (v != *last)
            hset_u64(&e->hset, *last = v, "%s", hg_counter_info[id].name);
        for (unsigned c = 0; c < s->cores; c++) {
            v = view_counter(s, c, id);
            last = &e->values[(size_t)(c + 1) * HG_COUNTERS_MAX + id];
            if (v != *last)
                hset_u64(&e->hset, *last = v, "core%u.%s", c, hg_counter_info[id].name);
        }
    }
}

static void process(struct export *e, const struct hg_segment *s)
{
    struct hset *h = &e->hset;
    struct feed *feed = e->cp->feed;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    hset_u64(h, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000, "exported_ms");
    hset_u64(h, s != NULL, "dataplane_attached");
    hset_u64(h, feed_dp_ready(feed), "dataplane_ready");
    hset_u64(h, e->cp->draining, "draining");
    hset_u64(h, s ? s->cores : 0, "cores");
    hset_u64(h, e->skipped, "exports_skipped");
    for (unsigned i = 0; i < OWN_COUNTERS; i++)
        hset_u64(h, e->cp->own.v[i], "%s", own_info[i].name);
    for (unsigned c = 0; s && c < s->cores; c++) {
        struct feed_core_status st;
        if (!feed_core_status(feed, c, &st))
            continue;
        hset_u64(h, st.alive, "core%u.alive", c);
        hset_u64(h, st.heartbeat_age_ms, "core%u.heartbeat_age_ms", c);
        hset_u64(h, st.down_cells, "core%u.down_cells", c);
        hset_u64(h, st.up_cells, "core%u.up_cells", c);
        hset_u64(h, st.dirty, "core%u.down_dirty", c);
        hset_u64(h, st.applied_generation, "core%u.applied_generation", c);
        hset_u64(h, st.image_generation, "core%u.image_generation", c);
    }
}

static void cycles(struct export *e, const struct hg_segment *s)
{
    for (unsigned stage = 0; stage < HG_STAGE_COUNT; stage++) {
        for (unsigned b = 0; b < HG_HISTOGRAM; b++) {
            uint64_t sum = 0;
            for (unsigned c = 0; c < s->cores; c++) {
                uint64_t v = view_load(&s->core[c].area->histogram[stage][b]);
                uint64_t *last = &e->buckets[((size_t)(c + 1) * HG_STAGES + stage) * HG_HISTOGRAM + b];
                sum += v;
                if (v != *last)
                    hset_u64(&e->hset, *last = v, "core%u.%s.%u", c, hg_stage_info[stage].name, b);
            }
            uint64_t *last = &e->buckets[(size_t)stage * HG_HISTOGRAM + b];
            if (sum != *last)
                hset_u64(&e->hset, *last = sum, "%s.%u", hg_stage_info[stage].name, b);
        }
    }
}

static void drop_fields(struct export *e, const char *name, const char *const *what, unsigned n)
{
    char text[8][200];
    const char *fields[8];

    for (unsigned i = 0; i < n; i++) {
        snprintf(text[i], sizeof(text[i]), "%s.%s", name, what[i]);
        fields[i] = text[i];
    }
    hset_delete_fields(&e->hset, fields, n);
}

static void one_route(struct export *e, const struct hg_segment *s, uint32_t slot)
{
    static const char *const what[] = {"requests", "answered", "failed"};
    const char *name = names_route(e->cp, slot);
    struct sent_route *last = &e->routes[slot];
    struct hg_route_stats now;

    if (strcmp(name ? name : "", last->name) != 0) {
        if (last->name[0])
            drop_fields(e, last->name, what, 3);
        snprintf(last->name, sizeof(last->name), "%s", name ? name : "");
        memset(&last->stats, 0xff, sizeof(last->stats));
    }
    if (!name)
        return;
    view_route(s, slot, &now);
    if (now.requests != last->stats.requests)
        hset_u64(&e->hset, now.requests, "%s.requests", name);
    if (now.answered != last->stats.answered)
        hset_u64(&e->hset, now.answered, "%s.answered", name);
    if (now.failed != last->stats.failed)
        hset_u64(&e->hset, now.failed, "%s.failed", name);
    last->stats = now;
}

/* Round by round where there are very many: an export must stay a small part of a second. */
static void routes(struct export *e, const struct hg_segment *s)
{
    uint32_t slots = names_route_slots(e->cp);

    if (slots > s->route_slots)
        slots = s->route_slots;
    if (slots > e->nroutes) {
        struct sent_route *bigger = realloc(e->routes, slots * sizeof(bigger[0]));
        if (!bigger)
            return;
        memset(bigger + e->nroutes, 0, (slots - e->nroutes) * sizeof(bigger[0]));
        e->routes = bigger;
        e->nroutes = slots;
    }
    uint32_t n = e->nroutes < NAMED_TURN ? e->nroutes : NAMED_TURN;
    for (uint32_t i = 0; i < n && !e->hset.failed; i++) {
        if (e->route_at >= e->nroutes)
            e->route_at = 0;
        one_route(e, s, e->route_at++);
    }
}

static void one_hop(struct export *e, const struct hg_segment *s, uint32_t slot)
{
    static const char *const what[] = {"requests", "answered",      "failed", "retransmissions",
                                       "probes",   "probes_failed", "state"};
    struct sent_hop *last = &e->hops[slot];
    struct hg_endpoint none = {0}, ep = none;
    struct hg_hop_stats now;
    char name[HG_ENDPOINT_STRLEN];
    bool there = names_hop(e->cp, slot, &ep);

    if (!hg_endpoint_eq(&ep, &last->ep)) {
        if (!hg_endpoint_eq(&last->ep, &none)) {
            hg_endpoint_format(&last->ep, name);
            drop_fields(e, name, what, 7);
        }
        last->ep = ep;
        memset(&last->stats, 0xff, sizeof(last->stats));
    }
    if (!there)
        return;
    view_hop(s, slot, &now);
    hg_endpoint_format(&ep, name);
    const uint64_t *v = (const uint64_t *)&now, *l = (const uint64_t *)&last->stats;
    for (unsigned i = 0; i < 6; i++)
        if (v[i] != l[i])
            hset_u64(&e->hset, v[i], "%s.%s", name, what[i]);
    if (now.state != last->stats.state)
        hset_text(&e->hset, view_hop_state(now.state), "%s.state", name);
    last->stats = now;
}

void export_second(struct export *e)
{
    const struct hg_segment *s = feed_segment(e->cp->feed);
    struct hset *h = &e->hset;

    if (!redis_is_up(h->redis)) {
        e->whole = true;
        return;
    }
    if (e->unanswered) { /* Redis is slow: what counts on meanwhile goes with the next export */
        e->skipped++;
        return;
    }
    h->sent = 0;
    h->failed = false;
    h->n = 0;
    h->used = 0;
    if (e->whole || (s && s->cores != e->cores)) {
        if (!resize(e, s ? s->cores : 0))
            return;
        for (int i = 0; i < 4 && s; i++)
            hset_delete_key(h, e->key[i]);
        e->whole = false;
    }
    hset_begin(h, e->key[KEY_COUNTERS]);
    process(e, s);
    if (s) {
        counters(e, s);
        hset_begin(h, e->key[KEY_CYCLES]);
        cycles(e, s);
        hset_begin(h, e->key[KEY_ROUTES]);
        routes(e, s);
        hset_begin(h, e->key[KEY_HOPS]);
        for (uint32_t slot = 0; slot < HG_HOP_SLOTS; slot++)
            one_hop(e, s, slot);
    }
    hset_flush(h);
    if (h->failed)
        e->whole = true;
    e->unanswered = h->sent;
}
