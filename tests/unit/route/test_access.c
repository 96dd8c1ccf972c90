/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "hg/records.h"
#include "rig.h"

static enum route_access access_of(struct rig *rig, const char *ip, uint16_t *index)
{
    struct hg_ip a;
    assert_true(hg_ip_parse(slice_str(ip), &a));
    return route_access(rig->route, &a, index);
}

static void network(struct rig *rig, uint32_t i, const char *text)
{
    assert_true(hg_net_parse(slice_str(text), &rig->config->access[i].net));
}

static struct rig *open_access(struct routes_resolved *resolved, uint32_t n)
{
    struct rig *rig = rig_open(0, 1);
    rig->config->access = calloc(4, sizeof(*rig->config->access));
    rig->config->naccess = 4;
    network(rig, 0, "10.0.0.0/8");
    network(rig, 1, "10.1.0.0/16");
    network(rig, 2, "2001:db8::/32");
    network(rig, 3, "10.1.2.7/31");
    rig->config->neighbours = calloc(3, sizeof(*rig->config->neighbours));
    rig->config->nneighbours = 3;
    strcpy(rig->config->neighbours[0].host, "198.51.100.1");
    strcpy(rig->config->neighbours[1].host, "cucm.example.net");
    rig->config->neighbours[1].rate = 500;
    rig->config->neighbours[1].burst = 900;
    strcpy(rig->config->neighbours[2].host, "missing.example.net");
    rig->in.resolved = resolved;
    rig->in.nresolved = n;
    rig_add(rig, HG_ROUTE_USER, "1*", "192.0.2.1");
    rig_compile(rig);
    return rig;
}

static void K11_closed_by_default(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, 1);
    uint16_t index;
    assert_int_equal(access_of(rig, "127.0.0.1", &index), ACCESS_DENIED);
    rig_compile(rig);
    assert_int_equal(access_of(rig, "127.0.0.1", &index), ACCESS_DENIED);
    assert_int_equal(access_of(rig, "::1", &index), ACCESS_DENIED);
    rig_close(rig);
}

static void K11_networks_neighbours_next_hops(void **state)
{
    (void)state;
    struct routes_address address[2] = {{.weight = 1}, {.weight = 1}};
    assert_true(hg_ip_parse(SLICE_LIT("203.0.113.5"), &address[0].ip));
    assert_true(hg_ip_parse(SLICE_LIT("2001:db8:ffff::5"), &address[1].ip));
    struct routes_resolved resolved = {.name = "CUCM.example.net.", .n = 2, .address = address};
    struct rig *rig = open_access(&resolved, 1);
    uint16_t index;
    uint32_t rate, burst, id;
    assert_int_equal(access_of(rig, "10.9.9.9", &index), ACCESS_NETWORK);
    assert_int_equal(index, 0);
    assert_int_equal(access_of(rig, "10.1.9.9", &index), ACCESS_NETWORK);
    assert_int_equal(index, 1);
    assert_int_equal(access_of(rig, "10.1.2.6", &index), ACCESS_NETWORK); /* longest prefix */
    assert_int_equal(index, 3);
    assert_int_equal(access_of(rig, "2001:db8:1::", &index), ACCESS_NETWORK);
    assert_int_equal(index, 2);
    assert_int_equal(access_of(rig, "11.0.0.1", &index), ACCESS_DENIED);
    assert_int_equal(access_of(rig, "2001:db9::", &index), ACCESS_DENIED);
    assert_int_equal(access_of(rig, "198.51.100.1", &index), ACCESS_NEIGHBOUR);
    assert_int_equal(index, 0);
    assert_false(route_neighbour_limit(rig->route, index, &rate, &burst, &id));
    assert_int_equal(access_of(rig, "203.0.113.5", &index), ACCESS_NEIGHBOUR);
    assert_int_equal(index, 1);
    assert_int_equal(access_of(rig, "2001:db8:ffff::5", &index), ACCESS_NEIGHBOUR);
    assert_true(route_neighbour_limit(rig->route, index, &rate, &burst, &id));
    assert_int_equal(rate, 500);
    assert_int_equal(burst, 900);
    assert_int_equal(access_of(rig, "192.0.2.1", &index), ACCESS_NEIGHBOUR); /* a next hop */
    assert_int_equal(index, 3);
    assert_int_equal(rig->result->neighbours_unresolved, 1);
    assert_int_equal(rig->result->networks, 4);
    rig_close(rig);
}

static void K11_nodes_of_the_cluster(void **state)
{
    (void)state;
    struct rig *rig = open_access(NULL, 0);
    struct hg_down_node node = {.node = 2, .present = 1};
    uint16_t index;
    uint32_t rate, burst, id;
    assert_true(hg_endpoint_parse(SLICE_LIT("172.16.0.2:5060"), 5060, &node.sip));
    assert_int_equal(access_of(rig, "172.16.0.2", &index), ACCESS_DENIED);
    assert_true(route_apply_node(rig->route, &node.r, sizeof(node)));
    assert_int_equal(access_of(rig, "172.16.0.2", &index), ACCESS_NEIGHBOUR);
    assert_int_equal(index, ROUTE_ACCESS_NODE);
    assert_false(route_neighbour_limit(rig->route, index, &rate, &burst, &id));
    node.present = 0;
    assert_true(route_apply_node(rig->route, &node.r, sizeof(node)));
    assert_int_equal(access_of(rig, "172.16.0.2", &index), ACCESS_DENIED);
    rig_close(rig);
}

static void B02_K11_names_lead_only_where_they_may(void **state)
{
    (void)state;
    struct routes_address address[1] = {{.weight = 1}},
                          srv[2] = {{.port = 5070, .priority = 2}, {.port = 5080, .priority = 1}};
    assert_true(hg_ip_parse(SLICE_LIT("203.0.113.5"), &address[0].ip));
    assert_true(hg_ip_parse(SLICE_LIT("203.0.113.6"), &srv[0].ip));
    assert_true(hg_ip_parse(SLICE_LIT("203.0.113.7"), &srv[1].ip));
    struct routes_resolved resolved[] = {
        {.name = "cucm.example.net", .n = 1, .address = address},
        {.name = "trunk.example", .kind = ROUTES_SRV, .n = 2, .address = srv}};
    struct rig *rig = open_access(resolved, 2);
    struct hg_endpoint ep;
    rig->config->nodes = calloc(1, sizeof(*rig->config->nodes));
    rig->config->nnodes = 1;
    strcpy(rig->config->nodes[0].name, "node2.example.com");
    assert_true(hg_endpoint_parse(SLICE_LIT("172.16.0.2:5062"), 5060, &rig->config->nodes[0].sip));
    rig_add(rig, HG_ROUTE_USER, "5*", "trunk.example")->port = 0;
    rig_compile(rig);
    assert_true(route_host_find(rig->route, SLICE_LIT("CUCM.Example.net"), 0, &ep));
    assert_int_equal(ep.ip.b[15], 5);
    assert_int_equal(ep.port, 5060);
    assert_true(route_host_find(rig->route, SLICE_LIT("cucm.example.net"), 5099, &ep));
    assert_int_equal(ep.port, 5099);
    assert_true(route_host_find(rig->route, SLICE_LIT("trunk.example"), 0, &ep));
    assert_int_equal(ep.ip.b[15], 7);
    assert_int_equal(ep.port, 5080);
    assert_true(route_host_find(rig->route, SLICE_LIT("node2.example.com"), 0, &ep));
    assert_int_equal(ep.port, 5062);
    assert_true(route_host_find(rig->route, SLICE_LIT("192.0.2.1"), 0, &ep)); /* a next hop */
    assert_false(route_host_find(rig->route, SLICE_LIT("192.0.2.2"), 0, &ep));
    assert_false(
        route_host_find(rig->route, SLICE_LIT("10.9.9.9"), 0, &ep)); /* a network may send, not be sent to */
    assert_false(route_host_find(rig->route, SLICE_LIT("unknown.example"), 0, &ep));
    assert_false(route_host_find(rig->route, SLICE_LIT(""), 0, &ep));
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(K11_closed_by_default),
        cmocka_unit_test(K11_networks_neighbours_next_hops),
        cmocka_unit_test(K11_nodes_of_the_cluster),
        cmocka_unit_test(B02_K11_names_lead_only_where_they_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
