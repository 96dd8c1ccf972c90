/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of subclusters and of high availability. */
#include "rules_rig.h"

static void service(unsigned subcluster, unsigned slot, const struct hg_net *net, unsigned n)
{
    struct topology_subcluster changed = x.t.subcluster[subcluster];

    changed.nservice[slot] = (uint8_t)n;
    memcpy(changed.service[slot], net, n * sizeof(*net));
    rules_service(&x.w, &changed, slot, &x.f);
}

void subclusters_A08(void **state)
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

void ha_on_D03_D04_D05_A03_D35(void **state)
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

void ha_off_D08_D09_D10(void **state)
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
