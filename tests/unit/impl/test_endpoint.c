/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "hg/endpoint.h"

static void check_ip(const char *text, const char *formatted)
{
    struct hg_ip ip;
    char out[HG_IP_STRLEN];
    bool ok = hg_ip_parse(slice_str(text), &ip);
    if (ok != (formatted != NULL))
        fail_msg("%s: parsed %d", text, ok);
    if (!ok)
        return;
    size_t n = (size_t)hg_ip_format(&ip, out);
    assert_int_equal(n, strlen(out));
    assert_string_equal(out, formatted);
}

static void ip_parse_and_format(void **state)
{
    (void)state;
    check_ip("192.0.2.1", "192.0.2.1");
    check_ip("0.0.0.0", "0.0.0.0");
    check_ip("255.255.255.255", "255.255.255.255");
    check_ip("2001:DB8::1", "2001:db8::1");
    check_ip("[2001:db8::1]", "2001:db8::1");
    check_ip("::", "::");
    check_ip("::1", "::1");
    check_ip("1::", "1::");
    check_ip("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
    check_ip("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
    check_ip("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
    check_ip("::ffff:192.0.2.1", "192.0.2.1");
    check_ip("64:ff9b::192.0.2.33", "64:ff9b::c000:221");
    check_ip("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0");
    const char *bad[] = {"",
                         "1",
                         "1.2.3",
                         "1.2.3.4.5",
                         "5.6.7.8.9",
                         "256.1.1.1",
                         "01.2.3.4",
                         "1.2.3.4 ",
                         " 1.2.3.4",
                         "1.2.3.-4",
                         "1..2.3",
                         "[1.2.3.4]",
                         "host",
                         ":",
                         ":::",
                         "1:2",
                         "1::2::3",
                         "12345::",
                         "::1%eth0",
                         "[::1",
                         "::1]",
                         "g::",
                         "1:2:3:4:5:6:7:8:9",
                         "1:2:3:4:5:6:7:",
                         ":1:2:3:4:5:6:7",
                         "1:2:3:4:5:6:7:8::",
                         "::1.2.3",
                         "1.2.3.4::",
                         "::1.2.3.4:1",
                         "1:2:3:4:5:6:7:1.2.3.4",
                         "[]",
                         "0x1.2.3.4"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check_ip(bad[i], NULL);
}

/* Random strings over the alphabet of addresses are judged as the C library judges them. */
static void ip_parse_agrees_with_libc(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789abcdefF::::::....";
    srandom(1);
    unsigned good = 0;
    for (int round = 0; round < 400000; round++) {
        char text[48];
        struct hg_ip ip;
        uint8_t v4[4], v6[16];
        if (round & 1) {
            for (int i = 0; i < 16; i++)
                v6[i] = random() % 3 ? 0 : (uint8_t)random();
            inet_ntop(AF_INET6, v6, text, sizeof(text));
            text[random() % strlen(text)] = alphabet[(size_t)random() % (sizeof(alphabet) - 1)];
        } else {
            int n = 1 + (int)(random() % 20);
            for (int i = 0; i < n; i++)
                text[i] = alphabet[(size_t)random() % (sizeof(alphabet) - 1)];
            text[n] = 0;
        }
        bool ours = hg_ip_parse(slice_str(text), &ip);
        if (inet_pton(AF_INET6, text, v6) == 1) {
            if (!ours || memcmp(ip.b, v6, 16) != 0)
                fail_msg("%s", text);
            good++;
        } else if (inet_pton(AF_INET, text, v4) == 1) {
            if (!ours || memcmp(ip.b + 12, v4, 4) != 0)
                fail_msg("%s", text);
        } else if (ours) {
            fail_msg("%s taken", text);
        }
    }
    assert_true(good > 1000);
}

static void endpoint_parse_and_format(void **state)
{
    (void)state;
    static const struct {
        const char *text, *formatted;
    } cases[] = {{"10.0.0.1", "10.0.0.1:5060/udp"},
                 {"10.0.0.1:5070", "10.0.0.1:5070/udp"},
                 {"10.0.0.1:5070/tcp", "10.0.0.1:5070/tcp"},
                 {"10.0.0.1/TLS", "10.0.0.1:5060/tls"},
                 {"[2001:db8::1]:1", "[2001:db8::1]:1/udp"},
                 {"[2001:db8::1]", "[2001:db8::1]:5060/udp"},
                 {"2001:db8::1", "[2001:db8::1]:5060/udp"},
                 {"10.0.0.1:0", NULL},
                 {"10.0.0.1:65536", NULL},
                 {"10.0.0.1:", NULL},
                 {"10.0.0.1:05060", NULL},
                 {"10.0.0.1:+1", NULL},
                 {"[2001:db8::1]5060", NULL},
                 {"[2001:db8::1", NULL},
                 {"host:5060", NULL},
                 {"10.0.0.1/sctp", NULL},
                 {"10.0.0.1/udp/udp", NULL},
                 {":5060", NULL},
                 {"", NULL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hg_endpoint e, again;
        char out[HG_ENDPOINT_STRLEN];
        bool ok = hg_endpoint_parse(slice_str(cases[i].text), 5060, &e);
        if (ok != (cases[i].formatted != NULL))
            fail_msg("%s: parsed %d", cases[i].text, ok);
        if (!ok)
            continue;
        size_t n = (size_t)hg_endpoint_format(&e, out);
        assert_int_equal(n, strlen(out));
        assert_string_equal(out, cases[i].formatted);
        assert_true(hg_endpoint_parse(slice_str(out), 1, &again));
        assert_true(hg_endpoint_eq(&e, &again));
    }
}

static bool inside(const char *net_text, const char *ip_text)
{
    struct hg_net net;
    struct hg_ip ip;
    assert_true(hg_net_parse(slice_str(net_text), &net));
    assert_true(hg_ip_parse(slice_str(ip_text), &ip));
    return hg_net_contains(&net, &ip);
}

static void networks(void **state)
{
    (void)state;
    assert_true(inside("10.0.0.0/8", "10.255.0.1"));
    assert_false(inside("10.0.0.0/8", "11.0.0.1"));
    assert_true(inside("0.0.0.0/0", "1.2.3.4"));
    assert_false(inside("0.0.0.0/0", "2001:db8::1"));
    assert_true(inside("::/0", "1.2.3.4"));
    assert_true(inside("192.0.2.128/25", "192.0.2.129"));
    assert_false(inside("192.0.2.128/25", "192.0.2.127"));
    assert_true(inside("1.2.3.4", "1.2.3.4"));
    assert_false(inside("1.2.3.4", "1.2.3.5"));
    assert_true(inside("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(inside("2001:db8::/33", "2001:db8:8000::1"));

    static const char *const same[] = {"10.0.0.0/8",    "10.1.2.3/24", "1.2.3.4",
                                       "2001:db8::/32", "::/0",        "0.0.0.0/0"};
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        struct hg_net net;
        char out[HG_IP_STRLEN + 4];
        assert_true(hg_net_parse(slice_str(same[i]), &net));
        size_t n = (size_t)hg_net_format(&net, out);
        assert_int_equal(n, strlen(out));
        assert_string_equal(out, same[i]);
    }
    static const char *const bad[] = {"10.0.0.0/33", "10.0.0.0/", "/8",          "10.0.0.0/-1",
                                      "10/8",        "::/129",    "10.0.0.0/08", ""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct hg_net net;
        if (hg_net_parse(slice_str(bad[i]), &net))
            fail_msg("%s taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ip_parse_and_format),
        cmocka_unit_test(ip_parse_agrees_with_libc),
        cmocka_unit_test(endpoint_parse_and_format),
        cmocka_unit_test(networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
