/* SPDX-License-Identifier: BSD-2-Clause */
/* One node of a cluster by the wire: users delivered to their contacts, relayed to the node that serves them,
 * and nothing of it after the lease; H01 to H03. */
#include "proxy_rig.h"

#include <rte_cycles.h>

#include "core/core.h"
#include "route/route.h"

#define PEER  BOB   /* node 2, the other one of our pair */
#define OTHER CAROL /* node 3, of another subcluster */
#define PHONE "10.0.0.40:5062"
#define DESK  "10.0.0.41:5060"

static _Atomic uint64_t serve_until;

static void open_cluster(const char *extra)
{
    rig_open(1, extra);
    assert_true(harness_node(rig.h, 1, US, true));
    assert_true(harness_pair(rig.h, 2, PEER));
    assert_true(harness_node(rig.h, 3, OTHER, false));
    assert_true(harness_user(rig.h, "ours@example.com", 1));
    assert_true(harness_user(rig.h, "peers@example.com", 2));
    assert_true(harness_user(rig.h, "others@example.com", 3));
    serve_until = UINT64_MAX;
    harness_lease(rig.h, &serve_until);
}

static void phone(const char *user)
{
    static const struct harness_contact c = {PHONE, "sip:line1@10.0.0.40:5062;ob", 1000};
    assert_true(harness_contacts(rig.h, user, 1, &c));
}

static const char *from_node(const char *text, const char *hop)
{
    static char out[4000];
    const char *at = strstr(text, ";branch=");
    assert_non_null(at);
    snprintf(out, sizeof(out), "%.*s;hg-hop=%s%s", (int)(at - text), text, hop, at);
    return out;
}

/* ---- delivery ---- */

static void served_means_delivered(void **state)
{
    (void)state;
    open_cluster(NULL);
    phone("ours@example.com");
    rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", "1", NULL));
    rig_expect(PHONE,
               "MESSAGE sip:line1@10.0.0.40:5062;ob SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=");
    rig_has("\r\nTo: <sip:ours@example.com>\r\n");
    rig_has_not("hg-hop");
    rig_send(PHONE, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1\r\n");
    assert_int_equal(rig_count(HG_C_sip_delivered), 1);
    assert_true(harness_contacts(rig.h, "ours@example.com", 0, NULL));
    rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", "2", NULL));
    rig_expect(ALICE, "SIP/2.0 480 Temporarily Unavailable\r\n");
    rig_close();
}

static void contacts_without_a_transport(void **state)
{
    static const struct harness_contact tls = {PHONE "/tls", "sips:line1@10.0.0.40", 1000};
    (void)state;
    open_cluster(NULL);
    assert_true(harness_contacts(rig.h, "ours@example.com", 1, &tls));
    rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 480 No Transport To Next Hop\r\n");
    phone("ours@example.com");
    rig_send(ALICE, rig_request("MESSAGE", "sips:ours@example.com", "2", NULL));
    rig_expect(ALICE, "SIP/2.0 480 No Transport To Next Hop\r\n");
    rig_close();
}

static const struct harness_contact three[] = {
    {PHONE, "sip:a@10.0.0.40:5062", 900}, {DESK, "sip:b@10.0.0.41", 900}, {DAVE, "sip:c@10.0.0.40", 100}};

/* RFC 3261 16.6: those of one q at once, then the next q. */
static void forks_by_q(void **state)
{
    (void)state;
    open_cluster("user_mode = \"stateful\";");
    assert_true(harness_contacts(rig.h, "ours@example.com", 3, three));
    rig_send(ALICE, rig_request("INVITE", "sip:ours@example.com", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 100 ");
    rig_expect(PHONE, "INVITE sip:a@10.0.0.40:5062 ");
    rig_send(PHONE, rig_answer("503 Busy", "a", NULL));
    rig_expect(DESK, "INVITE sip:b@10.0.0.41 ");
    rig_send(DESK, rig_answer("503 Busy", "b", NULL));
    rig_expect(PHONE, "ACK ");
    rig_expect(DESK, "ACK ");
    rig_expect(DAVE, "INVITE sip:c@10.0.0.40 ");
    rig_send(DAVE, rig_answer("200 OK", "c", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK");
    assert_int_equal(rig_count(HG_C_sip_delivered), 3);
    assert_int_equal(rig_count(HG_C_sip_forks), 1);
    rig_nothing_left();
}

static void a_contact_that_has_gone_is_not_tried(void **state)
{
    (void)state;
    open_cluster("user_mode = \"stateful\";");
    assert_true(harness_contacts(rig.h, "ours@example.com", 3, three));
    rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", "1", NULL));
    rig_expect(PHONE, "MESSAGE sip:a@10.0.0.40:5062 ");
    rig_send(PHONE, rig_answer("503 Busy", "a", NULL));
    rig_expect(DESK, "MESSAGE sip:b@10.0.0.41 ");
    assert_true(harness_contacts(rig.h, "ours@example.com", 2, three));
    rig_send(DESK, rig_answer("503 Busy", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 500 ");
    rig_expect_nothing();
    rig_nothing_left();
}

/* ---- other nodes ---- */

static void relayed_in_one_hop(void **state)
{
    (void)state;
    open_cluster(NULL);
    phone("peers@example.com");
    rig_send(ALICE, rig_request("MESSAGE", "sip:peers@example.com", "1", NULL));
    rig_expect(PEER, "MESSAGE sip:peers@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=");
    rig_has(";hg-hop=1\r\n");
    rig_send(PEER, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    assert_int_equal(rig_count(HG_C_sip_relayed), 1);
    assert_true(harness_serving(rig.h, 2, 1)); /* a failover: the whole home at once */
    rig_send(ALICE, rig_request("MESSAGE", "sip:peers@example.com", "2", NULL));
    rig_expect(PHONE, "MESSAGE sip:line1@10.0.0.40:5062;ob ");
    assert_true(harness_serving(rig.h, 1, 2));
    rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", "3", NULL));
    rig_expect(PEER, "MESSAGE sip:ours@example.com ");
    assert_true(harness_serving(rig.h, 3, 0));
    rig_send(ALICE, rig_request("MESSAGE", "sip:others@example.com", "4", NULL));
    rig_expect(ALICE, "SIP/2.0 503 Not Served\r\n");
    rig_has("\r\nRetry-After: ");
    assert_int_equal(rig_count(HG_C_sip_unserved), 1);
    rig_close();
}

static void two_hops_and_no_more(void **state)
{
    (void)state;
    open_cluster(NULL);
    rig_send(PEER, from_node(rig_request("MESSAGE", "sip:others@example.com", "1", NULL), "1"));
    rig_expect(OTHER, "MESSAGE sip:others@example.com ");
    rig_has(";hg-hop=2\r\n");
    rig_send(PEER, from_node(rig_request("MESSAGE", "sip:others@example.com", "2", NULL), "2"));
    rig_expect("10.0.0.20:5060", "SIP/2.0 503 Moving\r\n");
    rig_has("\r\nRetry-After: ");
    assert_int_equal(rig_count(HG_C_sip_relay_loops), 1);
    /* what a stranger writes into his Via counts nothing */
    rig_send(ALICE, from_node(rig_request("MESSAGE", "sip:others@example.com", "3", NULL), "2"));
    rig_expect(OTHER, "MESSAGE sip:others@example.com ");
    rig_has(";hg-hop=1\r\n");
    /* after the second hop the user may still be ours */
    phone("ours@example.com");
    rig_send(PEER, from_node(rig_request("MESSAGE", "sip:ours@example.com", "4", NULL), "2"));
    rig_expect(PHONE, "MESSAGE ");
    rig_close();
}

/* We sent it to the peer, which has meanwhile heard that the user is ours again: no loop in the sense of RFC
 * 5393. */
static void sent_back_during_a_move(void **state)
{
    static char back[4000];
    (void)state;
    open_cluster(NULL);
    phone("peers@example.com");
    rig_send(ALICE, rig_request("MESSAGE", "sip:peers@example.com", "1", NULL));
    rig_expect(PEER, "MESSAGE sip:peers@example.com ");
    const char *via = strstr(rig.text, "Via:");
    snprintf(back, sizeof(back), "%.*sVia: SIP/2.0/UDP 10.0.0.20:5060;branch=z9hG4bKpeer;hg-hop=2\r\n%s",
             (int)(via - rig.text), rig.text, via);
    rig_send(PEER, back); /* we have not heard of it */
    rig_expect(PEER, "SIP/2.0 503 Moving\r\n");
    assert_true(harness_serving(rig.h, 2, 1));
    rig_send(PEER, back);
    rig_expect(PHONE, "MESSAGE sip:line1@10.0.0.40:5062;ob ");
    assert_int_equal(rig_count(HG_C_sip_loops), 0);
    rig_close();
}

static const char *registration(const char *user, const char *id)
{
    static char out[2000];
    snprintf(out, sizeof(out),
             "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK%s\r\n"
             "Max-Forwards: 70\r\nFrom: <sip:%s@example.com>;tag=1\r\nTo: <sip:%s@example.com>\r\n"
             "Call-ID: %s\r\nCSeq: 1 REGISTER\r\nContact: <sip:x@10.0.0.2>\r\nContent-Length: 0\r\n\r\n",
             id, user, user, id);
    return out;
}

static void registrations_H01_H02_H03(void **state)
{
    (void)state;
    open_cluster(NULL);
    rig_send(ALICE, registration("ours", "1"));
    rig_expect(ALICE, "SIP/2.0 501 Not Implemented\r\n");
    rig_send(ALICE, registration("peers", "2")); /* H02: the pair stands in for each other */
    rig_expect(PEER, "REGISTER sip:example.com ");
    rig_has(";hg-hop=1\r\n");
    rig_send(ALICE, registration("others", "3")); /* H03 */
    rig_expect(ALICE, "SIP/2.0 302 Moved Temporarily\r\n");
    rig_has("\r\nContact: <sip:10.0.0.30:5060>\r\n");
    assert_true(harness_node(rig.h, 2, PEER, false)); /* H01: no high availability */
    rig_send(ALICE, registration("peers", "4"));
    rig_expect(ALICE, "SIP/2.0 302 Moved Temporarily\r\n");
    rig_has("\r\nContact: <sip:10.0.0.20:5060>\r\n");
    assert_int_equal(rig_count(HG_C_sip_redirected), 2);
    assert_true(harness_pair(rig.h, 2, PEER));
    assert_true(harness_serving(rig.h, 1, 2)); /* ours, failed over to the peer */
    rig_send(ALICE, registration("ours", "5"));
    rig_expect(PEER, "REGISTER sip:example.com ");
    assert_true(harness_serving(rig.h, 2, 1));
    rig_send(ALICE, registration("peers", "6"));
    rig_expect(ALICE, "SIP/2.0 501 Not Implemented\r\n");
    rig_send(ALICE, registration("ghost", "7"));
    rig_expect(ALICE, "SIP/2.0 403 Forbidden\r\n");
    rig_close();
}

/* ---- the lease ---- */

static void after_the_lease(void **state)
{
    static char waiting[4000];
    struct hg_static_route r;
    (void)state;
    open_cluster(NULL);
    phone("ours@example.com");
    r = rig_route("far", "far.example.org", true, "10.0.0.30", 1, false, false);
    rig_routes(&r, 1);
    rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", "1", NULL));
    rig_expect(PHONE, "MESSAGE ");
    strcpy(waiting, rig_answer("200 OK", "b", NULL));
    serve_until = 0;
    rig_send(PHONE, waiting); /* the answer to what was done for the user stays here, too */
    rig_expect_nothing();
    assert_int_equal(rig_count(HG_C_lease_over), 1);
    rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", "2", NULL));
    rig_expect(ALICE, "SIP/2.0 503 Not Serving\r\n");
    rig_has("\r\nRetry-After: ");
    assert_int_equal(rig_count(HG_C_sip_lease_over), 1);
    rig_send(ALICE, registration("ours", "3"));
    rig_expect(ALICE, "SIP/2.0 503 Not Serving\r\n");
    /* transit and static routes are never fenced */
    rig_send(ALICE, rig_request("MESSAGE", "sip:others@example.com", "4", NULL));
    rig_expect(OTHER, "MESSAGE ");
    rig_send(OTHER, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@far.example.org", "5", NULL));
    rig_expect(CAROL, "MESSAGE ");
    serve_until = rte_rdtsc() + 1000000000000ull;
    rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", "6", NULL));
    rig_expect(PHONE, "MESSAGE ");
    rig_close();
}

/* The turn began within the lease, and transmits after it: a process that was stopped in between. */
static void stopped_between_deciding_and_sending(void **state)
{
    const struct ctx *ctx;
    (void)state;
    open_cluster("user_mode = \"stateful\";");
    phone("ours@example.com");
    ctx = &harness_core(rig.h, 0)->ctx;
    serve_until = ctx->tsc + 1; /* the virtual clock stands still, the TSC does not */
    assert_true(serve_until <= rte_rdtsc());
    rig_send(ALICE, rig_request("INVITE", "sip:ours@example.com", "1", NULL));
    assert_int_equal(rig_count(HG_C_sip_delivered), 1);
    rig_expect_nothing(); /* neither the copy nor the 100 */
    assert_int_equal(rig_count(HG_C_lease_over), 2);
    harness_advance_ms(rig.h, 5000); /* retransmissions neither */
    rig_expect_nothing();
    assert_true(rig_count(HG_C_lease_over) > 4);
    serve_until = UINT64_MAX;
    harness_advance_ms(rig.h, 5000);
    rig_expect(PHONE, "INVITE ");
    rig_nothing_left();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(served_means_delivered, rig_abandon),
        cmocka_unit_test_teardown(contacts_without_a_transport, rig_abandon),
        cmocka_unit_test_teardown(forks_by_q, rig_abandon),
        cmocka_unit_test_teardown(a_contact_that_has_gone_is_not_tried, rig_abandon),
        cmocka_unit_test_teardown(relayed_in_one_hop, rig_abandon),
        cmocka_unit_test_teardown(two_hops_and_no_more, rig_abandon),
        cmocka_unit_test_teardown(sent_back_during_a_move, rig_abandon),
        cmocka_unit_test_teardown(registrations_H01_H02_H03, rig_abandon),
        cmocka_unit_test_teardown(after_the_lease, rig_abandon),
        cmocka_unit_test_teardown(stopped_between_deciding_and_sending, rig_abandon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
