/* SPDX-License-Identifier: BSD-2-Clause */
/* One value of the record, as the master has it now. */
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
