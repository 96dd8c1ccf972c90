/* SPDX-License-Identifier: BSD-2-Clause */
/* Another master: who has the beginning of what it went on from follows its log at once and reads nothing
 * again; who has something else reads everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "log/alarms.h"
#include "log/log.h"
#include "sim_redis.h"
#include "store/record_cache.h"

struct node {
    struct sim_client *client;
    struct record *record;
    struct record_cache memory;
    unsigned loads, begun;
    uint64_t fenced_ago; /* when it followed last */
};
struct world {
    struct sim_redis *s;
    struct node node[2];
    struct log log;
    struct alarms alarms;
    uint64_t now;
    unsigned written;
};

static void load_begin(void *arg)
{
    struct node *n = arg;

    n->begun++;
    record_cache_clear(&n->memory);
}

static void loaded_one(void *arg, enum record_table table, struct slice field, struct slice value,
                       struct record_version version)
{
    record_cache_set(&((struct node *)arg)->memory, table, field, value, version);
}

static void load_end(void *arg)
{
    ((struct node *)arg)->loads++;
}

static void changed(void *arg, enum record_table table, enum record_op op, struct slice field,
                    struct slice value, struct record_version version)
{
    if (op == RECORD_SET)
        record_cache_set(&((struct node *)arg)->memory, table, field, value, version);
}

static void on_state(void *arg, enum record_state state)
{
    struct node *n = arg;

    if (state == RECORD_FOLLOWING)
        n->fenced_ago = record_fenced_ago(n->record);
}

static bool give(void *arg, enum record_table table, uint64_t *cursor, struct slice *field,
                 struct slice *value)
{
    (void)arg, (void)table, (void)cursor, (void)field, (void)value;
    return false;
}

static void run(struct world *w, uint64_t ms)
{
    uint64_t until = w->now + ms * SIM_MS;

    while (sim_redis_next(w->s) <= until) {
        w->now = sim_redis_next(w->s);
        sim_redis_run(w->s, w->now);
    }
    w->now = until;
}

static void start(struct world *w, struct node *n)
{
    struct record_events ev = {.load_begin = load_begin,
                               .loaded_one = loaded_one,
                               .load_end = load_end,
                               .changed = changed,
                               .state = on_state,
                               .give = give,
                               .arg = n};

    n->client = sim_client_create(w->s);
    struct record_io io = sim_client_io(n->client);
    n->record = record_create_over(&io, &ev, &w->log, &w->alarms);
    sim_client_attach(n->client, n->record);
}

static void on_written(void *arg, const struct record_outcome *o)
{
    ((struct world *)arg)->written += o->result == RECORD_OK;
}

static void write_route(struct world *w, unsigned by, const char *name)
{
    unsigned before = w->written;

    record_change_one(w->node[by].record, RECORD_ROUTES, RECORD_SET, RECORD_ANY, slice_str(name),
                      slice_str("{}"), on_written, w);
    run(w, 1000);
    assert_int_equal(w->written, before + 1);
}

static bool has(const struct node *n, const char *name)
{
    return record_cache_find(&n->memory, RECORD_ROUTES, slice_str(name)) != NULL;
}

static void open_world(struct world *w, unsigned servers)
{
    struct sim_redis_options o = {.seed = 1, .servers = servers, .delay = SIM_MS, .lag = SIM_MS};

    *w = (struct world){0};
    log_init(&w->log, 2, "test");
    w->log.level = HG_LOG_ERROR;
    w->alarms.log = &w->log;
    w->s = sim_redis_create(&o);
    for (unsigned i = 0; i < 2; i++)
        start(w, &w->node[i]);
    run(w, 3000);
    write_route(w, 0, "first");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(w->node[i].loads, 1);
        assert_true(has(&w->node[i], "first"));
    }
}

static void close_world(struct world *w)
{
    for (unsigned i = 0; i < 2; i++) {
        record_close(w->node[i].record);
        record_free(w->node[i].record);
        record_cache_clear(&w->node[i].memory);
    }
    sim_redis_free(w->s);
    log_close(&w->log);
}

static void promote_another(struct world *w)
{
    sim_redis_kill(w->s, (unsigned)sim_redis_master(w->s));
    assert_true(sim_redis_promote(w->s, false, 0));
}

/* The Sentinels tell of it a while after they have voted. */
static void promote_and_tell(struct world *w)
{
    promote_another(w);
    for (unsigned i = 0; i < 2; i++)
        sim_client_cut(w->node[i].client, true);
    run(w, 1000);
    for (unsigned i = 0; i < 2; i++)
        sim_client_cut(w->node[i].client, false);
    run(w, 3000);
}

static void a_promotion_is_followed_by_the_log(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, 3);
    uint64_t term = record_term(w.node[0].record);
    promote_and_tell(&w);
    write_route(&w, 1, "second");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(w.node[i].begun, 1);
        assert_true(record_loaded(w.node[i].record));
        assert_int_equal(record_term(w.node[i].record), term + 1);
        assert_true(has(&w.node[i], "first") && has(&w.node[i], "second"));
        assert_in_range(w.node[i].fenced_ago, 1000 * SIM_MS, 2000 * SIM_MS);
    }
    promote_and_tell(&w);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(w.node[i].begun, 1);
    close_world(&w);
}

/* Changes were made while a node was away: the log brings them. */
static void who_was_away_gets_what_it_missed(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, 3);
    sim_client_cut(w.node[1].client, true);
    run(&w, 3000);
    write_route(&w, 0, "before");
    promote_another(&w);
    run(&w, 3000);
    write_route(&w, 0, "after");
    assert_false(has(&w.node[1], "before"));
    sim_client_cut(w.node[1].client, false);
    run(&w, 3000);
    assert_int_equal(w.node[1].begun, 1);
    assert_true(record_loaded(w.node[1].record) && has(&w.node[1], "before") && has(&w.node[1], "after"));
    close_world(&w);
}

static void two_masters_later_everything_is_read(void **state)
{
    struct world w;

    (void)state;
    open_world(&w, 3);
    sim_client_cut(w.node[1].client, true);
    for (unsigned i = 0; i < 2; i++) {
        promote_another(&w);
        run(&w, 3000);
    }
    assert_int_equal(w.node[0].begun, 1);
    sim_client_cut(w.node[1].client, false);
    run(&w, 3000);
    assert_int_equal(w.node[1].loads, 2);
    close_world(&w);
}

/* A server that is started anew: with all that it had nobody reads it again; it was fenced by nobody. With
 * less, everybody does. */
static void a_server_that_forgot_is_read_again(void **state)
{
    struct sim_data past = {.log_max = 4096};
    struct world w;

    (void)state;
    open_world(&w, 1);
    sim_redis_kill(w.s, 0);
    sim_redis_start(w.s, 0, false);
    run(&w, 3000);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(record_loaded(w.node[i].record));
        assert_int_equal(w.node[i].begun, 1);
        assert_int_equal(w.node[i].fenced_ago, 0);
    }
    sim_data_copy(&past, sim_redis_data(w.s, 0));
    write_route(&w, 0, "forgotten");
    sim_redis_kill(w.s, 0);
    sim_data_copy(sim_redis_data_change(w.s, 0), &past);
    sim_redis_start(w.s, 0, false);
    run(&w, 3000);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(w.node[i].loads, 2);
        assert_false(has(&w.node[i], "forgotten"));
    }
    sim_data_clear(&past);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_promotion_is_followed_by_the_log),
                                       cmocka_unit_test(who_was_away_gets_what_it_missed),
                                       cmocka_unit_test(two_masters_later_everything_is_read),
                                       cmocka_unit_test(a_server_that_forgot_is_read_again)};

    return cmocka_run_group_tests_name("record_continues", tests, NULL, NULL);
}
