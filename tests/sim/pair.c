/* SPDX-License-Identifier: BSD-2-Clause */
/* Time, and what has to hold at every moment. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair_impl.h"

uint64_t pair_random(struct pair *w)
{
    uint64_t z = (w->rng += 0x9e3779b97f4a7c15ull);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

uint64_t pair_below(struct pair *w, uint64_t n)
{
    return n > 0 ? pair_random(w) % n : 0;
}

void pair_say(const struct pair *w, const char *fmt, ...)
{
    va_list ap;

    printf("%12.6f ", (double)w->now / 1e9);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
}

/* ---- events: a heap of places in a pool ---- */
static bool before(const struct pair *w, uint32_t a, uint32_t b)
{
    const struct pair_event *x = &w->pool[a], *y = &w->pool[b];

    return x->at != y->at ? x->at < y->at : x->order < y->order;
}

static uint32_t place(struct pair *w)
{
    if (w->nidle > 0)
        return w->idle[--w->nidle];
    if (w->nheap == w->room) {
        w->room = w->room ? w->room * 2 : 256;
        w->pool = realloc(w->pool, w->room * sizeof(w->pool[0]));
        w->heap = realloc(w->heap, w->room * sizeof(w->heap[0]));
        w->idle = realloc(w->idle, w->room * sizeof(w->idle[0]));
    }
    return w->nheap;
}

void pair_at(struct pair *w, const struct pair_event *event)
{
    uint32_t e = place(w), i = w->nheap++;

    w->pool[e] = *event;
    w->pool[e].order = w->order++;
    w->heap[i] = e;
    for (; i > 0 && before(w, e, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = e;
}

static struct pair_event take(struct pair *w)
{
    uint32_t first = w->heap[0], last = w->heap[--w->nheap], i = 0;

    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= w->nheap)
            break;
        if (child + 1 < w->nheap && before(w, w->heap[child + 1], w->heap[child]))
            child++;
        if (!before(w, w->heap[child], last))
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = last;
    w->idle[w->nidle++] = first;
    return w->pool[first];
}

/* ---- what has to hold ---- */
static void no_two_owners(struct pair *w)
{
    uint8_t both = cores_serve(&w->node[0]) & cores_serve(&w->node[1]);

    if (both == 0)
        return;
    w->r->double_owner++;
    if (!w->broken)
        pair_say(w, "seed %llu: two nodes act for home slot %u", (unsigned long long)w->o.seed, both == 2);
    w->broken = true;
}

/* The record keeps what was acknowledged: whoever is master now has it, or something newer. */
static void nothing_lost(struct pair *w)
{
    int master = sim_redis_master(w->redis);

    if (w->o.lossy || master < 0 || !sim_redis_is_alive(w->redis, (unsigned)master))
        return;
    const struct sim_data *d = sim_redis_data(w->redis, (unsigned)master);
    struct record_version have = {d->term, d->seq};
    if (record_version_cmp(have, w->acknowledged) >= 0)
        return;
    w->r->lost_acknowledged++;
    if (!w->broken)
        pair_say(w, "seed %llu: an acknowledged write is lost", (unsigned long long)w->o.seed);
    w->broken = true;
}

static bool at_rest(const struct pair *w)
{
    struct srm_status a, b;
    uint8_t x = cores_serve(&w->node[0]), y = cores_serve(&w->node[1]);

    if (!node_runs(&w->node[0]) || !node_runs(&w->node[1]) || (x | y) != 3 || (x & y) != 0)
        return false;
    srm_status(w->node[0].srm, node_clock(&w->node[0]), &a);
    srm_status(w->node[1].srm, node_clock(&w->node[1]), &b);
    for (unsigned s = 0; s < 2; s++) {
        enum srm_state state = srm_entry_state(&a.entry, s);
        if (srm_in_transition(state) || state == STATE_FAILED_MODE || state == STATE_INITIALIZING)
            return false;
        if ((state == STATE_UNKNOWN || state == STATE_FAILED_SERVICES) && a.entry.row != ROW_F42)
            return false;
    }
    return a.entry.row != ROW_F41 && record_version_cmp(a.entry.version, b.entry.version) == 0;
}

/* ---- time ---- */
static void happen(struct pair *w, const struct pair_event *e)
{
    struct node *n = &w->node[e->slot];

    switch (e->kind) {
    case PE_TICK:
        if (n->alive && e->life == n->tick && n->paused_until <= w->now)
            node_event(n, &(struct srm_event){.type = SRM_TICK});
        break;
    case PE_WAKE:
        if (node_runs(n)) {
            node_services(n);
            cores_drain(n, 0, n->cores.life);
            node_event(n, &(struct srm_event){.type = SRM_TICK});
        }
        break;
    case PE_BEAT:
        wire_arrive(n, e->path, &e->beat);
        break;
    case PE_SEEN:
        if (node_runs(n))
            node_seen(n);
        else if (n->alive)
            pair_at(w, &(struct pair_event){.at = n->paused_until + 1, .kind = PE_SEEN, .slot = e->slot});
        break;
    case PE_LOOK:
        if (n->alive && e->life == n->boot) {
            if (node_runs(n))
                node_look(n);
            pair_at(w, &(struct pair_event){
                           .at = w->now + SECONDS(1), .kind = PE_LOOK, .slot = e->slot, .life = e->life});
        }
        break;
    case PE_DRAIN:
        cores_drain(n, e->n, e->life);
        break;
    case PE_START:
        node_boot(n);
        break;
    case PE_CORES:
        if (!n->cores.alive)
            cores_start(n);
        else
            node_services(n);
        break;
    }
}

/* Everything until then, from both queues, in order. */
void pair_until(struct pair *w, uint64_t until)
{
    for (;;) {
        uint64_t ours = w->nheap > 0 ? w->pool[w->heap[0]].at : UINT64_MAX, theirs = sim_redis_next(w->redis);
        uint64_t at = ours < theirs ? ours : theirs;
        if (at > until || w->broken)
            break;
        w->now = at > w->now ? at : w->now;
        w->r->events++;
        if (ours <= theirs) {
            struct pair_event e = take(w);
            happen(w, &e);
        } else {
            sim_redis_run(w->redis, w->now);
        }
        no_two_owners(w);
    }
    w->now = until;
    sim_redis_run(w->redis, w->now);
    nothing_lost(w);
}

static void describe(struct pair *w)
{
    char text[SRM_ENTRY_TEXT];
    struct srm_status s;

    const struct sim_data *d = sim_redis_data(w->redis, (unsigned)sim_redis_master(w->redis));
    const struct sim_text *there = sim_data_get(d, RECORD_HA, PAIR_FIELD);
    pair_say(w, "the record at %llu-%llu: %s", (unsigned long long)d->term, (unsigned long long)d->seq,
             there ? there->p : "no entry");
    for (unsigned i = 0; i < 2; i++) {
        struct node *n = &w->node[i];
        if (n->srm == NULL) {
            pair_say(w, "node %u does not run", i);
            continue;
        }
        srm_status(n->srm, node_clock(n), &s);
        srm_entry_text(&s.entry, text);
        pair_say(w, "node %u: %llu-%llu %s; holds %u serves %u heard %d record %d well %d left %.3f", i,
                 (unsigned long long)s.entry.version.term, (unsigned long long)s.entry.version.seq, text,
                 s.holds, cores_serve(n), s.peer_heard, s.record, s.well,
                 ((double)n->cores.until - (double)node_clock(n)) / 1e9);
    }
}

/* What cannot be understood, and nobody remembers: the alarm says that it is to be removed, once every lease
 * is over. */
static void mend_by_hand(struct pair *w)
{
    for (unsigned i = 0; i < 2; i++) {
        struct srm_status s;
        if (w->node[i].srm == NULL || !w->node[i].watch.told)
            return;
        srm_status(w->node[i].srm, node_clock(&w->node[i]), &s);
        if (!record_version_is_none(s.entry.version))
            return;
    }
    pair_hand(w, NULL);
}

/* Without faults everything comes to rest by itself: each user has one owner, and the row stays. */
static void healed(struct pair *w)
{
    uint64_t calm = 0, step = w->p.interval / 2;
    uint64_t end = w->now, limit = w->now + w->p.service_down_delay + 4 * w->p.move_timeout + SECONDS(60);

    pair_heal(w);
    while (w->now < limit && calm < 4 * w->p.timeout && !w->broken) {
        pair_until(w, w->now + step);
        calm = at_rest(w) ? calm + step : 0;
        if (w->now > end + 6 * w->p.lease)
            mend_by_hand(w);
    }
    unsigned lost = w->o.lossy ? 0 : pair_users_lost(w);
    for (unsigned i = 0; i < w->nwrites; i++)
        w->r->acknowledged += w->write[i].acknowledged;
    if (lost > 0) {
        pair_say(w, "seed %llu: %u acknowledged users are lost", (unsigned long long)w->o.seed, lost);
        w->r->lost_acknowledged += lost;
        w->broken = true;
    }
    if (w->broken || calm >= 4 * w->p.timeout)
        return;
    w->r->unowned++;
    w->broken = true;
    pair_say(w, "seed %llu: does not come to rest", (unsigned long long)w->o.seed);
    describe(w);
}

/* ---- a world ---- */
static const struct srm_params profiles[PAIR_PROFILES] = {
    [PAIR_DEFAULT] = {.interval = MS(1000),
                      .timeout = MS(3000),
                      .init_timeout = MS(6000),
                      .lease = MS(6000),
                      .guard = MS(500),
                      .service_down_delay = SECONDS(10),
                      .fallback_quiet = SECONDS(60),
                      .iteration = MS(1000),
                      .users_per_iteration = 25,
                      .automatic_failover = true,
                      .automatic_fallback = true},
    [PAIR_FAST] = {.interval = MS(100),
                   .timeout = MS(300),
                   .init_timeout = MS(600),
                   .lease = MS(300),
                   .guard = MS(50),
                   .service_down_delay = SECONDS(1),
                   .fallback_quiet = SECONDS(5),
                   .iteration = MS(1000),
                   .automatic_failover = true,
                   .automatic_fallback = true},
    [PAIR_WAN] = {.interval = MS(1000),
                  .timeout = MS(5000),
                  .init_timeout = MS(10000),
                  .lease = MS(10000),
                  .guard = MS(500),
                  .service_down_delay = SECONDS(10),
                  .fallback_quiet = SECONDS(60),
                  .iteration = MS(1000),
                  .automatic_failover = true},
};

static void lay_wire(struct pair *w)
{
    uint64_t delay = w->o.delay ? w->o.delay : w->o.profile == PAIR_WAN ? MS(40) : 100000;

    for (unsigned s = 0; s < 2; s++)
        for (unsigned p = 0; p < BEAT_PATHS; p++)
            w->wire[s][p] = (struct wire){
                .loss_permil = w->o.loss_permil, .double_permil = 5, .delay = delay, .jitter = delay / 4};
}

static void build(struct pair *w)
{
    struct sim_redis_options redis = {.seed = w->o.seed ^ 0x5eed,
                                      .servers = SERVERS,
                                      .delay = 200000,
                                      .jitter = 200000,
                                      .lag = 200000,
                                      .lag_jitter = MS(2),
                                      .tick = MS(20),
                                      .timeout_ms = w->o.profile == PAIR_FAST ? 200 : 1000,
                                      .replicas_min = 1};

    w->rng = w->o.seed;
    w->p = profiles[w->o.profile];
    w->p.move_timeout = 4 * (w->p.lease + w->p.guard) + 2 * w->p.init_timeout;
    w->redis = sim_redis_create(&redis);
    log_init(&w->log, -1, "sim");
    w->log.level = HG_LOG_ERROR;
    w->alarms.log = &w->log;
    lay_wire(w);
    for (unsigned i = 0; i < 2; i++) {
        struct node *n = &w->node[i];
        *n = (struct node){.w = w, .slot = i, .clock0 = pair_below(w, SECONDS(1000000))};
        n->p = w->p;
        n->drift_ppm = (int64_t)pair_below(w, 401) - 200;
        n->client = sim_client_create(w->redis);
        n->service[SERVICE_GATEWAY] = n->service[SERVICE_OTHER] = true;
        cores_start(n);
        node_boot(n);
    }
}

static void tear(struct pair *w)
{
    for (unsigned i = 0; i < 2; i++)
        node_crash(&w->node[i]);
    sim_redis_free(w->redis);
    sim_data_clear(&w->past);
    free(w->pool);
    free(w->heap);
    free(w->idle);
    log_close(&w->log);
}

struct pair *pair_open(const struct pair_options *options, struct pair_result *result)
{
    struct pair *w = calloc(1, sizeof(*w));

    w->o = *options;
    w->r = result;
    build(w);
    w->ha_wanted = w->o.hand;
    pair_until(w, SECONDS(2));
    node_event(&w->node[0], &(struct srm_event){.type = SRM_COMMAND, .u.command = {SRM_CMD_HA_ON, 0}});
    pair_until(w, w->now + 3 * w->p.init_timeout);
    return w;
}

void pair_close(struct pair *w)
{
    tear(w);
    free(w);
}

bool pair_run(const struct pair_options *options, struct pair_result *result)
{
    struct pair *w = pair_open(options, result);

    if (w->o.quiet_run > 0)
        pair_until(w, w->now + w->o.quiet_run);
    for (unsigned i = 0; i < w->o.faults && !w->broken; i++) {
        pair_fault(w);
        result->faults++;
        pair_until(w, w->now + pair_below(w, 3 * w->p.interval));
    }
    if (!w->broken)
        healed(w);
    result->time += w->now;
    bool good = !w->broken;
    pair_close(w);
    return good;
}
