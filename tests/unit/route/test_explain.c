/* SPDX-License-Identifier: BSD-2-Clause */
/* What hgctl explains must be what a core does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

struct told {
    struct rig *rig;
    uint8_t what[RIG_ROUTES];
    uint32_t rank[RIG_ROUTES];
    char text[RIG_ROUTES][300];
    uint32_t n;
};

static void tell(void *arg, const struct routes_explained *x)
{
    struct told *t = arg;
    t->what[x->index] = x->what;
    t->rank[x->index] = x->rank;
    snprintf(t->text[x->index], sizeof(t->text[0]), "%s", x->text);
    t->n++;
}

static bool hop_down(void *arg, uint16_t slot)
{
    struct told *t = arg;
    return route_hop_state(t->rig->route, slot) == HOP_DOWN;
}

static char explain(struct rig *rig, struct told *t, const char *user, const char *host)
{
    memset(t, 0, sizeof(*t));
    t->rig = rig;
    char verdict = routes_explain(rig->routes, &rig->in, slice_str(user), slice_str(host), hop_down, tell, t);
    assert_int_equal(t->n, rig->result->n); /* each route exactly once */
    return verdict;
}

static void every_route_gets_its_reason(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, 1);
    struct told *t = calloc(1, sizeof(*t));
    rig_add(rig, HG_ROUTE_USER, "*", "192.0.2.1");
    rig_add(rig, HG_ROUTE_USER, "12*", "192.0.2.2")->weight = 20;
    rig_add(rig, HG_ROUTE_USER, "12*", "192.0.2.3")->weight = 10;
    rig_add(rig, HG_ROUTE_USER, "12*", "192.0.2.4")->priority = 2;
    rig_add(rig, HG_ROUTE_USER, "123*", "192.0.2.5")->in_service = false;
    rig_add(rig, HG_ROUTE_USER, "123*", "192.0.2.5")->proto = HG_TLS;
    rig_add(rig, HG_ROUTE_USER, "9*", "192.0.2.5");
    rig_add(rig, HG_ROUTE_USER, "1*2", "192.0.2.5");
    rig_add(rig, HG_ROUTE_DOMAIN, "*.org", "192.0.2.6");
    rig_compile(rig);
    assert_int_equal(explain(rig, t, "1234", "example.com"), 'f');
    assert_int_equal(t->what[0], ROUTES_FOLLOWS);
    assert_int_equal(t->rank[0], 4);
    assert_int_equal(t->what[1], ROUTES_WINS);
    assert_string_equal(t->text[1], "wins: the most specific pattern 12*, priority 1, weight 20 of 30");
    assert_int_equal(t->what[2], ROUTES_WINS);
    assert_int_equal(t->what[3], ROUTES_FOLLOWS);
    assert_string_equal(t->text[4], "matches, but: taken out of service by the administrator");
    assert_int_equal(t->what[5], ROUTES_UNUSABLE);
    assert_string_equal(t->text[6], "the pattern 9* does not match the user part");
    assert_int_equal(t->what[7], ROUTES_LEFT_OUT);
    assert_string_equal(t->text[8], "the pattern *.org does not match the host");
    assert_int_equal(explain(rig, t, "1234", "a.org"), 'f');
    assert_string_equal(t->text[0], "type user, and a.org is neither our domain nor our address");
    assert_int_equal(t->what[8], ROUTES_WINS);
    assert_int_equal(explain(rig, t, "", "example.com"), 'n');
    assert_string_equal(t->text[0], "type user, and the request has no user part");
    rig->config->routes[1].less_specific = false;
    rig->config->routes[6].block = true;
    rig_compile(rig);
    assert_int_equal(explain(rig, t, "1234", "example.com"), 'f');
    assert_string_equal(t->text[0],
                        "matches, but route r1 ends the search: it allows no less specific route");
    assert_int_equal(explain(rig, t, "99", "example.com"), 'b');
    assert_string_equal(t->text[6], "wins and blocks: the request is refused");
    assert_int_equal(t->what[0], ROUTES_HIDDEN);
    for (unsigned i = 0; i < 3; i++)
        route_hop_failed(rig->route, rig_slot(rig, "192.0.2.2"), true);
    assert_int_equal(explain(rig, t, "1234", "example.com"), 'f');
    assert_string_equal(t->text[1], "matches, but every next hop is down");
    free(t);
    rig_close(rig);
}

static uint64_t seed = 99;

static uint32_t rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) * n >> 32);
}

/* Whatever a core tries first must be told to win; whatever it tries at all must be told to be tried. */
static void agrees_with_the_core(void **state)
{
    (void)state;
    struct told *t = calloc(1, sizeof(*t));
    static const char *const users[] = {"1*", "12*", "12.", "12", "*", "...*", "2.."};
    for (unsigned round = 0; round < 300; round++) {
        struct rig *rig = rig_open(0, 1);
        unsigned n = 1 + rnd(10);
        for (unsigned i = 0; i < n; i++) {
            char hop[32];
            snprintf(hop, sizeof(hop), "192.0.2.%u", i);
            bool domain = rnd(6) == 0;
            struct hg_static_route *r =
                rig_add(rig, domain ? HG_ROUTE_DOMAIN : HG_ROUTE_USER,
                        domain ? rnd(2) ? "example.com" : "*.com" : users[rnd(7)], hop);
            r->priority = (uint16_t)(1 + rnd(2));
            r->weight = (uint16_t)(1 + rnd(5));
            r->in_service = rnd(6) != 0;
            r->block = rnd(8) == 0;
            r->less_specific = rnd(6) != 0;
            r->stateful = round % 2 || rnd(6) != 0;
            r->parallel = round % 3 == 0 && rnd(3) == 0;
            r->proto = rnd(8) ? HG_UDP : HG_TCP;
        }
        rig_compile(rig);
        for (unsigned i = 0; i < n; i++)
            for (unsigned k = 0; rnd(5) == 0 && rig_status(rig, i)->nhops && k < 3; k++) {
                char hop[32];
                snprintf(hop, sizeof(hop), "192.0.2.%u", i);
                for (unsigned f = 0; f < 3; f++)
                    route_hop_failed(rig->route, rig_slot(rig, hop), true);
            }
        for (unsigned i = 0; i < 20; i++) {
            struct route_targets found;
            static const char *const subject[] = {"1", "12", "123", "2", "222"};
            const char *user = subject[rnd(5)];
            enum route_verdict v = rig_find(rig, user, "example.com", rnd(UINT32_MAX), &found);
            char told = explain(rig, t, user, "example.com");
            assert_int_equal(told, v == ROUTE_FOUND ? 'f' : v == ROUTE_BLOCKED ? 'b' : 'n');
            for (unsigned k = 0; k < found.n; k++) {
                uint8_t what = t->what[rig_hop(&found.t[k])];
                assert_true(what == ROUTES_WINS || (k > 0 && what == ROUTES_FOLLOWS));
            }
        }
        rig_close(rig);
    }
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_gets_its_reason),
        cmocka_unit_test(agrees_with_the_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
