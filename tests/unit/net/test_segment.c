/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP through the network room: segments up, segments down, and what routers say about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "net/state.h"
#include "rig.h"

#define FEED(len) rig_feed(rig, 0, b, (len))
#define SYN       2
#define ACK       16

static uint8_t b[66000], text[66000];
static struct rig *rig;
static struct net_hint hint;
static _Atomic uint64_t serve_until;

static int open_with(void (*tweak)(struct hg_config *, struct net_setup *))
{
    rig = rig_open(tweak);
    hint = (struct net_hint){0};
    serve_until = UINT64_MAX;
    rig->ctx.serve_until = &serve_until;
    for (unsigned i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 13 + i / 255);
    return 0;
}

static int open_rig(void **state)
{
    (void)state;
    return open_with(NULL);
}

static void offloads(struct hg_config *config, struct net_setup *setup)
{
    struct net_port *p = &setup->port[0];
    (void)config;
    p->rx_ip_cksum = p->rx_udp_cksum = p->rx_tcp_cksum = true;
    p->tx_ip_cksum = p->tx_udp_cksum = p->tx_tcp_cksum = p->tx_tso = true;
}

static int open_offloads(void **state)
{
    (void)state;
    return open_with(offloads);
}

static int close_rig(void **state)
{
    (void)state;
    rig_close(rig);
    return 0;
}

/* Only here the neighbour is one that has just answered: the path that most packets take. */
static void know_well(const char *ip)
{
    uint8_t a[128];
    if (strchr(ip, ':')) {
        rig_know6(rig, ip);
        rig_feed(rig, 0, a, make_nd(a, 136, 0x60, ip, "fd00::1", ip, true));
    } else {
        rig_know4(rig, ip);
        rig_feed(rig, 0, a, make_arp(a, 2, rig_peer_mac, ip, ip[3] == '7' ? "10.7.0.1" : "10.0.0.1"));
    }
    rig_flush(rig);
}

static bool send_segment(uint32_t len, const char *src, const char *dst, uint16_t mss, bool fenced)
{
    struct hg_ip s = ip_of(src), d = ip_of(dst);
    struct rte_mbuf *m = net_tcp_buffer(rig->net, 20 + len);
    assert_non_null(m);
    uint32_t total = make_tcp(b, src, 5060, dst, 5070, 77, ACK, text, len);
    uint8_t *tcp = rte_pktmbuf_mtod(m, uint8_t *);
    memcpy(tcp, b + total - 20 - len, 20 + len);
    tcp[16] = tcp[17] = 0;
    bool sent = net_tcp_send(rig->net, m, &s, &d, &hint, mss, fenced);
    rig_wait(rig, 1);
    return sent;
}

/* The next frame that is no question to a neighbour. */
static const uint8_t *next_tcp(uint32_t *len)
{
    const uint8_t *a;
    do
        a = rig_sent(rig, len);
    while (a && (a[12] == 8 ? a[13] == 6 : a[12] == 0x86 && a[20] == 58));
    return a;
}

static void check4(const char *src, const char *dst, uint32_t payload)
{
    uint32_t len;
    const uint8_t *a = next_tcp(&len);
    assert_non_null(a);
    uint32_t want = make_tcp(b, src, 5060, dst, 5070, 77, ACK, text, payload);
    unsigned tag = a[12] == 0x81 ? 4 : 0;
    assert_int_equal(len, want + tag);
    assert_memory_equal(a, rig_peer_mac, 6);
    a += tag;
    assert_int_equal(sum_of(a + 14, 20, 0), 0);
    assert_int_equal(a[15], 24 << 2);             /* M18 */
    assert_int_equal(a[20] << 8 | a[21], 0x4000); /* do not fragment */
    assert_int_equal(a[22], 64);
    assert_memory_equal(a + 16, b + 16, 2);
    assert_int_equal(a[23], 6);
    assert_memory_equal(a + 26, b + 26, want - 26);
}

static void check6(const char *src, const char *dst, uint32_t payload)
{
    uint32_t len;
    const uint8_t *a = next_tcp(&len);
    assert_non_null(a);
    assert_int_equal(len, make_tcp(b, src, 5060, dst, 5070, 77, ACK, text, payload));
    assert_int_equal(a[14] >> 4, 6);
    assert_int_equal((a[14] & 15) << 4 | a[15] >> 4, 24 << 2);
    assert_int_equal(a[21], 64);
    assert_memory_equal(a + 18, b + 18, 3);
    assert_memory_equal(a + 22, b + 22, len - 22);
}

static void check_up(const char *src, const char *dst, uint32_t payload, uint8_t flags)
{
    struct segment *s = &rig->segment[0];
    struct hg_ip from = ip_of(src), to = ip_of(dst);
    assert_int_equal(rig->nsegments, 1);
    assert_int_equal(s->len, 20 + payload);
    assert_ptr_equal(s->tcp, rte_pktmbuf_mtod(s->m, void *));
    assert_int_equal(rte_pktmbuf_data_len(s->m), s->len);
    assert_int_equal(rte_pktmbuf_pkt_len(s->m), s->len);
    assert_memory_equal(s->tcp + 20, text, payload);
    assert_true(hg_ip_eq(&s->src, &from) && hg_ip_eq(&s->dst, &to));
    assert_int_equal(s->flags, flags);
    rig_free_out(rig);
}

static void segments_get_up(void **state)
{
    (void)state;
    uint32_t len = make_tcp(b, "10.0.0.9", 4000, "10.0.0.1", 5060, 1, SYN, text, 0);
    memset(b + len, 0xee, 6); /* padding of a short frame */
    assert_int_equal(FEED(len + 6), HG_C_net_up_segments);
    check_up("10.0.0.9", "10.0.0.1", 0, 0);
    make_tcp(b, "10.0.0.9", 4000, "10.0.0.2", 9, 1, ACK, text, 1000);
    b[15] |= 3;
    fix_ip4(b);
    assert_int_equal(FEED(1054), HG_C_net_up_segments);
    assert_int_equal(rig->segment[0].ecn, 3);
    check_up("10.0.0.9", "10.0.0.2", 1000, 0);
    len = make_tcp(b, "fd00::9", 4000, "fd00::1", 5060, 1, ACK, text, 100);
    b[15] |= 0x20;
    assert_int_equal(FEED(len), HG_C_net_up_segments);
    assert_int_equal(rig->segment[0].ecn, 2);
    check_up("fd00::9", "fd00::1", 100, 0);
    assert_int_equal(FEED(make_ip4(b, "10.0.0.9", "10.0.0.1", 6, "abc", 3)), HG_C_net_up_segments);
    assert_int_equal(rig->segment[0].len, 3);
    assert_int_equal(rig->nsent, 0); /* net answers nothing of TCP */
}

static void foreign_ones_do_not(void **state)
{
    (void)state;
    static const char *others[] = {"10.0.0.3", "10.0.0.255", "224.0.0.1"};
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(FEED(make_tcp(b, "10.0.0.9", 4000, others[i], 5060, 1, SYN, "", 0)),
                         HG_DROP_ip_not_local);
    make_tcp(b, "10.0.0.9", 4000, "10.0.0.1", 5060, 1, SYN, "", 0);
    memset(b, 0xff, 6); /* to all on the wire */
    assert_int_equal(FEED(54), HG_DROP_ip_not_local);
    uint32_t len = make_tcp(b, "fd00::9", 4000, "ff02::1", 5060, 1, SYN, "", 0);
    assert_int_equal(FEED(len), HG_DROP_ip_not_local);
    net_set_ready(rig->net, false);
    assert_int_equal(FEED(make_tcp(b, "10.0.0.9", 4000, "10.0.0.1", 5060, 1, SYN, "", 0)), HG_DROP_not_ready);
    assert_int_equal(FEED(make_tcp(b, "10.0.0.9", 4000, "10.0.0.1", 5060, 1, SYN | ACK, "", 0)),
                     HG_C_net_up_segments);
    assert_int_equal(FEED(make_tcp(b, "10.0.0.9", 4000, "10.0.0.1", 5060, 1, ACK, "", 0)),
                     HG_C_net_up_segments);
    assert_int_equal(rig->nsent, 0);
}

static void a_burst_keeps_both_kinds_apart(void **state)
{
    (void)state;
    struct rte_mbuf *m[40];
    for (unsigned i = 0; i < 40; i++) {
        uint32_t len = i % 3 ? make_udp(b, "10.0.0.9", 4000, "10.0.0.1", 5060, "x", 1)
                             : make_tcp(b, "10.0.0.9", 4000, "10.0.0.1", 5060, i, ACK, "", 0);
        m[i] = rig_payload(rig, b, len);
    }
    assert_int_equal(rig_input(rig, 0, m, 40), 26);
    assert_int_equal(rig->nsegments, 14);
    for (unsigned i = 0; i < 14; i++)
        assert_int_equal(rig->segment[i].tcp[7], 3 * i);
    assert_int_equal(rig_count(rig, HG_C_net_up_segments), 14);
}

static void fragments_become_one(void **state)
{
    (void)state;
    uint8_t whole[2048];
    make_tcp(whole, "10.0.0.9", 4000, "10.0.0.1", 5060, 1, ACK, text, 1000);
    assert_int_equal(FEED(make_fragment(b, "10.0.0.9", "10.0.0.1", 6, 7, 0, true, whole + 34, 512)),
                     HG_C_net_parked_fragments);
    assert_int_equal(FEED(make_fragment(b, "10.0.0.9", "10.0.0.1", 6, 7, 512, false, whole + 34 + 512, 508)),
                     HG_C_net_up_segments);
    check_up("10.0.0.9", "10.0.0.1", 1000, SEGMENT_REASSEMBLED);
}

static void the_port_may_have_checked(void **state)
{
    (void)state;
    static const uint64_t said[] = {RTE_MBUF_F_RX_L4_CKSUM_GOOD, RTE_MBUF_F_RX_L4_CKSUM_BAD, 0};
    for (unsigned i = 0; i < 3; i++) {
        struct rte_mbuf *m =
            rig_payload(rig, b, make_tcp(b, "10.0.0.9", 4000, "10.0.0.1", 5060, 1, ACK, text, 9));
        m->ol_flags = said[i] | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
        rig_input(rig, 0, &m, 1);
        check_up("10.0.0.9", "10.0.0.1", 9, i == 0 ? SEGMENT_SUM_GOOD : 0);
    }
}

static void service(bool held)
{
    struct net_service_address a = {.ip = ip_of("10.0.0.100"), .held = held};
    assert_true(net_service_set(rig->net, &a, 1));
    rig_wait(rig, 5000);
    rig_flush(rig);
}

static void service_addresses(void **state)
{
    (void)state;
    uint32_t len = make_tcp(b, "10.0.0.9", 4000, "10.0.0.100", 5060, 1, SYN, text, 0);
    service(false);
    assert_int_equal(FEED(len), HG_DROP_ip_not_local);
    service(true);
    assert_int_equal(FEED(len), HG_C_net_up_segments);
    check_up("10.0.0.9", "10.0.0.100", 0, SEGMENT_SERVICE);
    know_well("10.0.0.9");
    assert_true(send_segment(100, "10.0.0.100", "10.0.0.9", 0, false));
    check4("10.0.0.100", "10.0.0.9", 100);
    serve_until = rte_rdtsc(); /* over between two looks at the clock: nothing of it leaves */
    assert_true(send_segment(100, "10.0.0.100", "10.0.0.9", 0, false));
    assert_true(send_segment(100, "10.0.0.1", "10.0.0.9", 0, true));
    assert_true(send_segment(100, "10.0.0.1", "10.0.0.9", 0, false));
    check4("10.0.0.1", "10.0.0.9", 100);
    assert_null(next_tcp(NULL));
    assert_int_equal(rig_count(rig, HG_C_lease_over), 2);
    service(false);
    assert_false(send_segment(100, "10.0.0.100", "10.0.0.9", 0, false));
    assert_int_equal(rig_count(rig, HG_C_lease_over), 3);
}

static void segments_leave(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 2, 3, 511, 1460};
    know_well("10.0.0.9");
    for (unsigned i = 0; i < 6; i++) {
        assert_true(send_segment(sizes[i], "10.0.0.1", "10.0.0.9", 0, false));
        check4("10.0.0.1", "10.0.0.9", sizes[i]);
    }
    assert_int_not_equal(hint.generations, 0);
    hint = (struct net_hint){0};
    know_well("10.7.0.9");
    assert_true(send_segment(300, "10.7.0.1", "10.7.0.9", 0, false));
    check4("10.7.0.1", "10.7.0.9", 300);
    hint = (struct net_hint){0};
    know_well("fd00::9");
    for (unsigned i = 0; i < 5; i++) {
        assert_true(send_segment(sizes[i], "fd00::1", "fd00::9", 0, false));
        check6("fd00::1", "fd00::9", sizes[i]);
    }
    for (unsigned i = 0; i < 5; i++) /* many in one turn: their sums are made behind each other */
        assert_true(send_segment(i * 100, "fd00::1", "fd00::9", 0, false));
    for (unsigned i = 0; i < 5; i++)
        check6("fd00::1", "fd00::9", i * 100);
}

/* A neighbour that is not known, or only half: the same bytes, by the other way. */
static void the_neighbour_is_asked_first(void **state)
{
    (void)state;
    assert_true(send_segment(333, "10.0.0.1", "10.0.0.9", 0, false));
    assert_null(next_tcp(NULL));
    uint8_t a[128];
    rig_feed(rig, 0, a, make_arp(a, 2, rig_peer_mac, "10.0.0.9", "10.0.0.1"));
    check4("10.0.0.1", "10.0.0.9", 333);
    hint = (struct net_hint){0};
    rig_know6(rig, "fd00::9"); /* stale: it asked us */
    assert_true(send_segment(333, "fd00::1", "fd00::9", 0, false));
    check6("fd00::1", "fd00::9", 333);
    hint = (struct net_hint){0};
    assert_false(send_segment(1, "10.0.0.1", "127.0.0.1", 0, false));
    assert_int_equal(rig_count(rig, HG_C_tx_no_route), 1);
    assert_int_equal(hint.generations, 0);
}

/* What the hint points to has become another neighbour's place, or the routes have changed. */
static void an_old_hint_is_found_again(void **state)
{
    (void)state;
    know_well("10.0.0.9");
    assert_true(send_segment(10, "10.0.0.1", "10.0.0.9", 0, false));
    check4("10.0.0.1", "10.0.0.9", 10);
    struct net_hint old = hint;
    net_link(rig->net, 0, false);
    assert_false(send_segment(10, "10.0.0.1", "10.0.0.9", 0, false));
    net_link(rig->net, 0, true);
    rig_wait(rig, 5000); /* the announcements */
    know_well("10.0.0.9");
    assert_true(send_segment(10, "10.0.0.1", "10.0.0.9", 0, false));
    check4("10.0.0.1", "10.0.0.9", 10);
    assert_int_not_equal(hint.generations, old.generations);
    hint = (struct net_hint){.neighbour = UINT32_MAX, .generations = UINT32_MAX};
    assert_true(send_segment(10, "10.0.0.1", "10.0.0.9", 0, false));
    check4("10.0.0.1", "10.0.0.9", 10);
    struct hg_ip dst = ip_of("10.0.0.9");
    rig->net->neighbours[hint.neighbour].gen++; /* evicted */
    assert_true(send_segment(10, "10.0.0.1", "10.0.0.9", 0, false));
    assert_true(hg_ip_eq(&rig->net->neighbours[hint.neighbour].ip, &dst));
}

static void too_long_ones_are_cut(void **state)
{
    (void)state;
    know_well("10.0.0.9");
    assert_true(send_segment(2000, "10.0.0.1", "10.0.0.9", 0, false));
    uint32_t len, total = 0;
    const uint8_t *a;
    while ((a = next_tcp(&len)))
        total += len - 34;
    assert_int_equal(total, 2020);
    assert_int_equal(rig_count(rig, HG_C_tx_fragments), 2);
    assert_int_equal(net_tso_max(rig->net, &hint), 0);
}

static void the_port_may_sum_and_cut(void **state)
{
    (void)state;
    know_well("10.0.0.9");
    uint64_t sum = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
    assert_true(send_segment(1000, "10.0.0.1", "10.0.0.9", 1460, false));
    assert_non_null(next_tcp(NULL));
    assert_int_equal(rig->sent[rig->taken - 1].ol_flags, sum);
    assert_int_equal(net_tso_max(rig->net, &hint), NET_TSO_MAX);
    assert_true(send_segment(4000, "10.0.0.1", "10.0.0.9", 1460, false));
    uint32_t len;
    const uint8_t *a = next_tcp(&len);
    assert_int_equal(rig->sent[rig->taken - 1].ol_flags, sum | RTE_MBUF_F_TX_TCP_SEG);
    assert_int_equal(len, 4054);
    /* what the port completes: the pseudo header without a length */
    struct hg_ip s = ip_of("10.0.0.1"), d = ip_of("10.0.0.9");
    uint32_t pseudo = 6;
    for (unsigned i = 12; i < 16; i += 2)
        pseudo += (uint32_t)(s.b[i] << 8 | s.b[i + 1]) + (uint32_t)(d.b[i] << 8 | d.b[i + 1]);
    assert_int_equal(a[50] << 8 | a[51], (pseudo & 0xffff) + (pseudo >> 16));
}

static uint32_t quote_of(uint8_t *quote, const char *src, const char *dst)
{
    uint8_t frame[256];
    uint32_t len = make_tcp(frame, src, 5060, dst, 4000, 0x12345678, ACK, text, 40);
    memcpy(quote, frame + 14, len - 14);
    return len - 14;
}

static void check_news(const char *local, const char *remote, enum net_icmp_kind kind, uint16_t mtu)
{
    const struct net_icmp_news *n;
    struct hg_ip l = ip_of(local), r = ip_of(remote);
    assert_int_equal(net_icmp_take(rig->net, &n), 1);
    assert_true(hg_ip_eq(&n->local, &l) && hg_ip_eq(&n->remote, &r));
    assert_int_equal(n->local_port, 5060);
    assert_int_equal(n->remote_port, 4000);
    assert_int_equal(n->seq, 0x12345678);
    assert_int_equal(n->kind, kind);
    assert_int_equal(n->mtu, mtu);
    assert_int_equal(net_icmp_take(rig->net, &n), 0);
}

static void routers_are_heard(void **state)
{
    (void)state;
    static const struct {
        uint8_t type, code, kind;
        uint32_t rest;
    } four[] = {{3, 4, NET_ICMP_MTU, 1400},
                {3, 3, NET_ICMP_HARD, 0},
                {3, 2, NET_ICMP_HARD, 0},
                {3, 1, NET_ICMP_SOFT, 0},
                {11, 0, NET_ICMP_SOFT, 0}},
      six[] = {{2, 0, NET_ICMP_MTU, 1400},
               {1, 4, NET_ICMP_HARD, 0},
               {1, 0, NET_ICMP_SOFT, 0},
               {3, 0, NET_ICMP_SOFT, 0}};
    uint8_t quote[256];
    uint32_t len = quote_of(quote, "10.0.0.1", "192.168.3.3");
    for (unsigned i = 0; i < 5; i++)
        for (uint32_t n = 28; n <= len; n += len - 28) {
            FEED(make_icmp(b, "10.0.0.253", "10.0.0.1", four[i].type, four[i].code, four[i].rest, quote, n));
            check_news("10.0.0.1", "192.168.3.3", four[i].kind, (uint16_t)four[i].rest);
        }
    len = quote_of(quote, "fd00::1", "fd01::7");
    for (unsigned i = 0; i < 4; i++) {
        FEED(make_icmp(b, "fd00::fe", "fd00::1", six[i].type, six[i].code, six[i].rest, quote, len));
        check_news("fd00::1", "fd01::7", six[i].kind, (uint16_t)six[i].rest);
    }
    assert_int_equal(rig_count(rig, HG_C_net_icmp_tcp), 14);
}

static void liars_are_not(void **state)
{
    (void)state;
    const struct net_icmp_news *n;
    uint8_t quote[256];
    uint32_t len = quote_of(quote, "10.0.0.1", "192.168.3.3");
    for (uint32_t l = 0; l < 28; l++)
        FEED(make_icmp(b, "10.0.0.253", "10.0.0.1", 3, 4, 600, quote, l));
    FEED(make_icmp(b, "10.0.0.253", "10.0.0.1", 4, 0, 0, quote, len)); /* source quench */
    quote[7] = 3;                                                      /* of a later fragment */
    FEED(make_icmp(b, "10.0.0.253", "10.0.0.1", 3, 3, 0, quote, len));
    len = quote_of(quote, "10.0.0.77", "192.168.3.3"); /* we never sent that */
    FEED(make_icmp(b, "10.0.0.253", "10.0.0.1", 3, 3, 0, quote, len));
    assert_int_equal(net_icmp_take(rig->net, &n), 0);
    len = quote_of(quote, "10.0.0.1", "192.168.3.3");
    for (unsigned i = 0; i < NET_ICMP_BOX + 10; i++)
        FEED(make_icmp(b, "10.0.0.253", "10.0.0.1", 3, 3, 0, quote, len));
    assert_int_equal(net_icmp_take(rig->net, &n), NET_ICMP_BOX);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        CASE(segments_get_up),
        CASE(foreign_ones_do_not),
        CASE(a_burst_keeps_both_kinds_apart),
        CASE(fragments_become_one),
        cmocka_unit_test_setup_teardown(the_port_may_have_checked, open_offloads, close_rig),
        CASE(service_addresses),
        CASE(segments_leave),
        CASE(the_neighbour_is_asked_first),
        CASE(an_old_hint_is_found_again),
        CASE(too_long_ones_are_cut),
        cmocka_unit_test_setup_teardown(the_port_may_sum_and_cut, open_offloads, close_rig),
        CASE(routers_are_heard),
        CASE(liars_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
