/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "hg/records.h"
#include "rig.h"
#include "route/user_table.h"

static const struct hg_hash_secret secret = {{3, 5}};

static struct hg_user_key key_of(uint32_t i)
{
    struct hg_user_key k;
    hg_siphash128(&secret, &i, sizeof(i), k.h);
    return k;
}

static void fills_to_its_promise(void **state)
{
    (void)state;
    struct user_table t;
    const uint32_t users = 200000;
    assert_true(user_table_open(&t, users));
    for (uint32_t i = 0; i < users; i++) {
        struct hg_user_key k = key_of(i);
        assert_true(user_table_set(&t, &k, (uint16_t)(1 + i % 63)));
    }
    assert_int_equal(t.used, users);
    assert_true(t.used * 10 >= t.nbuckets * USER_BUCKET * 9 - 100); /* 90 % full */
    assert_true(t.nbuckets * sizeof(struct user_bucket) / users < 20);
    for (uint32_t i = 0; i < users; i++) {
        struct hg_user_key k = key_of(i), other = key_of(i + users);
        assert_int_equal(user_table_find(&t, &k), 1 + i % 63);
        assert_int_equal(user_table_find(&t, &other), 0);
    }
    /* beyond the promise: refused at some point, never lost */
    uint32_t more = users;
    for (struct hg_user_key k = key_of(more); user_table_set(&t, &k, 1); k = key_of(++more))
        ;
    assert_true(more >= users);
    assert_true(t.used == more);
    for (uint32_t i = 0; i < more; i++) {
        struct hg_user_key k = key_of(i);
        assert_true(user_table_find(&t, &k) != 0);
    }
    user_table_close(&t);
}

/* Random sets, deletes, look-ups, rounds and sweeps beside a plain array. */
static void churn(void **state)
{
    (void)state;
    enum { N = 20000 };
    struct user_table t;
    uint16_t *model = calloc(N, sizeof(*model));
    uint8_t *mentioned = calloc(N, 1);
    uint64_t x = 42, used = 0;
    bool round = false, sweeping = false;
    assert_true(user_table_open(&t, N));
    for (unsigned i = 0; i < 1500000; i++) {
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        uint32_t u = (uint32_t)(x >> 33) % N, what = (uint32_t)(x >> 58);
        struct hg_user_key k = key_of(u);
        if (what < 40) {
            used += model[u] == 0;
            model[u] = (uint16_t)(1 + (x >> 20) % 63);
            mentioned[u] = 1;
            assert_true(user_table_set(&t, &k, model[u]));
        } else if (what < 50) {
            used -= model[u] != 0;
            model[u] = 0;
            user_table_delete(&t, &k);
        } else if (!sweeping) {
            assert_int_equal(user_table_find(&t, &k), model[u]);
        }
        if (i % 100000 == 0 && !round && !sweeping) {
            user_table_round(&t);
            memset(mentioned, 0, N);
            round = true;
        } else if (i % 100000 == 60000 && round) {
            user_table_sweep_start(&t);
            for (uint32_t n = 0; n < N; n++)
                if (!mentioned[n])
                    model[n] = 0;
            round = false;
            sweeping = true;
        }
        if (sweeping && i % 3 == 0 && user_table_sweep(&t, 40)) {
            sweeping = false;
            used = 0;
            for (uint32_t n = 0; n < N; n++) {
                struct hg_user_key kn = key_of(n);
                used += model[n] != 0;
                assert_int_equal(user_table_find(&t, &kn), model[n]);
            }
            assert_int_equal(t.used, used);
        }
    }
    free(model);
    free(mentioned);
    user_table_close(&t);
}

static void resynchronisation_sweeps_1000_a_turn(void **state)
{
    (void)state;
    static const struct hg_hash_secret none;
    struct rig *rig = rig_open(0, 1);
    route_destroy(rig->route);
    rig->config->dp_users_max = 50000;
    rig->route = route_create(&rig->ctx, rig->config, &none);
    struct route *r = rig->route;
    route_resync_begin(r, 11);
    assert_false(route_resync_sweep(r));
    for (uint32_t i = 0; i < 40000; i++) {
        struct hg_user_key k = key_of(i);
        assert_true(route_user_set(r, &k, 3));
    }
    assert_int_equal(route_resync_generation(r), 0);
    assert_true(route_resync_end(r));
    while (!route_resync_sweep(r))
        ;
    assert_int_equal(route_resync_generation(r), 11);
    assert_int_equal(route_user_count(r), 40000);
    route_resync_begin(r, 12);
    for (uint32_t i = 0; i < 40000; i += 2) {
        struct hg_user_key k = key_of(i);
        assert_true(route_user_set(r, &k, 4));
    }
    struct hg_user_key odd = key_of(1), even = key_of(2);
    assert_int_equal(route_user_find(r, &odd), 3); /* what is old answers until it is swept */
    assert_int_equal(route_user_find(r, &even), 4);
    assert_true(route_resync_end(r));
    assert_false(route_resync_end(r));
    unsigned turns = 0;
    for (uint64_t before = route_user_count(r); !route_resync_sweep(r); turns++) {
        assert_true(before - route_user_count(r) <= 1000);
        before = route_user_count(r);
    }
    assert_true(turns >= 40);
    assert_int_equal(route_user_count(r), 20000);
    assert_int_equal(rig->counters[HG_C_users], 20000);
    assert_int_equal(route_user_find(r, &odd), 0);
    assert_int_equal(rig->counters[HG_C_user_found], 2);
    assert_int_equal(rig->counters[HG_C_user_missing], 1);
    rig_close(rig);
}

static void records_are_checked(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, 1);
    struct route *r = rig->route;
    uint64_t space[512] = {0};
    struct hg_down_users *u = (struct hg_down_users *)space;
    u->n = 2;
    u->user[0] = (struct hg_down_user){.key = key_of(1), .node = 5};
    u->user[1] = (struct hg_down_user){.key = key_of(2), .node = HG_NODES_MAX};
    uint32_t length = sizeof(*u) + 2 * sizeof(u->user[0]);
    assert_false(route_apply_users(r, &u->r, length)); /* node out of range: nothing applied */
    assert_int_equal(route_user_count(r), 0);
    u->user[1].node = 6;
    assert_true(route_apply_users(r, &u->r, length));
    assert_int_equal(route_user_count(r), 2);
    u->user[0].node = 0;
    assert_true(route_apply_users(r, &u->r, length));
    assert_int_equal(route_user_count(r), 1);
    for (uint32_t n = 0; n < length; n++)
        assert_false(route_apply_users(r, &u->r, n));
    u->n = HG_DOWN_USERS_MAX + 1;
    assert_false(route_apply_users(r, &u->r, sizeof(space)));
    assert_false(route_apply_begin(r, &u->r, sizeof(struct hg_record)));
    assert_false(route_apply_end(r, &u->r, sizeof(struct hg_record))); /* never begun */
    struct hg_down_node node = {.node = 9, .present = 1, .self = 1};
    struct hg_endpoint ep;
    bool self;
    assert_true(hg_endpoint_parse(SLICE_LIT("192.0.2.77:5070"), 5060, &node.sip));
    assert_false(route_apply_node(r, &node.r, sizeof(node) - 1));
    assert_true(route_apply_node(r, &node.r, sizeof(node)));
    assert_true(route_node(r, 9, &ep, &self));
    assert_true(self && ep.port == 5070);
    node.node = HG_NODES_MAX;
    assert_false(route_apply_node(r, &node.r, sizeof(node)));
    node.node = 0;
    assert_false(route_apply_node(r, &node.r, sizeof(node)));
    assert_false(route_node(r, 0, &ep, &self));
    assert_false(route_node(r, HG_NODES_MAX, &ep, &self));
    /* a resynchronisation that does not mention the node */
    route_resync_begin(r, 1);
    assert_true(route_node(r, 9, &ep, &self));
    assert_int_equal(route_self(r), 9);
    assert_true(route_resync_end(r));
    assert_false(route_node(r, 9, &ep, &self));
    assert_int_equal(route_self(r), 0); /* nor serves anybody */
    rig_close(rig);
}

static void a_full_table_refuses_and_stays_whole(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, 1); /* 1,000 users */
    uint32_t n = 0;
    for (struct hg_user_key k = key_of(0); route_user_set(rig->route, &k, 1) && n < 5000; k = key_of(++n))
        ;
    assert_in_range(n, 1000, 1130);
    assert_int_equal(route_user_count(rig->route), n);
    assert_int_equal(rig->counters[HG_C_user_no_room], 1);
    struct hg_user_key first = key_of(0);
    assert_true(route_user_set(rig->route, &first, 2)); /* a change needs no room */
    assert_int_equal(route_user_find(rig->route, &first), 2);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_to_its_promise),
        cmocka_unit_test(churn),
        cmocka_unit_test(resynchronisation_sweeps_1000_a_turn),
        cmocka_unit_test(records_are_checked),
        cmocka_unit_test(a_full_table_refuses_and_stays_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
