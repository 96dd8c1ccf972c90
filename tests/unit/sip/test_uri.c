/* SPDX-License-Identifier: BSD-2-Clause */
/* AA01, AA26: URIs of RFC 3261 section 19.1 and 25, tel of RFC 3966, IPv6 of RFC 5954. */
#include "parse_rig.h"

static struct sip_uri u;

/* The same text with room behind it and against the guard page: wide and short loads must agree. */
static enum sip_result decode(const char *text)
{
    char roomy[4096] = {0};
    size_t len = strlen(text);
    memcpy(roomy, text, len);
    memset(roomy + len, 'x', 64);
    struct sip_uri other;
    enum sip_result r = sip_uri_decode(slice_of(roomy, (uint32_t)len), &other);
    assert_int_equal(sip_uri_decode(slice_of(rig_guarded(text, len), (uint32_t)len), &u), r);
    assert_true(r != SIP_DONE ||
                (slice_eq(u.user, other.user) && slice_eq(u.host, other.host) && u.port == other.port));
    return r;
}

static void parts(void **state)
{
    (void)state;
    assert_int_equal(decode("sip:alice:secret%20word@[2001:db8::1]:5070;transport=tcp;lr?subject=a%20b&x="),
                     SIP_DONE);
    assert_int_equal(u.scheme, SIP_SCHEME_SIP);
    RIG_SLICE_IS(u.user, "alice");
    RIG_SLICE_IS(u.password, "secret%20word");
    RIG_SLICE_IS(u.host, "2001:db8::1");
    RIG_SLICE_IS(u.params, "transport=tcp;lr");
    RIG_SLICE_IS(u.headers, "subject=a%20b&x=");
    assert_int_equal(u.host_kind, SIP_HOST_IP6);
    assert_int_equal(u.port, 5070);
    assert_int_equal(u.ip.b[0], 0x20);
    assert_int_equal(u.ip.b[15], 1);
    struct slice v;
    assert_true(sip_param(u.params, SLICE_LIT("TRANSPORT"), &v));
    RIG_SLICE_IS(v, "tcp");
    assert_true(sip_param(u.params, SLICE_LIT("lr"), &v));
    assert_int_equal(v.len, 0);
    assert_false(sip_param(u.params, SLICE_LIT("maddr"), &v));
    assert_int_equal(decode("SIPS:192.0.2.1"), SIP_DONE);
    assert_int_equal(u.scheme, SIP_SCHEME_SIPS);
    assert_int_equal(u.host_kind, SIP_HOST_IP4);
    assert_false(u.has_user);
    assert_int_equal(u.ip.b[12], 192);
    assert_int_equal(decode("tel:+1-(202).555;phone-context=x"), SIP_DONE);
    RIG_SLICE_IS(u.user, "+1-(202).555");
    RIG_SLICE_IS(u.params, "phone-context=x");
    assert_int_equal(decode("soap.beep://192.0.2.103:3002"), SIP_DONE);
    assert_int_equal(u.scheme, SIP_SCHEME_OTHER);
    RIG_SLICE_IS(u.rest, "//192.0.2.103:3002");
}

static void good(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "sip:a",
        "sip:a.",
        "sip:a-b.c",
        "sip:1a.b",
        "sip:a.b-1.c1",
        "sip:1.2.3.4.example",
        "sip:1.2.3.com",
        "sip:a@b;x",
        "sip:a@b;x=y;z",
        "sip:a@b:1",
        "sip:a@b:65535",
        "sip:u;p=1@h",
        "sip:u?x=y/z,&+$@h",
        "sip:a:@b",
        "sip:%00@h",
        "sip:a@h;%6C%72;n%61me=v%61lue%25%34%31",
        "sip:a@h?x=",
        "sip:[::]",
        "sip:[::1]:5",
        "sip:[1::]",
        "sip:[1:2:3:4:5:6:7:8]",
        "sip:[::ffff:192.0.2.1]",
        "sip:[1:2:3:4:5:6:1.2.3.4]",
        "sip:[1::3:4:5:6:7:8]",
        "sip:[2001:db8::10:5070]",
        "sip:0.0.0.0",
        "sip:255.255.255.255",
        "sip:h;a=[::1]/:&+$",
        "tel:110;phone-context=b.c",
        "tel:*#06",
        "isbn:2983792873",
        "http://www.example.com/x?y=[z]",
        "sip:a-label-of-some-length.and-another-one.example-of-more-than-thirty-two.com",
    };
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (decode(texts[i]) != SIP_DONE || u.whole.len != strlen(texts[i]))
            fail_msg("refused: %s", texts[i]);
}

static void bad(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "sip",
        "sip:",
        ":a",
        "1sip:a",
        "sip:@h",
        "sip:a@",
        "sip:a@@h",
        "sip:a@b@c",
        "sip:h:",
        "sip:h:0",
        "sip:h:65536",
        "sip:h:5060x",
        "sip:h:-1",
        "sip:-a",
        "sip:a-",
        "sip:a-.b",
        "sip:a.-b",
        "sip:.a",
        "sip:a..b",
        "sip:a.1",
        "sip:1.2.3",
        "sip:1.2.3.4.5",
        "sip:256.1.1.1",
        "sip:1.2.3.0004",
        "sip:a_b",
        "sip:2001:db8::1",
        "sip:[2001:db8::1",
        "sip:[2001:db8:::1]",
        "sip:[1:2:3:4:5:6:7]",
        "sip:[1:2:3:4:5:6:7:8:9]",
        "sip:[::1::2]",
        "sip:[12345::]",
        "sip:[:1]",
        "sip:[1:]",
        "sip:[2001:db8:::192.0.2.1]",
        "sip:[::1.2.3]",
        "sip:[]",
        "sip:[::g]",
        "sip:h;",
        "sip:h;;a",
        "sip:h;a=",
        "sip:h;=a",
        "sip:h?",
        "sip:h?a",
        "sip:h?=a",
        "sip:h?a=b&",
        "sip:h;a=b=c",
        "sip:a b@h",
        "sip:a@h ",
        " sip:a@h",
        "<sip:a@h>",
        "sip:a%@h",
        "sip:a%4@h",
        "sip:a%4g@h",
        "sip:a\"@h",
        "sip:\xc3\xa4@h",
        "tel:",
        "tel:+",
        "tel:-",
        "tel:+x",
        "isbn:",
        "x: y",
        "sip:h;a\x80",
    };
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (decode(texts[i]) != SIP_BAD)
            fail_msg("accepted: %s", texts[i]);
}

/* Every split of a long host name over the blocks of a vector, and every cut. */
static void host_lengths(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 80; n++)
        for (unsigned dot = 0; dot <= n; dot++) {
            char text[128] = "sip:";
            memset(text + 4, 'a', n);
            text[4 + dot] = '.';
            bool empty_label = dot == 0 && n >= 1;
            text[4 + (dot == n ? n + 1 : n)] = 0;
            assert_int_equal(decode(text), empty_label ? SIP_BAD : SIP_DONE);
        }
    const char *full = "sip:a:b%41@host-1.example.com:5060;lr;p=v?h=w&i=j";
    for (unsigned n = 0; n < strlen(full); n++)
        (void)sip_uri_decode(slice_of(rig_guarded(full, n), n), &u);
}

static void unescape(void **state)
{
    (void)state;
    char out[8];
    uint32_t len;
    assert_true(sip_unescape(SLICE_LIT("a%00b%4"), out, sizeof(out), &len));
    assert_int_equal(len, 5);
    assert_memory_equal(out, "a\0b%4", 5);
    assert_false(sip_unescape(SLICE_LIT("123456789"), out, sizeof(out), &len));
}

static bool equal(const char *a, const char *b)
{
    struct sip_uri x, y;
    assert_int_equal(sip_uri_decode(slice_str(a), &x), SIP_DONE);
    assert_int_equal(sip_uri_decode(slice_str(b), &y), SIP_DONE);
    bool r = sip_uri_equal(&x, &y);
    assert_int_equal(sip_uri_equal(&y, &x), r);
    return r;
}

/* RFC 3261 19.1.4, its own examples */
static void comparison(void **state)
{
    (void)state;
    assert_true(equal("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"));
    assert_true(equal("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
    assert_true(equal("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"));
    assert_true(equal("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                      "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"));
    assert_true(equal("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                      "sip:alice@atlanta.com?priority=urgent&subject=project%20x"));
    assert_false(equal("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
    assert_false(equal("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
    assert_false(equal("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
    assert_false(equal("sip:bob@biloxi.com;maddr=x", "sip:bob@biloxi.com"));
    assert_false(equal("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
    assert_false(equal("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
    assert_true(equal("sip:[2001:db8::1]", "sip:[2001:db8:0::1]"));
    assert_true(equal("tel:+1-202", "tel:+1202"));
    assert_false(equal("sip:a@h", "sips:a@h"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),        cmocka_unit_test(good),     cmocka_unit_test(bad),
        cmocka_unit_test(host_lengths), cmocka_unit_test(unescape), cmocka_unit_test(comparison),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
