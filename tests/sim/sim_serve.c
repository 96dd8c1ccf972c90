/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server does with commands: in order per connection, and WAIT holds a connection up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_impl.h"

#define PAGE 7 /* entries of one HSCAN: small, so that scans take several */

static void items_free(struct record_item *items, uint32_t n)
{
    for (uint32_t i = 0; items && i < n; i++) {
        free((char *)(uintptr_t)items[i].field.p);
        free((char *)(uintptr_t)items[i].value.p);
        free((char *)(uintptr_t)items[i].raw.p);
    }
    free(items);
}

void sim_request_release(struct sim_request *r)
{
    if (--r->users)
        return;
    items_free(r->items, r->nitems);
    free(r->field.p);
    free(r->value.p);
    for (uint32_t i = 0; i < r->nfields; i++) {
        free(r->fields[i].name.p);
        free(r->fields[i].raw.p);
    }
    free(r->fields);
    for (uint32_t i = 0; i < r->nchanges; i++)
        sim_change_release(r->changes[i]);
    free(r->changes);
    free(r);
}

static struct sim_text copy(struct slice s)
{
    struct sim_text t = {malloc(s.len + 1), s.len};

    if (s.len)
        memcpy(t.p, s.p, s.len);
    t.p[s.len] = '\0';
    return t;
}

/* ---- effects, on a replica ---- */
static void effect_change(struct sim_data *d, const struct sim_effect *e)
{
    struct record_write w = {.term = d->term, .items = e->change->item, .n = e->change->n};
    struct record_outcome o;

    d->seq = e->change->version.seq - 1;
    d->term = w.term = e->change->version.term;
    sim_data_change(d, &w, d->run, &o);
}

static void effect_state(struct sim_data *d, const struct sim_effect *e)
{
    d->term = e->term;
    d->run = e->run;
    d->was_term = e->was_term;
    d->was_run = e->was_run;
    d->was_seq = e->was_seq;
    memcpy(d->id, e->id, sizeof(d->id));
    memcpy(d->restoring, e->who, sizeof(d->restoring));
    d->restoring_until = e->until;
}

static void effect_from(struct sim_data *d, const struct sim_effect *e)
{
    memcpy(d->from, e->id, sizeof(d->from));
    d->restoring[0] = '\0';
}

static void effect_nothing(struct sim_data *d, const struct sim_effect *e)
{
    (void)d, (void)e; /* a PUBLISH */
}

static void effect_hand(struct sim_data *d, const struct sim_effect *e)
{
    const struct record_item *item = &e->change->item[0];

    sim_data_hand(d, item->table, item->field, item->op == RECORD_SET ? &item->value : NULL);
}

void sim_redis_hand(struct sim_redis *s, enum record_table table, struct slice field, const struct slice *raw)
{
    struct sim_server *v = &s->server[s->master];
    struct sim_change *c = calloc(1, sizeof(*c) + sizeof(c->item[0]));
    struct sim_text name = copy(field), value = copy(raw ? *raw : slice_of("", 0));

    c->users = c->n = 1;
    c->item[0] = (struct record_item){.table = table,
                                      .op = raw ? RECORD_SET : RECORD_REMOVE,
                                      .field = slice_of(name.p, name.len),
                                      .value = slice_of(value.p, value.len)};
    struct sim_effect e = {.apply = effect_hand, .change = c};
    if (v->alive) {
        effect_hand(&v->data, &e);
        sim_replicate(s, (unsigned)s->master, &e);
    }
    sim_change_release(c);
}

/* ---- commands ---- */
static void do_hello(struct sim_redis *s, struct sim_server *v, struct sim_request *r)
{
    sim_data_hello(&v->data, &r->hello, r->run, s->now / SIM_MS, &r->welcome);
    struct sim_effect e = {.apply = effect_state,
                           .term = v->data.term,
                           .run = v->data.run,
                           .until = v->data.restoring_until,
                           .was_term = v->data.was_term,
                           .was_run = v->data.was_run,
                           .was_seq = v->data.was_seq};
    memcpy(e.id, v->data.id, sizeof(e.id));
    memcpy(e.who, v->data.restoring, sizeof(e.who));
    sim_replicate(s, r->server, &e);
}

static void do_change(struct sim_redis *s, struct sim_server *v, struct sim_request *r)
{
    struct record_write w = {.term = r->term, .items = r->items, .n = r->nitems};

    r->wrote = sim_data_change(&v->data, &w, r->run, &r->outcome);
    if (r->wrote == RECORD_REFUSED) {
        r->value = copy(r->outcome.value);
        r->outcome.value = slice_of(r->value.p, r->value.len);
    }
    if (r->wrote != RECORD_WROTE || record_version_is_none(r->outcome.version))
        return;
    sim_replicate(s, r->server,
                  &(struct sim_effect){.apply = effect_change, .change = v->data.log[v->data.nlog - 1]});
}

/* From the end downward: what stays is never missed, whatever is added or removed meanwhile. */
static void do_scan(struct sim_server *v, struct sim_request *r)
{
    const struct sim_table *t = &v->data.table[r->table];
    uint32_t to = r->cursor && r->cursor < t->n ? (uint32_t)r->cursor : t->n;
    uint32_t from = to > PAGE ? to - PAGE : 0;

    r->fields = calloc(to - from + 1, sizeof(r->fields[0]));
    for (uint32_t i = from; i < to; i++)
        r->fields[r->nfields++] = (struct sim_field){copy(slice_of(t->field[i].name.p, t->field[i].name.len)),
                                                     copy(slice_of(t->field[i].raw.p, t->field[i].raw.len))};
    r->cursor = from;
}

static bool do_follow(struct sim_server *v, struct sim_request *r)
{
    uint32_t from = sim_data_after(&v->data, r->after), n = v->data.nlog - from;

    if (n == 0)
        return false;
    n = n < 64 ? n : 64;
    r->changes = calloc(n, sizeof(r->changes[0]));
    for (uint32_t i = 0; i < n; i++) {
        r->changes[r->nchanges++] = v->data.log[from + i];
        v->data.log[from + i]->users++;
    }
    return true;
}

static void do_read(struct sim_server *v, struct sim_request *r)
{
    const struct sim_text *raw = sim_data_get(&v->data, r->table, slice_of(r->field.p, r->field.len));

    r->has_value = raw != NULL;
    if (raw)
        r->value = copy(slice_of(raw->p, raw->len));
}

static void do_restored(struct sim_redis *s, struct sim_server *v, struct sim_request *r)
{
    struct sim_effect e = {.apply = effect_from};

    memcpy(e.id, r->id, sizeof(e.id));
    effect_from(&v->data, &e);
    sim_replicate(s, r->server, &e);
}

/* False: XREAD goes on waiting. */
static bool execute(struct sim_redis *s, struct sim_server *v, struct sim_request *r)
{
    bool wait = true;

    switch (r->command) {
    case SIM_HELLO:
        do_hello(s, v, r);
        wait = false;
        break;
    case SIM_CHANGE:
        do_change(s, v, r);
        wait = false;
        break;
    case SIM_CONFIRM:
        break;
    case SIM_SCAN:
        do_scan(v, r);
        break;
    case SIM_FOLLOW:
        if (!do_follow(v, r)) {
            if (s->now < r->until)
                return false;
            wait = false;
        }
        break;
    case SIM_READ:
        do_read(v, r);
        break;
    case SIM_RESTORED:
        do_restored(s, v, r);
        break;
    case SIM_CHECK:
        r->term = v->data.term;
        r->seq = v->data.seq;
        memcpy(r->id, v->data.id, sizeof(r->id));
        wait = false;
        break;
    }
    r->executed = true;
    r->waiting = wait && r->wanted;
    r->confirmed = !r->waiting;
    if (!r->waiting)
        return true;
    sim_replicate(s, r->server, &(struct sim_effect){.apply = effect_nothing});
    r->offset = v->offset;
    r->until = s->now + (s->o.timeout_ms / 2 + 1) * SIM_MS;
    sim_schedule(s, (struct sim_event){.at = r->until, .kind = EV_SERVE, .server = r->server});
    return true;
}

static void send_back(struct sim_redis *s, struct sim_request *r)
{
    struct sim_client *c = r->client;
    uint64_t at = s->now + sim_spread(s, s->o.delay, s->o.jitter);

    if (at < c->answered[r->lane])
        at = c->answered[r->lane];
    c->answered[r->lane] = at;
    sim_schedule(s, (struct sim_event){.at = at, .kind = EV_ANSWER, .client = c, .request = r});
}

/* True: it is over, one way or the other. */
static bool advance(struct sim_redis *s, struct sim_server *v, struct sim_request *r)
{
    if (!r->executed && !execute(s, v, r))
        return false;
    if (r->waiting) {
        r->confirmed = sim_have(s, r->server, r->offset) >= r->wanted;
        if (!r->confirmed && s->now < r->until)
            return false;
        r->waiting = false;
    }
    if (!r->confirmed)
        r->error = "no replica of Redis confirmed it in time";
    return true;
}

/* A command behind one of the same connection that waits has to wait too. */
static bool is_held_up(const struct sim_server *v, const struct sim_request *r)
{
    for (const struct sim_request *q = v->queue; q && q != r; q = q->next)
        if (q->client == r->client && q->lane == r->lane && q->connection == r->connection)
            return true;
    return false;
}

void sim_serve(struct sim_redis *s, unsigned server)
{
    struct sim_server *v = &s->server[server];
    bool again = true;

    if (!v->alive || v->paused_until > s->now)
        return;
    while (again) { /* what one changes, another may be waiting for */
        again = false;
        for (struct sim_request **p = &v->queue, *r; (r = *p);) {
            if (is_held_up(v, r) || !advance(s, v, r)) {
                p = &r->next;
                continue;
            }
            *p = r->next;
            send_back(s, r);
            again = true;
        }
    }
}

void sim_arrive(struct sim_redis *s, struct sim_request *r)
{
    struct sim_server *v = &s->server[r->server];
    struct sim_request **end = &v->queue;

    if (!v->alive || !v->master || r->client->cut || r->run != v->run) {
        sim_request_release(r); /* the client notices by its deadline, or has noticed */
        return;
    }
    while (*end)
        end = &(*end)->next;
    r->next = NULL;
    *end = r;
    if (r->command == SIM_FOLLOW) {
        r->until = s->now + SIM_BLOCK_MS * SIM_MS;
        sim_schedule(s, (struct sim_event){.at = r->until, .kind = EV_SERVE, .server = r->server});
    }
    sim_serve(s, r->server);
}

void sim_server_forget(struct sim_redis *s, unsigned server)
{
    struct sim_server *v = &s->server[server];

    while (v->queue) {
        struct sim_request *r = v->queue;
        v->queue = r->next;
        sim_request_release(r);
    }
}
