/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of the record's two connections. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/evp.h>

#include "store/record_redis.h"
#include "store/record_scripts.h"

#define TICK_MS 20

static void on_up(void *arg)
{
    struct record_redis *io = arg;

    record_io_up(io->record);
}

static void on_down(void *arg, const char *why)
{
    struct record_redis *io = arg;

    record_redis_uncertain(io, io->main, why);
    record_redis_tell_lost(io, io->main, why);
    record_io_down(io->record, why);
}

static void on_health(void *arg, unsigned replicas, int eviction, int durable)
{
    struct record_redis *io = arg;

    record_io_health(io->record, replicas, eviction, durable);
}

static void on_log_up(void *arg)
{
    struct record_redis *io = arg;

    io->log_up = true;
}

static void on_log_down(void *arg, const char *why)
{
    struct record_redis *io = arg;

    io->log_up = false;
    record_redis_uncertain(io, io->log, why);
    record_redis_tell_lost(io, io->log, why);
}

static void on_tick(uv_timer_t *timer)
{
    struct record_redis *io = timer->data;

    if (!redis_is_up(io->main) || redis_replicas(io->main))
        io->alone_since = 0;
    else if (!io->alone_since)
        io->alone_since = uv_now(io->loop);
    record_io_tick(io->record);
}

static unsigned room(const void *ctx)
{
    const struct record_redis *io = ctx;
    unsigned pending = redis_pending(io->main);

    return pending < REDIS_PENDING_MAX / 2 ? REDIS_PENDING_MAX / 2 - pending : 0;
}

static uint64_t take_fence(void *ctx)
{
    struct record_redis *io = ctx;

    return io->sentinels ? sentinels_take_fence(io->sentinels) : 0;
}

static const char *state(const void *ctx)
{
    const struct record_redis *io = ctx;

    return redis_state(io->main);
}

static uint64_t now_ms(const void *ctx)
{
    const struct record_redis *io = ctx;

    return uv_now(io->loop);
}

static uint64_t random_number(void *ctx)
{
    uint64_t n = 0;

    (void)ctx;
    while (getrandom(&n, sizeof(n), 0) != sizeof(n))
        ;
    return n;
}

static void on_closed(uv_handle_t *handle)
{
    struct record_redis *io = handle->data;

    if (--io->handles)
        return;
    record_free(io->record);
    free(io);
}

static void close_io(void *ctx)
{
    struct record_redis *io = ctx;

    redis_close(io->main);
    redis_close(io->log);
    record_redis_tell_lost(io, io->main, "the control plane stops");
    record_redis_tell_lost(io, io->log, "the control plane stops");
    io->handles = 2;
    uv_close((uv_handle_t *)&io->more, on_closed);
    uv_close((uv_handle_t *)&io->tick, on_closed);
}

static const struct record_io_ops ops = {
    .hello = record_redis_hello,
    .change = record_redis_change,
    .confirm = record_redis_confirm,
    .scan = record_redis_scan,
    .follow = record_redis_follow,
    .read = record_redis_read,
    .restored = record_redis_restored,
    .check = record_redis_check,
    .wanted = record_redis_wanted,
    .take_fence = take_fence,
    .room = room,
    .state = state,
    .now_ms = now_ms,
    .random = random_number,
    .close = close_io,
};

static void sha1_hex(const char *text, char out[41])
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    EVP_Digest(text, strlen(text), md, &n, EVP_sha1(), NULL);
    for (unsigned i = 0; i < n && i < 20; i++)
        snprintf(out + 2 * i, 3, "%02x", md[i]);
}

static void name_keys(struct record_redis *io, const char *cluster)
{
    static const struct {
        enum record_key key;
        const char *name;
    } other[] = {{KEY_TERM, "term"},
                 {KEY_LOG, "log"},
                 {KEY_RECORD, "record"},
                 {KEY_RESTORING, "restoring"},
                 {KEY_SEEN, "seen"}};

    for (unsigned i = 0; i < RECORD_TABLES; i++)
        snprintf(io->key[KEY_TABLE + i], RECORD_KEY_MAX, "hg:{%s}:%s", cluster, record_table_names[i]);
    for (unsigned i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        snprintf(io->key[other[i].key], RECORD_KEY_MAX, "hg:{%s}:%s", cluster, other[i].name);
}

struct record *record_create(const struct redis_options *options, const char *cluster,
                             const struct record_events *events, struct log *log, struct alarms *alarms)
{
    struct record_redis *io = calloc(1, sizeof(*io));
    struct record_io over = {.ops = &ops, .ctx = io, .timeout_ms = options->timeout_ms};
    struct redis_events main_events = {.up = on_up, .down = on_down, .health = on_health, .arg = io};
    struct redis_events log_events = {.up = on_log_up, .down = on_log_down, .arg = io};
    struct redis_options o = *options;

    if (!io)
        return NULL;
    io->loop = options->loop;
    io->timeout_ms = options->timeout_ms ? options->timeout_ms : 1000;
    name_keys(io, cluster);
    sha1_hex(SCRIPT_HELLO, io->hello_sha);
    sha1_hex(SCRIPT_CHANGE, io->change_sha);
    io->record = record_create_over(&over, events, log, alarms);
    io->main = redis_create(&o, &main_events);
    o.kind = REDIS_FOLLOWER;
    io->log = redis_create(&o, &log_events);
    explicit_bzero(o.password, sizeof(o.password));
    if (!io->record || !io->main || !io->log) /* the process ends without memory at its start */
        return NULL;
    record_redis_tell_begin(io);
    uv_timer_init(io->loop, &io->tick);
    io->tick.data = io;
    uv_timer_start(&io->tick, on_tick, TICK_MS, TICK_MS);
    return io->record;
}

struct redis *record_redis(const struct record *record)
{
    const struct record_redis *io = record_io_of(record)->ctx;

    return io->main;
}

void record_set_master(struct record *record, const char *host, uint16_t port)
{
    struct record_redis *io = record_io_of(record)->ctx;

    redis_set_endpoint(io->main, host, port);
    redis_set_endpoint(io->log, host, port);
}

void record_set_timeout(struct record *record, unsigned timeout_ms)
{
    struct record_redis *io = record_io_of(record)->ctx;

    io->timeout_ms = timeout_ms;
    redis_set_timeout(io->main, timeout_ms);
    redis_set_timeout(io->log, timeout_ms);
}

void record_set_durability(struct record *record, unsigned replicas_min, struct sentinels *sentinels)
{
    struct record_redis *io = record_io_of(record)->ctx;

    io->replicas_min = replicas_min;
    io->sentinels = sentinels;
}
