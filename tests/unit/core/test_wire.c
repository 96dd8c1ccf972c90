/* SPDX-License-Identifier: BSD-2-Clause */
/* From frame to frame with every room in place: SIP in, routing, SIP out, and the sums of what happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <rte_mempool.h>

#include "harness.h"

static struct harness *h;

static void open_with(unsigned cores)
{
    struct hg_static_route route;

    h = harness_open(&(struct harness_options){.cores = cores, .virtual_clock = true});
    assert_non_null(h);
    hg_static_route_defaults(&route);
    strcpy(route.name, "four");
    strcpy(route.pattern, "4*");
    strcpy(route.next_hop, "10.0.0.40");
    route.port = 5060;
    route.proto = HG_UDP;
    route.stateful = false;
    assert_true(harness_routes(h, &route, 1));
    assert_true(harness_node(h, 2, "10.0.0.50:5060", false));
    assert_true(harness_user(h, "alice@example.com", 2));
    harness_settle(h);
    harness_take_all(h);
}

static void close_balanced(void)
{
    harness_take_all(h);
    assert_int_equal(harness_net_sum(h) + harness_counter(h, HG_DROP_mail_full),
                     harness_counter(h, HG_C_rx_frames));
    assert_int_equal(harness_sip_sum(h), harness_counter(h, HG_C_net_up_datagrams));
    harness_close(h);
}

static uint32_t request(char *out, size_t size, const char *method, const char *uri, unsigned id)
{
    return (uint32_t)snprintf(
        out, size,
        "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bK-%u;rport\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:bob@example.com>;tag=%u\r\nTo: <%s>\r\nCall-ID: call-%u\r\n"
        "CSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
        method, uri, id, id, uri, id, method);
}

static bool take_udp(struct harness_packet *p)
{
    while (harness_take(h, p))
        if (p->udp)
            return true;
    harness_report(h); /* says where it went */
    return false;
}

static void check_destination(const struct harness_packet *p, const char *where)
{
    char text[HG_ENDPOINT_STRLEN];
    int n = hg_endpoint_format(&p->dst, text);

    assert_true(p->checksums_good);
    assert_int_equal(p->dscp, 24);
    assert_true(n >= (int)strlen(where));
    assert_memory_equal(text, where, strlen(where));
}

static void options_to_the_node_are_answered(void **state)
{
    (void)state;
    char buf[1024];
    struct harness_packet p;

    open_with(1);
    harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:5060", buf,
                     request(buf, sizeof(buf), "OPTIONS", "sip:10.0.0.1", 1));
    harness_settle(h);
    assert_true(take_udp(&p));
    check_destination(&p, "10.0.0.2:5070");
    assert_true(slice_starts(p.payload, SLICE_LIT("SIP/2.0 200 ")));
    close_balanced();
}

static void static_route_and_user_are_forwarded(void **state)
{
    (void)state;
    static const char *const where[][2] = {{"sip:4711@example.com", "10.0.0.40:5060"},
                                           {"sip:alice@example.com", "10.0.0.50:5060"}};
    char buf[1024];
    struct harness_packet p;

    for (unsigned cores = 1; cores <= 2; cores++) {
        open_with(cores);
        for (unsigned i = 0; i < 40; i++) {
            harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:5060", buf,
                             request(buf, sizeof(buf), "MESSAGE", where[i & 1][0], i));
            harness_settle(h);
            assert_true(take_udp(&p));
            check_destination(&p, where[i & 1][1]);
            assert_true(slice_starts(p.payload, SLICE_LIT("MESSAGE sip:")));
        }
        assert_int_equal(harness_counter(h, HG_C_sip_forwarded), 40);
        close_balanced();
    }
}

static void strangers_are_not_served(void **state) /* K11 */
{
    (void)state;
    char buf[1024];

    open_with(1);
    harness_send_udp(h, "192.0.2.9:5070", "10.0.0.1:5060", buf,
                     request(buf, sizeof(buf), "MESSAGE", "sip:4711@example.com", 1));
    harness_settle(h);
    assert_int_equal(harness_take_all(h), 0);
    assert_int_equal(harness_counter(h, HG_DROP_acl_denied), 1);
    close_balanced();
}

/* Random and damaged datagrams and frames: every one is accounted for, and good traffic goes on. */
static void noise_is_accounted_for(void **state)
{
    (void)state;
    uint64_t rng = 0x12345;
    char buf[1024];
    uint8_t frame[1200];
    struct harness_packet p;
    struct hg_endpoint src, dst;

    open_with(2);
    hg_endpoint_parse(slice_str("10.0.0.2:5070"), 5060, &src);
    hg_endpoint_parse(slice_str("10.0.0.1:5060"), 5060, &dst);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t n = request(buf, sizeof(buf), i % 3 ? "MESSAGE" : "INVITE", "sip:4711@example.com", i);
        n = harness_build_udp(h, frame, &src, &dst, buf, n);
        for (unsigned k = 0; k < 1 + i % 4; k++) {
            rng = rng * 6364136223846793005ull + 1442695040888963407ull;
            if (i % 5 == 0) /* anywhere in the frame: the checksum catches most */
                frame[(rng >> 33) % n] = (uint8_t)(rng >> 20);
            else
                buf[(rng >> 33) % (n - 42)] = (char)(rng >> 20);
        }
        if (i % 5 == 0)
            harness_send_frame(h, 0, i & 1, frame, n - (i % 7 == 0 ? (uint32_t)(rng >> 40) % n : 0));
        else
            harness_send_endpoints(h, &src, &dst, buf, n - 42);
        if (i % 32 == 31) {
            harness_settle(h);
            harness_take_all(h);
        }
    }
    harness_settle(h);
    harness_take_all(h);
    harness_advance_ms(h, 40000); /* whatever state it made is over */
    harness_take_all(h);
    harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:5060", buf,
                     request(buf, sizeof(buf), "MESSAGE", "sip:4@example.com", 1));
    harness_settle(h);
    assert_true(take_udp(&p));
    check_destination(&p, "10.0.0.40:5060");
    close_balanced();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_to_the_node_are_answered),
        cmocka_unit_test(static_route_and_user_are_forwarded),
        cmocka_unit_test(strangers_are_not_served),
        cmocka_unit_test(noise_is_accounted_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
