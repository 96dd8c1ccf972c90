/* SPDX-License-Identifier: BSD-2-Clause */
/* Every rule of topology/rules.def: a command that breaks it, and one beside it that does not. The last test
 * fails when a rule was added without one. */
#include "world.h"

static struct world x;
static bool reached[RULES];

/* The findings of a command have the rule, or not. */
static void expect(enum rule_id rule, bool there)
{
    if (rules_has(&x.f, rule) != there) {
        for (unsigned i = 0; i < x.f.n; i++)
            print_message("found %s: %s\n", rules[x.f.finding[i].rule].name, x.f.finding[i].text);
        fail_msg("rule %s: %s", rules[rule].name, there ? "not found" : "found");
    }
    reached[rule] |= there;
    if (there && rules[rule].verdict != RULE_WARN)
        assert_non_null(rules_refusal(&x.f, false));
    rules_begin(&x.f);
}

static void begin(void)
{
    world_begin(&x);
}

static void add_node(const char *name)
{
    rules_node_add(&x.w, slice_str(name), NAME_NOT_ASKED, &x.f);
}

static void nothing_is_wrong_with_a_good_name(void **state)
{
    (void)state;
    begin();
    add_node("n6.example.com");
    assert_int_equal(x.f.n, 0);
    assert_null(rules_refusal(&x.f, false));
}

static void names_B02_B03_B04_B07_A09(void **state)
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

static void limits_A01_A05(void **state)
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

static void removal_A06_A15(void **state)
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

static void unassigning_A12_A15(void **state)
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

static void moving_A14(void **state)
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

static void assigning_A02_A12_A18_A19(void **state)
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

static void capacity_of_its_own_C23(void **state)
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

static void service(unsigned subcluster, unsigned slot, const struct hg_net *net, unsigned n)
{
    struct topology_subcluster changed = x.t.subcluster[subcluster];

    changed.nservice[slot] = (uint8_t)n;
    memcpy(changed.service[slot], net, n * sizeof(*net));
    rules_service(&x.w, &changed, slot, &x.f);
}

static void subclusters_A08(void **state)
{
    char name[32];
    struct hg_net nets[2];

    (void)state;
    begin();
    rules_subcluster_add(&x.w, SLICE_LIT("s3"), &x.f);
    assert_int_equal(x.f.n, 0);
    rules_subcluster_add(&x.w, SLICE_LIT("s1"), &x.f);
    expect(RULE_subcluster_name_taken, true);
    rules_subcluster_add(&x.w, SLICE_LIT("a b"), &x.f);
    expect(RULE_subcluster_name_form, true);
    rules_subcluster_remove(&x.w, 2, &x.f);
    expect(RULE_subcluster_not_empty, true);
    world_subcluster(&x, 3, "s3", false);
    rules_subcluster_remove(&x.w, 3, &x.f);
    assert_int_equal(x.f.n, 0);
    rules_subcluster_remove(&x.w, 4, &x.f);
    expect(RULE_subcluster_unknown, true);
    for (unsigned i = 4; i < TOPOLOGY_SUBCLUSTERS_MAX; i++) {
        snprintf(name, sizeof(name), "s%u", i);
        world_subcluster(&x, i, name, false);
    }
    rules_subcluster_add(&x.w, SLICE_LIT("another"), &x.f);
    expect(RULE_subclusters_wall, true);
    assert_true(hg_net_parse(SLICE_LIT("192.0.2.50/24"), &nets[0]));
    service(2, 0, nets, 1);
    assert_int_equal(x.f.n, 0);
    x.t.subcluster[1].nservice[1] = 1;
    x.t.subcluster[1].service[1][0] = nets[0];
    service(2, 0, nets, 1);
    expect(RULE_service_address_used, true);
    service(0, 0, nets, 1); /* of a subcluster that is being made */
    expect(RULE_service_address_used, true);
    service(1, 1, nets, 1); /* its own */
    expect(RULE_service_address_used, false);
    service(1, 0, nets, 1); /* of the other slot */
    expect(RULE_service_address_used, true);
    nets[1] = nets[0];
    service(1, 1, nets, 2);
    expect(RULE_service_address_used, true);
    assert_true(hg_net_parse(SLICE_LIT("192.0.2.3/24"), &nets[0])); /* the node n3 itself */
    service(2, 0, nets, 1);
    expect(RULE_service_address_used, true);
}

static void ha_on_D03_D04_D05_A03_D35(void **state)
{
    (void)state;
    begin();
    rules_ha_on(&x.w, 2, &x.f);
    assert_int_equal(x.f.n, 0);
    x.w.resolves[4] = NAME_FAILS;
    rules_ha_on(&x.w, 2, &x.f);
    expect(RULE_ha_unresolved, false); /* it told its address itself */
    x.t.node[4].address.port = 0;
    rules_ha_on(&x.w, 2, &x.f);
    expect(RULE_ha_unresolved, true);
    x.t.node[4].address.port = 7946;
    x.w.resolves[4] = NAME_RESOLVES;
    x.t.node[4].installed = false;
    rules_ha_on(&x.w, 2, &x.f);
    expect(RULE_ha_version, true);
    x.t.node[4].installed = true;
    x.t.node[4].protocol = 2;
    rules_ha_on(&x.w, 2, &x.f);
    expect(RULE_ha_version, true);
    x.t.node[4].protocol = 1;
    x.t.node[4].address.port = 0;
    rules_ha_on(&x.w, 2, &x.f);
    expect(RULE_ha_no_address, true);
    x.t.node[4].address.port = 7946;
    x.w.secret = false;
    rules_ha_on(&x.w, 2, &x.f);
    expect(RULE_ha_no_secret, true);
    x.w.secret = true;
    x.w.ha_subclusters_max = 1;
    rules_ha_on(&x.w, 2, &x.f);
    expect(RULE_ha_limit, true);
    x.w.ha_subclusters_max = 3;
    x.w.down[3] = true;
    rules_ha_on(&x.w, 2, &x.f);
    expect(RULE_ha_dead_service, true);
    x.w.down[3] = false;
    x.w.heartbeat_timeout_ms = 1999;
    rules_ha_on(&x.w, 2, &x.f);
    assert_null(rules_refusal(&x.f, false));
    expect(RULE_ha_parameters, true);
    x.w.heartbeat_timeout_ms = 3001;
    rules_ha_on(&x.w, 2, &x.f);
    expect(RULE_ha_parameters, true);
    x.w.heartbeat_timeout_ms = 3000;
    x.w.node_capacity = 100;
    x.w.users[3] = 60;
    x.w.users[4] = 41;
    rules_ha_on(&x.w, 2, &x.f);
    assert_null(rules_refusal(&x.f, true));
    expect(RULE_capacity_peer, true);
    topology_remove_node(&x.t, SLICE_LIT("n4.example.com"));
    rules_ha_on(&x.w, 2, &x.f);
    expect(RULE_ha_two_nodes, true);
}

static void ha_off_D08_D09_D10(void **state)
{
    (void)state;
    begin();
    rules_ha_off(&x.w, 1, &x.f);
    assert_null(rules_refusal(&x.f, false));
    expect(RULE_ha_off_standalone, true);
    x.w.health[2] = HEALTH_TRANSITION;
    rules_ha_off(&x.w, 1, &x.f);
    expect(RULE_ha_transition, true);
    x.w.health[2] = HEALTH_FAILED;
    x.w.serving[2] = 1;
    x.w.users[2] = 12;
    rules_ha_off(&x.w, 1, &x.f);
    assert_null(rules_refusal(&x.f, false));
    expect(RULE_ha_off_homes, true);
}

static void targets_C14_C20(void **state)
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

static void users(uint64_t a, uint64_t b, uint64_t c, uint64_t moved)
{
    const uint64_t after[HG_NODES_MAX] = {0, a, b, c};

    rules_users(&x.w, after, moved, &x.f);
}

static void capacity_C22_C23(void **state)
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

static void moves_A30_C12_C13_C18_C19(void **state)
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

static void standing_A27_B07_B10_K03_C10(void **state)
{
    (void)state;
    begin();
    x.t.subcluster[2].ha = true;
    rules_standing(&x.w, &x.f);
    assert_int_equal(x.f.n, 0);
    x.t.subcluster[2].ha = false;
    rules_standing(&x.w, &x.f);
    expect(RULE_ha_is_off, true);
    x.w.domain = "DOMAIN.NOT.SET";
    rules_standing(&x.w, &x.f);
    expect(RULE_domain_not_set, true);
    x.w.cluster_id = "StandaloneCluster";
    rules_standing(&x.w, &x.f);
    expect(RULE_cluster_id_default, true);
    x.w.users[0] = 9;
    rules_standing(&x.w, &x.f);
    expect(RULE_no_availability, true);
    x.w.resolves[5] = NAME_FAILS;
    rules_standing(&x.w, &x.f);
    expect(RULE_node_name_unresolved, true);
    x.w.resolves[5] = NAME_RESOLVES;
    x.w.unresolved_at[5] = 2;
    rules_standing(&x.w, &x.f);
    expect(RULE_node_name_unresolved, true);
    x.w.unresolved_at[4] = 2;
    rules_ha_on(&x.w, 2, &x.f);
    expect(RULE_node_name_unresolved, true);
}

/* B04, B05: different DNS domains are fine as long as no name is without one. */
static void dns_domains_B04_B05(void **state)
{
    (void)state;
    begin();
    world_node(&x, 6, "n6.example.org", "", 0);
    rules_standing(&x.w, &x.f);
    expect(RULE_node_name_short, false);
    topology_remove_node(&x.t, SLICE_LIT("n5.example.com"));
    world_node(&x, 5, "n5", "", 0);
    rules_standing(&x.w, &x.f);
    expect(RULE_node_name_short, true);
    topology_remove_node(&x.t, SLICE_LIT("n6.example.org"));
    world_node(&x, 6, "10.0.0.6", "", 0);
    rules_standing(&x.w, &x.f);
    expect(RULE_node_name_short, false);
}

static void domain_B12(void **state)
{
    (void)state;
    begin();
    rules_domain(&x.w, "example.org", &x.f);
    expect(RULE_domain_changes, false); /* nobody is known by it yet */
    x.w.users[1] = 1;
    rules_domain(&x.w, "EXAMPLE.com", &x.f);
    expect(RULE_domain_changes, false);
    rules_domain(&x.w, "example.org", &x.f);
    expect(RULE_domain_changes, true);
    for (uint16_t i = 1; i <= 5; i++)
        x.t.node[i].draining = true;
    rules_domain(&x.w, "example.org", &x.f);
    expect(RULE_domain_changes, false);
    rules_domain(&x.w, "DOMAIN.NOT.SET", &x.f);
    expect(RULE_domain_not_set, true);
}

static void modes_C05_C07(void **state)
{
    (void)state;
    begin();
    rules_no_target(&x.w, TOPOLOGY_NONE, &x.f);
    expect(RULE_no_target, true);
}

static void what_forbids_is_never_lost(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < FINDINGS_MAX; i++)
        rules_add(&x.f, RULE_sessions_end, "%u", i);
    rules_add(&x.f, RULE_node_has_users, "still there");
    assert_int_equal(x.f.n, FINDINGS_MAX);
    assert_string_equal(rules_refusal(&x.f, true)->text, "still there");
}

static void every_rule_has_a_test(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RULES; i++)
        if (!reached[i])
            fail_msg("no test reaches the rule %s", rules[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_wrong_with_a_good_name),
        cmocka_unit_test(names_B02_B03_B04_B07_A09),
        cmocka_unit_test(limits_A01_A05),
        cmocka_unit_test(removal_A06_A15),
        cmocka_unit_test(unassigning_A12_A15),
        cmocka_unit_test(moving_A14),
        cmocka_unit_test(assigning_A02_A12_A18_A19),
        cmocka_unit_test(capacity_of_its_own_C23),
        cmocka_unit_test(subclusters_A08),
        cmocka_unit_test(ha_on_D03_D04_D05_A03_D35),
        cmocka_unit_test(ha_off_D08_D09_D10),
        cmocka_unit_test(targets_C14_C20),
        cmocka_unit_test(capacity_C22_C23),
        cmocka_unit_test(moves_A30_C12_C13_C18_C19),
        cmocka_unit_test(standing_A27_B07_B10_K03_C10),
        cmocka_unit_test(dns_domains_B04_B05),
        cmocka_unit_test(domain_B12),
        cmocka_unit_test(modes_C05_C07),
        cmocka_unit_test(what_forbids_is_never_lost),
        cmocka_unit_test(every_rule_has_a_test),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
