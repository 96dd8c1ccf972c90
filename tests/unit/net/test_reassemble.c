/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <rte_mbuf.h>

#include "net/state.h"
#include "rig.h"

static uint8_t b[66000], text[66000], l4[66000];
static struct rig *rig;

static int open_rig(void **state)
{
    (void)state;
    rig = rig_open(NULL);
    for (unsigned i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 7 + i / 251);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    rig_close(rig);
    return 0;
}

struct family {
    const char *peer, *us;
};
static const struct family families[] = {{"10.0.0.9", "10.0.0.1"}, {"fd00::9", "fd00::1"}};

/* Leaves a whole UDP packet of len payload bytes in l4. */
static uint32_t packet(const struct family *fam, uint32_t len)
{
    uint32_t n = make_udp(b, fam->peer, 4000, fam->us, 5060, text, len);
    uint32_t head = fam == families ? 34 : 54;
    memcpy(l4, b + head, n - head);
    return n - head;
}

static unsigned piece(const struct family *fam, uint32_t id, uint32_t offset, uint32_t len, bool more)
{
    return rig_feed(rig, 0, b, make_fragment(b, fam->peer, fam->us, 17, id, offset, more, l4 + offset, len));
}

static void check_whole(uint32_t len)
{
    assert_int_equal(rig->nout, 1);
    assert_int_equal(rig->out[0].len, len);
    assert_int_equal(rig->out[0].m->nb_segs, 1);
    assert_true(rte_pktmbuf_headroom(rig->out[0].m) >= 128 + 42);
    assert_memory_equal(rig->out[0].data, text, len);
    assert_int_equal(reassembly_waiting(rig->net), 0);
    rig_free_out(rig);
}

static void any_order(void **state)
{
    (void)state;
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (unsigned f = 0; f < 2; f++) {
        uint32_t n = packet(&families[f], 3500);
        uint32_t at[4] = {0, 1400, 2800, n};
        for (unsigned o = 0; o < 6; o++)
            for (unsigned i = 0; i < 3; i++) {
                unsigned k = orders[o][i];
                unsigned want = i == 2 ? HG_C_net_up_datagrams : HG_C_net_parked_fragments;
                assert_int_equal(piece(&families[f], 77 + o, at[k], at[k + 1] - at[k], k < 2), want);
            }
        assert_int_equal(rig->nout, 6);
        for (unsigned o = 1; o < 6; o++)
            rte_pktmbuf_free(rig->out[o].m);
        rig->nout = 1;
        check_whole(3500);
    }
    assert_int_equal(rig_count(rig, HG_DROP_frag_timeout), 0);
}

static void large_and_small(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {9, 100, 1900, 2200, 30000, 65000};
    for (unsigned f = 0; f < 2; f++)
        for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            uint32_t n = packet(&families[f], sizes[s]), step = sizes[s] < 1480 ? 8 : 1448, at = 0;
            for (; at + step < n; at += step)
                assert_int_equal(piece(&families[f], s, at, step, true), HG_C_net_parked_fragments);
            assert_int_equal(piece(&families[f], s, at, n - at, false), HG_C_net_up_datagrams);
            check_whole(sizes[s]);
        }
    /* more than a buffer can hold with its headroom */
    uint32_t n = packet(&families[0], 65500), at = 0;
    for (; at + 1480 < n; at += 1480)
        piece(&families[0], 9, at, 1480, true);
    assert_int_equal(piece(&families[0], 9, at, n - at, false), HG_DROP_frag_bad);
    assert_int_equal(reassembly_waiting(rig->net), 0);
}

/* RFC 5722: the whole datagram is refused, and what follows of it. */
static void overlap_refuses_all(void **state)
{
    (void)state;
    static const struct {
        uint32_t first, first_len, then, then_len;
        bool first_more, then_more;
    } cases[] = {
        {0, 80, 72, 80, true, true},    {72, 80, 0, 80, true, true},    {0, 160, 8, 16, true, true},
        {8, 16, 0, 160, true, true},    {0, 80, 40, 20, true, false},   {80, 20, 40, 80, false, true},
        {80, 20, 80, 40, false, true},  {80, 20, 160, 40, false, true}, {80, 20, 160, 40, false, false},
        {160, 80, 80, 20, true, false}, {0, 80, 0, 88, true, true},     {0, 80, 0, 72, true, true},
    };
    uint64_t second = 0;
    for (unsigned f = 0; f < 2; f++)
        for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            packet(&families[f], 1000);
            assert_int_equal(piece(&families[f], i, cases[i].first, cases[i].first_len, cases[i].first_more),
                             HG_C_net_parked_fragments);
            assert_int_equal(piece(&families[f], i, cases[i].then, cases[i].then_len, cases[i].then_more),
                             HG_DROP_frag_bad);
            assert_int_equal(rig_count(rig, HG_DROP_frag_timeout), ++second);
            assert_int_equal(piece(&families[f], i, 400, 80, true), HG_DROP_frag_bad);
            assert_int_equal(reassembly_waiting(rig->net), 0);
        }
    rig_wait(rig, 2100); /* forgotten after the time-out */
    packet(&families[0], 1000);
    assert_int_equal(piece(&families[0], 0, 0, 80, true), HG_C_net_parked_fragments);
    assert_int_equal(rig->nout, 0);
}

static void repeats_are_harmless(void **state)
{
    (void)state;
    uint32_t n = packet(&families[0], 1000);
    assert_int_equal(piece(&families[0], 1, 0, 800, true), HG_C_net_parked_fragments);
    assert_int_equal(piece(&families[0], 1, 0, 800, true), HG_C_net_absorbed);
    assert_int_equal(piece(&families[0], 1, 800, n - 800, false), HG_C_net_up_datagrams);
    check_whole(1000);
    assert_int_equal(piece(&families[0], 2, 0, 800, true), HG_C_net_parked_fragments);
    l4[300] ^= 1; /* the same place, other bytes */
    assert_int_equal(piece(&families[0], 2, 0, 800, true), HG_DROP_frag_bad);
}

static void bad_pieces(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 2; f++) {
        packet(&families[f], 60000);
        assert_int_equal(piece(&families[f], 1, 0, 7, true), HG_DROP_frag_bad);
        assert_int_equal(piece(&families[f], 1, 0, 81, true), HG_DROP_frag_bad);
        assert_int_equal(piece(&families[f], 1, 800, 0, true), HG_DROP_frag_bad);
        assert_int_equal(piece(&families[f], 1, 800, 0, false), HG_DROP_frag_bad);
        assert_int_equal(piece(&families[f], 1, 65528, 80, true), HG_DROP_frag_bad);
        assert_int_equal(piece(&families[f], 1, 65528, 8, false), HG_DROP_frag_bad); /* ends at 65536 */
    }
    assert_int_equal(rig_feed(rig, 0, b, make_ip6(b, "fd00::9", "fd00::1", 44, "1234567", 7)),
                     HG_DROP_ip_bad_header);
    assert_int_equal(rig_feed(rig, 0, b, make_fragment(b, "10.0.0.9", "10.0.0.3", 17, 1, 0, true, l4, 80)),
                     HG_DROP_ip_not_local);
    /* a fragment inside what was put together of fragments */
    uint8_t inner[24] = {17, 0, 0, 1, 1, 2, 3, 4};
    assert_int_equal(rig_feed(rig, 0, b, make_fragment(b, "fd00::9", "fd00::1", 44, 5, 0, true, inner, 16)),
                     HG_C_net_parked_fragments);
    assert_int_equal(rig_feed(rig, 0, b, make_fragment(b, "fd00::9", "fd00::1", 44, 5, 16, false, inner, 8)),
                     HG_DROP_ip_bad_header);
}

static void keys_are_kept_apart(void **state)
{
    (void)state;
    const struct family other = {"10.0.0.8", "10.0.0.1"}, second = {"10.0.0.9", "10.0.0.2"};
    packet(&families[0], 1000);
    assert_int_equal(piece(&families[0], 1, 0, 800, true), HG_C_net_parked_fragments);
    assert_int_equal(piece(&other, 1, 800, 208, false), HG_C_net_parked_fragments);
    assert_int_equal(piece(&second, 1, 800, 208, false), HG_C_net_parked_fragments);
    assert_int_equal(piece(&families[0], 2, 800, 208, false), HG_C_net_parked_fragments);
    assert_int_equal(rig_feed(rig, 0, b, make_fragment(b, "10.0.0.9", "10.0.0.1", 1, 1, 800, false, l4, 208)),
                     HG_C_net_parked_fragments);
    assert_int_equal(piece(&families[0], 1, 800, 208, false), HG_C_net_up_datagrams);
    assert_int_equal(reassembly_waiting(rig->net), 4);
    assert_memory_equal(rig->out[0].data, text, 1000);
}

static void time_out_is_told(void **state)
{
    (void)state;
    rig_know4(rig, "10.0.0.9");
    rig_know6(rig, "fd00::9");
    packet(&families[0], 1000);
    piece(&families[0], 1, 0, 800, true);
    piece(&families[0], 2, 800, 80, true); /* no first piece: nobody is told */
    packet(&families[1], 1000);
    piece(&families[1], 1, 0, 800, true);
    rig_flush(rig);
    rig_wait(rig, 1900);
    assert_int_equal(rig_count(rig, HG_DROP_frag_timeout), 0);
    rig_wait(rig, 200);
    assert_int_equal(rig_count(rig, HG_DROP_frag_timeout), 3);
    assert_int_equal(reassembly_waiting(rig->net), 0);
    assert_int_equal(rig_count(rig, HG_C_tx_icmp_errors), 2);
    const uint8_t *a;
    uint32_t len;
    unsigned seen = 0;
    while ((a = rig_sent(rig, &len))) {
        if (a[12] == 8 && a[13] == 0) {
            assert_int_equal(a[34], 11);
            assert_int_equal(a[35], 1);
            assert_int_equal(sum_of(a + 34, len - 34, 0), 0);
            seen |= 1;
        } else if (a[12] == 0x86 && a[54] == 3) {
            assert_int_equal(a[55], 1);
            seen |= 2;
        }
    }
    assert_int_equal(seen, 3);
}

static void floods_are_bounded(void **state)
{
    (void)state;
    const char *sources[] = {"10.0.0.9", "10.0.0.10", "10.0.0.11"};
    packet(&families[0], 1000);
    /* more datagrams than the table has: the oldest give way, a datagram whose pieces follow closely comes
     * through */
    for (uint32_t id = 0; id < 300; id++) {
        const struct family fam = {sources[id % 3], "10.0.0.1"};
        assert_int_equal(piece(&fam, id, 0, 800, true), HG_C_net_parked_fragments);
        assert_true(reassembly_waiting(rig->net) <= 16);
    }
    assert_int_equal(rig_count(rig, HG_DROP_frag_timeout), 300 - 16);
    assert_int_equal(piece(&families[0], 5000, 0, 800, true), HG_C_net_parked_fragments);
    assert_int_equal(piece(&families[0], 5000, 800, 208, false), HG_C_net_up_datagrams);
    assert_memory_equal(rig->out[0].data, text, 1000);
    rig_wait(rig, 2100);
    assert_int_equal(reassembly_waiting(rig->net), 0);
    /* more buffers than may be parked: a quarter of the pool */
    packet(&families[0], 60000);
    for (uint32_t i = 0; i < 100; i++)
        for (uint32_t id = 1; id < 5; id++)
            piece(&families[0], id, i * 16, 8, true);
    assert_true(reassembly_waiting(rig->net) <= RIG_MBUFS / 4);
    assert_true(rig_count(rig, HG_DROP_frag_timeout) > 300);
    rig_wait(rig, 2100);
    /* one datagram alone has a bound, too */
    unsigned bad = 0;
    for (uint32_t i = 0; i < 200; i++)
        bad += piece(&families[0], 9, i * 16, 8, true) != HG_C_net_parked_fragments;
    assert_int_equal(bad, 200 - RIG_MBUFS / 4);
}

static void few_buffers(struct hg_config *config, struct net_setup *setup)
{
    (void)setup;
    config->dp_mbufs = 256; /* a quarter of them may be parked */
}

/* One datagram that has all the room has nobody to take it from. */
static void the_table_is_full_of_one_datagram(void **state)
{
    (void)state;
    rig_close(rig);
    rig = rig_open(few_buffers);
    packet(&families[0], 60000);
    for (uint32_t i = 0; i < 64; i++)
        assert_int_equal(piece(&families[0], 1, i * 16, 8, true), HG_C_net_parked_fragments);
    assert_int_equal(piece(&families[0], 1, 64 * 16, 8, true), HG_DROP_frag_table_full);
    assert_int_equal(rig_count(rig, HG_DROP_frag_table_full), 1);
    /* another one takes the room of the oldest */
    assert_int_equal(piece(&families[0], 2, 0, 800, true), HG_C_net_parked_fragments);
    assert_int_equal(reassembly_waiting(rig->net), 1);
}

static void no_large_buffer(void **state)
{
    (void)state;
    struct rte_mbuf *hold[RIG_BIG];
    for (unsigned i = 0; i < RIG_BIG; i++)
        assert_non_null(hold[i] = rte_pktmbuf_alloc(rig->ctx.pool_big));
    uint32_t n = packet(&families[0], 2800);
    assert_int_equal(piece(&families[0], 1, 0, 1480, true), HG_C_net_parked_fragments);
    assert_int_equal(piece(&families[0], 1, 1480, n - 1480, false), HG_DROP_no_mbuf);
    assert_int_equal(rig_count(rig, HG_DROP_frag_timeout), 1);
    rte_pktmbuf_free_bulk(hold, RIG_BIG);
    assert_int_equal(piece(&families[0], 1, 0, 1480, true), HG_C_net_parked_fragments);
    assert_int_equal(piece(&families[0], 1, 1480, n - 1480, false), HG_C_net_up_datagrams);
    check_whole(2800);
}

static void an_echo_in_pieces(void **state)
{
    (void)state;
    rig_know4(rig, "10.0.0.9");
    uint32_t n = make_icmp(b, "10.0.0.9", "10.0.0.1", 8, 0, 5, text, 3000) - 34;
    memcpy(l4, b + 34, n);
    rig_feed(rig, 0, b, make_fragment(b, "10.0.0.9", "10.0.0.1", 1, 3, 0, true, l4, 1480));
    rig_feed(rig, 0, b, make_fragment(b, "10.0.0.9", "10.0.0.1", 1, 3, 1480, true, l4 + 1480, 1480));
    assert_int_equal(
        rig_feed(rig, 0, b, make_fragment(b, "10.0.0.9", "10.0.0.1", 1, 3, 2960, false, l4 + 2960, n - 2960)),
        HG_C_net_answered);
    unsigned frames = 0;
    uint32_t len;
    for (const uint8_t *a; (a = rig_sent(rig, &len));)
        frames += a[13] == 0 && a[23] == 1;
    assert_int_equal(frames, 3);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(any_order),
        CASE(large_and_small),
        CASE(overlap_refuses_all),
        CASE(repeats_are_harmless),
        CASE(bad_pieces),
        CASE(keys_are_kept_apart),
        CASE(time_out_is_told),
        CASE(floods_are_bounded),
        CASE(the_table_is_full_of_one_datagram),
        CASE(no_large_buffer),
        CASE(an_echo_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
