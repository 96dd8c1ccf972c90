/* SPDX-License-Identifier: BSD-2-Clause */
/* What nobody else may do for a user, and for how long, while everything about it changes: the length of the
 * lease, high availability on and off, a dataplane that stands still, a write whose outcome nobody told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pair_rig.h"

static void lease_of(unsigned node, uint64_t lease)
{
    struct srm_params p = w->p;

    p.lease = lease;
    node_settings(&w->node[node], &p);
}

/* Neither its peer nor the record. */
static void cut_off(unsigned node)
{
    cut_wire(true);
    sim_client_cut(w->node[node].client, true);
}

/* Until `node` acts for both; how long it took. */
static uint64_t taken_over_by(unsigned node, uint64_t limit)
{
    uint64_t from = w->now;

    while (cores_serve(&w->node[node]) != 3 && w->now < from + limit)
        pass(MS(10));
    assert_int_equal(cores_serve(&w->node[node]), 3);
    return w->now - from;
}

static void stop_cores(unsigned node, uint64_t time)
{
    cores_pause(&w->node[node], w->now + time);
    node_services(&w->node[node]);
}

/* It has what is to be done for both in its map when it is stopped, and high availability is off when it goes
 * on: no deadline may be given to it before its cores have another map. */
static void a_stopped_dataplane_wakes_up_when_it_is_off(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    command(0, SRM_CMD_FAILOVER, 1);
    await(ROW_F03, SECONDS(10));
    serves(3, 0);
    stop_cores(0, SECONDS(120));
    taken_over_by(1, SECONDS(60));
    cut_wire(true);
    await(ROW_F16, SECONDS(20));
    command(1, SRM_CMD_HA_OFF, 0);
    await(ROW_F42, SECONDS(1));
    pass(SECONDS(5));
    restart(0);
    pass(SECONDS(120)); /* two owners would end the world */
    serves(1, 2);
}

/* The same, and its control plane finds it only later. */
static void a_dataplane_that_is_attached_late_has_its_old_map(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    command(0, SRM_CMD_FAILOVER, 1);
    await(ROW_F03, SECONDS(10));
    stop_cores(0, SECONDS(40));
    taken_over_by(1, SECONDS(30));
    await(ROW_F12, SECONDS(10));
    command(1, SRM_CMD_HA_OFF, 0);
    w->node[0].blind_start = true;
    restart(0);
    pass(SECONDS(60));
    serves(1, 2);
}

/* Its peer knows a shorter lease than it has. */
static void a_longer_lease_is_waited_for(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    lease_of(0, SECONDS(60));
    pass(SECONDS(10));
    cut_wire(true); /* from now on it renews in the record, by its own lease */
    pass(SECONDS(70));
    serves(1, 2);
    cut_off(0);
    assert_true(taken_over_by(1, SECONDS(100)) > SECONDS(10));
}

static void a_shorter_lease_counts_from_when_both_know_it(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    lease_of(0, SECONDS(60));
    lease_of(1, SECONDS(60));
    pass(SECONDS(70));
    lease_of(1, SECONDS(6)); /* and node 0 does not hear of it */
    cut_off(0);
    taken_over_by(1, SECONDS(100));
}

static void a_shorter_lease_is_soon_in_force(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    lease_of(0, SECONDS(60));
    lease_of(1, SECONDS(60));
    pass(SECONDS(70));
    lease_of(0, SECONDS(6));
    lease_of(1, SECONDS(6));
    pass(SECONDS(70)); /* the grants of before are over */
    cut_off(0);
    assert_true(taken_over_by(1, SECONDS(100)) < SECONDS(8));
}

/* They do not hear each other, so that only what is written counts: it says six seconds, and means it. */
static void a_shorter_lease_is_true_when_it_is_told(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    lease_of(0, SECONDS(60));
    lease_of(1, SECONDS(60));
    cut_wire(true);
    pass(SECONDS(100));
    lease_of(0, SECONDS(6));
    lease_of(1, SECONDS(6));
    node_event(&w->node[0], &(struct srm_event){.type = SRM_TICK});
    pass(MS(100));
    assert_int_equal(status(1).entry.lease[0], 6000);
    cut_off(0);
    assert_true(taken_over_by(1, SECONDS(100)) < SECONDS(8));
}

/* The longer lease is in the segment, the control plane starts with the shorter one. */
static void a_restart_shortens_the_lease(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    lease_of(0, SECONDS(60));
    lease_of(1, SECONDS(60));
    pass(SECONDS(70));
    node_crash(&w->node[0]);
    lease_of(0, SECONDS(6));
    lease_of(1, SECONDS(6));
    node_boot(&w->node[0]);
    pass(MS(300));
    cut_off(0);
    taken_over_by(1, SECONDS(100));
}

/* Granted for long, by one that knows nothing of it after its start; and the record, which the other one
 * could not write to, says a shorter lease. It is not used for longer than that. */
static void a_restart_forgets_what_it_granted(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    sim_client_cut(w->node[0].client, true);
    lease_of(0, SECONDS(60));
    lease_of(1, SECONDS(60));
    pass(SECONDS(5));
    lease_of(1, SECONDS(6));
    pass(MS(1500));
    cut_wire(true);
    node_crash(&w->node[1]);
    pass(MS(100));
    node_boot(&w->node[1]);
    taken_over_by(1, SECONDS(100)); /* two owners would end the world */
}

/* The longer lease is in the segment of a dataplane that the control plane cannot attach to. */
static void a_restart_that_sees_no_dataplane_shortens_nothing(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    lease_of(0, SECONDS(60));
    cut_wire(true);
    pass(SECONDS(40)); /* it renews in the record */
    node_crash(&w->node[0]);
    lease_of(0, SECONDS(6));
    w->node[0].blind_start = true;
    uint64_t seq = status(1).entry.version.seq;
    node_boot(&w->node[0]);
    while (status(1).entry.version.seq == seq || status(1).entry.by != 1)
        pass(MS(1));
    assert_true(w->node[0].unseen);
    node_crash(&w->node[0]);
    taken_over_by(1, SECONDS(100));
}

/* The same by its heartbeats, which are sooner there than the log. */
static void nor_do_its_heartbeats(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    lease_of(0, SECONDS(60));
    pass(SECONDS(40));
    node_crash(&w->node[0]);
    lease_of(0, SECONDS(6));
    w->node[0].blind_start = true;
    node_boot(&w->node[0]);
    for (uint64_t end = w->now + SECONDS(3); w->now < end; pass(MS(10)))
        if (w->node[0].unseen && status(1).peer.boot == w->node[0].boot)
            assert_int_equal(status(1).peer.lease, 60000);
}

/* Whose acknowledgement was lost, and which the log shows then, is no sign of life of a dead peer. */
static void an_own_write_of_unknown_outcome_is_no_sign_of_the_peer(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    kill_both(0);
    uint64_t from = w->now;
    while (!w->node[1].cas_busy)
        pass(MS(1) / 20);
    pass(MS(1) / 2); /* it is with the master */
    sim_client_cut(w->node[1].client, true);
    pass(MS(20));
    sim_client_cut(w->node[1].client, false);
    assert_true(w->node[1].cas_busy);
    taken_over_by(1, SECONDS(20));
    assert_true(w->now - from < w->p.lease + w->p.guard + MS(300));
}

/* What node 0 knows of what node 1 does for its users, when it starts and does not hear it. */
static void node_0_comes_back_alone(void (*spoil)(struct sim_data *d), bool ha_wanted)
{
    open_as(PAIR_DEFAULT);
    command(1, SRM_CMD_FAILOVER, 0);
    await(ROW_F03, SECONDS(10));
    serves(0, 3);
    w->ha_wanted = ha_wanted;
    w->o.lossy = true;
    kill_both(0);
    cut_wire(true);
    sim_client_cut(w->node[1].client, true); /* what it has, it has until its lease is over */
    for (unsigned i = 0; i < SERVERS; i++)
        spoil(sim_redis_data_change(w->redis, i));
    power_on(0);
    pass(SECONDS(60));
}

static void garbage(struct sim_data *d)
{
    memset(d->table[RECORD_HA].field[0].raw.p, '?', d->table[RECORD_HA].field[0].raw.len);
}

static void another_name(struct sim_data *d)
{
    d->table[RECORD_HA].field[0].name.p[0] = 'q'; /* the only one */
}

static void an_entry_that_cannot_be_read_allows_nothing(void **state)
{
    (void)state;
    node_0_comes_back_alone(garbage, false);
    serves(0, 0);
}

static void an_entry_that_is_missing_allows_what_a_lease_does(void **state)
{
    (void)state;
    node_0_comes_back_alone(another_name, true);
    assert_true((cores_serve(&w->node[0]) & 1) != 0);
}

/* Its last renewal was acknowledged and is gone with the Redis that had it; the other node has waited long
 * enough for the one before. */
static void a_renewal_that_redis_lost_still_counts(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    w->o.lossy = true;
    cut_wire(true);
    pass(SECONDS(20));
    uint64_t seq = status(1).entry.version.seq;
    while (status(1).entry.version.seq == seq || status(1).entry.by != 1)
        pass(MS(1));
    pair_redis_note(w);
    sim_client_cut(w->node[1].client, true);
    seq = status(0).entry.version.seq;
    while (status(0).entry.version.seq == seq)
        pass(MS(1));
    cut_off(0);
    sim_redis_kill(w->redis, (unsigned)sim_redis_master(w->redis));
    pass(w->p.lease / 2 + w->p.guard + MS(100));
    pair_redis_back(w);
    sim_client_cut(w->node[1].client, false);
    taken_over_by(1, SECONDS(60));
}

/* Node 0 met two masters of which Redis and node 1 know nothing any more; node 1 knows by its heartbeats what
 * was written under them, and what it writes must not count as older. */
static void a_term_that_only_a_dead_node_met(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    w->o.lossy = true;
    pair_redis_note(w);
    sim_client_cut(w->node[1].client, true);
    for (unsigned i = 0; i < 4; i++) {
        sim_redis_promote(w->redis, false, MS(1));
        pass(SECONDS(3));
        for (unsigned s = 0; s < SERVERS; s++)
            sim_redis_demote(w->redis, s);
        lease_of(0, SECONDS(7 + i)); /* which it writes */
        pass(SECONDS(1));
    }
    uint64_t term = status(1).entry.version.term;
    assert_true(term > 3);
    kill_both(0);
    pair_redis_back(w);
    sim_client_cut(w->node[1].client, false);
    taken_over_by(1, SECONDS(60));
    assert_true(status(1).entry.version.term > term);
    power_on(0);
    lease_of(0, SECONDS(6));
    await(ROW_F32, SECONDS(30));
    pass(SECONDS(5));
    assert_true(record_version_cmp(status(0).entry.version, status(1).entry.version) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_stopped_dataplane_wakes_up_when_it_is_off, end),
        cmocka_unit_test_teardown(a_dataplane_that_is_attached_late_has_its_old_map, end),
        cmocka_unit_test_teardown(a_longer_lease_is_waited_for, end),
        cmocka_unit_test_teardown(a_shorter_lease_counts_from_when_both_know_it, end),
        cmocka_unit_test_teardown(a_shorter_lease_is_soon_in_force, end),
        cmocka_unit_test_teardown(a_shorter_lease_is_true_when_it_is_told, end),
        cmocka_unit_test_teardown(a_restart_shortens_the_lease, end),
        cmocka_unit_test_teardown(a_restart_that_sees_no_dataplane_shortens_nothing, end),
        cmocka_unit_test_teardown(nor_do_its_heartbeats, end),
        cmocka_unit_test_teardown(a_restart_forgets_what_it_granted, end),
        cmocka_unit_test_teardown(an_own_write_of_unknown_outcome_is_no_sign_of_the_peer, end),
        cmocka_unit_test_teardown(an_entry_that_cannot_be_read_allows_nothing, end),
        cmocka_unit_test_teardown(an_entry_that_is_missing_allows_what_a_lease_does, end),
        cmocka_unit_test_teardown(a_renewal_that_redis_lost_still_counts, end),
        cmocka_unit_test_teardown(a_term_that_only_a_dead_node_met, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
