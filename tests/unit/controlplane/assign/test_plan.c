/* SPDX-License-Identifier: BSD-2-Clause */
/* Modes and moves: C01-C05, C07, C12, C15-C18, C21. */
#include "assign/plan.h"
#include "world.h"

static struct world x;
static struct plan p;

/* So many subclusters of two, or of one, without users. */
static void cluster(unsigned pairs)
{
    memset(&x, 0, sizeof(x));
    topology_init(&x.t);
    x.w = (struct rules_facts){.t = &x.t};
    for (unsigned i = 1; i <= pairs; i++) {
        char name[32], a[32], b[32];
        snprintf(name, sizeof(name), "s%u", i);
        snprintf(a, sizeof(a), "%ua", i);
        snprintf(b, sizeof(b), "%ub", i);
        world_subcluster(&x, i, name, false);
        world_node(&x, 2 * i - 1, a, name, 0);
        world_node(&x, 2 * i, b, name, 1);
    }
    for (unsigned i = 1; i < HG_NODES_MAX; i++)
        x.w.health[i] = HEALTH_NORMAL;
}

/* Everybody, as hgctl user rebalance has it. */
static void select_all(void)
{
    for (unsigned i = 0; i < p.n; i++)
        plan_select(&p, p.node[i].node, x.w.users[p.node[i].node], 0);
}

/* Runs the plan over all users and compares with what it promised. Returns the moves. */
static uint64_t run(const uint64_t unassigned)
{
    uint64_t after[HG_NODES_MAX], now[HG_NODES_MAX], moves = 0;

    plan_after(&p, &x.w, after);
    memcpy(now, x.w.users, sizeof(now));
    for (unsigned home = 0; home < HG_NODES_MAX; home++) {
        uint64_t n = home ? x.w.users[home] : unassigned;
        if (home && (!p.at[home] || p.node[p.at[home] - 1].frozen))
            continue;
        for (uint64_t k = 0; k < n; k++) {
            uint16_t to = plan_take(&p, (uint16_t)home, false);
            assert_int_not_equal(to, 0);
            if (to == home)
                continue;
            moves += home != 0;
            now[home] -= home != 0;
            now[to]++;
        }
    }
    assert_int_equal(plan_take(&p, 0, false), 0);
    assert_memory_equal(now, after, sizeof(now));
    assert_int_equal(moves, p.moved);
    memcpy(x.w.users, now, sizeof(now));
    return moves;
}

static void first_six_balanced_C01_C02(void **state)
{
    const uint16_t order[] = {1, 3, 5, 2, 4, 6};

    (void)state;
    cluster(3);
    plan_begin(&p, &x.w, TOPOLOGY_BALANCED, 0);
    plan_select(&p, 0, 12, 0);
    assert_true(plan_level(&p));
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(plan_take(&p, 0, false), order[i % 6]);
}

static void first_six_active_standby_C03_C04(void **state)
{
    const uint16_t order[] = {1, 3, 6, 1, 3, 6};

    (void)state;
    cluster(3);
    topology_remove_node(&x.t, SLICE_LIT("3a")); /* the only one of its subcluster, wherever it stands */
    plan_begin(&p, &x.w, TOPOLOGY_ACTIVE_STANDBY, 0);
    plan_select(&p, 0, 6, 0);
    assert_true(plan_level(&p));
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(plan_take(&p, 0, false), order[i]);
}

static void nobody_is_assigned_in_mode_none_C05(void **state)
{
    (void)state;
    cluster(3);
    plan_begin(&p, &x.w, TOPOLOGY_NONE, 0);
    plan_select(&p, 0, 6, 0);
    assert_false(plan_level(&p));
    plan_begin(&p, &x.w, TOPOLOGY_NONE, 2); /* but a named subcluster takes them (C07) */
    plan_select(&p, 0, 6, 0);
    assert_true(plan_level(&p));
    assert_int_equal(p.node[0].quota, 3);
    assert_int_equal(p.node[1].quota, 3);
}

static void scenario_A_C16(void **state)
{
    (void)state;
    cluster(1);
    x.w.users[1] = x.w.users[2] = 5000;
    world_subcluster(&x, 2, "s2", false);
    world_node(&x, 3, "2a", "s2", 0);
    world_node(&x, 4, "2b", "s2", 1);
    plan_begin(&p, &x.w, TOPOLOGY_BALANCED, 0);
    select_all();
    assert_true(plan_level(&p));
    assert_int_equal(run(0), 5000); /* and no move too many */
    for (unsigned i = 1; i <= 4; i++)
        assert_int_equal(x.w.users[i], 2500);
}

static void scenario_B_C17(void **state)
{
    (void)state;
    cluster(1);
    x.w.users[1] = x.w.users[2] = 2500;
    plan_begin(&p, &x.w, TOPOLOGY_ACTIVE_STANDBY, 0);
    select_all();
    assert_true(plan_level(&p));
    run(0);
    assert_int_equal(x.w.users[1], 5000);
    assert_int_equal(x.w.users[2], 0);
    world_subcluster(&x, 2, "s2", false);
    world_node(&x, 3, "2a", "s2", 0);
    world_node(&x, 4, "2b", "s2", 1);
    plan_begin(&p, &x.w, TOPOLOGY_ACTIVE_STANDBY, 0);
    select_all();
    assert_true(plan_level(&p));
    assert_int_equal(run(0), 2500);
    assert_int_equal(x.w.users[1], 2500);
    assert_int_equal(x.w.users[3], 2500);
    assert_int_equal(x.w.users[2] + x.w.users[4], 0);
}

static void capacity_example_C21(void **state)
{
    (void)state;
    cluster(3);
    plan_begin(&p, &x.w, TOPOLOGY_BALANCED, 0);
    plan_select(&p, 0, 15000, 0);
    assert_true(plan_level(&p));
    run(15000);
    for (unsigned i = 1; i <= 6; i++)
        assert_int_equal(x.w.users[i], 2500);
    plan_begin(&p, &x.w, TOPOLOGY_ACTIVE_STANDBY, 0);
    select_all();
    assert_true(plan_level(&p));
    run(0);
    for (unsigned i = 1; i <= 6; i++)
        assert_int_equal(x.w.users[i], i % 2 ? 5000 : 0);
}

/* Y01, Y02 (ZZ05: the newer numbers), Y05: balanced over six nodes, to the user; one of a pair would carry
 * both shares (ZZ13). */
static void sizes_of_the_seed_Y01_Y02_Y05(void **state)
{
    static const uint64_t sizes[] = {15000, 45000, 75000};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        cluster(3);
        plan_begin(&p, &x.w, TOPOLOGY_BALANCED, 0);
        plan_select(&p, 0, sizes[i], 0);
        assert_true(plan_level(&p));
        run(sizes[i]);
        for (unsigned k = 1; k <= 6; k++)
            assert_int_equal(x.w.users[k], sizes[i] / 6);
    }
}

static void failover_states_are_left_alone_C14_C18(void **state)
{
    (void)state;
    cluster(2);
    x.t.subcluster[1].ha = x.t.subcluster[2].ha = true;
    x.w.users[1] = 900;
    x.w.users[2] = 300;
    x.w.health[1] = HEALTH_FAILED;
    x.w.health[2] = HEALTH_BACKUP;
    plan_begin(&p, &x.w, TOPOLOGY_BALANCED, 0);
    assert_false(plan_select(&p, 1, 900, 0));
    for (unsigned i = 2; i <= 4; i++)
        assert_true(plan_select(&p, (uint16_t)i, x.w.users[i], 0));
    assert_true(plan_level(&p));
    assert_int_equal(run(0), 200);
    assert_int_equal(x.w.users[1], 900);
    assert_int_equal(x.w.users[2], 100);
    assert_int_equal(x.w.users[3], 100);
    x.w.health[2] = HEALTH_TRANSITION;
    plan_begin(&p, &x.w, TOPOLOGY_BALANCED, 1);
    plan_select(&p, 0, 1, 0);
    assert_false(plan_level(&p)); /* nobody of this subcluster may take users */
}

static void logical_nodes_get_nobody_A10(void **state)
{
    (void)state;
    cluster(1);
    x.t.node[2].installed = false;
    x.w.users[2] = 10; /* parked (A17) */
    plan_begin(&p, &x.w, TOPOLOGY_BALANCED, 0);
    assert_false(plan_select(&p, 2, 10, 0));
    plan_select(&p, 0, 7, 0);
    assert_true(plan_level(&p));
    run(7);
    assert_int_equal(x.w.users[1], 7);
    assert_int_equal(x.w.users[2], 10);
}

static void who_is_signed_in_stays_C12(void **state)
{
    (void)state;
    cluster(1);
    x.w.users[1] = 10;
    plan_begin(&p, &x.w, TOPOLOGY_BALANCED, 0);
    plan_select(&p, 1, 10, 4);
    assert_true(plan_level(&p));
    for (unsigned i = 0; i < 5; i++)
        plan_take(&p, 1, false); /* silent ones come first, and yet one of them only may stay */
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(plan_take(&p, 1, true), 1);
}

/* Moves are as few as can be: what is above its share goes, nobody else. */
static void moves_are_minimal(void **state)
{
    (void)state;
    srandom(11);
    for (unsigned round = 0; round < 2000; round++) {
        unsigned pairs = 1 + (unsigned)random() % 5;
        cluster(pairs);
        uint64_t total = 0, unassigned = (uint64_t)random() % 50;
        for (unsigned i = 1; i <= 2 * pairs; i++)
            total += x.w.users[i] = (uint64_t)random() % 40;
        plan_begin(&p, &x.w, TOPOLOGY_BALANCED, 0);
        select_all();
        plan_select(&p, 0, unassigned, 0);
        assert_true(plan_level(&p));
        uint64_t n = 2 * pairs, low = (total + unassigned) / n, rest = (total + unassigned) % n, least = 0,
                 over = 0;
        for (unsigned i = 1; i <= n; i++) {
            least += x.w.users[i] > low ? x.w.users[i] - low : 0;
            over += x.w.users[i] > low;
        }
        least -= over < rest ? over : rest;
        assert_int_equal(run(unassigned), least);
        for (unsigned i = 1; i <= n; i++)
            assert_in_range(x.w.users[i], low, low + (rest > 0));
    }
}

static void without_subclusters_every_node_takes(void **state)
{
    (void)state;
    cluster(0);
    world_node(&x, 1, "alone", "", 0);
    world_node(&x, 2, "other", "", 0);
    plan_begin(&p, &x.w, TOPOLOGY_BALANCED, 0);
    plan_select(&p, 0, 4, 0);
    assert_true(plan_level(&p));
    run(4);
    assert_int_equal(x.w.users[1], 2);
    assert_int_equal(x.w.users[2], 2);
    plan_begin(&p, &x.w, TOPOLOGY_NONE, 0);
    plan_select(&p, 0, 4, 0);
    assert_false(plan_level(&p));
}

static void others_count_as_load(void **state)
{
    (void)state;
    cluster(1);
    x.w.users[1] = 100; /* none of them selected */
    plan_begin(&p, &x.w, TOPOLOGY_BALANCED, 0);
    plan_select(&p, 0, 50, 0);
    assert_true(plan_level(&p));
    assert_int_equal(p.node[0].quota, 0);
    assert_int_equal(p.node[1].quota, 50);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(plan_take(&p, 0, false), 2);
}

static void one_named_node_takes_all_C07(void **state)
{
    (void)state;
    cluster(2);
    x.w.users[1] = 5;
    x.w.users[3] = 2;
    plan_begin_node(&p, &x.w, 3);
    plan_select(&p, 1, 5, 0);
    plan_select(&p, 3, 1, 0);
    plan_select(&p, 0, 4, 0);
    assert_true(plan_level(&p));
    assert_int_equal(p.moved, 5);
    uint64_t after[HG_NODES_MAX];
    plan_after(&p, &x.w, after);
    assert_int_equal(after[1], 0);
    assert_int_equal(after[3], 11);
    assert_int_equal(p.node[0].stays + p.node[0].quota, 11);
    assert_int_equal(plan_take(&p, 3, false), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_six_balanced_C01_C02),
        cmocka_unit_test(first_six_active_standby_C03_C04),
        cmocka_unit_test(nobody_is_assigned_in_mode_none_C05),
        cmocka_unit_test(scenario_A_C16),
        cmocka_unit_test(scenario_B_C17),
        cmocka_unit_test(capacity_example_C21),
        cmocka_unit_test(sizes_of_the_seed_Y01_Y02_Y05),
        cmocka_unit_test(failover_states_are_left_alone_C14_C18),
        cmocka_unit_test(logical_nodes_get_nobody_A10),
        cmocka_unit_test(who_is_signed_in_stays_C12),
        cmocka_unit_test(moves_are_minimal),
        cmocka_unit_test(without_subclusters_every_node_takes),
        cmocka_unit_test(others_count_as_load),
        cmocka_unit_test(one_named_node_takes_all_C07),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
