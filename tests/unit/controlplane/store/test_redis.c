/* SPDX-License-Identifier: BSD-2-Clause */
/* The connection and the record against a Redis that is away, slow, wrong, or broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_redis.h"
#include "log/alarms.h"
#include "log/log.h"
#include "store/record.h"
#include "store/redis.h"

struct rig {
    uv_loop_t loop;
    struct fake_redis fake;
    struct redis *r;
    bool up, down, answered;
    unsigned ups, replicas, answers, errors;
    int eviction;
    char why[256], text[256];
};

static void on_up(void *arg)
{
    struct rig *rig = arg;
    rig->up = true;
    rig->ups++;
}

static void on_down(void *arg, const char *why)
{
    struct rig *rig = arg;
    rig->down = true;
    snprintf(rig->why, sizeof(rig->why), "%s", why);
}

static void on_health(void *arg, unsigned replicas, int eviction, int durable)
{
    struct rig *rig = arg;
    (void)durable;
    rig->replicas = replicas;
    rig->eviction = eviction;
}

static void on_answer(void *arg, const redisReply *reply, const char *error)
{
    struct rig *rig = arg;
    assert_true(reply || error);
    rig->answered = true;
    rig->answers++;
    rig->errors += error != NULL;
    snprintf(rig->text, sizeof(rig->text), "%s", error ? error : "");
}

static void start(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    uv_loop_init(&rig->loop);
    fake_redis_start(&rig->fake, &rig->loop);
}

static struct redis_options options(struct rig *rig)
{
    struct redis_options o = {.loop = &rig->loop,
                              .host = "127.0.0.1",
                              .port = rig->fake.port,
                              .timeout_ms = 1500, /* a machine that stalls for a second is no late answer */
                              .backoff_min_ms = 10,
                              .backoff_max_ms = 50};
    return o;
}

static void connect_with(struct rig *rig, const struct redis_options *o)
{
    struct redis_events ev = {on_up, on_down, on_health, rig};
    rig->r = redis_create(o, &ev);
}

static void stop(struct rig *rig)
{
    redis_close(rig->r);
    fake_redis_stop(&rig->fake);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
}

static void says_hello_before_it_is_up(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig);
    rig.fake.password = "geheim";
    rig.fake.byte_by_byte = true;
    rig.fake.replicas = 2;
    rig.fake.policy = "allkeys-lru";
    struct redis_options o = options(&rig);
    snprintf(o.password, sizeof(o.password), "geheim");
    connect_with(&rig, &o);
    assert_false(redis_words(rig.r, on_answer, &rig, "PING", NULL)); /* not yet */
    assert_true(turn_until(&rig.loop, &rig.up, 60000));
    assert_int_equal(redis_replicas(rig.r), 2);
    assert_int_equal(rig.eviction, 1);
    assert_null(strstr(redis_state(rig.r), "geheim"));
    stop(&rig);
}

static void refuses_with(const char *expect, void (*spoil)(struct fake_redis *), const char *password)
{
    struct rig rig;

    start(&rig);
    spoil(&rig.fake);
    struct redis_options o = options(&rig);
    snprintf(o.password, sizeof(o.password), "%s", password);
    connect_with(&rig, &o);
    assert_true(turn_until(&rig.loop, &rig.down, 60000));
    assert_non_null(strstr(rig.why, expect));
    assert_false(rig.up);
    stop(&rig);
}

static void make_replica(struct fake_redis *f)
{
    f->role = "slave";
}

static void make_locked(struct fake_redis *f)
{
    f->password = "geheim";
}

static void make_garbage(struct fake_redis *f)
{
    f->garbage = true;
}

static void make_silent(struct fake_redis *f)
{
    f->silent = true;
}

static void a_wrong_server_is_named(void **state)
{
    (void)state;
    refuses_with("not the master", make_replica, "");
    refuses_with("node.redis.password", make_locked, "");
    refuses_with("WRONGPASS", make_locked, "falsch");
    refuses_with("not the Redis protocol", make_garbage, "");
    refuses_with("no answer within 1500 ms", make_silent, "");
}

static void comes_back_by_itself(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig);
    struct redis_options o = options(&rig);
    connect_with(&rig, &o);
    for (unsigned i = 1; i <= 5; i++) {
        rig.up = rig.down = false;
        if (i > 1)
            fake_redis_drop(&rig.fake);
        assert_true(turn_until(&rig.loop, &rig.up, 60000));
        assert_int_equal(rig.ups, i);
    }
    stop(&rig);
}

static void a_late_answer_fails_all_that_wait(void **state)
{
    struct rig rig;

    (void)state;
    start(&rig);
    struct redis_options o = options(&rig);
    connect_with(&rig, &o);
    assert_true(turn_until(&rig.loop, &rig.up, 60000));
    rig.fake.silent = true;
    for (unsigned i = 0; i < 10; i++)
        assert_true(redis_words(rig.r, on_answer, &rig, "PING", NULL));
    assert_true(turn_until(&rig.loop, &rig.down, 60000));
    assert_true(rig.answers == 10 && rig.errors == 10);
    rig.fake.silent = false;
    rig.up = false;
    assert_true(turn_until(&rig.loop, &rig.up, 60000));
    rig.answered = false;
    assert_true(redis_words(rig.r, on_answer, &rig, "PING", NULL));
    assert_true(turn_until(&rig.loop, &rig.answered, 60000));
    assert_string_equal(rig.text, "");
    stop(&rig);
}

static void the_queue_is_bounded_and_answers_keep_their_order(void **state)
{
    struct rig rig;
    unsigned sent = 0;

    (void)state;
    start(&rig);
    struct redis_options o = options(&rig);
    o.pending_max = 100;
    connect_with(&rig, &o);
    assert_true(turn_until(&rig.loop, &rig.up, 60000));
    while (redis_words(rig.r, on_answer, &rig, "PING", NULL))
        sent++;
    assert_true(sent >= 90 && sent <= 100);
    for (unsigned i = 0; i < 600 && rig.answers < sent; i++)
        turn_for(&rig.loop, 100);
    assert_int_equal(rig.answers, sent);
    assert_int_equal(rig.errors, 0);
    assert_true(redis_words(rig.r, on_answer, &rig, "PING", NULL));
    stop(&rig); /* with one under way: it fails, nothing leaks */
    assert_int_equal(rig.answers, sent + 1);
}

static void bytes_that_nobody_takes_are_bounded(void **state)
{
    struct rig rig;
    static char big[100000];
    const char *argv[] = {"SET", "x", big};
    size_t len[] = {3, 1, sizeof(big)};
    unsigned sent = 0;

    (void)state;
    memset(big, 'x', sizeof(big));
    start(&rig);
    struct redis_options o = options(&rig);
    o.queue_bytes = 1000000;
    connect_with(&rig, &o);
    assert_true(turn_until(&rig.loop, &rig.up, 60000));
    while (sent < 1000 && redis_send(rig.r, 3, argv, len, 0, on_answer, &rig)) /* the loop does not turn */
        sent++;
    assert_true(sent < 200);
    stop(&rig);
}

/* ---- the record ---- */
struct rec_rig {
    struct rig rig;
    struct log log;
    struct alarms alarms;
    struct record *rec;
    bool loaded, done;
    enum record_result result;
    unsigned loads, changes;
};

static void load_begin(void *arg)
{
    ((struct rec_rig *)arg)->loads++;
}

static void loaded_one(void *arg, enum record_table table, struct slice field, struct slice value,
                       struct record_version version)
{
    (void)arg, (void)table, (void)field, (void)value, (void)version;
}

static void changed(void *arg, enum record_table table, enum record_op op, struct slice field,
                    struct slice value, struct record_version version)
{
    (void)table, (void)op, (void)field, (void)value, (void)version;
    ((struct rec_rig *)arg)->changes++;
}

static void load_end(void *arg)
{
    ((struct rec_rig *)arg)->loaded = true;
}

static bool give(void *arg, enum record_table table, uint64_t *cursor, struct slice *field,
                 struct slice *value)
{
    (void)arg;
    (void)table;
    (void)cursor;
    (void)field;
    (void)value;
    return false;
}

static void on_done(void *arg, const struct record_outcome *outcome)
{
    struct rec_rig *x = arg;

    assert_true(outcome->result != RECORD_UNAVAILABLE || outcome->why);
    x->result = outcome->result;
    x->done = true;
}

static void rec_start(struct rec_rig *x, unsigned replicas)
{
    memset(x, 0, sizeof(*x));
    start(&x->rig);
    x->rig.fake.replicas = replicas;
    log_init(&x->log, 2, "test");
    x->log.level = HG_LOG_ERROR;
    x->alarms.log = &x->log;
    struct redis_options o = options(&x->rig);
    struct record_events ev = {.load_begin = load_begin,
                               .loaded_one = loaded_one,
                               .load_end = load_end,
                               .changed = changed,
                               .give = give,
                               .arg = x};
    x->rec = record_create(&o, "c1", &ev, &x->log, &x->alarms);
}

static void rec_stop(struct rec_rig *x)
{
    record_close(x->rec);
    fake_redis_stop(&x->rig.fake);
    uv_run(&x->rig.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&x->rig.loop), 0);
    log_close(&x->log);
}

static enum record_result change(struct rec_rig *x, enum record_op op, enum record_expect expect)
{
    x->done = false;
    record_change_one(x->rec, RECORD_ROUTES, op, expect, SLICE_LIT("gw1"), SLICE_LIT("{}"), on_done, x);
    assert_true(turn_until(&x->rig.loop, &x->done, 60000));
    return x->result;
}

static void a_change_without_redis_fails_at_once(void **state)
{
    struct rec_rig x;

    (void)state;
    rec_start(&x, 0);
    record_change_one(x.rec, RECORD_USERS, RECORD_SET, RECORD_ANY, SLICE_LIT("a@b"), SLICE_LIT("n"), on_done,
                      &x);
    assert_true(x.done);
    assert_int_equal(x.result, RECORD_UNAVAILABLE);
    rec_stop(&x);
}

static void noscript_is_answered_by_the_script(void **state)
{
    struct rec_rig x;

    (void)state;
    rec_start(&x, 0);
    assert_true(turn_until(&x.rig.loop, &x.loaded, 60000));
    x.rig.fake.no_script = true;
    x.rig.fake.evals = 0;
    assert_int_equal(change(&x, RECORD_SET, RECORD_ABSENT), RECORD_OK);
    assert_int_equal(x.rig.fake.evals, 1);
    assert_int_equal(change(&x, RECORD_SET, RECORD_PRESENT), RECORD_OK);
    assert_int_equal(x.rig.fake.evals, 1);
    assert_true(x.alarms.a[ALARM_redis_not_durable].standing);
    x.rig.fake.refusal = "exists";
    assert_int_equal(change(&x, RECORD_SET, RECORD_ABSENT), RECORD_EXISTS);
    x.rig.fake.refusal = "missing";
    assert_int_equal(change(&x, RECORD_REMOVE, RECORD_PRESENT), RECORD_MISSING);
    x.rig.fake.refusal = "conflict";
    assert_int_equal(change(&x, RECORD_SET, RECORD_SAME), RECORD_CONFLICT);
    rec_stop(&x);
}

/* The log tells of our own change before it is reported as done. */
static void a_change_comes_by_the_log_first(void **state)
{
    struct rec_rig x;

    (void)state;
    rec_start(&x, 0);
    assert_true(turn_until(&x.rig.loop, &x.loaded, 60000));
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(change(&x, RECORD_SET, RECORD_ANY), RECORD_OK);
        assert_int_equal(x.changes, i);
    }
    rec_stop(&x);
}

static void success_waits_for_a_replica(void **state)
{
    struct rec_rig x;

    (void)state;
    rec_start(&x, 1);
    x.rig.fake.wait_answer = 1;
    assert_true(turn_until(&x.rig.loop, &x.loaded, 60000));
    x.rig.fake.waits = 0;
    assert_int_equal(change(&x, RECORD_SET, RECORD_ANY), RECORD_OK);
    assert_int_equal(x.rig.fake.waits, 2); /* of the change, and of the entry of the log */
    assert_false(x.alarms.a[ALARM_redis_not_durable].standing);
    x.rig.fake.wait_answer = 0; /* nobody confirmed: never told as done, and not shown */
    assert_int_equal(change(&x, RECORD_SET, RECORD_ANY), RECORD_UNAVAILABLE);
    assert_int_equal(x.changes, 1);
    x.rig.fake.wait_answer = 1;
    x.rig.fake.silent = true;
    assert_int_equal(change(&x, RECORD_SET, RECORD_ANY), RECORD_UNAVAILABLE);
    x.rig.fake.silent = false;
    x.loaded = false; /* and memory follows the record when it is back */
    assert_true(turn_until(&x.rig.loop, &x.loaded, 60000));
    assert_int_equal(x.loads, 2);
    rec_stop(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_hello_before_it_is_up),
        cmocka_unit_test(a_wrong_server_is_named),
        cmocka_unit_test(comes_back_by_itself),
        cmocka_unit_test(a_late_answer_fails_all_that_wait),
        cmocka_unit_test(the_queue_is_bounded_and_answers_keep_their_order),
        cmocka_unit_test(bytes_that_nobody_takes_are_bounded),
        cmocka_unit_test(a_change_without_redis_fails_at_once),
        cmocka_unit_test(noscript_is_answered_by_the_script),
        cmocka_unit_test(a_change_comes_by_the_log_first),
        cmocka_unit_test(success_waits_for_a_replica),
    };
    return cmocka_run_group_tests_name("controlplane_redis", tests, NULL, NULL);
}
