/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/entry_watch.h"

#include <stdlib.h>
#include <string.h>

struct look {
    struct entry_watch *watch;
    struct record *record;
    uint64_t pair;
};

bool entry_readable(struct slice value, struct record_version version, struct srm_entry *out)
{
    out->version = version;
    return !record_version_is_none(version) && srm_entry_parse(value.p, value.len, out);
}

static void clear(struct entry_watch *watch)
{
    free(watch->raw);
    watch->raw = NULL;
    watch->raw_len = 0;
    watch->odd = watch->told = watch->warned = false;
}

void entry_watch_forget(struct entry_watch *watch)
{
    clear(watch);
    watch->pair++;
}

bool entry_watch_raw(const struct entry_watch *watch, struct slice *raw)
{
    if (!watch->told || watch->absent)
        return false;
    *raw = slice_of(watch->raw, watch->raw_len);
    return true;
}

static bool is_same(const struct entry_watch *watch, bool absent, struct slice raw)
{
    return watch->odd && watch->absent == absent && slice_eq(slice_of(watch->raw, watch->raw_len), raw);
}

/* Without memory the next look finds it again. */
static void note(struct entry_watch *watch, const struct record *record, bool absent, struct slice raw)
{
    char *copy = malloc(raw.len + 1);
    bool warned = watch->warned;

    if (!copy)
        return;
    if (raw.len)
        memcpy(copy, raw.p, raw.len);
    clear(watch);
    watch->raw = copy;
    watch->raw_len = raw.len;
    watch->odd = true;
    watch->warned = warned;
    watch->absent = absent;
    watch->mark = record_mark(record);
}

static void right(struct entry_watch *watch, const struct entry_found *found)
{
    bool warned = watch->warned;

    clear(watch);
    if (warned)
        watch->tell(watch->arg, found);
}

static void found_odd(struct entry_watch *watch, const struct record *record, bool absent, struct slice raw,
                      const struct entry_found *found)
{
    if (!is_same(watch, absent, raw))
        note(watch, record, absent, raw);
    else if (!record_passed(record, watch->mark))
        return;
    else
        watch->told = watch->warned = true;
    if (!watch->told)
        return;
    watch->tell(watch->arg, found);
}

static void on_read(void *arg, const struct record_outcome *o)
{
    struct look *look = arg;
    struct entry_watch *watch = look->watch;
    struct entry_found found = {.readable = true};
    struct record_version known = watch->known(watch->arg);
    bool absent = o->result == RECORD_MISSING;

    watch->pending = false;
    if (o->result == RECORD_OK)
        found.readable = entry_readable(o->value, o->version, &found.entry);
    found.value = o->value;
    if (o->result == RECORD_UNAVAILABLE || look->pair != watch->pair)
        ;
    else if (found.readable && record_version_cmp(found.entry.version, known) >= 0)
        right(watch, &found);
    else
        found_odd(watch, look->record, absent, o->raw, &found);
    free(look);
}

#define BEHIND_MAX 3 /* looks: one is behind for a moment when the peer meets a new master first */

/* A node that is gone was told a version under a term that this Redis has forgotten; the peer has it by a
 * heartbeat. */
static void compare_terms(struct entry_watch *watch, struct record *record)
{
    struct record_version known = watch->known(watch->arg);

    if (known.term > watch->term)
        watch->term = known.term;
    if (watch->term <= record_term(record))
        watch->term = watch->behind = 0;
    else if (++watch->behind > BEHIND_MAX)
        record_knows_term(record, watch->term);
}

void entry_watch_look(struct entry_watch *watch, struct record *record, struct slice field, bool broken)
{
    struct look *look;

    if (watch->pending || record_state(record) != RECORD_FOLLOWING || !(look = malloc(sizeof(*look))))
        return;
    compare_terms(watch, record);
    *look = (struct look){watch, record, watch->pair};
    watch->pending = true;
    watch->warned |= broken;
    record_read(record, RECORD_HA, field, on_read, look);
}
