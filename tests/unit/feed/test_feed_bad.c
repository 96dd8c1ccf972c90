/* SPDX-License-Identifier: BSD-2-Clause */
/* Nonsense in the rings costs nothing but a resynchronisation, and news come up bounded. */
#include "feed_world.h"

#include "hg/config.h"
#include "lib/log_out.h"

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
        uint16_t type = (uint16_t)(rand() % 15);
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
    log_endpoint_numbers(c, HG_LOGID_hop_down, &ep, 3, 4);
    run(1);
    assert_non_null(strstr(w.log, "hop_down 127.0.0.1:5070"));
    assert_non_null(strstr(w.log, " 3 4"));
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
    assert_null(log_trace_filter(c)); /* its time is over */
    log_trace(c, &a, &b, false, SLICE_LIT("too late"));
    run(1);
    assert_int_equal(w.traces, 3);
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
    uint32_t layout = h->layout;
    h->layout = 99;
    run(5);
    assert_int_equal(w.attached, 0);
    assert_non_null(strstr(w.message, "layout 00000063"));
    w.message[0] = '\0';
    run(300);
    assert_string_equal(w.message, ""); /* said once */
    h->layout = layout;
    run(150);
    assert_int_equal(w.attached, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(lost_place),   T(bad_records_down), T(bad_records_up), T(logs_are_limited),
        T(up_ring_full), T(traces),           T(other_abi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
