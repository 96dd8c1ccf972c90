/* SPDX-License-Identifier: BSD-2-Clause */
/* AA01, AA04, AA26: Via, name-addr, CSeq, and walking over the elements of a header. */
#include "parse_rig.h"

static struct sip_via v;
static struct sip_addr a;

static struct slice guarded(const char *text)
{
    return slice_of(rig_guarded(text, strlen(text)), (uint32_t)strlen(text));
}

static enum sip_result via(const char *text)
{
    char roomy[2048] = {0};
    struct sip_via other;
    memcpy(roomy, text, strlen(text));
    enum sip_result r = sip_via_decode(slice_of(roomy, (uint32_t)strlen(text)), &other);
    assert_int_equal(sip_via_decode(guarded(text), &v), r);
    assert_true(r != SIP_DONE || (slice_eq(v.host, other.host) && slice_eq(v.branch, other.branch) &&
                                  slice_eq(v.params, other.params)));
    return r;
}

static enum sip_result addr(const char *text)
{
    char roomy[2048] = {0};
    struct sip_addr other;
    memcpy(roomy, text, strlen(text));
    enum sip_result r = sip_addr_decode(slice_of(roomy, (uint32_t)strlen(text)), &other);
    assert_int_equal(sip_addr_decode(guarded(text), &a), r);
    assert_true(r != SIP_DONE || (slice_eq(a.display, other.display) && slice_eq(a.tag, other.tag) &&
                                  slice_eq(a.params, other.params)));
    return r;
}

static void via_parts(void **state)
{
    (void)state;
    assert_int_equal(
        via("SIP/2.0/UDP "
            "192.0.2.1:5070;branch=z9hG4bK1;rport;received=192.0.2.9;ttl=16;maddr=224.0.1.75;x=\"a;b\""),
        SIP_DONE);
    RIG_SLICE_IS(v.transport, "UDP");
    RIG_SLICE_IS(v.host, "192.0.2.1");
    RIG_SLICE_IS(v.branch, "z9hG4bK1");
    RIG_SLICE_IS(v.received, "192.0.2.9");
    RIG_SLICE_IS(v.maddr, "224.0.1.75");
    RIG_SLICE_IS(v.ttl, "16");
    assert_int_equal(v.port, 5070);
    assert_int_equal(v.host_kind, SIP_HOST_IP4);
    assert_true(v.has_rport && v.rport.len == 0);
    assert_int_equal(via(" SIP / 2.0\r\n / TLS\t[2001:db8::1] : 5061 ; Branch = z9 ; RPORT = 77 "), SIP_DONE);
    RIG_SLICE_IS(v.whole, "SIP / 2.0\r\n / TLS\t[2001:db8::1] : 5061 ; Branch = z9 ; RPORT = 77");
    RIG_SLICE_IS(v.host, "2001:db8::1");
    RIG_SLICE_IS(v.branch, "z9");
    RIG_SLICE_IS(v.rport, "77");
    assert_int_equal(v.port, 5061);
}

static void via_received_of_ipv6(void **state)
{
    (void)state;
    static const char *const with[] = {"2001:db8::9", "[2001:db8::9]", "::1", "[::1]", "::ffff:1.2.3.4"};
    for (unsigned i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "SIP/2.0/UDP a;received=%s;branch=b", with[i]);
        assert_int_equal(via(text), SIP_DONE);
        RIG_SLICE_IS(v.received, with[i]);
        RIG_SLICE_IS(v.branch, "b");
        snprintf(text, sizeof(text), "SIP/2.0/UDP a;branch=b;received = %s", with[i]);
        assert_int_equal(via(text), SIP_DONE);
        RIG_SLICE_IS(v.received, with[i]);
    }
}

static void via_bad(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0 UDP a",
        "SIP/2.0/ a",
        "/2.0/UDP a",
        "SIP/2.0/UDPa",
        "SIP/2.0/UDP ;branch=x",
        "SIP/2.0/UDP a:",
        "SIP/2.0/UDP a:0",
        "SIP/2.0/UDP a:99999",
        "SIP/2.0/UDP a b",
        "SIP/2.0/UDP 192.0.2.15;;,;,,",
        "SIP/2.0/UDP a;",
        "SIP/2.0/UDP a;branch",
        "SIP/2.0/UDP a;branch=",
        "SIP/2.0/UDP a;branch=\"x\"",
        "SIP/2.0/UDP a;branch=x;branch=y",
        "SIP/2.0/UDP a;ttl=256",
        "SIP/2.0/UDP a;ttl=0001",
        "SIP/2.0/UDP a;received=host.example",
        "SIP/2.0/UDP a;received",
        "SIP/2.0/UDP a;received=2001:db8:::9",
        "SIP/2.0/UDP a;received=[::1",
        "SIP/2.0/UDP a;rport=x",
        "SIP/2.0/UDP a;rport=65536",
        "SIP/2.0/UDP a;rport;rport",
        "SIP/2.0/UDP a;maddr=",
        "SIP/2.0/UDP a;x=\"open",
        "SIP/2.0/UDP a;x=a b",
        "SIP/2.0/UDP a;(x)",
        "SIP/2.0/UDP 2001:db8::1",
        "SIP/2.0/UDP [2001:db8:::1]",
        "SIP/2.0/UDP a;b:c",
    };
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (via(texts[i]) != SIP_BAD)
            fail_msg("accepted: %s", texts[i]);
}

static void addr_parts(void **state)
{
    (void)state;
    assert_int_equal(addr("\"A \\\" <B>, ;\" <sip:a;x@h;lr?y=z>;tag=t1;p=\"q;,\";flag"), SIP_DONE);
    RIG_SLICE_IS(a.display, "\"A \\\" <B>, ;\"");
    RIG_SLICE_IS(a.uri.whole, "sip:a;x@h;lr?y=z");
    RIG_SLICE_IS(a.uri.user, "a;x");
    RIG_SLICE_IS(a.params, "tag=t1;p=\"q;,\";flag");
    RIG_SLICE_IS(a.tag, "t1");
    assert_true(a.angle);
    assert_int_equal(addr("n1 n-2\r\n n3<sip:h> ;\r\n TAG = x"), SIP_DONE);
    RIG_SLICE_IS(a.display, "n1 n-2\r\n n3");
    RIG_SLICE_IS(a.tag, "x");
    /* RFC 3261 20.10: without <> what follows ';' belongs to the header */
    assert_int_equal(addr("sip:u@h.example;unknownparam;tag=y"), SIP_DONE);
    RIG_SLICE_IS(a.uri.whole, "sip:u@h.example");
    assert_int_equal(a.uri.params.len, 0);
    RIG_SLICE_IS(a.tag, "y");
    assert_false(a.angle);
    assert_int_equal(addr("*"), SIP_DONE);
    assert_true(a.star);
    assert_int_equal(addr("<tel:+1;ext=2>;tag=z"), SIP_DONE);
    RIG_SLICE_IS(a.tag, "z");
    assert_int_equal(addr("http://h/x;tag=1"), SIP_DONE);
    assert_int_equal(addr("<sip:h>;useraddr=[2409:8805::1];+sip.instance=\"<urn:x>\""), SIP_DONE);
    assert_int_equal(addr("\"\xd0\xb4\" <sip:h>"), SIP_DONE);
}

static void addr_bad(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "<",
        "<>",
        "<sip:h",
        "sip:h>",
        "<sip:h>>",
        "<sip:h> x",
        "<sip:h>;",
        "<sip:h>;;",
        "<sip:h>;tag",
        "<sip:h>;tag=",
        "<sip:h>;tag=\"x\"",
        "<sip:h>;tag=a;tag=b",
        "<sip:h>;p=",
        "<sip:h>;p=\"open",
        "\"open <sip:h>",
        "\"x\" sip:h",
        "\"x\"",
        "a b sip:h",
        "Bell, Alexander <sip:a@h>",
        "\"W\" < sip:h >",
        "<sip:h >",
        "sip:h?x=y",
        "sip:u?x@h",
        "sip:a,b@h",
        "sip:a@h,",
        "(c) <sip:h>",
        "**",
        "* ;x",
        "\"\x01\" <sip:h>",
        "\"\xc3\\\xa4\" <sip:h>",
        "h",
        "<h>",
        "a <b <sip:h>>",
        "\"\\",
    };
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (addr(texts[i]) != SIP_BAD)
            fail_msg("accepted: %s", texts[i]);
}

static void cseq_and_numbers(void **state)
{
    (void)state;
    struct sip_cseq c;
    uint32_t n;
    assert_int_equal(sip_cseq_decode(guarded("0009\r\n  INVITE"), &c), SIP_DONE);
    assert_int_equal(c.number, 9);
    assert_int_equal(c.method, SIP_M_INVITE);
    assert_int_equal(sip_cseq_decode(guarded("4294967295 invite"), &c), SIP_DONE);
    assert_int_equal(c.method, SIP_M_OTHER); /* methods are case-sensitive */
    RIG_SLICE_IS(c.method_name, "invite");
    static const char *const bad[] = {"",          "1",          "INVITE", "1INVITE", "4294967296 INVITE",
                                      "-1 INVITE", "1 INVITE x", "1 (x)",  "1 "};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sip_cseq_decode(guarded(bad[i]), &c), SIP_BAD);
    assert_int_equal(sip_uint_decode(guarded("0068"), 255, &n), SIP_DONE);
    assert_int_equal(n, 68);
    assert_int_equal(sip_uint_decode(guarded("256"), 255, &n), SIP_BAD);
    assert_int_equal(sip_uint_decode(guarded(""), 255, &n), SIP_BAD);
    assert_int_equal(sip_uint_decode(guarded("99999999999999999999999999"), UINT32_MAX, &n), SIP_BAD);
}

static void walk(const char *routes, unsigned want, enum sip_result end)
{
    char text[1024];
    struct sip_msg m;
    struct sip_cursor c;
    struct slice e;
    unsigned n = 0;
    enum sip_result r;
    snprintf(text, sizeof(text), "OPTIONS sip:a@b SIP/2.0\r\n%sX: end, of it\r\n\r\n", routes);
    assert_int_equal(rig_index(&m, rig_guarded(text, strlen(text)), strlen(text), true), SIP_DONE);
    sip_cursor_init(&c, &m, SIP_H_ROUTE);
    while ((r = sip_cursor_next(&c, &e)) == SIP_DONE) {
        assert_int_equal(sip_addr_decode(e, &a), SIP_DONE);
        assert_int_equal(a.uri.user.p[0], "abcdef"[n]);
        n++;
    }
    assert_int_equal(n, want);
    assert_int_equal(r, end);
}

static void elements(void **state)
{
    (void)state;
    walk("", 0, SIP_MORE);
    walk("Route: <sip:a@h;lr>\r\n", 1, SIP_MORE);
    walk("Route: <sip:a@h;lr>,<sip:b@h>\r\nRoute: \"x, y\" <sip:c@h> , \r\n sip:d@h;p=\"1,2\"\r\n", 4,
         SIP_MORE);
    walk("Route:\r\nRoute: <sip:a,x@h>\r\nroute:\r\n", 1, SIP_MORE);
    walk("Route: <sip:a@h>,,<sip:b@h>\r\n", 1, SIP_BAD);
    walk("Route: <sip:a@h>,\r\n", 0, SIP_BAD);
    walk("Route: ,<sip:a@h>\r\n", 0, SIP_BAD);
    walk("Route: <sip:a@h>, \"x\r\n", 1, SIP_BAD);
    walk("Route: <sip:a@h>, <sip:b@h\r\n", 1, SIP_BAD);
}

/* Fields of the usual shapes, with bytes changed, put in and taken out at random: every implementation of the
 * check, on every processor, says of each what the decoders say (rig_verdict compares them). */
static void shapes_agree(void **state)
{
    (void)state;
    static const char *const vias[] = {"SIP/2.0/UDP 192.0.2.1:5080;branch=z9hG4bK0123;rport",
                                       "SIP/2.0/UDP a.example.com;rport;branch=z9hG4bK1",
                                       "SIP/2.0/TCP host-1.example.:65535;branch=z",
                                       "SIP/2.0/UDP 10.0.0.1;rport=5;received=10.0.0.2;branch=z9"};
    static const char *const addrs[] = {
        "\"Alice\" <sip:alice@example.com>;tag=12ab", "<sip:+1202@192.0.2.7:5060;user=phone>;tag=x",
        "Alice B. <SIP:a;b?c@h.example>", "<sip:b@h-2.example.com;lr>", "sip:bare@h.example;tag=1"};
    static const char *const ids[] = {"abc@192.0.2.1", "a", "@",
                                      "f81d4fae-7dec-11d0-a765-00a0c91e6bf6@x.example"};
    static const char bytes[] = "\"<>@:;=,.-% \ta1Z[]()?/\\\x80";
    unsigned good = 0;
    srandom(5);
    for (unsigned round = 0; round < 60000; round++) {
        struct sip_core_fields c;
        struct sip_msg m;
        char text[1024];
        int head = snprintf(text, sizeof(text), "INFO ");
        int n = head + snprintf(text + head, sizeof(text) - (size_t)head,
                                "%s SIP/2.0\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"
                                "CSeq: 7 INFO\r\nMax-Forwards: 70\r\n\r\n",
                                "sip:bob@b.example:5070;x=1", vias[round % 4], addrs[random() % 4],
                                addrs[random() % 5], ids[random() % 4]);
        for (unsigned k = 0; k < round % 3; k++) {
            int at = head + (int)(random() % (n - head - 22));
            if (text[at] == '\r' || text[at] == '\n')
                continue;
            if (random() % 3 == 0) {
                memmove(text + at, text + at + 1, (size_t)(n-- - at));
            } else if (random() % 2) {
                memmove(text + at + 1, text + at, (size_t)(n++ - at + 1));
                text[at] = bytes[random() % (long)(sizeof(bytes) - 1)];
            } else {
                text[at] = bytes[random() % (long)(sizeof(bytes) - 1)];
            }
        }
        good += rig_verdict(&m, &c, rig_guarded(text, (size_t)n), (size_t)n) == SIP_E_NONE;
    }
    assert_in_range(good, 10000, 50000); /* both kinds were seen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(via_parts), cmocka_unit_test(via_received_of_ipv6),
        cmocka_unit_test(via_bad),   cmocka_unit_test(addr_parts),
        cmocka_unit_test(addr_bad),  cmocka_unit_test(cseq_and_numbers),
        cmocka_unit_test(elements),  cmocka_unit_test(shapes_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
