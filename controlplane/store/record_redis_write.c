/* SPDX-License-Identifier: BSD-2-Clause */
/* The scripts: arguments in, answers out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/record_redis.h"
#include "store/record_scripts.h"

#define NUMBER_MAX 24

struct words { /* of one command */
    const char **argv;
    size_t *len;
    int argc, room;
};

static bool words_make(struct words *w, int room)
{
    *w = (struct words){.room = room};
    w->argv = malloc((size_t)room * sizeof(w->argv[0]));
    w->len = malloc((size_t)room * sizeof(w->len[0]));
    return w->argv && w->len;
}

static void words_free(struct words *w)
{
    free(w->argv);
    free(w->len);
}

static void put(struct words *w, const char *p, size_t len)
{
    w->argv[w->argc] = p;
    w->len[w->argc++] = len;
}

static void put_str(struct words *w, const char *s)
{
    put(w, s, strlen(s));
}

static uint64_t number(const redisReply *r)
{
    if (r->type == REDIS_REPLY_INTEGER)
        return r->integer < 0 ? 0 : (uint64_t)r->integer;
    return r->type == REDIS_REPLY_STRING ? strtoull(r->str, NULL, 10) : 0;
}

static bool is_text(const redisReply *r)
{
    return r->type == REDIS_REPLY_STRING;
}

/* ---- hello ---- */
struct hello {
    struct record_redis *io;
    struct record_hello ask;
    bool whole; /* the script itself is sent, not its hash */
    record_on_welcome answered;
    void *arg;
};

static bool send_hello(struct hello *h);

static bool take_welcome(const redisReply *r, struct record_welcome *w)
{
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 5)
        return false;
    for (size_t i = 0; i < r->elements; i++)
        if (!is_text(r->element[i]))
            return false;
    const char *role = r->element[3]->str;
    *w = (struct record_welcome){.term = number(r->element[0]),
                                 .seq = number(r->element[2]),
                                 .role = strcmp(role, "restore") == 0    ? RECORD_ROLE_RESTORE
                                         : strcmp(role, "wait") == 0     ? RECORD_ROLE_WAIT
                                         : strcmp(role, "continue") == 0 ? RECORD_ROLE_CONTINUE
                                                                         : RECORD_ROLE_FOLLOW,
                                 .fresh = r->element[4]->len > 0};
    if (r->element[1]->len == 0 || r->element[1]->len > RECORD_ID_LEN || w->term == 0)
        return false;
    snprintf(w->id, sizeof(w->id), "%s", r->element[1]->str);
    return true;
}

static void on_hello(void *arg, const redisReply *reply, const char *error)
{
    struct hello *h = arg;
    struct record_welcome w;

    if (reply && error && strncmp(error, "NOSCRIPT", 8) == 0 && !h->whole) {
        h->whole = true;
        if (send_hello(h))
            return;
    }
    if (!error && !take_welcome(reply, &w))
        error = "the term or the id of the record is of another form";
    if (!error)
        snprintf(w.run, sizeof(w.run), "%s", redis_run_id(h->io->main));
    h->answered(h->arg, error ? NULL : &w, error);
    free(h);
}

static bool send_hello(struct hello *h)
{
    struct record_redis *io = h->io;
    char term[NUMBER_MAX], seq[NUMBER_MAX];

    snprintf(term, sizeof(term), "%" PRIu64, h->ask.known_term);
    snprintf(seq, sizeof(seq), "%" PRIu64, h->ask.known_seq);
    return redis_words(io->main, on_hello, h, h->whole ? "EVAL" : "EVALSHA",
                       h->whole ? SCRIPT_HELLO : io->hello_sha, "3", io->key[KEY_TERM], io->key[KEY_RECORD],
                       io->key[KEY_RESTORING], redis_run_id(io->main), h->ask.new_id, term, h->ask.known_id,
                       h->ask.me, "30000", h->ask.known_run, seq, NULL);
}

bool record_redis_hello(void *ctx, const struct record_hello *hello, record_on_welcome answered, void *arg)
{
    struct hello *h = malloc(sizeof(*h));

    if (!h)
        return false;
    *h = (struct hello){.io = ctx, .ask = *hello, .answered = answered, .arg = arg};
    if (send_hello(h))
        return true;
    free(h);
    return false;
}

/* ---- change ---- */
struct changing {
    struct record_redis *io;
    struct record_write *write;
    bool whole;
};

static bool send_change(struct changing *c);

static const struct {
    const char *word;
    enum record_result result;
    const char *why;
} refusals[] = {{"exists", RECORD_EXISTS, "the record has it already"},
                {"missing", RECORD_MISSING, "the record does not have it"},
                {"conflict", RECORD_CONFLICT, "somebody else changed it meanwhile"}};

static enum record_wrote take_answer(const redisReply *r, struct record_outcome *o)
{
    if (r->type != REDIS_REPLY_ARRAY || r->elements < 1 || !is_text(r->element[0]))
        return RECORD_FAILED;
    const char *word = r->element[0]->str;
    if (strcmp(word, "term") == 0)
        return RECORD_OTHER_TERM;
    if (strcmp(word, "ok") == 0 && r->elements == 2 && is_text(r->element[1])) {
        const redisReply *v = r->element[1];
        bool none = v->len == 0;
        return none || record_version_parse(slice_of(v->str, (uint32_t)v->len), &o->version) ? RECORD_WROTE
                                                                                             : RECORD_FAILED;
    }
    for (unsigned i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (strcmp(word, refusals[i].word) != 0 || r->elements < 2)
            continue;
        o->result = refusals[i].result;
        o->why = refusals[i].why;
        o->item = (uint32_t)number(r->element[1]);
        if (r->elements > 2 && is_text(r->element[2]))
            record_value_split(slice_of(r->element[2]->str, (uint32_t)r->element[2]->len), &o->version,
                               &o->value);
        return RECORD_REFUSED;
    }
    return RECORD_FAILED;
}

static void on_change(void *arg, const redisReply *reply, const char *error)
{
    struct changing *c = arg;
    struct record_write *write = c->write;
    struct record_outcome o = {.result = RECORD_OK};
    enum record_wrote wrote = RECORD_FAILED;

    if (reply && error && strncmp(error, "NOSCRIPT", 8) == 0 && !c->whole) {
        c->whole = true;
        if (send_change(c))
            return;
        error = "the queue to Redis is full";
    }
    free(c);
    if (!error)
        wrote = take_answer(reply, &o);
    else if (reply)
        wrote = RECORD_DENIED;
    if (wrote == RECORD_FAILED && !error)
        error = "the script answered in another form";
    write->answered(write, wrote, &o, error);
}

static const char *code_of(const struct record_item *item)
{
    static const char *const set[] = {"s*", "s-", "s+", "s=", "s?", "s!"};
    static const char *const del[] = {"d*", "d-", "d+", "d=", "d?", "d!"};

    return item->op == RECORD_SET ? set[item->expect] : del[item->expect];
}

static bool send_change(struct changing *c)
{
    static const char *const table[RECORD_TABLES] = {"1", "2", "3", "4", "5", "6"};
    const struct record_write *write = c->write;
    struct record_redis *io = c->io;
    struct words w;
    char term[NUMBER_MAX], (*versions)[RECORD_VERSION_STRLEN] = NULL;
    bool sent = false;

    if (!words_make(&w, 3 + KEY_RECORD + 3 + 5 * (int)write->n))
        goto out;
    versions = malloc(write->n * sizeof(versions[0]));
    if (!versions)
        goto out;
    snprintf(term, sizeof(term), "%" PRIu64, write->term);
    put_str(&w, c->whole ? "EVAL" : "EVALSHA");
    put_str(&w, c->whole ? SCRIPT_CHANGE : io->change_sha);
    put_str(&w, "8");
    for (unsigned k = KEY_TERM; k < KEY_RECORD; k++)
        put_str(&w, io->key[k]);
    put_str(&w, term);
    put_str(&w, redis_run_id(io->main));
    put_str(&w, RECORD_LOG_ENTRIES);
    for (uint32_t i = 0; i < write->n; i++) {
        const struct record_item *item = &write->items[i];
        versions[i][0] = '\0';
        if (item->expect == RECORD_SAME)
            record_version_format(item->version, versions[i]);
        put_str(&w, table[item->table]);
        put_str(&w, code_of(item));
        put(&w, item->field.p, item->field.len);
        put(&w, item->value.p, item->value.len);
        if (item->expect == RECORD_EXACT)
            put(&w, item->raw.p, item->raw.len);
        else
            put_str(&w, versions[i]);
    }
    sent = redis_send(io->main, w.argc, w.argv, w.len, 0, on_change, c);
out:
    words_free(&w);
    free(versions);
    return sent;
}

bool record_redis_change(void *ctx, struct record_write *write)
{
    struct changing *c = malloc(sizeof(*c));

    if (!c)
        return false;
    *c = (struct changing){.io = ctx, .write = write};
    if (send_change(c))
        return true;
    free(c);
    return false;
}

/* ---- the end of writing back, and the look once a second ---- */
struct asking {
    struct record_redis *io;
    record_on_confirm confirm;
    record_on_check check;
    void *arg;
    uint64_t term, seq;
    bool failed;
};

static struct asking *new_asking(struct record_redis *io, void *arg)
{
    struct asking *a = calloc(1, sizeof(*a));

    if (a) {
        a->io = io;
        a->arg = arg;
    }
    return a;
}

static void on_from(void *arg, const redisReply *reply, const char *error)
{
    struct asking *a = arg;

    (void)reply;
    a->failed = error != NULL;
}

static void on_unlocked(void *arg, const redisReply *reply, const char *error)
{
    struct asking *a = arg;

    (void)reply;
    if (!error && a->failed)
        error = "the record cannot be marked as written back";
    if (error || !record_redis_confirm(a->io, a->confirm, a->arg))
        a->confirm(a->arg, false, error ? error : "the queue to Redis is full");
    free(a);
}

bool record_redis_restored(void *ctx, const char *id, record_on_confirm answered, void *arg)
{
    struct record_redis *io = ctx;
    struct asking *a = new_asking(io, arg);

    if (!a)
        return false;
    a->confirm = answered;
    if (redis_words(io->main, on_from, a, "HSET", io->key[KEY_TERM], "from", id, NULL) &&
        redis_words(io->main, on_unlocked, a, "DEL", io->key[KEY_RESTORING], NULL))
        return true;
    redis_drop(io->main, "the queue to Redis is full"); /* the first may be under way, and knows of a */
    return true;
}

static void on_term(void *arg, const redisReply *reply, const char *error)
{
    struct asking *a = arg;

    a->failed = error || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2;
    if (a->failed)
        return;
    a->term = number(reply->element[0]);
    a->seq = number(reply->element[1]);
}

static void on_id(void *arg, const redisReply *reply, const char *error)
{
    struct asking *a = arg;

    if (!error && a->failed)
        error = "the term of the record cannot be read";
    a->check(a->arg, a->term, a->seq, !error && is_text(reply) ? reply->str : "", error);
    free(a);
}

bool record_redis_check(void *ctx, record_on_check answered, void *arg)
{
    struct record_redis *io = ctx;
    struct asking *a = new_asking(io, arg);

    if (!a)
        return false;
    a->check = answered;
    if (!redis_words(io->main, on_term, a, "HMGET", io->key[KEY_TERM], "term", "seq", NULL)) {
        free(a);
        return false;
    }
    if (!redis_words(io->main, on_id, a, "GET", io->key[KEY_RECORD], NULL))
        redis_drop(io->main, "the queue to Redis is full");
    return true;
}
