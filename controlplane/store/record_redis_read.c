/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading. What was read is told only after the replicas have what the master had then: a PUBLISH that nobody
 * hears moves the offset of this connection behind everything that it has seen, and WAIT waits for that. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/record_reading.h"

#define NUMBER_MAX   24
#define NOT_IN_TIME  "no replica of Redis confirmed it in time"
#define NOT_CERTAIN  "the Sentinels are making another Redis master, or too few of them answer"
#define COUNT_SMALL  "500"
#define COUNT_USERS  "4000"
#define COUNT_PAGE   "1000" /* for who reads a page: of the largest users that is 2 MiB */
#define FOLLOW_COUNT "64"

unsigned record_redis_wanted(const void *ctx)
{
    const struct record_redis *io = ctx;
    unsigned attached = redis_replicas(io->main);

    if (io->replicas_min)
        return io->replicas_min;
    if (attached)
        return 1;
    /* Alone: its replicas may have been taken away because another one is being promoted, and the Sentinels
     * still name this one. What is told then must not be lost with it. */
    uint64_t alone = io->alone_since ? uv_now(io->loop) - io->alone_since : 0;
    return io->sentinels && !sentinels_settled(io->sentinels, alone) ? 1 : 0;
}

static void ignore(void *arg, const redisReply *reply, const char *error)
{
    (void)arg, (void)reply, (void)error;
}

static void on_certain(void *arg, bool certain)
{
    struct record_reading *r = arg, **p = &r->io->uncertain;

    while (*p && *p != r)
        p = &(*p)->next;
    if (*p)
        *p = r->next;
    if (r->told)
        record_reading_free(r);
    else
        record_reading_tell(r, certain ? NULL : NOT_CERTAIN);
}

void record_redis_uncertain(struct record_redis *io, const struct redis *redis, const char *why)
{
    struct record_reading *r = io->uncertain;

    io->uncertain = NULL;
    while (r) {
        struct record_reading *next = r->next;
        if (r->redis == redis) {
            r->told = true;
            record_reading_answer(r, why);
        } else {
            r->next = io->uncertain;
            io->uncertain = r;
        }
        r = next;
    }
}

static void on_wait(void *arg, const redisReply *reply, const char *error)
{
    struct record_reading *r = arg;

    if (!error && (reply->type != REDIS_REPLY_INTEGER || reply->integer < r->wanted))
        error = NOT_IN_TIME;
    if (error || !r->io->sentinels) {
        record_reading_tell(r, error);
        return;
    }
    r->next = r->io->uncertain;
    r->io->uncertain = r;
    sentinels_ask_certain(r->io->sentinels, on_certain, r);
}

/* PUBLISH and WAIT behind what was sent before. */
static bool send_wait(struct record_reading *r, bool publish)
{
    char wanted[NUMBER_MAX], ms[NUMBER_MAX];

    r->wanted = record_redis_wanted(r->io);
    snprintf(wanted, sizeof(wanted), "%u", r->wanted);
    snprintf(ms, sizeof(ms), "%u", r->io->timeout_ms / 2 + 1);
    return (!publish || redis_words(r->redis, ignore, NULL, "PUBLISH", r->io->key[KEY_SEEN], "", NULL)) &&
           redis_words(r->redis, on_wait, r, "WAIT", wanted, ms, NULL);
}

static void on_read(void *arg, const redisReply *reply, const char *error)
{
    struct record_reading *r = arg;

    r->denied = reply && error;
    if (!error) {
        r->held = redis_take_reply(r->redis);
        if (r->follow && r->held->type == REDIS_REPLY_NIL) { /* nothing new */
            record_reading_tell(r, NULL);
            return;
        }
        if (record_redis_wanted(r->io) == 0 && !r->io->sentinels) {
            record_reading_tell(r, NULL);
            return;
        }
        if (send_wait(r, true))
            return;
        error = "the queue to Redis is full";
    }
    snprintf(r->why, sizeof(r->why), "%s", error);
    record_reading_tell(r, r->why);
}

static struct record_reading *new_reading(struct record_redis *io, struct redis *redis, void *arg)
{
    struct record_reading *r = calloc(1, sizeof(*r));

    if (r) {
        r->io = io;
        r->redis = redis;
        r->arg = arg;
    }
    return r;
}

static bool sent_or_free(struct record_reading *r, bool sent)
{
    if (!sent)
        free(r);
    return sent;
}

/* ---- confirm ---- */
bool record_redis_confirm(void *ctx, record_on_confirm answered, void *arg)
{
    struct record_redis *io = ctx;
    struct record_reading *r = new_reading(io, io->main, arg);

    if (!r)
        return false;
    r->confirm = answered;
    /* with nobody to wait for, WAIT 0 answers at once */
    return sent_or_free(r, send_wait(r, false));
}

/* ---- scan ---- */
static struct record_reading *send_scan(struct record_redis *io, struct record_scan *scan,
                                        enum record_table table, uint64_t from)
{
    struct record_reading *r = new_reading(io, io->main, NULL);
    char cursor[NUMBER_MAX];

    if (!r)
        return NULL;
    r->scan = scan;
    r->cursor = from;
    r->table = table;
    snprintf(cursor, sizeof(cursor), "%" PRIu64, from);
    bool sent = redis_words(io->main, on_read, r, "HSCAN", io->key[KEY_TABLE + table], cursor, "COUNT",
                            scan && !scan->whole    ? COUNT_PAGE
                            : table == RECORD_USERS ? COUNT_USERS
                                                    : COUNT_SMALL,
                            NULL);
    return sent_or_free(r, sent) ? r : NULL;
}

struct record_reading *record_reading_ahead(struct record_redis *io, enum record_table table, uint64_t from)
{
    struct record_reading *r = send_scan(io, NULL, table, from);

    if (r)
        r->early = true;
    return r;
}

bool record_redis_scan(void *ctx, struct record_scan *scan)
{
    struct record_redis *io = ctx;
    struct record_reading *ahead = io->ahead;

    if (!ahead || ahead->table != scan->table || ahead->cursor != scan->cursor)
        return send_scan(io, scan, scan->table, scan->cursor) != NULL;
    io->ahead = NULL;
    ahead->scan = scan;
    record_reading_wanted(ahead);
    return true;
}

/* ---- follow ---- */
bool record_redis_follow(void *ctx, struct record_follow *follow)
{
    struct record_redis *io = ctx;

    if (!io->log_up)
        return false;
    if (strcmp(redis_run_id(io->log), redis_run_id(io->main)) != 0) {
        redis_drop(io->log, "the log is read from the server that changes go to");
        return false;
    }
    struct record_reading *r = new_reading(io, io->log, NULL);
    if (!r)
        return false;
    r->follow = follow;
    char id[RECORD_VERSION_STRLEN], ms[NUMBER_MAX];
    record_version_format(follow->after, id);
    snprintf(ms, sizeof(ms), "%u", RECORD_BLOCK_MS);
    const char *argv[] = {"XREAD", "COUNT", FOLLOW_COUNT, "BLOCK", ms, "STREAMS", io->key[KEY_LOG], id};
    size_t len[8];
    for (unsigned i = 0; i < 8; i++)
        len[i] = strlen(argv[i]);
    return sent_or_free(r, redis_send(io->log, 8, argv, len, RECORD_BLOCK_MS + io->timeout_ms, on_read, r));
}

/* ---- read ---- */
bool record_redis_read(void *ctx, enum record_table table, struct slice field, record_on_value answered,
                       void *arg)
{
    struct record_redis *io = ctx;
    struct record_reading *r = new_reading(io, io->main, arg);

    if (!r)
        return false;
    r->value = answered;
    const char *argv[] = {"HGET", io->key[KEY_TABLE + table], field.p};
    size_t len[] = {4, strlen(argv[1]), field.len};
    return sent_or_free(r, redis_send(io->main, 3, argv, len, 0, on_read, r));
}
