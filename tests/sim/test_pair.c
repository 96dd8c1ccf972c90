/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the table one by one, in the simulated pair: F01-F23 and ours, each brought about by its cause.
 * Node 0 plays N1 unless a test says otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pair_rig.h"

/* ---- manual failover and fallback (G) ---- */
static void to_f03(void)
{
    open_as(PAIR_DEFAULT);
    assert_int_equal(row(), ROW_F01);
    serves(1, 2);
    command(1, SRM_CMD_FAILOVER, 0); /* any node accepts the command */
    await(ROW_F02, SECONDS(1));
    await(ROW_F03, SECONDS(10));
    serves(0, 3);
}

static void failover_and_fallback_on_request(void **state)
{
    (void)state;
    to_f03();
    assert_string_equal(status(0).action[0], "fallback");
    assert_null(status(0).action[1]);
    command(0, SRM_CMD_FALLBACK, 0);
    await(ROW_F04, SECONDS(1));
    await(ROW_F01, SECONDS(10));
    serves(1, 2);
    assert_string_equal(status(0).action[1], "failover");
}

/* D32: 60 users, 25 in a second; ZZ16: served at once nevertheless */
static void the_pace_is_for_silent_users(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    command(0, SRM_CMD_FAILOVER, 0);
    await(ROW_F02, SECONDS(1));
    pass(MS(300));
    serves(0, 3);
    assert_int_equal(row(), ROW_F02);
    assert_int_equal(status(1).move_done[0], 25);
    assert_int_equal(status(1).move_left[0], 35);
    pass(MS(1000));
    assert_int_equal(status(1).move_done[0], 50);
    await(ROW_F03, SECONDS(2));
    assert_int_equal(status(1).move_left[0], 0);
}

static void srms_restart_in_manual_failover(void **state)
{
    (void)state;
    to_f03();
    restart(0);
    await(ROW_F05, SECONDS(8));
    restart(1);
    await(ROW_F06, SECONDS(8));
    command(0, SRM_CMD_FALLBACK, 0);
    await(ROW_F04, SECONDS(1));
    restart(0);
    await(ROW_F09, SECONDS(3));
    await(ROW_F01, SECONDS(20));
    command(0, SRM_CMD_FAILOVER, 0);
    await(ROW_F02, SECONDS(1));
    restart(1);
    await(ROW_F08, SECONDS(3));
    await(ROW_F07, SECONDS(20));
    serves(0, 3);
    restart(0);
    await(ROW_F06, SECONDS(8));
}

/* ---- critical services ---- */
static void to_f12(void)
{
    open_as(PAIR_DEFAULT);
    node_service(&w->node[0], SERVICE_OTHER, false);
    pass(w->p.service_down_delay - SECONDS(1));
    assert_int_equal(row(), ROW_F01); /* D13 */
    await(ROW_F26, SECONDS(3));
    await(ROW_F12, SECONDS(10));
    serves(0, 3);
}

static void a_service_dies_and_comes_back(void **state)
{
    (void)state;
    to_f12();
    assert_null(status(0).action[0]); /* G06: not while services are down */
    node_service(&w->node[0], SERVICE_OTHER, true);
    await(ROW_F11, SECONDS(3));
    restart(0);
    await(ROW_F11_INIT, SECONDS(8));
    pass(SECONDS(100));
    assert_int_equal(row(), ROW_F11_INIT); /* D28: not by itself */
    w->p.automatic_fallback = true;
    for (unsigned i = 0; i < 2; i++)
        node_settings(&w->node[i], &w->p);
    await(ROW_F10, w->p.fallback_quiet + SECONDS(3)); /* D43 */
    await(ROW_F01, SECONDS(10));
    serves(1, 2);
}

/* D43: a missed heartbeat begins the quiet period anew */
static void the_quiet_period_has_to_be_quiet(void **state)
{
    (void)state;
    to_f12();
    w->p.automatic_fallback = true;
    w->p.timeout = SECONDS(5); /* so that three missed heartbeats are no loss */
    for (unsigned i = 0; i < 2; i++)
        node_settings(&w->node[i], &w->p);
    node_service(&w->node[0], SERVICE_OTHER, true);
    await(ROW_F11, SECONDS(3));
    for (unsigned k = 0; k < 3; k++) {
        pass(w->p.fallback_quiet * 3 / 4);
        assert_int_equal(row(), ROW_F11);
        for (unsigned p = 0; p < BEAT_PATHS; p++)
            w->wire[0][p].cut = true;
        while (node_clock(&w->node[1]) - status(1).peer_seen < MS(2300))
            pass(MS(10));
        for (unsigned p = 0; p < BEAT_PATHS; p++)
            w->wire[0][p].cut = false;
    }
    await(ROW_F10, w->p.fallback_quiet + SECONDS(3));
}

static void the_record_is_lost_to_one_node(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    sim_client_cut(w->node[0].client, true);
    await(ROW_F27, w->p.service_down_delay + SECONDS(8));
    await(ROW_F13, SECONDS(10));
    serves(0, 3);
    sim_client_cut(w->node[0].client, false);
    await(ROW_F40, SECONDS(8));
    sim_client_cut(w->node[1].client, true); /* D48 */
    pass(w->p.service_down_delay + SECONDS(5));
    await(ROW_F13, SECONDS(20)); /* by F22, the other way round */
    assert_true(result.rows >> ROW_F22 & 1);
    serves(3, 0);
}

/* The record is away from both: nobody moves, the peers extend each other. */
static void the_record_is_lost_to_both(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    sim_client_cut(w->node[0].client, true);
    sim_client_cut(w->node[1].client, true);
    for (unsigned i = 0; i < 600; i++) {
        pass(MS(100));
        serves(1, 2);
    }
    assert_int_equal(row(), ROW_F01);
}

static void the_backup_loses_a_service(void **state)
{
    (void)state;
    to_f12();
    node_service(&w->node[0], SERVICE_OTHER, true);
    await(ROW_F11, SECONDS(3));
    node_service(&w->node[1], SERVICE_OTHER, false);
    await(ROW_F12, w->p.service_down_delay + SECONDS(20)); /* by F23 */
    assert_true(result.rows >> ROW_F23 & 1);
    serves(3, 0);
    node_service(&w->node[0], SERVICE_OTHER, false); /* now neither can */
    await(ROW_F15, w->p.service_down_delay + SECONDS(5));
    assert_string_equal(status(0).action[0], "recover");
    restart(1);
    await(ROW_F21, SECONDS(8));
    node_service(&w->node[0], SERVICE_OTHER, true);
    node_service(&w->node[1], SERVICE_OTHER, true);
    await(ROW_F38, 3 * w->p.init_timeout); /* D42: by itself */
}

static void services_do_not_start_while_taking_back(void **state)
{
    (void)state;
    to_f03();
    w->p.users_per_iteration = 2;
    for (unsigned i = 0; i < 2; i++)
        node_settings(&w->node[i], &w->p);
    command(0, SRM_CMD_FALLBACK, 0);
    await(ROW_F04, SECONDS(1));
    node_service(&w->node[0], SERVICE_OTHER, false);
    await(ROW_F14, w->p.init_timeout + SECONDS(2));
    node_service(&w->node[0], SERVICE_OTHER, true);
    pass(SECONDS(1));
    command(1, SRM_CMD_RECOVER, 0);
    await(ROW_F01, SECONDS(10)); /* by F24 */
    assert_true(result.rows >> ROW_F24 & 1);
    serves(1, 2);
}

/* ---- nodes and networks ---- */
static void a_node_dies_and_returns(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    kill_both(0);
    await(ROW_F28, w->p.lease + w->p.guard + SECONDS(1));
    pass(MS(50));
    serves(0, 3);
    await(ROW_F16, SECONDS(5));
    power_on(0);
    await(ROW_F32, SECONDS(8));
    node_service(&w->node[0], SERVICE_OTHER, false);
    await(ROW_F33, w->p.service_down_delay + SECONDS(2));
    serves(0, 3);
    node_service(&w->node[0], SERVICE_OTHER, true);
    await(ROW_F32, SECONDS(2));
    command(1, SRM_CMD_FALLBACK, 0);
    await(ROW_F01, SECONDS(10));
    serves(1, 2);
}

/* D27: only when an administrator asks. */
static void without_automatic_failover_nobody_is_taken_over(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    w->p.automatic_failover = false;
    for (unsigned i = 0; i < 2; i++)
        node_settings(&w->node[i], &w->p);
    pass(SECONDS(2));
    node_service(&w->node[0], SERVICE_OTHER, false);
    pass(w->p.service_down_delay + SECONDS(30));
    assert_int_equal(row(), ROW_F01);
    serves(1, 2);
}

static void a_node_says_goodbye(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    node_event(&w->node[0], &(struct srm_event){.type = SRM_LEAVE});
    pass(MS(5));
    kill_both(0);
    await(ROW_F29, MS(100)); /* nothing has to be waited for */
    await(ROW_F17, SECONDS(5));
    serves(0, 3);
    power_on(0);
    await(ROW_F36, SECONDS(8));
    restart(1);
    await(ROW_F38, SECONDS(8));
}

static void a_node_starts_alone(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    kill_both(0);
    kill_both(1);
    pass(SECONDS(5));
    power_on(1);
    await(ROW_F30, w->p.lease + w->p.guard + SECONDS(4));
    await(ROW_F31, SECONDS(5));
    serves(0, 3);
    w->node[0].service[SERVICE_OTHER] = false;
    power_on(0);
    await(ROW_F18, SECONDS(10));
    node_service(&w->node[0], SERVICE_OTHER, true);
    await(ROW_F18_WELL, SECONDS(3));
    assert_string_equal(status(1).action[0], "fallback");
}

static void the_network_between_them_is_cut(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    cut_wire(true);
    await(ROW_F41, SECONDS(10));
    for (unsigned i = 0; i < 600; i++) {
        pass(MS(100));
        serves(1, 2); /* both are alive in the record: nobody moves */
    }
    sim_client_cut(w->node[0].client, true); /* now it can prove nothing */
    await(ROW_F16, w->p.lease + w->p.guard + SECONDS(10));
    serves(0, 3);
    cut_wire(false);
    sim_client_cut(w->node[0].client, false);
    await(ROW_F34, SECONDS(5)); /* D42, D45 */
}

/* ---- moves that fail ---- */
static void no_service_delay(void)
{
    w->p.service_down_delay = SECONDS(600);
    for (unsigned i = 0; i < 2; i++)
        node_settings(&w->node[i], &w->p);
}

static void users_cannot_be_taken_over(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    no_service_delay();
    command(0, SRM_CMD_FAILOVER, 0);
    cores_pause(&w->node[1], w->now + w->p.move_timeout + SECONDS(20));
    await(ROW_F19, w->p.move_timeout + SECONDS(2));
    pass(SECONDS(25));
    await(ROW_F38, 3 * w->p.init_timeout);
    serves(0, 3);
}

static void users_cannot_be_taken_back(void **state)
{
    (void)state;
    to_f03();
    no_service_delay();
    command(0, SRM_CMD_FALLBACK, 0);
    cores_pause(&w->node[0], w->now + w->p.move_timeout + SECONDS(20));
    await(ROW_F20, w->p.move_timeout + SECONDS(2));
    pass(SECONDS(25));
    await(ROW_F01, 4 * w->p.init_timeout);
    serves(1, 2);
}

/* ---- on and off ---- */
static void off_makes_the_moved_at_home(void **state)
{
    (void)state;
    to_f03();
    command(0, SRM_CMD_HA_OFF, 0);
    await(ROW_F42, SECONDS(1)); /* D09 */
    pass(SECONDS(20));
    assert_int_equal(status(0).entry.serves[0], 0); /* the empty slot went back once its users were rehomed */
    serves(1, 2);
    assert_int_equal(w->node[0].cores.until, SRM_NO_DEADLINE);
    sim_client_cut(w->node[0].client, true);
    cut_wire(true);
    pass(SECONDS(60));
    serves(1, 2); /* D10: two standalone nodes */
}

/* It said good-bye, and then started as a standalone node: what it said then is no leave to take over from
 * it. */
static void on_does_not_take_from_a_standalone_node(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    command(0, SRM_CMD_HA_OFF, 0);
    await(ROW_F42, SECONDS(1));
    node_event(&w->node[1], &(struct srm_event){.type = SRM_LEAVE});
    pass(MS(5));
    cut_wire(true);
    restart(1);
    pass(SECONDS(2));
    serves(1, 2);
    sim_client_cut(w->node[1].client, true);
    command(0, SRM_CMD_HA_ON, 0);
    for (unsigned i = 0; i < 600; i++) {
        pass(MS(100)); /* two owners would end the world */
        serves(1, 2);
    }
}

static void off_is_refused_while_users_move(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    command(0, SRM_CMD_FAILOVER, 0);
    await(ROW_F02, SECONDS(1));
    pass(MS(100));
    const char *why = srm_refusal(w->node[0].srm, node_clock(&w->node[0]), SRM_CMD_HA_OFF, 0);
    assert_non_null(why);
    assert_memory_equal(why, "D08", 3);
}

/* ---- what nobody may notice ---- */
static void a_control_plane_restarts_unseen(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    node_crash(&w->node[0]);
    for (unsigned i = 0; i < 100; i++) {
        if (i == 20)
            power_on(0);
        pass(MS(100));
        serves(1, 2);
    }
    await(ROW_F01, SECONDS(10));
    assert_int_equal(result.failovers, 0);
}

static void a_promotion_moves_nobody(void **state)
{
    (void)state;
    open_as(PAIR_FAST);
    sim_redis_kill(w->redis, 0);
    sim_redis_promote(w->redis, false, MS(300));
    for (unsigned i = 0; i < 1000; i++) {
        pass(MS(10));
        serves(1, 2);
    }
    assert_int_equal(row(), ROW_F01);
    assert_int_equal(result.failovers, 0);
}

/* The master of Redis dies with the node: what the Sentinels took to replace it was waited once, not once
 * more. */
static void the_wait_for_redis_counts_for_the_lease(void **state)
{
    (void)state;
    open_as(PAIR_FAST);
    pass(SECONDS(5));
    kill_both(0);
    sim_redis_kill(w->redis, 0);
    sim_redis_promote(w->redis, false, 0);
    sim_client_cut(w->node[1].client, true);
    pass(SECONDS(1));
    sim_client_cut(w->node[1].client, false);
    uint64_t told = w->now;
    while (cores_serve(&w->node[1]) != 3 && w->now < told + SECONDS(5))
        pass(MS(1));
    print_message("served %lld ms after the new master was told\n", (long long)(w->now - told) / 1000000);
    assert_true(w->now < told + w->p.lease + w->p.guard);
}

/* docs/ha.md: lease + guard, and the write. */
static void the_fast_profile_keeps_its_bound(void **state)
{
    uint64_t worst = 0;

    (void)state;
    open_as(PAIR_FAST);
    for (unsigned k = 0; k < 50; k++) {
        pass(SECONDS(5) + pair_below(w, MS(200)));
        uint64_t from = w->now;
        unsigned dead = k & 1;
        kill_both(dead);
        while (cores_serve(&w->node[!dead]) != 3 && w->now < from + SECONDS(5))
            pass(MS(1));
        worst = w->now - from > worst ? w->now - from : worst;
        power_on(dead);
        while (status(dead).entry.row != ROW_F32 && w->now < from + SECONDS(20)) /* it is asked below */
            pass(MS(10));
        command(dead, SRM_CMD_FALLBACK, dead);
        await(ROW_F01, SECONDS(5));
    }
    print_message("fast profile: served by the peer %llu ms after the kill at most\n",
                  (unsigned long long)(worst / 1000000));
    assert_true(worst < w->p.lease + w->p.guard + MS(150));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(failover_and_fallback_on_request, end),
        cmocka_unit_test_teardown(the_pace_is_for_silent_users, end),
        cmocka_unit_test_teardown(srms_restart_in_manual_failover, end),
        cmocka_unit_test_teardown(a_service_dies_and_comes_back, end),
        cmocka_unit_test_teardown(the_quiet_period_has_to_be_quiet, end),
        cmocka_unit_test_teardown(the_record_is_lost_to_one_node, end),
        cmocka_unit_test_teardown(the_record_is_lost_to_both, end),
        cmocka_unit_test_teardown(the_backup_loses_a_service, end),
        cmocka_unit_test_teardown(services_do_not_start_while_taking_back, end),
        cmocka_unit_test_teardown(a_node_dies_and_returns, end),
        cmocka_unit_test_teardown(without_automatic_failover_nobody_is_taken_over, end),
        cmocka_unit_test_teardown(a_node_says_goodbye, end),
        cmocka_unit_test_teardown(a_node_starts_alone, end),
        cmocka_unit_test_teardown(the_network_between_them_is_cut, end),
        cmocka_unit_test_teardown(users_cannot_be_taken_over, end),
        cmocka_unit_test_teardown(users_cannot_be_taken_back, end),
        cmocka_unit_test_teardown(off_makes_the_moved_at_home, end),
        cmocka_unit_test_teardown(on_does_not_take_from_a_standalone_node, end),
        cmocka_unit_test_teardown(off_is_refused_while_users_move, end),
        cmocka_unit_test_teardown(a_control_plane_restarts_unseen, end),
        cmocka_unit_test_teardown(a_promotion_moves_nobody, end),
        cmocka_unit_test_teardown(the_wait_for_redis_counts_for_the_lease, end),
        cmocka_unit_test_teardown(the_fast_profile_keeps_its_bound, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
