/* SPDX-License-Identifier: BSD-2-Clause */
/* A change that is asked for in the moment in which the record is looked at anew is held, not refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim_redis.h"
#include "store/record_impl.h"

#define TIMEOUT_MS 500
#define MANY       200

struct world {
    struct sim_redis *s;
    struct sim_client *client;
    struct record *record;
    struct log log;
    struct alarms alarms;
    uint64_t now;
    char order[MANY + 1]; /* as they were answered */
    unsigned answered, ok, not_ready;
};

struct asked {
    struct world *w;
    char name;
};

static void on_load(void *arg)
{
    (void)arg;
}

static void on_one(void *arg, enum record_table table, struct slice field, struct slice value,
                   struct record_version version)
{
    (void)arg, (void)table, (void)field, (void)value, (void)version;
}

static void on_changed(void *arg, enum record_table table, enum record_op op, struct slice field,
                       struct slice value, struct record_version version)
{
    (void)arg, (void)table, (void)op, (void)field, (void)value, (void)version;
}

static bool give(void *arg, enum record_table table, uint64_t *cursor, struct slice *field,
                 struct slice *value)
{
    (void)arg, (void)table, (void)cursor, (void)field, (void)value;
    return false;
}

static void run(struct world *w, uint64_t ms)
{
    uint64_t end = w->now + ms * SIM_MS;

    while (sim_redis_next(w->s) <= end) {
        w->now = sim_redis_next(w->s);
        sim_redis_run(w->s, w->now);
    }
    w->now = end;
    sim_redis_run(w->s, w->now);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct sim_redis_options o = {
        .seed = 1, .servers = 2, .delay = SIM_MS, .lag = SIM_MS, .timeout_ms = TIMEOUT_MS};
    struct record_events ev = {.load_begin = on_load,
                               .loaded_one = on_one,
                               .load_end = on_load,
                               .changed = on_changed,
                               .give = give,
                               .arg = w};

    log_init(&w->log, 2, "sim");
    w->log.level = HG_LOG_ERROR;
    w->alarms.log = &w->log;
    w->s = sim_redis_create(&o);
    w->client = sim_client_create(w->s);
    struct record_io io = sim_client_io(w->client);
    w->record = record_create_over(&io, &ev, &w->log, &w->alarms);
    sim_client_attach(w->client, w->record);
    run(w, 2000);
    assert_true(record_loaded(w->record));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    record_close(w->record);
    record_free(w->record);
    sim_redis_free(w->s);
    log_close(&w->log);
    free(w);
    return 0;
}

static void on_answer(void *arg, const struct record_outcome *o)
{
    struct asked *a = arg;
    struct world *w = a->w;

    w->order[w->answered++] = a->name;
    w->ok += o->result == RECORD_OK;
    w->not_ready += o->result == RECORD_UNAVAILABLE && strstr(o->why, "not ready for changes") != NULL;
    free(a);
}

static void ask(struct world *w, char name)
{
    struct asked *a = malloc(sizeof(*a));

    *a = (struct asked){w, name};
    record_change_one(w->record, RECORD_ROUTES, RECORD_SET, RECORD_ANY, SLICE_LIT("one"), slice_of(&name, 1),
                      on_answer, a);
}

static void held_for_a_moment_and_then_made_in_order(void **state)
{
    struct world *w = *state;

    record_begin(w->record);
    assert_false(record_loaded(w->record));
    for (const char *name = "abc"; *name; name++)
        ask(w, *name);
    assert_int_equal(w->answered, 0);
    run(w, 200);
    assert_int_equal(w->ok, 3);
    assert_string_equal(w->order, "abc");
    assert_true(record_loaded(w->record));
    const struct sim_text *raw =
        sim_data_get(sim_redis_data(w->s, (unsigned)sim_redis_master(w->s)), RECORD_ROUTES, SLICE_LIT("one"));
    assert_non_null(raw);
    assert_string_equal(strchr(raw->p, ' '), " c");
}

static void not_for_longer_than_a_command_may_take(void **state)
{
    struct world *w = *state;

    sim_redis_pause(w->s, (unsigned)sim_redis_master(w->s), w->now + 10000 * SIM_MS);
    record_begin(w->record);
    ask(w, 'a');
    run(w, TIMEOUT_MS * 2);
    assert_int_equal(w->answered, 1);
    assert_int_equal(w->ok, 0);
}

static void not_more_than_a_few(void **state)
{
    struct world *w = *state;

    record_begin(w->record);
    for (unsigned i = 0; i < MANY; i++)
        ask(w, 'a');
    assert_in_range(w->not_ready, 1, MANY - 1);
    run(w, 1000);
    assert_int_equal(w->answered, MANY);
    assert_int_equal(w->ok + w->not_ready, MANY);
}

static void told_when_the_process_ends(void **state)
{
    struct world *w = *state;

    record_begin(w->record);
    ask(w, 'a');
    record_close(w->record);
    assert_int_equal(w->answered, 1);
    assert_int_equal(w->ok, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(held_for_a_moment_and_then_made_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(not_for_longer_than_a_command_may_take, setup, teardown),
        cmocka_unit_test_setup_teardown(not_more_than_a_few, setup, teardown),
        cmocka_unit_test_setup_teardown(told_when_the_process_ends, setup, teardown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
