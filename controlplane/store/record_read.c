/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of the record, as the master has them now: one, or piece by piece for a backup. */
#include <stdio.h>
#include <stdlib.h>

#include "store/record_impl.h"

struct reading {
    record_done done;
    void *arg;
};

static void on_value(void *arg, const struct slice *raw, const char *error)
{
    struct reading *r = arg;
    struct record_outcome outcome = {.result = RECORD_UNAVAILABLE, .why = error};

    if (!error && !raw) {
        outcome.result = RECORD_MISSING;
        outcome.why = "the record does not have it";
    } else if (!error) {
        outcome.result = RECORD_OK;
        outcome.raw = *raw;
        record_value_split(*raw, &outcome.version, &outcome.value);
    }
    r->done(r->arg, &outcome);
    free(r);
}

void record_read(struct record *rec, enum record_table table, struct slice field, record_done done, void *arg)
{
    struct reading *r = malloc(sizeof(*r));

    if (r)
        *r = (struct reading){.done = done, .arg = arg};
    if (r && rec->up && rec->io.ops->read(rec->io.ctx, table, field, on_value, r))
        return;
    struct record_outcome outcome = {.result = RECORD_UNAVAILABLE,
                                     .why = !r        ? "out of memory"
                                            : rec->up ? "the queue to Redis is full"
                                                      : rec->io.ops->state(rec->io.ctx)};
    free(r);
    done(arg, &outcome);
}

struct paging {
    struct record_scan scan;
    struct record_page page;
};

static void on_one(struct record_scan *scan, struct slice field, struct slice raw)
{
    struct paging *p = scan->arg;
    struct record_version version;
    struct slice value;

    record_value_split(raw, &version, &value);
    p->page.one(p->page.arg, field, value);
}

static void on_page(struct record_scan *scan, uint64_t cursor, bool unreadable, const char *error)
{
    struct paging *p = scan->arg;

    (void)unreadable;
    p->page.done(p->page.arg, cursor, error);
    free(p);
}

void record_page(struct record *rec, enum record_table table, uint64_t cursor, const struct record_page *page)
{
    struct paging *p = malloc(sizeof(*p));

    if (p) {
        p->page = *page;
        p->scan =
            (struct record_scan){.table = table, .cursor = cursor, .arg = p, .one = on_one, .done = on_page};
    }
    if (p && rec->up && rec->io.ops->scan(rec->io.ctx, &p->scan))
        return;
    free(p);
    page->done(page->arg, 0, rec->up ? "the queue to Redis is full" : rec->io.ops->state(rec->io.ctx));
}

static void on_stands(void *arg, bool confirmed, const char *error)
{
    struct reading *r = arg;
    struct record_outcome outcome = {.result = confirmed ? RECORD_OK : RECORD_UNAVAILABLE, .why = error};

    r->done(r->arg, &outcome);
    free(r);
}

void record_stands_for(struct record *rec, const char *id, record_done done, void *arg)
{
    struct reading *r = malloc(sizeof(*r));
    char text[RECORD_ID_LEN + 1];

    snprintf(text, sizeof(text), "%s", id);
    if (r)
        *r = (struct reading){.done = done, .arg = arg};
    if (r && rec->up && rec->io.ops->restored(rec->io.ctx, text, on_stands, r))
        return;
    free(r);
    done(arg, &(struct record_outcome){.result = RECORD_UNAVAILABLE, .why = "the queue to Redis is full"});
}

const char *record_id(const struct record *rec)
{
    return rec->id;
}
