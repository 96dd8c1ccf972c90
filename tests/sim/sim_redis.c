/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock, and the servers with what goes wrong with them. */
#include <stdlib.h>
#include <string.h>

#include "sim_impl.h"

uint64_t sim_random(struct sim_redis *s)
{
    uint64_t z = (s->rng += 0x9e3779b97f4a7c15ull);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

uint64_t sim_spread(struct sim_redis *s, uint64_t base, uint64_t jitter)
{
    return base + (jitter ? sim_random(s) % jitter : 0);
}

/* ---- the queue of events: a heap by (at, order) ---- */
static bool before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void sim_schedule(struct sim_redis *s, struct sim_event event)
{
    if (s->nheap == s->heap_room) {
        s->heap_room = s->heap_room ? s->heap_room * 2 : 256;
        s->heap = realloc(s->heap, s->heap_room * sizeof(s->heap[0]));
    }
    event.order = s->order++;
    uint32_t i = s->nheap++;
    while (i > 0 && before(&event, &s->heap[(i - 1) / 2])) {
        s->heap[i] = s->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->heap[i] = event;
}

static struct sim_event take(struct sim_redis *s)
{
    struct sim_event first = s->heap[0], last = s->heap[--s->nheap];
    uint32_t i = 0;

    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= s->nheap)
            break;
        if (child + 1 < s->nheap && before(&s->heap[child + 1], &s->heap[child]))
            child++;
        if (!before(&s->heap[child], &last))
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = last;
    return first;
}

uint64_t sim_redis_next(const struct sim_redis *s)
{
    return s->nheap ? s->heap[0].at : UINT64_MAX;
}

/* ---- replication ---- */
static bool is_replica(const struct sim_redis *s, unsigned i, unsigned of)
{
    const struct sim_server *v = &s->server[i];

    return i != of && (int)of == s->master && v->alive && v->linked && !v->master;
}

unsigned sim_attached(const struct sim_redis *s, unsigned server)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->nservers; i++)
        n += is_replica(s, i, server);
    return n;
}

unsigned sim_have(const struct sim_redis *s, unsigned server, uint64_t offset)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->nservers; i++)
        n += is_replica(s, i, server) && s->server[i].offset >= offset && s->server[i].paused_until <= s->now;
    return n;
}

static void drop_effects(struct sim_server *v)
{
    while (v->first) {
        struct sim_effect *e = v->first;
        v->first = e->next;
        if (e->change)
            sim_change_release(e->change);
        free(e);
    }
    v->last = &v->first;
}

void sim_replicate(struct sim_redis *s, unsigned server, const struct sim_effect *template)
{
    s->server[server].offset++;
    for (unsigned i = 0; i < s->nservers; i++) {
        struct sim_server *v = &s->server[i];
        if (!is_replica(s, i, server))
            continue;
        struct sim_effect *e = malloc(sizeof(*e));
        *e = *template;
        e->next = NULL;
        e->offset = s->server[server].offset;
        e->at = s->now + sim_spread(s, s->o.lag, s->o.lag_jitter);
        if (e->at < v->last_effect_at)
            e->at = v->last_effect_at;
        v->last_effect_at = e->at;
        if (e->change)
            e->change->users++;
        *v->last = e;
        v->last = &e->next;
        sim_schedule(s, (struct sim_event){.at = e->at, .kind = EV_EFFECT, .server = i});
    }
}

static void apply_effects(struct sim_redis *s, unsigned i)
{
    struct sim_server *v = &s->server[i];

    if (!v->alive || v->paused_until > s->now)
        return;
    while (v->first && v->first->at <= s->now) {
        struct sim_effect *e = v->first;
        v->first = e->next;
        if (!v->first)
            v->last = &v->first;
        e->apply(&v->data, e);
        v->offset = e->offset;
        if (e->change)
            sim_change_release(e->change);
        free(e);
    }
    if (s->master >= 0)
        sim_serve(s, (unsigned)s->master);
}

/* As a full resynchronisation leaves it. */
static void resync(struct sim_redis *s, unsigned i)
{
    struct sim_server *v = &s->server[i];

    if (s->master < 0 || (int)i == s->master || !v->alive || !v->linked || v->master)
        return;
    const struct sim_server *m = &s->server[s->master];
    if (!m->alive)
        return;
    drop_effects(v);
    sim_data_copy(&v->data, &m->data);
    v->offset = m->offset;
    v->synced = true;
    v->last_effect_at = s->now;
}

static void resync_soon(struct sim_redis *s, unsigned i)
{
    s->server[i].linked = false;
    sim_schedule(s, (struct sim_event){.at = s->now + sim_spread(s, s->o.lag + 1, 10 * s->o.lag),
                                       .kind = EV_RESYNC,
                                       .server = i});
}

/* ---- faults ---- */
void sim_redis_pause(struct sim_redis *s, unsigned server, uint64_t until)
{
    s->server[server].paused_until = until;
    sim_schedule(s, (struct sim_event){.at = until, .kind = EV_EFFECT, .server = server});
    sim_schedule(s, (struct sim_event){.at = until, .kind = EV_SERVE, .server = server});
}

void sim_redis_kill(struct sim_redis *s, unsigned server)
{
    struct sim_server *v = &s->server[server];

    if (!v->alive)
        return;
    v->alive = false;
    drop_effects(v);
    for (struct sim_client *c = s->clients; c; c = c->next)
        if (c->up && c->server == server)
            sim_client_lost(c, "Redis closed the connection");
    sim_server_forget(s, server);
    if ((int)server == s->master)
        for (unsigned i = 0; i < s->nservers; i++)
            s->server[i].linked = false;
}

void sim_redis_start(struct sim_redis *s, unsigned server, bool empty)
{
    struct sim_server *v = &s->server[server];

    if (v->alive)
        return;
    v->alive = true;
    v->run = ++s->runs;
    v->paused_until = v->promoted_at = 0;
    v->master = (int)server == s->master;
    v->synced = v->master;
    if (empty)
        sim_data_clear(&v->data);
    for (unsigned i = 0; i < s->nservers; i++)
        if (i == server || v->master)
            resync_soon(s, i);
}

void sim_redis_link(struct sim_redis *s, unsigned server, bool up)
{
    struct sim_server *v = &s->server[server];

    if (up && !v->linked)
        resync_soon(s, server);
    else if (!up && v->linked) {
        v->linked = false;
        drop_effects(v);
    }
}

bool sim_redis_promote(struct sim_redis *s, bool stale, uint64_t told_after)
{
    int best = -1, old = s->master;

    for (unsigned i = 0; i < s->nservers; i++) {
        const struct sim_server *v = &s->server[i];
        if ((int)i != old && v->alive && v->synced && !v->master && v->paused_until <= s->now &&
            (best < 0 || v->offset > s->server[best].offset))
            best = (int)i;
    }
    if (best < 0)
        return false;
    struct sim_server *v = &s->server[best];
    drop_effects(v);
    v->master = true;
    v->linked = false;
    v->promoted_at = s->now; /* from here on no replica confirms for the old one */
    s->master = best;
    for (unsigned i = 0; i < s->nservers; i++)
        if ((int)i != best && (int)i != old)
            resync_soon(s, i);
    if (old >= 0 && !stale)
        sim_redis_demote(s, (unsigned)old);
    sim_schedule(s, (struct sim_event){.at = s->now + told_after, .kind = EV_TOLD, .server = (unsigned)best});
    return true;
}

void sim_redis_demote(struct sim_redis *s, unsigned server)
{
    struct sim_server *v = &s->server[server];

    if ((int)server == s->master || !v->master)
        return;
    v->master = false;
    v->synced = false;
    for (struct sim_client *c = s->clients; c; c = c->next)
        if (c->up && c->server == server)
            sim_client_lost(c, "this Redis is a slave, not the master");
    sim_server_forget(s, server);
    if (v->alive)
        resync_soon(s, server);
}

int sim_redis_master(const struct sim_redis *s)
{
    return s->master;
}

bool sim_redis_is_alive(const struct sim_redis *s, unsigned server)
{
    return s->server[server].alive;
}

bool sim_redis_linked(const struct sim_redis *s, unsigned server)
{
    return (int)server == s->master || (s->server[server].linked && !s->server[server].master);
}

const struct sim_data *sim_redis_data(const struct sim_redis *s, unsigned server)
{
    return &s->server[server].data;
}

struct sim_data *sim_redis_data_change(struct sim_redis *s, unsigned server)
{
    return &s->server[server].data;
}

/* ---- life ---- */
static void happen(struct sim_redis *s, const struct sim_event *e)
{
    switch (e->kind) {
    case EV_ARRIVE:
        sim_arrive(s, e->request);
        break;
    case EV_ANSWER:
        sim_client_answer(e->client, e->request);
        break;
    case EV_EFFECT:
        apply_effects(s, e->server);
        break;
    case EV_TICK:
        sim_client_tick(e->client);
        break;
    case EV_RESYNC:
        s->server[e->server].linked = s->server[e->server].alive && (int)e->server != s->master;
        resync(s, e->server);
        sim_serve(s, (unsigned)s->master);
        break;
    case EV_TOLD:
        for (struct sim_client *c = s->clients; c; c = c->next)
            if (!c->cut && !c->blind)
                c->told = (unsigned)s->master;
        break;
    case EV_SERVE:
        sim_serve(s, e->server);
        break;
    }
}

void sim_redis_run(struct sim_redis *s, uint64_t now)
{
    while (s->nheap && s->heap[0].at <= now) {
        struct sim_event e = take(s);
        s->now = e.at > s->now ? e.at : s->now;
        happen(s, &e);
    }
    s->now = now;
}

struct sim_redis *sim_redis_create(const struct sim_redis_options *o)
{
    struct sim_redis *s = calloc(1, sizeof(*s));

    s->o = *o;
    s->rng = o->seed;
    if (!s->o.tick)
        s->o.tick = 20 * SIM_MS;
    if (!s->o.timeout_ms)
        s->o.timeout_ms = 1000;
    s->nservers = o->servers;
    for (unsigned i = 0; i < s->nservers; i++)
        s->server[i] = (struct sim_server){.alive = true,
                                           .master = i == 0,
                                           .linked = i != 0,
                                           .synced = true,
                                           .run = ++s->runs,
                                           .data = {.log_max = o->log_max ? o->log_max : 4096}};
    for (unsigned i = 0; i < s->nservers; i++)
        s->server[i].last = &s->server[i].first;
    return s;
}

void sim_redis_free(struct sim_redis *s)
{
    for (unsigned i = 0; i < s->nservers; i++) {
        drop_effects(&s->server[i]);
        sim_server_forget(s, i);
    }
    while (s->nheap) {
        struct sim_event e = take(s);
        if (e.kind == EV_ARRIVE || e.kind == EV_ANSWER)
            sim_request_release(e.request);
    }
    for (unsigned i = 0; i < s->nservers; i++)
        sim_data_clear(&s->server[i].data);
    while (s->clients) {
        struct sim_client *c = s->clients;
        s->clients = c->next;
        free(c);
    }
    free(s->heap);
    free(s);
}
