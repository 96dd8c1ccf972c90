/* SPDX-License-Identifier: BSD-2-Clause */
/* Versions, log keys, and the small memory of the record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "store/record_cache.h"
#include "store/record_seen.h"
#include "store/record_text.h"

static void versions_are_in_order(void **state)
{
    struct record_version a, b;

    (void)state;
    assert_true(record_version_parse(SLICE_LIT("2-9"), &a));
    assert_true(record_version_parse(SLICE_LIT("2-10"), &b));
    assert_true(record_version_cmp(a, b) < 0 && record_version_cmp(b, a) > 0 &&
                record_version_cmp(a, a) == 0);
    assert_true(record_version_parse(SLICE_LIT("10-1"), &a) && record_version_cmp(a, b) > 0);
    assert_false(record_version_parse(SLICE_LIT(""), &a));
    assert_false(record_version_parse(SLICE_LIT("1"), &a));
    assert_false(record_version_parse(SLICE_LIT("1-"), &a));
    assert_false(record_version_parse(SLICE_LIT("-1"), &a));
    assert_false(record_version_parse(SLICE_LIT("1-2 "), &a));
    assert_false(record_version_parse(SLICE_LIT("1-18446744073709551616"), &a));
    assert_true(record_version_parse(SLICE_LIT("1-18446744073709551615"), &a) && a.seq == UINT64_MAX);
}

static void a_value_without_version_is_whole(void **state)
{
    struct record_version v;
    struct slice payload;

    (void)state;
    record_value_split(SLICE_LIT("3-1204 a b"), &v, &payload);
    assert_true(v.term == 3 && v.seq == 1204 && slice_eq(payload, SLICE_LIT("a b")));
    record_value_split(SLICE_LIT("3-1204 "), &v, &payload);
    assert_true(v.seq == 1204 && payload.len == 0);
    record_value_split(SLICE_LIT("3-1204"), &v, &payload); /* a node may be named like that */
    assert_true(record_version_is_none(v) && slice_eq(payload, SLICE_LIT("3-1204")));
    record_value_split(SLICE_LIT("{\"a\":1}"), &v, &payload);
    assert_true(record_version_is_none(v) && payload.len == 7);
    record_value_split(SLICE_LIT(""), &v, &payload);
    assert_true(record_version_is_none(v) && payload.len == 0);
}

static void log_keys_name_table_operation_and_field(void **state)
{
    struct record_item item;

    (void)state;
    assert_true(record_log_key_parse(SLICE_LIT("users del with blank@b"), &item));
    assert_true(item.table == RECORD_USERS && item.op == RECORD_REMOVE);
    assert_true(slice_eq(item.field, SLICE_LIT("with blank@b")));
    assert_false(record_log_key_parse(SLICE_LIT("user set x"), &item));
    assert_false(record_log_key_parse(SLICE_LIT("users put x"), &item));
    assert_false(record_log_key_parse(SLICE_LIT("users set"), &item));
}

static void the_newest_of_what_was_scanned_counts(void **state)
{
    struct record_seen seen = {.secret = {{1, 2}}};
    char field[16];

    (void)state;
    assert_false(record_seen_is_newer(&seen, RECORD_USERS, SLICE_LIT("a"), (struct record_version){1, 1}));
    for (unsigned i = 0; i < 5000; i++) { /* it grows */
        snprintf(field, sizeof(field), "u%u", i);
        assert_true(record_seen_add(&seen, RECORD_USERS, slice_str(field), (struct record_version){2, i}));
    }
    assert_true(record_seen_add(&seen, RECORD_USERS, SLICE_LIT("u7"), (struct record_version){2, 3}));
    assert_true(record_seen_is_newer(&seen, RECORD_USERS, SLICE_LIT("u7"), (struct record_version){2, 7}));
    assert_false(record_seen_is_newer(&seen, RECORD_USERS, SLICE_LIT("u7"), (struct record_version){2, 8}));
    assert_false(record_seen_is_newer(&seen, RECORD_ROUTES, SLICE_LIT("u7"), (struct record_version){2, 1}));
    assert_true(seen.end.seq == 4999);
    record_seen_clear(&seen);
}

static void the_memory_of_small_tables_is_bounded(void **state)
{
    struct record_cache c = {0};
    char field[16];

    (void)state;
    for (unsigned i = 0; i < RECORD_CACHE_MAX + 10; i++) {
        snprintf(field, sizeof(field), "f%u", i);
        bool kept = record_cache_set(&c, RECORD_NODES, slice_str(field), SLICE_LIT("v"),
                                     (struct record_version){1, i});
        assert_int_equal(kept, i < RECORD_CACHE_MAX);
    }
    assert_true(
        record_cache_set(&c, RECORD_NODES, SLICE_LIT("f7"), SLICE_LIT("new"), (struct record_version){9, 9}));
    assert_true(slice_eq(record_cache_find(&c, RECORD_NODES, SLICE_LIT("f7"))->value, SLICE_LIT("new")));
    assert_null(record_cache_find(&c, RECORD_HA, SLICE_LIT("f7")));
    record_cache_remove(&c, RECORD_NODES, SLICE_LIT("f7"));
    assert_null(record_cache_find(&c, RECORD_NODES, SLICE_LIT("f7")));
    record_cache_clear(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_in_order),
        cmocka_unit_test(a_value_without_version_is_whole),
        cmocka_unit_test(log_keys_name_table_operation_and_field),
        cmocka_unit_test(the_newest_of_what_was_scanned_counts),
        cmocka_unit_test(the_memory_of_small_tables_is_bounded),
    };

    return cmocka_run_group_tests_name("record_text", tests, NULL, NULL);
}
