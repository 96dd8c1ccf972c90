/* SPDX-License-Identifier: BSD-2-Clause */
/* The transaction-stateful proxy by the wire, on a virtual clock: RFC 3261 16.6-16.10, 17; RFC 6026; RFC
 * 4320. */
#include "proxy_rig.h"

static void invite(const char *id)
{
    rig_send(ALICE, rig_request("INVITE", "sip:b@far.example.org", id, NULL));
    rig_expect(ALICE, "SIP/2.0 100 Trying\r\n");
}

static void message_and_answer(void **state)
{
    static char answer[4000];
    (void)state;
    rig_serial(1, false);
    rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", "1", NULL));
    rig_expect(BOB,
               "MESSAGE sip:b@far.example.org SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKt");
    rig_expect_nothing();
    rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", "1", NULL));
    rig_expect_nothing(); /* absorbed while it is tried */
    {
        strcpy(answer, "");
        rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", "2", NULL));
        rig_expect(BOB, "MESSAGE ");
        strcpy(answer, rig_answer("200 OK", "b", NULL));
        rig_send(BOB, answer);
        rig_expect(ALICE, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK2\r\n");
        rig_send(BOB, answer);
        rig_expect_nothing(); /* K */
        rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", "2", NULL));
        rig_expect(ALICE, "SIP/2.0 200 OK\r\n"); /* J: the same answer */
        assert_int_equal(rig_count(HG_C_sip_responses_resent), 1);
    }
    rig_nothing_left();
}

/* Timer E doubles to T2; no 408 ever (RFC 4320 4.2); a 100 once E has reached T2 (4.1). */
static void message_without_answer(void **state)
{
    static const unsigned at[] = {500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};
    unsigned now = 0;
    (void)state;
    rig_serial(1, false);
    rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", "1", NULL));
    rig_expect(BOB, "MESSAGE ");
    for (unsigned i = 0; i < 10; i++) {
        harness_advance_ms(rig.h, at[i] - now - 2);
        rig_expect_nothing();
        harness_advance_ms(rig.h, 4);
        now = at[i] + 2;
        if (at[i] == 3500) {
            bool trying = false;
            for (int k = 0; k < 2; k++) {
                assert_true(rig_next());
                trying |= strncmp(rig.text, "SIP/2.0 100 Trying", 18) == 0;
            }
            assert_true(trying);
        } else {
            rig_expect(BOB, "MESSAGE ");
        }
    }
    harness_advance_ms(rig.h, 10000);
    rig_expect_nothing();
    assert_int_equal(rig_count(HG_C_sip_timeouts), 1);
    rig_nothing_left();
}

static void invite_answered(void **state)
{
    static char ok[4000];
    (void)state;
    rig_serial(1, false);
    invite("1");
    rig_expect(BOB, "INVITE ");
    rig_send(BOB, rig_answer("100 Trying", NULL, NULL));
    rig_expect_nothing();
    rig_send(BOB, rig_answer("180 Ringing", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 180 Ringing\r\n");
    rig_send(ALICE, rig_request("INVITE", "sip:b@far.example.org", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 180 Ringing\r\n");
    strcpy(ok, rig_answer("200 OK", "b", NULL));
    rig_send(BOB, ok);
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    rig_send(BOB, ok); /* RFC 6026: the callee sends it until its ACK arrives, and each goes back */
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    rig_send(ALICE, rig_request("INVITE", "sip:b@far.example.org", "1", NULL));
    rig_expect_nothing(); /* absorbed in Accepted */
    rig_send(ALICE, rig_request("ACK", "sip:b@10.0.0.20", "2", ";tag=b"));
    rig_expect(BOB, "ACK sip:b@10.0.0.20 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKs");
    harness_advance_ms(rig.h, 33000);
    rig_send(BOB, ok);
    rig_expect_nothing(); /* after M: a stray, not forwarded */
    assert_int_equal(rig_count(HG_C_sip_late_responses), 1);
    rig_nothing_left();
}

static void invite_refused(void **state)
{
    static char busy[4000];
    (void)state;
    rig_serial(2, false);
    invite("1");
    rig_expect(BOB, "INVITE ");
    strcpy(busy, rig_answer("486 Busy Here", "b", NULL));
    rig_send(BOB, busy);
    rig_expect(BOB, "ACK sip:b@far.example.org SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKt");
    rig_has("\r\nTo: <sip:b@far.example.org>;tag=b\r\n");
    rig_has("\r\nCSeq: 1 ACK\r\n");
    rig_expect(ALICE, "SIP/2.0 486 Busy Here\r\n"); /* an answer of the callee: no fail-over */
    rig_send(BOB, busy);
    rig_expect(BOB, "ACK "); /* D */
    rig_expect_nothing();
    harness_advance_ms(rig.h, 502);
    rig_expect(ALICE, "SIP/2.0 486 Busy Here\r\n"); /* G */
    harness_advance_ms(rig.h, 1002);
    rig_expect(ALICE, "SIP/2.0 486 Busy Here\r\n");
    rig_send(ALICE, rig_request("ACK", "sip:b@far.example.org", "1", ";tag=b"));
    rig_expect_nothing();
    harness_advance_ms(rig.h, 4000);
    rig_expect_nothing(); /* Confirmed */
    rig_nothing_left();
}

/* L17: silence of the first target leads to the second. */
static void failover_after_silence(void **state)
{
    unsigned again = 0;
    (void)state;
    rig_serial(2, false);
    rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", "1", NULL));
    rig_expect(BOB, "MESSAGE ");
    harness_advance_ms(rig.h, 3990);
    while (rig_next())
        again += strcmp(rig.to, BOB) == 0;
    assert_int_equal(again, 3);
    harness_advance_ms(rig.h, 20);
    rig_expect(CAROL, "MESSAGE ");
    assert_int_equal(rig_count(HG_C_sip_failovers), 1);
    rig_send(CAROL, rig_answer("202 Accepted", "c", NULL));
    rig_expect(ALICE, "SIP/2.0 202 Accepted\r\n");
    rig_nothing_left();
}

static void failover_after_503(void **state)
{
    (void)state;
    rig_serial(2, false);
    invite("1");
    rig_expect(BOB, "INVITE ");
    rig_send(BOB, rig_answer("503 Service Unavailable", "b", "Retry-After: 5\r\n"));
    rig_expect(BOB, "ACK ");
    rig_expect(CAROL, "INVITE ");
    rig_send(CAROL, rig_answer("503 Service Unavailable", "c", NULL));
    rig_expect(CAROL, "ACK ");
    rig_expect(ALICE, "SIP/2.0 500 "); /* 16.7 step 6: a 503 stays between neighbours */
    rig_expect_nothing();
    rig_send(ALICE, rig_request("ACK", "sip:b@far.example.org", "1", ";tag=b"));
    rig_expect_nothing();
    rig_nothing_left();
}

/* A target that was given up may still ring: it is cancelled as soon as it speaks. */
static void late_ringing_is_cancelled(void **state)
{
    static char first[4000], ringing[4000];
    (void)state;
    rig_serial(2, false);
    invite("1");
    rig_expect(BOB, "INVITE ");
    strcpy(first, rig.text);
    strcpy(ringing, rig_answer("180 Ringing", "b", NULL));
    harness_advance_ms(rig.h, 4010);
    while (rig_next() && strcmp(rig.to, CAROL) != 0)
        ;
    assert_string_equal(rig.to, CAROL);
    rig_send(BOB, ringing);
    {
        bool cancelled = false;
        while (rig_next())
            cancelled |= strncmp(rig.text, "CANCEL ", 7) == 0 && strcmp(rig.to, BOB) == 0;
        assert_true(cancelled);
    }
    rig_nothing_left();
}

static void cancel_while_ringing(void **state)
{
    (void)state;
    rig_serial(1, false);
    invite("1");
    rig_expect(BOB, "INVITE ");
    rig_send(BOB, rig_answer("180 Ringing", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 180 ");
    {
        static char terminated[4000], cancelled[4000];
        strcpy(terminated, rig_answer("487 Request Terminated", "b", NULL));
        rig_send(ALICE, rig_request("CANCEL", "sip:b@far.example.org", "1", NULL));
        rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
        rig_has("\r\nCSeq: 1 CANCEL\r\n");
        rig_expect(BOB,
                   "CANCEL sip:b@far.example.org SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKt");
        strcpy(cancelled, rig_answer("200 OK", "b", NULL));
        harness_advance_ms(rig.h, 502);
        rig_expect(BOB, "CANCEL ");
        rig_send(BOB, cancelled);
        harness_advance_ms(rig.h, 2000);
        rig_expect_nothing();
        rig_send(BOB, terminated);
        rig_expect(BOB, "ACK ");
        rig_expect(ALICE, "SIP/2.0 487 Request Terminated\r\n");
    }
    rig_send(ALICE, rig_request("CANCEL", "sip:b@far.example.org", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    rig_expect_nothing();
    rig_nothing_left();
}

/* RFC 3261 9.1: no CANCEL before a provisional response. */
static void cancel_before_ringing(void **state)
{
    static char ringing[4000];
    (void)state;
    rig_serial(1, false);
    invite("1");
    rig_expect(BOB, "INVITE ");
    strcpy(ringing, rig_answer("180 Ringing", "b", NULL));
    rig_send(ALICE, rig_request("CANCEL", "sip:b@far.example.org", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    rig_expect_nothing();
    rig_send(BOB, ringing);
    {
        bool cancelled = false;
        while (rig_next())
            cancelled |= strncmp(rig.text, "CANCEL ", 7) == 0;
        assert_true(cancelled);
    }
    harness_advance_ms(rig.h, 33000); /* nothing more comes: the caller gets 487 */
    {
        bool over = false;
        while (rig_next())
            over |= strncmp(rig.text, "SIP/2.0 487 ", 12) == 0;
        assert_true(over);
    }
    rig_nothing_left();
}

static void cancel_of_nothing(void **state)
{
    (void)state;
    rig_serial(1, false);
    rig_send(ALICE, rig_request("CANCEL", "sip:b@far.example.org", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 481 ");
    rig_nothing_left();
}

static void invite_times_out(void **state)
{
    unsigned n = 0;
    bool timeout = false;
    (void)state;
    rig_serial(1, false);
    invite("1");
    rig_expect(BOB, "INVITE ");
    harness_advance_ms(rig.h, 31900);
    while (rig_next())
        n += strncmp(rig.text, "INVITE ", 7) == 0;
    assert_int_equal(n, 6); /* A: 0.5 1.5 3.5 7.5 15.5 31.5 s */
    harness_advance_ms(rig.h, 200);
    while (rig_next())
        timeout |= strncmp(rig.text, "SIP/2.0 408 ", 12) == 0 && strcmp(rig.to, ALICE) == 0;
    assert_true(timeout);
    rig_nothing_left();
}

static void timer_c_cancels(void **state)
{
    bool cancel = false;
    (void)state;
    rig_serial(1, false);
    invite("1");
    rig_expect(BOB, "INVITE ");
    rig_send(BOB, rig_answer("180 Ringing", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 180 ");
    harness_advance_ms(rig.h, 180900);
    rig_expect_nothing();
    harness_advance_ms(rig.h, 200);
    while (rig_next())
        cancel |= strncmp(rig.text, "CANCEL ", 7) == 0;
    assert_true(cancel);
    rig_nothing_left();
}

/* RFC 3261 16.7 step 2: only 101 to 199 begin timer C anew. */
static void another_100_leaves_timer_c(void **state)
{
    static char trying[4000];
    bool cancel = false;
    (void)state;
    rig_serial(1, false);
    invite("1");
    rig_expect(BOB, "INVITE ");
    strcpy(trying, rig_answer("100 Trying", "b", NULL));
    rig_send(BOB, trying);
    harness_advance_ms(rig.h, 100000);
    rig_send(BOB, trying);
    harness_advance_ms(rig.h, 81100);
    while (rig_next())
        cancel |= strncmp(rig.text, "CANCEL ", 7) == 0;
    assert_true(cancel);
    rig_nothing_left();
}

static void parallel_fork(void **state)
{
    static char bob[4000], carol[4000];
    (void)state;
    rig_serial(2, true);
    invite("1");
    for (int i = 0; i < 2; i++) {
        assert_true(rig_next());
        strcpy(strcmp(rig.to, BOB) == 0 ? bob : carol, rig.text);
    }
    assert_true(bob[0] && carol[0]);
    assert_non_null(strstr(bob, "Max-Breadth: 30\r\n"));
    assert_non_null(strstr(carol, "Max-Breadth: 30\r\n"));
    assert_int_equal(rig_count(HG_C_sip_forks), 1);
    /* both ring, CAROL answers, BOB is cancelled */
    rig_use_request(bob);
    rig_send(BOB, rig_answer("180 Ringing", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 180 ");
    rig_use_request(carol);
    rig_send(CAROL, rig_answer("200 OK", "c", NULL));
    rig_expect(BOB, "CANCEL ");
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    rig_use_request(bob);
    rig_send(BOB, rig_answer("487 Request Terminated", "b", NULL));
    rig_expect(BOB, "ACK ");
    rig_expect_nothing();
    rig_nothing_left();
}

static void best_response_of_a_fork(void **state)
{
    static const struct {
        const char *bob, *carol, *best;
    } cases[] = {
        {"404 Not Found", "486 Busy Here", "SIP/2.0 404 "},
        {"500 Server Error", "486 Busy Here", "SIP/2.0 486 "},
        {"486 Busy Here", "603 Decline", "SIP/2.0 603 "},
        {"404 Not Found", "302 Moved", "SIP/2.0 302 "},
        {"404 Not Found", "401 Unauthorized", "SIP/2.0 401 "},
        {"503 Unavailable", "503 Unavailable", "SIP/2.0 500 "},
    };
    static char bob[4000], carol[4000];
    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rig_serial(2, true);
        invite("1");
        for (int k = 0; k < 2; k++) {
            assert_true(rig_next());
            strcpy(strcmp(rig.to, BOB) == 0 ? bob : carol, rig.text);
        }
        rig_use_request(bob);
        rig_send(BOB, rig_answer(cases[i].bob, "b", NULL));
        rig_expect(BOB, "ACK ");
        rig_expect_nothing();
        rig_use_request(carol);
        rig_send(CAROL, rig_answer(cases[i].carol, "c", NULL));
        rig_expect(CAROL, "ACK ");
        rig_expect(ALICE, cases[i].best);
        rig_nothing_left();
    }
}

/* 16.7 step 7: the challenges of all branches go back together. */
static void challenges_are_joined(void **state)
{
    static char bob[4000], carol[4000];
    (void)state;
    rig_serial(2, true);
    rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", "1", NULL));
    for (int k = 0; k < 2; k++) {
        assert_true(rig_next());
        strcpy(strcmp(rig.to, BOB) == 0 ? bob : carol, rig.text);
    }
    rig_use_request(bob);
    rig_send(BOB, rig_answer("401 Unauthorized", "b", "WWW-Authenticate: Digest realm=\"b\"\r\n"));
    rig_expect_nothing();
    rig_use_request(carol);
    rig_send(CAROL, rig_answer("407 Proxy Auth", "c", "Proxy-Authenticate: Digest realm=\"c\"\r\n"));
    rig_expect(ALICE, "SIP/2.0 40");
    rig_has("\r\nWWW-Authenticate: Digest realm=\"b\"\r\n");
    rig_has("\r\nProxy-Authenticate: Digest realm=\"c\"\r\n");
    rig_nothing_left();
}

static void breadth_limits_a_fork(void **state)
{
    (void)state;
    rig_serial(2, true);
    rig_send(ALICE, rig_request("MESSAGE", "sip:b@far.example.org", "1", "Max-Breadth: 1\r\n"));
    assert_true(rig_next()); /* one at a time (RFC 5393 5.3.3) */
    rig_has("\r\nMax-Breadth: 1\r\n");
    rig_expect_nothing();
    rig_nothing_left();
}

/* Owner core in the branch: whatever core a message arrives on, it meets its transaction. */
static void four_cores(void **state)
{
    struct hg_static_route r;
    char id[16], from[32];
    (void)state;
    rig_open(4, NULL);
    r = rig_route("r", "far.example.org", true, "10.0.0.20", 1, true, false);
    rig_routes(&r, 1);
    for (int i = 0; i < 40; i++) {
        static char ok[4000];
        snprintf(id, sizeof(id), "m%d", i);
        snprintf(from, sizeof(from), "10.0.0.2:%d", 7000 + i);
        rig_send(from, rig_request("INVITE", "sip:b@far.example.org", id, NULL));
        rig_expect(ALICE, "SIP/2.0 100 ");
        rig_expect(BOB, "INVITE ");
        snprintf(from, sizeof(from), "10.0.0.20:%d", 8000 + i);
        rig_send(from, rig_answer("180 Ringing", "b", NULL));
        rig_expect(ALICE, "SIP/2.0 180 ");
        strcpy(ok, rig_answer("487 Gone", "b", NULL));
        snprintf(from, sizeof(from), "10.0.0.2:%d", 9000 + i);
        rig_send(from, rig_request("CANCEL", "sip:b@far.example.org", id, NULL));
        rig_expect(ALICE, "SIP/2.0 200 ");
        rig_expect(BOB, "CANCEL ");
        rig_send(BOB, ok);
        rig_expect(BOB, "ACK ");
        rig_expect(ALICE, "SIP/2.0 487 ");
        snprintf(from, sizeof(from), "10.0.0.2:%d", 6000 + i);
        rig_send(from, rig_request("ACK", "sip:b@far.example.org", id, ";tag=b"));
        rig_expect_nothing();
    }
    assert_true(rig_count(HG_C_sip_handed_over) > 20);
    rig_nothing_left();
}

/* Where nobody holds state the ACK goes out from the core that it came to: the next request cannot overtake
 * it. */
static void ack_of_a_dialog_is_not_handed_over(void **state)
{
    char id[16], from[32];
    (void)state;
    rig_open(4, NULL);
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof(id), "a%d", i);
        snprintf(from, sizeof(from), "10.0.0.2:%d", 7000 + i);
        rig_send(from, rig_request("ACK", "sip:b@10.0.0.20", id, ";tag=b"));
        rig_expect(BOB, "ACK ");
    }
    assert_int_equal(rig_count(HG_C_sip_handed_over), 0);
    rig_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_and_answer),
        cmocka_unit_test(message_without_answer),
        cmocka_unit_test(invite_answered),
        cmocka_unit_test(invite_refused),
        cmocka_unit_test(failover_after_silence),
        cmocka_unit_test(failover_after_503),
        cmocka_unit_test(late_ringing_is_cancelled),
        cmocka_unit_test(cancel_while_ringing),
        cmocka_unit_test(cancel_before_ringing),
        cmocka_unit_test(cancel_of_nothing),
        cmocka_unit_test(invite_times_out),
        cmocka_unit_test(timer_c_cancels),
        cmocka_unit_test(another_100_leaves_timer_c),
        cmocka_unit_test(parallel_fork),
        cmocka_unit_test(best_response_of_a_fork),
        cmocka_unit_test(challenges_are_joined),
        cmocka_unit_test(breadth_limits_a_fork),
        cmocka_unit_test(four_cores),
        cmocka_unit_test(ack_of_a_dialog_is_not_handed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
