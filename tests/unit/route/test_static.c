/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

static int setup(void **state)
{
    *state = rig_open(0, 1);
    return 0;
}

static int teardown(void **state)
{
    rig_close(*state);
    return 0;
}

static void L13_K06_user_and_domain(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    rig_add(rig, HG_ROUTE_USER, "19194762030", "192.0.2.1");
    rig_add(rig, HG_ROUTE_DOMAIN, "myhost.com", "192.0.2.2");
    rig->config->aliases = calloc(1, sizeof(*rig->config->aliases));
    rig->config->naliases = 1;
    strcpy(rig->config->aliases[0], "alias.example");
    strcpy(rig->config->cluster_srv_name, "srv.example"); /* K06 */
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "19194762030", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(rig_hop(&t.t[0]), 1);
    assert_int_equal(t.t[0].ep.port, 5060); /* L12 */
    assert_int_equal(rig_find(rig, "19194762030", "ALIAS.example.", 0, &t), ROUTE_FOUND);
    assert_int_equal(rig_find(rig, "19194762030", "srv.example", 0, &t), ROUTE_FOUND);
    /* another domain's user is none of a user route's business */
    assert_int_equal(rig_find(rig, "19194762030", "other.com", 0, &t), ROUTE_NONE);
    assert_int_equal(rig_find(rig, "anybody", "MyHost.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(rig_hop(&t.t[0]), 2);
    assert_int_equal(rig_find(rig, "", "myhost.com", 0, &t), ROUTE_FOUND);
    assert_true(route_is_local_domain(rig->route, SLICE_LIT("Example.COM")));
    assert_true(route_is_local_domain(rig->route, SLICE_LIT("alias.example.")));
    assert_false(route_is_local_domain(rig->route, SLICE_LIT("myhost.com")));
    assert_int_equal(rig->counters[HG_C_static_found], 5);
    assert_int_equal(rig->counters[HG_C_static_missing], 1);
}

static void L13_addresses_of_listeners_are_ours(void **state)
{
    struct rig *rig = *state;
    static const struct hg_hash_secret secret;
    struct route_targets t;
    rig->config->listeners = calloc(2, sizeof(*rig->config->listeners));
    rig->config->nlisteners = 2;
    assert_true(hg_endpoint_parse(SLICE_LIT("198.51.100.7:5060"), 5060, &rig->config->listeners[0].ep));
    assert_true(hg_endpoint_parse(SLICE_LIT("[2001:db8::7]:5060"), 5060, &rig->config->listeners[1].ep));
    route_destroy(rig->route);
    rig->route = route_create(&rig->ctx, rig->config, &secret);
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.1");
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "12", "198.51.100.7", 0, &t), ROUTE_FOUND);
    assert_int_equal(rig_find(rig, "12", "2001:DB8:0:0::7", 0, &t), ROUTE_FOUND);
    assert_int_equal(rig_find(rig, "12", "198.51.100.8", 0, &t), ROUTE_NONE);
}

static void L15_lower_priority_value_first(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.3")->priority = 65535;
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.2")->priority = 2;
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.1");
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "123", "example.com", 9, &t), ROUTE_FOUND);
    assert_int_equal(t.n, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(rig_hop(&t.t[i]), i + 1);
        assert_int_equal(t.t[i].set, i); /* serial */
        assert_true(t.t[i].stateful);
        assert_int_equal(t.t[i].route_slot, rig_status(rig, 2 - i)->slot);
    }
}

static void L17_twice_the_traffic_then_failover(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    unsigned first[4] = {0};
    const unsigned draws = 30000;
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.1")->weight = 20;
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.2")->weight = 10;
    struct hg_static_route *r = rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.3");
    r->priority = 2;
    r->weight = 50;
    rig_compile(rig);
    for (unsigned i = 0; i < draws; i++) {
        assert_int_equal(rig_find(rig, "123", "example.com", i * 2654435761u, &t), ROUTE_FOUND);
        assert_int_equal(t.n, 3);
        first[rig_hop(&t.t[0])]++;
        /* priority 2 only after both of priority 1 */
        assert_int_equal(rig_hop(&t.t[0]) + rig_hop(&t.t[1]), 3);
        assert_int_equal(rig_hop(&t.t[2]), 3);
    }
    assert_in_range(first[1], draws * 65 / 100, draws * 68 / 100);
    assert_int_equal(first[1] + first[2], draws);
    /* the same request goes the same way */
    rig_find(rig, "123", "example.com", 4711, &t);
    unsigned hop = rig_hop(&t.t[0]);
    for (unsigned i = 0; i < 100; i++) {
        rig_find(rig, "123", "example.com", 4711, &t);
        assert_int_equal(rig_hop(&t.t[0]), hop);
    }
}

static void L18_less_specific(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    rig_add(rig, HG_ROUTE_USER, "*", "192.0.2.4");
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.3");
    struct hg_static_route *r = rig_add(rig, HG_ROUTE_USER, "12..", "192.0.2.2");
    rig_add(rig, HG_ROUTE_USER, "1234", "192.0.2.1");
    rig_add(rig, HG_ROUTE_DOMAIN, "example.com", "192.0.2.5");
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "1234", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(t.n, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(rig_hop(&t.t[i]), i + 1);
    r->less_specific = false;
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "1234", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(t.n, 2);
    r->in_service = false; /* as if it were not there */
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "1234", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(t.n, 4);
}

static void L19_out_of_service(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.1")->in_service = false;
    rig_compile(rig);
    assert_int_equal(rig_status(rig, 0)->state, ROUTES_OUT_OF_SERVICE);
    assert_int_equal(rig_find(rig, "123", "example.com", 0, &t), ROUTE_OUT_OF_SERVICE);
    assert_int_equal(rig_find(rig, "223", "example.com", 0, &t), ROUTE_NONE);
    rig->config->routes[0].in_service = true;
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "123", "example.com", 0, &t), ROUTE_FOUND);
}

static void L20_blocked(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    rig_add(rig, HG_ROUTE_USER, "*", "192.0.2.9");
    struct hg_static_route *r = rig_add(rig, HG_ROUTE_USER, "1900*", ""); /* needs no next hop */
    r->block = true;
    rig_compile(rig);
    assert_int_equal(rig_status(rig, 1)->state, ROUTES_ACTIVE);
    assert_int_equal(rig_find(rig, "19001", "example.com", 0, &t), ROUTE_BLOCKED);
    assert_int_equal(t.n, 0);
    assert_int_equal(rig->counters[HG_C_static_blocked], 1);
    assert_int_equal(rig_find(rig, "1901", "example.com", 0, &t), ROUTE_FOUND);
    /* a block that comes later in the order ends the list, but what stands before it is tried */
    rig_add(rig, HG_ROUTE_USER, "1900*", "192.0.2.1");
    r->priority = 2;
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "19001", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(t.n, 1);
    assert_int_equal(rig_hop(&t.t[0]), 1);
    r->in_service = false;
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "19001", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(t.n, 2);
}

static void L14_no_tls_yet(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    char why[300];
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.1")->proto = HG_TLS;
    rig_add(rig, HG_ROUTE_USER, "2*", "192.0.2.1")->proto = HG_TLS;
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "123", "example.com", 0, &t), ROUTE_NO_TRANSPORT);
    assert_int_equal(rig_status(rig, 0)->state, ROUTES_NO_TRANSPORT);
    assert_string_equal(rig_reason(rig, 1, why, sizeof(why)),
                        "out of service: no transport; TLS is not there yet, use protocol udp or tcp");
    struct hg_static_route fresh;
    hg_static_route_defaults(&fresh);
    assert_int_equal(fresh.proto, HG_TCP);
    rig_add(rig, HG_ROUTE_USER, "*", "192.0.2.2")->proto = HG_TCP; /* less specific, reachable */
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "123", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(t.t[0].ep.proto, HG_TCP);
}

static void L24_L26_samples_route(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    char why[600];
    rig_template(rig, "74..78xxxxx*");
    rig_template(rig, "471....xx*");
    rig_add(rig, HG_ROUTE_USER, "74..7812345*", "1.2.3.4");
    rig_add(rig, HG_ROUTE_USER, "74..7867890*", "5.6.7.8.9"); /* ZZ04 */
    rig_add(rig, HG_ROUTE_USER, "74..7811993*", "10.10.11.37");
    rig_add(rig, HG_ROUTE_USER, "471....34*", "20.20.21.22");
    rig_add(rig, HG_ROUTE_USER, "471....55*", "21.21.55.79");
    rig_add(rig, HG_ROUTE_USER, "471...55*", "21.21.55.80"); /* ZZ03 */
    rig_add(rig, HG_ROUTE_USER, "73..7812345*", "192.0.2.1");
    rig_add(rig, HG_ROUTE_USER, "74..781*", "192.0.2.1");
    rig_add(rig, HG_ROUTE_USER, "74...7812345*", "192.0.2.1");
    rig_add(rig, HG_ROUTE_USER, "47...344*", "192.0.2.1");
    rig_add(rig, HG_ROUTE_USER, "471...4*", "192.0.2.1");
    rig_add(rig, HG_ROUTE_USER, "471.450*", "192.0.2.1");
    rig_compile(rig);
    static const bool enabled[] = {true,  false, true,  true,  true,  false,
                                   false, false, false, false, false, false};
    for (uint32_t i = 0; i < sizeof(enabled) / sizeof(*enabled); i++)
        assert_int_equal(rig_status(rig, i)->state, enabled[i] ? ROUTES_ACTIVE : ROUTES_REFUSED);
    assert_string_equal(rig_reason(rig, 1, why, sizeof(why)), "5.6.7.8.9 is not an IPv4 address");
    assert_int_equal(rig_find(rig, "74007812345999", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(rig_hop(&t.t[0]), 4);
    assert_int_equal(rig_find(rig, "74997811993", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(rig_hop(&t.t[0]), 37);
    assert_int_equal(rig_find(rig, "471000034", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(rig_hop(&t.t[0]), 22);
    assert_int_equal(rig_find(rig, "471123455x", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(rig_hop(&t.t[0]), 79);
    assert_int_equal(rig_find(rig, "47112355", "example.com", 0, &t), ROUTE_NONE);
    assert_int_equal(rig_find(rig, "7400786789", "example.com", 0, &t), ROUTE_NONE);
}

static void L05_adversarial_wildcards_all_match(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    char pattern[HG_PATTERN_MAX + 1] = "", user[300];
    /* "*", ".*", "..*" ... 254 dots: all match; the longest are the most specific, 16 targets are enough */
    for (unsigned i = 0; i < 255; i++) {
        char hop[32];
        memset(pattern, '.', i);
        strcpy(pattern + i, "*");
        snprintf(hop, sizeof(hop), "10.0.0.%u", i);
        rig_add(rig, HG_ROUTE_USER, pattern, hop);
    }
    rig_compile(rig);
    memset(user, 'u', sizeof(user));
    for (uint32_t len = 1; len < sizeof(user); len++) {
        unsigned most = len < 254 ? len : 254;
        assert_int_equal(route_static_find(rig->route, slice_of(user, len), SLICE_LIT("example.com"), 0, &t),
                         ROUTE_FOUND);
        assert_int_equal(rig_hop(&t.t[0]), most);
        assert_int_equal(t.n, most + 1 < HG_TARGETS_MAX ? most + 1 : HG_TARGETS_MAX);
    }
}

static void AE06_parallel_routes_share_a_set(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.1")->parallel = true;
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.2")->parallel = true;
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.3")->priority = 2;
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "1", "example.com", 3, &t), ROUTE_FOUND);
    assert_int_equal(t.n, 3);
    assert_int_equal(t.t[0].set, t.t[1].set);
    assert_true(t.t[2].set > t.t[1].set);
    assert_int_equal(rig_hop(&t.t[2]), 3);
}

static void stateless_comes_alone(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.1")->stateful = false;
    rig_add(rig, HG_ROUTE_USER, "*", "192.0.2.2");
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "12", "example.com", 3, &t), ROUTE_FOUND);
    assert_int_equal(t.n, 1);
    assert_false(t.t[0].stateful);
}

static void L12_L28_M08_srv_records_share_equally(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    struct routes_address srv[4] = {{.port = 5070, .priority = 10, .weight = 1},
                                    {.port = 5071, .priority = 10, .weight = 1},
                                    {.port = 5072, .priority = 20, .weight = 0},
                                    {.port = 5073, .priority = 10, .weight = 1}};
    for (unsigned i = 0; i < 4; i++)
        assert_true(hg_ip_parse(SLICE_LIT("192.0.2.1"), &srv[i].ip));
    struct routes_resolved resolved = {.name = "trunk.example", .kind = ROUTES_SRV, .n = 4, .address = srv};
    rig->in.resolved = &resolved;
    rig->in.nresolved = 1;
    rig_add(rig, HG_ROUTE_USER, "1*", "Trunk.Example")->port = 0; /* L12, L28 */
    rig_add(rig, HG_ROUTE_USER, "2*", "192.0.2.2");
    rig_compile(rig);
    unsigned first[5080] = {0};
    for (unsigned i = 0; i < 30000; i++) {
        assert_int_equal(rig_find(rig, "1", "example.com", i * 2654435761u, &t), ROUTE_FOUND);
        assert_int_equal(t.n, 4);
        first[t.t[0].ep.port]++;
        assert_int_equal(t.t[3].ep.port, 5072);
        assert_int_equal(t.t[0].route_slot, t.t[3].route_slot);
    }
    assert_in_range(first[5070], 9700, 10300);
    assert_in_range(first[5071], 9700, 10300);
    assert_in_range(first[5073], 9700, 10300);
    /* an address is one server */
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(rig_find(rig, "2", "example.com", i, &t), ROUTE_FOUND);
        assert_int_equal(t.n, 1);
    }
}

static void L30_results_outlive_a_swap(void **state)
{
    struct rig *rig = *state;
    struct route_targets before, after;
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.1");
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "1", "example.com", 0, &before), ROUTE_FOUND);
    struct route_targets copy = before;
    uint64_t generation = route_image_generation(rig->route);
    strcpy(rig->config->routes[0].next_hop, "192.0.2.2");
    rig_compile(rig);
    assert_true(route_image_generation(rig->route) > generation);
    assert_memory_equal(&copy, &before, sizeof(copy));
    assert_int_equal(rig_find(rig, "1", "example.com", 0, &after), ROUTE_FOUND);
    assert_int_equal(rig_hop(&after.t[0]), 2);
    assert_int_equal(after.t[0].route_slot, before.t[0].route_slot);
    route_image_set(rig->route, NULL);
    assert_int_equal(rig_find(rig, "1", "example.com", 0, &after), ROUTE_NONE);
}

static void L01_static_routes_do_not_ask_who_the_user_is(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    struct hg_user_key key =
        hg_user_key(route_user_secret(rig->route), SLICE_LIT("1919"), SLICE_LIT("example.com"));
    assert_true(route_user_set(rig->route, &key, 3));
    rig_add(rig, HG_ROUTE_USER, "1919", "192.0.2.1");
    rig_compile(rig);
    assert_int_equal(route_user_find(rig->route, &key), 3);
    assert_int_equal(rig_find(rig, "1919", "example.com", 0, &t), ROUTE_FOUND);
}

static void L10_L11_L12_fields_at_their_limits(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    struct hg_static_route *r = rig_add(rig, HG_ROUTE_USER, "1*", "2001:db8::9");
    memset(r->description, 'd', 255);
    r->port = 65535;
    r->priority = r->weight = 65535;
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "1", "example.com", 0, &t), ROUTE_FOUND);
    assert_int_equal(t.t[0].ep.port, 65535);
    assert_false(hg_ip_is4(&t.t[0].ep.ip));
    struct hg_static_route fresh;
    hg_static_route_defaults(&fresh);
    assert_int_equal(fresh.port, 5060);
    assert_int_equal(fresh.type, HG_ROUTE_USER);
    assert_true(fresh.priority == 1 && fresh.weight == 1);
    assert_true(fresh.less_specific && fresh.in_service && !fresh.block);
}

static void L16_shares_follow_weights(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    unsigned first[101] = {0};
    for (unsigned i = 1; i <= 100; i++) { /* as many as one pattern may have */
        char hop[32];
        snprintf(hop, sizeof(hop), "192.0.2.%u", i);
        rig_add(rig, HG_ROUTE_USER, "1*", hop)->weight = (uint16_t)(i == 1 ? 65535 : 662);
    }
    rig_compile(rig);
    for (unsigned i = 0; i < 20000; i++) {
        assert_int_equal(rig_find(rig, "12", "example.com", i * 2654435761u, &t), ROUTE_FOUND);
        assert_int_equal(t.n, HG_TARGETS_MAX);
        first[rig_hop(&t.t[0])]++;
        for (unsigned k = 1; k < t.n; k++)
            for (unsigned j = 0; j < k; j++)
                assert_int_not_equal(t.t[k].hop_slot, t.t[j].hop_slot);
    }
    assert_in_range(first[1], 9600, 10400); /* half of the weight */
    for (unsigned i = 2; i <= 100; i++)
        assert_in_range(first[i], 50, 160);
}

static void L21_five_templates(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    static const char *const templates[] = {"1.x", "2..x", "3...x", "4.x.x", "5.xx*", "6.x"};
    for (unsigned i = 0; i < 6; i++)
        rig_template(rig, templates[i]);
    rig_add(rig, HG_ROUTE_USER, "1.0", "192.0.2.1");
    rig_add(rig, HG_ROUTE_USER, "1.1", "192.0.2.2"); /* any number of routes for one template */
    rig_add(rig, HG_ROUTE_USER, "2..0", "192.0.2.3");
    rig_add(rig, HG_ROUTE_USER, "3...0", "192.0.2.4");
    rig_add(rig, HG_ROUTE_USER, "4.0.0", "192.0.2.5");
    rig_add(rig, HG_ROUTE_USER, "5.00*", "192.0.2.6");
    rig_add(rig, HG_ROUTE_USER, "6.0", "192.0.2.7"); /* the sixth does not count */
    rig_compile(rig);
    static const char *const users[] = {"190", "191", "2990", "39990", "49090", "59001234"};
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(rig_find(rig, users[i], "example.com", 0, &t), ROUTE_FOUND);
        assert_int_equal(rig_hop(&t.t[0]), i + 1);
    }
    assert_int_equal(rig_status(rig, 6)->state, ROUTES_REFUSED);
    assert_int_equal(rig_find(rig, "690", "example.com", 0, &t), ROUTE_NONE);
}

static void L29_a_domain_that_no_srv_record_finds(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    rig_add(rig, HG_ROUTE_DOMAIN, "microsoft.example", "192.0.2.1");
    rig_add(rig, HG_ROUTE_DOMAIN, "*.microsoft.example", "192.0.2.2");
    rig_compile(rig);
    assert_int_equal(rig_find(rig, "bob", "microsoft.example", 0, &t), ROUTE_FOUND);
    assert_int_equal(rig_hop(&t.t[0]), 1);
    assert_int_equal(rig_find(rig, "bob", "ocs.microsoft.example", 0, &t), ROUTE_FOUND);
    assert_int_equal(rig_hop(&t.t[0]), 2);
    assert_int_equal(rig_find(rig, "bob", "notmicrosoft.example", 0, &t), ROUTE_NONE);
}

static void no_input_of_any_length_harms(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    char *text = malloc(70000);
    memset(text, 'a', 70000);
    rig_add(rig, HG_ROUTE_USER, "a*", "192.0.2.1");
    rig_add(rig, HG_ROUTE_DOMAIN, "*a", "192.0.2.2");
    rig_compile(rig);
    for (uint32_t len = 0; len < 70000; len += len < 600 ? 1 : 4999) {
        struct slice s = slice_of(text + 70000 - len, len); /* ends where the memory ends */
        assert_int_equal(route_static_find(rig->route, s, SLICE_LIT("example.com"), 0, &t),
                         len ? ROUTE_FOUND : ROUTE_NONE);
        assert_int_equal(route_static_find(rig->route, SLICE_LIT("z"), s, 0, &t),
                         len && len <= HG_HOST_MAX ? ROUTE_FOUND : ROUTE_NONE);
        (void)route_is_local_domain(rig->route, s);
    }
    assert_int_equal(route_static_find(rig->route, slice_of("a\0b", 3), SLICE_LIT("example.com"), 0, &t),
                     ROUTE_FOUND);
    assert_int_equal(route_static_find(rig->route, slice_of("\0", 1), slice_of("\0", 1), 0, &t), ROUTE_NONE);
    free(text);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(L01_static_routes_do_not_ask_who_the_user_is),
        T(L10_L11_L12_fields_at_their_limits),
        T(L16_shares_follow_weights),
        T(L21_five_templates),
        T(L29_a_domain_that_no_srv_record_finds),
        T(no_input_of_any_length_harms),
        T(L13_K06_user_and_domain),
        T(L13_addresses_of_listeners_are_ours),
        T(L14_no_tls_yet),
        T(L15_lower_priority_value_first),
        T(L17_twice_the_traffic_then_failover),
        T(L18_less_specific),
        T(L19_out_of_service),
        T(L20_blocked),
        T(L24_L26_samples_route),
        T(L05_adversarial_wildcards_all_match),
        T(L30_results_outlive_a_swap),
        T(AE06_parallel_routes_share_a_set),
        T(stateless_comes_alone),
        T(L12_L28_M08_srv_records_share_equally),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
