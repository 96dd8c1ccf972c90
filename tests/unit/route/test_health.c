/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

static struct rig *two_hops(uint16_t core, uint16_t cores)
{
    struct rig *rig = rig_open(core, cores);
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.1");
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.2")->priority = 2;
    rig_compile(rig);
    return rig;
}

static void AE07_thresholds(void **state)
{
    (void)state;
    struct rig *rig = two_hops(0, 1);
    struct route_targets t;
    struct route_event event[4];
    uint16_t hop = rig_slot(rig, "192.0.2.1"), other = rig_slot(rig, "192.0.2.2");
    assert_int_equal(route_hop_state(rig->route, hop), HOP_UNKNOWN);
    assert_int_equal(rig_find(rig, "1", "example.com", 0, &t), ROUTE_FOUND); /* unknown hops are used */
    assert_int_equal(t.n, 2);
    route_hop_failed(rig->route, hop, true);
    route_hop_failed(rig->route, hop, false);
    route_hop_answered(rig->route, hop, false); /* in a row: the count begins again */
    route_hop_failed(rig->route, hop, true);
    route_hop_failed(rig->route, hop, true);
    assert_int_equal(route_hop_state(rig->route, hop), HOP_UP);
    route_hop_failed(rig->route, hop, true);
    assert_int_equal(route_hop_state(rig->route, hop), HOP_DOWN);
    assert_int_equal(rig->counters[HG_C_hops_down], 1);
    assert_int_equal(rig->hop_stats[hop].state, HOP_DOWN);
    assert_int_equal(rig->hop_stats[hop].probes_failed, 4);
    assert_int_equal(rig_find(rig, "1", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(t.n, 1);
    assert_int_equal(t.t[0].hop_slot, other);
    for (unsigned i = 0; i < 3; i++)
        route_hop_failed(rig->route, other, true);
    assert_int_equal(rig_find(rig, "1", "example.com", 0, &t), ROUTE_ALL_DOWN);
    assert_int_equal(route_take_events(rig->route, event, 4), 2);
    assert_int_equal(route_take_events(rig->route, event, 4), 0);
    rig->config->probe_up = 2;
    route_hop_answered(rig->route, hop, true);
    assert_int_equal(route_hop_state(rig->route, hop), HOP_DOWN);
    route_hop_answered(rig->route, hop, true);
    assert_int_equal(route_hop_state(rig->route, hop), HOP_UP);
    assert_int_equal(route_take_events(rig->route, event, 4), 1);
    assert_int_equal(event[0].hop_slot, hop);
    assert_int_equal(event[0].state, HOP_UP);
    assert_int_equal(rig_find(rig, "1", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(rig->counters[HG_C_hops_down], 1);
    route_hop_failed(rig->route, 8191, true); /* unknown numbers move nothing */
    route_hop_answered(rig->route, 8191, true);
    route_hop_mail(rig->route, 65535, HOP_DOWN);
    rig_close(rig);
}

static void AE07_every_hop_has_one_prober(void **state)
{
    (void)state;
    unsigned probed[2] = {0};
    for (uint16_t core = 0; core < 2; core++) {
        struct rig *rig = two_hops(core, 2);
        struct route_target out[8];
        rig->ctx.ms += 200;
        unsigned n = route_probes_due(rig->route, out, 8);
        assert_int_equal(n, 1);
        assert_int_equal(out[0].hop_slot % 2, core);
        probed[out[0].ep.ip.b[15] - 1]++;
        assert_int_equal(rig->hop_stats[out[0].hop_slot].probes, 1);
        assert_int_equal(route_probes_due(rig->route, out, 8), 0);
        rig->ctx.ms += 5600; /* interval and jitter */
        assert_int_equal(route_probes_due(rig->route, out, 8), 1);
        rig_close(rig);
    }
    assert_int_equal(probed[0], 1);
    assert_int_equal(probed[1], 1);
}

static void AE07_cores_tell_each_other(void **state)
{
    (void)state;
    struct rig *owner = two_hops(0, 2), *guest = two_hops(1, 2);
    uint16_t hop = rig_slot(owner, "192.0.2.1");
    assert_int_equal(hop % 2, 0);
    assert_int_equal(rig_slot(guest, "192.0.2.1"), hop);
    for (unsigned i = 0; i < 3; i++)
        route_hop_failed(guest->route, hop, false);
    assert_int_equal(guest->nmails, 3);
    assert_int_equal(route_hop_state(guest->route, hop), HOP_UNKNOWN);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(guest->to[i], 0);
        assert_int_equal(guest->mails[i].kind, MAIL_HOP_HEALTH);
        route_hop_mail(owner->route, guest->mails[i].a, guest->mails[i].b);
    }
    assert_int_equal(route_hop_state(owner->route, hop), HOP_DOWN);
    assert_int_equal(owner->nmails, 1);
    assert_int_equal(owner->to[0], 1);
    route_hop_mail(guest->route, owner->mails[0].a, owner->mails[0].b);
    assert_int_equal(route_hop_state(guest->route, hop), HOP_DOWN);
    assert_int_equal(guest->counters[HG_C_hops_down], 1);
    struct route_event event[2];
    assert_int_equal(route_take_events(owner->route, event, 2), 1);
    assert_int_equal(route_take_events(guest->route, event, 2), 0);
    /* an answer that the guest sees brings it back; a healthy hop's answers cost no mail */
    guest->nmails = owner->nmails = 0;
    route_hop_answered(guest->route, hop, false);
    assert_int_equal(guest->nmails, 1);
    route_hop_mail(owner->route, guest->mails[0].a, guest->mails[0].b);
    route_hop_mail(guest->route, owner->mails[0].a, owner->mails[0].b);
    assert_int_equal(route_hop_state(guest->route, hop), HOP_UP);
    route_hop_answered(guest->route, hop, false);
    assert_int_equal(guest->nmails, 1);
    rig_close(owner);
    rig_close(guest);
}

static void AE07_a_full_mailbox_is_told_again(void **state)
{
    (void)state;
    struct rig *rig = two_hops(0, 2);
    struct route_target out[4];
    uint16_t hop = rig_slot(rig, "192.0.2.1");
    rig->nmails = RIG_MAILS; /* full */
    for (unsigned i = 0; i < 3; i++)
        route_hop_failed(rig->route, hop, true);
    rig->nmails = 0;
    rig->ctx.ms += 6000;
    assert_int_equal(route_probes_due(rig->route, out, 4), 1);
    assert_int_equal(rig->nmails, 1);
    assert_int_equal(rig->mails[0].a, hop);
    assert_int_equal(rig->mails[0].b, HOP_DOWN);
    rig_close(rig);
}

static void AE07_without_probes_a_hop_gets_another_chance(void **state)
{
    (void)state;
    struct rig *rig = two_hops(0, 1);
    struct route_target out[4];
    uint16_t hop = rig_slot(rig, "192.0.2.1");
    rig->config->probe_enabled = false;
    for (unsigned i = 0; i < 3; i++)
        route_hop_failed(rig->route, hop, false);
    assert_int_equal(route_hop_state(rig->route, hop), HOP_DOWN);
    assert_int_equal(route_probes_due(rig->route, out, 4), 0);
    assert_int_equal(route_hop_state(rig->route, hop), HOP_DOWN);
    rig->ctx.ms += (uint64_t)rig->config->probe_interval_ms + 1;
    assert_int_equal(route_probes_due(rig->route, out, 4), 0);
    assert_int_equal(route_hop_state(rig->route, hop), HOP_UNKNOWN);
    rig_close(rig);
}

static void L30_health_survives_a_reload(void **state)
{
    (void)state;
    struct rig *rig = two_hops(0, 1);
    uint16_t hop = rig_slot(rig, "192.0.2.1");
    for (unsigned i = 0; i < 3; i++)
        route_hop_failed(rig->route, hop, true);
    rig_add(rig, HG_ROUTE_USER, "2*", "192.0.2.3");
    rig_compile(rig);
    assert_int_equal(rig_slot(rig, "192.0.2.1"), hop);
    assert_int_equal(route_hop_state(rig->route, hop), HOP_DOWN);
    /* the next hop goes: its number loses its state with it */
    strcpy(rig->config->routes[0].next_hop, "192.0.2.9");
    rig_compile(rig);
    assert_int_equal(rig->counters[HG_C_hops_down], 0);
    assert_int_equal(route_hop_state(rig->route, hop), HOP_UNKNOWN);
    assert_int_equal(rig->hop_stats[hop].probes_failed,
                     3); /* nobody's, until somebody else gets the number */
    for (unsigned i = 0; i < 70; i++) {
        snprintf(rig->config->routes[0].next_hop, 64, "198.51.100.%u", i);
        rig_compile(rig);
    }
    assert_int_equal(rig->hop_stats[hop].probes_failed, 0);
    assert_in_range(routes_hops_end(rig->routes), 1, 80);
    struct route_event event[4];
    assert_int_equal(route_take_events(rig->route, event, 4), 0);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(AE07_thresholds),
        cmocka_unit_test(AE07_every_hop_has_one_prober),
        cmocka_unit_test(AE07_cores_tell_each_other),
        cmocka_unit_test(AE07_a_full_mailbox_is_told_again),
        cmocka_unit_test(AE07_without_probes_a_hop_gets_another_chance),
        cmocka_unit_test(L30_health_survives_a_reload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
