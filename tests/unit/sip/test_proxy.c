/* SPDX-License-Identifier: BSD-2-Clause */
/* The stateless proxy by the wire: RFC 3261 16.3-16.6, 16.11, 18; RFC 3581, 5393, 3327; K11, M15, M19, AA26.
 */
#include "proxy_rig.h"

#define USER_NODE 2

static void open_plain(void)
{
    rig_open(1, NULL);
    assert_true(harness_node(rig.h, 1, US, true));
    assert_true(harness_node(rig.h, USER_NODE, BOB, false));
    assert_true(harness_user(rig.h, "bob@example.com", USER_NODE));
    assert_true(harness_user(rig.h, "home@example.com", 1));
}

static void message_to_user_is_forwarded(void **state)
{
    (void)state;
    open_plain();
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "1", NULL));
    rig_expect(BOB, "MESSAGE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKs");
    rig_has("\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1\r\n");
    rig_has("\r\nMax-Forwards: 69\r\nMax-Breadth: 60\r\n");
    rig_has("\r\n\r\nbody");
    rig_expect_nothing();
    rig_send(BOB, rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1\r\nFrom:");
    rig_expect_nothing();
    assert_int_equal(rig_count(HG_C_sip_forwarded), 2);
    rig_close();
}

static void retransmission_gets_the_same_branch(void **state)
{
    static char first[4000];
    (void)state;
    open_plain();
    for (int i = 0; i < 3; i++) {
        rig_send(ALICE, rig_request("INVITE", "sip:bob@example.com", "7", NULL));
        rig_expect(BOB, "INVITE ");
        if (i == 0)
            strcpy(first, rig.text);
        assert_string_equal(first, rig.text);
    }
    /* 16.11: CANCEL and the ACK of a failure too */
    rig_send(ALICE, rig_request("CANCEL", "sip:bob@example.com", "7", NULL));
    rig_expect(BOB, "CANCEL ");
    assert_memory_equal(strstr(first, "branch="), strstr(rig.text, "branch="), 59);
    rig_send(ALICE, rig_request("ACK", "sip:bob@example.com", "7", ";tag=xyz"));
    rig_expect(BOB, "ACK ");
    assert_memory_equal(strstr(first, "branch="), strstr(rig.text, "branch="), 59);
    rig_close();
}

static void rport_and_received(void **state)
{
    (void)state;
    open_plain();
    rig_send("10.0.0.9:6000", "MESSAGE sip:bob@example.com SIP/2.0\r\n"
                              "Via: SIP/2.0/UDP client.example.net;rport;branch=z9hG4bKa;received=1.1.1.1\r\n"
                              "From: <sip:a@b>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: r\r\n"
                              "CSeq: 1 MESSAGE\r\n\r\n");
    rig_expect(BOB, "MESSAGE ");
    rig_has("Via: SIP/2.0/UDP client.example.net;rport=6000;branch=z9hG4bKa;received=10.0.0.9\r\n");
    rig_has("\r\nMax-Forwards: 70\r\n");
    rig_send(BOB, rig_answer("404 Not Found", "b", NULL));
    rig_expect("10.0.0.9:6000", "SIP/2.0 404 Not Found\r\nVia: SIP/2.0/UDP client.example.net;rport=6000;");
    rig_close();
}

static void answers_go_to_sent_by_port_without_rport(void **state)
{
    (void)state;
    open_plain();
    rig_send("10.0.0.2:9999", rig_request("MESSAGE", "sip:nobody@example.com", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 404 Not Found\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1\r\n");
    rig_close();
}

static void unknown_user_is_refused_M15(void **state)
{
    (void)state;
    open_plain();
    rig_send(ALICE, rig_request("SUBSCRIBE", "sip:ghost@example.com", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 404 Not Found\r\n");
    rig_has("\r\nTo: <sip:ghost@example.com>;tag=");
    rig_has("\r\nCSeq: 1 SUBSCRIBE\r\n");
    rig_has("\r\nContent-Length: 0\r\n\r\n");
    rig_send(ALICE, rig_request("MESSAGE", "sip:home@example.com", "2", NULL));
    rig_expect(ALICE, "SIP/2.0 480 Temporarily Unavailable\r\n");
    rig_send(ALICE, rig_request("REGISTER", "sip:example.com", "3", NULL));
    rig_expect(ALICE, "SIP/2.0 405 Method Not Allowed\r\n");
    rig_has("\r\nAllow: ");
    rig_close();
}

static void ack_of_our_answer_is_absorbed(void **state)
{
    char tag[64], *p;
    (void)state;
    open_plain();
    rig_send(ALICE, rig_request("INVITE", "sip:ghost@example.com", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 404 Not Found\r\n");
    p = strstr(rig.text, "example.com>;tag=") + 12;
    snprintf(tag, sizeof(tag), "%.21s", p);
    p = strstr(rig.text, "To: ");
    snprintf(tag, sizeof(tag), "%.21s", strstr(p, ";tag="));
    rig_send(ALICE, rig_request("ACK", "sip:ghost@example.com", "1", tag));
    rig_expect_nothing();
    assert_int_equal(rig_count(HG_C_sip_absorbed), 1);
    rig_send(ALICE, rig_request("ACK", "sip:ghost@example.com", "1", ";tag=x"));
    rig_expect_nothing();
    assert_int_equal(rig_count(HG_DROP_sip_stray_ack), 1);
    rig_close();
}

static void max_forwards_M19(void **state)
{
    (void)state;
    open_plain();
    rig_send(ALICE, rig_request("OPTIONS", "sip:bob@example.com", "1", "Max-Forwards: 0\r\n"));
    rig_expect(ALICE, "SIP/2.0 483 Too Many Hops\r\n");
    rig_send(ALICE, rig_request("OPTIONS", "sip:10.0.0.1", "2", "Max-Forwards: 0\r\n"));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    rig_send(ALICE, rig_request("OPTIONS", "sip:ping@10.0.0.1:5060", "3", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    /* us, but by way of somebody else: it would travel */
    rig_send(ALICE,
             rig_request("OPTIONS", "sip:10.0.0.1", "5", "Max-Forwards: 0\r\nRoute: <sip:10.0.0.3;lr>\r\n"));
    rig_expect(ALICE, "SIP/2.0 483 Too Many Hops\r\n");
    rig_send(ALICE, rig_request("ACK", "sip:bob@example.com", "4", "Max-Forwards: 0\r\n"));
    rig_expect_nothing();
    assert_int_equal(rig_count(HG_DROP_sip_ack_unroutable), 1);
    rig_close();
}

static void proxy_require_is_refused(void **state)
{
    (void)state;
    open_plain();
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "1", "Proxy-Require: foo, bar\r\n"));
    rig_expect(ALICE, "SIP/2.0 420 Bad Extension\r\n");
    rig_has("\r\nUnsupported: foo, bar\r\n");
    rig_close();
}

static void loop_is_detected_and_spiral_is_not(void **state)
{
    static char out[4000];
    char *p;
    (void)state;
    open_plain();
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "1", NULL));
    rig_expect(BOB, "MESSAGE ");
    strcpy(out, rig.text);
    rig_send(BOB, out); /* unchanged: a loop */
    rig_expect(BOB, "SIP/2.0 482 Loop Detected\r\n");
    assert_int_equal(rig_count(HG_C_sip_loops), 1);
    p = strstr(out, "sip:bob@");
    memcpy(p, "sip:hom", 7); /* another target: a spiral (16.3 step 4) */
    rig_send(BOB, out);
    rig_expect(BOB, "SIP/2.0 404 ");
    rig_close();
}

static void max_breadth_AA05(void **state)
{
    (void)state;
    open_plain();
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "1", "Max-Breadth: 200\r\n"));
    rig_expect(BOB, "MESSAGE ");
    rig_has("\r\nMax-Breadth: 60\r\n");
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "2", "Max-Breadth: 7\r\n"));
    rig_expect(BOB, "MESSAGE ");
    rig_has("\r\nMax-Breadth: 7\r\n");
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "3", "Max-Breadth: 0\r\n"));
    rig_expect(ALICE, "SIP/2.0 440 Max-Breadth Exceeded\r\n");
    rig_close();
}

static void nobody_relays_K11(void **state)
{
    (void)state;
    open_plain();
    rig_send("192.0.2.7:5060", rig_request("MESSAGE", "sip:bob@example.com", "1", NULL));
    rig_expect_nothing();
    assert_int_equal(rig_count(HG_DROP_acl_denied), 1);
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@192.0.2.9", "2", NULL));
    rig_expect(ALICE, "SIP/2.0 403 ");
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@255.255.255.255", "3", NULL));
    rig_expect(ALICE, "SIP/2.0 403 ");
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@foreign.example.org", "4", NULL));
    rig_expect(ALICE, "SIP/2.0 404 ");
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "5", "Route: <sip:192.0.2.9;lr>\r\n"));
    rig_expect(ALICE, "SIP/2.0 403 ");
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@10.0.0.30", "6", NULL));
    rig_expect(CAROL, "MESSAGE ");
    rig_close();
}

static void loose_route(void **state)
{
    (void)state;
    open_plain();
    rig_send(ALICE,
             rig_request("MESSAGE", "sip:bob@example.com", "1",
                         "Route: <sip:10.0.0.1;lr>,<sip:10.0.0.30;lr>\r\nRoute: <sip:10.0.0.40;lr>\r\n"));
    rig_expect(CAROL, "MESSAGE sip:bob@example.com SIP/2.0");
    rig_has("\r\nRoute: <sip:10.0.0.30;lr>\r\nRoute: <sip:10.0.0.40;lr>\r\n");
    rig_has_not("10.0.0.1;lr");
    /* only ours: it goes by the Request-URI, without a Route */
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "2", "Route: <sip:10.0.0.1:5060;lr>\r\n"));
    rig_expect(BOB, "MESSAGE ");
    rig_has_not("Route:");
    rig_close();
}

static void strict_routers_before_and_behind(void **state)
{
    (void)state;
    open_plain();
    /* 16.4: our own Record-Route value is the Request-URI */
    rig_send(ALICE, rig_request("BYE", "sip:10.0.0.1:5060;lr", "1", "Route: <sip:bob@10.0.0.30>\r\n"));
    rig_expect(CAROL, "BYE sip:bob@10.0.0.30 SIP/2.0\r\n");
    rig_has_not("\r\nRoute:");
    /* 16.6 step 6: the next one does not know lr */
    rig_send(ALICE, rig_request("BYE", "sip:bob@far.example.net", "2",
                                "Route: <sip:10.0.0.40>,<sip:10.0.0.50;lr>\r\n"));
    rig_expect(DAVE, "BYE sip:10.0.0.40 SIP/2.0\r\n");
    rig_has("\r\nRoute: <sip:10.0.0.50;lr>\r\n");
    rig_has("\r\nRoute: <sip:bob@far.example.net>\r\n");
    rig_close();
}

static void maddr_of_ours_is_stripped(void **state)
{
    (void)state;
    open_plain();
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com;maddr=10.0.0.1;x=1", "1", NULL));
    rig_expect(BOB, "MESSAGE sip:bob@example.com;x=1 SIP/2.0\r\n");
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.org;maddr=10.0.0.30", "2", NULL));
    rig_expect(CAROL, "MESSAGE sip:bob@example.org;maddr=10.0.0.30 SIP/2.0\r\n");
    rig_close();
}

static void record_route_and_path_AA08(void **state)
{
    (void)state;
    rig_open(1, "record_route = true;");
    assert_true(harness_node(rig.h, 2, BOB, false));
    assert_true(harness_user(rig.h, "bob@example.com", 2));
    rig_send(ALICE, rig_request("INVITE", "sip:bob@example.com", "1", "Record-Route: <sip:10.0.0.9;lr>\r\n"));
    rig_expect(BOB, "INVITE ");
    rig_has("\r\nRecord-Route: <sip:10.0.0.1:5060;lr>\r\n");
    assert_true(strstr(rig.text, "10.0.0.1:5060;lr") < strstr(rig.text, "10.0.0.9;lr"));
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "2", NULL));
    rig_expect(BOB, "MESSAGE ");
    rig_has_not("Record-Route");
    rig_send(ALICE, rig_request("REGISTER", "sip:bob@example.com", "3", "Supported: gruu, path\r\n"));
    rig_expect(BOB, "REGISTER ");
    rig_has("\r\nPath: <sip:10.0.0.1:5060;lr>\r\n");
    rig_close();
}

/* RFC 3261 10.3 step 5, RFC 4475 3.3.4: only a SIP URI is an address of record of ours. */
static void registers_sip_users_only(void **state)
{
    (void)state;
    open_plain();
    rig_send(ALICE, "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKa\r\n"
                    "To: isbn:2983792873\r\nFrom: <http://www.example.com>;tag=3\r\n"
                    "Call-ID: unksm2\r\nCSeq: 234902 REGISTER\r\nMax-Forwards: 70\r\n\r\n");
    rig_expect(ALICE, "SIP/2.0 400 Bad Request: To\r\n");
    rig_close();
}

static void responses_that_are_not_ours(void **state)
{
    (void)state;
    open_plain();
    rig_send(ALICE,
             "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.77:5060;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
             "To: <sip:c@d>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\n\r\n");
    assert_int_equal(rig_count(HG_DROP_sip_response_not_ours), 1);
    rig_send(ALICE,
             "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n"
             "To: <sip:c@d>;tag=2\r\nCSeq: 1 MESSAGE\r\n\r\n");
    assert_int_equal(rig_count(HG_DROP_sip_bad_response), 1);
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "1", NULL));
    rig_expect(BOB, "MESSAGE ");
    {
        static char forged[4000];
        char *p;
        strcpy(forged, rig_answer("200 OK", "b", NULL));
        p = strstr(forged, "branch=") + 7 + 50;
        *p = *p == '0' ? '1' : '0';
        rig_send(BOB, forged);
        assert_int_equal(rig_count(HG_DROP_sip_branch_forged), 1);
        /* another boot: forwarded by its Via, inside the access lists only */
        p = strstr(forged, "branch=") + 7 + 10;
        memcpy(p, "00000000", 8);
        rig_send(BOB, forged);
        rig_expect(ALICE, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;");
        p = strstr(forged, "10.0.0.2:5060;");
        memcpy(p, "10.9.9.2:5060;", 14);
        rig_send(BOB, forged);
        rig_expect_nothing();
        assert_int_equal(rig_count(HG_DROP_sip_response_unroutable), 1);
    }
    rig_close();
}

static void vias_on_one_line(void **state)
{
    (void)state;
    open_plain();
    rig_send(ALICE,
             "MESSAGE sip:bob@example.com SIP/2.0\r\n"
             "v: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKa;rport , SIP/2.0/UDP 10.0.0.3;branch=z9hG4bKb\r\n"
             "f: <sip:a@b>;tag=1\r\nt: <sip:bob@example.com>\r\ni: r\r\nCSeq: 1 MESSAGE\r\nl: 0\r\n\r\n");
    rig_expect(BOB, "MESSAGE ");
    rig_has(
        "\r\nv: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKa;rport=5060;received=10.0.0.2 , SIP/2.0/UDP 10.0.0.3;");
    {
        /* the callee joins all Vias on one line */
        static char r[4000];
        char *v = strstr(rig.text, "Via: "), *e = strstr(v, "\r\n");
        snprintf(
            r, sizeof(r),
            "SIP/2.0 200 OK\r\nVia: %.*s,%.*s\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:bob@example.com>;tag=2\r\n"
            "Call-ID: r\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
            (int)(e - v - 5), v + 5, (int)strcspn(strstr(rig.text, "\r\nv: ") + 5, "\r"),
            strstr(rig.text, "\r\nv: ") + 5);
        rig_send(BOB, r);
        rig_expect(ALICE, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKa;");
    }
    rig_close();
}

static void ipv6_AA26(void **state)
{
    (void)state;
    open_plain();
    assert_true(harness_node(rig.h, 3, "[fd00::20]:5080", false));
    assert_true(harness_user(rig.h, "six@example.com", 3));
    rig_send("[fd00::2]:5062", "MESSAGE sip:six@example.com SIP/2.0\r\n"
                               "Via: SIP/2.0/UDP [fd00::2]:5062;branch=z9hG4bKa;rport\r\n"
                               "From: <sip:a@[fd00::2]>;tag=1\r\nTo: <sip:six@example.com>\r\nCall-ID: r\r\n"
                               "CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n");
    rig_expect("[fd00::20]:5080",
               "MESSAGE sip:six@example.com SIP/2.0\r\nVia: SIP/2.0/UDP [fd00::1]:5060;branch=");
    rig_has("Via: SIP/2.0/UDP [fd00::2]:5062;branch=z9hG4bKa;rport=5062;received=fd00::2\r\n");
    rig_send("[fd00::20]:5080", rig_answer("200 OK", "b", NULL));
    rig_expect("[fd00::2]:5062", "SIP/2.0 200 OK\r\n");
    /* from IPv4 to IPv6 and back */
    rig_send(ALICE, rig_request("MESSAGE", "sip:six@example.com", "2", NULL));
    rig_expect("[fd00::20]:5080", "MESSAGE ");
    rig_send("[fd00::20]:5080", rig_answer("200 OK", "b", NULL));
    rig_expect(ALICE, "SIP/2.0 200 OK\r\n");
    rig_close();
}

static void keepalives(void **state)
{
    static const unsigned char stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1,  2,
                                           3, 4, 5, 6, 7,    8,    9,    10,   11, 12};
    static const unsigned char reply[32] = {1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42, 1,    2,   3,
                                            4, 5, 6, 7,  8,    9,    10,   11,   12,   0,   0x20,
                                            0, 8, 0, 1,  0x32, 0xd6, 0x2b, 0x12, 0xa4, 0x40};
    unsigned char bad[24] = {0, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42, 1,    2,    3, 4,
                             5, 6, 7, 8, 9,    10,   11,   12,   0x7f, 0xff, 0, 0};
    (void)state;
    open_plain();
    rig_send(ALICE, "\r\n\r\n");
    rig_expect(ALICE, "\r\n");
    assert_int_equal(rig.packet.payload.len, 2);
    rig_send(ALICE, "\r\n");
    rig_expect_nothing();
    rig_send_bytes("10.0.0.2:5060", stun, sizeof(stun));
    assert_true(rig_next());
    assert_int_equal(rig.packet.payload.len, 32);
    assert_int_equal(((unsigned char)rig.text[26] << 8 | (unsigned char)rig.text[27]) ^ 0x2112, 5060);
    assert_memory_equal(rig.text, reply, 26);
    assert_memory_equal(rig.text + 28, reply + 28, 4);
    rig_send_bytes(ALICE, bad, sizeof(bad));
    assert_true(rig_next());
    assert_int_equal((unsigned char)rig.text[1], 0x11);
    rig_send_bytes(ALICE, stun, 19);
    rig_expect_nothing();
    assert_int_equal(rig_count(HG_DROP_sip_unparseable), 1);
    rig_close();
}

static void token_bucket_per_source(void **state)
{
    unsigned got = 0;
    (void)state;
    rig_open(1, "source_rate = 10; source_burst = 5;");
    for (int i = 0; i < 20; i++)
        rig_send(ALICE, rig_request("OPTIONS", "sip:10.0.0.1", "1", NULL));
    while (rig_next())
        got++;
    assert_int_equal(got, 5);
    assert_int_equal(rig_count(HG_DROP_source_rate), 15);
    rig_send("10.0.0.3:5060", rig_request("OPTIONS", "sip:10.0.0.1", "1", NULL));
    assert_true(rig_next()); /* others are not touched */
    harness_advance_ms(rig.h, 1000);
    for (int i = 0; i < 20; i++)
        rig_send(ALICE, rig_request("OPTIONS", "sip:10.0.0.1", "1", NULL));
    for (got = 0; rig_next();)
        got++;
    assert_int_equal(got, 5);
    rig_close();
}

static void static_route_beats_user_L01(void **state)
{
    struct hg_static_route r[2];
    (void)state;
    open_plain();
    r[0] = rig_route("bob", "bob", false, "10.0.0.30", 1, false, false);
    r[1] = rig_route("far", "far.example.org", true, "10.0.0.40", 1, false, false);
    rig_routes(r, 2);
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "1", NULL));
    rig_expect(CAROL, "MESSAGE sip:bob@example.com ");
    rig_send(ALICE, rig_request("MESSAGE", "sip:x@FAR.example.org", "2", NULL));
    rig_expect(DAVE, "MESSAGE sip:x@FAR.example.org ");
    rig_close();
}

static void verdicts_of_routes(void **state)
{
    struct hg_static_route r[3];
    (void)state;
    open_plain();
    r[0] = rig_route("blocked", "10", false, "10.0.0.30", 1, false, false);
    r[0].block = true;
    r[1] = rig_route("off", "11", false, "10.0.0.30", 1, false, false);
    r[1].in_service = false;
    r[2] = rig_route("tls", "12", false, "10.0.0.30", 1, false, false);
    r[2].proto = HG_TLS;
    rig_routes(r, 3);
    rig_send(ALICE, rig_request("MESSAGE", "sip:10@example.com", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 403 Blocked\r\n");
    rig_send(ALICE, rig_request("MESSAGE", "sip:11@example.com", "2", NULL));
    rig_expect(ALICE, "SIP/2.0 480 Route Out Of Service\r\n");
    rig_send(ALICE, rig_request("MESSAGE", "sip:12@example.com", "3", NULL));
    rig_expect(ALICE, "SIP/2.0 480 No Transport To Next Hop\r\n");
    rig_close();
}

static void drain_refuses_what_is_new(void **state)
{
    (void)state;
    open_plain();
    sip_drain(harness_core(rig.h, 0)->sip, true, 100);
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "1", NULL));
    rig_expect(ALICE, "SIP/2.0 503 Draining\r\n");
    rig_has("\r\nRetry-After: 1");
    rig_send(ALICE, rig_request("BYE", "sip:bob@example.com", "1", ";tag=x"));
    rig_expect(BOB, "BYE ");
    sip_drain(harness_core(rig.h, 0)->sip, false, 0);
    rig_send(ALICE, rig_request("MESSAGE", "sip:bob@example.com", "1", NULL));
    rig_expect(BOB, "MESSAGE ");
    rig_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_to_user_is_forwarded),
        cmocka_unit_test(retransmission_gets_the_same_branch),
        cmocka_unit_test(rport_and_received),
        cmocka_unit_test(answers_go_to_sent_by_port_without_rport),
        cmocka_unit_test(unknown_user_is_refused_M15),
        cmocka_unit_test(ack_of_our_answer_is_absorbed),
        cmocka_unit_test(max_forwards_M19),
        cmocka_unit_test(proxy_require_is_refused),
        cmocka_unit_test(loop_is_detected_and_spiral_is_not),
        cmocka_unit_test(max_breadth_AA05),
        cmocka_unit_test(nobody_relays_K11),
        cmocka_unit_test(loose_route),
        cmocka_unit_test(strict_routers_before_and_behind),
        cmocka_unit_test(maddr_of_ours_is_stripped),
        cmocka_unit_test(record_route_and_path_AA08),
        cmocka_unit_test(registers_sip_users_only),
        cmocka_unit_test(responses_that_are_not_ours),
        cmocka_unit_test(vias_on_one_line),
        cmocka_unit_test(ipv6_AA26),
        cmocka_unit_test(keepalives),
        cmocka_unit_test(token_bucket_per_source),
        cmocka_unit_test(static_route_beats_user_L01),
        cmocka_unit_test(verdicts_of_routes),
        cmocka_unit_test(drain_refuses_what_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
