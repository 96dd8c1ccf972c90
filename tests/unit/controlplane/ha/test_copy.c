/* SPDX-License-Identifier: BSD-2-Clause */
/* The copy of topology and ownership that a node keeps for a start without Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ha/copy.h"

static struct topology topology, back;
static struct entries entries, entries_back;
static char *text;

static void node(const char *name, const char *json)
{
    char why[200];

    if (!topology_set_node(&topology, slice_str(name), slice_str(json), why, sizeof(why)))
        fail_msg("%s", why);
}

static int setup(void **state)
{
    static const char entry[] =
        "epoch=4 row=F16 flip=1 ha=1 armed=3 serves=1,1 moved=2,3 lease=6000,6000 by=2 since=17";
    char why[200];

    (void)state;
    topology_init(&topology);
    topology_init(&back);
    memset(&entries, 0, sizeof(entries));
    memset(&entries_back, 0, sizeof(entries_back));
    assert_true(topology_set_subcluster(
        &topology, SLICE_LIT("s"),
        SLICE_LIT("{\"id\":1,\"ha\":true,\"service\":[[\"10.0.0.1/24\"],[\"10.0.0.2/24\"]]}"), why,
        sizeof(why)));
    node("a", "{\"id\":5,\"subcluster\":\"s\",\"slot\":0,\"installed\":true,\"address\":\"192.0.2.1:7400\"}");
    node("b",
         "{\"id\":3,\"subcluster\":\"s\",\"slot\":1,\"installed\":true,\"address\":\"[2001:db8::1]:7400\"}");
    assert_true(entries_set(&entries, SLICE_LIT("s"), slice_str(entry), (struct record_version){7, 1204}));
    text = copy_text("c", "a", &topology, &entries);
    assert_non_null(text);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(text);
    return 0;
}

static void it_comes_back_as_it_was(void **state)
{
    (void)state;
    assert_null(copy_read(text, strlen(text), "c", "a", &back, &entries_back));
    assert_int_equal(topology_nodes(&back), 2);
    assert_int_equal(topology_peer(&back, 5), 3);
    assert_memory_equal(&topology_node(&back, 3)->address, &topology_node(&topology, 3)->address,
                        sizeof(struct hg_endpoint));
    assert_int_equal(topology_subcluster_of(&back, 5)->nservice[1], 1);
    const struct srm_entry *e = entries_find(&entries_back, SLICE_LIT("s"));
    assert_non_null(e);
    assert_int_equal(e->version.term, 7);
    assert_int_equal(e->version.seq, 1204);
    assert_int_equal(e->lease[1], 6000);
    char *again = copy_text("c", "a", &back, &entries_back);
    assert_string_equal(again, text);
    free(again);
}

static void another_cluster_or_node_has_no_use_for_it(void **state)
{
    (void)state;
    assert_non_null(copy_read(text, strlen(text), "d", "a", &back, &entries_back));
    assert_non_null(copy_read(text, strlen(text), "c", "b", &back, &entries_back));
    assert_int_equal(topology_nodes(&back), 0);
}

/* Torn at any byte, or with any byte changed: none of it is believed. */
static void it_is_whole_or_nothing(void **state)
{
    size_t len = strlen(text);

    (void)state;
    for (size_t n = 0; n < len; n++) {
        char *torn = malloc(n ? n : 1);
        memcpy(torn, text, n);
        assert_non_null(copy_read(torn, n, "c", "a", &back, &entries_back));
        free(torn);
    }
    for (size_t i = 0; i < len; i++) {
        text[i] ^= 4;
        assert_non_null(copy_read(text, len, "c", "a", &back, &entries_back));
        text[i] ^= 4;
    }
    assert_int_equal(topology_nodes(&back), 0);
    assert_int_equal(entries_back.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_comes_back_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(another_cluster_or_node_has_no_use_for_it, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_whole_or_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
