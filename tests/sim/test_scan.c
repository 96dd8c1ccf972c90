/* SPDX-License-Identifier: BSD-2-Clause */
/* A table of many pages in a real Redis: the next page is asked for while one is taken in. Whole, each entry
 * once at least, and never a page that was read before somebody asked for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/alarms.h"
#include "log/log.h"
#include "real_redis.h"
#include "store/record_reading.h"

#define USERS   20001u /* pages of some thousand */
#define WAIT_NS 60000000000ull

struct rig {
    uv_loop_t loop;
    struct real_redis redis;
    struct log log;
    struct alarms alarms;
    struct record *record;
    struct record_scan scan;
    bool go_on; /* done() asks for the next page, as a load does */
    bool done, loaded;
    unsigned slow; /* entries that are taken in as slowly as a busy machine does */
    bool drop;     /* the connection ends between two pieces */
    uv_prepare_t between;
    unsigned turns, failed; /* of the loop while a page is told; pages that ended in an error */
    unsigned pages, seen, ahead, newer, answered;
    uint64_t next;
    uint8_t times[USERS];
};

static const struct record_io *io_of(const struct rig *rig)
{
    return record_io_of(rig->record);
}

static void turn_until(struct rig *rig, const bool *flag)
{
    uint64_t end = uv_hrtime() + WAIT_NS;

    while (!*flag && uv_hrtime() < end)
        uv_run(&rig->loop, UV_RUN_ONCE);
    assert_true(*flag);
}

static void on_one(struct record_scan *scan, struct slice field, struct slice raw)
{
    struct rig *rig = scan->arg;
    unsigned n = (unsigned)strtoul(field.p + 4, NULL, 10);

    assert_true(n < USERS);
    if (rig->slow > 0 && rig->slow--)
        uv_sleep(1);
    rig->seen += rig->times[n]++ == 0;
    rig->newer += raw.len >= 5 && memcmp(raw.p + raw.len - 5, "newer", 5) == 0;
}

static void on_done(struct record_scan *scan, uint64_t cursor, bool unreadable, const char *error)
{
    struct rig *rig = scan->arg;
    const struct record_redis *io = io_of(rig)->ctx;

    assert_false(unreadable);
    if (error) {
        rig->failed++;
        rig->done = true;
        return;
    }
    rig->pages++;
    rig->ahead += io->ahead != NULL;
    rig->next = scan->cursor = cursor;
    if (cursor && rig->go_on)
        assert_true(io_of(rig)->ops->scan(io_of(rig)->ctx, scan));
    else
        rig->done = true;
}

static void scan_from(struct rig *rig, uint64_t cursor, bool go_on)
{
    memset(rig->times, 0, sizeof(rig->times));
    rig->pages = rig->seen = rig->ahead = rig->newer = rig->turns = rig->failed = 0;
    rig->go_on = go_on;
    rig->done = false;
    rig->scan = (struct record_scan){
        .table = RECORD_USERS, .cursor = cursor, .whole = true, .one = on_one, .done = on_done, .arg = rig};
    assert_true(io_of(rig)->ops->scan(io_of(rig)->ctx, &rig->scan));
    turn_until(rig, &rig->done);
    assert_int_equal(rig->failed, rig->drop);
}

/* ---- a record with many users ---- */

static void on_changed(void *arg, const struct record_outcome *o)
{
    struct rig *rig = arg;

    assert_int_equal(o->result, RECORD_OK);
    rig->done = --rig->answered == 0;
}

static void write_users(struct rig *rig, const char *value)
{
    static struct record_item items[RECORD_ITEMS_MAX];
    static char name[RECORD_ITEMS_MAX][32];

    rig->done = false;
    rig->answered = 0;
    for (uint32_t first = 0; first < USERS; first += RECORD_ITEMS_MAX) {
        uint32_t n = USERS - first < RECORD_ITEMS_MAX ? USERS - first : RECORD_ITEMS_MAX;
        for (uint32_t i = 0; i < n; i++) {
            snprintf(name[i], sizeof(name[i]), "user%06u@example.com", first + i);
            items[i] = (struct record_item){
                .table = RECORD_USERS, .field = slice_str(name[i]), .value = slice_str(value)};
        }
        rig->answered++;
        record_change(rig->record, items, n, on_changed, rig);
    }
    turn_until(rig, &rig->done);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void loaded(void *arg)
{
    ((struct rig *)arg)->loaded = true;
}

static void loaded_one(void *arg, enum record_table table, struct slice field, struct slice value,
                       struct record_version version)
{
    (void)arg, (void)table, (void)field, (void)value, (void)version;
}

static void changed(void *arg, enum record_table table, enum record_op op, struct slice field,
                    struct slice value, struct record_version version)
{
    (void)arg, (void)table, (void)op, (void)field, (void)value, (void)version;
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct record_events ev = {
        .load_begin = nothing, .loaded_one = loaded_one, .load_end = loaded, .changed = changed, .arg = rig};

    uv_loop_init(&rig->loop);
    real_redis_start(&rig->redis, NULL);
    log_init(&rig->log, 2, "test");
    rig->log.level = HG_LOG_ERROR;
    rig->alarms.log = &rig->log;
    struct redis_options o = {
        .loop = &rig->loop, .host = "127.0.0.1", .port = rig->redis.port, .timeout_ms = 20000};
    rig->record = record_create(&o, "c1", &ev, &rig->log, &rig->alarms);
    turn_until(rig, &rig->loaded);
    write_users(rig, "n1");
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    record_close(rig->record);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    real_redis_stop(&rig->redis);
    log_close(&rig->log);
    free(rig);
    return 0;
}

static void a_table_comes_whole_and_the_next_page_is_under_way(void **state)
{
    struct rig *rig = *state;

    scan_from(rig, 0, true);
    assert_int_equal(rig->seen, USERS);
    assert_true(rig->pages >= 3);
    assert_int_equal(rig->ahead, rig->pages - 1); /* in all pages but the last */
}

static void a_page_that_nobody_asked_for_in_time_is_read_again(void **state)
{
    struct rig *rig = *state;
    const struct record_redis *io = io_of(rig)->ctx;

    scan_from(rig, 0, false); /* a load that ends early: the next page has been asked for */
    uint64_t next = rig->next;
    assert_true(next != 0 && rig->ahead == 1);
    assert_null(io->ahead);
    write_users(rig, "newer");
    scan_from(rig, next, false);
    assert_true(rig->seen > 0);
    assert_int_equal(rig->newer, rig->seen);
}

static void a_connection_that_is_lost_takes_the_page_with_it(void **state)
{
    struct rig *rig = *state;
    struct record_redis *io = io_of(rig)->ctx;

    scan_from(rig, 0, false);
    redis_drop(io->main, "by the test");
    rig->loaded = false;
    turn_until(rig, &rig->loaded);
    scan_from(rig, 0, true);
    assert_int_equal(rig->seen, USERS);
}

static void on_between(uv_prepare_t *prepare)
{
    struct rig *rig = prepare->data;
    struct record_redis *io = io_of(rig)->ctx;

    rig->turns += rig->seen > 0 && rig->pages == 0;
    if (rig->drop && rig->seen && !rig->failed)
        redis_drop(io->main, "by the test");
}

static void scan_slowly(struct rig *rig, bool drop)
{
    uv_prepare_init(&rig->loop, &rig->between);
    rig->between.data = rig;
    uv_prepare_start(&rig->between, on_between);
    rig->slow = 200;
    rig->drop = drop;
    scan_from(rig, 0, false);
    rig->slow = 0;
    rig->drop = false;
    uv_close((uv_handle_t *)&rig->between, NULL);
    uv_run(&rig->loop, UV_RUN_NOWAIT);
}

static void others_have_their_turn_while_a_page_is_told(void **state)
{
    struct rig *rig = *state;

    scan_slowly(rig, false);
    assert_true(rig->turns >= 3); /* 200 entries took 200 ms */
}

static void a_connection_that_is_lost_in_between_ends_the_page_once(void **state)
{
    struct rig *rig = *state;

    scan_slowly(rig, true);
    assert_int_equal(rig->pages, 0);
    unsigned seen = rig->seen;
    assert_true(seen > 0 && seen < 200);
    rig->loaded = false;
    turn_until(rig, &rig->loaded);
    assert_int_equal(rig->seen, seen);
    assert_int_equal(rig->failed, 1);
    scan_from(rig, 0, true);
    assert_int_equal(rig->seen, USERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_comes_whole_and_the_next_page_is_under_way),
        cmocka_unit_test(a_page_that_nobody_asked_for_in_time_is_read_again),
        cmocka_unit_test(a_connection_that_is_lost_takes_the_page_with_it),
        cmocka_unit_test(others_have_their_turn_while_a_page_is_told),
        cmocka_unit_test(a_connection_that_is_lost_in_between_ends_the_page_once),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
