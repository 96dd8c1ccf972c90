/* SPDX-License-Identifier: BSD-2-Clause */
/* Service addresses are ours while they are held and the lease lasts, on every layer, and nothing leaves from
 * them afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "net/state.h"
#include "rig.h"

#define S4 "10.0.0.100"
#define S6 "fd00::100"

static uint8_t b[2048];
static struct rig *rig;
static _Atomic uint64_t serve_until;

static int open_rig(void **state)
{
    (void)state;
    rig = rig_open(NULL);
    serve_until = UINT64_MAX;
    rig->ctx.serve_until = &serve_until;
    rig_know4(rig, "10.0.0.9");
    rig_know6(rig, "fd00::9");
    rig_flush(rig);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    rig_close(rig);
    return 0;
}

#define FEED(len) rig_feed(rig, 0, b, (len))

static bool set(bool held)
{
    struct net_service_address a[] = {{.ip = ip_of(S4), .held = held}, {.ip = ip_of(S6), .held = held}};
    return net_service_set(rig->net, a, 2);
}

static void lease(uint64_t until)
{
    serve_until = until;
    rig->ctx.lease_over = until != UINT64_MAX && rte_rdtsc() >= until;
}

static bool is_gratuitous(const uint8_t *a)
{
    struct hg_ip s = ip_of(S4);
    return a[12] == 8 && a[13] == 6 && memcmp(a + 28, s.b + 12, 4) == 0 && memcmp(a + 38, s.b + 12, 4) == 0 &&
           memcmp(a, "\xff\xff\xff\xff\xff\xff", 6) == 0;
}

static bool is_advertisement(const uint8_t *a)
{
    struct hg_ip s = ip_of(S6);
    return a[12] == 0x86 && a[13] == 0xdd && a[20] == 58 && a[54] == 136 && memcmp(a + 62, s.b, 16) == 0;
}

static unsigned sent(bool (*which)(const uint8_t *))
{
    const uint8_t *a;
    uint32_t len;
    unsigned n = 0;
    while ((a = rig_sent(rig, &len)))
        n += which(a);
    return n;
}

static void claimed_and_announced(void **state)
{
    (void)state;
    assert_true(set(false));
    rig_wait(rig, 10000);
    assert_int_equal(sent(is_gratuitous), 0);
    assert_true(set(true));
    rig_wait(rig, 5);
    assert_int_equal(sent(is_gratuitous), 1); /* at once */
    rig_wait(rig, 1100);
    assert_true(sent(is_gratuitous) >= 4); /* and again, soon */
    rig_wait(rig, 10000);
    unsigned more = sent(is_gratuitous);
    assert_true(more >= 1);
    assert_int_equal(rig_count(rig, HG_C_service_announcements), 14);
    assert_true(set(true)); /* the same again is no claim */
    rig_wait(rig, 10000);
    assert_int_equal(sent(is_gratuitous), 0);
}

static void advertised(void **state)
{
    (void)state;
    assert_true(set(true));
    rig_wait(rig, 10000);
    assert_int_equal(sent(is_advertisement), 7);
}

static void arp_only_while_held(void **state)
{
    uint32_t len;
    (void)state;
    assert_true(set(false));
    assert_int_equal(FEED(make_arp(b, 1, rig_peer_mac, "10.0.0.9", S4)), HG_C_net_absorbed);
    assert_true(set(true));
    rig_wait(rig, 10000);
    rig_flush(rig);
    assert_int_equal(FEED(make_arp(b, 1, rig_peer_mac, "10.0.0.9", S4)), HG_C_net_answered);
    rig_wait(rig, 1);
    const uint8_t *a = rig_sent(rig, &len);
    assert_non_null(a);
    assert_memory_equal(a + 22, rig_mac, 6);
    lease(0);
    assert_int_equal(FEED(make_arp(b, 1, rig_peer_mac, "10.0.0.9", S4)), HG_C_net_absorbed);
    lease(UINT64_MAX);
    assert_true(set(false));
    assert_int_equal(FEED(make_arp(b, 1, rig_peer_mac, "10.0.0.9", S4)), HG_C_net_absorbed);
}

static void neighbour_discovery_only_while_held(void **state)
{
    (void)state;
    assert_true(set(true));
    rig_wait(rig, 10000);
    assert_int_equal(FEED(make_nd(b, 135, 0, "fd00::9", "ff02::1:ff00:100", S6, true)), HG_C_net_answered);
    lease(0);
    assert_int_equal(FEED(make_nd(b, 135, 0, "fd00::9", "ff02::1:ff00:100", S6, true)), HG_C_net_absorbed);
}

/* The next IPv4 packet that left; questions of our own for stale neighbours are not looked at. */
static const uint8_t *next_packet(void)
{
    const uint8_t *a;
    uint32_t len;
    while ((a = rig_sent(rig, &len)) && (a[12] != 8 || a[13] != 0))
        ;
    return a;
}

/* A reply that was built within the lease, and would leave after it. */
static void an_answer_is_fenced(void **state)
{
    (void)state;
    assert_true(set(true));
    rig_wait(rig, 10000);
    rig_flush(rig);
    uint64_t before = rig_count(rig, HG_C_lease_over);
    serve_until = rte_rdtsc(); /* the turn does not know it yet */
    assert_int_equal(FEED(make_arp(b, 1, rig_peer_mac, "10.0.0.9", S4)), HG_C_net_answered);
    assert_int_equal(FEED(make_nd(b, 135, 0, "fd00::9", "ff02::1:ff00:100", S6, true)), HG_C_net_answered);
    assert_int_equal(FEED(make_icmp(b, "10.0.0.9", S4, 8, 0, 1, "ping", 4)), HG_C_net_answered);
    assert_int_equal(FEED(make_icmp(b, "10.0.0.9", "10.0.0.1", 8, 0, 1, "ping", 4)), HG_C_net_answered);
    rig_wait(rig, 1);
    const uint8_t *a = next_packet();
    assert_non_null(a); /* the node's own answer alone */
    assert_memory_equal(a + 26, ip_of("10.0.0.1").b + 12, 4);
    assert_null(next_packet());
    assert_int_equal(rig_count(rig, HG_C_lease_over), before + 3);
}

static unsigned datagram_to(const char *dst)
{
    unsigned r = FEED(make_udp(b, "10.0.0.9", 5060, dst, 5060, "hello", 5));
    rig_free_out(rig);
    return r;
}

static void datagrams_only_while_held(void **state)
{
    (void)state;
    assert_int_equal(datagram_to(S4), HG_DROP_ip_not_local);
    assert_true(set(true));
    assert_int_equal(datagram_to(S4), HG_C_net_up_datagrams);
    assert_int_equal(FEED(make_udp(b, "10.0.0.9", 5060, S4, 5070, "hello", 5)), HG_DROP_udp_no_listener);
    lease(0);
    assert_int_equal(datagram_to(S4), HG_DROP_ip_not_local);
    assert_int_equal(datagram_to("10.0.0.1"), HG_C_net_up_datagrams);
    lease(UINT64_MAX);
    assert_true(set(false));
    assert_int_equal(datagram_to(S4), HG_DROP_ip_not_local);
}

static void send(const char *src, uint32_t len, bool fenced)
{
    static char big[4000];
    struct hg_endpoint s = ep_of(src, 5060), d = ep_of("10.0.0.9", 5060);
    (fenced ? net_udp_send_fenced : net_udp_send)(rig->net, rig_payload(rig, big, len), &s, &d);
}

static unsigned left(void)
{
    unsigned n = 0;
    rig_wait(rig, 1);
    while (next_packet())
        n++;
    return n;
}

static void nothing_leaves_after_the_lease(void **state)
{
    (void)state;
    assert_true(set(true));
    rig_wait(rig, 10000);
    rig_flush(rig);
    send(S4, 100, false);
    send("10.0.0.1", 100, true);
    assert_int_equal(left(), 2);
    serve_until = 1;
    send(S4, 100, false);
    send("10.0.0.1", 100, true);
    send("10.0.0.1", 3500, true); /* every fragment of it */
    send("10.0.0.1", 100, false);
    assert_int_equal(left(), 1);
    assert_int_equal(rig_count(rig, HG_C_lease_over), 5);
    serve_until = UINT64_MAX;
    assert_true(set(false)); /* given back within the lease: answers under way stay here, too */
    send(S4, 100, false);
    send("10.0.0.1", 100, true);
    assert_int_equal(left(), 1);
    assert_int_equal(rig_count(rig, HG_C_lease_over), 6);
}

/* It waits for a neighbour, and the lease is over before that answers. */
static void waiting_for_a_neighbour(void **state)
{
    struct hg_endpoint s = ep_of("10.0.0.1", 5060), d = ep_of("10.0.0.77", 5060);
    uint32_t len;
    (void)state;
    net_udp_send_fenced(rig->net, rig_payload(rig, "hello", 5), &s, &d);
    rig_wait(rig, 1);
    rig_flush(rig);
    lease(0);
    FEED(make_arp(b, 2, rig_peer_mac, "10.0.0.77", "10.0.0.1"));
    rig_wait(rig, 1);
    assert_null(rig_sent(rig, &len));
    assert_int_equal(rig_count(rig, HG_C_lease_over), 1);
}

static void a_lease_that_comes_back_is_announced(void **state)
{
    (void)state;
    assert_true(set(true));
    rig_wait(rig, 10000);
    rig_flush(rig);
    net_service_house(rig->net);
    assert_int_equal(rig_count(rig, HG_C_service_addresses), 2);
    lease(0);
    net_service_house(rig->net);
    assert_int_equal(rig_count(rig, HG_C_service_addresses), 0);
    rig_wait(rig, 5000);
    assert_int_equal(sent(is_gratuitous), 0);
    lease(UINT64_MAX);
    net_service_house(rig->net);
    rig_wait(rig, 5000);
    assert_int_equal(sent(is_gratuitous), 7);
}

static void off_link(void **state)
{
    struct net_service_address far = {.ip = ip_of("192.0.2.1"), .held = true};
    (void)state;
    assert_false(net_service_set(rig->net, &far, 1));
    far.held = false;
    assert_true(net_service_set(rig->net, &far, 1)); /* another site's: none of our business */
    struct net_service_address own = {.ip = ip_of("10.0.0.1"), .held = true};
    assert_false(net_service_set(rig->net, &own, 1)); /* a node address stays one */
    lease(0);
    assert_int_equal(datagram_to("10.0.0.1"), HG_C_net_up_datagrams);
}

static void places_are_used_again(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        struct net_service_address a[8];
        for (unsigned i = 0; i < 8; i++) {
            char ip[32];
            snprintf(ip, sizeof(ip), "10.0.0.%u", 40 + round * 8 + i);
            a[i] = (struct net_service_address){.ip = ip_of(ip), .held = true};
        }
        assert_true(net_service_set(rig->net, a, 8));
    }
    assert_int_equal(datagram_to("10.0.0.199"), HG_C_net_up_datagrams);
    assert_int_equal(datagram_to("10.0.0.190"), HG_DROP_ip_not_local);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(claimed_and_announced),
        T(advertised),
        T(arp_only_while_held),
        T(neighbour_discovery_only_while_held),
        T(an_answer_is_fenced),
        T(datagrams_only_while_held),
        T(nothing_leaves_after_the_lease),
        T(waiting_for_a_neighbour),
        T(a_lease_that_comes_back_is_announced),
        T(off_link),
        T(places_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
