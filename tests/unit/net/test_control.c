/* SPDX-License-Identifier: BSD-2-Clause */
/* The control plane's own datagrams, and what it is told of gateways and links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "net/state.h"
#include "rig.h"

#define PORT 7946

static uint8_t b[2048];
static struct rig *rig;

static void first_listener(struct hg_config *config, struct net_setup *setup)
{
    (void)setup;
    config->listeners[0].ep = ep_of("10.0.0.1", 5060);
}

static int open_rig(void **state)
{
    (void)state;
    rig = rig_open(first_listener);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    rig_close(rig);
    return 0;
}

#define FEED(len) rig_feed(rig, 0, b, (len))

static unsigned beat(const char *src, const void *data, uint32_t len)
{
    return FEED(make_udp(b, src, PORT, "10.0.0.1", PORT, data, len));
}

static void peer_is(const char *ip)
{
    struct hg_ip a = ip_of(ip);
    net_control_peers(rig->net, &a, 1);
}

static void from_nodes_only(void **state)
{
    const struct net_control_datagram *d;
    (void)state;
    assert_int_equal(beat("10.0.0.9", "beat", 4), HG_DROP_udp_no_listener); /* a node that is alone */
    peer_is("10.0.0.9");
    assert_int_equal(beat("10.0.0.8", "beat", 4), HG_DROP_control_denied);
    assert_int_equal(beat("10.0.0.9", "beat", 4), HG_C_net_control);
    net_set_ready(rig->net, false); /* a node that has no tables yet hears its peer */
    assert_int_equal(beat("10.0.0.9", "beats", 5), HG_C_net_control);
    assert_int_equal(net_control_take(rig->net, &d), 2);
    assert_memory_equal(d[0].data, "beat", 4);
    assert_int_equal(d[0].length, 4);
    assert_int_equal(d[0].src.port, PORT);
    assert_int_equal(d[0].src.ip.b[15], 9);
    assert_int_equal(d[1].length, 5);
    assert_int_equal(net_control_take(rig->net, &d), 0);
    assert_int_equal(FEED(make_udp(b, "10.0.0.9", PORT, "10.0.0.2", PORT, "x", 1)), HG_DROP_udp_no_listener);
}

static void bounded(void **state)
{
    static char big[HG_DATAGRAM_MAX + 1];
    const struct net_control_datagram *d;
    (void)state;
    peer_is("10.0.0.9");
    assert_int_equal(beat("10.0.0.9", big, HG_DATAGRAM_MAX + 1), HG_DROP_control_rate);
    for (unsigned i = 0; i < NET_CONTROL_BOX; i++)
        assert_int_equal(beat("10.0.0.9", big, HG_DATAGRAM_MAX), HG_C_net_control);
    assert_int_equal(beat("10.0.0.9", big, 1), HG_DROP_control_rate); /* full until the feed takes them */
    assert_int_equal(net_control_take(rig->net, &d), NET_CONTROL_BOX);
    unsigned refused = 0;
    for (unsigned i = 0; i < 1000; i++) {
        refused += beat("10.0.0.9", big, 1) == HG_DROP_control_rate;
        net_control_take(rig->net, &d);
    }
    assert_true(refused > 500);
    rig_wait(rig, 100);
    assert_int_equal(beat("10.0.0.9", big, 1), HG_C_net_control);
}

static void broken_checksum(void **state)
{
    uint32_t len;
    (void)state;
    peer_is("10.0.0.9");
    len = make_udp(b, "10.0.0.9", PORT, "10.0.0.1", PORT, "beat", 4);
    b[42] ^= 1;
    assert_int_equal(FEED(len), HG_DROP_udp_bad_checksum);
}

static void sent_whatever_the_lease(void **state)
{
    static const _Atomic uint64_t over = 0;
    struct hg_endpoint dst = ep_of("10.0.0.9", PORT);
    uint32_t len;
    (void)state;
    rig_know4(rig, "10.0.0.9");
    rig_flush(rig);
    rig->ctx.serve_until = &over;
    rig->ctx.lease_over = true;
    assert_true(net_control_send(rig->net, &dst, "beat", 4));
    rig_wait(rig, 1);
    const uint8_t *a = rig_sent(rig, &len);
    while (a && a[13] == 6) /* a stale neighbour is asked for, too */
        a = rig_sent(rig, &len);
    assert_non_null(a);
    assert_int_equal(len, 46);
    assert_memory_equal(a + 26, ip_of("10.0.0.1").b + 12, 4);
    assert_int_equal(a[34] << 8 | a[35], PORT);
    assert_memory_equal(a + 42, "beat", 4);
}

/* ---- gateways ---- */

static void gateways_are_asked_and_seen(void **state)
{
    static struct hg_core_area area;
    uint32_t len;
    unsigned asked = 0;
    const uint8_t *a;
    (void)state;
    memset(&area, 0, sizeof(area));
    net_gateway_watch(rig->net);
    rig_flush(rig);
    rig_wait(rig, 3500);
    while ((a = rig_sent(rig, &len)))
        asked += a[12] == 8 && a[13] == 6 && a[21] == 1 && a[41] == 254;
    assert_true(asked >= 3);
    net_health(rig->net, &area);
    assert_int_equal(area.gateways & 1, 1);
    assert_int_equal(area.links, 3);
    assert_int_equal(area.gateway_seen[0], 0); /* silent so far */
    rig->ctx.tsc = 4711;
    FEED(make_arp(b, 2, rig_peer_mac, "10.0.0.254", "10.0.0.1"));
    net_health(rig->net, &area);
    assert_int_equal(area.gateway_seen[0], 4711);
    rig->ctx.tsc = 5000;
    FEED(make_arp(b, 1, rig_peer_mac, "10.0.0.254", "10.0.0.77")); /* its own question is no answer */
    net_health(rig->net, &area);
    assert_int_equal(area.gateway_seen[0], 4711);
    FEED(make_arp(b, 2, rig_peer_mac, "10.0.0.254", "10.0.0.1"));
    net_health(rig->net, &area);
    assert_int_equal(area.gateway_seen[0], 5000);
    net_link(rig->net, 1, false);
    net_health(rig->net, &area);
    assert_int_equal(area.links, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(from_nodes_only),
        T(bounded),
        T(broken_checksum),
        T(sent_whatever_the_lease),
        T(gateways_are_asked_and_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
