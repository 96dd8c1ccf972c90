/* SPDX-License-Identifier: BSD-2-Clause */
/* The record over a real Redis: a million users written 500 in a change, then read by a second control plane
 * that starts; small changes one by one and many at once. figure record_write_million_s,
 * record_load_million_s, record_change_ms, record_changes_per_s */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/alarms.h"
#include "log/log.h"
#include "real_redis.h"
#include "store/record.h"

#define USERS     1000000u
#define WINDOW    8 /* changes under way: what bulk work does */
#define SINGLES   2000u
#define PIPELINED 20000u

struct bench {
    uv_loop_t loop;
    struct log log;
    struct alarms alarms;
    struct record *record;
    uint64_t loaded, changed;
    bool done;
    uint32_t next, answered, limit, width; /* items: sent, answered, wanted, in one change */
};

static void load_begin(void *arg)
{
    ((struct bench *)arg)->loaded = 0;
}

static void loaded_one(void *arg, enum record_table table, struct slice field, struct slice value,
                       struct record_version version)
{
    (void)table, (void)field, (void)value, (void)version;
    ((struct bench *)arg)->loaded++;
}

static void load_end(void *arg)
{
    ((struct bench *)arg)->done = true;
}

static void changed(void *arg, enum record_table table, enum record_op op, struct slice field,
                    struct slice value, struct record_version version)
{
    (void)table, (void)op, (void)field, (void)value, (void)version;
    ((struct bench *)arg)->changed++;
}

static bool give(void *arg, enum record_table table, uint64_t *cursor, struct slice *field,
                 struct slice *value)
{
    (void)arg, (void)table, (void)cursor, (void)field, (void)value;
    return false;
}

static void open_record(struct bench *b, uint16_t port)
{
    struct redis_options o = {.loop = &b->loop, .host = "127.0.0.1", .port = port, .timeout_ms = 20000};
    struct record_events ev = {.load_begin = load_begin,
                               .loaded_one = loaded_one,
                               .load_end = load_end,
                               .changed = changed,
                               .give = give,
                               .arg = b};

    b->done = false;
    b->record = record_create(&o, "bench", &ev, &b->log, &b->alarms);
    while (!b->done)
        uv_run(&b->loop, UV_RUN_ONCE);
}

static void close_record(struct bench *b)
{
    record_close(b->record);
    uv_run(&b->loop, UV_RUN_DEFAULT);
}

static void on_done(void *arg, const struct record_outcome *o);

static void send_one(struct bench *b)
{
    static struct record_item items[RECORD_ITEMS_MAX];
    static char text[RECORD_ITEMS_MAX][2][64];

    for (uint32_t i = 0; i < b->width; i++) {
        uint32_t n = b->next + i;
        snprintf(text[i][0], 64, "user%07u@example.com", n);
        snprintf(text[i][1], 64, "node%u sip:user%07u@10.1.%u.%u:5060", n % 4 + 1, n, n / 250 % 250, n % 250);
        items[i] = (struct record_item){
            .table = RECORD_USERS, .field = slice_str(text[i][0]), .value = slice_str(text[i][1])};
    }
    b->next += b->width;
    record_change(b->record, items, b->width, on_done, b);
}

static void on_done(void *arg, const struct record_outcome *o)
{
    struct bench *b = arg;

    if (o->result != RECORD_OK) {
        fprintf(stderr, "a change failed: %s\n", o->why);
        exit(1);
    }
    b->answered += b->width;
    if (b->next < b->limit)
        send_one(b);
}

/* s for `limit` items, `width` in a change, `window` changes under way */
static double change_all(struct bench *b, uint32_t limit, uint32_t width, uint32_t window)
{
    uint64_t begin = uv_hrtime();

    b->next = b->answered = 0;
    b->limit = limit;
    b->width = width;
    for (uint32_t i = 0; i < window; i++)
        send_one(b);
    while (b->answered < limit)
        uv_run(&b->loop, UV_RUN_ONCE);
    return (double)(uv_hrtime() - begin) / 1e9;
}

int main(void)
{
    static struct bench b;
    static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "everysec", NULL};
    struct real_redis redis;

    real_redis_start(&redis, durable);
    uv_loop_init(&b.loop);
    log_init(&b.log, 2, "bench");
    b.log.level = HG_LOG_ERROR;
    b.alarms.log = &b.log;
    open_record(&b, redis.port);
    printf("figure record_write_million_s %.2f s\n", change_all(&b, USERS, RECORD_ITEMS_MAX, WINDOW));
    if (b.changed < USERS) {
        fprintf(stderr, "the log told of %llu of %u users\n", (unsigned long long)b.changed, USERS);
        return 1;
    }
    printf("figure record_change_ms %.3f ms\n", change_all(&b, SINGLES, 1, 1) * 1000 / SINGLES);
    printf("figure record_changes_per_s %.0f 1/s\n", PIPELINED / change_all(&b, PIPELINED, 1, 200));
    close_record(&b);
    uint64_t begin = uv_hrtime();
    open_record(&b, redis.port);
    printf("figure record_load_million_s %.2f s\n", (double)(uv_hrtime() - begin) / 1e9);
    if (b.loaded < USERS) {
        fprintf(stderr, "%llu of %u users were read\n", (unsigned long long)b.loaded, USERS);
        return 1;
    }
    close_record(&b);
    uv_loop_close(&b.loop);
    real_redis_stop(&redis);
    log_close(&b.log);
    return 0;
}
