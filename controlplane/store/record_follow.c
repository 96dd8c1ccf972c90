/* SPDX-License-Identifier: BSD-2-Clause */
/* The log, entry by entry: every change of every node, in one order, each once. */
#include <inttypes.h>
#include <stdio.h>

#include "store/record_impl.h"

#define AGAIN_MS 5000 /* a log that cannot be read: the tables are read again instead */
#define PAUSE_MS 50   /* no replica confirmed what was read */

static void one_item(struct record *rec, const struct record_item *item, struct record_version version)
{
    if (record_seen_is_newer(&rec->seen, item->table, item->field, version))
        return; /* the scan was later */
    if (record_cache_keeps(item->table)) {
        if (item->op == RECORD_REMOVE)
            record_cache_remove(&rec->cache, item->table, item->field);
        else
            record_cache_set(&rec->cache, item->table, item->field, item->value, version);
    }
    rec->ev.changed(rec->ev.arg, item->table, item->op, item->field, item->value, version);
}

static bool on_entry(struct record_follow *follow, struct record_version version,
                     const struct record_item *items, uint32_t n, const char *why)
{
    struct record *rec = follow->arg;

    if (rec->phase != PHASE_FOLLOW)
        return false;
    /* Numbers have no gaps: what is missing was trimmed away, or written by somebody who does not know us. */
    if (version.seq != rec->position.seq + 1 || n == 0) {
        log_printf(rec->log, HG_LOG_WARNING, "record_log",
                   "entry %" PRIu64 "-%" PRIu64 " of the log does not follow %" PRIu64 "-%" PRIu64
                   "%s%s: the record is read again",
                   version.term, version.seq, rec->position.term, rec->position.seq, n ? "" : ", ",
                   n ? "" : why);
        rec->whole = false;
        record_begin(rec);
        return false;
    }
    for (uint32_t i = 0; i < n; i++)
        one_item(rec, &items[i], version);
    rec->position = version;
    if (rec->seen.count && record_version_cmp(version, rec->seen.end) >= 0)
        record_seen_clear(&rec->seen);
    if (rec->ev.changed_end)
        rec->ev.changed_end(rec->ev.arg, version);
    record_changes_applied(rec);
    return rec->phase == PHASE_FOLLOW;
}

/* Without its log the record is read whole from time to time. */
static void cannot_follow(struct record *rec, const char *why, uint64_t now)
{
    alarm_raise(rec->alarms, ALARM_record_log, "the log of the record cannot be read (%s): remove its key",
                why);
    rec->log_bad = true;
    rec->whole = false;
    rec->follow_at = now + AGAIN_MS;
    rec->hello_at = now + AGAIN_MS;
}

static void on_done(struct record_follow *follow, bool unreadable, const char *error)
{
    struct record *rec = follow->arg;
    uint64_t now = rec->io.ops->now_ms(rec->io.ctx);

    rec->follow_pending = false;
    if (rec->phase != PHASE_FOLLOW)
        return;
    if (unreadable) {
        cannot_follow(rec, error, now);
        return;
    }
    if (rec->log_bad && !error) {
        rec->log_bad = false;
        alarm_clear(rec->alarms, ALARM_record_log);
    }
    /* A version that the log does not have was written by hand: nobody waits for it. */
    if (!error && record_version_cmp(rec->position, follow->after) == 0)
        record_seen_clear(&rec->seen);
    rec->follow_at = error ? now + PAUSE_MS : 0;
    record_follow_on(rec);
}

void record_follow_on(struct record *rec)
{
    if (rec->phase != PHASE_FOLLOW || rec->follow_pending)
        return;
    if (rec->follow_at && rec->io.ops->now_ms(rec->io.ctx) < rec->follow_at)
        return;
    rec->follow.after = rec->position;
    rec->follow.arg = rec;
    rec->follow.entry = on_entry;
    rec->follow.done = on_done;
    rec->follow_pending = rec->io.ops->follow(rec->io.ctx, &rec->follow);
}
