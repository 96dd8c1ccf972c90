/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of users: where they go, how many a node carries. */
#include "rules_rig.h"

static void users(uint64_t a, uint64_t b, uint64_t c, uint64_t moved)
{
    const uint64_t after[HG_NODES_MAX] = {0, a, b, c};

    rules_users(&x.w, after, moved, &x.f);
}

void targets_C14_C20(void **state)
{
    (void)state;
    begin();
    rules_target(&x.w, 1, &x.f);
    assert_int_equal(x.f.n, 0);
    x.w.health[1] = HEALTH_BACKUP;
    rules_target(&x.w, 1, &x.f);
    assert_int_equal(x.f.n, 0);
    x.w.health[1] = HEALTH_FAILED;
    rules_target(&x.w, 1, &x.f);
    expect(RULE_target_state, true);
    x.w.health[3] = HEALTH_FAILED; /* high availability is off: it does not matter */
    rules_target(&x.w, 3, &x.f);
    expect(RULE_target_state, false);
    rules_target(&x.w, 3, &x.f);
    expect(RULE_no_protection, true);
    rules_target(&x.w, 5, &x.f);
    expect(RULE_target_unassigned, true);
    x.t.node[3].leaving = true;
    rules_target(&x.w, 3, &x.f);
    expect(RULE_target_leaving, true);
    x.t.node[4].installed = false; /* A10: a logical node holds users during moves */
    rules_target(&x.w, 4, &x.f);
    assert_null(rules_refusal(&x.f, false));
    expect(RULE_node_not_installed, true);
}

void capacity_C22_C23(void **state)
{
    (void)state;
    begin();
    x.w.node_capacity = 100;
    users(50, 50, 0, 0); /* one can carry both */
    assert_int_equal(x.f.n, 0);
    users(50, 51, 0, 0);
    assert_non_null(rules_refusal(&x.f, false));
    assert_null(rules_refusal(&x.f, true));
    expect(RULE_capacity_peer, true);
    x.t.node[2].capacity = 1000; /* but the smaller one counts */
    users(50, 51, 0, 0);
    expect(RULE_capacity_peer, true);
    x.t.node[1].capacity = 1000;
    users(500, 500, 0, 0);
    expect(RULE_capacity_peer, false);
    x.w.users[1] = 1500;
    x.w.users[2] = 500;
    users(1400, 500, 0, 0); /* fewer than now: never refused */
    expect(RULE_capacity_peer, false);
    users(0, 0, 101, 0);
    expect(RULE_capacity_node, true);
    users(0, 0, 100, 0);
    expect(RULE_capacity_node, false);
    x.w.cpu_max = 35;
    x.w.cpu[1] = 36;
    users(1499, 0, 0, 0); /* fewer than now */
    expect(RULE_cpu_pair, false);
    users(1501, 0, 0, 0);
    expect(RULE_cpu_pair, true);
    x.w.cpu_max = 0; /* not looked at */
    users(1501, 0, 0, 0);
    expect(RULE_cpu_pair, false);
    x.w.cpu_max = 35;
    rules_standing(&x.w, &x.f);
    expect(RULE_cpu_pair, true);
    x.w.cpu[1] = 35;
    users(1501, 0, 0, 0);
    expect(RULE_cpu_pair, false);
}

void moves_A30_C12_C13_C18_C19(void **state)
{
    const uint64_t after[HG_NODES_MAX] = {0, 5, 5, 5};

    (void)state;
    begin();
    users(1, 0, 0, 1);
    expect(RULE_sessions_end, true);
    users(1, 0, 0, 999);
    expect(RULE_large_move, false);
    users(1, 0, 0, 1000);
    expect(RULE_large_move, true);
    x.w.down[4] = true;
    users(1, 0, 0, 1);
    expect(RULE_not_all_running, true);
    x.w.users[2] = 3;
    x.w.health[2] = HEALTH_FAILED;
    rules_rebalance(&x.w, after, 0, &x.f);
    expect(RULE_users_in_failover, true);
    rules_rebalance(&x.w, after, 0, &x.f);
    expect(RULE_relogin_limits, false);
    rules_rebalance(&x.w, after, 10, &x.f);
    expect(RULE_relogin_limits, true);
}
