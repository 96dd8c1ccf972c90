/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <rte_mbuf.h>

#include "rig.h"

static uint8_t b[66000];
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

static uint32_t udp4(void)
{
    return make_udp(b, "10.0.0.9", 4000, "10.0.0.1", 5060, "hello", 5);
}

static uint32_t udp6(void)
{
    return make_udp(b, "fd00::9", 4000, "fd00::1", 5060, "hello", 5);
}

static void check_datagram(const char *src, const char *dst, uint16_t port)
{
    struct hg_endpoint s = ep_of(src, 4000), d = ep_of(dst, port);
    const struct datagram *g = &rig->out[0];
    assert_int_equal(rig->nout, 1);
    assert_int_equal(g->len, 5);
    assert_ptr_equal(g->data, rte_pktmbuf_mtod(g->m, char *));
    assert_int_equal(g->m->pkt_len, 5);
    assert_true(rte_pktmbuf_headroom(g->m) >= 128 + 42);
    assert_memory_equal(g->data, "hello", 5);
    assert_true(hg_endpoint_eq(&g->src, &s));
    assert_true(hg_endpoint_eq(&g->dst, &d));
    assert_int_equal(g->ttl, 61);
    rig_free_out(rig);
}

static void udp_to_a_listener(void **state)
{
    (void)state;
    assert_int_equal(FEED(udp4()), HG_C_net_up_datagrams);
    check_datagram("10.0.0.9", "10.0.0.1", 5060);
    assert_int_equal(FEED(udp6()), HG_C_net_up_datagrams);
    check_datagram("fd00::9", "fd00::1", 5060);
    assert_int_equal(FEED(make_udp(b, "8.8.8.8", 4000, "10.0.0.2", 5080, "hello", 5)), HG_C_net_up_datagrams);
    check_datagram("8.8.8.8", "10.0.0.2", 5080);
    assert_int_equal(rig->out[0].iface, 0);
}

static void padding_is_cut(void **state)
{
    (void)state;
    uint32_t len = udp4();
    memset(b + len, 0xaa, 30);
    assert_int_equal(FEED(len + 30), HG_C_net_up_datagrams);
    check_datagram("10.0.0.9", "10.0.0.1", 5060);
}

static void vlans_make_interfaces(void **state)
{
    (void)state;
    uint32_t len = make_udp(b, "10.7.0.9", 4000, "10.7.0.1", 5060, "hello", 5);
    memmove(b + 18, b + 14, len - 14);
    make_eth(b, rig_mac, rig_peer_mac, 7, 0x0800);
    assert_int_equal(FEED(len + 4), HG_C_net_up_datagrams);
    assert_int_equal(rig->out[0].iface, 1);
    check_datagram("10.7.0.9", "10.7.0.1", 5060);
    make_eth(b, rig_mac, rig_peer_mac, 0x2007, 0x0800); /* with a priority */
    assert_int_equal(FEED(len + 4), HG_C_net_up_datagrams);
    rig_free_out(rig);
    make_eth(b, rig_mac, rig_peer_mac, 8, 0x0800);
    assert_int_equal(FEED(len + 4), HG_DROP_eth_unknown_vlan);
    assert_int_equal(FEED(16), HG_DROP_eth_runt);
}

static void ethernet_refuses(void **state)
{
    (void)state;
    uint32_t len = udp4();
    for (uint32_t n = 0; n < 14; n++)
        assert_int_equal(FEED(n), HG_DROP_eth_runt);
    b[5] ^= 1;
    assert_int_equal(FEED(len), HG_DROP_eth_not_ours);
    b[0] = 1; /* some multicast group */
    assert_int_equal(FEED(len), HG_DROP_eth_not_ours);
    memset(b, 0xff, 6); /* a broadcast with a unicast address inside: RFC 1122 section 3.2.1.3 */
    assert_int_equal(FEED(len), HG_DROP_ip_not_local);
    make_eth(b, rig_mac, rig_peer_mac, -1, 0x88cc);
    assert_int_equal(FEED(len), HG_DROP_eth_unknown_type);
    make_eth(b, rig_mac, rig_peer_mac, -1, 60); /* 802.3 */
    assert_int_equal(FEED(len), HG_DROP_eth_unknown_type);
}

static void ip4_refuses(void **state)
{
    (void)state;
    uint32_t len = udp4();
    for (uint32_t n = 14; n < len; n++)
        assert_int_equal(FEED(n), HG_DROP_ip_bad_header);
    b[14] = 0x55;
    assert_int_equal(FEED(len), HG_DROP_ip_bad_header);
    b[14] = 0x44;
    assert_int_equal(FEED(len), HG_DROP_ip_bad_header);
    b[14] = 0x4f;
    assert_int_equal(FEED(len), HG_DROP_ip_bad_header);
    udp4();
    b[24] ^= 0x10;
    assert_int_equal(FEED(len), HG_DROP_ip_bad_checksum);
    static const char *martians[] = {"0.0.0.0",   "0.1.2.3",         "127.0.0.1", "224.0.0.1",
                                     "240.0.0.1", "255.255.255.255", "10.0.0.1",  "10.7.0.1"};
    for (unsigned i = 0; i < sizeof(martians) / sizeof(martians[0]); i++)
        assert_int_equal(FEED(make_udp(b, martians[i], 4000, "10.0.0.1", 5060, "x", 1)), HG_DROP_ip_martian);
    static const char *others[] = {"10.0.0.3",  "10.0.0.255", "255.255.255.255",
                                   "224.0.0.1", "127.0.0.1",  "10.0.0.0"};
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(FEED(make_udp(b, "10.0.0.9", 4000, others[i], 5060, "x", 1)), HG_DROP_ip_not_local);
    assert_int_equal(FEED(make_udp(b, "0.0.0.0", 4000, "0.0.0.0", 5060, "x", 1)), HG_DROP_ip_martian);
    assert_int_equal(rig->nsent, 0);
    assert_int_equal(FEED(make_ip4(b, "10.0.0.9", "10.0.0.1", 132, "12345678", 8)),
                     HG_DROP_ip_unknown_protocol);
}

/* The same datagram behind options. */
static uint32_t udp4_options(const uint8_t *options, uint32_t n)
{
    uint32_t len = udp4();
    memmove(b + 34 + n, b + 34, len - 34);
    memcpy(b + 34, options, n);
    b[14] = (uint8_t)(0x40 | (5 + n / 4));
    b[17] = (uint8_t)(b[17] + n);
    fix_ip4(b);
    return len + n;
}

static void ip4_options(void **state)
{
    (void)state;
    assert_int_equal(FEED(udp4_options((uint8_t[]){1, 1, 1, 0}, 4)), HG_C_net_up_datagrams);
    check_datagram("10.0.0.9", "10.0.0.1", 5060);
    assert_int_equal(FEED(udp4_options((uint8_t[]){148, 4, 0, 0}, 4)),
                     HG_C_net_up_datagrams); /* router alert */
    rig_free_out(rig);
    assert_int_equal(FEED(udp4_options((uint8_t[]){131, 7, 4, 1, 2, 3, 4, 0}, 8)), HG_DROP_ip_bad_header);
    assert_int_equal(FEED(udp4_options((uint8_t[]){1, 137, 3, 4}, 4)), HG_DROP_ip_bad_header);
    assert_int_equal(FEED(udp4_options((uint8_t[]){7, 0, 0, 0}, 4)), HG_DROP_ip_bad_header);
    assert_int_equal(FEED(udp4_options((uint8_t[]){7, 9, 0, 0}, 4)), HG_DROP_ip_bad_header);
    assert_int_equal(FEED(udp4_options((uint8_t[]){1, 1, 1, 7}, 4)), HG_DROP_ip_bad_header);
}

static void ip6_refuses(void **state)
{
    (void)state;
    uint32_t len = udp6();
    for (uint32_t n = 14; n < len; n++)
        assert_int_equal(FEED(n), HG_DROP_ip_bad_header);
    b[14] = 0x45;
    assert_int_equal(FEED(len), HG_DROP_ip_bad_header);
    static const char *martians[] = {"::", "::1", "::10.0.0.1", "ff02::1", "fd00::1", "fe80::ff:fe00:1"};
    for (unsigned i = 0; i < sizeof(martians) / sizeof(martians[0]); i++)
        assert_int_equal(FEED(make_udp(b, martians[i], 4000, "fd00::1", 5060, "x", 1)), HG_DROP_ip_martian);
    struct hg_ip mapped = ip_of("10.0.0.9");
    udp6();
    memcpy(b + 22, mapped.b, 16);
    assert_int_equal(FEED(len), HG_DROP_ip_martian);
    udp6();
    memcpy(b + 38, mapped.b, 16);
    assert_int_equal(FEED(len), HG_DROP_ip_martian);
    static const char *others[] = {"fd00::2", "ff02::2", "ff02::1:ff00:2", "ff02::1", "ff05::1"};
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(FEED(make_udp(b, "fd00::9", 4000, others[i], 5060, "x", 1)), HG_DROP_ip_not_local);
    assert_int_equal(FEED(make_ip6(b, "fd00::9", "fd00::1", 132, "12345678", 8)),
                     HG_DROP_ip_unknown_protocol);
    assert_int_equal(FEED(make_ip6(b, "fd00::9", "fd00::1", 59, "12345678", 8)), HG_DROP_ip_unknown_protocol);
}

/* The datagram behind extension headers; first names the first of them, the last one must name UDP. */
static uint32_t udp6_ext(uint8_t first, const uint8_t *ext, uint32_t n)
{
    uint8_t p[512];
    uint32_t len = udp6() - 54;
    memcpy(p, ext, n);
    memcpy(p + n, b + 54, len);
    return make_ip6(b, "fd00::9", "fd00::1", first, p, n + len);
}

static void ip6_extensions(void **state)
{
    (void)state;
    assert_int_equal(FEED(udp6_ext(0, (uint8_t[]){17, 0, 5, 2, 0, 0, 1, 0}, 8)), HG_C_net_up_datagrams);
    check_datagram("fd00::9", "fd00::1", 5060);
    assert_int_equal(FEED(udp6_ext(60, (uint8_t[]){17, 0, 1, 4, 0, 0, 0, 0}, 8)), HG_C_net_up_datagrams);
    rig_free_out(rig);
    /* hop-by-hop only in front */
    assert_int_equal(FEED(udp6_ext(60, (uint8_t[]){0, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0}, 16)),
                     HG_DROP_ip_bad_header);
    /* routing header: type 0 never (RFC 5095), another one only when it is done */
    assert_int_equal(FEED(udp6_ext(43, (uint8_t[]){17, 0, 0, 0, 0, 0, 0, 0}, 8)), HG_DROP_ip_bad_header);
    assert_int_equal(FEED(udp6_ext(43, (uint8_t[]){17, 0, 4, 1, 0, 0, 0, 0}, 8)), HG_DROP_ip_bad_header);
    assert_int_equal(FEED(udp6_ext(43, (uint8_t[]){17, 0, 4, 0, 0, 0, 0, 0}, 8)), HG_C_net_up_datagrams);
    rig_free_out(rig);
    /* an option that wants to be understood; one that overruns; a length that overruns */
    assert_int_equal(FEED(udp6_ext(60, (uint8_t[]){17, 0, 0x41, 4, 0, 0, 0, 0}, 8)), HG_DROP_ip_bad_header);
    assert_int_equal(FEED(udp6_ext(60, (uint8_t[]){17, 0, 1, 5, 0, 0, 0, 0}, 8)), HG_DROP_ip_bad_header);
    assert_int_equal(FEED(udp6_ext(60, (uint8_t[]){17, 255, 1, 4, 0, 0, 0, 0}, 8)), HG_DROP_ip_bad_header);
    uint8_t chain[80] = {0};
    for (unsigned i = 0; i < 10; i++)
        memcpy(chain + i * 8, (uint8_t[]){i == 9 ? 17 : 60, 0, 1, 4, 0, 0, 0, 0}, 8);
    assert_int_equal(FEED(udp6_ext(60, chain, 80)), HG_DROP_ip_bad_header);
    /* an atomic fragment is whole: RFC 6946 */
    assert_int_equal(FEED(udp6_ext(44, (uint8_t[]){17, 0, 0, 0, 1, 2, 3, 4}, 8)), HG_C_net_up_datagrams);
    check_datagram("fd00::9", "fd00::1", 5060);
}

static void udp_refuses(void **state)
{
    (void)state;
    uint32_t len = udp4();
    b[38] = 0;
    b[39] = 7;
    assert_int_equal(FEED(len), HG_DROP_udp_bad_length);
    b[39] = 14;
    assert_int_equal(FEED(len), HG_DROP_udp_bad_length);
    assert_int_equal(FEED(make_ip4(b, "10.0.0.9", "10.0.0.1", 17, "1234567", 7)), HG_DROP_udp_bad_length);
    udp4();
    b[len - 1] ^= 1;
    assert_int_equal(FEED(len), HG_DROP_udp_bad_checksum);
    udp4();
    b[40] = b[41] = 0; /* none, which IPv4 allows */
    assert_int_equal(FEED(len), HG_C_net_up_datagrams);
    rig_free_out(rig);
    len = udp6();
    b[60] = b[61] = 0; /* ... and IPv6 does not */
    assert_int_equal(FEED(len), HG_DROP_udp_bad_checksum);
    udp6();
    b[len - 2] ^= 1;
    assert_int_equal(FEED(len), HG_DROP_udp_bad_checksum);
    net_set_ready(rig->net, false);
    assert_int_equal(FEED(udp4()), HG_DROP_not_ready);
    assert_int_equal(FEED(make_arp(b, 1, rig_peer_mac, "10.0.0.9", "10.0.0.1")), HG_C_net_answered);
}

static void closed_port_is_told(void **state)
{
    (void)state;
    rig_know4(rig, "10.0.0.9");
    rig_know6(rig, "fd00::9");
    uint32_t len, n = make_udp(b, "10.0.0.9", 4000, "10.0.0.1", 5061, "hello", 5);
    assert_int_equal(FEED(n), HG_DROP_udp_no_listener);
    const uint8_t *a = rig_sent(rig, &len);
    assert_non_null(a);
    while (a[13] == 6) /* the question that checks the neighbour */
        a = rig_sent(rig, &len);
    assert_int_equal(len, 34 + 8 + 33);
    assert_memory_equal(a, rig_peer_mac, 6);
    assert_int_equal(a[23], 1);
    assert_int_equal(a[34], 3);
    assert_int_equal(a[35], 3);
    assert_int_equal(sum_of(a + 14, 20, 0), 0);
    assert_int_equal(sum_of(a + 34, len - 34, 0), 0);
    assert_memory_equal(a + 42, b + 14, 33);
    rig_flush(rig);
    assert_int_equal(FEED(make_udp(b, "fd00::9", 4000, "fd00::1", 5061, "hello", 5)),
                     HG_DROP_udp_no_listener);
    do
        a = rig_sent(rig, &len);
    while (a && a[54] == 135);
    assert_non_null(a);
    assert_int_equal(a[54], 1);
    assert_int_equal(a[55], 4);
    assert_memory_equal(a + 62, b + 14, 53);
    assert_int_equal(rig_count(rig, HG_C_tx_icmp_errors), 2);
}

static void echo(void **state)
{
    (void)state;
    rig_know4(rig, "10.0.0.9");
    rig_know6(rig, "fd00::9");
    uint32_t len;
    assert_int_equal(FEED(make_icmp(b, "10.0.0.9", "10.0.0.2", 8, 0, 0x00010002, "payload", 7)),
                     HG_C_net_answered);
    const uint8_t *a;
    do
        a = rig_sent(rig, &len);
    while (a && a[13] == 6);
    assert_non_null(a);
    assert_int_equal(a[34], 0);
    assert_int_equal(a[15], 24 << 2); /* M18 */
    assert_int_equal(a[22], 64);
    assert_memory_equal(a + 26, b + 30, 4);
    assert_memory_equal(a + 30, b + 26, 4);
    assert_int_equal(sum_of(a + 34, len - 34, 0), 0);
    assert_memory_equal(a + 38, b + 38, 11);
    rig_flush(rig);
    assert_int_equal(FEED(make_icmp(b, "fd00::9", "fd00::1", 128, 0, 0x00010002, "payload", 7)),
                     HG_C_net_answered);
    do
        a = rig_sent(rig, &len);
    while (a && a[54] == 135);
    assert_int_equal(a[54], 129);
    assert_int_equal((a[14] & 15) << 4 | a[15] >> 4, 24 << 2);
    b[55] ^= 1;
    assert_int_equal(FEED(62), HG_DROP_ip_bad_header);
    uint32_t n = make_icmp(b, "10.0.0.9", "10.0.0.2", 8, 0, 1, "payload", 7);
    b[n - 1] ^= 1;
    assert_int_equal(FEED(n), HG_DROP_icmp_bad);
    assert_int_equal(FEED(make_ip4(b, "10.0.0.9", "10.0.0.1", 1, "1234567", 7)), HG_DROP_icmp_bad);
    assert_int_equal(FEED(make_icmp(b, "10.0.0.9", "10.0.0.1", 0, 0, 1, "x", 1)), HG_C_net_absorbed);
    assert_int_equal(FEED(make_icmp(b, "10.0.0.9", "10.0.0.255", 8, 0, 1, "x", 1)), HG_DROP_ip_not_local);
    assert_int_equal(FEED(make_icmp(b, "fd00::9", "ff02::1", 128, 0, 1, "x", 1)), HG_C_net_absorbed);
    unsigned limited = 0;
    for (unsigned i = 0; i < 200; i++)
        limited += FEED(make_icmp(b, "10.0.0.9", "10.0.0.1", 8, 0, 1, "x", 1)) == HG_DROP_icmp_rate;
    assert_in_range(limited, 90, 110);
    rig_wait(rig, 1000);
    assert_int_equal(FEED(make_icmp(b, "10.0.0.9", "10.0.0.1", 8, 0, 1, "x", 1)), HG_C_net_answered);
}

static void nothing_left_to_answer_with(void **state)
{
    (void)state;
    struct rte_mbuf *hold[RIG_MBUFS];
    unsigned n = 0;
    udp4();
    struct rte_mbuf *chain = rte_pktmbuf_alloc(rig->ctx.pool), *tail = rte_pktmbuf_alloc(rig->ctx.pool);
    memcpy(rte_pktmbuf_append(chain, 20), b, 20);
    memcpy(rte_pktmbuf_append(tail, 27), b + 20, 27);
    rte_pktmbuf_chain(chain, tail);
    while (n < RIG_MBUFS && (hold[n] = rte_pktmbuf_alloc(rig->ctx.pool)))
        n++;
    assert_int_equal(rig_input(rig, 0, &chain, 1), 0);
    assert_int_equal(rig_count(rig, HG_DROP_no_mbuf), 1);
    struct hg_endpoint src = ep_of("10.0.0.1", 5060), dst = ep_of("10.0.0.77", 5060);
    struct rte_mbuf *payload = rte_pktmbuf_alloc(rig->ctx.pool);
    while (n < RIG_MBUFS && (hold[n] = rte_pktmbuf_alloc(rig->ctx.pool)))
        n++;
    net_udp_send(rig->net, payload, &src, &dst); /* its question cannot be asked now */
    rte_pktmbuf_free_bulk(hold, n);
    rig_wait(rig, 600);
    assert_int_equal(rig->nsent, 1); /* ... but is asked again */
    /* in pieces it would have been delivered */
    chain = rte_pktmbuf_alloc(rig->ctx.pool);
    tail = rte_pktmbuf_alloc(rig->ctx.pool);
    memcpy(rte_pktmbuf_append(chain, 20), b, 20);
    memcpy(rte_pktmbuf_append(tail, 27), b + 20, 27);
    rte_pktmbuf_chain(chain, tail);
    rig->nout = rig_input(rig, 0, &chain, 1);
    check_datagram("10.0.0.9", "10.0.0.1", 5060);
}

static void short_headroom_is_mended(void **state)
{
    (void)state;
    uint32_t len = udp4();
    struct rte_mbuf *m = rte_pktmbuf_alloc(rig->ctx.pool);
    m->data_off = 0;
    memcpy(rte_pktmbuf_append(m, (uint16_t)len), b, len);
    rig->nout = rig_input(rig, 0, &m, 1);
    check_datagram("10.0.0.9", "10.0.0.1", 5060);
}

static void bursts(void **state)
{
    (void)state;
    struct rte_mbuf *m[50];
    uint32_t len = udp4();
    for (unsigned i = 0; i < 50; i++) {
        m[i] = rte_pktmbuf_alloc(rig->ctx.pool);
        memcpy(rte_pktmbuf_append(m[i], (uint16_t)len), b, len);
        if (i % 5 == 0)
            rte_pktmbuf_mtod(m[i], uint8_t *)[5] ^= 8;
    }
    rig->nout = rig_input(rig, 0, m, 50);
    assert_int_equal(rig->nout, 40);
    assert_int_equal(rig_dispositions(rig), 50);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(udp_to_a_listener),
        CASE(padding_is_cut),
        CASE(vlans_make_interfaces),
        CASE(ethernet_refuses),
        CASE(ip4_refuses),
        CASE(ip4_options),
        CASE(ip6_refuses),
        CASE(ip6_extensions),
        CASE(udp_refuses),
        CASE(closed_port_is_told),
        CASE(echo),
        CASE(nothing_left_to_answer_with),
        CASE(short_headroom_is_mended),
        CASE(bursts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
