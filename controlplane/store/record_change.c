/* SPDX-License-Identifier: BSD-2-Clause */
/* One change of the record: a script that checks and writes in one step, then WAIT where there is a replica.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/record_impl.h"

/* KEYS[1] the hash; ARGV field, value, mode. 1 done, 0 refused. */
static const char script[] = "local there = redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 "
                             "if ARGV[3] == 'add' and there then return 0 end "
                             "if (ARGV[3] == 'set' or ARGV[3] == 'remove') and not there then return 0 end "
                             "if ARGV[3] == 'remove' then redis.call('HDEL', KEYS[1], ARGV[1]) "
                             "else redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end "
                             "return 1";
/* SHA-1 of the script, as EVALSHA wants it; a wrong one would only cost one more round trip */
static const char script_sha[] = "fb129ed9eee79c9e91cf450e6935dd4ac35897a1";

static const char *mode_word(const struct record_item *item)
{
    if (item->op == RECORD_REMOVE)
        return "remove";
    return item->expect == RECORD_ABSENT ? "add" : item->expect == RECORD_PRESENT ? "set" : "put";
}

struct change {
    struct record *rec;
    record_done done;
    void *arg;
    struct record_item item; /* its slices in bytes[] */
    bool whole;              /* the script was sent itself */
    char bytes[];
};

static void finish(struct change *c, enum record_result result, const char *why)
{
    struct record_outcome outcome = {.result = result, .why = why};
    struct record *rec = c->rec;

    if (result == RECORD_OK)
        rec->ev.changed(rec->ev.arg, c->item.table, c->item.op, c->item.field, c->item.value,
                        outcome.version);
    c->done(c->arg, &outcome);
    free(c);
}

static void on_wait(void *arg, const redisReply *reply, const char *error)
{
    struct change *c = arg;

    if (!error && reply->type == REDIS_REPLY_INTEGER && reply->integer >= 1) {
        finish(c, RECORD_OK, NULL);
        return;
    }
    /* whether it stays is not known: read the record again, later, and serve what it says then */
    if (redis_is_up(c->rec->redis))
        record_reload_later(c->rec);
    finish(c, RECORD_UNAVAILABLE,
           error ? error : "no replica of Redis confirmed the change in time; it may be lost");
}

static bool send_script(struct change *c);

static void on_script(void *arg, const redisReply *reply, const char *error)
{
    struct change *c = arg;
    struct record *rec = c->rec;

    if (reply && error && strncmp(error, "NOSCRIPT", 8) == 0 && !c->whole) {
        c->whole = true;
        if (!send_script(c))
            finish(c, RECORD_UNAVAILABLE, "the queue to Redis is full");
        return;
    }
    if (error) {
        finish(c, RECORD_UNAVAILABLE, error);
        return;
    }
    if (reply->type != REDIS_REPLY_INTEGER || reply->integer != 1) {
        if (c->item.expect == RECORD_ABSENT)
            finish(c, RECORD_EXISTS, "the record has it already");
        else
            finish(c, RECORD_MISSING, "the record does not have it");
        return;
    }
    if (redis_replicas(rec->redis) == 0) {
        finish(c, RECORD_OK, NULL);
        return;
    }
    char wait_ms[16];
    snprintf(wait_ms, sizeof(wait_ms), "%u", rec->timeout_ms / 2 + 1);
    if (!redis_words(rec->redis, on_wait, c, "WAIT", "1", wait_ms, NULL))
        finish(c, RECORD_UNAVAILABLE, "the queue to Redis is full");
}

static bool send_script(struct change *c)
{
    const char *mode = mode_word(&c->item), *key = c->rec->key[c->item.table];
    const char *argv[7] = {c->whole ? "EVAL" : "EVALSHA",
                           c->whole ? script : script_sha,
                           "1",
                           key,
                           c->item.field.p,
                           c->item.value.p,
                           mode};
    size_t len[7];

    for (int i = 0; i < 7; i++)
        len[i] = i == 4 ? c->item.field.len : i == 5 ? c->item.value.len : strlen(argv[i]);
    return redis_send(c->rec->redis, 7, argv, len, 0, on_script, c);
}

static void refuse(record_done done, void *arg, const char *why)
{
    struct record_outcome outcome = {.result = RECORD_UNAVAILABLE, .why = why};

    done(arg, &outcome);
}

void record_change(struct record *rec, const struct record_item *items, uint32_t n, record_done done,
                   void *arg)
{
    if (!redis_is_up(rec->redis)) {
        refuse(done, arg, redis_state(rec->redis));
        return;
    }
    if (n != 1) {
        refuse(done, arg, "changes of several items are not made yet");
        return;
    }
    struct slice field = items->field, value = items->value;
    struct change *c = malloc(sizeof(*c) + field.len + value.len + 1);
    if (!c) {
        refuse(done, arg, "out of memory");
        return;
    }
    *c = (struct change){.rec = rec, .done = done, .arg = arg, .item = *items};
    memcpy(c->bytes, field.p, field.len);
    if (value.len)
        memcpy(c->bytes + field.len, value.p, value.len);
    c->item.field = slice_of(c->bytes, field.len);
    c->item.value = slice_of(c->bytes + field.len, value.len);
    if (!send_script(c))
        finish(c, RECORD_UNAVAILABLE, "the queue to Redis is full");
}

void record_change_one(struct record *rec, enum record_table table, enum record_op op,
                       enum record_expect expect, struct slice field, struct slice value, record_done done,
                       void *arg)
{
    struct record_item item = {.table = table, .op = op, .expect = expect, .field = field, .value = value};

    record_change(rec, &item, 1, done, arg);
}

uint32_t record_room(const struct record *rec)
{
    return redis_is_up(rec->redis) ? REDIS_PENDING_MAX - redis_pending(rec->redis) : 0;
}

void record_cas(struct record *rec, enum record_table table, struct slice field,
                struct record_version expected, struct slice value, record_done done, void *arg)
{
    (void)rec, (void)table, (void)field, (void)expected, (void)value;
    refuse(done, arg, "compare-and-set is not made yet");
}

void record_read(struct record *rec, enum record_table table, struct slice field, record_done done, void *arg)
{
    (void)rec, (void)table, (void)field;
    refuse(done, arg, "single values are not read yet");
}
