/* SPDX-License-Identifier: BSD-2-Clause */
/* Every rule of topology/rules.def: a command that breaks it, and one beside it that does not. Those of
 * nodes, subclusters and users stand in files of their own; the last test fails when a rule was added without
 * one. */
#include "rules_rig.h"

struct world x;
bool reached[RULES];

void expect(enum rule_id rule, bool there)
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

void begin(void)
{
    world_begin(&x);
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
