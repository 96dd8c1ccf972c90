/* SPDX-License-Identifier: BSD-2-Clause */
/* The record from Redis into memory, table by table. What is changed meanwhile stands in the log behind the
 * place that was noted before. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/record_impl.h"

static void scan_next(struct record *rec);

static void begin_following(struct record *rec)
{
    rec->follow_at = 0;
    rec->check_at = rec->io.ops->now_ms(rec->io.ctx);
    record_phase_set(rec, PHASE_FOLLOW);
}

/* What was promoted has all that memory has, by the word of the process that both come from. */
void record_continue(struct record *rec)
{
    log_printf(rec->log, HG_LOG_INFO, "record_goes_on",
               "the record goes on under term %" PRIu64 " behind change %" PRIu64, rec->term,
               rec->position.seq);
    begin_following(rec);
    record_changes_ready(rec);
    record_follow_on(rec);
}

static void load_done(struct record *rec)
{
    snprintf(rec->id, sizeof(rec->id), "%s", rec->new_id);
    rec->ever = rec->whole = true;
    rec->ev.load_end(rec->ev.arg);
    log_printf(rec->log, HG_LOG_INFO, "record_loaded", "the record is in memory, %" PRIu64 " entries",
               rec->entries);
    begin_following(rec);
    record_write_back_ha(rec);
    record_cache_clear(&rec->before);
    record_cache_clear(&rec->lowered);
    record_changes_applied(rec);
    record_follow_on(rec);
}

/* The ha table must not go back in time with a promotion: what this node knows better is shown and written
 * back (record_write_back_ha). */
static bool went_back(struct record *rec, const struct record_known *k, struct record_version scanned)
{
    if (!k || record_version_cmp(k->version, scanned) <= 0)
        return false;
    record_cache_set(&rec->lowered, RECORD_HA, k->field, k->value, scanned);
    record_cache_set(&rec->cache, RECORD_HA, k->field, k->value, k->version);
    rec->ev.loaded_one(rec->ev.arg, RECORD_HA, k->field, k->value, k->version);
    return true;
}

/* Somebody wrote over an ownership by hand. What was known before is remembered; it is for the managers of
 * that subcluster to write it again, who know what was granted. */
static void without_version(struct record *rec, struct slice field, struct slice value)
{
    static const struct record_version none;
    const struct record_known *k = record_cache_find(&rec->before, RECORD_HA, field);

    record_cache_set(&rec->cache, RECORD_HA, field, k ? k->value : value, k ? k->version : none);
    rec->ev.loaded_one(rec->ev.arg, RECORD_HA, field, value, none);
}

static void on_one(struct record_scan *scan, struct slice field, struct slice raw)
{
    struct record *rec = scan->arg;
    struct record_version version;
    struct slice value;

    if (rec->phase != PHASE_SCAN)
        return;
    record_value_split(raw, &version, &value);
    rec->entries++;
    if (record_version_cmp(version, rec->position) > 0 &&
        !record_seen_add(&rec->seen, scan->table, field, version))
        log_printf(rec->log, HG_LOG_ERROR, "record_bad", "out of memory while the record is read");
    if (scan->table == RECORD_HA && record_version_is_none(version)) {
        without_version(rec, field, value);
        return;
    }
    if (scan->table == RECORD_HA &&
        went_back(rec, record_cache_find(&rec->before, RECORD_HA, field), version))
        return;
    if (record_cache_keeps(scan->table))
        record_cache_set(&rec->cache, scan->table, field, value, version);
    rec->ev.loaded_one(rec->ev.arg, scan->table, field, value, version);
}

/* A table that cannot be read stays as it is in memory: told again, as if it had been read. */
static void keep_table(struct record *rec, enum record_table table)
{
    struct slice field, value;
    uint64_t cursor = 0;

    if (!record_cache_keeps(table)) {
        while (rec->ev.give(rec->ev.arg, table, &cursor, &field, &value))
            rec->ev.loaded_one(rec->ev.arg, table, field, value, (struct record_version){0, 0});
        return;
    }
    for (uint32_t i = 0; i < rec->before.n; i++) {
        const struct record_known *k = rec->before.known[i];
        if (k->table != table)
            continue;
        record_cache_set(&rec->cache, table, k->field, k->value, k->version);
        rec->ev.loaded_one(rec->ev.arg, table, k->field, k->value, k->version);
    }
}

static void skip_table(struct record *rec, const char *why)
{
    const char *name = record_table_names[rec->scan.table];

    log_printf(rec->log, HG_LOG_ERROR, "record_bad", "the table %s of the record cannot be read: %s", name,
               why);
    alarm_raise(rec->alarms, ALARM_record_bad, "the table %s of the record cannot be read: %s", name, why);
    if (rec->ev.load_skipped)
        rec->ev.load_skipped(rec->ev.arg, rec->scan.table, why);
    keep_table(rec, rec->scan.table);
}

/* What is known of an ownership record that the scan did not have at all: its subcluster was removed, or it
 * was lost with the promotion. */
static void tell_lost_ha(struct record *rec)
{
    for (uint32_t i = 0; i < rec->before.n; i++) {
        const struct record_known *k = rec->before.known[i];
        if (k->table == RECORD_HA && !record_cache_find(&rec->cache, RECORD_HA, k->field) &&
            record_cache_find(&rec->cache, RECORD_SUBCLUSTERS, k->field))
            went_back(rec, k, (struct record_version){0, 0});
    }
}

static void on_done(struct record_scan *scan, uint64_t cursor, bool unreadable, const char *error)
{
    struct record *rec = scan->arg;

    rec->scan_pending = false;
    if (rec->phase != PHASE_SCAN)
        return;
    if (error && !unreadable) {
        record_fail(rec, "the record cannot be read", error);
        return;
    }
    if (unreadable) {
        skip_table(rec, error);
        cursor = 0;
    }
    scan->cursor = cursor;
    if (cursor == 0) {
        if (scan->table == RECORD_HA && !unreadable)
            tell_lost_ha(rec);
        scan->table++;
    }
    if (scan->table == RECORD_TABLES)
        load_done(rec);
    else
        scan_next(rec);
}

static void scan_next(struct record *rec)
{
    rec->scan_pending = rec->io.ops->scan(rec->io.ctx, &rec->scan);
    if (!rec->scan_pending)
        record_fail(rec, "the record cannot be read", "the queue to Redis is full");
}

/* What is known before a load, newest of this and an earlier load that did not end. */
static void remember(struct record *rec)
{
    for (uint32_t i = 0; i < rec->cache.n; i++) {
        const struct record_known *k = rec->cache.known[i], *before;
        before = record_cache_find(&rec->before, k->table, k->field);
        if (!before || record_version_cmp(k->version, before->version) > 0)
            record_cache_set(&rec->before, k->table, k->field, k->value, k->version);
    }
}

void record_load(struct record *rec)
{
    remember(rec);
    record_cache_clear(&rec->cache);
    record_cache_clear(&rec->lowered);
    record_seen_clear(&rec->seen);
    rec->check_whole = false;
    rec->entries = 0;
    rec->scan = (struct record_scan){.whole = true, .one = on_one, .done = on_done, .arg = rec};
    record_phase_set(rec, PHASE_SCAN);
    rec->ev.load_begin(rec->ev.arg);
    scan_next(rec);
    record_changes_ready(rec);
}
