/* SPDX-License-Identifier: BSD-2-Clause */
/* What a node tells the others of its cores (applied.c), with a record, a feed and a compiler of routes that
 * are told what to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/applied.h"
#include "controlplane.h"
#include "push/push.h"
#include "settings/settings.h"

static struct controlplane *cp;
static struct hg_segment segment;
static struct record_version position;
static uint64_t wanted, compiled;
static unsigned marks;
static bool attached, unseen, settings_wait;

bool record_loaded(const struct record *record)
{
    (void)record;
    return true;
}
struct record_version record_position(const struct record *record)
{
    (void)record;
    return position;
}
uint64_t push_routes_wanted(const struct controlplane *c)
{
    (void)c;
    return wanted;
}
uint64_t push_routes_version(const struct controlplane *c)
{
    (void)c;
    return compiled;
}
bool settings_pending(const struct controlplane *c)
{
    (void)c;
    return settings_wait;
}
const struct hg_segment *feed_segment(const struct feed *feed)
{
    (void)feed;
    return attached ? &segment : NULL;
}
bool feed_unseen(const struct feed *feed)
{
    (void)feed;
    return unseen;
}
void feed_mark(const struct feed *feed, struct feed_token *token)
{
    (void)feed, (void)token;
    marks++;
}
enum feed_progress feed_applied(const struct feed *feed, const struct feed_token *token, unsigned *lagging)
{
    (void)feed, (void)token, (void)lagging;
    return FEED_APPLIED;
}

static int start(void **state)
{
    (void)state;
    cp = calloc(1, sizeof(*cp));
    cp->push_users.told = attached = true;
    settings_wait = unseen = false;
    wanted = compiled = 1;
    marks = 0;
    position = (struct record_version){3, 7};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    free(cp);
    return 0;
}

static bool is_told(void)
{
    applied_turn(cp);
    return record_version_cmp(cp->applied.done, position) == 0;
}

static void what_is_in_force_is_told(void **state)
{
    (void)state;
    assert_true(is_told());
    position.seq++;
    wanted = 2;
    assert_false(is_told());
    assert_int_equal(cp->applied.done.seq, 7);
    compiled = 2;
    assert_true(is_told());
    attached = false; /* whoever starts later gets everything first */
    position.seq++;
    assert_true(is_told());
}

/* One of another build serves by what it has. */
static void a_dataplane_that_cannot_be_attached_has_nothing(void **state)
{
    (void)state;
    attached = false;
    unseen = true;
    assert_false(is_told());
    unseen = false;
    assert_true(is_told());
}

/* They may change what is compiled, and do not so as long as a compilation runs. */
static void settings_of_the_record_are_taken_first(void **state)
{
    (void)state;
    position.seq++;
    settings_wait = true;
    assert_false(is_told());
    settings_wait = unseen = false;
    wanted = 2;
    assert_false(is_told());
    compiled = 2;
    assert_true(is_told());
}

/* A node that is new, or a control plane that restarted, tells them piece by piece. */
static void users_are_told_first(void **state)
{
    (void)state;
    cp->push_users.walking = true;
    assert_false(is_told());
    assert_int_equal(marks, 0);
    cp->push_users.walking = false;
    assert_true(is_told());
    position.seq++;
    cp->push_users.told = false;
    assert_false(is_told());
    cp->push_users.told = true;
    assert_true(is_told());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_in_force_is_told, start, stop),
        cmocka_unit_test_setup_teardown(a_dataplane_that_cannot_be_attached_has_nothing, start, stop),
        cmocka_unit_test_setup_teardown(settings_of_the_record_are_taken_first, start, stop),
        cmocka_unit_test_setup_teardown(users_are_told_first, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
