/* SPDX-License-Identifier: BSD-2-Clause */
/* The cluster through the feed: serving map, contacts, service addresses, datagrams, the lease of who has no
 * high availability; kept over restarts of either side, swept when nobody mentions it any more. */
#include "feed_world.h"

#include "hg/contacts.h"
#include "route/route.h"

static const struct hg_endpoint phone = {.ip.b = {[10] = 0xff, 0xff, 10, 0, 0, 9}, .port = 5062};

static bool give(uint64_t n, const char *uri, uint16_t q)
{
    char bytes[HG_CONTACTS_BYTES];
    struct hg_user_key k = key(n);
    uint32_t len = hg_contact_put(bytes, sizeof(bytes), 0, &phone, q, slice_str(uri));
    return len && feed_contacts_set(w.cp, &k, bytes, len, 1);
}

/* On every core: the URI of the only contact, "" for none. */
static void expect_contact(uint64_t n, const char *uri)
{
    struct hg_user_key k = key(n);
    for (unsigned i = 0; i < CORES; i++) {
        struct route *r = feed_node_route(w.dp, i);
        struct route_targets t;
        struct slice got = slice_of("", 0);
        assert_int_equal(route_contacts(r, &k, &t), *uri ? 1 : 0);
        if (t.n)
            got = route_contact_uri(r, &k, &t.t[0]);
        if (!slice_eq(got, slice_str(uri)))
            fail_msg("user %u core %u: " SLICE_FMT, (unsigned)n, i, SLICE_ARG(got));
    }
}

static void identity(uint16_t map[HG_NODES_MAX])
{
    for (uint16_t i = 0; i < HG_NODES_MAX; i++)
        map[i] = i;
}

static uint16_t serving(unsigned core, uint16_t home)
{
    return route_serving(feed_node_route(w.dp, core), home);
}

/* ---- who serves whom ---- */

static void the_map_comes_whole(void **state)
{
    uint16_t map[HG_NODES_MAX];
    (void)state;
    attach_whole(10);
    for (unsigned i = 0; i < CORES; i++)
        for (uint16_t home = 1; home < HG_NODES_MAX; home++)
            assert_int_equal(serving(i, home), home); /* nobody said otherwise */
    identity(map);
    map[2] = 1, map[3] = 0;
    assert_true(feed_serving_set(w.cp, map, 77));
    assert_int_equal(until_applied(), FEED_APPLIED);
    for (unsigned i = 0; i < CORES; i++) {
        assert_int_equal(serving(i, 2), 1);
        assert_int_equal(serving(i, 3), 0);
        assert_int_equal(serving(i, 4), 4);
        assert_int_equal(feed_node_segment(w.dp)->core[i].area->serving_epoch, 77);
        assert_int_equal(counter(i, HG_C_feed_bad), 0);
    }
    uint64_t records = counter(0, HG_C_feed_records);
    assert_true(feed_serving_set(w.cp, map, 77)); /* the same again costs nothing */
    run(5);
    assert_int_equal(counter(0, HG_C_feed_records), records);
    map[5] = HG_NODES_MAX;
    assert_false(feed_serving_set(w.cp, map, 78));
}

static void the_map_survives(void **state)
{
    uint16_t map[HG_NODES_MAX];
    (void)state;
    attach_whole(10);
    identity(map);
    map[2] = 1;
    assert_true(feed_serving_set(w.cp, map, 5));
    assert_int_equal(until_applied(), FEED_APPLIED);
    feed_node_stop(w.dp);
    start_dp();
    run(200);
    feed_users_loaded(w.cp);
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_int_equal(serving(2, 2), 1);
}

/* A control plane that starts knows nothing of it yet. */
static void the_map_is_kept_until_the_next_one_is_known(void **state)
{
    uint16_t map[HG_NODES_MAX];
    (void)state;
    attach_whole(10);
    identity(map);
    map[2] = 1;
    assert_true(feed_serving_set(w.cp, map, 5));
    assert_int_equal(until_applied(), FEED_APPLIED);
    feed_destroy(w.cp);
    start_cp();
    run(200);
    assert_int_equal(serving(2, 2), 1);
    map[2] = 2; /* also where it is what everybody begins with */
    assert_true(feed_serving_set(w.cp, map, 6));
    run(50);
    assert_int_equal(serving(2, 2), 2);
}

/* ---- contacts ---- */

static void contacts_are_mirrored(void **state)
{
    struct hg_user_key k;
    (void)state;
    run(1);
    for (uint64_t n = 0; n < 3000; n++) {
        char uri[64];
        snprintf(uri, sizeof(uri), "sip:u%u@10.0.0.9", (unsigned)n);
        assert_true(give(n, uri, 1000));
    }
    assert_int_equal(feed_contacts_count(w.cp), 3000);
    attach_whole(3000);
    expect_contact(0, "sip:u0@10.0.0.9");
    expect_contact(2999, "sip:u2999@10.0.0.9");
    for (unsigned i = 0; i < CORES; i++) {
        assert_int_equal(counter(i, HG_C_feed_bad), 0);
        assert_int_equal(counter(i, HG_C_contacts), 3000);
    }
    assert_true(give(7, "sip:new@10.0.0.9", 500));
    k = key(8);
    feed_contacts_remove(w.cp, &k);
    assert_int_equal(until_applied(), FEED_APPLIED);
    expect_contact(7, "sip:new@10.0.0.9");
    expect_contact(8, "");
    expect_contact(9, "sip:u9@10.0.0.9");
    assert_int_equal(feed_contacts_count(w.cp), 2999);
    uint64_t records = counter(0, HG_C_feed_records);
    assert_true(give(7, "sip:new@10.0.0.9", 500));
    run(5);
    assert_int_equal(counter(0, HG_C_feed_records), records);
    assert_false(give(1, "sip:with space@x", 1000));
    assert_false(give(1, "", 1000));
    assert_false(give(1, "sip:x@y", 1001));
}

/* More than a ring holds, changed again and again before it has room: the newest value arrives. */
static void the_newest_contacts_arrive(void **state)
{
    (void)state;
    attach_whole(100);
    for (unsigned round = 0; round < 20; round++) {
        for (uint64_t n = 0; n < 2000; n++) {
            char uri[200];
            snprintf(uri, sizeof(uri), "sip:u%u-%u@10.0.0.9;%0*u", (unsigned)n, round, (int)(n % 100) + 1,
                     7u);
            assert_true(give(n, uri, 1000));
        }
        if (round % 5 == 0)
            run(1);
        else
            poll_cp();
    }
    assert_int_equal(until_applied(), FEED_APPLIED);
    for (uint64_t n = 0; n < 2000; n += 37) {
        char uri[200];
        snprintf(uri, sizeof(uri), "sip:u%u-19@10.0.0.9;%0*u", (unsigned)n, (int)(n % 100) + 1, 7u);
        expect_contact(n, uri);
    }
}

static void contacts_are_swept(void **state)
{
    struct hg_user_key k;
    (void)state;
    attach_whole(10);
    for (uint64_t n = 0; n < 500; n++)
        assert_true(give(n, "sip:old@10.0.0.9", 1000));
    assert_int_equal(until_applied(), FEED_APPLIED);
    feed_destroy(w.cp);
    start_cp();
    run(3);
    k = key(3);
    feed_contacts_remove(w.cp, &k); /* never heard of by this control plane */
    assert_true(give(1, "sip:old@10.0.0.9", 1000));
    assert_true(give(2, "sip:new@10.0.0.9", 1000));
    run(50);
    expect_contact(3, "");
    expect_contact(4, "sip:old@10.0.0.9"); /* until the end is known, nobody is swept */
    give_image(1);
    feed_users_loaded(w.cp);
    assert_int_equal(until_applied(), FEED_APPLIED);
    expect_contact(1, "sip:old@10.0.0.9");
    expect_contact(2, "sip:new@10.0.0.9");
    expect_contact(4, "");
    assert_int_equal(counter(0, HG_C_contacts), 2);
}

/* ---- service addresses ---- */

static void service_addresses_follow_the_map(void **state)
{
    struct hg_net net[2] = {{.ip = phone.ip, .bits = 120}, {.ip = phone.ip, .bits = 120}};
    const struct net_service_address *a;
    uint16_t map[HG_NODES_MAX];
    (void)state;
    net[0].ip.b[15] = 101, net[1].ip.b[15] = 102;
    attach_whole(10); /* we are node 1 */
    assert_true(feed_service_addresses(w.cp, 1, &net[0], 1));
    assert_true(feed_service_addresses(w.cp, 2, &net[1], 1));
    assert_false(feed_service_addresses(w.cp, 0, &net[1], 1));
    assert_false(feed_service_addresses(w.cp, 2, net, HG_SERVICE_MAX + 1));
    assert_int_equal(until_applied(), FEED_APPLIED);
    for (unsigned i = 0; i < CORES; i++) {
        assert_int_equal(feed_node_service(w.dp, i, &a), 2);
        assert_true(a[0].held && !a[1].held);
    }
    identity(map);
    map[1] = 2;
    feed_serving_set(w.cp, map, 1);
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_int_equal(feed_node_service(w.dp, 0, &a), 2);
    assert_true(!a[0].held && !a[1].held);
    map[1] = map[2] = 1;
    feed_serving_set(w.cp, map, 2);
    assert_true(feed_service_addresses(w.cp, 1, NULL, 0));
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_int_equal(feed_node_service(w.dp, 2, &a), 1);
    assert_true(a[0].held);
    assert_int_equal(a[0].ip.b[15], 102);
}

static void service_addresses_are_swept(void **state)
{
    struct hg_net net = {.ip = phone.ip, .bits = 120};
    const struct net_service_address *a;
    (void)state;
    attach_whole(10);
    assert_true(feed_service_addresses(w.cp, 1, &net, 1));
    assert_int_equal(until_applied(), FEED_APPLIED);
    feed_destroy(w.cp);
    start_cp();
    run(10);
    assert_int_equal(feed_node_service(w.dp, 0, &a), 1); /* nobody has said that it is gone */
    attach_whole(10);
    assert_int_equal(feed_node_service(w.dp, 0, &a), 0);
}

/* ---- pairs, datagrams, the lease ---- */

static void pairs_and_peers(void **state)
{
    struct hg_endpoint ep = {.ip = phone.ip, .port = 5060};
    struct hg_ip third = {{0}};
    (void)state;
    attach_whole(10);
    ep.ip.b[15] = 2;
    assert_true(feed_node_set(w.cp, 2, "b", &ep, false));
    assert_true(feed_node_pair(w.cp, 2, true));
    assert_false(feed_node_pair(w.cp, 9, true));
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_true(route_node_pair(feed_node_route(w.dp, 1), 2));
    assert_false(route_node_pair(feed_node_route(w.dp, 1), 3));
    assert_int_equal(route_self(feed_node_route(w.dp, 1)), 1);
    assert_true(feed_node_peer(w.dp, 1, &ep.ip));
    ep.ip.b[15] = 3;
    third = ep.ip;
    assert_false(feed_node_peer(w.dp, 1, &third));
    ep.ip.b[15] = 2;
    assert_true(feed_node_set(w.cp, 2, "b", NULL, false));
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_false(feed_node_peer(w.dp, 1, &ep.ip));
    assert_false(route_node_pair(feed_node_route(w.dp, 1), 2));
}

static void datagrams_down_and_up(void **state)
{
    static const char big[HG_DATAGRAM_MAX + 1];
    (void)state;
    assert_false(feed_datagram_send(w.cp, &phone, "beat", 4)); /* nobody is there */
    attach_whole(10);
    assert_true(feed_datagram_send(w.cp, &phone, "beat", 4));
    run(1);
    const struct net_control_datagram *d = feed_node_sent(w.dp, 0);
    assert_int_equal(d->length, 4);
    assert_memory_equal(d->data, "beat", 4);
    assert_true(hg_endpoint_eq(&d->src, &phone));
    assert_int_equal(feed_node_sent(w.dp, 1)->length, 0); /* core 0 alone */
    assert_false(feed_datagram_send(w.cp, &phone, big, sizeof(big)));
    assert_true(feed_datagram_send(w.cp, &phone, big, HG_DATAGRAM_MAX));
    run(1);
    assert_int_equal(feed_node_sent(w.dp, 0)->length, HG_DATAGRAM_MAX);
    feed_node_receive(w.dp, 2, &phone, "hello");
    run(2);
    assert_int_equal(w.datagrams, 1);
    assert_string_equal(w.datagram, "hello");
    assert_true(hg_endpoint_eq(&w.datagram_src, &phone));
    unsigned sent = 0; /* a ring that is full loses them, as a wire would */
    while (sent < 10000 && feed_datagram_send(w.cp, &phone, big, HG_DATAGRAM_MAX))
        sent++;
    assert_true(sent > 10 && sent < 10000);
    assert_int_equal(until_applied(), FEED_APPLIED);
    assert_int_equal(counter(0, HG_C_feed_bad), 0);
}

static void the_lease_is_written_only_when_asked_for(void **state)
{
    (void)state;
    attach_whole(10);
    const struct hg_segment *s = feed_node_segment(w.dp);
    assert_int_equal(s->header->serve_until, 0);
    feed_serve_always(w.cp, true);
    assert_true(s->header->serve_until == UINT64_MAX);
    feed_serve_always(w.cp, false);
    feed_node_stop(w.dp);
    start_dp();
    run(200);
    assert_int_equal(feed_node_segment(w.dp)->header->serve_until, 0);
    feed_serve_always(w.cp, true);
    feed_node_stop(w.dp);
    start_dp();
    run(200);
    assert_true(feed_node_segment(w.dp)->header->serve_until == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_map_comes_whole),
        T(the_map_survives),
        T(the_map_is_kept_until_the_next_one_is_known),
        T(the_map_is_kept_until_the_next_one_is_known),
        T(contacts_are_mirrored),
        T(the_newest_contacts_arrive),
        T(contacts_are_swept),
        T(service_addresses_follow_the_map),
        T(service_addresses_are_swept),
        T(pairs_and_peers),
        T(datagrams_down_and_up),
        T(the_lease_is_written_only_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
