/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <rte_mbuf.h>

#include "net/state.h"
#include "rig.h"

static uint8_t b[2048];
static struct rig *rig;

static int open_rig(void **state)
{
    (void)state;
    rig = rig_open(NULL);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    rig_close(rig);
    return 0;
}

#define FEED(len) rig_feed(rig, 0, b, (len))

static void send_to(const char *src, const char *dst)
{
    struct hg_endpoint s = ep_of(src, 5060), d = ep_of(dst, 5060);
    net_udp_send(rig->net, rig_payload(rig, "hello", 5), &s, &d);
    rig_wait(rig, 1);
}

static uint8_t state_of(const char *ip)
{
    struct hg_ip a = ip_of(ip);
    uint32_t i = neighbour_find(rig->net, 0, &a);
    return i == NET_NIL ? NEIGHBOUR_FREE : rig->net->neighbours[i].state;
}

static bool is_arp_question(const uint8_t *a, const char *ip)
{
    struct hg_ip t = ip_of(ip);
    return a && a[12] == 8 && a[13] == 6 && a[21] == 1 && memcmp(a + 38, t.b + 12, 4) == 0;
}

static void arp_is_answered(void **state)
{
    (void)state;
    uint32_t len;
    assert_int_equal(FEED(make_arp(b, 1, rig_peer_mac, "10.0.0.9", "10.0.0.2")), HG_C_net_answered);
    const uint8_t *a = rig_sent(rig, &len);
    assert_int_equal(len, 42);
    assert_memory_equal(a, rig_peer_mac, 6);
    assert_memory_equal(a + 6, rig_mac, 6);
    assert_memory_equal(a + 14, ((uint8_t[]){0, 1, 8, 0, 6, 4, 0, 2}), 8);
    assert_memory_equal(a + 22, rig_mac, 6);
    assert_memory_equal(a + 28, ((uint8_t[]){10, 0, 0, 2}), 4);
    assert_memory_equal(a + 32, rig_peer_mac, 6);
    assert_memory_equal(a + 38, ((uint8_t[]){10, 0, 0, 9}), 4);
    assert_int_equal(state_of("10.0.0.9"), NEIGHBOUR_STALE);
    assert_int_equal(FEED(make_arp(b, 1, rig_peer_mac, "10.0.0.9", "10.0.0.3")), HG_C_net_absorbed);
    assert_null(rig_sent(rig, NULL));
    assert_int_equal(FEED(make_arp(b, 1, rig_peer_mac, "10.7.0.9", "10.7.0.1")), HG_C_net_answered);
    a = rig_sent(rig, &len);
    assert_int_equal(len, 46);
    assert_memory_equal(a + 12, ((uint8_t[]){0x81, 0, 0, 7, 8, 6}), 6);
    /* a probe for a conflict (RFC 5227) is answered and teaches nothing */
    assert_int_equal(FEED(make_arp(b, 1, rig_peer_mac, "0.0.0.0", "10.0.0.1")), HG_C_net_answered);
    /* an address of another interface is not answered here */
    assert_int_equal(FEED(make_arp(b, 1, rig_peer_mac, "10.0.0.9", "172.16.0.1")), HG_C_net_absorbed);
}

static void bad_arp(void **state)
{
    (void)state;
    static const struct {
        unsigned at;
        uint8_t value;
    } cases[] = {{15, 2}, {16, 9}, {18, 5}, {19, 5}, {21, 3}, {20, 1}, {22, 3}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t len = make_arp(b, 1, rig_peer_mac, "10.0.0.9", "10.0.0.1");
        b[cases[i].at] = cases[i].value;
        assert_int_equal(FEED(len), HG_DROP_arp_bad);
    }
    make_arp(b, 1, rig_peer_mac, "10.0.0.9", "10.0.0.1");
    assert_int_equal(FEED(41), HG_DROP_arp_bad);
    memset(b + 22, 0, 6);
    assert_int_equal(FEED(42), HG_DROP_arp_bad);
    assert_int_equal(rig->net->neighbours_used, 0);
}

static void only_what_is_on_the_wire_is_learned(void **state)
{
    (void)state;
    static const char *senders[] = {"8.8.8.8", "10.7.0.9", "127.0.0.1", "224.0.0.1", "10.0.0.2"};
    for (unsigned i = 0; i < sizeof(senders) / sizeof(senders[0]); i++)
        FEED(make_arp(b, 1, rig_peer_mac, senders[i], "10.0.0.1"));
    FEED(make_arp(b, 2, rig_peer_mac, "10.0.0.9", "10.0.0.1")); /* an answer that nobody asked for */
    FEED(make_arp(b, 1, rig_peer_mac, "10.0.0.9", "10.0.0.9")); /* gossip about somebody unknown */
    assert_int_equal(rig->net->neighbours_used, 0);
}

static void packets_wait_for_the_answer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        send_to("10.0.0.1", "10.0.0.9");
    assert_true(is_arp_question(rig_sent(rig, NULL), "10.0.0.9"));
    assert_null(rig_sent(rig, NULL));
    assert_int_equal(FEED(make_arp(b, 2, rig_peer_mac, "10.0.0.9", "10.0.0.1")), HG_C_net_absorbed);
    assert_int_equal(state_of("10.0.0.9"), NEIGHBOUR_REACHABLE);
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *a = rig_sent(rig, NULL);
        assert_non_null(a);
        assert_memory_equal(a, rig_peer_mac, 6);
        assert_int_equal(a[23], 17);
    }
    send_to("10.0.0.1", "10.0.0.9");
    assert_non_null(rig_sent(rig, NULL));
    assert_null(rig_sent(rig, NULL));
}

static void silence_gives_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < NET_WAIT_MAX + 10; i++)
        send_to("10.0.0.1", "10.0.0.9");
    assert_int_equal(rig_count(rig, HG_C_tx_no_neighbour), 10);
    rig_wait(rig, 2000);
    assert_int_equal(state_of("10.0.0.9"), NEIGHBOUR_FAILED);
    assert_int_equal(rig_count(rig, HG_C_tx_no_neighbour), NET_WAIT_MAX + 10);
    for (unsigned i = 0; i < 4; i++)
        assert_true(is_arp_question(rig_sent(rig, NULL), "10.0.0.9"));
    assert_null(rig_sent(rig, NULL));
    send_to("10.0.0.1", "10.0.0.9"); /* not asked again at once */
    assert_null(rig_sent(rig, NULL));
    assert_int_equal(rig_count(rig, HG_C_tx_no_neighbour), NET_WAIT_MAX + 11);
    rig_wait(rig, 1000);
    assert_int_equal(state_of("10.0.0.9"), NEIGHBOUR_FREE);
    send_to("10.0.0.1", "10.0.0.9");
    assert_true(is_arp_question(rig_sent(rig, NULL), "10.0.0.9"));
}

static void beliefs_are_checked(void **state)
{
    (void)state;
    uint32_t len;
    rig_know4(rig, "10.0.0.9");
    send_to("10.0.0.1", "10.0.0.9"); /* stale: sent, and asked by unicast */
    const uint8_t *a = rig_sent(rig, &len);
    assert_true(is_arp_question(a, "10.0.0.9"));
    assert_memory_equal(a, rig_peer_mac, 6);
    assert_int_equal(rig_sent(rig, &len)[23], 17);
    assert_int_equal(state_of("10.0.0.9"), NEIGHBOUR_PROBE);
    FEED(make_arp(b, 2, rig_peer_mac, "10.0.0.9", "10.0.0.1"));
    assert_int_equal(state_of("10.0.0.9"), NEIGHBOUR_REACHABLE);
    rig_wait(rig, 46000);
    assert_int_equal(state_of("10.0.0.9"), NEIGHBOUR_STALE);
    send_to("10.0.0.1", "10.0.0.9");
    rig_wait(rig, 2000);
    assert_int_equal(state_of("10.0.0.9"), NEIGHBOUR_FAILED);
}

static void neighbours_may_move(void **state)
{
    (void)state;
    static const uint8_t elsewhere[6] = {2, 0, 0, 0, 0, 0x77};
    rig_know4(rig, "10.0.0.9");
    send_to("10.0.0.1", "10.0.0.9");
    FEED(make_arp(b, 2, rig_peer_mac, "10.0.0.9", "10.0.0.1"));
    rig_flush(rig);
    /* gratuitous: a service address came up on another machine; believed and checked */
    assert_int_equal(FEED(make_arp(b, 1, elsewhere, "10.0.0.9", "10.0.0.9")), HG_C_net_absorbed);
    send_to("10.0.0.1", "10.0.0.9");
    const uint8_t *a = rig_sent(rig, NULL);
    assert_true(is_arp_question(a, "10.0.0.9"));
    a = rig_sent(rig, NULL);
    assert_memory_equal(a, elsewhere, 6);
    FEED(make_arp(b, 2, elsewhere, "10.0.0.9", "10.0.0.1"));
    assert_int_equal(state_of("10.0.0.9"), NEIGHBOUR_REACHABLE);
}

static void an_unasked_answer_is_checked(void **state)
{
    (void)state;
    static const uint8_t liar[6] = {2, 0, 0, 0, 0, 0x66};
    rig_know4(rig, "10.0.0.9");
    send_to("10.0.0.1", "10.0.0.9");
    FEED(make_arp(b, 2, rig_peer_mac, "10.0.0.9", "10.0.0.1"));
    rig_flush(rig);
    FEED(make_arp(b, 2, liar, "10.0.0.9", "10.0.0.1"));
    assert_int_equal(state_of("10.0.0.9"), NEIGHBOUR_STALE);
    send_to("10.0.0.1", "10.0.0.9");
    rig_wait(rig, 1200); /* the liar is silent: the last question goes to all, and the right one answers */
    assert_int_equal(state_of("10.0.0.9"), NEIGHBOUR_PROBE);
    FEED(make_arp(b, 2, rig_peer_mac, "10.0.0.9", "10.0.0.1"));
    rig_flush(rig);
    send_to("10.0.0.1", "10.0.0.9");
    assert_memory_equal(rig_sent(rig, NULL), rig_peer_mac, 6);
}

static void our_address_is_defended(void **state)
{
    (void)state;
    static const uint8_t thief[6] = {2, 0, 0, 0, 0, 0x66};
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(FEED(make_arp(b, 1, thief, "10.0.0.1", "10.0.0.1")), HG_C_net_absorbed);
    unsigned n = 0;
    while (is_arp_question(rig_sent(rig, NULL), "10.0.0.1"))
        n++;
    assert_in_range(n, 1, 10);
    assert_int_equal(rig_count(rig, HG_C_address_conflicts), 50);
    assert_int_equal(rig->net->neighbours_used, 0);
}

static void spoof_floods_are_bounded(void **state)
{
    (void)state;
    char ip[20];
    rig_know4(rig, "10.0.0.200");
    send_to("10.0.0.1", "10.0.0.200");
    FEED(make_arp(b, 2, rig_peer_mac, "10.0.0.200", "10.0.0.1"));
    rig_flush(rig);
    for (unsigned i = 3; i < 190; i++) {
        snprintf(ip, sizeof(ip), "10.0.0.%u", i);
        FEED(make_arp(b, 1, rig_peer_mac, ip, "10.0.0.1"));
        assert_true(rig->net->neighbours_used <= 16);
    }
    assert_int_equal(state_of("10.0.0.200"), NEIGHBOUR_REACHABLE); /* what is in use stays */
    /* a full table of unanswered questions: the next one fails, counted */
    for (unsigned i = 210; i < 230; i++) {
        snprintf(ip, sizeof(ip), "10.0.0.%u", i);
        send_to("10.0.0.1", ip);
    }
    assert_true(rig_count(rig, HG_C_tx_no_neighbour) >= 5);
    rig_wait(rig, 4000);
    assert_int_equal(rig->net->neighbours_used, 1);
}

static void nd_is_answered(void **state)
{
    (void)state;
    uint32_t len;
    assert_int_equal(FEED(make_nd(b, 135, 0, "fd00::9", "ff02::1:ff00:1", "fd00::1", true)),
                     HG_C_net_answered);
    const uint8_t *a = rig_sent(rig, &len);
    assert_int_equal(len, 86);
    assert_memory_equal(a, rig_peer_mac, 6);
    assert_int_equal(a[21], 255);
    assert_int_equal(a[54], 136);
    assert_int_equal(a[58], 0x60);
    assert_memory_equal(a + 62, ip_of("fd00::1").b, 16);
    assert_memory_equal(a + 80, rig_mac, 6);
    assert_memory_equal(a + 38, ip_of("fd00::9").b, 16);
    assert_int_equal(state_of("fd00::9"), NEIGHBOUR_STALE);
    /* the link-local address made from the MAC */
    assert_int_equal(FEED(make_nd(b, 135, 0, "fe80::9", "fe80::ff:fe00:1", "fe80::ff:fe00:1", true)),
                     HG_C_net_answered);
    /* somebody's duplicate address detection hears it from all-nodes */
    rig_flush(rig);
    assert_int_equal(FEED(make_nd(b, 135, 0, "::", "ff02::1:ff00:1", "fd00::1", false)), HG_C_net_answered);
    a = rig_sent(rig, &len);
    assert_memory_equal(a, ((uint8_t[]){0x33, 0x33, 0, 0, 0, 1}), 6);
    assert_int_equal(a[58], 0x20);
    assert_int_equal(FEED(make_nd(b, 135, 0, "fd00::9", "ff02::1:ff00:1", "fd00::ff00:1", true)),
                     HG_C_net_absorbed);
}

static void bad_nd(void **state)
{
    (void)state;
    uint32_t len = make_nd(b, 135, 0, "fd00::9", "fd00::1", "fd00::1", true);
    b[21] = 254; /* came through a router */
    assert_int_equal(FEED(len), HG_DROP_arp_bad);
    assert_int_equal(FEED(make_nd(b, 135, 0, "::", "ff02::1:ff00:1", "fd00::1", true)), HG_DROP_arp_bad);
    assert_int_equal(FEED(make_nd(b, 135, 0, "::", "fd00::1", "fd00::1", false)), HG_DROP_arp_bad);
    assert_int_equal(FEED(make_nd(b, 135, 0, "fd00::9", "fd00::1", "ff02::1", true)), HG_DROP_arp_bad);
    assert_int_equal(FEED(make_nd(b, 136, 0x40, "fd00::9", "ff02::1", "fd00::9", true)), HG_DROP_arp_bad);
    uint8_t p[32] = {0};
    len = make_icmp(b, "fd00::9", "fd00::1", 135, 0, 0, p, 16);
    b[21] = 255;
    assert_int_equal(FEED(len), HG_C_net_absorbed); /* for :: */
    memcpy(p, ip_of("fd00::1").b, 16);
    p[16] = 1; /* an option of no length must not loop */
    len = make_icmp(b, "fd00::9", "fd00::1", 135, 0, 0, p, 24);
    b[21] = 255;
    assert_int_equal(FEED(len), HG_DROP_arp_bad);
    p[17] = 9;
    len = make_icmp(b, "fd00::9", "fd00::1", 135, 0, 0, p, 24);
    b[21] = 255;
    assert_int_equal(FEED(len), HG_DROP_arp_bad);
    assert_int_equal(FEED(make_icmp(b, "fd00::9", "fd00::1", 135, 0, 0, p, 4)), HG_DROP_arp_bad);
    /* routers are configured: what they advertise changes nothing */
    assert_int_equal(FEED(make_icmp(b, "fe80::9", "ff02::1", 134, 0, 0, p, 16)), HG_C_net_absorbed);
    assert_int_equal(FEED(make_icmp(b, "fe80::9", "fd00::1", 137, 0, 0, p, 32)), HG_C_net_absorbed);
    assert_int_equal(rig->net->neighbours_used, 0);
}

static void nd_resolves(void **state)
{
    (void)state;
    uint32_t len;
    send_to("fd00::1", "fd00::9");
    const uint8_t *a = rig_sent(rig, &len);
    assert_memory_equal(a, ((uint8_t[]){0x33, 0x33, 0xff, 0, 0, 9}), 6);
    assert_memory_equal(a + 38, ip_of("ff02::1:ff00:9").b, 16);
    assert_int_equal(a[54], 135);
    assert_int_equal(FEED(make_nd(b, 136, 0x60, "fd00::9", "fd00::1", "fd00::9", true)), HG_C_net_absorbed);
    assert_int_equal(state_of("fd00::9"), NEIGHBOUR_REACHABLE);
    a = rig_sent(rig, &len);
    assert_memory_equal(a, rig_peer_mac, 6);
    assert_int_equal(a[20], 17);
    /* the answer to a unicast question may leave the address out */
    rig_wait(rig, 46000);
    rig_flush(rig);
    send_to("fd00::1", "fd00::9");
    a = rig_sent(rig, &len);
    assert_int_equal(a[54], 135);
    assert_memory_equal(a, rig_peer_mac, 6);
    assert_int_equal(FEED(make_nd(b, 136, 0x40, "fd00::9", "fd00::1", "fd00::9", false)), HG_C_net_absorbed);
    assert_int_equal(state_of("fd00::9"), NEIGHBOUR_REACHABLE);
    /* no prefix of ours has it: by the gateway */
    rig_flush(rig);
    send_to("fd00::1", "2001:db8::1");
    assert_memory_equal(rig_sent(rig, &len) + 62, ip_of("fd00::fe").b, 16);
}

static void other_cores_learn_from_copies(void **state)
{
    (void)state;
    struct mail_office office;
    struct mail_out out;
    struct mail_in in;
    struct mail mail;
    assert_true(mail_office_open(&office, 2, 63));
    mail_office_bind(&office, 0, &out, &in);
    rig->ctx.cores = 2;
    rig->ctx.mail = &out;
    struct mail_out other_out;
    mail_office_bind(&office, 1, &other_out, &in);
    /* this core did not ask, but the other one may have: the answer is passed on */
    FEED(make_arp(b, 2, rig_peer_mac, "10.0.0.9", "10.0.0.1"));
    assert_int_equal(mail_take(&in, &mail, 1), 1);
    assert_int_equal(mail.kind, MAIL_NEIGHBOUR);
    assert_int_equal(rig->net->neighbours_used, 0);
    /* the other core's side of it, here in the same room */
    send_to("10.0.0.1", "10.0.0.9");
    rig_flush(rig);
    net_neighbour_news(rig->net, 0, mail.m);
    rig_wait(rig, 1);
    assert_int_equal(state_of("10.0.0.9"), NEIGHBOUR_REACHABLE);
    assert_int_equal(rig_sent(rig, NULL)[23], 17);
    /* a question for us makes an entry on both, and only one answers */
    FEED(make_nd(b, 135, 0, "fd00::9", "fd00::1", "fd00::1", true));
    assert_int_equal(mail_take(&in, &mail, 1), 1);
    rig_flush(rig);
    net_neighbour_news(rig->net, 0, mail.m);
    rig_wait(rig, 1);
    assert_null(rig_sent(rig, NULL));
    for (unsigned i = 0; i < 500; i++) /* a full box is no harm */
        FEED(make_arp(b, 2, rig_peer_mac, "10.0.0.9", "10.0.0.1"));
    mail_office_close(&office);
    rig->ctx.cores = 1;
}

static void announced_at_start_and_link_up(void **state)
{
    (void)state;
    net_link(rig->net, 0, false);
    send_to("10.0.0.1", "10.0.0.9");
    assert_int_equal(rig_count(rig, HG_C_tx_no_route), 1);
    rig_wait(rig, 5000);
    assert_null(rig_sent(rig, NULL));
    net_link(rig->net, 0, true);
    rig_wait(rig, 5000);
    unsigned arps = 0, nas = 0;
    for (const uint8_t *a; (a = rig_sent(rig, NULL));) {
        arps += is_arp_question(a, "10.0.0.1") || is_arp_question(a, "10.0.0.2");
        nas += a[12] == 0x86 && a[54] == 136;
    }
    assert_int_equal(arps, 6);
    assert_int_equal(nas, 6);
}

static void groups_are_reported(void **state)
{
    (void)state;
    uint32_t len;
    uint8_t full[8 + 28] = {58, 0, 5, 2, 0, 0, 1, 0}; /* the query behind a router alert */
    make_icmp(b, "fe80::9", "ff02::1", 130, 0, 1000 << 16, (uint8_t[20]){0}, 20);
    memcpy(full + 8, b + 54, 28);
    len = make_ip6(b, "fe80::9", "ff02::1", 0, full, 36);
    assert_int_equal(FEED(len), HG_DROP_icmp_bad);
    b[21] = 1;
    assert_int_equal(FEED(len), HG_C_net_answered);
    const uint8_t *a = rig_sent(rig, &len);
    assert_non_null(a);
    assert_int_equal(len, 14 + 48 + 8 + 20); /* fd00::1 and the link-local share their last bits */
    assert_memory_equal(a, ((uint8_t[]){0x33, 0x33, 0, 0, 0, 0x16}), 6);
    assert_memory_equal(a + 38, ip_of("ff02::16").b, 16);
    assert_memory_equal(a + 54, ((uint8_t[]){58, 0, 5, 2, 0, 0, 1, 0, 143, 0}), 10);
    assert_memory_equal(a + 74, ip_of("ff02::1:ff00:1").b, 16);
    unsigned answered = 0;
    for (unsigned i = 0; i < 50; i++) {
        len = make_ip6(b, "fe80::9", "ff02::1", 0, full, 36);
        b[21] = 1;
        answered += FEED(len) == HG_C_net_answered;
    }
    assert_in_range(answered, 5, 10);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(arp_is_answered),
        CASE(bad_arp),
        CASE(only_what_is_on_the_wire_is_learned),
        CASE(packets_wait_for_the_answer),
        CASE(silence_gives_up),
        CASE(beliefs_are_checked),
        CASE(neighbours_may_move),
        CASE(an_unasked_answer_is_checked),
        CASE(our_address_is_defended),
        CASE(spoof_floods_are_bounded),
        CASE(nd_is_answered),
        CASE(bad_nd),
        CASE(nd_resolves),
        CASE(other_cores_learn_from_copies),
        CASE(announced_at_start_and_link_up),
        CASE(groups_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
