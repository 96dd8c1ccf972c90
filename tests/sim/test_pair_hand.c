/* SPDX-License-Identifier: BSD-2-Clause */
/* Somebody writes over the ownership by hand. Every step fails the test when two nodes act for one user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pair_rig.h"

/* Two looks and the check of the record between them, a second apart each. */
#define FOUND SECONDS(4)

static bool readable(void)
{
    const struct sim_text *there =
        sim_data_get(sim_redis_data(w->redis, (unsigned)sim_redis_master(w->redis)), RECORD_HA, PAIR_FIELD);
    struct record_version version;
    struct srm_entry entry;
    struct slice value;

    if (there == NULL)
        return false;
    record_value_split(slice_of(there->p, there->len), &version, &value);
    return entry_readable(value, version, &entry);
}

static void open_and_spoil(const char *raw)
{
    open_as(PAIR_DEFAULT);
    pass(SECONDS(10));
    serves(1, 2);
    pair_hand(w, raw);
    assert_false(readable());
}

static void mended(void)
{
    uint64_t end = w->now + FOUND;

    while (!readable() && w->now < end)
        pass(MS(10));
    assert_true(readable());
}

/* Until `node` acts for both; how long it took. */
static uint64_t taken_over_by(unsigned node)
{
    uint64_t from = w->now;

    while (cores_serve(&w->node[node]) != 3 && w->now < from + SECONDS(60))
        pass(MS(10));
    assert_int_equal(cores_serve(&w->node[node]), 3);
    return w->now - from;
}

static void cut_off(unsigned node, bool cut)
{
    cut_wire(cut);
    sim_client_cut(w->node[node].client, cut);
}

static void is_written_again_at_once(void **state)
{
    static const char *const nonsense[] = {"garbage", "", "1-1 x", "99-99999999 {}", "7-7 epoch=1 row=F99"};

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        open_and_spoil(nonsense[i]);
        struct srm_entry before = status(0).entry;
        for (uint64_t end = w->now + FOUND; w->now < end;) { /* and nobody loses anything meanwhile */
            pass(MS(10));
            serves(1, 2);
        }
        assert_true(readable());
        assert_int_equal(row(), ROW_F01);
        assert_int_equal(status(0).entry.epoch, before.epoch);
        assert_int_equal(status(0).entry.armed, 3);
        pass(SECONDS(60));
        serves(1, 2);
        if (i < 4)
            end(NULL);
    }
}

/* The right thing, copied without what stands in front of it. */
static void without_its_version_it_is_nonsense(void **state)
{
    char text[SRM_ENTRY_TEXT];

    (void)state;
    open_as(PAIR_DEFAULT);
    struct srm_entry e = status(0).entry;
    srm_entry_text(&e, text);
    pair_hand(w, text);
    assert_false(readable());
    mended();
}

static void spoilt_and_killed(void **state)
{
    (void)state;
    open_and_spoil("garbage");
    pass(MS(100));
    kill_both(0);
    assert_true(taken_over_by(1) <= FOUND + w->p.lease + w->p.guard + MS(100));
    await(ROW_F16, SECONDS(10));
    pass(SECONDS(60));
    serves(0, 3);
}

static void killed_and_spoilt(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    kill_both(0);
    pass(SECONDS(2));
    pair_hand(w, "garbage");
    assert_true(taken_over_by(1) <= FOUND + w->p.lease + w->p.guard + MS(100));
    power_on(0);
    await(ROW_F32, SECONDS(30));
}

/* They do not hear each other, and renew in the record. */
static void spoilt_and_split(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    cut_wire(true);
    await(ROW_F41, SECONDS(30));
    for (unsigned i = 0; i < 20; i++) {
        pass(MS(700));
        pair_hand(w, "garbage");
        pass(FOUND);
        serves(1, 2);
    }
    pair_hand(w, "garbage");
    kill_both(0);
    taken_over_by(1);
}

/* Again and again the same, each time at another moment of what the two do about it. */
static void spoilt_without_end(void **state)
{
    (void)state;
    open_as(PAIR_FAST);
    cut_wire(true);
    for (unsigned i = 0; i < 3000; i++) {
        pair_hand(w, "garbage");
        pass(MS(1) * (1 + pair_below(w, 4000)));
    }
    pass(SECONDS(10));
    assert_true((cores_serve(&w->node[0]) | cores_serve(&w->node[1])) == 3);
}

/* High availability was switched off, and of that node 0 knows nothing: node 1 serves without an end, and
 * what says so is overwritten. */
static void what_was_written_before_may_be_unknown(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    pass(SECONDS(10));
    cut_off(0, true);
    command(1, SRM_CMD_HA_OFF, 0);
    await(ROW_F42, SECONDS(1));
    pass(MS(500));
    pair_hand(w, "garbage");
    sim_client_cut(w->node[1].client, true);
    sim_client_cut(w->node[0].client, false);
    for (unsigned i = 0; i < 6000; i++) { /* and it keeps what it never lost */
        pass(MS(10));
        serves(1, 2);
    }
    cut_wire(false);
    sim_client_cut(w->node[1].client, false);
    pass(SECONDS(60));
    serves(1, 2);
}

/* Neither knows what stood there: they extend what their cores have, until an administrator removes it. */
static void nobody_knows(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    w->ha_wanted = true;
    node_crash(&w->node[0]);
    node_crash(&w->node[1]);
    pair_hand(w, "garbage");
    node_boot(&w->node[0]);
    node_boot(&w->node[1]);
    pass(SECONDS(60));
    serves(1, 2);
    assert_false(readable());
    assert_true(status(0).broken && status(1).broken);
    assert_string_equal(srm_refusal(w->node[0].srm, node_clock(&w->node[0]), SRM_CMD_FAILOVER, 0),
                        srm_refusal_text(SRM_NO_BROKEN));
    pair_hand(w, NULL);
    pass(FOUND);
    command(0, SRM_CMD_HA_ON, 0);
    await(ROW_F01, SECONDS(60));
    serves(1, 2);
}

/* The same, before the managers have looked twice. */
static void removed_at_once(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    w->ha_wanted = true;
    node_crash(&w->node[0]);
    node_crash(&w->node[1]);
    pair_hand(w, "garbage");
    node_boot(&w->node[0]);
    node_boot(&w->node[1]);
    pass(MS(200));
    pair_hand(w, NULL);
    pass(FOUND);
    command(0, SRM_CMD_HA_ON, 0);
    await(ROW_F01, SECONDS(60));
}

/* What is removed is written again, too; and says nothing about what the peer renewed before. */
static void removed_while_both_renew(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    cut_wire(true);
    await(ROW_F41, SECONDS(30));
    for (unsigned i = 0; i < 40; i++) {
        pair_hand(w, NULL);
        pass(SECONDS(1) + MS(97) * i);
        serves(1, 2);
    }
    mended();
    kill_both(0);
    taken_over_by(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(is_written_again_at_once, end),
        cmocka_unit_test_teardown(without_its_version_it_is_nonsense, end),
        cmocka_unit_test_teardown(spoilt_and_killed, end),
        cmocka_unit_test_teardown(killed_and_spoilt, end),
        cmocka_unit_test_teardown(spoilt_and_split, end),
        cmocka_unit_test_teardown(spoilt_without_end, end),
        cmocka_unit_test_teardown(what_was_written_before_may_be_unknown, end),
        cmocka_unit_test_teardown(nobody_knows, end),
        cmocka_unit_test_teardown(removed_at_once, end),
        cmocka_unit_test_teardown(removed_while_both_renew, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
