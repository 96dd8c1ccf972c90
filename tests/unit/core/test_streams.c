/* SPDX-License-Identifier: BSD-2-Clause */
/* Several cores, one connection each belongs to: wherever the port puts a segment, a fragment or an ICMP
 * error, the core where the connection is at home works on it. What belongs to nothing gets a reset from
 * there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "harness.h"
#include "lib/flow_hash.h"

#define CORES 4
#define MANY  24

static struct harness *h;

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint16_t sum_of(const uint8_t *p, uint32_t len, uint32_t sum)
{
    for (uint32_t i = 0; i < len; i++)
        sum += (uint32_t)p[i] << (i & 1 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* From 10.0.0.2 to 10.0.0.1, or the other way round (what we are said to have sent). Length of the packet. */
static uint32_t ip4(uint8_t *p, uint8_t proto, uint32_t len, uint16_t id, uint16_t fragment, bool ours)
{
    memset(p, 0, 20);
    p[0] = 0x45;
    put16(p + 2, 20 + len);
    put16(p + 4, id);
    put16(p + 6, fragment);
    p[8] = 64;
    p[9] = proto;
    memcpy(p + (ours ? 12 : 16), (const uint8_t[]){10, 0, 0, 1}, 4);
    memcpy(p + (ours ? 16 : 12), (const uint8_t[]){10, 0, 0, 2}, 4);
    put16(p + 10, sum_of(p, 20, 0));
    return 20 + len;
}

static void eth(uint8_t *frame)
{
    const struct net_port *port = &harness_core(h, 0)->ports->port[0].net;
    memcpy(frame, port->mac, 6);
    memcpy(frame + 6, (const uint8_t[]){2, 0xee, 10, 0, 0, 2}, 6);
    put16(frame + 12, 0x0800);
}

/* An ACK that belongs to nothing, with data. */
static uint32_t segment(uint8_t *t, uint16_t sport, uint32_t data)
{
    memset(t, 0, 20);
    put16(t, sport);
    put16(t + 2, 4711);
    put16(t + 10, 99);
    t[12] = 5 << 4;
    t[13] = 16;
    put16(t + 14, 1000);
    memset(t + 20, 'x', data);
    put16(t + 16, sum_of(t, 20 + data, 10 * 256 + 1 + 10 * 256 + 2 + 6 + 20 + data));
    return 20 + data;
}

static unsigned home_of(uint16_t sport)
{
    struct hg_ip a = hg_ip_from4(0x0100000a), b = hg_ip_from4(0x0200000a);
    return flow_core_of(&harness_core(h, 0)->ctx.home, &a, 4711, &b, sport);
}

static void check_homes(unsigned counter)
{
    unsigned want[CORES] = {0}, homes = 0;
    for (unsigned i = 0; i < MANY; i++)
        want[home_of((uint16_t)(2000 + i))]++;
    for (unsigned c = 0; c < CORES; c++) {
        assert_int_equal(harness_core(h, c)->ctx.counters[counter], want[c]);
        homes += want[c] > 0;
    }
    assert_true(homes > 1);
}

static void resets_came_out(void)
{
    struct harness_packet p;
    unsigned n = 0;
    while (harness_take(h, &p))
        n += p.proto == 6 && p.frame[47] & 4;
    assert_int_equal(n, MANY);
}

static void open_with(bool one_queue)
{
    h = harness_open(&(struct harness_options){.cores = CORES, .one_queue = one_queue, .no_routes = true});
    assert_non_null(h);
    assert_int_equal(harness_core(h, 0)->ctx.home.kind, one_queue ? FLOW_SOFTWARE : FLOW_TOEPLITZ);
}

static void segments_go_home(void **state)
{
    (void)state;
    for (unsigned one_queue = 0; one_queue < 2; one_queue++) {
        uint8_t f[2048];
        open_with(one_queue);
        for (unsigned i = 0; i < MANY; i++) {
            eth(f);
            uint32_t len = ip4(f + 14, 6, segment(f + 34, (uint16_t)(2000 + i), 10), 1, 0, false);
            assert_true(harness_send_frame(h, 0, one_queue ? 0 : i % CORES, f, 14 + len));
        }
        harness_settle(h);
        check_homes(HG_C_tcp_resets_sent);
        resets_came_out();
        harness_close(h);
    }
}

/* Both go to the core of their addresses, which puts them together and sends the whole on. */
static void fragments_go_home(void **state)
{
    (void)state;
    uint8_t f[2048], t[1100];
    open_with(false);
    for (unsigned i = 0; i < MANY; i++) {
        uint32_t len = segment(t, (uint16_t)(2000 + i), 1000);
        for (unsigned part = 0; part < 2; part++) {
            uint32_t from = part ? 800 : 0, n = part ? len - 800 : 800;
            eth(f);
            memcpy(f + 34, t + from, n);
            uint16_t bits = (uint16_t)(part ? 800 / 8 : 0x2000);
            assert_true(harness_send_frame(h, 0, (i + part) % CORES, f,
                                           14 + ip4(f + 14, 6, n, (uint16_t)i, bits, false)));
        }
    }
    harness_settle(h);
    check_homes(HG_C_tcp_resets_sent);
    assert_int_equal(harness_counter(h, HG_C_net_up_segments), MANY);
    resets_came_out();
    harness_close(h);
}

static void icmp_errors_go_home(void **state)
{
    (void)state;
    uint8_t f[2048];
    open_with(false);
    for (unsigned i = 0; i < MANY; i++) {
        uint8_t *icmp = f + 34, *quoted = icmp + 8;
        eth(f);
        memset(icmp, 0, 8);
        icmp[0] = 3;
        icmp[1] = 4;
        put16(icmp + 6, 1400);
        ip4(quoted, 6, 20, 1, 0, true);
        memset(quoted + 20, 0, 8);
        put16(quoted + 20, 4711);
        put16(quoted + 22, 2000 + i);
        put16(icmp + 2, sum_of(icmp, 36, 0));
        assert_true(harness_send_frame(h, 0, i % CORES, f, 14 + ip4(f + 14, 1, 36, 1, 0, false)));
    }
    harness_settle(h);
    assert_int_equal(harness_counter(h, HG_C_net_icmp_tcp), MANY);
    check_homes(HG_C_tcp_icmp_ignored);
    harness_close(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_go_home),
        cmocka_unit_test(fragments_go_home),
        cmocka_unit_test(icmp_errors_go_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
