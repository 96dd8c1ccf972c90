/* SPDX-License-Identifier: BSD-2-Clause */
/* The route room alone: users, static look-ups, compilation. Prints "figure NAME VALUE UNIT" lines, medians
 * of 7. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hg/config.h"
#include "hg/records.h"
#include "hg/route_image.h"
#include "lib/mailbox.h"
#include "route/apply.h"
#include "route/route.h"
#include "route/user_table.h"
#include "routes/routes.h"

enum { USERS = 1000000, SUBJECTS = 65536, RUNS = 7, BURST = 32 };

struct bench {
    struct ctx ctx;
    uint64_t counters[HG_COUNTERS_MAX];
    struct hg_hop_stats hop_stats[HG_HOP_SLOTS];
    struct hg_config *config;
    struct route *route;
    struct routes *routes;
    struct hg_hash_secret secret;
    uint64_t rng;
    uint64_t sink;
};

bool mail_send(struct ctx *c, unsigned to_core, struct mail mail)
{
    (void)c;
    (void)to_core;
    (void)mail;
    return true;
}

/* CPU time: the room waits for nothing, and a busy machine should not look like a slow table. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v)
{
    qsort(v, RUNS, sizeof(*v), by_value);
    return v[RUNS / 2];
}

static uint32_t rnd(struct bench *b, uint32_t n)
{
    b->rng ^= b->rng << 13;
    b->rng ^= b->rng >> 7;
    b->rng ^= b->rng << 17;
    return (uint32_t)((b->rng >> 32) * n >> 32);
}

static struct hg_user_key user_key(const struct bench *b, uint32_t i)
{
    char name[32];
    int n = snprintf(name, sizeof(name), "user%07u", i);
    return hg_user_key(&b->secret, slice_of(name, (uint32_t)n), SLICE_LIT("example.com"));
}

/* As they come from the feed: records of 64, names already hashed by the control plane. */
static void bench_users(struct bench *b)
{
    double load[RUNS], random[RUNS], burst[RUNS], change[RUNS];
    struct hg_user_key *keys = malloc(USERS * sizeof(*keys));
    uint64_t space[4 + HG_DOWN_USERS_MAX * 3];
    struct hg_down_users *rec = (struct hg_down_users *)(void *)space;
    for (uint32_t i = 0; i < USERS; i++)
        keys[i] = user_key(b, i);
    for (unsigned run = 0; run < RUNS; run++) {
        double start = now();
        route_resync_begin(b->route, run + 1);
        for (uint32_t i = 0; i < USERS; i += HG_DOWN_USERS_MAX) {
            rec->n = USERS - i < HG_DOWN_USERS_MAX ? USERS - i : HG_DOWN_USERS_MAX;
            for (uint32_t k = 0; k < rec->n; k++)
                rec->user[k] = (struct hg_down_user){.key = keys[i + k], .node = (uint16_t)(1 + k % 6)};
            if (!route_apply_users(b->route, &rec->r, sizeof(space)))
                exit(1);
        }
        route_resync_end(b->route);
        while (!route_resync_sweep(b->route))
            ;
        load[run] = now() - start;
        start = now();
        for (uint32_t i = 0; i < USERS; i++)
            b->sink += route_user_find(b->route, &keys[rnd(b, USERS)]);
        random[run] = (now() - start) / USERS * 1e9;
        start = now();
        for (uint32_t i = 0; i < USERS; i += BURST) {
            struct hg_user_key k[BURST];
            for (unsigned j = 0; j < BURST; j++) {
                k[j] = keys[rnd(b, USERS)];
                route_user_prefetch(b->route, &k[j]);
            }
            for (unsigned j = 0; j < BURST; j++)
                b->sink += route_user_find(b->route, &k[j]);
        }
        burst[run] = (now() - start) / USERS * 1e9;
        start = now();
        for (uint32_t i = 0; i < USERS; i++)
            route_user_set(b->route, &keys[rnd(b, USERS)], (uint16_t)(1 + i % 6));
        change[run] = (now() - start) / USERS * 1e9;
    }
    struct user_table t;
    if (!user_table_open(&t, USERS))
        exit(1);
    printf("figure route_bytes_per_user %.1f bytes\n", (double)t.mapped / USERS);
    user_table_close(&t);
    printf("figure route_apply_million_s %.3f s\n", median(load));
    printf("figure route_user_find_ns %.1f ns\n", median(random));
    printf("figure route_user_find_burst_ns %.1f ns\n", median(burst));
    printf("figure route_user_change_ns %.1f ns\n", median(change));
    free(keys);
}

static void fill(struct bench *b, uint32_t n, bool adversarial)
{
    struct hg_config *c = b->config;
    free(c->routes);
    c->routes = calloc(n, sizeof(*c->routes));
    c->nroutes = n;
    for (uint32_t i = 0; i < n; i++) {
        struct hg_static_route *r = &c->routes[i];
        hg_static_route_defaults(r);
        snprintf(r->name, sizeof(r->name), "route-%u", i);
        if (adversarial)
            snprintf(r->pattern, sizeof(r->pattern), "%.*u%.*s*", (int)(1 + i % 19), i / 19 % 1000000007,
                     (int)(i % 97),
                     "......................................................................................."
                     "......................................");
        else if (i % 5 == 4)
            snprintf(r->pattern, sizeof(r->pattern), "%s%u.example.net", i % 2 ? "*.cust" : "gw", i);
        else
            snprintf(r->pattern, sizeof(r->pattern), "%u%s", 4900000 + i,
                     i % 5 == 3 ? "...."
                     : i % 2    ? "*"
                                : "1234");
        r->type = !adversarial && i % 5 == 4;
        r->proto = HG_UDP;
        snprintf(r->next_hop, sizeof(r->next_hop), "10.%u.%u.1", i % 4, i % 200);
    }
}

static void compile(struct bench *b, const char *name)
{
    double ms[RUNS];
    struct routes_input in = {.config = b->config};
    const struct routes_result *r = NULL;
    for (unsigned run = 0; run < RUNS; run++) {
        double start = now();
        r = routes_compile(b->routes, &in);
        ms[run] = (now() - start) * 1e3;
        if (!r)
            exit(1);
        if (b->config->nroutes > 200000)
            for (; run + 1 < RUNS; run++)
                ms[run + 1] = ms[run];
    }
    printf("figure %s %.1f ms\n", name, median(ms));
    printf("# %u of %u routes active, image %.1f MB\n", r->count[ROUTES_ACTIVE], r->n, (double)r->size / 1e6);
    route_image_set(b->route, r->image);
}

struct subject {
    char user[24], host[32];
    uint8_t nuser, nhost;
};

static void lookup(struct bench *b, const char *name, uint32_t base, uint32_t spread, const char *form)
{
    double ns[RUNS];
    struct subject *s = calloc(SUBJECTS, sizeof(*s));
    uint64_t found = 0;
    for (unsigned i = 0; i < SUBJECTS; i++) {
        s[i].nuser = (uint8_t)snprintf(s[i].user, sizeof(s[i].user), form, base + rnd(b, spread));
        s[i].nhost = (uint8_t)snprintf(s[i].host, sizeof(s[i].host), "example.com");
    }
    for (unsigned run = 0; run < RUNS; run++) {
        struct route_targets t;
        double start = now();
        found = 0;
        for (unsigned i = 0; i < SUBJECTS; i++)
            found += route_static_find(b->route, slice_of(s[i].user, s[i].nuser),
                                       slice_of(s[i].host, s[i].nhost), i, &t) == ROUTE_FOUND;
        ns[run] = (now() - start) / SUBJECTS * 1e9;
    }
    printf("figure %s %.1f ns\n", name, median(ns));
    printf("# %.1f %% found\n", 100.0 * (double)found / SUBJECTS);
    free(s);
}

int main(int argc, char **argv)
{
    static struct bench b = {.rng = 88172645463325252ull, .secret = {{1, 2}}};
    b.config = hg_config_defaults();
    b.config->dp_users_max = USERS;
    b.ctx = (struct ctx){
        .cores = 1, .counters = b.counters, .hop_stats = b.hop_stats, .config = b.config, .rng = 1};
    b.route = route_create(&b.ctx, b.config, &b.secret);
    b.routes = routes_create("bench", 131072, 1);
    if (!b.route || !b.routes)
        return 1;
    bench_users(&b);
    fill(&b, 10000, false);
    compile(&b, "route_compile_10k_ms");
    lookup(&b, "route_static_find_ns", 4900000, 10000, "%u1234");
    lookup(&b, "route_static_miss_ns", 1000000, 1000000, "user%07u");
    fill(&b, 100000, false);
    compile(&b, "route_compile_100k_ms");
    lookup(&b, "route_static_find_100k_ns", 4900000, 100000, "%u1234");
    if (argc > 1 && strcmp(argv[1], "--million") == 0) {
        fill(&b, 1000000, true);
        compile(&b, "route_compile_hostile_million_ms");
        lookup(&b, "route_static_find_hostile_ns", 1000000, 1000000, "%u12345678901");
    }
    fprintf(stderr, "(%llu)\n", (unsigned long long)b.sink);
    return 0;
}
