/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of the record's connection, loading, and writing back a record that was lost. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "store/record_impl.h"

#define SCAN_COUNT    "1000"
#define RESTORE_BATCH 500 /* entries in one command */
#define RELOAD_MS     5000

const char *const record_table_names[RECORD_TABLES] = {"nodes",    "subclusters", "ha",
                                                       "settings", "routes",      "users"};

static void scan(struct record *rec);
static void restore(struct record *rec);

static void load_failed(struct record *rec, const char *why)
{
    rec->loading = false;
    if (redis_is_up(rec->redis)) {
        /* what is in memory stays; the next load that ends well clears it */
        alarm_raise(rec->alarms, ALARM_record_bad, "the record cannot be read: %s", why);
        record_reload_later(rec);
    }
}

static void load_done(struct record *rec)
{
    rec->loading = false;
    rec->loaded = true;
    rec->ever = true;
    rec->ev.load_end(rec->ev.arg);
    log_printf(rec->log, HG_LOG_INFO, "record_loaded", "the record is in memory, %" PRIu64 " entries",
               rec->entries);
    if (rec->again)
        record_reload_later(rec);
    rec->again = false;
}

static void on_scan(void *arg, const redisReply *reply, const char *error)
{
    struct record *rec = arg;

    if (error || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING || reply->element[1]->type != REDIS_REPLY_ARRAY) {
        load_failed(rec, error ? error : "HSCAN: an answer of another form");
        return;
    }
    const redisReply *list = reply->element[1];
    for (size_t i = 0; i + 1 < list->elements; i += 2) {
        const redisReply *f = list->element[i], *v = list->element[i + 1];
        if (f->type != REDIS_REPLY_STRING || v->type != REDIS_REPLY_STRING)
            continue;
        struct record_version version;
        struct slice payload;
        record_value_split(slice_of(v->str, (uint32_t)v->len), &version, &payload);
        rec->entries++;
        rec->ev.loaded_one(rec->ev.arg, rec->table, slice_of(f->str, (uint32_t)f->len), payload, version);
    }
    rec->cursor = strtoull(reply->element[0]->str, NULL, 10);
    if (rec->cursor == 0 && ++rec->table == RECORD_TABLES)
        load_done(rec);
    else
        scan(rec);
}

static void scan(struct record *rec)
{
    char cursor[24];

    snprintf(cursor, sizeof(cursor), "%" PRIu64, rec->cursor);
    if (!redis_words(rec->redis, on_scan, rec, "HSCAN", rec->key[rec->table], cursor, "COUNT", SCAN_COUNT,
                     NULL))
        load_failed(rec, "the queue to Redis is full");
}

static void on_restored(void *arg, const redisReply *reply, const char *error)
{
    struct record *rec = arg;

    (void)reply;
    if (error)
        load_failed(rec, error);
    else
        restore(rec);
}

/* Redis came back without the record (no persistence, or an empty replica was promoted): what this node knows
 * is the best copy there is. HSETNX-like care is not needed: nobody serves from a record without an id. */
static void restore(struct record *rec)
{
    static const size_t max = 4 + 2 * RESTORE_BATCH;
    const char **argv = calloc(max, sizeof(argv[0]));
    size_t *len = calloc(max, sizeof(len[0]));
    char *bytes = NULL;
    size_t used = 0, *offset = calloc(max, sizeof(offset[0]));
    FILE *f = open_memstream(&bytes, &used);
    int argc = 2;

    if (argv && len && offset && f) {
        struct slice field, value;
        while (argc + 1 < (int)max && rec->table < RECORD_TABLES) {
            if (rec->table < RECORD_ROUTES ||
                !rec->ev.give(rec->ev.arg, rec->table, &rec->cursor, &field, &value)) {
                if (argc > 2)
                    break;
                rec->table++;
                rec->cursor = 0;
                continue;
            }
            offset[argc] = (size_t)ftell(f);
            len[argc++] = field.len;
            fwrite(field.p, 1, field.len, f);
            offset[argc] = (size_t)ftell(f);
            len[argc++] = value.len;
            fwrite(value.p, 1, value.len, f);
            rec->entries++;
        }
    }
    if (f)
        fclose(f);
    if (argc > 2 && bytes) {
        argv[0] = "HSET";
        argv[1] = rec->key[rec->table];
        len[0] = 4;
        len[1] = strlen(argv[1]);
        for (int i = 2; i < argc; i++)
            argv[i] = bytes + offset[i];
        if (!redis_send(rec->redis, argc, argv, len, 0, on_restored, rec))
            load_failed(rec, "the queue to Redis is full");
    } else {
        log_printf(rec->log, HG_LOG_WARNING, "record_restored", "%" PRIu64 " entries were written back",
                   rec->entries);
        rec->restoring = false;
        rec->entries = 0;
        rec->table = 0;
        rec->cursor = 0;
        rec->ev.load_begin(rec->ev.arg);
        scan(rec);
    }
    free(argv);
    free(len);
    free(offset);
    free(bytes);
}

static void on_id(void *arg, const redisReply *reply, const char *error)
{
    struct record *rec = arg;

    if (error || reply->type != REDIS_REPLY_STRING || reply->len == 0 || reply->len >= sizeof(rec->id)) {
        load_failed(rec, error ? error : "the id of the record is of another form");
        return;
    }
    bool lost = rec->id[0] && strcmp(reply->str, rec->new_id) == 0 && strcmp(rec->id, reply->str) != 0;
    snprintf(rec->id, sizeof(rec->id), "%s", reply->str);
    rec->table = 0;
    rec->cursor = 0;
    rec->entries = 0;
    if (lost || rec->restoring) {
        rec->restoring = true;
        alarm_on(rec->alarms, ALARM_redis_record_lost);
        restore(rec);
        return;
    }
    rec->ev.load_begin(rec->ev.arg);
    scan(rec);
}

static void on_id_offered(void *arg, const redisReply *reply, const char *error)
{
    struct record *rec = arg;

    if (error || !reply)
        load_failed(rec, error);
    else if (!redis_words(rec->redis, on_id, rec, "GET", rec->id_key, NULL))
        load_failed(rec, "the queue to Redis is full");
}

void record_load(struct record *rec)
{
    if (rec->loading) {
        rec->again = true;
        return;
    }
    uint64_t random[2];
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return;
    snprintf(rec->new_id, sizeof(rec->new_id), "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
    rec->loading = true;
    if (!redis_words(rec->redis, on_id_offered, rec, "SETNX", rec->id_key, rec->new_id, NULL))
        load_failed(rec, "the queue to Redis is full");
}

static void on_retry(uv_timer_t *timer)
{
    struct record *rec = timer->data;

    if (redis_is_up(rec->redis))
        record_load(rec);
}

void record_reload_later(struct record *rec)
{
    if (!uv_is_active((uv_handle_t *)&rec->retry))
        uv_timer_start(&rec->retry, on_retry, RELOAD_MS, 0);
}

static void on_up(void *arg)
{
    struct record *rec = arg;

    alarm_clear(rec->alarms, ALARM_redis_away);
    log_printf(rec->log, HG_LOG_INFO, "redis_up", "%s", redis_state(rec->redis));
    record_load(rec);
}

static void on_down(void *arg, const char *why)
{
    struct record *rec = arg;

    rec->loaded = false;
    rec->loading = false;
    alarm_raise(rec->alarms, ALARM_redis_away,
                "Redis is away (%s): changes of routes and users are refused, counters are not exported",
                why);
}

static void on_health(void *arg, unsigned replicas, int eviction, int durable)
{
    struct record *rec = arg;

    if (eviction == 1)
        alarm_on(rec->alarms, ALARM_redis_eviction);
    else if (eviction < 0)
        alarm_raise(rec->alarms, ALARM_redis_eviction,
                    "Redis does not tell its maxmemory-policy; make sure that it is noeviction");
    else
        alarm_clear(rec->alarms, ALARM_redis_eviction);
    if (replicas == 0 && durable == 0)
        alarm_on(rec->alarms, ALARM_redis_not_durable);
    else if (replicas == 0 && durable < 0)
        alarm_raise(rec->alarms, ALARM_redis_not_durable,
                    "Redis has no replica and does not tell its appendfsync; it must be always");
    else
        alarm_clear(rec->alarms, ALARM_redis_not_durable);
}

struct record *record_create(const struct redis_options *options, const char *cluster,
                             const struct record_events *events, struct log *log, struct alarms *alarms)
{
    struct record *rec = calloc(1, sizeof(*rec));
    struct redis_events ev = {.up = on_up, .down = on_down, .health = on_health, .arg = rec};

    if (!rec)
        return NULL;
    rec->ev = *events;
    rec->log = log;
    rec->alarms = alarms;
    rec->timeout_ms = options->timeout_ms;
    for (unsigned i = 0; i < RECORD_TABLES; i++)
        snprintf(rec->key[i], sizeof(rec->key[0]), "hg:{%s}:%s", cluster, record_table_names[i]);
    snprintf(rec->id_key, sizeof(rec->id_key), "hg:{%s}:record", cluster);
    rec->redis = redis_create(options, &ev);
    if (!rec->redis) {
        free(rec);
        return NULL;
    }
    uv_timer_init(options->loop, &rec->retry);
    rec->retry.data = rec;
    return rec;
}

static void on_retry_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void record_close(struct record *rec)
{
    if (!rec)
        return;
    redis_close(rec->redis);
    rec->redis = NULL;
    uv_timer_stop(&rec->retry);
    uv_close((uv_handle_t *)&rec->retry, on_retry_closed);
}

struct redis *record_redis(const struct record *rec)
{
    return rec->redis;
}

bool record_loaded(const struct record *rec)
{
    return rec->loaded;
}

bool record_was_loaded(const struct record *rec)
{
    return rec->ever;
}

enum record_state record_state(const struct record *rec)
{
    return rec->loaded ? RECORD_FOLLOWING : redis_is_up(rec->redis) ? RECORD_LOADING : RECORD_AWAY;
}
