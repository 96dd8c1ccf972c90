/* SPDX-License-Identifier: BSD-2-Clause */
/* Both ends of the feed in one process: what the control plane sets is what the cores have, whatever is full,
 * restarted, refused or damaged in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "feed/feed.h"
#include "feed_image.h"
#include "feed_node.h"
#include "hg/config.h"
#include "lib/log_out.h"

#define CORES 3u
#define CELLS 1024u

static struct world {
    char node[64], error[HG_SEGMENT_ERROR];
    struct feed_node *dp;
    struct feed *cp;
    struct hg_hash_secret secret;
    struct feed_image_file image[4];
    uint64_t ms;
    unsigned attached, detached, ready, drained, logs, traces, hops;
    char log[512], message[1024];
    uint32_t log_suppressed;
    struct hg_up_trace trace;
    char traced[64];
} w;

static void on_attached(void *ctx, const struct hg_segment *segment)
{
    (void)ctx;
    w.attached++;
    w.secret = segment->header->secret;
}

static void on_detached(void *ctx)
{
    (void)ctx;
    w.detached++;
}

static void on_ready(void *ctx, unsigned core)
{
    (void)ctx;
    w.ready |= 1u << core;
}

static void on_drained(void *ctx, unsigned core)
{
    (void)ctx;
    w.drained |= 1u << core;
}

static void on_log(void *ctx, const struct feed_log *log)
{
    (void)ctx;
    w.logs++;
    w.log_suppressed = log->suppressed;
    int at = snprintf(w.log, sizeof(w.log), "%u %s", log->core, hg_log_info[log->id].name);
    for (unsigned i = 0; i < log->nargs; i++)
        at += snprintf(w.log + at, sizeof(w.log) - (size_t)at, " " SLICE_FMT, SLICE_ARG(log->arg[i]));
}

static void on_hop_state(void *ctx, unsigned core, uint16_t slot, uint8_t state, const struct hg_endpoint *ep)
{
    (void)ctx, (void)core, (void)slot, (void)state, (void)ep;
    w.hops++;
}

static void on_trace(void *ctx, unsigned core, const struct hg_up_trace *trace, struct slice message)
{
    (void)ctx, (void)core;
    w.traces++;
    w.trace = *trace;
    snprintf(w.traced, sizeof(w.traced), SLICE_FMT, SLICE_ARG(message));
}

static void on_message(void *ctx, enum hg_log_level level, const char *text)
{
    (void)ctx, (void)level;
    snprintf(w.message, sizeof(w.message), "%s", text);
}

static const struct feed_handlers handlers = {
    .on_attached = on_attached,
    .on_detached = on_detached,
    .on_ready = on_ready,
    .on_drained = on_drained,
    .on_log = on_log,
    .on_trace = on_trace,
    .on_message = on_message,
    .on_hop_state = on_hop_state,
};

static void start_dp(void)
{
    w.dp = feed_node_start(w.node, CORES, CELLS, 100000, w.error);
    if (!w.dp)
        fail_msg("%s", w.error);
}

static int setup(void **state)
{
    (void)state;
    memset(&w, 0, sizeof(w));
    w.ms = 1000;
    snprintf(w.node, sizeof(w.node), "uf-%d", (int)getpid());
    for (unsigned i = 0; i < 4; i++)
        if (!feed_image_make(w.node, 100 + 10 * i, &w.image[i]))
            return -1;
    start_dp();
    w.cp = feed_create(w.node, &handlers, NULL);
    return w.cp ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    feed_destroy(w.cp);
    if (w.dp)
        feed_node_stop(w.dp);
    for (unsigned i = 0; i < 4; i++)
        feed_image_remove(&w.image[i]);
    return 0;
}

static struct hg_user_key key(uint64_t n)
{
    return (struct hg_user_key){{n * 0x9e3779b97f4a7c15ull, n ^ w.secret.k[0]}};
}

static void set(uint64_t n, uint16_t node)
{
    struct hg_user_key k = key(n);
    assert_true(feed_user_set(w.cp, &k, node));
    assert_int_equal(feed_user_find(w.cp, &k), node);
}

static void expect(uint64_t n, uint16_t node)
{
    struct hg_user_key k = key(n);
    for (unsigned i = 0; i < CORES; i++)
        assert_int_equal(feed_node_user(w.dp, i, &k), node);
}

static void poll_cp(void)
{
    w.ms += 10;
    feed_poll(w.cp, w.ms);
}

static void run(unsigned rounds)
{
    while (rounds--) {
        poll_cp();
        for (unsigned i = 0; i < 8; i++)
            feed_node_turn(w.dp);
        feed_node_ms(w.dp, 10);
    }
}

static void give_image(unsigned i)
{
    assert_true(feed_image_set(w.cp, w.image[i].generation, w.image[i].size, w.image[i].name));
}

static enum feed_progress until_applied(void)
{
    struct feed_token token;
    enum feed_progress p = FEED_PENDING;
    unsigned core;
    feed_mark(w.cp, &token);
    for (unsigned i = 0; i < 3000 && p == FEED_PENDING; i++) {
        run(1);
        p = feed_applied(w.cp, &token, &core);
    }
    return p;
}

static uint64_t counter(unsigned core, unsigned id)
{
    return feed_node_segment(w.dp)->core[core].area->counters[id];
}

static void attach_whole(uint64_t users)
{
    struct hg_endpoint ep = {.port = 5060};
    run(1);
    for (uint64_t n = 0; n < users; n++)
        set(n, 1 + (uint16_t)(n % 5));
    feed_users_loaded(w.cp);
    for (uint16_t i = 1; i <= 5; i++)
        assert_true(feed_node_set(w.cp, i, "a", &ep, i == 1));
    give_image(0);
    assert_int_equal(until_applied(), FEED_APPLIED);
}

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
    w.cp = feed_create(w.node, &handlers, NULL);
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
    w.cp = feed_create(w.node, &handlers, NULL);
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

/* ---- damage ---- */

static void inject(unsigned core, bool down, const void *record, uint32_t length)
{
    struct hg_ring ring;
    const struct hg_segment *s = feed_node_segment(w.dp);
    assert_true(hg_ring_open(&ring, down ? s->core[core].down : s->core[core].up, s->ring_cells));
    assert_true(hg_ring_put(&ring, record, length));
}

static void lost_place(void **state)
{
    (void)state;
    struct hg_record r = {.type = HG_DOWN_PING, .version = 1, .length = 5, .seq = 1};
    struct feed_core_status s, t;
    attach_whole(3000);
    feed_core_status(w.cp, 1, &s);
    inject(1, true, &r, 16); /* a length that cannot be */
    set(9999, 5);
    run(60);
    assert_non_null(strstr(w.message, "core 1 lost its place"));
    assert_int_equal(until_applied(), FEED_APPLIED);
    feed_core_status(w.cp, 1, &t);
    assert_true(t.applied_generation > s.applied_generation);
    expect(9999, 5);
    expect(2999, 1 + 2999 % 5);
    assert_int_equal(feed_node_users(w.dp, 1), 3001);

    w.message[0] = '\0';
    r.length = 16;
    r.seq = t.sent_seq + 2; /* a gap */
    inject(1, true, &r, 16);
    run(60);
    assert_non_null(strstr(w.message, "core 1 lost its place"));
    assert_int_equal(until_applied(), FEED_APPLIED);

    w.message[0] = '\0';
    r.seq = HG_SEQ(HG_SEQ_EPOCH(t.sent_seq) + 1, 1); /* an epoch that nobody began */
    inject(1, true, &r, 16);
    run(60);
    assert_non_null(strstr(w.message, "core 1 lost its place"));
    assert_int_equal(until_applied(), FEED_APPLIED);

    w.message[0] = '\0';
    r.seq = HG_SEQ(HG_SEQ_EPOCH(t.sent_seq), 1); /* an old one: tolerated */
    inject(1, true, &r, 16);
    run(60);
    assert_string_equal(w.message, "");
    set(1, 9);
    assert_int_equal(until_applied(), FEED_APPLIED);
    expect(1, 9);
}

static void bad_records_down(void **state)
{
    (void)state;
    union {
        struct hg_record r;
        char bytes[1024];
    } x;
    attach_whole(500);
    srand(5);
    uint64_t bad = counter(0, HG_C_feed_bad);
    for (unsigned i = 0; i < 3000; i++) {
        struct feed_core_status s;
        feed_core_status(w.cp, 0, &s);
        for (unsigned b = 0; b < sizeof(x.bytes); b++)
            x.bytes[b] = (char)rand();
        uint16_t type = (uint16_t)(rand() % 12);
        if (type == HG_DOWN_USERS || type == HG_DOWN_NODE)
            type = 200; /* those would be believed */
        x.r = (struct hg_record){.type = type,
                                 .version = (uint8_t)(rand() % 8 ? 1 : rand()),
                                 .length = 16 + (uint32_t)rand() % 700,
                                 .seq = s.applied_seq + 1};
        inject(0, true, &x, x.r.length);
        for (unsigned t = 0; t < 12; t++)
            feed_node_turn(w.dp);
        feed_node_ms(w.dp, 10);
        if (i % 50 == 0)
            run(1);
    }
    assert_true(counter(0, HG_C_feed_bad) > bad + 1000);
    set(1, 2);
    run(300); /* its numbers are taken: it asks for everything again */
    assert_int_equal(until_applied(), FEED_APPLIED);
    expect(1, 2);
    expect(499, 1 + 499 % 5);
}

static void bad_records_up(void **state)
{
    (void)state;
    union {
        struct hg_record r;
        char bytes[1024];
    } x;
    attach_whole(5);
    srand(6);
    for (unsigned i = 0; i < 5000; i++) {
        for (unsigned b = 0; b < sizeof(x.bytes); b++)
            x.bytes[b] = (char)(rand() % 4 ? rand() % 8 : rand());
        x.r = (struct hg_record){.type = (uint16_t)(rand() % 8),
                                 .version = (uint8_t)(rand() % 8 ? 1 : rand()),
                                 .length = rand() % 10 ? 16 + (uint32_t)rand() % 200 : (uint32_t)rand(),
                                 .seq = 100000 + i};
        if (x.r.type == HG_UP_RESYNC)
            x.r.length = 17;
        inject(0, false, &x, 256);
        poll_cp();
    }
    struct feed_core_status s;
    feed_core_status(w.cp, 0, &s);
    assert_true(s.bad_records > 3000);
    w.logs = 0;
    log_number(feed_node_ctx(w.dp, 0), HG_LOGID_feed_bad_record, 77);
    run(2);
    assert_int_equal(w.logs, 1);
}

/* ---- up ---- */

static void logs_are_limited(void **state)
{
    (void)state;
    struct ctx *c = feed_node_ctx(w.dp, 0);
    struct hg_endpoint ep = {.ip = hg_ip_from4(0x0100007f), .port = 5070, .proto = HG_UDP};
    attach_whole(1);
    run(5);
    w.logs = 0;
    for (unsigned i = 0; i < 100000; i++)
        log_ip(c, HG_LOGID_acl_denied, &ep.ip);
    run(5);
    assert_in_range(w.logs, 1, 6);
    assert_string_equal(w.log, "0 acl_denied 127.0.0.1");
    assert_true(counter(0, HG_C_log_suppressed) >= 99990);
    run(150); /* more than a second */
    w.logs = 0;
    log_ip(c, HG_LOGID_acl_denied, &ep.ip);
    run(1);
    assert_int_equal(w.logs, 1);
    assert_true(w.log_suppressed >= 99990);
    char evil[300] = "a\r\n\"\\\x01\xff";
    memset(evil + 8, 'z', sizeof(evil) - 8);
    log_event(c, HG_LOGID_link_up, 2, (struct slice[]){slice_of(evil, 7), slice_of(evil + 8, 290)});
    run(1);
    assert_non_null(strstr(w.log, "0 link_up a\\x0d\\x0a\"\\\\\\x01\\xff zzz"));
    assert_string_equal(w.log + strlen(w.log) - 4, "z...");
    log_endpoint_number(c, HG_LOGID_hop_down, &ep, 3);
    run(1);
    assert_non_null(strstr(w.log, "hop_down 127.0.0.1:5070"));
    assert_true(log_hop_state(c, 5, 2, &ep));
    run(1);
    assert_int_equal(w.hops, 1);
}

static void up_ring_full(void **state)
{
    (void)state;
    struct ctx *c = feed_node_ctx(w.dp, 0);
    struct hg_endpoint ep = {.port = 1};
    attach_whole(1);
    unsigned sent = 0;
    while (log_hop_state(c, 1, 1, &ep))
        sent++;
    assert_true(sent >= CELLS - 10);
    assert_int_equal(counter(0, HG_C_up_full), 1);
    log_number(c, HG_LOGID_feed_bad_record, 1); /* dropped, not waited for */
    assert_int_equal(counter(0, HG_C_up_full), 2);
    w.hops = 0;
    run(20);
    assert_int_equal(w.hops, sent);
    assert_true(log_hop_state(c, 1, 1, &ep));
}

static void traces(void **state)
{
    (void)state;
    struct ctx *c = feed_node_ctx(w.dp, 0);
    struct hg_endpoint a = {.port = 1}, b = {.port = 2};
    struct hg_down_trace f = {.on = 1, .count = 3, .seconds = 60, .rate = 50, .cut = 10};
    attach_whole(1);
    assert_null(log_trace_filter(c));
    log_trace(c, &a, &b, true, SLICE_LIT("nobody asked"));
    memcpy(f.method, "INVITE", 6);
    f.method_len = 6;
    assert_true(feed_trace(w.cp, &f));
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_non_null(log_trace_filter(c));
    assert_memory_equal(log_trace_filter(c)->method, "INVITE", 6);
    for (unsigned i = 0; i < 5; i++)
        log_trace(c, &a, &b, true, SLICE_LIT("INVITE sip:x@y SIP/2.0"));
    run(2);
    assert_int_equal(w.traces, 3);
    assert_string_equal(w.traced, "INVITE sip");
    assert_int_equal(w.trace.full_length, 22);
    assert_int_equal(w.trace.src.port, 1);
    assert_null(log_trace_filter(c)); /* its count is over */

    f.count = 1000, f.rate = 2, f.seconds = 3;
    assert_true(feed_trace(w.cp, &f));
    assert_int_equal(until_applied(), FEED_APPLIED);
    w.traces = 0;
    for (unsigned i = 0; i < 10; i++)
        log_trace(c, &a, &b, false, SLICE_LIT("x"));
    run(1);
    assert_int_equal(w.traces, 2);
    run(120);
    log_trace(c, &a, &b, false, SLICE_LIT("y"));
    run(1);
    assert_int_equal(w.traces, 3);
    assert_int_equal(w.trace.suppressed, 8);
    run(300);
    log_trace(c, &a, &b, false, SLICE_LIT("too late"));
    assert_null(log_trace_filter(c));
    f.on = 0;
    assert_true(feed_trace(w.cp, &f));
    f.on = 1, f.count = 0;
    assert_false(feed_trace(w.cp, &f));
    f.count = 1, f.call_id_len = 129;
    assert_false(feed_trace(w.cp, &f));
}

static void other_abi(void **state)
{
    (void)state;
    struct hg_segment_header *h = feed_node_segment(w.dp)->header;
    h->layout = 99;
    run(5);
    assert_int_equal(w.attached, 0);
    assert_non_null(strstr(w.message, "layout 99"));
    w.message[0] = '\0';
    run(300);
    assert_string_equal(w.message, ""); /* said once */
    h->layout = HG_SEGMENT_LAYOUT;
    run(150);
    assert_int_equal(w.attached, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(tables_before_listeners),
        T(image_then_users),
        T(control_plane_restarts),
        T(dataplane_restarts),
        T(dataplane_gone),
        T(stuck_core),
        T(full_ring_defers),
        T(removed_and_back),
        T(random_history),
        T(settings),
        T(nothing_new_costs_nothing),
        T(images_swapped),
        T(draining),
        T(lost_place),
        T(bad_records_down),
        T(bad_records_up),
        T(logs_are_limited),
        T(up_ring_full),
        T(traces),
        T(other_abi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
