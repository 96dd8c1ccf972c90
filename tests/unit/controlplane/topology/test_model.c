/* SPDX-License-Identifier: BSD-2-Clause */
/* The cluster in memory (A01, A02, A04, A10, A12) and its entries in the record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "topology/model.h"

static char why[256];

static bool node(struct topology *t, const char *name, const char *json)
{
    return topology_set_node(t, slice_str(name), slice_str(json), why, sizeof(why));
}

static bool subcluster(struct topology *t, const char *name, const char *json)
{
    return topology_set_subcluster(t, slice_str(name), slice_str(json), why, sizeof(why));
}

static void entries_come_in_any_order(void **state)
{
    static struct topology t;

    (void)state;
    topology_init(&t);
    assert_true(node(&t, "b", "{\"id\":2,\"subcluster\":\"s1\",\"slot\":1}"));
    assert_int_equal(topology_peer(&t, 2), 0);
    assert_null(topology_subcluster_of(&t, 2));
    assert_true(node(&t, "a", "{\"id\":1,\"subcluster\":\"s1\",\"slot\":0,\"publisher\":true}"));
    assert_true(node(&t, "c", "{\"id\":3}"));
    assert_true(subcluster(&t, "s1", "{\"id\":1,\"ha\":true}"));
    assert_int_equal(topology_peer(&t, 1), 2);
    assert_int_equal(topology_peer(&t, 2), 1);
    assert_int_equal(topology_peer(&t, 3), 0);
    assert_true(topology_are_pair(&t, 1, 2));
    assert_false(topology_are_pair(&t, 1, 3));
    assert_int_equal(topology_publisher(&t), 1);
    assert_int_equal(topology_nodes(&t), 3);
    assert_int_equal(topology_free_node(&t), 4);
    assert_int_equal(topology_subcluster(&t, 1)->node[1], 2);
    assert_true(subcluster(&t, "s1", "{\"id\":1,\"ha\":false}"));
    assert_false(topology_are_pair(&t, 1, 2));
    assert_true(topology_remove_node(&t, slice_str("a")));
    assert_false(topology_remove_node(&t, slice_str("a")));
    assert_int_equal(topology_peer(&t, 2), 0);
    assert_int_equal(topology_free_node(&t), 1);
}

static void a_load_takes_out_what_it_does_not_mention(void **state)
{
    static struct topology t;

    (void)state;
    topology_init(&t);
    assert_true(node(&t, "a", "{\"id\":1}"));
    assert_true(node(&t, "b", "{\"id\":2}"));
    assert_true(node(&t, "c", "{\"id\":3}"));
    assert_true(subcluster(&t, "s1", "{\"id\":1}"));
    uint64_t before = t.generation;
    topology_load_begin(&t);
    assert_true(node(&t, "b", "{\"id\":2}"));
    assert_false(node(&t, "c", "garbage")); /* no reason to put it out of service */
    assert_true(topology_load_end(&t));
    assert_null(topology_node(&t, 1));
    assert_string_equal(topology_node(&t, 2)->name, "b");
    assert_string_equal(topology_node(&t, 3)->name, "c");
    assert_int_equal(topology_subclusters(&t), 0);
    assert_true(t.generation > before);
    topology_load_begin(&t);
    node(&t, "b", "{\"id\":2}");
    node(&t, "c", "{\"id\":3}");
    assert_false(topology_load_end(&t));
}

/* Where an older entry is known in its place, nothing is missing. */
static void what_cannot_be_read_is_said(void **state)
{
    static struct topology t;

    (void)state;
    topology_init(&t);
    assert_true(node(&t, "a", "{\"id\":1}"));
    assert_false(node(&t, "a", "?"));
    assert_false(topology_is_unread(&t));
    assert_false(node(&t, "b", "?"));
    assert_true(topology_is_unread(&t));
    topology_load_begin(&t);
    assert_false(topology_is_unread(&t));
    assert_false(subcluster(&t, "s", "?"));
    assert_true(topology_is_unread(&t));
    topology_load_end(&t);
    topology_table_unread(&t);
    assert_true(subcluster(&t, "s", "{\"id\":1}"));
    assert_true(topology_is_unread(&t));
    topology_load_begin(&t);
    assert_false(topology_is_unread(&t));
}

/* By a change that the log brings, without another load. */
static void what_is_written_right_or_removed_is_read(void **state)
{
    static struct topology t;

    (void)state;
    topology_init(&t);
    assert_false(node(&t, "b", "?"));
    assert_false(node(&t, "b", "??"));
    assert_false(subcluster(&t, "b", "?"));
    assert_true(node(&t, "b", "{\"id\":1}"));
    assert_true(topology_is_unread(&t)); /* the subcluster of that name */
    assert_false(topology_remove_subcluster(&t, SLICE_LIT("b")));
    assert_false(topology_is_unread(&t));
    for (unsigned i = 0; i < 100; i++) {
        char name[8];
        snprintf(name, sizeof(name), "n%u", i);
        assert_false(node(&t, name, "?"));
    }
    for (unsigned i = 0; i < 100; i++) {
        char name[8];
        snprintf(name, sizeof(name), "n%u", i);
        topology_remove_node(&t, slice_str(name));
    }
    assert_true(topology_is_unread(&t)); /* more than are kept: until the next load */
}

static void an_index_belongs_to_one_name(void **state)
{
    static struct topology t;

    (void)state;
    topology_init(&t);
    topology_load_begin(&t);
    assert_true(node(&t, "a", "{\"id\":1}"));
    assert_false(node(&t, "b", "{\"id\":1}"));
    assert_non_null(strstr(why, "id 1"));
    topology_load_end(&t);
    assert_true(node(&t, "a", "{\"id\":5}"));
    assert_null(topology_node(&t, 1));
    assert_true(node(&t, "b", "{\"id\":1}"));
    /* two nodes of one slot: the second one stands outside */
    assert_true(subcluster(&t, "s", "{\"id\":1}"));
    assert_true(node(&t, "a", "{\"id\":5,\"subcluster\":\"s\",\"slot\":0}"));
    assert_true(node(&t, "b", "{\"id\":1,\"subcluster\":\"s\",\"slot\":0}"));
    assert_int_equal((topology_subcluster_of(&t, 1) != NULL) + (topology_subcluster_of(&t, 5) != NULL), 1);
}

/* Whichever of the two a load brings first. */
static void garbage_takes_nobodys_index(void **state)
{
    const char *order[2][2] = {{"x", "n1"}, {"n1", "x"}};
    static struct topology t;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        topology_init(&t);
        assert_true(node(&t, "n1", "{\"id\":1}"));
        topology_load_begin(&t);
        for (unsigned k = 0; k < 2; k++)
            (void)node(&t, order[i][k], "{\"id\":1}");
        topology_load_end(&t);
        assert_non_null(topology_find_node(&t, SLICE_LIT("n1")));
        assert_null(topology_find_node(&t, SLICE_LIT("x")));
        assert_true(topology_is_unread(&t));
        assert_non_null(strstr(why, "id 1"));
    }
}

/* Who was away while a node was removed and another one got its index. */
static void an_index_goes_over_in_a_load(void **state)
{
    static struct topology t;

    (void)state;
    topology_init(&t);
    assert_true(node(&t, "a", "{\"id\":1}"));
    assert_true(node(&t, "c", "{\"id\":3}"));
    assert_true(subcluster(&t, "s", "{\"id\":1}"));
    topology_load_begin(&t);
    assert_true(node(&t, "a", "{\"id\":1}"));
    assert_true(node(&t, "d", "{\"id\":3}"));
    assert_true(subcluster(&t, "u", "{\"id\":1}"));
    topology_load_end(&t);
    assert_string_equal(topology_node(&t, 3)->name, "d");
    assert_string_equal(topology_subcluster(&t, 1)->name, "u");
    assert_int_equal(topology_nodes(&t), 2);
}

/* A restore of a backup in which the nodes have each other's index: told one after the other. */
static void indexes_are_swapped(void **state)
{
    static struct topology t;

    (void)state;
    topology_init(&t);
    for (int load = 0; load < 2; load++) {
        assert_true(node(&t, "a", "{\"id\":1}"));
        assert_true(node(&t, "b", "{\"id\":2}"));
        if (load)
            topology_load_begin(&t);
        assert_true(node(&t, "b", "{\"id\":1}"));
        assert_true(node(&t, "a", "{\"id\":2}"));
        if (load)
            topology_load_end(&t);
        assert_string_equal(topology_node(&t, 1)->name, "b");
        assert_string_equal(topology_node(&t, 2)->name, "a");
        assert_int_equal(topology_nodes(&t), 2);
    }
}

static void garbage_is_refused(void **state)
{
    static struct topology t;
    const char *bad[] = {"",
                         "[]",
                         "{}",
                         "{\"id\":0}",
                         "{\"id\":64}",
                         "{\"id\":\"1\"}",
                         "{\"id\":1,\"slot\":2}",
                         "{\"id\":1,\"address\":\"10.0.0.1\"}",
                         "{\"id\":1,\"sip\":\"gw.example.com:5060\"}",
                         "{\"id\":1,\"publisher\":1}",
                         "{\"id\":1,\"subcluster\":\"a\\u0000b\"}",
                         "{\"id\":1,\"capacity\":-1}"};
    const char *bad_sub[] = {"{\"id\":1,\"mode\":\"some\"}", "{\"id\":1,\"service\":[\"192.0.2.1\"]}",
                             "{\"id\":1,\"service\":[[\"host\"]]}", "{\"id\":1,\"service\":[[],[],[]]}"};

    (void)state;
    topology_init(&t);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        why[0] = '\0';
        assert_false(node(&t, "a", bad[i]));
        assert_true(why[0]);
    }
    for (unsigned i = 0; i < sizeof(bad_sub) / sizeof(bad_sub[0]); i++)
        assert_false(subcluster(&t, "a", bad_sub[i]));
    assert_false(topology_set_node(&t, slice_of("", 0), SLICE_LIT("{\"id\":1}"), why, sizeof(why)));
    assert_int_equal(topology_nodes(&t), 0);
}

static void entries_survive_the_record(void **state)
{
    static struct topology t;
    const char *full =
        "{\"id\":7,\"publisher\":true,\"installed\":true,\"subcluster\":\"s\",\"slot\":1,"
        "\"address\":\"10.0.0.7:5070\",\"sip\":\"[2001:db8::7]:5060\",\"service\":\"192.0.2.7:5071\","
        "\"protocol\":1,\"version\":\"0.1.0\",\"capacity\":15000,\"capacity_own\":true,\"draining\":true,"
        "\"leaving\":true}";
    const char *sub = "{\"id\":3,\"ha\":true,\"mode\":\"active-standby\",\"service\":[[\"192.0.2.10/24\"],"
                      "[\"192.0.2.11/24\",\"2001:db8::11/64\"]]}";

    (void)state;
    topology_init(&t);
    assert_true(node(&t, "n7", full));
    assert_true(subcluster(&t, "s", sub));
    char *text = topology_node_text(topology_node(&t, 7));
    assert_string_equal(text, full);
    free(text);
    text = topology_subcluster_text(topology_subcluster(&t, 3));
    assert_string_equal(text, sub);
    free(text);
    assert_int_equal(topology_subcluster(&t, 3)->mode, TOPOLOGY_ACTIVE_STANDBY);
    assert_int_equal(topology_subcluster(&t, 3)->nservice[1], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_in_any_order),
        cmocka_unit_test(a_load_takes_out_what_it_does_not_mention),
        cmocka_unit_test(what_cannot_be_read_is_said),
        cmocka_unit_test(what_is_written_right_or_removed_is_read),
        cmocka_unit_test(an_index_belongs_to_one_name),
        cmocka_unit_test(garbage_takes_nobodys_index),
        cmocka_unit_test(an_index_goes_over_in_a_load),
        cmocka_unit_test(indexes_are_swapped),
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(entries_survive_the_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
