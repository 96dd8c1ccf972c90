/* SPDX-License-Identifier: BSD-2-Clause */
/* Too much to do: full pools, and what neighbours tell each other about it (RFC 7339). */
#include <rte_mbuf.h>

#include "proxy_rig.h"

static void pool_exhausted_is_503(void **state)
{
    unsigned refused = 0;
    char id[16];
    (void)state;
    rig_serial(1, false);
    for (int i = 0; i < 1100; i++) {
        snprintf(id, sizeof(id), "x%d", i);
        rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", id, NULL));
        while (rig_next())
            if (strncmp(rig.text, "SIP/2.0 503 ", 12) == 0) {
                rig_has("\r\nRetry-After: 1");
                refused++;
            }
    }
    assert_int_equal(rig_count(HG_C_sip_transactions_refused) + rig_count(HG_C_sip_shed), refused);
    assert_true(refused >= 1100 - 1024);
    rig_nothing_left();
}

/* Answered transactions give way when the pool is full, so that a steady load is not refused. */
static void answered_ones_give_way(void **state)
{
    char id[16];
    (void)state;
    rig_serial(1, false);
    for (int i = 0; i < 3000; i++) {
        snprintf(id, sizeof(id), "y%d", i);
        rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", id, NULL));
        rig_expect(BOB, "MESSAGE ");
        rig_send(BOB, rig_answer("200 OK", "b", NULL));
        rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
        harness_advance_ms(rig.h, 2);
    }
    assert_true(rig_count(HG_C_sip_transactions_reclaimed) > 0);
    rig_nothing_left();
}

static void fork_of_two(const char *id)
{
    rig_send(ALICE, rig_request("INVITE", "sip:b@far.example.org", id, NULL));
    rig_expect(ALICE, "SIP/2.0 100 ");
}

/* Branches run out while the oldest of the answered transactions have none any more: one with branches gives
 * way, whatever else waits before it, and every target is asked. */
static void branches_give_way(void **state)
{
    char id[16];
    (void)state;
    rig_serial(2, true);
    for (int i = 0; i < 400; i++) { /* answered: no branch after T4, remembered for 64 T1 */
        snprintf(id, sizeof(id), "old%d", i);
        rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", id, NULL));
        while (rig_next())
            if (strncmp(rig.text, "MESSAGE ", 8) == 0)
                rig_send(strcmp(rig.to, BOB) == 0 ? BOB : CAROL, rig_answer("200 OK", "b", NULL));
    }
    harness_advance_ms(rig.h, 6000);
    assert_int_equal(rig_count(HG_C_sip_client_transactions), 0);
    for (int i = 0; i < 512; i++) { /* two branches each: all there are */
        snprintf(id, sizeof(id), "fork%d", i);
        fork_of_two(id);
        rig_expect(NULL, "INVITE ");
        rig_send(rig.to, rig_answer("603 Decline", "b", NULL));
        while (rig_next())
            if (strncmp(rig.text, "INVITE ", 7) == 0)
                rig_send(rig.to, rig_answer("486 Busy Here", "b", NULL));
    }
    harness_advance_ms(rig.h, 1100);
    while (rig_next())
        ;
    uint64_t reclaimed = rig_count(HG_C_sip_transactions_reclaimed);
    fork_of_two("new");
    rig_expect(NULL, "INVITE ");
    rig_expect(NULL, "INVITE ");
    assert_int_equal(rig_count(HG_C_sip_transactions_reclaimed), reclaimed + 1);
    rig_nothing_left();
}

static void pass(unsigned ms)
{
    for (unsigned done = 0; done < ms; done += 100) {
        harness_advance_ms(rig.h, 100);
        while (rig_next())
            ;
    }
}

static void ask(const char *uri, const char *name, int n, bool answered)
{
    char id[24];

    for (int i = 0; i < n; i++) {
        snprintf(id, sizeof(id), "%s%d", name, i);
        rig_send(ALICE, rig_request("MESSAGE", uri, id, NULL));
        rig_expect(BOB, "MESSAGE ");
        if (answered)
            rig_send(BOB, rig_answer("200 OK", "b", NULL));
        if (answered)
            rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    }
}

/* What was answered long ago lost its branches (T4) after others timed out: it does not stand behind them. */
static void the_longest_answered_gives_way(void **state)
{
    char id[16];
    (void)state;
    rig_open(1, NULL);
    struct hg_static_route r[] = {rig_route("down", "far.example.org", true, "10.0.0.30", 1, true, false),
                                  rig_route("good", "near.example.org", true, "10.0.0.20", 1, true, false)};
    rig_routes(r, 2);
    for (int i = 0; i < 500; i++) {
        snprintf(id, sizeof(id), "dead%d", i);
        rig_send(ALICE, rig_request("INVITE", "sip:b@far.example.org", id, NULL));
    }
    pass(27200);
    ask("sip:b@near.example.org", "old", 500, true);
    pass(5400); /* 64 T1 for the dead ones, T4 for the old ones */
    assert_int_equal(rig_count(HG_C_sip_client_transactions), 0);
    ask("sip:b@near.example.org", "last", 24, false); /* every transaction that there is */
    uint64_t reclaimed = rig_count(HG_C_sip_transactions_reclaimed);
    ask("sip:b@near.example.org", "new", 1, true);
    assert_int_equal(rig_count(HG_C_sip_transactions_reclaimed), reclaimed + 1);
    rig_nothing_left();
}

/* A trunk is one flow: above 64,000/s its datagrams are spread by Call-ID, each is forwarded once. */
static void hot_flow_is_sprayed(void **state)
{
    char id[16];
    (void)state;
    rig_open(2, "source_rate = 10000000; source_burst = 10000000;");
    assert_true(harness_node(rig.h, 2, BOB, false));
    assert_true(harness_user(rig.h, "bob@example.com", 2));
    for (int i = 0; i < 1500; i++) {
        snprintf(id, sizeof(id), "hot%d", i);
        rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", id, NULL));
        rig_expect(BOB, "MESSAGE sip:bob@example.com SIP/2.0\r\n");
        if (i == 500)
            assert_int_equal(rig_count(HG_C_sip_sprayed), 0);
    }
    assert_in_range(rig_count(HG_C_sip_sprayed), 300, 900);
    assert_int_equal(rig_count(HG_C_sip_forwarded), 1500);
    rig_close();
}

/* RFC 3261 16.11: a request that comes again gets the same branch, whichever core it meets. */
static void stateless_branch_is_the_same_on_every_core(void **state)
{
    char text[2048], first[sizeof(rig.text)];
    uint8_t frame[4096];
    struct hg_endpoint alice, gateway;
    (void)state;
    rig_open(2, "user_mode = \"stateless\";");
    assert_true(harness_node(rig.h, 2, BOB, false));
    assert_true(harness_user(rig.h, "bob@example.com", 2));
    snprintf(text, sizeof(text), "%s", rig_request("MESSAGE", "sip:bob@example.com", "again", NULL));
    hg_endpoint_parse(slice_str(ALICE), 5060, &alice);
    hg_endpoint_parse(slice_str("10.0.0.1:5060"), 5060, &gateway);
    uint32_t len = harness_build_udp(rig.h, frame, &alice, &gateway, text, (uint32_t)strlen(text));
    for (unsigned core = 0; core < 2; core++) {
        assert_true(harness_send_frame(rig.h, 0, core, frame, len));
        harness_settle(rig.h);
        rig_expect(BOB, "MESSAGE sip:bob@example.com SIP/2.0\r\n");
        if (core == 0)
            snprintf(first, sizeof(first), "%s", rig.text);
    }
    assert_string_equal(rig.text, first);
    rig_close();
}

/* Without a buffer for the answer the message is dropped by name, and the next one is served. */
static void no_buffer_for_an_answer(void **state)
{
    static const char stun[] = "\x00\x01\x00\x00\x21\x12\xa4\x42"
                               "0123456789a";
    struct core *core;
    struct rte_mbuf *held[2][16384];
    struct rte_mempool *pool[2];
    unsigned n[2] = {0, 0};
    (void)state;
    rig_open(1, NULL);
    core = harness_core(rig.h, 0);
    rig_send(ALICE, rig_request("OPTIONS", "sip:10.0.0.1", "0", NULL)); /* ARP is done */
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    pool[0] = core->ctx.pool;
    pool[1] = core->ctx.pool_big;
    for (unsigned i = 0; i < 2; i++)
        while (n[i] < 16384 && (held[i][n[i]] = rte_pktmbuf_alloc(pool[i])))
            n[i]++;
    rig_send(ALICE, rig_request("OPTIONS", "sip:10.0.0.1", "1", NULL));
    rig_send_bytes(ALICE, stun, 20);
    rig_expect_nothing();
    assert_int_equal(rig_count(HG_DROP_sip_no_memory), 2);
    for (unsigned i = 0; i < 2; i++)
        rte_pktmbuf_free_bulk(held[i], n[i]);
    rig_send(ALICE, rig_request("OPTIONS", "sip:10.0.0.1", "2", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    rig_close();
}

/* The other core sleeps and its mailbox is full: what is its own is dropped by name, what is ours goes on. */
static void no_room_in_the_owners_mailbox(void **state)
{
    struct hg_static_route r;
    char id[16];
    (void)state;
    rig_open(2, NULL);
    r = rig_route("r", "far.example.org", true, "10.0.0.20", 1, true, false);
    rig_routes(&r, 1);
    rig_send(ALICE, rig_request("OPTIONS", "sip:10.0.0.1", "0", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof(id), "m%d", i);
        const char *text = rig_request("MESSAGE", "sip:b@far.example.org", id, NULL);
        harness_send_udp(rig.h, ALICE, US, text, (uint32_t)strlen(text));
    }
    for (unsigned from = 0; from < 2; from++) {
        struct core *core = harness_core(rig.h, from);
        while (mail_send(&core->ctx, 1 - from, (struct mail){.kind = MAIL_HOP_HEALTH, .a = 999, .b = 9}))
            ;
        core_turn(core);
        core_turn(core);
    }
    uint64_t dropped = rig_count(HG_DROP_sip_mail_full);
    assert_in_range(dropped, 1, 19);
    harness_settle(rig.h);
    uint64_t sent = 0;
    while (rig_next())
        sent += strncmp(rig.text, "MESSAGE ", 8) == 0;
    assert_int_equal(sent, 20 - dropped);
    rig_nothing_left();
}

/* A reload that changes the order of the neighbours does not give one of them another's bucket. */
static void a_neighbours_bucket_is_its_own(void **state)
{
    static const struct hg_config_neighbour alice = {.host = "10.0.0.2", .rate = 1, .burst = 5},
                                            dave = {.host = "10.0.0.40", .rate = 1, .burst = 5};
    unsigned got = 0;
    (void)state;
    rig_open(1, NULL);
    struct hg_config *config = (struct hg_config *)(uintptr_t)harness_conf(rig.h);
    config->neighbours = calloc(2, sizeof(*config->neighbours));
    config->nneighbours = 2;
    config->neighbours[0] = alice;
    config->neighbours[1] = dave;
    rig_routes(NULL, 0);
    for (int i = 0; i < 10; i++)
        rig_send(ALICE, rig_request("OPTIONS", "sip:10.0.0.1", "1", NULL));
    while (rig_next())
        got++;
    assert_int_equal(got, 5);
    rig_routes(NULL, 0); /* in the same order: nothing is given anew */
    rig_send(ALICE, rig_request("OPTIONS", "sip:10.0.0.1", "1", NULL));
    rig_expect_nothing();
    config->neighbours[0] = dave;
    config->neighbours[1] = alice;
    rig_routes(NULL, 0);
    for (int i = 0; i < 5; i++) {
        rig_send(DAVE, rig_request("OPTIONS", "sip:10.0.0.1", "1", NULL));
        assert_true(rig_next());
    }
    rig_close();
}

/* A hot flow has the bucket of the core that receives it: a message that leaves takes its token there and
 * none where it goes. */
static void hot_flow_keeps_one_bucket(void **state)
{
    char id[16];
    (void)state;
    rig_open(2, "source_rate = 1; source_burst = 1500;");
    assert_true(harness_node(rig.h, 2, BOB, false));
    assert_true(harness_user(rig.h, "bob@example.com", 2));
    for (int i = 0; i < 2500; i++) {
        snprintf(id, sizeof(id), "one%d", i);
        rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", id, NULL));
        harness_take_all(rig.h);
    }
    assert_true(rig_count(HG_C_sip_sprayed) > 300);
    assert_in_range(rig_count(HG_C_sip_forwarded), 1500, 1502);
    assert_int_equal(rig_count(HG_C_sip_forwarded) + rig_count(HG_DROP_source_rate), 2500);
    rig_close();
}

static struct core *receiver_of_alice(void)
{
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "first", NULL));
    rig_expect(BOB, "MESSAGE ");
    return harness_core(rig.h, harness_core(rig.h, 0)->ctx.counters[HG_C_net_up_datagrams] ? 0 : 1);
}

/* The mailbox of the other core is full: what stays here has had its token already, and pays no other. */
static void what_stays_pays_once(void **state)
{
    enum { SENT = 12000 };
    char id[16];
    (void)state;
    rig_open(2, "source_rate = 1; source_burst = 12001;");
    assert_true(harness_node(rig.h, 2, BOB, false));
    assert_true(harness_user(rig.h, "bob@example.com", 2));
    struct core *receiver = receiver_of_alice(); /* the other one sleeps */
    for (int i = 0; i < SENT; i++) {
        snprintf(id, sizeof(id), "m%d", i);
        const char *text = rig_request("MESSAGE", "sip:bob@example.com", id, NULL);
        harness_send_udp(rig.h, ALICE, US, text, (uint32_t)strlen(text));
        while (i % 16 == 15 && core_turn(receiver) > 0)
            ;
        harness_take_all(rig.h);
    }
    assert_int_equal(rig_count(HG_DROP_source_rate), 0);
    assert_true(rig_count(HG_C_sip_sprayed) > 300);
    assert_true(rig_count(HG_C_sip_forwarded) > 7000); /* more than the half that is not sprayed */
    rig_close();
}

static void larger_than_the_limit(void **state)
{
    static char body[2000];
    (void)state;
    rig_open(1, "message_max = 1024;");
    memset(body, 'x', sizeof(body) - 1);
    rig_send(ALICE, body);
    assert_int_equal(rig_count(HG_DROP_sip_too_large), 1);
    rig_send(ALICE, rig_request("OPTIONS", "sip:10.0.0.1", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    rig_close();
}

/* AA23, RFC 7339: a neighbour that offers oc is told how much to hold back. */
static void overload_is_told(void **state)
{
    (void)state;
    rig_serial(1, false);
    rig_send(ALICE, "OPTIONS sip:10.0.0.1 SIP/2.0\r\n"
                    "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKa;oc;oc-algo=\"loss\"\r\n"
                    "From: <sip:a@b>;tag=1\r\nTo: <sip:10.0.0.1>\r\nCall-ID: r\r\nCSeq: 1 OPTIONS\r\n\r\n");
    rig_expect(ALICE,
               "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKa;oc=0;oc-algo=\"loss\";"
               "oc-validity=0;oc-seq=");
    rig_nothing_left();
}

/* The answer to the last request, as from a hop that asks for so much loss. */
static void oc_answer(char out[4000], const char *oc)
{
    const char *ok = rig_answer("200 OK", "b", NULL), *p = strstr(ok, ";oc;");
    assert_non_null(p);
    snprintf(out, 4000, "%.*s;oc=%s%s", (int)(p - ok), ok, oc, p + 3);
}

static bool is_shed(const char *id)
{
    bool shed = false;
    rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", id, NULL));
    while (rig_next())
        shed |= strncmp(rig.text, "SIP/2.0 503 ", 12) == 0;
    return shed;
}

static void offer_to_far(void)
{
    rig_open(1, "overload_offer = true; t1 = 500;");
    struct hg_static_route r = rig_route("r", "far.example.org", true, "10.0.0.20", 1, true, false);
    rig_routes(&r, 1);
}

static void overload_is_obeyed(void **state)
{
    static char told[4000];
    char id[16];
    (void)state;
    offer_to_far();
    rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", "0", NULL));
    rig_expect(BOB, "MESSAGE ");
    rig_has(";oc;oc-algo=\"loss\"\r\n");
    oc_answer(told, "100;oc-validity=60000;oc-seq=1.1");
    rig_send(BOB, told);
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    for (int i = 1; i < 20; i++) {
        snprintf(id, sizeof(id), "%d", i);
        assert_true(is_shed(id));
    }
    rig_nothing_left();
}

/* RFC 7339 4.4: what was overtaken does not count; 5.9 is later than 5.10. What is over cannot be overtaken.
 */
static void overload_news_are_ordered(void **state)
{
    static const char *const oc[] = {"100;oc-validity=5000;oc-seq=5.10", "0;oc-validity=5000;oc-seq=5.09",
                                     "0;oc-validity=5000;oc-seq=5.9", "100;oc-validity=5000;oc-seq=5.1",
                                     "100;oc-validity=5000;oc-seq=1.0"};
    static const bool sheds[] = {true, true, false, false, true};
    static char told[5][4000];
    char id[16];
    (void)state;
    offer_to_far();
    for (int i = 0; i < 5; i++) {
        snprintf(id, sizeof(id), "%d", i);
        rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", id, NULL));
        rig_expect(BOB, "MESSAGE ");
        oc_answer(told[i], oc[i]);
    }
    for (int i = 0; i < 5; i++) {
        if (i == 4)
            harness_advance_ms(rig.h, 6000);
        while (rig_next())
            ;
        rig_send(BOB, told[i]);
        rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
        snprintf(id, sizeof(id), "after%d", i);
        assert_int_equal(is_shed(id), sheds[i]);
    }
    rig_nothing_left();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_exhausted_is_503),
        cmocka_unit_test(answered_ones_give_way),
        cmocka_unit_test(branches_give_way),
        cmocka_unit_test(the_longest_answered_gives_way),
        cmocka_unit_test(hot_flow_keeps_one_bucket),
        cmocka_unit_test(hot_flow_is_sprayed),
        cmocka_unit_test(stateless_branch_is_the_same_on_every_core),
        cmocka_unit_test(no_buffer_for_an_answer),
        cmocka_unit_test(no_room_in_the_owners_mailbox),
        cmocka_unit_test(a_neighbours_bucket_is_its_own),
        cmocka_unit_test(what_stays_pays_once),
        cmocka_unit_test(larger_than_the_limit),
        cmocka_unit_test(overload_is_told),
        cmocka_unit_test(overload_is_obeyed),
        cmocka_unit_test(overload_news_are_ordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
