/* SPDX-License-Identifier: BSD-2-Clause */
/* Redis came back without the record that memory has (no persistence, or an empty replica was promoted): what
 * this node knows is the best copy there is. It is written back batch by batch, and nothing of it replaces
 * what stands there already; the other nodes wait meanwhile. Here too: single entries of the ha table that a
 * promotion took back. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/record_impl.h"

#define RENEW_MS    5000 /* the others wait SCRIPT_HELLO's 30 s for a sign of life */
#define BATCH_BYTES (256 * 1024)

struct record_batch {
    struct record_item item[RECORD_ITEMS_MAX];
    uint32_t n;
    size_t used, size;
    char *bytes; /* of the items, one after the other; grows with the largest */
};

static void next_batch(struct record *rec);

static bool add(struct record_batch *b, enum record_table table, struct slice field, struct slice value)
{
    size_t need = b->used + field.len + value.len;

    if (need > b->size) {
        char *more = realloc(b->bytes, need * 2);
        if (!more)
            return false;
        b->bytes = more;
        b->size = need * 2;
    }
    memcpy(b->bytes + b->used, field.p, field.len);
    if (value.len)
        memcpy(b->bytes + b->used + field.len, value.p, value.len);
    b->item[b->n] = (struct record_item){.table = table, .op = RECORD_SET, .expect = RECORD_KEEP};
    b->item[b->n].field.len = field.len; /* where they stand is known when all are there */
    b->item[b->n++].value.len = value.len;
    b->used = need;
    return true;
}

static void place(struct record_batch *b)
{
    const char *at = b->bytes;

    for (uint32_t i = 0; i < b->n; i++) {
        b->item[i].field.p = at;
        b->item[i].value.p = at + b->item[i].field.len;
        at += b->item[i].field.len + b->item[i].value.len;
    }
}

static bool give_one(struct record *rec, enum record_table table, struct slice *field, struct slice *value)
{
    if (!record_cache_keeps(table))
        return rec->ev.give(rec->ev.arg, table, &rec->back_cursor, field, value);
    while (rec->back_cursor < rec->cache.n) {
        const struct record_known *k = rec->cache.known[rec->back_cursor++];
        if (k->table != table)
            continue;
        *field = k->field;
        *value = k->value;
        return true;
    }
    return false;
}

/* false: out of memory */
static bool fill(struct record *rec)
{
    struct record_batch *b = rec->back_batch;
    struct slice field, value;

    b->n = 0;
    b->used = 0;
    while (b->n < RECORD_ITEMS_MAX && b->used < BATCH_BYTES && rec->back_table < RECORD_TABLES) {
        if (give_one(rec, rec->back_table, &field, &value)) {
            if (!add(b, rec->back_table, field, value))
                return false;
            continue;
        }
        rec->back_table++;
        rec->back_cursor = 0;
    }
    place(b);
    return true;
}

static void on_restored(void *arg, bool confirmed, const char *error)
{
    struct record *rec = arg;

    rec->back_pending = false;
    if (rec->phase != PHASE_RESTORE)
        return;
    if (error || !confirmed) {
        record_fail(rec, "the record cannot be written back",
                    error ? error : "no replica of Redis confirmed it in time");
        return;
    }
    log_printf(rec->log, HG_LOG_WARNING, "record_restored", "%" PRIu64 " entries were written back",
               rec->entries);
    memcpy(rec->id, rec->new_id, sizeof(rec->id));
    record_begin(rec);
}

static void on_renewed(void *arg, const struct record_welcome *w, const char *error)
{
    struct record *rec = arg;

    rec->back_pending = false;
    if (rec->phase != PHASE_RESTORE)
        return;
    if (error || w->role != RECORD_ROLE_RESTORE || w->term != rec->term)
        record_begin(rec);
    else
        next_batch(rec);
}

static void renew(struct record *rec, uint64_t now)
{
    struct record_hello hello = {.known_term = rec->term};

    memcpy(hello.new_id, rec->new_id, sizeof(hello.new_id));
    memcpy(hello.known_id, rec->id, sizeof(hello.known_id));
    memcpy(hello.me, rec->me, sizeof(hello.me));
    rec->back_renew_at = now + RENEW_MS;
    rec->back_pending = rec->io.ops->hello(rec->io.ctx, &hello, on_renewed, rec);
}

static void on_answered(struct record_write *write, enum record_wrote wrote,
                        const struct record_outcome *outcome, const char *error)
{
    struct record *rec = write->arg;
    uint64_t now = rec->io.ops->now_ms(rec->io.ctx);

    (void)outcome;
    rec->back_pending = false;
    if (rec->phase != PHASE_RESTORE)
        return;
    if (wrote == RECORD_OTHER_TERM)
        record_begin(rec);
    else if (wrote != RECORD_WROTE)
        record_fail(rec, "the record cannot be written back", error ? error : "refused");
    else if (now >= rec->back_renew_at)
        renew(rec, now);
    else
        next_batch(rec);
}

static void next_batch(struct record *rec)
{
    struct record_batch *b = rec->back_batch;

    if (!fill(rec)) {
        record_fail(rec, "the record cannot be written back", "out of memory");
        return;
    }
    rec->entries += b->n;
    rec->back = (struct record_write){
        .term = rec->term, .items = b->item, .n = b->n, .arg = rec, .answered = on_answered};
    if (b->n)
        rec->back_pending = rec->io.ops->change(rec->io.ctx, &rec->back);
    else
        rec->back_pending = rec->io.ops->restored(rec->io.ctx, rec->id, on_restored, rec);
    if (!rec->back_pending)
        record_fail(rec, "the record cannot be written back", "the queue to Redis is full");
}

void record_restore_free(struct record *rec)
{
    if (rec->back_batch)
        free(rec->back_batch->bytes);
    free(rec->back_batch);
}

void record_restore(struct record *rec)
{
    if (!rec->back_batch)
        rec->back_batch = calloc(1, sizeof(*rec->back_batch));
    if (!rec->back_batch) {
        record_fail(rec, "the record cannot be written back", "out of memory");
        return;
    }
    log_printf(rec->log, HG_LOG_WARNING, "record_lost",
               "Redis lost the record; it is written back from memory");
    rec->entries = 0;
    rec->back_table = 0;
    rec->back_cursor = 0;
    rec->back_renew_at = rec->io.ops->now_ms(rec->io.ctx) + RENEW_MS;
    record_phase_set(rec, PHASE_RESTORE);
    next_batch(rec);
}

static void on_ha_written(void *arg, const struct record_outcome *outcome)
{
    struct record *rec = arg;

    if (outcome->result != RECORD_OK && outcome->result != RECORD_CONFLICT)
        log_printf(rec->log, HG_LOG_WARNING, "record_went_back", "the ownership of a subcluster: %s",
                   outcome->why);
}

void record_write_back_ha(struct record *rec)
{
    for (uint32_t i = 0; i < rec->lowered.n; i++) {
        const struct record_known *k = rec->lowered.known[i]; /* with the version that stands in Redis */
        alarm_raise(rec->alarms, ALARM_record_went_back,
                    "Redis lost the newest ownership of subcluster " SLICE_FMT
                    " with a promotion; it is written again",
                    SLICE_ARG(k->field));
        record_cas(rec, RECORD_HA, k->field, k->version, k->value, on_ha_written, rec);
    }
    if (rec->lowered.n == 0)
        alarm_clear(rec->alarms, ALARM_record_went_back);
}
