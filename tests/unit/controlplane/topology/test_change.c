/* SPDX-License-Identifier: BSD-2-Clause */
/* A change of the topology is made from one moment of it. The record's part is played by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controlplane.h"
#include "topology/change.h"

static bool whole; /* memory has what the log had when it was loaded */
static enum record_result answer;
static unsigned written, edited, ended;
static struct record_version expected;
static enum topology_result ending;

bool record_loaded(const struct record *record)
{
    (void)record;
    return whole;
}

void record_change(struct record *record, const struct record_item *items, uint32_t n, record_done done,
                   void *arg)
{
    struct record_outcome outcome = {.result = answer};

    (void)record;
    written++;
    expected = items[n - 1].version;
    done(arg, &outcome);
}

static bool edit(struct controlplane *cp, void *arg, struct topology_items *items)
{
    (void)cp, (void)arg;
    edited++;
    topology_items_setting(items, "cluster.domain", "example.com");
    return true;
}

static void done(struct controlplane *cp, void *arg, enum topology_result result, const char *why)
{
    (void)cp, (void)arg, (void)why;
    ended++;
    ending = result;
}

static int setup(void **state)
{
    struct controlplane *cp = calloc(1, sizeof(*cp));

    uv_loop_init(&cp->loop);
    expected = (struct record_version){0, 0};
    whole = true;
    answer = RECORD_OK;
    written = edited = ended = 0;
    *state = cp;
    return 0;
}

static int teardown(void **state)
{
    struct controlplane *cp = *state;

    topology_change_stop(cp);
    uv_loop_close(&cp->loop);
    free(cp);
    return 0;
}

/* Somebody was faster, and the record is read anew meanwhile: nodes before others wrote, the revision after.
 */
static void a_torn_load_is_not_changed(void **state)
{
    struct controlplane *cp = *state;

    cp->topology_version = (struct record_version){1, 3};
    answer = RECORD_CONFLICT;
    topology_change(cp, edit, done, NULL);
    assert_int_equal(edited, 1);
    answer = RECORD_OK;
    whole = false;
    cp->topology_version = (struct record_version){1, 5};
    for (unsigned i = 0; i < 3; i++)
        topology_change_turn(cp, uv_now(&cp->loop));
    assert_int_equal(edited, 1);
    assert_int_equal(ended, 0);
    whole = true;
    topology_change_turn(cp, uv_now(&cp->loop));
    assert_int_equal(edited, 2);
    assert_int_equal(written, 2);
    assert_int_equal(expected.seq, 5);
    assert_int_equal(ended, 1);
    assert_int_equal(ending, TOPOLOGY_DONE);
}

static void a_log_that_never_comes_has_an_end(void **state)
{
    struct controlplane *cp = *state;

    answer = RECORD_CONFLICT;
    topology_change(cp, edit, done, NULL);
    whole = false;
    cp->topology_version = (struct record_version){1, 5};
    topology_change_turn(cp, uv_now(&cp->loop));
    topology_change_turn(cp, uv_now(&cp->loop) + 60000);
    assert_int_equal(written, 1);
    assert_int_equal(ended, 1);
    assert_int_equal(ending, TOPOLOGY_BUSY);
}

/* The store knows when it has read the log to its end, and that no log will bring this one. */
static void a_revision_written_by_hand_is_no_torn_load(void **state)
{
    struct controlplane *cp = *state;

    cp->topology_version = (struct record_version){9999, 9};
    topology_change(cp, edit, done, NULL);
    assert_int_equal(written, 1);
    assert_int_equal(expected.term, 9999);
    assert_int_equal(ending, TOPOLOGY_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_torn_load_is_not_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_that_never_comes_has_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_revision_written_by_hand_is_no_torn_load, setup, teardown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
