/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of nodes. */
#include "rules_rig.h"

static void add_node(const char *name)
{
    rules_node_add(&x.w, slice_str(name), NAME_NOT_ASKED, &x.f);
}

void nothing_is_wrong_with_a_good_name(void **state)
{
    (void)state;
    begin();
    add_node("n6.example.com");
    assert_int_equal(x.f.n, 0);
    assert_null(rules_refusal(&x.f, false));
}

void names_B02_B03_B04_B07_A09(void **state)
{
    const char *bad[] = {"", "n_6", "1.2.3", "a b", "-x.example.com"};
    const char *good[] = {"n6.example.com", "10.0.0.6", "_sip._udp.example.com", "n6"};

    (void)state;
    begin();
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        add_node(bad[i]);
        expect(RULE_node_name_form, true);
    }
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        add_node(good[i]);
        assert_null(rules_refusal(&x.f, false));
        expect(RULE_node_name_form, false);
    }
    add_node("n5.example.com");
    expect(RULE_node_name_taken, true);
    add_node("n6");
    expect(RULE_node_name_short, true);
    add_node("n6.example.com");
    expect(RULE_node_name_short, false);
    add_node("10.0.0.6");
    expect(RULE_node_name_address, true);
    rules_node_add(&x.w, SLICE_LIT("n6.example.com"), NAME_FAILS, &x.f);
    assert_null(rules_refusal(&x.f, false)); /* A10: it need not exist yet */
    expect(RULE_node_name_unresolved, true);
    rules_node_add(&x.w, SLICE_LIT("n6.example.com"), NAME_RESOLVES, &x.f);
    expect(RULE_node_name_unresolved, false);
}

void limits_A01_A05(void **state)
{
    char name[32];

    (void)state;
    begin();
    world_node(&x, 6, "n6.example.com", "", 0);
    add_node("n7.example.com");
    expect(RULE_nodes_limit, true);
    x.w.nodes_max = 7; /* a default, not a wall */
    add_node("n7.example.com");
    expect(RULE_nodes_limit, false);
    x.w.im_only = true;
    add_node("n7.example.com");
    expect(RULE_nodes_limit_im_only, true);
    x.w.im_only_nodes_max = 8;
    add_node("n7.example.com");
    expect(RULE_nodes_limit_im_only, false);
    x.w.nodes_max = 1000;
    for (unsigned i = 7; i < HG_NODES_MAX; i++) {
        snprintf(name, sizeof(name), "n%u.example.com", i);
        world_node(&x, i, name, "", 0);
    }
    add_node("n64.example.com");
    expect(RULE_nodes_wall, true);
}

void removal_A06_A15(void **state)
{
    (void)state;
    begin();
    x.w.down[5] = true;
    rules_node_remove(&x.w, 5, &x.f);
    assert_int_equal(x.f.n, 0);
    x.w.down[5] = false;
    rules_node_remove(&x.w, 5, &x.f);
    expect(RULE_node_alive, true);
    rules_node_remove(&x.w, 1, &x.f);
    expect(RULE_node_publisher, true);
    rules_node_remove(&x.w, 2, &x.f);
    expect(RULE_node_ha_on, true);
    x.w.users[3] = 1;
    rules_node_remove(&x.w, 3, &x.f);
    expect(RULE_node_has_users, true);
    rules_node_remove(&x.w, 4, &x.f);
    expect(RULE_node_has_users, false);
    x.w.serving[3] = 4;
    rules_node_remove(&x.w, 4, &x.f);
    expect(RULE_node_has_users_of_peer, true);
    rules_node_remove(&x.w, 40, &x.f);
    expect(RULE_node_unknown, true);
}

void unassigning_A12_A15(void **state)
{
    (void)state;
    begin();
    rules_node_unassign(&x.w, 3, &x.f);
    assert_int_equal(x.f.n, 0);
    x.w.users[3] = 7;
    rules_node_unassign(&x.w, 3, &x.f);
    expect(RULE_node_has_users, true);
    rules_node_unassign(&x.w, 1, &x.f);
    expect(RULE_node_ha_on, true);
    rules_node_unassign(&x.w, 5, &x.f);
    expect(RULE_node_not_assigned, true);
    x.w.users[3] = 0;
    x.w.serving[3] = 4; /* its peer has not given the place back yet */
    rules_node_unassign(&x.w, 3, &x.f);
    expect(RULE_node_has_users_of_peer, true);
    x.w.serving[3] = 0;
    x.w.paired[4] = true; /* switched off, and the managers have not done it yet */
    rules_node_unassign(&x.w, 3, &x.f);
    expect(RULE_node_ha_on, true);
    rules_node_assign(&x.w, 5, 2, -1, &x.f);
    expect(RULE_node_ha_on, true);
}

void moving_A14(void **state)
{
    (void)state;
    begin();
    world_subcluster(&x, 3, "s3", false);
    rules_node_move(&x.w, 3, 3, -1, &x.f);
    assert_int_equal(x.f.n, 0);
    rules_node_move(&x.w, 5, 3, -1, &x.f); /* only if assigned */
    expect(RULE_node_not_assigned, true);
    x.w.users[3] = 7; /* and has no users */
    rules_node_move(&x.w, 3, 3, -1, &x.f);
    expect(RULE_node_has_users, true);
    rules_node_move(&x.w, 1, 3, -1, &x.f); /* and high availability is off */
    expect(RULE_node_ha_on, true);
    x.w.users[3] = 0; /* in the other subcluster as well (ZZ08) */
    rules_node_move(&x.w, 3, 1, -1, &x.f);
    expect(RULE_node_ha_on, true);
    rules_node_move(&x.w, 3, 9, -1, &x.f);
    expect(RULE_subcluster_unknown, true);
}

void assigning_A02_A12_A18_A19(void **state)
{
    (void)state;
    begin();
    world_subcluster(&x, 3, "s3", false);
    rules_node_assign(&x.w, 5, 3, -1, &x.f);
    assert_int_equal(x.f.n, 0);
    rules_node_assign(&x.w, 5, 2, -1, &x.f);
    expect(RULE_subcluster_full, true);
    rules_node_assign(&x.w, 4, 3, -1, &x.f);
    expect(RULE_node_already_assigned, true);
    topology_remove_node(&x.t, SLICE_LIT("n4.example.com"));
    rules_node_assign(&x.w, 5, 2, 0, &x.f);
    expect(RULE_slot_taken, true);
    rules_node_assign(&x.w, 5, 2, 1, &x.f);
    expect(RULE_slot_taken, false);
    topology_remove_node(&x.t, SLICE_LIT("n2.example.com"));
    rules_node_assign(&x.w, 5, 1, -1, &x.f);
    expect(RULE_node_ha_on, true);
    x.w.down[5] = true;
    rules_node_assign(&x.w, 5, 3, -1, &x.f);
    expect(RULE_node_services_down, true);
    x.w.down[5] = false;
    x.w.outage[5] = "cores";
    rules_node_assign(&x.w, 5, 3, -1, &x.f);
    expect(RULE_node_service_out, true);
    rules_standing(&x.w, &x.f);
    expect(RULE_node_service_out, true);
    x.w.outage[5] = NULL;
    rules_node_assign(&x.w, 5, 3, -1, &x.f);
    expect(RULE_node_service_out, false);
    x.t.node[5].draining = true;
    rules_standing(&x.w, &x.f);
    expect(RULE_node_drained, true);
    x.t.node[5].draining = false;
    rules_standing(&x.w, &x.f);
    expect(RULE_node_drained, false);
    x.w.behind[3] = true;
    rules_standing(&x.w, &x.f);
    expect(RULE_node_record_behind, true);
    rules_node_assign(&x.w, 5, 3, -1, &x.f);
    expect(RULE_node_record_behind, true);
    x.w.behind[3] = false;
    x.t.node[5].installed = false;
    rules_node_assign(&x.w, 5, 3, -1, &x.f);
    assert_null(rules_refusal(&x.f, false)); /* A18: a warning */
    expect(RULE_node_not_installed, true);
    x.t.node[5].installed = true;
    x.t.node[5].protocol = 2;
    rules_node_assign(&x.w, 5, 2, -1, &x.f);
    expect(RULE_node_version, true);
    x.t.node[5].protocol = 1;
    x.t.node[5].capacity = 100;
    rules_node_assign(&x.w, 5, 2, -1, &x.f);
    expect(RULE_node_hardware, true);
    x.t.node[5].leaving = true;
    rules_node_assign(&x.w, 5, 3, -1, &x.f);
    expect(RULE_node_leaving, true);
}

void capacity_of_its_own_C23(void **state)
{
    (void)state;
    begin();
    rules_node_capacity(&x.w, 1, x.t.node[1].capacity, &x.f);
    expect(RULE_node_capacity_own, false);
    x.t.node[1].capacity_own = true;
    rules_node_capacity(&x.w, 1, 5, &x.f);
    expect(RULE_node_capacity_own, true);
    x.t.node[1].capacity_own = false; /* its file says none: the record alone says it */
    rules_node_capacity(&x.w, 1, 5, &x.f);
    expect(RULE_node_capacity_own, false);
}
