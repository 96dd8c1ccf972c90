/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <rte_mbuf.h>

#include "net/state.h"
#include "rig.h"

static uint8_t b[66000], text[66000];
static struct rig *rig;

static void offloads(struct hg_config *config, struct net_setup *setup)
{
    (void)config;
    setup->port[0].tx_ip_cksum = setup->port[0].tx_udp_cksum = true;
    setup->port[0].rx_ip_cksum = setup->port[0].rx_udp_cksum = true;
}

static int open_with(void (*tweak)(struct hg_config *, struct net_setup *))
{
    rig = rig_open(tweak);
    for (unsigned i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 13 + i / 255);
    static const char *known[] = {"10.0.0.9", "10.0.0.253", "10.0.0.254", "172.16.0.2"};
    for (unsigned i = 0; i < 4; i++)
        rig_know4(rig, known[i]);
    rig_know6(rig, "fd00::9");
    return 0;
}

static int open_rig(void **state)
{
    (void)state;
    return open_with(NULL);
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

static void send_mbuf(struct rte_mbuf *m, const char *src, const char *dst)
{
    struct hg_endpoint s = ep_of(src, 5060), d = ep_of(dst, 5070);
    net_udp_send(rig->net, m, &s, &d);
    rig_wait(rig, 1);
}

static void send_text(uint32_t len, const char *src, const char *dst)
{
    send_mbuf(rig_payload(rig, text, len), src, dst);
}

/* The next UDP frame (or fragment) that left, questions to neighbours skipped. */
static const uint8_t *next_udp(uint32_t *len)
{
    const uint8_t *a;
    do
        a = rig_sent(rig, len);
    while (a && (a[12] == 8 ? a[13] == 6 : a[12] == 0x86 && a[20] == 58));
    return a;
}

static uint64_t last_flags(void)
{
    return rig->sent[rig->taken - 1].ol_flags;
}

static void check_udp4(const char *src, const char *dst, uint32_t payload)
{
    uint32_t len;
    const uint8_t *a = next_udp(&len);
    assert_non_null(a);
    uint32_t want = make_udp(b, src, 5060, dst, 5070, text, payload);
    assert_int_equal(len, want);
    assert_memory_equal(a, rig_peer_mac, 6);
    assert_int_equal(sum_of(a + 14, 20, 0), 0);
    assert_int_equal(a[15], 24 << 2);  /* M18 */
    assert_int_equal(a[20] & 0xe0, 0); /* DF clear */
    assert_int_equal(a[22], 64);
    assert_memory_equal(a + 16, b + 16, 2); /* length */
    assert_memory_equal(a + 23, b + 23, 1);
    assert_memory_equal(a + 26, b + 26, len - 26); /* addresses, ports, checksum, payload */
}

static void check_udp6(const char *src, const char *dst, uint32_t payload)
{
    uint32_t len;
    const uint8_t *a = next_udp(&len);
    assert_non_null(a);
    uint32_t want = make_udp(b, src, 5060, dst, 5070, text, payload);
    assert_int_equal(len, want);
    assert_int_equal((a[14] & 15) << 4 | a[15] >> 4, 24 << 2);
    assert_int_equal(a[21], 64);
    assert_memory_equal(a + 18, b + 18, 3);
    assert_memory_equal(a + 22, b + 22, len - 22);
}

static void plain(void **state)
{
    (void)state;
    for (uint32_t len = 0; len < 40; len++) {
        send_text(len, "10.0.0.1", "10.0.0.9");
        check_udp4("10.0.0.1", "10.0.0.9", len);
        send_text(len, "fd00::1", "fd00::9");
        check_udp6("fd00::1", "fd00::9", len);
    }
    send_text(1472, "10.0.0.1", "10.0.0.9");
    check_udp4("10.0.0.1", "10.0.0.9", 1472);
    assert_int_equal(rig_count(rig, HG_C_tx_fragments), 0);
}

static void a_zero_sum_is_sent_as_ones(void **state)
{
    (void)state;
    uint8_t p[2] = {0, 0};
    for (uint32_t v = 0; v < 65536; v++) { /* find the payload whose sum is zero */
        p[0] = (uint8_t)(v >> 8);
        p[1] = (uint8_t)v;
        make_udp(b, "10.0.0.1", 5060, "10.0.0.9", 5070, p, 2);
        if (b[40] == 0xff && b[41] == 0xff)
            break;
    }
    uint32_t len;
    send_mbuf(rig_payload(rig, p, 2), "10.0.0.1", "10.0.0.9");
    const uint8_t *a = next_udp(&len);
    assert_int_equal(a[40], 0xff);
    assert_int_equal(a[41], 0xff);
}

/* Addresses, ports and length whose plain sum is 0x1ffffffff: what is kept of it until the checksum is made
 * must not lose the carry of the carry. */
static void a_sum_carries_twice(void **state)
{
    (void)state;
    struct hg_endpoint s = ep_of("10.0.0.2", 0xeb26), d = ep_of("10.0.0.254", 0xffff);
    uint32_t len;
    send_text(1, "10.0.0.2", "10.0.0.254"); /* asks whether the neighbour is still there: it is */
    rig_feed(rig, 0, b, make_arp(b, 2, rig_peer_mac, "10.0.0.254", "10.0.0.1"));
    assert_non_null(next_udp(&len));
    net_udp_send(rig->net, rig_payload(rig, text, 92), &s, &d);
    assert_int_not_equal(rig->net->tx[0].sum[0].from, 0); /* the way of the usual datagram */
    rig_wait(rig, 1);
    const uint8_t *a = next_udp(&len);
    assert_non_null(a);
    uint32_t want = make_udp(b, "10.0.0.2", 0xeb26, "10.0.0.254", 0xffff, text, 92);
    assert_int_equal(len, want);
    assert_memory_equal(a + 26, b + 26, len - 26);
}

static void routes(void **state)
{
    (void)state;
    struct net_path path;
    struct hg_ip ip = ip_of("192.168.3.4");
    assert_true(net_path_find(rig->net, &ip, &path));
    assert_true(hg_ip_eq(&path.gateway, &(struct hg_ip){0}) == false);
    assert_memory_equal(path.gateway.b, ip_of("10.0.0.253").b, 16);
    assert_memory_equal(path.src.b, ip_of("10.0.0.1").b, 16);
    assert_int_equal(path.mtu, 1500);
    ip = ip_of("8.8.8.8");
    assert_true(net_path_find(rig->net, &ip, &path));
    assert_memory_equal(path.gateway.b, ip_of("10.0.0.254").b, 16);
    ip = ip_of("10.7.0.200");
    assert_true(net_path_find(rig->net, &ip, &path));
    assert_int_equal(path.iface, 1);
    assert_memory_equal(path.src.b, ip_of("10.7.0.1").b, 16);
    ip = ip_of("172.16.0.2");
    assert_true(net_path_find(rig->net, &ip, &path));
    assert_int_equal(path.iface, 2);
    ip = ip_of("2001:db8::1");
    assert_true(net_path_find(rig->net, &ip, &path));
    assert_memory_equal(path.gateway.b, ip_of("fd00::fe").b, 16);
    static const char *nowhere[] = {
        "10.0.0.255", "10.0.0.0", "255.255.255.255", "224.0.0.5", "ff02::1", "10.0.0.1",
        "0.0.0.0",    "::",       "127.0.0.1",       "fd00::1"};
    for (unsigned i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        ip = ip_of(nowhere[i]);
        assert_false(net_path_find(rig->net, &ip, &path));
        send_text(5, hg_ip_is4(&ip) ? "10.0.0.1" : "fd00::1", nowhere[i]);
    }
    assert_int_equal(rig_count(rig, HG_C_tx_no_route), 10);
    send_text(5, "fd00::1", "10.0.0.9"); /* families do not mix */
    assert_int_equal(rig_count(rig, HG_C_tx_no_route), 11);
    send_text(5, "172.16.0.1", "172.16.0.2");
    check_udp4("172.16.0.1", "172.16.0.2", 5);
    net_link(rig->net, 1, false);
    ip = ip_of("172.16.0.2"); /* the other port still has a gateway */
    assert_true(net_path_find(rig->net, &ip, &path));
    assert_memory_equal(path.gateway.b, ip_of("10.0.0.254").b, 16);
}

static void kept_messages_are_not_touched(void **state)
{
    (void)state;
    struct rte_mbuf *m = rig_payload(rig, text, 600);
    uint8_t *front = (uint8_t *)m->buf_addr;
    memset(front, 0xcd, m->data_off);
    rte_mbuf_refcnt_update(m, 1);
    send_mbuf(m, "10.0.0.1", "10.0.0.9");
    check_udp4("10.0.0.1", "10.0.0.9", 600);
    assert_int_equal(rte_mbuf_refcnt_read(m), 1);
    assert_int_equal(m->data_len, 600);
    for (unsigned i = 0; i < m->data_off; i++)
        assert_int_equal(front[i], 0xcd);
    m->data_off = 0; /* no headroom at all */
    memcpy(m->buf_addr, text, 600);
    send_mbuf(m, "fd00::1", "fd00::9");
    check_udp6("fd00::1", "fd00::9", 600);
    struct rte_mbuf *head = rig_payload(rig, text, 100);
    assert_int_equal(rte_pktmbuf_chain(head, rig_payload(rig, text + 100, 333)), 0);
    assert_int_equal(rte_pktmbuf_chain(head, rig_payload(rig, text + 433, 1)), 0);
    send_mbuf(head, "10.0.0.1", "10.0.0.9");
    check_udp4("10.0.0.1", "10.0.0.9", 434);
}

/* Puts the fragments back together in the plainest way. */
static uint32_t gather(uint8_t *to, bool is4, uint32_t mtu)
{
    uint32_t len, total = 0, have = 0, first_id = 0;
    unsigned n = 0;
    for (const uint8_t *a; (a = next_udp(&len)); n++) {
        uint32_t head = is4 ? 34 : 62, at, id;
        bool more;
        assert_true(len - 14 <= mtu);
        if (is4) {
            assert_int_equal(sum_of(a + 14, 20, 0), 0);
            at = ((a[20] & 31u) << 8 | a[21]) * 8;
            more = a[20] & 0x20;
            id = (uint32_t)a[18] << 8 | a[19];
        } else {
            assert_int_equal(a[20], 44);
            assert_int_equal(a[54], 17);
            at = ((uint32_t)a[56] << 8 | a[57]) & 0xfff8;
            more = a[57] & 1;
            memcpy(&id, a + 58, 4);
        }
        if (n == 0)
            first_id = id;
        assert_int_equal(id, first_id);
        memcpy(to + at, a + head, len - head);
        have += len - head;
        if (!more)
            total = at + len - head;
    }
    assert_int_equal(have, total);
    return total;
}

static void larger_than_the_path(void **state)
{
    (void)state;
    static uint8_t got[66000];
    static const uint32_t sizes[] = {1473, 1500, 3000, 20000, 65000};
    for (unsigned i = 0; i < 5; i++) {
        send_text(sizes[i], "10.0.0.1", "10.0.0.9");
        uint32_t n = gather(got, true, 1500),
                 want = make_udp(b, "10.0.0.1", 5060, "10.0.0.9", 5070, text, sizes[i]);
        assert_int_equal(n, want - 34);
        assert_memory_equal(got, b + 34, n);
        send_text(sizes[i], "fd00::1", "fd00::9");
        n = gather(got, false, 1500);
        want = make_udp(b, "fd00::1", 5060, "fd00::9", 5070, text, sizes[i]);
        assert_int_equal(n, want - 54);
        assert_memory_equal(got, b + 54, n);
    }
}

static void our_fragments_are_taken_back(void **state)
{
    (void)state;
    uint32_t len;
    rig_flush(rig);
    send_text(5000, "10.0.0.1", "10.0.0.9");
    static uint8_t frames[8][1600];
    uint32_t lens[8], n = 0;
    for (const uint8_t *a; (a = next_udp(&len)); n++) {
        memcpy(frames[n], a, len);
        lens[n] = len;
        memcpy(frames[n] + 26, ip_of("10.0.0.9").b + 12, 4); /* as if the peer had sent it */
        memcpy(frames[n] + 30, ip_of("10.0.0.1").b + 12, 4);
        memcpy(frames[n], rig_mac, 6);
        fix_ip4(frames[n]);
    }
    assert_int_equal(n, 4);
    frames[0][36] = 5060 >> 8; /* to the listener, which changes the sum: none, then */
    frames[0][37] = 5060 & 255;
    frames[0][40] = frames[0][41] = 0;
    for (unsigned i = 0; i < n; i++)
        rig_feed(rig, 0, frames[i], lens[i]);
    assert_int_equal(rig->nout, 1);
    assert_int_equal(rig->out[0].len, 5000);
    assert_memory_equal(rig->out[0].data, text, 5000);
}

static void path_mtu(void **state)
{
    (void)state;
    static uint8_t got[66000];
    uint8_t quote[64];
    send_text(1400, "10.0.0.1", "192.168.1.1");
    check_udp4("10.0.0.1", "192.168.1.1", 1400);
    make_udp(b, "10.0.0.1", 5060, "192.168.1.1", 5070, text, 1400);
    memcpy(quote, b + 14, 28);
    assert_int_equal(rig_feed(rig, 0, b, make_icmp(b, "10.0.0.253", "10.0.0.1", 3, 4, 1000, quote, 28)),
                     HG_C_net_absorbed);
    rig_flush(rig);
    send_text(1400, "10.0.0.1", "192.168.1.1");
    assert_int_equal(gather(got, true, 1000), 1408);
    /* never below what every link carries */
    rig_feed(rig, 0, b, make_icmp(b, "10.0.0.253", "10.0.0.1", 3, 4, 68, quote, 28));
    rig_flush(rig);
    send_text(1400, "10.0.0.1", "192.168.1.1");
    gather(got, true, 552);
    assert_true(rig_count(rig, HG_C_tx_fragments) <= 2 + 3);
    /* forged: about a packet that we cannot have sent */
    make_udp(b, "10.0.0.1", 9999, "10.0.0.9", 5070, text, 1400);
    memcpy(quote, b + 14, 28);
    rig_feed(rig, 0, b, make_icmp(b, "10.0.0.253", "10.0.0.1", 3, 4, 600, quote, 28));
    rig_feed(rig, 0, b, make_icmp(b, "10.0.0.253", "10.0.0.1", 3, 4, 600, quote, 27));
    rig_flush(rig);
    send_text(1400, "10.0.0.1", "10.0.0.9");
    check_udp4("10.0.0.1", "10.0.0.9", 1400);
    rig_wait(rig, 601000); /* forgotten after ten minutes */
    rig_know4(rig, "10.0.0.253");
    send_text(1400, "10.0.0.1", "192.168.1.1");
    check_udp4("10.0.0.1", "192.168.1.1", 1400);
    make_udp(b, "fd00::1", 5060, "fd00::9", 5070, text, 40);
    memcpy(quote, b + 14, 48);
    rig_feed(rig, 0, b, make_icmp(b, "fd00::fe", "fd00::1", 2, 0, 600, quote, 48));
    rig_know6(rig, "fd00::9");
    send_text(1400, "fd00::1", "fd00::9");
    assert_int_equal(gather(got, false, 1280), 1408);
}

static void checksums_left_to_the_port(void **state)
{
    (void)state;
    uint32_t len;
    send_text(100, "10.0.0.1", "10.0.0.9");
    const uint8_t *a = next_udp(&len);
    assert_int_equal(last_flags(), RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM);
    assert_int_equal(a[24] | a[25], 0);
    /* the field holds the pseudo header's sum: what the port adds makes it right */
    make_udp(b, "10.0.0.1", 5060, "10.0.0.9", 5070, text, 100);
    uint16_t sum = sum_of(a + 34, len - 34, 0);
    assert_int_equal(sum, (uint32_t)b[40] << 8 | b[41]);
    send_text(100, "fd00::1", "fd00::9");
    a = next_udp(&len);
    assert_int_equal(last_flags(), RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_UDP_CKSUM);
    make_udp(b, "fd00::1", 5060, "fd00::9", 5070, text, 100);
    assert_int_equal(sum_of(a + 54, len - 54, 0), (uint32_t)b[60] << 8 | b[61]);
    /* in: believed if the port says good, summed if it says nothing */
    struct rte_mbuf *m = rig_payload(rig, b, make_udp(b, "10.0.0.9", 4000, "10.0.0.1", 5060, text, 100));
    rte_pktmbuf_mtod(m, uint8_t *)[40] ^= 1;
    m->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
    rig->nout = rig_input(rig, 0, &m, 1);
    assert_int_equal(rig->nout, 1);
    make_udp(b, "10.0.0.9", 4000, "10.0.0.1", 5060, text, 100);
    b[40] ^= 1;
    assert_int_equal(rig_feed(rig, 0, b, 142), HG_DROP_udp_bad_checksum);
}

static void no_buffers(void **state)
{
    (void)state;
    static struct rte_mbuf *hold[RIG_MBUFS];
    struct rte_mbuf *large = rig_payload(rig, text, 5000), *kept = rig_payload(rig, text, 500);
    unsigned n = 0;
    while (n < RIG_MBUFS && (hold[n] = rte_pktmbuf_alloc(rig->ctx.pool)))
        n++;
    send_mbuf(large, "10.0.0.1", "10.0.0.9");
    assert_int_equal(rig_count(rig, HG_C_tx_no_mbuf), 1);
    rte_mbuf_refcnt_update(kept, 1);
    send_mbuf(kept, "10.0.0.1", "10.0.0.9");
    assert_int_equal(rig_count(rig, HG_C_tx_no_mbuf), 2);
    assert_int_equal(rte_mbuf_refcnt_read(kept), 1);
    send_mbuf(kept, "10.0.0.1", "10.0.0.9"); /* in place it needs none */
    check_udp4("10.0.0.1", "10.0.0.9", 500);
    rte_pktmbuf_free_bulk(hold, n);
}

static void what_the_port_refuses(void **state)
{
    (void)state;
    struct rte_mbuf **frames;
    uint64_t sent = rig_count(rig, HG_C_tx_frames), bytes = rig_count(rig, HG_C_tx_bytes);
    struct hg_endpoint s = ep_of("10.0.0.1", 5060), d = ep_of("10.0.0.9", 5070);
    for (unsigned i = 0; i < 9; i++)
        net_udp_send(rig->net, rig_payload(rig, text, 58), &s, &d);
    assert_int_equal(net_tx_take(rig->net, 0, &frames), 10); /* and the question to the neighbour */
    rte_pktmbuf_free_bulk(frames, 7);
    net_tx_done(rig->net, 0, 7);
    assert_int_equal(rig_count(rig, HG_C_tx_dropped), 3);
    assert_int_equal(rig_count(rig, HG_C_tx_frames) - sent, 7);
    assert_int_equal(rig_count(rig, HG_C_tx_bytes) - bytes, 6 * 100 + 42);
    assert_int_equal(net_tx_take(rig->net, 0, &frames), 0);
    net_tx_done(rig->net, 0, 0);
    for (unsigned i = 0; i < 500; i++) /* nobody takes them: bounded by the buffers and by NET_TX_MAX */
        net_udp_send(rig->net, rte_pktmbuf_alloc(rig->ctx.pool), &s, &d);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(plain),
        CASE(a_zero_sum_is_sent_as_ones),
        CASE(a_sum_carries_twice),
        CASE(routes),
        CASE(kept_messages_are_not_touched),
        CASE(larger_than_the_path),
        CASE(our_fragments_are_taken_back),
        CASE(path_mtu),
        cmocka_unit_test_setup_teardown(checksums_left_to_the_port, open_offloads, close_rig),
        CASE(no_buffers),
        CASE(what_the_port_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
