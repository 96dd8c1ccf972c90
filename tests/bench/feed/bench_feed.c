/* SPDX-License-Identifier: BSD-2-Clause */
/* The feed between two processes: how long a million users take from their names to being in force on every
 * core, and how many changes a second pass. The dataplane's process turns its cores one after the other on
 * one CPU. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "feed/feed_image.h"
#include "feed/feed_node.h"
#include "feed/feed.h"
#include "hg/user_key.h"

#define USERS   1000000u
#define CELLS   16384u
#define RUNS    7
#define PIECE   4000u
#define CHANGES 500000u

static char node[64];
static struct feed_image_file image;
static bool attached;
static struct hg_hash_secret secret;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_feed: %s\n", what);
    exit(1);
}

static void dataplane(unsigned cores)
{
    char error[HG_SEGMENT_ERROR];
    struct feed_node *dp = feed_node_start(node, cores, CELLS, USERS + USERS / 8, error);
    if (!dp) {
        fprintf(stderr, "bench_feed: %s\n", error);
        _exit(1);
    }
    for (;;)
        if (!feed_node_turn(dp))
            sched_yield();
}

static void on_attached(void *ctx, const struct hg_segment *segment)
{
    (void)ctx;
    secret = segment->header->secret;
    attached = true;
}

static struct hg_user_key key(uint32_t n)
{
    char user[16];
    int len = snprintf(user, sizeof(user), "user%07u", n);
    return hg_user_key(&secret, slice_of(user, (uint32_t)len), SLICE_LIT("example.com"));
}

static void poll_until(struct feed *feed, const struct feed_token *token)
{
    for (double end = now_s() + 60; feed_applied(feed, token, NULL) != FEED_APPLIED;) {
        if (now_s() > end)
            die("not applied within a minute");
        if (!feed_poll(feed, (uint64_t)(now_s() * 1000)))
            sched_yield();
    }
}

static double load(struct feed *feed)
{
    struct feed_token token;
    attached = false;
    while (!attached)
        feed_poll(feed, (uint64_t)(now_s() * 1000));
    double start = now_s();
    for (uint32_t n = 0; n < USERS; n++) {
        struct hg_user_key k = key(n);
        if (!feed_user_set(feed, &k, 1 + (uint16_t)(n % 60)))
            die("no memory");
        if (n % PIECE == 0)
            feed_poll(feed, (uint64_t)(now_s() * 1000));
    }
    feed_users_loaded(feed);
    feed_mark(feed, &token);
    poll_until(feed, &token);
    return now_s() - start;
}

static double churn(struct feed *feed, unsigned run)
{
    struct feed_token token;
    uint64_t x = 88172645463325252ull + run;
    double start = now_s();
    for (uint32_t i = 0; i < CHANGES; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        struct hg_user_key k = key((uint32_t)(x % USERS));
        feed_user_set(feed, &k, 1 + (uint16_t)((x >> 40) % 60));
        if (i % 256 == 0)
            feed_poll(feed, (uint64_t)(now_s() * 1000));
    }
    feed_mark(feed, &token);
    poll_until(feed, &token);
    return CHANGES / (now_s() - start);
}

/* What one command costs: set, and wait until every core has it. */
static double one_change(struct feed *feed, unsigned run)
{
    struct feed_token token;
    double start = now_s();
    for (uint32_t i = 0; i < 1000; i++) {
        struct hg_user_key k = key(i);
        feed_user_set(feed, &k, 1 + (uint16_t)((i + run) % 60));
        feed_mark(feed, &token);
        poll_until(feed, &token);
    }
    return (now_s() - start) * 1e6 / 1000;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void figure(const char *name, double *v, const char *unit, unsigned cores)
{
    qsort(v, RUNS, sizeof(v[0]), by_value);
    printf("figure %s %.4g %s\n# %s: min %.4g max %.4g of %u runs, %u cores\n", name, v[RUNS / 2], unit, name,
           v[0], v[RUNS - 1], RUNS, cores);
}

int main(int argc, char **argv)
{
    unsigned cores = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    const struct feed_handlers handlers = {.on_attached = on_attached};
    double loads[RUNS], changes[RUNS], single[RUNS];
    char path[128];
    snprintf(node, sizeof(node), "bench-feed-%d", (int)getpid());
    snprintf(path, sizeof(path), "/dev/shm/hg-%s", node);
    if (cores < 1 || cores > HG_CORES_MAX || !feed_image_make(node, 1, &image))
        die("usage: bench_feed [CORES]");
    struct feed *feed = feed_create(node, &handlers, NULL);
    if (!feed || !feed_image_set(feed, image.generation, image.size, image.name))
        die("no memory");
    for (unsigned run = 0; run < RUNS; run++) {
        pid_t pid = fork();
        if (pid == 0)
            dataplane(cores);
        loads[run] = load(feed);
        changes[run] = churn(feed, run);
        single[run] = one_change(feed, run);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        unlink(path);
    }
    feed_destroy(feed);
    feed_image_remove(&image);
    figure("feed_load_million_s", loads, "s", cores);
    figure("feed_changes_per_s", changes, "/s", cores);
    figure("feed_change_applied_us", single, "us", cores);
    return 0;
}
