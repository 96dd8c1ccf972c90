/* SPDX-License-Identifier: BSD-2-Clause */
/* Who serves whom, by the record alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ha/entries.h"

static struct entries entries;
static struct topology topology;

static void node(const char *name, unsigned id, const char *subcluster, unsigned slot)
{
    char json[200], why[200];

    snprintf(json, sizeof(json), "{\"id\":%u,\"subcluster\":\"%s\",\"slot\":%u,\"installed\":true}", id,
             subcluster, slot);
    if (!topology_set_node(&topology, slice_str(name), slice_str(json), why, sizeof(why)))
        fail_msg("%s", why);
}

static int setup(void **state)
{
    char why[200];

    (void)state;
    memset(&entries, 0, sizeof(entries));
    topology_init(&topology);
    assert_true(topology_set_subcluster(&topology, SLICE_LIT("s"), SLICE_LIT("{\"id\":1,\"ha\":true}"), why,
                                        sizeof(why)));
    node("a", 5, "s", 0);
    node("b", 3, "s", 1);
    node("c", 9, "", 0);
    return 0;
}

static void put(uint8_t serves0, uint8_t serves1, uint64_t seq)
{
    struct srm_entry e = {.row = ROW_F01, .ha = true, .serves = {serves0, serves1}};
    char text[SRM_ENTRY_TEXT];
    size_t len = srm_entry_text(&e, text);

    assert_true(entries_set(&entries, SLICE_LIT("s"), slice_of(text, (uint32_t)len),
                            (struct record_version){1, seq}));
}

static void without_an_entry_everybody_serves_his_own(void **state)
{
    uint16_t serving[HG_NODES_MAX];

    (void)state;
    entries_serving(&entries, &topology, serving);
    assert_int_equal(serving[5], 5);
    assert_int_equal(serving[3], 3);
    assert_int_equal(serving[9], 9);
    assert_int_equal(serving[4], 0);
}

static void the_entry_moves_homes_by_slot(void **state)
{
    uint16_t serving[HG_NODES_MAX];

    (void)state;
    put(1, 1, 7);
    entries_serving(&entries, &topology, serving);
    assert_int_equal(serving[5], 3);
    assert_int_equal(serving[3], 3);
    assert_int_equal(serving[9], 9);
}

static void an_older_version_changes_nothing(void **state)
{
    (void)state;
    put(1, 1, 7);
    put(0, 1, 6);
    assert_int_equal(entries_find(&entries, SLICE_LIT("s"))->serves[0], 1);
    put(0, 1, 8);
    assert_int_equal(entries_find(&entries, SLICE_LIT("s"))->serves[0], 0);
}

static void garbage_leaves_what_there_is(void **state)
{
    (void)state;
    put(1, 1, 7);
    assert_false(
        entries_set(&entries, SLICE_LIT("s"), SLICE_LIT("{\"what\":1}"), (struct record_version){1, 9}));
    assert_int_equal(entries_find(&entries, SLICE_LIT("s"))->serves[0], 1);
}

static void a_load_takes_out_what_it_did_not_mention(void **state)
{
    (void)state;
    put(1, 1, 7);
    entries_load_begin(&entries);
    entries_load_end(&entries);
    assert_null(entries_find(&entries, SLICE_LIT("s")));
    put(1, 1, 8);
    entries_load_begin(&entries);
    put(1, 1, 8);
    entries_load_end(&entries);
    assert_non_null(entries_find(&entries, SLICE_LIT("s")));
    entries_remove(&entries, SLICE_LIT("s"));
    assert_null(entries_find(&entries, SLICE_LIT("s")));
}

/* Neither is "high availability is off". */
static void unreadable_is_not_absent(void **state)
{
    const struct record_version v = {1, 9};

    (void)state;
    assert_true(entries_absent(&entries, SLICE_LIT("s")));
    assert_false(entries_shared(&entries, SLICE_LIT("s")));
    assert_false(entries_set(&entries, SLICE_LIT("s"), SLICE_LIT("{\"what\":1}"), v));
    assert_false(entries_absent(&entries, SLICE_LIT("s")));
    assert_true(entries_absent(&entries, SLICE_LIT("t")));
    assert_true(entries_shared(&entries, SLICE_LIT("s")) && entries_shared(&entries, slice_of("", 0)));
    assert_false(entries_shared(&entries, SLICE_LIT("t")));
    assert_null(entries_find(&entries, SLICE_LIT("s")));
    put(1, 1, 10);
    assert_non_null(entries_find(&entries, SLICE_LIT("s")));
}

static void garbage_takes_no_entry_out_of_a_load(void **state)
{
    (void)state;
    put(1, 1, 7);
    entries_load_begin(&entries);
    assert_false(entries_set(&entries, SLICE_LIT("s"), SLICE_LIT("?"), (struct record_version){1, 9}));
    entries_load_end(&entries);
    assert_int_equal(entries_find(&entries, SLICE_LIT("s"))->serves[0], 1);
}

static void of_a_table_that_was_skipped_nothing_is_absent(void **state)
{
    (void)state;
    entries_load_begin(&entries);
    entries.skipped = true;
    entries_load_end(&entries);
    assert_false(entries_absent(&entries, SLICE_LIT("s")));
    assert_true(entries_shared(&entries, SLICE_LIT("s")));
    entries_load_begin(&entries);
    entries_load_end(&entries);
    assert_true(entries_absent(&entries, SLICE_LIT("s")));
}

/* b acts for a, and its entry among the nodes became garbage: a must not be taken for served by itself. */
static void who_is_not_known_serves_as_nobody(void **state)
{
    uint16_t serving[HG_NODES_MAX];

    (void)state;
    put(1, 1, 7);
    topology_remove_node(&topology, SLICE_LIT("b"));
    entries_serving(&entries, &topology, serving);
    assert_int_equal(serving[5], 0);
    put(0, 1, 8);
    entries_serving(&entries, &topology, serving);
    assert_int_equal(serving[5], 5);
}

/* A backup that was restored over a pair: its leases may still run. */
static void a_pair_that_was_taken_apart_is_seen(void **state)
{
    static const char text[] = "epoch=1 row=F01 flip=0 ha=1 armed=3 serves=0,1 lease=6000,24000";
    struct topology nobody = {0};

    (void)state;
    assert_true(entries_set(&entries, SLICE_LIT("s"), slice_str(text), (struct record_version){1, 7}));
    assert_false(entries_dissolved(&entries, &topology));
    assert_true(entries_dissolved(&entries, &nobody));
    assert_int_equal(entries_longest(&entries, 5), 24000 * SRM_MS);
    assert_int_equal(entries_longest(&entries, 30000 * SRM_MS), 30000 * SRM_MS);
}

static void what_stands_there_now_is_told_from_what_is_used(void **state)
{
    char text[SRM_ENTRY_TEXT];
    struct srm_entry e = {.row = ROW_F01, .ha = true, .serves = {0, 1}};
    size_t len = srm_entry_text(&e, text);

    (void)state;
    put(0, 1, 7);
    assert_null(entries_first_broken(&entries));
    assert_false(entries_set(&entries, SLICE_LIT("s"), SLICE_LIT("garbage"), (struct record_version){0}));
    assert_true(entries_broken(&entries, SLICE_LIT("s")));
    assert_string_equal(entries_first_broken(&entries), "s");
    assert_non_null(entries_find(&entries, SLICE_LIT("s")));
    put(0, 1, 8);
    assert_null(entries_first_broken(&entries));
    /* nobody who keeps the rules writes without a version */
    assert_false(
        entries_set(&entries, SLICE_LIT("s"), slice_of(text, (uint32_t)len), (struct record_version){0}));
    assert_true(entries_broken(&entries, SLICE_LIT("s")));
    entries_remove(&entries, SLICE_LIT("s"));
    assert_false(entries_broken(&entries, SLICE_LIT("s")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_an_entry_everybody_serves_his_own, setup),
        cmocka_unit_test_setup(the_entry_moves_homes_by_slot, setup),
        cmocka_unit_test_setup(an_older_version_changes_nothing, setup),
        cmocka_unit_test_setup(garbage_leaves_what_there_is, setup),
        cmocka_unit_test_setup(unreadable_is_not_absent, setup),
        cmocka_unit_test_setup(what_stands_there_now_is_told_from_what_is_used, setup),
        cmocka_unit_test_setup(garbage_takes_no_entry_out_of_a_load, setup),
        cmocka_unit_test_setup(of_a_table_that_was_skipped_nothing_is_absent, setup),
        cmocka_unit_test_setup(who_is_not_known_serves_as_nobody, setup),
        cmocka_unit_test_setup(a_pair_that_was_taken_apart_is_seen, setup),
        cmocka_unit_test_setup(a_load_takes_out_what_it_did_not_mention, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
