/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hg/route_image.h"
#include "routes/routes.h"

struct book {
    struct hg_config *config;
    struct hg_static_route *admin;
    struct routes *routes;
    struct routes_input in;
    const struct routes_result *result;
    char why[1000];
};

enum { BOOK = 10000 };

static struct book *book_open(uint32_t slots)
{
    struct book *b = calloc(1, sizeof(*b));
    b->config = hg_config_defaults();
    b->config->routes = calloc(BOOK, sizeof(*b->config->routes));
    b->admin = calloc(BOOK, sizeof(*b->admin));
    b->routes = routes_create("unit/test", slots, 100);
    b->in.config = b->config;
    b->in.admin = b->admin;
    assert_non_null(b->routes);
    return b;
}

static void book_close(struct book *b)
{
    routes_destroy(b->routes);
    hg_config_free(b->config);
    free(b->admin);
    free(b);
}

static struct hg_static_route *fill(struct hg_static_route *r, const char *name, const char *pattern,
                                    const char *hop)
{
    hg_static_route_defaults(r);
    snprintf(r->name, sizeof(r->name), "%s", name);
    snprintf(r->pattern, sizeof(r->pattern), "%s", pattern);
    snprintf(r->next_hop, sizeof(r->next_hop), "%s", hop);
    r->proto = HG_UDP;
    return r;
}

static struct hg_static_route *in_file(struct book *b, const char *name, const char *pattern, const char *hop)
{
    return fill(&b->config->routes[b->config->nroutes++], name, pattern, hop);
}

static struct hg_static_route *by_admin(struct book *b, const char *name, const char *pattern,
                                        const char *hop)
{
    return fill(&b->admin[b->in.nadmin++], name, pattern, hop);
}

static void compile(struct book *b)
{
    b->result = routes_compile(b->routes, &b->in);
    assert_non_null(b->result);
    assert_int_equal(b->result->n, b->config->nroutes + b->in.nadmin);
}

static const struct routes_status *status(const struct book *b, uint32_t i)
{
    return &b->result->status[i];
}

static const char *reason(struct book *b, uint32_t i)
{
    const struct hg_static_route *r =
        i < b->config->nroutes ? &b->config->routes[i] : &b->admin[i - b->config->nroutes];
    return routes_reason(&b->in, r, status(b, i), b->why, sizeof(b->why));
}

static void L03_the_101st_is_refused(void **state)
{
    (void)state;
    struct book *b = book_open(1000);
    char name[32];
    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof(name), "f%u", i);
        in_file(b, name, "1919*", "192.0.2.1");
    }
    for (unsigned i = 0; i < 41; i++) {
        snprintf(name, sizeof(name), "a%u", i);
        by_admin(b, name, "1919*", "192.0.2.1");
    }
    by_admin(b, "other", "1919\\*", "192.0.2.1"); /* another pattern */
    compile(b);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(status(b, i)->state, ROUTES_ACTIVE);
    assert_int_equal(status(b, 100)->state, ROUTES_REFUSED);
    assert_string_equal(reason(b, 100),
                        "there are 100 routes with the pattern 1919* already, no more are allowed");
    assert_int_equal(status(b, 101)->state, ROUTES_ACTIVE);
    assert_int_equal(b->result->count[ROUTES_REFUSED], 1);
    assert_int_equal(b->result->patterns, 2);
    book_close(b);
}

static void L30_a_bad_route_costs_only_itself(void **state)
{
    (void)state;
    struct book *b = book_open(1000);
    in_file(b, "good", "1*", "192.0.2.1");
    in_file(b, "hop", "2*", "5.6.7.8.9");
    in_file(b, "pattern", "3*3", "192.0.2.1");
    in_file(b, "embedded", "3.3", "192.0.2.1");
    in_file(b, "srv", "4*", "192.0.2.1")->port = 0;
    in_file(b, "weight", "5*", "192.0.2.1")->weight = 0;
    in_file(b, "priority", "5*", "192.0.2.1")->priority = 0;
    in_file(b, "proto", "5*", "192.0.2.1")->proto = 9;
    in_file(b, "type", "5*", "192.0.2.1")->type = 9;
    in_file(b, "", "6*", "192.0.2.1");
    by_admin(b, "good", "7*", "192.0.2.1");
    by_admin(b, "nohop", "8*", "");
    by_admin(b, "last", "9*", "192.0.2.2");
    compile(b);
    static const char *const expected[] = {
        "",
        "5.6.7.8.9 is not an IPv4 address",
        "* may stand only at the end of a user pattern; write \\* for the character itself",
        "the pattern has an embedded wildcard and there is no route embed template",
        "port 0 asks for SRV records, and 192.0.2.1 is an address; give a port",
        "weight 0 is out of range; 1 to 65535",
        "priority 0 is out of range; 1 to 65535",
        "unknown protocol; udp, tcp or tls",
        "the type is neither user nor domain",
        "the route has no name",
        "another route is named good already; names are unique over file and administrator",
        "no host name or address",
        "",
    };
    for (uint32_t i = 0; i < b->result->n; i++) {
        assert_string_equal(reason(b, i), expected[i]);
        assert_int_equal(status(b, i)->state, *expected[i] ? ROUTES_REFUSED : ROUTES_ACTIVE);
    }
    assert_int_equal(b->result->count[ROUTES_ACTIVE], 2);
    book_close(b);
}

static void L30_numbers_stay(void **state)
{
    (void)state;
    struct book *b = book_open(1000);
    struct hg_endpoint ep;
    in_file(b, "a", "1*", "192.0.2.1");
    in_file(b, "b", "2*", "192.0.2.2");
    by_admin(b, "c", "3*", "192.0.2.3");
    compile(b);
    uint64_t generation = b->result->generation;
    uint32_t a = status(b, 0)->slot, bb = status(b, 1)->slot, c = status(b, 2)->slot;
    assert_true(a && bb && c && a != bb && bb != c && a != c);
    assert_true(routes_hop(b->routes, 0, &ep));
    assert_int_equal(ep.ip.b[15], 1);
    /* a goes, d comes in front of the others */
    fill(&b->config->routes[0], "d", "0*", "192.0.2.9");
    compile(b);
    assert_true(b->result->generation > generation);
    assert_int_equal(status(b, 1)->slot, bb);
    assert_int_equal(status(b, 2)->slot, c);
    uint32_t d = status(b, 0)->slot;
    assert_true(d != a); /* freed numbers rest */
    assert_false(routes_hop(b->routes, 0, &ep));
    assert_true(routes_hop(b->routes, 1, &ep));
    assert_int_equal(ep.ip.b[15], 2);
    assert_true(routes_hop(b->routes, 3, &ep));
    assert_int_equal(ep.ip.b[15], 9);
    /* out of service or refused, a route keeps its counters */
    b->config->routes[1].in_service = false;
    strcpy(b->admin[0].pattern, "3*3");
    compile(b);
    assert_int_equal(status(b, 1)->slot, bb);
    assert_int_equal(status(b, 2)->slot, c);
    book_close(b);
}

static void more_routes_than_counters(void **state)
{
    (void)state;
    struct book *b = book_open(4); /* slots 1, 2, 3 */
    char name[8];
    for (unsigned i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "r%u", i);
        in_file(b, name, name, "192.0.2.1");
    }
    compile(b);
    assert_true(b->result->slots_full);
    assert_int_equal(b->result->count[ROUTES_ACTIVE], 10);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(status(b, i)->slot, i < 3 ? i + 1 : 0);
    /* numbers are used again when there are no others */
    fill(&b->config->routes[0], "new", "new", "192.0.2.1");
    compile(b);
    compile(b);
    for (unsigned i = 0; i < 50; i++)
        compile(b);
    assert_int_equal(status(b, 1)->slot, 2);
    book_close(b);
}

static void more_next_hops_than_numbers(void **state)
{
    (void)state;
    struct book *b = book_open(BOOK);
    char name[16], hop[32];
    for (unsigned i = 0; i < HG_HOP_SLOTS + 2; i++) {
        snprintf(name, sizeof(name), "r%u", i);
        snprintf(hop, sizeof(hop), "10.0.%u.%u", i / 256, i % 256);
        in_file(b, name, name, hop);
    }
    compile(b);
    assert_int_equal(b->result->count[ROUTES_ACTIVE], HG_HOP_SLOTS);
    assert_int_equal(b->result->count[ROUTES_UNRESOLVED], 2);
    assert_string_equal(reason(b, HG_HOP_SLOTS), "there are 8192 different next hops already");
    book_close(b);
}

static void B09_L11_names(void **state)
{
    (void)state;
    struct book *b = book_open(100);
    struct routes_address address[2] = {{.weight = 1}, {.weight = 1}};
    struct routes_name *names;
    assert_true(hg_ip_parse(SLICE_LIT("192.0.2.1"), &address[0].ip));
    assert_true(hg_ip_parse(SLICE_LIT("192.0.2.2"), &address[1].ip));
    in_file(b, "name", "1*", "GW.example.net.");
    in_file(b, "again", "2*", "gw.example.net")->port = 5070;
    in_file(b, "srv", "3*", "gw.example.net")->port = 0;
    in_file(b, "address", "4*", "192.0.2.1");
    in_file(b, "tls", "5*", "tls.example.net")->proto = HG_TLS;
    in_file(b, "bad", "6*", "1.2.3.4.5");
    b->config->neighbours = calloc(2, sizeof(*b->config->neighbours));
    b->config->nneighbours = 2;
    strcpy(b->config->neighbours[0].host, "peer.example.net");
    strcpy(b->config->neighbours[1].host, "10.0.0.1");
    assert_int_equal(routes_names(&b->in, &names), 4);
    assert_string_equal(names[0].name, "gw.example.net");
    assert_int_equal(names[0].kind, ROUTES_ADDRESSES);
    assert_string_equal(names[1].name, "gw.example.net");
    assert_int_equal(names[1].kind, ROUTES_SRV);
    assert_string_equal(names[2].name, "peer.example.net");
    free(names);
    compile(b);
    assert_int_equal(status(b, 0)->state, ROUTES_UNRESOLVED);
    assert_string_equal(reason(b, 0), "next hop GW.example.net. is being resolved");
    struct routes_resolved r[] = {
        {.name = "gw.example.net", .kind = ROUTES_SRV},
        {.name = "GW.EXAMPLE.NET", .kind = ROUTES_ADDRESSES, .n = 2, .address = address}};
    b->in.resolved = r;
    b->in.nresolved = 2;
    compile(b);
    assert_int_equal(status(b, 0)->state, ROUTES_ACTIVE);
    assert_int_equal(status(b, 0)->nhops, 2);
    assert_int_equal(status(b, 1)->nhops, 2);
    assert_int_equal(status(b, 2)->state, ROUTES_UNRESOLVED);
    assert_non_null(strstr(reason(b, 2), "no SRV record _sip._udp.gw.example.net"));
    assert_int_equal(b->result->hops, 4); /* two addresses, two ports; 192.0.2.1:5060 is shared */
    r[1].n = 0;
    compile(b);
    assert_non_null(strstr(reason(b, 0), "check DNS, or give a full IP address"));
    book_close(b);
}

static void too_many_forms_of_one_ending(void **state)
{
    (void)state;
    struct book *b = book_open(100);
    char name[32], pattern[64];
    for (unsigned i = 1; i <= 20; i++) {
        memset(pattern, 'a', i);
        strcpy(pattern + i, "*.example");
        snprintf(name, sizeof(name), "r%u", i);
        in_file(b, name, pattern, "192.0.2.1")->type = HG_ROUTE_DOMAIN;
    }
    in_file(b, "whole", "*.example", "192.0.2.1")->type = HG_ROUTE_DOMAIN;
    compile(b);
    assert_int_equal(b->result->count[ROUTES_ACTIVE], 17);
    assert_int_equal(b->result->count[ROUTES_REFUSED], 4);
    assert_non_null(strstr(reason(b, 0), "more than 16 different lengths"));
    book_close(b);
}

static void an_image_is_published_under_a_name(void **state)
{
    (void)state;
    struct book *b = book_open(100);
    char name[64], second[64], why[200];
    const char *bad;
    struct stat st;
    in_file(b, "a", "1*", "192.0.2.1");
    assert_false(routes_publish(b->routes, name, why, sizeof(why)));
    compile(b);
    assert_true(routes_publish(b->routes, name, why, sizeof(why)));
    assert_true(routes_publish(b->routes, second, why, sizeof(why)));
    assert_string_equal(name, second);
    int fd = shm_open(name, O_RDONLY, 0);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, b->result->size);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    assert_true(hg_image_check(p, (uint64_t)st.st_size, &bad));
    assert_memory_equal(p, b->result->image, b->result->size);
    compile(b);
    assert_true(routes_publish(b->routes, second, why, sizeof(why)));
    assert_string_not_equal(name, second);
    routes_retire(b->routes, b->result->generation);
    assert_true(shm_open(name, O_RDONLY, 0) < 0);
    assert_true(hg_image_check(p, (uint64_t)st.st_size, &bad)); /* whoever has it mapped keeps it */
    munmap(p, (size_t)st.st_size);
    routes_clean("unit/test", second);
    fd = shm_open(second, O_RDONLY, 0);
    assert_true(fd >= 0);
    close(fd);
    routes_clean("unit/test", NULL);
    assert_true(shm_open(second, O_RDONLY, 0) < 0);
    compile(b);
    assert_true(routes_publish(b->routes, second, why, sizeof(why)));
    routes_retire(b->routes, UINT64_MAX); /* all, and it ends */
    assert_true(shm_open(second, O_RDONLY, 0) < 0);
    book_close(b);
}

static void an_empty_book_compiles(void **state)
{
    (void)state;
    struct book *b = book_open(1);
    const char *bad;
    compile(b);
    assert_true(hg_image_check(b->result->image, b->result->size, &bad));
    book_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(L03_the_101st_is_refused),
        cmocka_unit_test(L30_a_bad_route_costs_only_itself),
        cmocka_unit_test(L30_numbers_stay),
        cmocka_unit_test(more_routes_than_counters),
        cmocka_unit_test(more_next_hops_than_numbers),
        cmocka_unit_test(B09_L11_names),
        cmocka_unit_test(too_many_forms_of_one_ending),
        cmocka_unit_test(an_image_is_published_under_a_name),
        cmocka_unit_test(an_empty_book_compiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
