/* SPDX-License-Identifier: BSD-2-Clause */
/* The turn over real ports, network and timers, with a SIP room that only echoes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "fake_sip.h"
#include "harness.h"
#include "hg/stages.h"
#include "net/stage.h"

static struct harness *h;

static struct harness *open_with(struct harness_options o)
{
    memset(&fake, 0, sizeof(fake));
    fake.mail_to = -1;
    o.virtual_clock = true;
    o.no_routes = true;
    h = harness_open(&o);
    assert_non_null(h);
    harness_settle(h);
    harness_take_all(h); /* announcements of our addresses */
    return h;
}

static void check_sums(void)
{
    assert_int_equal(harness_net_sum(h) + harness_counter(h, HG_DROP_mail_full),
                     harness_counter(h, HG_C_rx_frames));
    assert_int_equal(harness_sip_sum(h), harness_counter(h, HG_C_net_up_datagrams));
}

/* No buffer is lost: what the cores do not hold is back in the pools. */
static void check_buffers_and_close(void)
{
    harness_take_all(h);
    check_sums();
    unsigned lost = rte_mempool_in_use_count(harness_pool(h));
    for (unsigned i = 0; i < harness_core(h, 0)->ctx.cores; i++) {
        lost += rte_mempool_in_use_count(harness_core(h, i)->ctx.pool);
        lost += rte_mempool_in_use_count(harness_core(h, i)->ctx.pool_big);
    }
    harness_close(h);
    assert_int_equal(lost, 0);
}

static void arp_request_is_answered(void **state)
{
    (void)state;
    static const uint8_t ask[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0xee, 10, 0,    0,  2, 8, 6,
                                    0,    1,    8,    0,    6,    4,    0, 1,    2,  0xee, 10, 0, 0, 2,
                                    10,   0,    0,    2,    0,    0,    0, 0,    0,  0,    10, 0, 0, 1};
    struct harness_packet p;

    open_with((struct harness_options){0});
    assert_true(harness_send_frame(h, 0, 0, ask, sizeof(ask)));
    harness_settle(h);
    assert_true(harness_take(h, &p));
    assert_int_equal(p.frame[13], 6);
    assert_int_equal(p.frame[21], 2);         /* a reply */
    assert_memory_equal(p.frame, ask + 6, 6); /* to whom asked */
    assert_memory_equal(p.frame + 28, ((uint8_t[]){10, 0, 0, 1}), 4);
    assert_int_equal(harness_counter(h, HG_C_net_answered), 1);
    check_buffers_and_close();
}

static void datagram_comes_back_marked(void **state)
{
    (void)state;
    static const char *const peers[][2] = {{"10.0.0.2:5070", "10.0.0.1:5060"},
                                           {"[fd00::2]:5070", "[fd00::1]:5060"}};
    struct harness_packet p;

    open_with((struct harness_options){0});
    for (unsigned i = 0; i < 2; i++) {
        harness_send_udp(h, peers[i][0], peers[i][1], "echo me", 7);
        harness_settle(h);
        assert_true(harness_take(h, &p));
        assert_true(p.udp && p.checksums_good);
        assert_int_equal(p.payload.len, 7);
        assert_memory_equal(p.payload.p, "echo me", 7);
        assert_int_equal(p.dscp, 24); /* M18 */
        assert_int_equal(p.src.port, 5060);
        assert_int_equal(p.dst.port, 5070);
        assert_false(harness_take(h, &p));
    }
    check_buffers_and_close();
}

static void vlan_goes_back_to_its_vlan(void **state)
{
    (void)state;
    struct harness_packet p;

    open_with((struct harness_options){0});
    harness_send_udp(h, "10.0.7.9:5060", "10.0.7.1:5060", "echo vlan", 9);
    harness_settle(h);
    assert_true(harness_take(h, &p));
    assert_true(p.udp);
    assert_int_equal(p.vlan, 7);
    check_buffers_and_close();
}

static void closed_port_gets_icmp(void **state)
{
    (void)state;
    struct harness_packet p;

    open_with((struct harness_options){0});
    harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:4711", "echo", 4);
    harness_settle(h);
    assert_true(harness_take(h, &p));
    assert_int_equal(p.proto, 1);
    assert_int_equal(p.frame[34], 3); /* unreachable */
    assert_int_equal(p.frame[35], 3); /* port */
    assert_true(p.checksums_good);
    check_buffers_and_close();
}

static void closed_listeners_drop_with_a_name(void **state)
{
    (void)state;
    open_with((struct harness_options){.closed = true});
    harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:5060", "echo", 4);
    harness_settle(h);
    assert_int_equal(harness_counter(h, HG_DROP_not_ready), 1);
    assert_int_equal(fake.n, 0);
    net_set_ready(harness_core(h, 0)->net, true);
    harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:5060", "echo", 4);
    harness_settle(h);
    assert_int_equal(fake.n, 1);
    check_buffers_and_close();
}

static void one_queue_is_spread_over_the_cores(void **state)
{
    (void)state;
    struct harness_packet p;
    char src[32];
    unsigned back = 0;

    open_with((struct harness_options){.cores = 4, .one_queue = true});
    for (unsigned i = 0; i < 400; i++) {
        snprintf(src, sizeof(src), "10.0.0.%u:%u", 2 + i % 200, 5060 + i / 200);
        harness_send_udp(h, src, "10.0.0.1:5060", "echo", 4);
    }
    harness_settle(h);
    for (unsigned i = 0; i < 4; i++)
        assert_in_range(fake.datagrams[i], 60, 140);
    assert_int_equal(fake.n, 400);
    while (harness_take(h, &p))
        back += p.udp && p.checksums_good;
    assert_int_equal(back, 400);
    check_buffers_and_close();
}

/* A datagram in two fragments that arrive on different queues is put together on the core that owns it. */
static void fragments_meet_on_one_core(void **state)
{
    (void)state;
    uint8_t whole[4096], frag[2048];
    char payload[2000] = "a payload of two fragments";
    struct hg_endpoint src, dst;

    open_with((struct harness_options){.cores = 2});
    hg_endpoint_parse(slice_str("10.0.0.2:5060"), 5060, &src);
    hg_endpoint_parse(slice_str("10.0.0.1:5060"), 5060, &dst);
    uint32_t len = harness_build_udp(h, whole, &src, &dst, payload, sizeof(payload));
    for (uint8_t id = 0; id < 8; id++)
        for (unsigned part = 0; part < 2; part++) {
            uint32_t from = part ? 1480 : 0, n = part ? len - 34 - 1480 : 1480, sum = 0;
            memcpy(frag, whole, 34);
            memcpy(frag + 34, whole + 34 + from, n);
            uint8_t *ip = frag + 14;
            ip[2] = (uint8_t)((20 + n) >> 8);
            ip[3] = (uint8_t)(20 + n);
            ip[5] = id;
            ip[6] = part ? 0 : 0x20;
            ip[7] = (uint8_t)(from / 8);
            ip[10] = ip[11] = 0;
            for (unsigned i = 0; i < 20; i += 2)
                sum += (uint32_t)ip[i] << 8 | ip[i + 1];
            sum = (sum & 0xffff) + (sum >> 16);
            ip[10] = (uint8_t)(~sum >> 8);
            ip[11] = (uint8_t)~sum;
            harness_send_frame(h, 0, (id + part) % 2, frag, 34 + n);
        }
    harness_settle(h);
    assert_int_equal(fake.n, 8);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(fake.len[i], sizeof(payload));
    assert_true(harness_counter(h, HG_C_net_handed_over) > 0);
    check_buffers_and_close();
}

static void datagrams_travel_by_mail(void **state)
{
    (void)state;
    struct harness_packet p;

    open_with((struct harness_options){.cores = 2});
    fake.mail_to = 1;
    for (unsigned i = 0; i < 50; i++)
        harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:5060", "echo", 4);
    harness_settle(h);
    assert_int_equal(fake.datagrams[1] + fake.datagrams[0], 50);
    assert_int_equal(fake.datagrams[0], 0);
    assert_true(fake.mailed > 0);
    unsigned back = 0;
    while (harness_take(h, &p))
        back += p.udp;
    assert_int_equal(back, 50);
    check_buffers_and_close();
}

/* Under load a burst waits in the core while the one before it is worked on: none is lost, the order stays,
 * and a core without work holds nothing. */
static void bursts_overlap_in_order(void **state)
{
    (void)state;
    struct harness_packet p;
    char payload[16];

    open_with((struct harness_options){0});
    harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:5060", "echo",
                     4); /* the neighbour is known from here on */
    harness_settle(h);
    harness_take_all(h);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(payload, sizeof(payload), "echo %04u", i);
        harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:5060", payload, 9);
    }
    harness_run(h, 4);
    unsigned done = fake.n - 1;
    assert_in_range(done, 32, 128);
    assert_true(harness_counter(h, HG_C_rx_frames) > done + 1);
    while (core_turn(harness_core(h, 0)) > 0)
        ;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(payload, sizeof(payload), "echo %04u", i);
        assert_true(harness_take(h, &p));
        assert_memory_equal(p.payload.p, payload, 9);
    }
    check_buffers_and_close();
}

/* Less than a burst is worked on in the turn that finds it. */
static void little_does_not_wait(void **state)
{
    (void)state;
    open_with((struct harness_options){0});
    for (unsigned i = 0; i < 31; i++)
        harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:5060", "x", 1);
    harness_run(h, 1);
    assert_int_equal(fake.n, 31);
    check_buffers_and_close();
}

/* One millisecond in which core 0 gets frames of one flow, each of another call; the cores are at work for so
 * many hundredths of it. Returns how many frames were handed over. */
static unsigned hot_ms(unsigned busy0, unsigned busy1)
{
    const unsigned busy[2] = {busy0, busy1};
    uint64_t before = harness_counter(h, HG_C_sip_sprayed);
    char payload[12] = "hot:";

    for (unsigned i = 0; i < 100; i++) {
        static uint64_t call;
        uint64_t hash = ++call * 0x9e3779b97f4a7c15ull;
        memcpy(payload + 4, &hash, 8);
        uint8_t frame[128];
        struct hg_endpoint src, dst;
        hg_endpoint_parse(slice_str("10.0.0.2:5070"), 5060, &src);
        hg_endpoint_parse(slice_str("10.0.0.1:5060"), 5060, &dst);
        uint32_t len = harness_build_udp(h, frame, &src, &dst, payload, sizeof(payload));
        assert_true(harness_send_frame(h, 0, 0, frame, len));
    }
    for (unsigned i = 0; i < 2;
         i++) { /* all turns at one moment, and then the time that they are said to take */
        struct clock *clock = &harness_core(h, i)->clock;
        while (core_turn(harness_core(h, i)) > 0)
            harness_core(h, i)->busy_since = 0;
        harness_core(h, i)->busy_since = clock->hand;
        clock->hand += clock->per_ms * busy[i] / 100;
        core_turn(harness_core(h, i));
        clock->hand += clock->per_ms - clock->per_ms * busy[i] / 100;
    }
    return (unsigned)(harness_counter(h, HG_C_sip_sprayed) - before);
}

/* The loads that the cores publish decide how much of a hot flow its receiver keeps. */
static void hot_flow_goes_where_time_is(void **state)
{
    (void)state;
    unsigned first = 0, n = 0;

    open_with((struct harness_options){.cores = 2});
    for (unsigned ms = 0; ms < 40 || n == 0; ms++)
        first = n = hot_ms(70, 70);
    assert_in_range(first, 35, 65);
    for (unsigned ms = 0; ms < 200; ms++)
        n = hot_ms(99, 20);
    assert_in_range(n, 95, 100);
    for (unsigned ms = 0; ms < 200; ms++)
        n = hot_ms(20, 99);
    assert_in_range(n, 0, 5);
    check_buffers_and_close();
}

/* A full mailbox costs frames with a name, and no buffer. */
static void full_mailbox_drops_by_name(void **state)
{
    (void)state;
    open_with((struct harness_options){.cores = 2, .one_queue = true, .ring_frames = 8192});
    unsigned sent = 0;
    char src[32];
    for (; sent < 7000; sent++) {
        snprintf(src, sizeof(src), "10.0.0.%u:%u", 2 + sent % 250, 1024 + sent);
        harness_send_udp(h, src, "10.0.0.1:5060", "x", 1);
        if (sent % 32 == 31)
            core_turn(harness_core(h, 0)); /* core 1 sleeps */
    }
    while (core_turn(harness_core(h, 0)) > 0)
        ;
    assert_int_equal(harness_counter(h, HG_DROP_mail_full), 0);
    for (; sent < 16000; sent++) {
        snprintf(src, sizeof(src), "10.0.0.%u:%u", 2 + sent % 250, 1024 + sent);
        harness_send_udp(h, src, "10.0.0.1:5060", "x", 1);
        core_turn(harness_core(h, 0));
    }
    assert_true(harness_counter(h, HG_DROP_mail_full) > 0);
    harness_settle(h);
    assert_int_equal(fake.n + harness_counter(h, HG_DROP_mail_full), sent);
    check_buffers_and_close();
}

static void strange_mail_is_thrown_away(void **state)
{
    (void)state;
    open_with((struct harness_options){.cores = 2});
    struct core *to = harness_core(h, 1), *from = harness_core(h, 0);
    static const uint8_t kinds[] = {0, 77, MAIL_RX_FRAME, MAIL_TX_FRAME, MAIL_NEIGHBOUR, MAIL_HOP_HEALTH};
    for (unsigned i = 0; i < sizeof(kinds); i++) {
        struct rte_mbuf *m = kinds[i] == MAIL_HOP_HEALTH ? NULL : rte_pktmbuf_alloc(harness_pool(h));
        assert_true(mail_send(&from->ctx, 1, (struct mail){.kind = kinds[i], .a = 999, .b = 9, .m = m}));
    }
    core_turn(to);
    assert_int_equal(mail_depth(&to->mail_in), 0);
    check_buffers_and_close();
}

static void timers_run_on_the_cores_clock(void **state)
{
    (void)state;
    open_with((struct harness_options){0});
    harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:5060", "timer", 5);
    harness_settle(h);
    uint64_t armed = harness_core(h, 0)->ctx.ms;
    harness_advance_ms(h, 99);
    assert_int_equal(fake.timers, 0);
    harness_advance_ms(h, 1);
    assert_int_equal(fake.timers, 1);
    assert_int_equal(fake.timer_ms, armed + 100);
    check_buffers_and_close();
}

static void house_is_kept(void **state)
{
    (void)state;
    open_with((struct harness_options){0});
    struct core *core = harness_core(h, 0);
    unsigned houses = fake.houses;
    uint64_t beats = atomic_load(&core->area->heartbeat);

    harness_run(h, 1024);
    assert_int_equal(fake.houses, houses + 4);
    assert_int_equal(atomic_load(&core->area->heartbeat), beats + 4);
    atomic_store(&core->ports->port[0].up, false);
    harness_run(h, 256);
    assert_false(core->port[0].up);
    assert_true(harness_counter(h, HG_C_core_turns) >= 1024);
    check_buffers_and_close();
}

static void stages_are_measured(void **state)
{
    (void)state;
    uint64_t samples[HG_STAGE_COUNT] = {0};

    open_with((struct harness_options){0});
    for (unsigned i = 0; i < 320; i++) {
        harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:5060", "echo", 4);
        harness_run(h, 1);
    }
    harness_settle(h);
    const struct hg_core_area *area = harness_core(h, 0)->area;
    for (unsigned s = 0; s < HG_STAGE_COUNT; s++)
        for (unsigned b = 0; b < HG_HISTOGRAM; b++)
            samples[s] += area->histogram[s][b];
    assert_true(samples[HG_STAGE_turn] >= 10);
    assert_true(samples[HG_STAGE_rx] >= 10);
    assert_true(samples[HG_STAGE_net] >= 10);
    assert_true(samples[HG_STAGE_sip] >= 10);
    check_buffers_and_close();
}

/* Every buffer of the pool is held by somebody else: nothing crashes, good traffic goes on afterwards. */
static void empty_pool_is_survived(void **state)
{
    (void)state;
    static struct rte_mbuf *held[8192];
    struct harness_packet p;
    unsigned n = 0;

    open_with((struct harness_options){0});
    struct rte_mempool *pool = harness_core(h, 0)->ctx.pool;
    while (n < 8192 && (held[n] = rte_pktmbuf_alloc(pool)) != NULL)
        n++;
    for (unsigned i = 0; i < 100; i++) {
        harness_send_udp(h, "10.0.0.3:5070", "10.0.0.1:5060", "echo",
                         4); /* unknown neighbour: a question needs one */
        harness_send_udp(h, "10.0.0.2:5070", "10.0.0.1:4711", "closed", 6);
    }
    harness_settle(h);
    check_sums();
    while (n > 0)
        rte_pktmbuf_free(held[--n]);
    harness_advance_ms(h, 5000);
    harness_take_all(h);
    harness_send_udp(h, "10.0.0.3:5070", "10.0.0.1:5060", "echo", 4);
    harness_settle(h);
    assert_true(harness_take(h, &p));
    assert_true(p.udp);
    check_buffers_and_close();
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    struct harness_options o = {.cores = 2, .one_queue = true, .no_routes = true};
    unsigned seen = 0;

    memset(&fake, 0, sizeof(fake));
    fake.mail_to = -1;
    h = harness_open(&o);
    assert_non_null(h);
    assert_true(harness_start(h, NULL));
    for (unsigned i = 0; i < 2000; i++) {
        char src[32];
        snprintf(src, sizeof(src), "10.0.0.%u:%u", 2 + i % 250, 1024 + i);
        while (rte_mempool_avail_count(harness_pool(h)) < 1000)
            ;
        harness_send_udp(h, src, "10.0.0.1:5060", "x", 1);
    }
    for (unsigned spin = 0; spin < 60000 && seen < 2000; spin++) {
        struct timespec nap = {.tv_nsec = 1000000};
        nanosleep(&nap, NULL);
        seen = (unsigned)harness_counter(h, HG_C_net_up_datagrams);
    }
    harness_stop(h);
    harness_settle(h);
    assert_int_equal(harness_counter(h, HG_C_net_up_datagrams), 2000);
    assert_true(harness_counter(h, HG_C_core_naps) > 0); /* adaptive polling slept meanwhile */
    check_buffers_and_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arp_request_is_answered),
        cmocka_unit_test(datagram_comes_back_marked),
        cmocka_unit_test(vlan_goes_back_to_its_vlan),
        cmocka_unit_test(closed_port_gets_icmp),
        cmocka_unit_test(closed_listeners_drop_with_a_name),
        cmocka_unit_test(one_queue_is_spread_over_the_cores),
        cmocka_unit_test(fragments_meet_on_one_core),
        cmocka_unit_test(datagrams_travel_by_mail),
        cmocka_unit_test(bursts_overlap_in_order),
        cmocka_unit_test(little_does_not_wait),
        cmocka_unit_test(hot_flow_goes_where_time_is),
        cmocka_unit_test(full_mailbox_drops_by_name),
        cmocka_unit_test(strange_mail_is_thrown_away),
        cmocka_unit_test(timers_run_on_the_cores_clock),
        cmocka_unit_test(house_is_kept),
        cmocka_unit_test(stages_are_measured),
        cmocka_unit_test(empty_pool_is_survived),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
