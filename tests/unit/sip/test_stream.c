/* SPDX-License-Identifier: BSD-2-Clause */
/* SIP on streams: RFC 3261 7.5, 16.11, 17, 18; RFC 5626 keepalives; each way between UDP and TCP, on one core
 * and across cores. */
#include "stream_rig.h"

#define FAR "10.0.0.20:5060" /* where far.example.org goes by TCP */

static const char *by_tcp(const char *request)
{
    static char text[70000];
    snprintf(text, sizeof(text), "%s", request);
    char *via = strstr(text, "SIP/2.0/UDP 10.0.0.2");
    assert_non_null(via);
    memcpy(via, "SIP/2.0/TCP", 11);
    return text;
}

static const char *request(const char *method, const char *id)
{
    return by_tcp(rig_request(method, "sip:x@far.example.org", id, NULL));
}

/* far.example.org by that protocol. */
static void routes(uint8_t proto, bool stateful)
{
    struct hg_static_route r[2] = {rig_route("a", "far.example.org", true, "10.0.0.20", 1, stateful, false),
                                   rig_route("b", "two.example.org", true, "10.0.0.20", 1, stateful, false)};
    r[0].proto = r[1].proto = proto;
    rig_routes(r, 2);
}

static void udp_routes(unsigned cores, bool stateful)
{
    pipes_open(cores, NULL);
    routes(HG_UDP, stateful);
}

static void tcp_routes(unsigned cores, bool stateful)
{
    pipes_open(cores, NULL);
    routes(HG_TCP, stateful);
}

/* ---- in ---- */

static void tcp_to_udp_and_back(void **state)
{
    (void)state;
    udp_routes(1, false);
    struct pipe *p = pipe_from("10.0.0.2:40001", 0), *other = pipe_from("10.0.0.2:40002", 0);
    pipe_say(p, request("MESSAGE", "1"));
    rig_expect(FAR,
               "MESSAGE sip:x@far.example.org SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKs");
    rig_has(";hg-flow=");
    rig_has("\r\nVia: SIP/2.0/TCP 10.0.0.2:5060;branch=z9hG4bK1\r\n");
    rig_send(FAR, rig_answer("200 OK", "b", NULL));
    pipe_expect(p, "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 10.0.0.2:5060;branch=z9hG4bK1\r\n");
    rig_has_not("hg-flow");
    pipe_expect_nothing(p);
    pipe_expect_nothing(other);
    assert_false(pipe_any_wanted());
    assert_int_equal(pipe_unread(p), 0);
    rig_close();
}

static void answers_of_our_own_stay_on_the_stream(void **state)
{
    (void)state;
    udp_routes(1, false);
    struct pipe *p = pipe_from("10.0.0.2:40001", 0);
    pipe_say(p, by_tcp(rig_request("MESSAGE", "sip:nobody@example.com", "1", NULL)));
    pipe_expect(p, "SIP/2.0 404 Not Found\r\n");
    pipe_say(p, by_tcp(rig_request("OPTIONS", "sip:10.0.0.1", "2", NULL)));
    pipe_expect(p, "SIP/2.0 200 OK\r\n");
    rig_expect_nothing();
    rig_close();
}

static void many_at_once_and_in_any_pieces(void **state)
{
    (void)state;
    static char all[200000];
    for (uint32_t piece = 0; piece < 400; piece += piece < 8 ? 1 : 61) {
        udp_routes(1, false);
        struct pipe *p = pipe_from("10.0.0.2:40001", 0);
        uint32_t len = 0;
        for (unsigned i = 0; i < 100; i++) {
            char id[8];
            snprintf(id, sizeof(id), "%u", i);
            len += (uint32_t)sprintf(all + len, "%s%s", i % 7 == 3 ? "\r\n" : "", request("MESSAGE", id));
        }
        pipe_pieces(p, piece);
        pipe_say_bytes(p, all, len);
        for (unsigned i = 0; i < 100; i++) {
            char call[32];
            rig_expect(FAR, "MESSAGE ");
            snprintf(call, sizeof(call), "\r\nCall-ID: %u@10.0.0.2\r\n", i);
            rig_has(call);
        }
        rig_expect_nothing();
        assert_int_equal(pipe_unread(p), 0);
        rig_close();
    }
}

static void a_byte_at_a_time(void **state)
{
    (void)state;
    udp_routes(1, false);
    struct pipe *p = pipe_from("10.0.0.2:40001", 0);
    const char *text = request("MESSAGE", "1");
    char copy[4000];
    strcpy(copy, text);
    pipe_pieces(p, 1);
    for (unsigned i = 0; copy[i]; i++) {
        rig_expect_nothing();
        pipe_say_bytes(p, copy + i, 1);
    }
    rig_expect(FAR, "MESSAGE ");
    rig_has("\r\n\r\nbody");
    rig_close();
}

static void pings_are_answered(void **state)
{
    (void)state;
    udp_routes(1, false);
    struct pipe *p = pipe_from("10.0.0.2:40001", 0);
    pipe_say(p, "\r\n");
    pipe_expect_nothing(p);
    pipe_say(p, "\r\n");
    pipe_expect_bytes(p, "\r\n");
    pipe_say(p, "\r\n\r\n");
    pipe_expect_bytes(p, "\r\n");
    pipe_say(p, "\r\n");
    pipe_say(p, request("MESSAGE", "1")); /* 7.5: one may stand before a message */
    rig_expect(FAR, "MESSAGE ");
    pipe_expect_nothing(p);
    assert_int_equal(rig_count(HG_C_sip_keepalives), 2);
    rig_close();
}

static void without_a_length_it_ends(void **state)
{
    (void)state;
    udp_routes(1, false);
    struct pipe *p = pipe_from("10.0.0.2:40001", 0);
    pipe_say(p, "OPTIONS sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.2:5060;branch=z9hG4bK1\r\n"
                "From: <sip:a@b>;tag=1\r\nTo: <sip:10.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\nbody");
    pipe_expect(p, "SIP/2.0 400 Bad Request: Content-Length\r\n");
    assert_true(pipe_closed(p));
    assert_int_equal(rig_count(HG_C_sip_stream_broken), 1);
    p = pipe_from("10.0.0.2:40002", 0);
    pipe_say(p, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    pipe_expect_nothing(p);
    assert_true(pipe_closed(p));
    rig_close();
}

static void what_is_bad_and_has_an_end_is_answered(void **state)
{
    (void)state;
    udp_routes(1, false);
    struct pipe *p = pipe_from("10.0.0.2:40001", 0);
    char text[4000];
    strcpy(text, request("MESSAGE", "1"));
    char *cseq = strstr(text, "CSeq: 1");
    cseq[6] = 'x';
    pipe_say(p, text);
    pipe_expect(p, "SIP/2.0 400 Bad Request");
    pipe_say(p, request("MESSAGE", "2"));
    rig_expect(FAR, "MESSAGE ");
    assert_false(pipe_closed(p));
    rig_close();
}

static void too_long_is_said_and_ends(void **state)
{
    (void)state;
    pipes_open(1, "message_max = 2000; source_rate = 10000000; source_burst = 10000000;");
    routes(HG_UDP, false);
    struct pipe *p = pipe_from("10.0.0.2:40001", 0);
    char text[4000];
    strcpy(text, request("MESSAGE", "1"));
    strcpy(strstr(text, "Content-Length: 4"), "Content-Length: 4000\r\n\r\n");
    pipe_say(p, text);
    pipe_expect(p, "SIP/2.0 513 Message Too Large\r\n");
    assert_true(pipe_closed(p));
    p = pipe_from("10.0.0.2:40002", 0);
    pipe_say(p, "MESSAGE sip:a@b SIP/2.0\r\nX: ");
    for (unsigned i = 0; i < 30; i++)
        pipe_say(p, "0123456789012345678901234567890123456789012345678901234567890123456789");
    assert_true(pipe_closed(p));
    rig_close();
}

static void strangers_are_shown_out(void **state)
{
    (void)state;
    udp_routes(1, false);
    struct pipe *p = pipe_from("192.0.2.7:40001", 0);
    assert_true(pipe_aborted(p));
    assert_int_equal(rig_count(HG_C_sip_flows_denied), 1);
    rig_close();
}

/* ---- out ---- */

static void udp_to_tcp_and_back(void **state)
{
    (void)state;
    tcp_routes(1, false);
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "1", NULL));
    struct pipe *p = pipe_wanted(FAR);
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@two.example.org", "2", NULL));
    pipe_accept(p);
    pipe_expect(p, "MESSAGE sip:x@far.example.org SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.1:5060;branch=z9hG4bKt");
    const char *answer = rig_answer("200 OK", "b", NULL);
    pipe_say(p, answer);
    rig_expect(ALICE, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1\r\n");
    pipe_expect(p, "MESSAGE sip:x@two.example.org"); /* what had to wait */
    pipe_say(p, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK");
    /* it is open: nothing has to be remembered any more */
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "3", NULL));
    assert_false(pipe_any_wanted());
    pipe_expect(p, "MESSAGE sip:x@far.example.org SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.1:5060;branch=z9hG4bKs");
    pipe_say(p, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK");
    rig_expect_nothing();
    assert_int_equal(rig_count(HG_C_sip_flows_opened), 1);
    rig_nothing_left();
}

static void nothing_is_repeated_over_tcp(void **state)
{
    (void)state;
    tcp_routes(1, true);
    rig_send(ALICE, rig_request("INVITE", "sip:x@far.example.org", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 100");
    struct pipe *p = pipe_wanted(FAR);
    pipe_accept(p);
    pipe_expect(p, "INVITE ");
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "2", NULL));
    char invite[4000];
    strcpy(invite, rig.text);
    pipe_expect(p, "MESSAGE ");
    harness_advance_ms(rig.h, 3000); /* RFC 3261 17.1.1.2, 17.1.2.2: no timer A, no E */
    pipe_expect_nothing(p);
    assert_int_equal(rig_count(HG_C_sip_retransmissions_sent), 0);
    pipe_say(p, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK");
    rig_use_request(invite);
    pipe_say(p, rig_answer("486 Busy Here", "b", NULL));
    pipe_expect(p, "ACK "); /* 17.1.1.3: on the same connection */
    rig_expect(ALICE, "SIP/2.0 486");
    rig_nothing_left();
}

static void a_failure_to_a_client_by_tcp_is_said_once(void **state)
{
    (void)state;
    udp_routes(1, true);
    struct pipe *p = pipe_from("10.0.0.2:40001", 0);
    pipe_say(p, request("INVITE", "1"));
    pipe_expect(p, "SIP/2.0 100");
    rig_expect(FAR, "INVITE ");
    rig_send(FAR, rig_answer("486 Busy Here", "b", NULL));
    rig_expect(FAR, "ACK ");
    pipe_expect(p, "SIP/2.0 486");
    harness_advance_ms(rig.h, 5000); /* 17.2.1: no timer G */
    pipe_expect_nothing(p);
    rig_nothing_left();
}

static void refused_connections_fail_over(void **state)
{
    (void)state;
    pipes_open(1, NULL);
    struct hg_static_route r[2] = {rig_route("a", "far.example.org", true, "10.0.0.20", 1, false, false),
                                   rig_route("b", "far.example.org", true, "10.0.0.30", 2, false, false)};
    r[0].proto = HG_TCP;
    rig_routes(r, 2);
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "1", NULL));
    pipe_refuse(pipe_wanted(FAR));
    rig_expect(CAROL, "MESSAGE ");
    rig_send(CAROL, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200");
    assert_int_equal(rig_count(HG_C_sip_flows_failed), 1);
    /* not tried again at once, and then with more patience */
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "2", NULL));
    assert_false(pipe_any_wanted());
    rig_expect(CAROL, "MESSAGE ");
    rig_nothing_left();
}

static void nobody_waits_for_ever(void **state)
{
    (void)state;
    pipes_open(1, "connect_timeout = 1000; stream_queue = 2; source_rate = 1000000; source_burst = 1000000;");
    routes(HG_TCP, true);
    for (unsigned i = 0; i < 3; i++) {
        char id[2] = {(char)('1' + i), 0};
        rig_send(ALICE, rig_request("INVITE", "sip:x@far.example.org", id, NULL));
        rig_expect(ALICE, "SIP/2.0 100");
        if (i == 2) {
            rig_expect(ALICE, "SIP/2.0 503");
            rig_has("\r\nCall-ID: 3@");
        }
    }
    assert_int_equal(rig_count(HG_C_sip_stream_queue_full), 1);
    struct pipe *p = pipe_wanted(FAR);
    harness_advance_ms(rig.h, 990);
    assert_false(pipe_aborted(p));
    rig_expect(ALICE, "SIP/2.0 503"); /* of the third, again: timer G towards a client by UDP */
    harness_advance_ms(rig.h, 20);
    assert_true(pipe_aborted(p));
    assert_int_equal(rig_count(HG_C_sip_connect_timeouts), 1);
    assert_int_equal(rig_count(HG_C_sip_stream_unsent), 2);
    unsigned failed = 0;
    while (rig_next())
        failed += strncmp(rig.text, "SIP/2.0 500", 11) == 0;
    assert_int_equal(failed, 2); /* 16.7 step 6: a 503 of the next hop is a 500 of ours */
    rig_nothing_left();
}

static void who_does_not_read_costs_nothing(void **state)
{
    (void)state;
    tcp_routes(1, true);
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "1", NULL));
    struct pipe *p = pipe_wanted(FAR);
    pipe_accept(p);
    pipe_expect(p, "MESSAGE ");
    pipe_say(p, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200");
    pipe_room(p, 100);
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "2", NULL));
    pipe_expect_nothing(p); /* never half a message */
    rig_expect(ALICE, "SIP/2.0 503");
    assert_int_equal(rig_count(HG_C_sip_stream_full), 1);
    rig_nothing_left();
}

static void without_state_neither(void **state)
{
    (void)state;
    tcp_routes(1, false);
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "1", NULL));
    struct pipe *p = pipe_wanted(FAR);
    pipe_accept(p);
    pipe_expect(p, "MESSAGE ");
    pipe_say(p, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200");
    pipe_room(p, 100);
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "2", NULL));
    pipe_expect_nothing(p);
    rig_expect(ALICE, "SIP/2.0 503 Service Unavailable\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK2\r\n"
                      "From: <sip:alice@example.com>;tag=f2\r\n");
    rig_nothing_left();
}

static void connections_may_stay_for_ever(void **state)
{
    (void)state;
    pipes_open(1, "stream_idle = 0; connect_timeout = 1000; source_rate = 1000000; source_burst = 1000000;");
    routes(HG_TCP, true);
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "1", NULL));
    struct pipe *p = pipe_wanted(FAR);
    pipe_accept(p);
    pipe_expect(p, "MESSAGE ");
    pipe_say(p, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200");
    harness_advance_ms(rig.h, 100000);
    assert_false(pipe_closed(p));
    rig_nothing_left();
}

static void a_lost_connection_is_opened_again(void **state)
{
    (void)state;
    tcp_routes(1, true);
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "1", NULL));
    struct pipe *p = pipe_wanted(FAR);
    pipe_accept(p);
    pipe_expect(p, "MESSAGE ");
    pipe_say(p, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200");
    pipe_reset(p);
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "2", NULL));
    p = pipe_wanted(FAR);
    pipe_accept(p);
    pipe_expect(p, "MESSAGE ");
    rig_nothing_left();
}

/* What follows an ACK does not overtake it, although the connection is still to be opened. */
static void the_order_of_a_dialog_is_kept(void **state)
{
    (void)state;
    tcp_routes(3, false);
    for (unsigned i = 0; i < 10; i++) {
        char id[16];
        snprintf(id, sizeof(id), "%u", i);
        rig_send(ALICE, rig_request("ACK", "sip:x@far.example.org", id, ";tag=callee"));
        rig_send(ALICE, rig_request("INFO", "sip:x@far.example.org", id, ";tag=callee"));
    }
    struct pipe *p = pipe_wanted(FAR);
    pipe_accept(p);
    assert_false(pipe_any_wanted());
    for (unsigned i = 0; i < 10; i++) {
        pipe_expect(p, "ACK ");
        pipe_expect(p, "INFO ");
    }
    rig_nothing_left();
}

static void who_waited_without_state_is_told(void **state)
{
    (void)state;
    tcp_routes(1, false);
    struct pipe *from = pipe_from("10.0.0.2:40001", 0);
    rig_send(ALICE, rig_request("INFO", "sip:x@far.example.org", "1", ";tag=callee"));
    pipe_say(from, by_tcp(rig_request("INFO", "sip:x@far.example.org", "2", ";tag=callee")));
    pipe_refuse(pipe_wanted(FAR));
    rig_expect(ALICE,
               "SIP/2.0 503 Service Unavailable\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1\r\n");
    rig_has("\r\nRetry-After: ");
    pipe_expect(from,
                "SIP/2.0 503 Service Unavailable\r\nVia: SIP/2.0/TCP 10.0.0.2:5060;branch=z9hG4bK2\r\n");
    rig_expect_nothing();
    rig_nothing_left();
}

static void a_next_hop_that_closes_is_asked_anew(void **state)
{
    (void)state;
    tcp_routes(1, true);
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "1", NULL));
    struct pipe *p = pipe_wanted(FAR);
    pipe_accept(p);
    pipe_expect(p, "MESSAGE ");
    pipe_say(p, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200");
    pipe_end(p);
    assert_true(pipe_closed(p));
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "2", NULL));
    pipe_accept(pipe_wanted(FAR));
    rig_nothing_left();
}

static void answers_find_a_new_way_when_theirs_is_gone(void **state)
{
    (void)state;
    udp_routes(1, true);
    struct pipe *p = pipe_from("10.0.0.2:40001", 0);
    pipe_say(p, request("MESSAGE", "1"));
    rig_expect(FAR, "MESSAGE ");
    pipe_reset(p);
    rig_send(FAR, rig_answer("200 OK", "b", NULL));
    p = pipe_wanted("10.0.0.2:5060"); /* 18.2.2: the sent-by port */
    pipe_accept(p);
    pipe_expect(p, "SIP/2.0 200 OK");
    rig_nothing_left();
}

static void forged_flows_are_nobodys(void **state)
{
    (void)state;
    udp_routes(1, false);
    struct pipe *p = pipe_from("10.0.0.2:40001", 0), *victim = pipe_from("10.0.0.2:40002", 0);
    pipe_say(p, request("MESSAGE", "1"));
    rig_expect(FAR, "MESSAGE ");
    char answer[4000];
    strcpy(answer, rig_answer("200 OK", "b", NULL));
    char *flow = strstr(answer, ";hg-flow=");
    assert_non_null(flow);
    flow[9 + 15] = flow[9 + 15] == '0' ? '1' : '0';
    rig_send(FAR, answer);
    pipe_expect_nothing(victim);
    pipe_expect_nothing(p);
    pipe_wanted("10.0.0.2:5060"); /* as if it were gone */
    rig_nothing_left();
}

static void silent_connections_are_closed(void **state)
{
    (void)state;
    pipes_open(1, "stream_idle = 10; source_rate = 1000000; source_burst = 1000000;");
    routes(HG_UDP, false);
    struct pipe *p = pipe_from("10.0.0.2:40001", 0);
    harness_advance_ms(rig.h, 9000);
    pipe_say(p, "\r\n\r\n");
    pipe_expect_bytes(p, "\r\n");
    harness_advance_ms(rig.h, 9500);
    assert_false(pipe_closed(p));
    harness_advance_ms(rig.h, 600);
    assert_true(pipe_closed(p));
    assert_int_equal(rig_count(HG_C_sip_flows_idle), 1);
    rig_close();
}

static void who_has_closed_still_gets_the_answer(void **state)
{
    (void)state;
    udp_routes(1, true);
    struct pipe *p = pipe_from("10.0.0.2:40001", 0);
    pipe_say(p, request("MESSAGE", "1"));
    rig_expect(FAR, "MESSAGE ");
    pipe_end(p);
    assert_false(pipe_closed(p));
    rig_send(FAR, rig_answer("200 OK", "b", NULL));
    pipe_expect(p, "SIP/2.0 200 OK");
    harness_advance_ms(rig.h, 33000);
    assert_true(pipe_closed(p));
    rig_nothing_left();
}

/* ---- more cores than one ---- */

static void transactions_of_other_cores(void **state)
{
    (void)state;
    udp_routes(3, true);
    struct pipe *p[3];
    for (unsigned c = 0; c < 3; c++) {
        char from[32];
        snprintf(from, sizeof(from), "10.0.0.2:4000%u", c);
        p[c] = pipe_from(from, c);
    }
    for (unsigned i = 0; i < 30; i++) {
        char id[16], call[40];
        snprintf(id, sizeof(id), "%u", i);
        snprintf(call, sizeof(call), "\r\nCall-ID: %u@10.0.0.2\r\n", i);
        pipe_say(p[i % 3], request("INVITE", id));
        pipe_expect(p[i % 3], "SIP/2.0 100");
        rig_expect(FAR, "INVITE ");
        rig_send(FAR, rig_answer("180 Ringing", "b", NULL));
        pipe_expect(p[i % 3], "SIP/2.0 180");
        rig_has(call);
        rig_send(FAR, rig_answer("200 OK", "b", NULL));
        pipe_expect(p[i % 3], "SIP/2.0 200");
        rig_has(call);
    }
    assert_true(rig_count(HG_C_sip_handed_over) > 5);
    rig_nothing_left();
}

static void each_core_has_its_own_connection(void **state)
{
    (void)state;
    tcp_routes(2, true);
    unsigned wanted = 0;
    for (unsigned i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof(id), "%u", i);
        rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", id, NULL));
        while (pipe_any_wanted()) {
            pipe_accept(pipe_wanted(FAR));
            wanted++;
        }
    }
    assert_int_equal(wanted, 2);
    rig_nothing_left();
}

static void large_requests_go_by_tcp(void **state)
{
    (void)state;
    pipes_open(1, NULL);
    char uri[] = "sip:x@10.0.0.20", headers[2000] = "Subject: ";
    memset(headers + 9, 's', 1080);
    strcpy(headers + 1089, "\r\n");
    rig_send(ALICE, rig_request("MESSAGE", uri, "1", headers)); /* RFC 3261 18.1.1 */
    struct pipe *p = pipe_wanted(FAR);
    pipe_accept(p);
    pipe_expect(p, "MESSAGE ");
    rig_has("Via: SIP/2.0/TCP 10.0.0.1");
    pipe_say(p, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200");
    pipe_reset(p);
    rig_send(ALICE, rig_request("MESSAGE", uri, "2", headers));
    pipe_refuse(pipe_wanted(FAR));
    rig_expect(FAR, "MESSAGE "); /* nobody listens: by UDP all the same */
    rig_has("Via: SIP/2.0/UDP 10.0.0.1");
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@10.0.0.20;transport=udp", "3", headers));
    rig_expect(FAR, "MESSAGE ");
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@10.0.0.30;transport=tcp", "4", NULL));
    pipe_wanted(CAROL);
    rig_nothing_left();
}

static void dialogs_stay_on_their_transports(void **state)
{
    (void)state;
    pipes_open(1, "record_route = true; source_rate = 1000000; source_burst = 1000000;");
    routes(HG_TCP, true);
    rig_send(ALICE, rig_request("INVITE", "sip:x@far.example.org", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 100");
    struct pipe *p = pipe_wanted(FAR);
    pipe_accept(p);
    pipe_expect(p, "INVITE ");
    /* RFC 5658: what either side can reach, the nearer one first */
    rig_has("Record-Route: <sip:10.0.0.1:5060;transport=tcp;lr>\r\nRecord-Route: <sip:10.0.0.1:5060;lr>\r\n");
    rig_nothing_left();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, rig_abandon)
    const struct CMUnitTest tests[] = {
        TEST(tcp_to_udp_and_back),
        TEST(answers_of_our_own_stay_on_the_stream),
        TEST(many_at_once_and_in_any_pieces),
        TEST(a_byte_at_a_time),
        TEST(pings_are_answered),
        TEST(without_a_length_it_ends),
        TEST(what_is_bad_and_has_an_end_is_answered),
        TEST(too_long_is_said_and_ends),
        TEST(strangers_are_shown_out),
        TEST(udp_to_tcp_and_back),
        TEST(nothing_is_repeated_over_tcp),
        TEST(a_failure_to_a_client_by_tcp_is_said_once),
        TEST(refused_connections_fail_over),
        TEST(nobody_waits_for_ever),
        TEST(who_does_not_read_costs_nothing),
        TEST(without_state_neither),
        TEST(connections_may_stay_for_ever),
        TEST(a_lost_connection_is_opened_again),
        TEST(the_order_of_a_dialog_is_kept),
        TEST(who_waited_without_state_is_told),
        TEST(a_next_hop_that_closes_is_asked_anew),
        TEST(answers_find_a_new_way_when_theirs_is_gone),
        TEST(forged_flows_are_nobodys),
        TEST(silent_connections_are_closed),
        TEST(who_has_closed_still_gets_the_answer),
        TEST(transactions_of_other_cores),
        TEST(each_core_has_its_own_connection),
        TEST(large_requests_go_by_tcp),
        TEST(dialogs_stay_on_their_transports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
