/* SPDX-License-Identifier: BSD-2-Clause */
/* What the control plane sets is what the cores have, whatever is full, restarted or refused in between. */
#include "feed_world.h"

#include "hg/config.h"
#include "lib/log_out.h"

/* ---- resynchronisation ---- */

static void tables_before_listeners(void **state)
{
    (void)state;
    struct hg_endpoint ep = {.port = 5060};
    run(3);
    assert_int_equal(w.attached, 1);
    for (uint64_t n = 0; n < 5000; n++)
        set(n, 1 + (uint16_t)(n % 5));
    assert_true(feed_node_set(w.cp, 1, "self", &ep, true));
    run(50);
    for (unsigned i = 0; i < CORES; i++)
        assert_false(feed_node_open(w.dp, i)); /* neither image nor end of users */
    give_image(0);
    run(50);
    assert_false(feed_node_open(w.dp, 0));
    assert_false(feed_dp_ready(w.cp));
    feed_users_loaded(w.cp);
    assert_int_equal(until_applied(), FEED_APPLIED);
    run(2);
    for (unsigned i = 0; i < CORES; i++) {
        assert_true(feed_node_open(w.dp, i));
        assert_true(feed_node_ready(w.dp, i));
        assert_true(feed_node_has(w.dp, i, 1, 5060));
        assert_int_equal(feed_node_users(w.dp, i), 5000);
        struct feed_core_status s;
        assert_true(feed_core_status(w.cp, i, &s));
        assert_int_equal(s.image_generation, w.image[0].generation);
        assert_true(s.applied_generation > 0 && s.alive && !s.resyncing && s.dirty == 0);
        assert_int_equal(s.applied_seq, s.sent_seq);
        assert_int_equal(counter(i, HG_C_feed_bad), 0);
    }
    for (uint64_t n = 0; n < 5000; n++)
        expect(n, 1 + (uint16_t)(n % 5));
    assert_true(feed_dp_ready(w.cp));
    assert_int_equal(w.ready, (1u << CORES) - 1);
    assert_non_null(strstr(w.log, "feed_resync"));
}

static void image_then_users(void **state)
{
    (void)state;
    give_image(0);
    run(10);
    feed_users_loaded(w.cp);
    assert_int_equal(until_applied(), FEED_APPLIED); /* no users at all is a table, too */
    assert_true(feed_node_open(w.dp, 2));
}

static void control_plane_restarts(void **state)
{
    (void)state;
    attach_whole(3000);
    feed_destroy(w.cp);
    for (unsigned i = 0; i < 100; i++)
        feed_node_turn(w.dp); /* alone: everything stays */
    expect(2999, 1 + 2999 % 5);
    start_cp();
    run(3);
    assert_int_equal(w.attached, 2);
    for (uint64_t n = 0; n < 1500; n++)
        set(n, 7);
    run(50);
    expect(2999, 1 + 2999 % 5); /* until the end is known, nobody is swept */
    assert_true(feed_node_open(w.dp, 0));
    struct hg_endpoint ep = {.port = 5061};
    feed_node_set(w.cp, 2, "b", &ep, false);
    give_image(1);
    feed_users_loaded(w.cp);
    assert_int_equal(until_applied(), FEED_APPLIED);
    expect(2999, 0);
    expect(1499, 7);
    for (unsigned i = 0; i < CORES; i++) {
        assert_int_equal(feed_node_users(w.dp, i), 1500);
        assert_true(feed_node_has(w.dp, i, 2, 5061));
        assert_false(feed_node_has(w.dp, i, 3, 5060)); /* not mentioned: gone */
    }
}

/* Redis is away: users cannot be told complete, and yet commands come to their end on a dataplane that
 * serves. */
static void commands_before_the_end(void **state)
{
    (void)state;
    attach_whole(100);
    feed_destroy(w.cp);
    start_cp();
    run(3);
    give_image(1);
    feed_setting(w.cp, "dataplane.dscp", "12");
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_int_equal(feed_node_ctx(w.dp, 2)->config->dp_dscp, 12);
    expect(42, 1 + 42 % 5);
    struct hg_user_key k = key(42);
    feed_user_remove(w.cp, &k); /* never heard of by this control plane */
    set(43, 9);
    assert_int_equal(until_applied(), FEED_APPLIED);
    expect(42, 0);
    expect(43, 9);
    expect(44, 1 + 44 % 5);
    assert_int_equal(feed_user_count(w.cp), 1);
    feed_users_loaded(w.cp);
    assert_int_equal(until_applied(), FEED_APPLIED);
    run(5);
    expect(44, 0);
    expect(43, 9);
}

static void dataplane_restarts(void **state)
{
    (void)state;
    struct feed_token token;
    attach_whole(2000);
    struct hg_hash_secret before = w.secret;
    feed_setting(w.cp, "dataplane.dscp", "46");
    set(5, 9);
    feed_mark(w.cp, &token);
    feed_node_stop(w.dp);
    start_dp();
    w.ms += 200;
    run(1);
    assert_int_equal(w.detached, 1);
    assert_int_equal(w.attached, 2);
    assert_memory_not_equal(&before, &w.secret, sizeof(before));
    assert_int_equal(feed_applied(w.cp, &token, NULL), FEED_LOST);
    feed_mark(w.cp, &token);
    for (uint64_t n = 0; n < 2000; n++)
        set(n, 3);
    run(100);
    assert_int_equal(feed_applied(w.cp, &token, NULL), FEED_PENDING); /* users may still come */
    assert_false(feed_dp_ready(w.cp));
    feed_users_loaded(w.cp);
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_int_equal(feed_applied(w.cp, &token, NULL), FEED_APPLIED);
    expect(1999, 3);
    assert_true(feed_node_has(w.dp, 1, 5, 5060));
    assert_int_equal(feed_node_ctx(w.dp, 1)->config->dp_dscp, 46);
    run(2);
    assert_true(feed_dp_ready(w.cp));
}

static void dataplane_gone(void **state)
{
    (void)state;
    struct feed_core_status s;
    attach_whole(10);
    feed_node_stop(w.dp);
    w.dp = NULL;
    for (unsigned i = 0; i < 20; i++)
        poll_cp();
    assert_null(feed_segment(w.cp));
    assert_int_equal(w.detached, 1);
    assert_false(feed_core_status(w.cp, 0, &s));
    assert_false(feed_dp_ready(w.cp));
    set(77, 1);
    struct feed_token token;
    feed_mark(w.cp, &token);
    assert_int_equal(feed_applied(w.cp, &token, NULL), FEED_PENDING);
    start_dp();
    run(20);
    set(78, 2);
    feed_users_loaded(w.cp);
    run(50);
    assert_int_equal(feed_applied(w.cp, &token, NULL), FEED_APPLIED);
    expect(77, 0);
    expect(78, 2);
}

static void stuck_core(void **state)
{
    (void)state;
    struct feed_core_status s;
    attach_whole(10);
    for (unsigned i = 0; i < 250; i++) {
        poll_cp();
        feed_node_turn_core(w.dp, 0);
        feed_node_turn_core(w.dp, 2);
    }
    assert_true(feed_core_status(w.cp, 1, &s));
    assert_false(s.alive);
    assert_true(s.heartbeat_age_ms > 2000);
    assert_true(feed_core_status(w.cp, 0, &s) && s.alive);
    assert_false(feed_dp_ready(w.cp));
    assert_non_null(strstr(w.message, "core 1"));
    set(3, 9);
    struct feed_token token;
    unsigned lagging = 9;
    feed_mark(w.cp, &token);
    for (unsigned i = 0; i < 50; i++) {
        poll_cp();
        feed_node_turn_core(w.dp, 0);
        feed_node_turn_core(w.dp, 2);
    }
    assert_int_equal(feed_applied(w.cp, &token, &lagging), FEED_PENDING);
    assert_int_equal(lagging, 1);
    run(20);
    assert_int_equal(feed_applied(w.cp, &token, &lagging), FEED_APPLIED);
    assert_non_null(strstr(w.message, "turns again"));
}

/* ---- changes ---- */

static void full_ring_defers(void **state)
{
    (void)state;
    struct feed_core_status s;
    attach_whole(4000);
    for (unsigned round = 0; round < 30; round++) { /* no core turns: 120,000 changes of 4,000 users */
        for (uint64_t n = 0; n < 4000; n++)
            set(n, 1 + (uint16_t)((n + round) % 60));
        poll_cp();
    }
    assert_true(feed_core_status(w.cp, 0, &s));
    assert_in_range(s.dirty, 1, 4000);
    assert_true(s.down_cells > CELLS - 60);
    assert_int_equal(until_applied(), FEED_APPLIED);
    for (uint64_t n = 0; n < 4000; n++)
        expect(n, 1 + (uint16_t)((n + 29) % 60));
    assert_true(counter(0, HG_C_feed_records) < 400);
}

static void removed_and_back(void **state)
{
    (void)state;
    attach_whole(2000);
    struct hg_user_key k = key(17), unknown = key(123456);
    feed_user_remove(w.cp, &unknown);
    feed_user_remove(w.cp, &k);
    assert_int_equal(feed_user_find(w.cp, &k), 0);
    assert_int_equal(feed_user_count(w.cp), 1999);
    assert_int_equal(until_applied(), FEED_APPLIED);
    expect(17, 0);
    expect(18, 1 + 18 % 5);
    set(17, 8);
    feed_user_remove(w.cp, &k);
    set(17, 9); /* never seen as gone */
    assert_int_equal(until_applied(), FEED_APPLIED);
    expect(17, 9);
    assert_false(feed_user_set(w.cp, &k, 0));
    assert_false(feed_user_set(w.cp, &k, HG_NODES_MAX));
    struct hg_endpoint ep = {.port = 1};
    assert_true(feed_node_set(w.cp, 4, "x", NULL, false));
    assert_false(feed_node_set(w.cp, 0, "x", &ep, false));
    assert_false(feed_node_set(w.cp, HG_NODES_MAX, "x", &ep, false));
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_false(feed_node_has(w.dp, 0, 4, 5060));
}

/* A random history against a plain array. */
static void random_history(void **state)
{
    (void)state;
    static uint16_t model[3000];
    attach_whole(0);
    srand(99);
    memset(model, 0, sizeof(model));
    for (unsigned round = 0; round < 400; round++) {
        for (unsigned i = (unsigned)rand() % 300; i-- > 0;) {
            uint64_t n = (uint64_t)rand() % 3000;
            struct hg_user_key k = key(n);
            if (rand() % 3 == 0) {
                model[n] = 0;
                feed_user_remove(w.cp, &k);
            } else {
                set(n, model[n] = 1 + (uint16_t)(rand() % 62));
            }
        }
        poll_cp();
        for (unsigned i = (unsigned)rand() % 4; i-- > 0;)
            feed_node_turn_core(w.dp, (unsigned)rand() % CORES);
    }
    assert_int_equal(until_applied(), FEED_APPLIED);
    uint64_t present = 0;
    for (uint64_t n = 0; n < 3000; n++) {
        expect(n, model[n]);
        present += model[n] != 0;
    }
    assert_int_equal(feed_user_count(w.cp), present);
    assert_int_equal(feed_node_users(w.dp, 1), present);
}

static void nothing_new_costs_nothing(void **state)
{
    (void)state;
    struct feed_core_status a, b;
    struct hg_endpoint ep = {.port = 5060};
    attach_whole(100);
    feed_setting(w.cp, "dataplane.dscp", "30");
    assert_int_equal(until_applied(), FEED_APPLIED);
    feed_core_status(w.cp, 0, &a);
    for (uint64_t n = 0; n < 100; n++)
        set(n, 1 + (uint16_t)(n % 5));
    feed_node_set(w.cp, 1, "a", &ep, true);
    feed_setting(w.cp, "dataplane.dscp", "30");
    assert_int_equal(until_applied(), FEED_APPLIED);
    feed_core_status(w.cp, 0, &b);
    assert_int_equal(a.sent_seq, b.sent_seq);
}

static void settings(void **state)
{
    (void)state;
    char big[2048];
    attach_whole(1);
    const struct hg_config *before = feed_node_ctx(w.dp, 0)->config;
    int64_t was = before->dp_dscp;
    assert_true(feed_setting(w.cp, "dataplane.dscp", "10"));
    assert_true(feed_setting(w.cp, "cluster.sip.record_route", "true"));
    assert_int_equal(until_applied(), FEED_APPLIED);
    for (unsigned i = 0; i < CORES; i++) {
        assert_int_equal(feed_node_ctx(w.dp, i)->config->dp_dscp, 10);
        assert_true(feed_node_ctx(w.dp, i)->config->sip_record_route);
    }
    assert_int_equal(before->dp_dscp, was); /* a new snapshot, the old one is never edited */
    assert_true(feed_setting(w.cp, "dataplane.dscp", "99"));
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_int_equal(feed_node_ctx(w.dp, 0)->config->dp_dscp, 10);
    assert_int_equal(counter(0, HG_C_feed_bad), 1);
    assert_non_null(strstr(w.log, "feed_bad_record"));
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    assert_false(feed_setting(w.cp, big, "1"));
    assert_false(feed_setting(w.cp, "dataplane.dscp", big));
}

static void images_swapped(void **state)
{
    (void)state;
    attach_whole(1);
    assert_int_equal(feed_node_images(w.dp), 1);
    assert_true(feed_image_served(w.cp, w.image[0].generation));
    give_image(1);
    assert_false(feed_image_served(w.cp, w.image[1].generation));
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_true(feed_image_served(w.cp, w.image[1].generation));
    run(2);
    assert_int_equal(feed_node_images(w.dp), 1); /* the old one is unmapped */
    assert_true(feed_image_damage(&w.image[2]));
    give_image(2);
    assert_int_equal(until_applied(), FEED_REFUSED);
    run(2);
    struct feed_core_status s;
    feed_core_status(w.cp, 2, &s);
    assert_int_equal(s.image_generation, w.image[1].generation); /* a bad one never replaces a good one */
    assert_int_equal(feed_node_images(w.dp), 1);
    assert_non_null(strstr(w.log, "image_refused"));
    assert_true(feed_image_set(w.cp, 7777, 4096, "/hg-not-there"));
    assert_int_equal(until_applied(), FEED_REFUSED);
    assert_true(feed_image_set(w.cp, 7778, 4096, "/etc/passwd"));
    assert_int_equal(until_applied(), FEED_REFUSED);
    give_image(3);
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_false(feed_image_set(w.cp, 0, 1, "/hg-x"));
}

static void draining(void **state)
{
    (void)state;
    attach_whole(1);
    feed_node_busy(w.dp, true);
    assert_true(feed_drain(w.cp, true, 20));
    assert_int_equal(until_applied(), FEED_APPLIED);
    for (unsigned i = 0; i < CORES; i++)
        assert_true(feed_node_draining(w.dp, i));
    run(40);
    assert_int_equal(w.drained, 0);
    feed_node_busy(w.dp, false);
    run(40);
    assert_int_equal(w.drained, (1u << CORES) - 1);
    assert_int_equal(feed_segment(w.cp)->header->dp_draining, 1);
    /* a control plane that comes back does not end it by accident */
    feed_destroy(w.cp);
    start_cp();
    run(1);
    give_image(1);
    feed_users_loaded(w.cp);
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_true(feed_node_draining(w.dp, 0));
    assert_true(feed_drain(w.cp, false, 0));
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_false(feed_node_draining(w.dp, 0));
    assert_int_equal(feed_segment(w.cp)->header->dp_draining, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(tables_before_listeners),
        T(image_then_users),
        T(control_plane_restarts),
        T(commands_before_the_end),
        T(dataplane_restarts),
        T(dataplane_gone),
        T(stuck_core),
        T(full_ring_defers),
        T(removed_and_back),
        T(random_history),
        T(nothing_new_costs_nothing),
        T(settings),
        T(images_swapped),
        T(draining),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
