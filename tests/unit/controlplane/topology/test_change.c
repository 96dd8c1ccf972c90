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

static struct record_version position; /* of the log, as memory has it */
static unsigned written, edited, ended;
static struct record_version expected;
static enum topology_result ending;

bool record_loaded(const struct record *record)
{
    (void)record;
    return true;
}

bool record_has(const struct record *record, struct record_version version)
{
    (void)record;
    return record_version_cmp(version, position) <= 0;
}

void record_change(struct record *record, const struct record_item *items, uint32_t n, record_done done,
                   void *arg)
{
    struct record_outcome outcome = {.result = RECORD_OK};

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
    position = expected = (struct record_version){0, 0};
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

static void a_torn_load_is_not_changed(void **state)
{
    struct controlplane *cp = *state;

    cp->topology_version =
        (struct record_version){1, 5}; /* nodes were read before others wrote 1-4 and 1-5 */
    position = (struct record_version){1, 3};
    topology_change(cp, edit, done, NULL);
    topology_change_turn(cp, uv_now(&cp->loop));
    assert_int_equal(edited, 0);
    assert_int_equal(written, 0);
    assert_int_equal(ended, 0);
    position = (struct record_version){1, 5};
    topology_change_turn(cp, uv_now(&cp->loop));
    assert_int_equal(edited, 1);
    assert_int_equal(written, 1);
    assert_int_equal(expected.seq, 5);
    assert_int_equal(ended, 1);
    assert_int_equal(ending, TOPOLOGY_DONE);
}

static void a_log_that_never_comes_has_an_end(void **state)
{
    struct controlplane *cp = *state;

    cp->topology_version = (struct record_version){9, 9};
    topology_change(cp, edit, done, NULL);
    topology_change_turn(cp, uv_now(&cp->loop) + 60000);
    assert_int_equal(written, 0);
    assert_int_equal(ended, 1);
    assert_int_equal(ending, TOPOLOGY_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_torn_load_is_not_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_that_never_comes_has_an_end, setup, teardown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
