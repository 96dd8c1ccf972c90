/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes: held for a moment while the record is looked at anew, then one script each, one wait for the
 * replicas for as many as were answered meanwhile (group commit), told when they are durable and memory has
 * them by the log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/record_impl.h"

#define HELD_MAX 64 /* changes that wait for the record to be looked at */

static const char not_ready[] = "the record is not ready for changes yet";

enum stage { HELD, SENT, ANSWERED, CONFIRMED };

struct change {
    struct record *rec;
    struct change *next, *prev;
    struct record_write write; /* its items follow the struct, then their bytes */
    record_done done;
    void *arg;
    enum stage stage;
    bool urgent;
    uint64_t wait;  /* which one covers it, 0: none yet */
    uint64_t since; /* held, or confirmed */
    struct record_version version;
};

struct wait {
    struct record *rec;
    uint64_t number;
};

/* Nothing was sent. */
static void refuse(record_done done, void *arg, const char *why)
{
    struct record_outcome outcome = {.result = RECORD_UNAVAILABLE, .why = why};

    done(arg, &outcome);
}

static void finish(struct change *c, const struct record_outcome *outcome)
{
    struct record *rec = c->rec;

    *(c->prev ? &c->prev->next : &rec->first) = c->next;
    *(c->next ? &c->next->prev : &rec->last) = c->prev;
    c->done(c->arg, outcome);
    free(c);
}

static void finish_failed(struct change *c, const char *why)
{
    finish(c, &(struct record_outcome){.result = RECORD_UNAVAILABLE, .why = why});
}

static void finish_ok(struct change *c)
{
    finish(c, &(struct record_outcome){.result = RECORD_OK, .version = c->version});
}

static bool is_applied(const struct record *rec, const struct change *c)
{
    return c->urgent || record_version_is_none(c->version) || record_has(rec, c->version);
}

/* done may ask for further changes: they stand behind. */
void record_changes_applied(struct record *rec)
{
    while (rec->first && rec->first->stage == CONFIRMED && is_applied(rec, rec->first))
        finish_ok(rec->first);
}

static void wait_for_replicas(struct record *rec);

/* Those that were held too long; now UINT64_MAX: all. */
static void finish_held(struct record *rec, uint64_t now, const char *why)
{
    struct change *next;

    for (struct change *c = rec->first; c; c = next) {
        next = c->next;
        if (c->stage == HELD && (now == UINT64_MAX || now - c->since > rec->io.timeout_ms))
            finish_failed(c, why);
    }
}

static bool is_ready(const struct record *rec)
{
    return rec->phase == PHASE_SCAN || rec->phase == PHASE_FOLLOW;
}

/* In the order in which they were asked for. */
void record_changes_ready(struct record *rec)
{
    struct change *next;

    for (struct change *c = rec->first; c && is_ready(rec); c = next) {
        next = c->next;
        if (c->stage != HELD)
            continue;
        c->write.term = rec->term;
        c->stage = SENT;
        if (!rec->io.ops->change(rec->io.ctx, &c->write))
            finish_failed(c, "the queue to Redis is full");
    }
}

/* Durable is what was promised; when the log is late, memory follows it later. */
void record_changes_tick(struct record *rec)
{
    uint64_t now = rec->io.ops->now_ms(rec->io.ctx);

    finish_held(rec, now, not_ready);
    while (rec->first && rec->first->stage == CONFIRMED && now - rec->first->since > 3 * rec->io.timeout_ms)
        finish_ok(rec->first);
    wait_for_replicas(rec);
}

/* The connection is gone: what has no wait under way hears of it here. */
void record_changes_lost(struct record *rec)
{
    struct change *next;

    finish_held(rec, UINT64_MAX, rec->io.ops->state(rec->io.ctx));
    for (struct change *c = rec->first; c; c = next) {
        next = c->next;
        if (c->stage == ANSWERED && !c->wait)
            finish_failed(c, "the connection to Redis was lost before a replica confirmed the change");
    }
}

/* The process ends: nothing is answered any more. */
void record_changes_close(struct record *rec)
{
    while (rec->first) {
        if (rec->first->stage == CONFIRMED)
            finish_ok(rec->first);
        else
            finish_failed(rec->first, "the control plane stops");
    }
}

void record_changes_free(struct record *rec)
{
    for (struct change *c = rec->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    rec->first = rec->last = NULL;
}

static void confirmed(struct change *c)
{
    c->stage = CONFIRMED;
    c->since = c->rec->io.ops->now_ms(c->rec->io.ctx);
    if (c->urgent)
        finish_ok(c);
}

static void on_confirm(void *arg, bool ok, const char *error)
{
    struct wait *w = arg;
    struct record *rec = w->rec;
    struct change *next;

    rec->waiting--;
    for (struct change *c = rec->first; c; c = next) {
        next = c->next;
        if (c->stage != ANSWERED || c->wait != w->number)
            continue;
        /* not confirmed: whether it stays is not known; if it does it comes by the log */
        if (ok)
            confirmed(c);
        else
            finish_failed(c,
                          error ? error : "no replica of Redis confirmed the change in time; it may be lost");
    }
    free(w);
    record_changes_applied(rec);
    wait_for_replicas(rec);
}

/* One wait under way covers what was answered before it; the rest gets the next one. */
static void wait_for_replicas(struct record *rec)
{
    uint64_t number = rec->waits + 1;
    bool any = false, urgent = false;

    for (struct change *c = rec->last; c; c = c->prev) {
        if (c->stage != ANSWERED || c->wait)
            continue;
        any = true;
        urgent |= c->urgent;
    }
    if (!any || (rec->waiting && !urgent))
        return;
    struct wait *w = malloc(sizeof(*w));
    if (w)
        *w = (struct wait){.rec = rec, .number = number};
    if (!w || !rec->io.ops->confirm(rec->io.ctx, on_confirm, w)) {
        free(w);
        return; /* the next answer or tick asks again, and a lost connection ends them */
    }
    rec->waits = number;
    rec->waiting++;
    for (struct change *c = rec->first; c; c = c->next)
        if (c->stage == ANSWERED && !c->wait)
            c->wait = number;
}

static void on_answered(struct record_write *write, enum record_wrote wrote,
                        const struct record_outcome *outcome, const char *error)
{
    struct change *c = write->arg;
    struct record *rec = c->rec;
    struct record_outcome o;

    switch (wrote) {
    case RECORD_WROTE:
        alarm_clear(rec->alarms, ALARM_redis_refuses);
        c->stage = ANSWERED;
        c->version = outcome->version;
        wait_for_replicas(rec);
        return;
    case RECORD_REFUSED:
        o = *outcome;
        if (c->urgent && o.result == RECORD_EXISTS)
            o.result = RECORD_CONFLICT;
        finish(c, &o);
        break;
    case RECORD_OTHER_TERM:
        finish_failed(c, "Redis has another master now; nothing was changed");
        record_begin(rec);
        break;
    case RECORD_DENIED:
        alarm_raise(rec->alarms, ALARM_redis_refuses, "Redis refuses changes: %.300s", error);
        finish_failed(c, error);
        break;
    case RECORD_FAILED:
        finish_failed(c, error);
        break;
    }
    record_changes_applied(rec);
}

static size_t bytes_of(const struct record_item *items, uint32_t n)
{
    size_t size = 0;

    for (uint32_t i = 0; i < n; i++)
        size += items[i].field.len + items[i].value.len + items[i].raw.len;
    return size;
}

static struct slice copy(char **to, struct slice from)
{
    struct slice s = slice_of(*to, from.len);

    if (from.len)
        memcpy(*to, from.p, from.len);
    *to += from.len;
    return s;
}

static struct change *new_change(struct record *rec, const struct record_item *items, uint32_t n)
{
    struct change *c = malloc(sizeof(*c) + n * sizeof(items[0]) + bytes_of(items, n) + 1);

    if (!c)
        return NULL;
    struct record_item *own = (struct record_item *)(c + 1);
    char *bytes = (char *)(own + n);
    *c = (struct change){.rec = rec, .prev = rec->last};
    c->write =
        (struct record_write){.term = rec->term, .items = own, .n = n, .arg = c, .answered = on_answered};
    for (uint32_t i = 0; i < n; i++) {
        own[i] = items[i];
        own[i].field = copy(&bytes, items[i].field);
        own[i].value = copy(&bytes, items[i].value);
        own[i].raw = copy(&bytes, items[i].raw);
    }
    return c;
}

/* A look at the record takes a moment; an ownership is not to be written by what was known before it. */
static bool may_hold(const struct record *rec, bool urgent)
{
    unsigned n = 0;

    for (const struct change *c = rec->first; c; c = c->next)
        n += c->stage == HELD;
    return rec->up && !urgent && n < HELD_MAX;
}

static void start(struct record *rec, const struct record_item *items, uint32_t n, bool urgent,
                  record_done done, void *arg)
{
    if (!is_ready(rec) && !may_hold(rec, urgent)) {
        refuse(done, arg, !rec->up ? rec->io.ops->state(rec->io.ctx) : not_ready);
        return;
    }
    if (n == 0 || n > RECORD_ITEMS_MAX) {
        refuse(done, arg, "a change has 1 to 500 items");
        return;
    }
    struct change *c = new_change(rec, items, n);
    if (!c) {
        refuse(done, arg, "out of memory");
        return;
    }
    c->done = done;
    c->arg = arg;
    c->urgent = urgent;
    c->since = rec->io.ops->now_ms(rec->io.ctx);
    c->stage = is_ready(rec) ? SENT : HELD;
    if (c->stage == SENT && !rec->io.ops->change(rec->io.ctx, &c->write)) {
        free(c);
        refuse(done, arg, "the queue to Redis is full");
        return;
    }
    *(rec->last ? &rec->last->next : &rec->first) = c;
    rec->last = c;
}

void record_change(struct record *rec, const struct record_item *items, uint32_t n, record_done done,
                   void *arg)
{
    start(rec, items, n, false, done, arg);
}

void record_change_one(struct record *rec, enum record_table table, enum record_op op,
                       enum record_expect expect, struct slice field, struct slice value, record_done done,
                       void *arg)
{
    struct record_item item = {.table = table, .op = op, .expect = expect, .field = field, .value = value};

    start(rec, &item, 1, false, done, arg);
}

void record_cas(struct record *rec, enum record_table table, struct slice field,
                struct record_version expected, struct slice value, record_done done, void *arg)
{
    struct record_item item = {.table = table,
                               .op = RECORD_SET,
                               .expect = record_version_is_none(expected) ? RECORD_ABSENT : RECORD_SAME,
                               .version = expected,
                               .field = field,
                               .value = value};

    start(rec, &item, 1, true, done, arg);
}

void record_cas_exact(struct record *rec, enum record_table table, struct slice field, struct slice raw,
                      struct slice value, record_done done, void *arg)
{
    struct record_item item = {
        .table = table, .op = RECORD_SET, .expect = RECORD_EXACT, .field = field, .value = value, .raw = raw};

    start(rec, &item, 1, true, done, arg);
}

uint32_t record_room(const struct record *rec)
{
    return rec->up ? rec->io.ops->room(rec->io.ctx) : 0;
}
