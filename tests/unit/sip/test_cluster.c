/* SPDX-License-Identifier: BSD-2-Clause */
/* One node of a cluster by the wire: users delivered to their contacts, relayed to the node that serves them;
 * H01 to H03. */
#include "cluster_rig.h"

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
    cluster_open(1, NULL);
    cluster_phone("ours@example.com");
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
    cluster_open(1, NULL);
    assert_true(harness_contacts(rig.h, "ours@example.com", 1, &tls));
    rig_send(ALICE, rig_request("MESSAGE", "sip:ours@example.com", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 480 No Transport To Next Hop\r\n");
    cluster_phone("ours@example.com");
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
    cluster_open(1, "user_mode = \"stateful\";");
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
    cluster_open(1, "user_mode = \"stateful\";");
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

/* H13: requests for users that failed over are delivered, and theirs reach everybody; H08: who is served by
 * nobody for a moment is told when to come again. */
static void relayed_in_one_hop(void **state)
{
    (void)state;
    cluster_open(1, NULL);
    cluster_phone("peers@example.com");
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
    cluster_open(1, NULL);
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
    cluster_phone("ours@example.com");
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
    cluster_open(1, NULL);
    cluster_phone("peers@example.com");
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

/* H05: the redirection names the node where the user is, until he is assigned to another one. */
static void registrations_H01_H02_H03_H05(void **state)
{
    (void)state;
    cluster_open(1, NULL);
    rig_send(ALICE, cluster_registration("ours", "1"));
    rig_expect(ALICE, "SIP/2.0 501 Not Implemented\r\n");
    rig_send(ALICE, cluster_registration("peers", "2")); /* H02: the pair stands in for each other */
    rig_expect(PEER, "REGISTER sip:example.com ");
    rig_has(";hg-hop=1\r\n");
    rig_send(ALICE, cluster_registration("others", "3")); /* H03 */
    rig_expect(ALICE, "SIP/2.0 302 Moved Temporarily\r\n");
    rig_has("\r\nContact: <sip:10.0.0.30:5060>\r\n");
    assert_true(harness_node(rig.h, 2, PEER, false)); /* H01: no high availability */
    rig_send(ALICE, cluster_registration("peers", "4"));
    rig_expect(ALICE, "SIP/2.0 302 Moved Temporarily\r\n");
    rig_has("\r\nContact: <sip:10.0.0.20:5060>\r\n");
    assert_int_equal(rig_count(HG_C_sip_redirected), 2);
    assert_true(harness_pair(rig.h, 2, PEER));
    assert_true(harness_serving(rig.h, 1, 2)); /* ours, failed over to the peer */
    rig_send(ALICE, cluster_registration("ours", "5"));
    rig_expect(PEER, "REGISTER sip:example.com ");
    assert_true(harness_serving(rig.h, 2, 1));
    rig_send(ALICE, cluster_registration("peers", "6"));
    rig_expect(ALICE, "SIP/2.0 501 Not Implemented\r\n");
    rig_send(ALICE, cluster_registration("ghost", "7"));
    rig_expect(ALICE, "SIP/2.0 403 Forbidden\r\n");
    assert_true(harness_serving(rig.h, 1, 1));
    assert_true(harness_user(rig.h, "others@example.com", 1));
    rig_send(ALICE, cluster_registration("others", "8"));
    rig_expect(ALICE, "SIP/2.0 501 Not Implemented\r\n");
    rig_close();
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
        cmocka_unit_test_teardown(registrations_H01_H02_H03_H05, rig_abandon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
