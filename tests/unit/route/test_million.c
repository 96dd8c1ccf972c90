/* SPDX-License-Identifier: BSD-2-Clause */
/* A million routes: compiled, checked and looked up, ordinary and hostile ones together. Time is the
 * process's own, so that a busy machine does not fail a good table; the bounds are far above what is
 * measured. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hg/route_image.h"
#include "rig.h"

#if defined(__SANITIZE_ADDRESS__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#ifdef INSTRUMENTED
enum { MILLION = 100000, COMPILE_MS = 60000, LOOKUP_NS = 2000000 };
#else
enum { MILLION = 1000000, COMPILE_MS = 30000, LOOKUP_NS = 2000000 };
#endif
enum { KINDS = 8, LOOKUPS = 20000, IMAGE_BYTES_PER_ROUTE = 400 };

static const char dots[] = "............................................................................";

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Numbers, prefixes, embedded wildcards, hosts and their endings; and what costs a look-up most: every length
 * of literals, each with many lengths of wildcards behind it. */
static void make(struct hg_static_route *r, uint32_t i)
{
    static const char *const domain[] = {"gw%u.example.net", "*.cust%u.example.net"};
    hg_static_route_defaults(r);
    snprintf(r->name, sizeof(r->name), "route-%u", i);
    snprintf(r->next_hop, sizeof(r->next_hop), "10.%u.%u.1", i % 4, i / KINDS % 200);
    r->proto = HG_UDP;
    switch (i % KINDS) {
    case 0:
    case 1:
        snprintf(r->pattern, sizeof(r->pattern), "%u1234", 40000000 + i);
        break;
    case 2:
        snprintf(r->pattern, sizeof(r->pattern), "%u*", 50000000 + i);
        break;
    case 3:
        snprintf(r->pattern, sizeof(r->pattern), "%u....", 60000000 + i);
        break;
    case 4:
        snprintf(r->pattern, sizeof(r->pattern), "7..%07u*", i);
        break;
    case 5:
        r->type = HG_ROUTE_DOMAIN;
        snprintf(r->pattern, sizeof(r->pattern), domain[i / KINDS % 2], i);
        break;
    default: /* few beginnings of many lengths: the longest lists of rules */
        snprintf(r->pattern, sizeof(r->pattern), "%.*s%s%.*s*", (int)(1 + i / KINDS % 200),
                 "9999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
                 "999999"
                 "9999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999"
                 "999999"
                 "99999",
                 i % KINDS == 6 ? "8" : "", (int)(1 + i / KINDS / 200 % 50), dots);
    }
}

static int open_million(void **state)
{
    struct rig *rig = rig_open(0, 1);
    free(rig->config->routes);
    rig->config->routes = calloc(MILLION, sizeof(*rig->config->routes));
    assert_non_null(rig->config->routes);
    rig->config->nroutes = MILLION;
    rig_template(rig, "7..xxxxxxx*");
    for (uint32_t i = 0; i < MILLION; i++)
        make(&rig->config->routes[i], i);
    *state = rig;
    return 0;
}

static int close_million(void **state)
{
    rig_close(*state);
    return 0;
}

static void a_million_routes_compile_in_bounded_time(void **state)
{
    struct rig *rig = *state;
    const char *why = NULL;
    double start = cpu_ms();
    rig_compile(rig);
    double took = cpu_ms() - start;
    print_message("%u routes, %u patterns: %.0f ms, image of %.1f MB; %u active, %u refused\n",
                  rig->result->n, rig->result->patterns, took, (double)rig->result->size / 1e6,
                  rig->result->count[ROUTES_ACTIVE], rig->result->count[ROUTES_REFUSED]);
    assert_true(took < COMPILE_MS);
    assert_int_equal(rig->result->n, MILLION);
    assert_true(hg_image_check(rig->result->image, rig->result->size, &why));
    assert_true(rig->result->size < (uint64_t)MILLION * IMAGE_BYTES_PER_ROUTE);
}

static void each_kind_is_found(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    char user[128], host[64];
    unsigned found[KINDS] = {0};
    for (uint32_t i = 0; i < MILLION; i += 1009) {
        unsigned kind = i % KINDS;
        if (kind > 5 || rig_status(rig, i)->state != ROUTES_ACTIVE)
            continue;
        snprintf(host, sizeof(host),
                 kind == 5 ? i / KINDS % 2 ? "a.cust%u.example.net" : "gw%u.example.net" : "example.com", i);
        static const char *const form[] = {"%u1234", "%u1234", "%u7", "%u5678", "7ab%07u00", "bob"};
        static const uint32_t base[] = {40000000, 40000000, 50000000, 60000000, 0, 0};
        snprintf(user, sizeof(user), form[kind], base[kind] + i);
        assert_int_equal(rig_find(rig, user, host, i, &t), ROUTE_FOUND);
        assert_int_equal(t.t[0].ep.ip.b[14], i / KINDS % 200);
        assert_int_equal(t.t[0].ep.ip.b[13], i % 4);
        found[kind]++;
    }
    for (unsigned k = 0; k < 6; k++)
        assert_true(found[k] > 0);
}

/* The dearest subjects: long ones that share their beginning with every hostile pattern, and misses. */
static void a_hostile_look_up_is_bounded(void **state)
{
    struct rig *rig = *state;
    struct route_targets t;
    char nines[129];
    memset(nines, '9', sizeof(nines));
    nines[128] = 0;
    double start = cpu_ms();
    for (unsigned i = 0; i < LOOKUPS; i++) {
        nines[20 + i % 100] = '8';
        (void)route_static_find(rig->route, slice_of(nines, 60 + i % 68), SLICE_LIT("example.com"), i, &t);
        nines[20 + i % 100] = '9';
    }
    double ns = (cpu_ms() - start) * 1e6 / LOOKUPS;
    print_message("a hostile look-up: %.0f ns\n", ns);
    assert_true(ns < LOOKUP_NS);
    for (unsigned i = 0; i < LOOKUPS; i++)
        assert_int_equal(rig_find(rig, "nobody", "example.com", i, &t), ROUTE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_routes_compile_in_bounded_time),
        cmocka_unit_test(each_kind_is_found),
        cmocka_unit_test(a_hostile_look_up_is_bounded),
    };
    return cmocka_run_group_tests_name("route_million", tests, open_million, close_million);
}
