/* SPDX-License-Identifier: BSD-2-Clause */
/* The serving map and datagrams have a lane of their own: whatever else is under way, they are in force after
 * one poll of the control plane and one turn of the core. */
#include "feed_world.h"

#include "lib/log_out.h"
#include "route/route.h"

static const struct hg_endpoint peer = {.ip.b = {[10] = 0xff, 0xff, 10, 0, 0, 9}, .port = 7946};
static uint64_t epoch;

static void next_map(void)
{
    uint16_t map[HG_NODES_MAX];
    for (uint16_t i = 0; i < HG_NODES_MAX; i++)
        map[i] = i;
    map[2] = 1 + epoch % 2;
    assert_true(feed_serving_set(w.cp, map, ++epoch));
}

static void turn_cores(void) /* without the main thread: images are not mapped */
{
    for (unsigned i = 0; i < CORES; i++)
        feed_node_turn_core(w.dp, i);
}

/* A new map and a heartbeat: both through after one poll and one turn. */
static void both_pass(void)
{
    struct feed_serving_token token;
    char text[32];
    next_map();
    feed_serving_mark(w.cp, &token);
    snprintf(text, sizeof(text), "beat-%u", (unsigned)epoch);
    assert_true(feed_datagram_send(w.cp, &peer, text, (uint32_t)strlen(text)));
    poll_cp();
    assert_int_equal(feed_serving_applied(w.cp, &token), FEED_PENDING);
    turn_cores();
    assert_int_equal(feed_serving_applied(w.cp, &token), FEED_APPLIED);
    for (unsigned i = 0; i < CORES; i++) {
        assert_int_equal(route_serving(feed_node_route(w.dp, i), 2), 1 + (epoch - 1) % 2);
        assert_int_equal(feed_node_segment(w.dp)->core[i].area->serving_epoch, epoch);
    }
    const struct net_control_datagram *d = feed_node_sent(w.dp, 0);
    assert_int_equal(d->length, strlen(text));
    assert_memory_equal(d->data, text, d->length);
}

static void an_image_is_being_mapped(void **state)
{
    struct feed_token all;
    (void)state;
    attach_whole(10);
    give_image(1);
    for (uint64_t n = 0; n < 3000; n++)
        set(n, 7);
    feed_mark(w.cp, &all);
    for (unsigned i = 0; i < 20; i++) {
        both_pass();
        assert_int_equal(feed_applied(w.cp, &all, NULL), FEED_PENDING);
    }
    expect(2999, 0); /* users do wait for the image */
    assert_int_equal(until_applied(), FEED_APPLIED);
    expect(2999, 7);
}

/* From the first record to the last entry swept, in each turn. */
static void everything_is_loaded_again(void **state)
{
    struct feed_token all;
    struct feed_core_status s;
    unsigned full = 0, sweeps = 0, turns = 0;
    (void)state;
    attach_whole(20000);
    feed_destroy(w.cp);
    start_cp();
    poll_cp();
    for (uint64_t n = 0; n < 10000; n++)
        set(n, 3);
    feed_users_loaded(w.cp);
    for (uint16_t i = 1; i <= 5; i++)
        feed_node_set(w.cp, i, "a", &peer, i == 1);
    give_image(1);
    feed_mark(w.cp, &all);
    while (feed_applied(w.cp, &all, NULL) == FEED_PENDING && turns < 5000) {
        both_pass();
        if (++turns % 8 == 0)
            feed_node_turn(w.dp);
        feed_core_status(w.cp, 0, &s);
        full += s.down_cells + 25 >= s.ring_cells - 1; /* no room for one more record of users */
        sweeps += s.resyncing && s.down_cells == 0 && s.dirty == 0 && feed_node_users(w.dp, 0) > 10000;
    }
    assert_true(turns < 5000);
    assert_true(full > 5 && sweeps > 3);
    expect(9999, 3);
    expect(10000, 0);
}

static void the_up_ring_is_full(void **state)
{
    struct hg_up_trace trace = {.r.type = HG_UP_TRACE};
    (void)state;
    attach_whole(10);
    while (log_record(feed_node_ctx(w.dp, 1), &trace.r, sizeof(trace)))
        ;
    feed_node_receive(w.dp, 1, &peer, "beat");
    turn_cores();
    assert_int_equal(counter(1, HG_C_control_lost), 0);
    poll_cp();
    assert_int_equal(w.datagrams, 1);
    assert_string_equal(w.datagram, "beat");
}

static void the_lane_is_full(void **state)
{
    static const char big[HG_DATAGRAM_MAX];
    struct feed_serving_token token;
    (void)state;
    attach_whole(10);
    while (feed_datagram_send(w.cp, &peer, big, sizeof(big)))
        ;
    next_map();
    feed_serving_mark(w.cp, &token);
    poll_cp();
    turn_cores();
    assert_int_equal(feed_serving_applied(w.cp, &token), FEED_PENDING); /* behind them, on core 0 */
    for (unsigned i = 0; i < 20; i++) {
        turn_cores();
        poll_cp();
    }
    turn_cores();
    assert_int_equal(feed_serving_applied(w.cp, &token), FEED_APPLIED);
}

static void inject(unsigned core, const struct hg_record *r)
{
    struct hg_ring ring;
    assert_true(hg_ring_open(&ring, feed_node_segment(w.dp)->core[core].urgent_down, HG_URGENT_CELLS));
    assert_true(hg_ring_put(&ring, r, sizeof(*r)));
}

static uint64_t urgent_seq(unsigned core)
{
    return feed_node_segment(w.dp)->core[core].area->urgent_seq;
}

/* What is lost is asked for: the map comes again, and counts only then. */
static void damage(void **state)
{
    struct hg_record r = {.type = HG_DOWN_DATAGRAM, .version = 1, .length = sizeof(r)};
    (void)state;
    attach_whole(500);
    r.seq = urgent_seq(0) + 2; /* a gap, before there is any map */
    inject(0, &r);
    run(60);
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_true(feed_datagram_send(w.cp, &peer, "again", 5));
    run(1);
    assert_memory_equal(feed_node_sent(w.dp, 0)->data, "again", 5);
    both_pass();
    for (unsigned kind = 0; kind < 3; kind++) {
        uint64_t before = urgent_seq(1), current = HG_SEQ_EPOCH(before);
        w.message[0] = '\0';
        r.length = kind == 0 ? 5 : 16; /* a length that cannot be; a gap; an epoch that nobody began */
        r.seq = kind == 1 ? before + 2 : HG_SEQ(current + 1, 1);
        inject(1, &r);
        feed_node_turn(w.dp);
        assert_int_equal(urgent_seq(1), before);
        run(60);
        assert_non_null(strstr(w.message, "core 1"));
        assert_int_equal(until_applied(), FEED_APPLIED);
        assert_true(urgent_seq(1) > before);
        assert_int_equal(route_serving(feed_node_route(w.dp, 1), 2), 1 + (epoch - 1) % 2);
        both_pass();
    }
    w.message[0] = '\0';
    r.seq = HG_SEQ(HG_SEQ_EPOCH(urgent_seq(1)), 1); /* an old one: tolerated */
    inject(1, &r);
    run(60);
    assert_string_equal(w.message, "");
    uint64_t bad = counter(1, HG_C_feed_bad);
    r.type = HG_DOWN_TRACE; /* does not belong here */
    r.seq = urgent_seq(1) + 1;
    inject(1, &r);
    feed_node_turn(w.dp);
    assert_int_equal(counter(1, HG_C_feed_bad), bad + 1);
    run(60); /* a number that was never sent: everything again */
    both_pass();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_image_is_being_mapped),
        T(everything_is_loaded_again),
        T(the_up_ring_is_full),
        T(the_lane_is_full),
        T(damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
