/* SPDX-License-Identifier: BSD-2-Clause */
/* Telling what was read and confirmed. A page of a scan and the entries of the log may be many thousand
 * users: they are told in pieces, one a turn of the loop, and freed as they are told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pace.h"
#include "store/record_reading.h"
#include "store/record_text.h"

static struct slice text_of(const redisReply *r)
{
    return r->type == REDIS_REPLY_STRING ? slice_of(r->str, (uint32_t)r->len) : slice_of("", 0);
}

static void told(redisReply *list, size_t at)
{
    freeReplyObject(list->element[at]);
    list->element[at] = NULL;
}

/* Nobody wants it any more, answered or not. */
static void forget(struct record_reading *r)
{
    if (!r)
        return;
    r->early = false; /* not answered yet: it is freed then */
    if (r->ready)
        record_reading_free(r);
}

void record_reading_free(struct record_reading *r)
{
    forget(r->ahead);
    if (r->held)
        freeReplyObject(r->held);
    free(r);
}

/* ---- a page of a scan: [cursor, [field, value, ...]] ---- */
static bool is_page(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
           reply->element[0]->type == REDIS_REPLY_STRING && reply->element[1]->type == REDIS_REPLY_ARRAY;
}

static void end_scan(struct record_reading *r, uint64_t next)
{
    struct record_redis *io = r->io;

    io->ahead = r->ahead;
    r->ahead = NULL;
    r->scan->done(r->scan, next, false, NULL);
    forget(io->ahead); /* whoever did not ask for it in done() does not get it */
    io->ahead = NULL;
}

static bool scan_piece(struct record_reading *r, struct pace *pace)
{
    uint64_t next = strtoull(r->held->element[0]->str, NULL, 10);
    redisReply *list = r->held->element[1];

    if (!r->begun && r->scan->whole && next) /* Redis looks for the next page while this one is taken in */
        r->ahead = record_reading_ahead(r->io, r->table, next);
    r->begun = true;
    for (; r->at + 1 < list->elements && !r->lost; r->at += 2) {
        if (pace_is_over(pace))
            return false;
        r->scan->one(r->scan, text_of(list->element[r->at]), text_of(list->element[r->at + 1]));
        told(list, r->at);
        told(list, r->at + 1);
    }
    if (!r->lost)
        end_scan(r, next);
    return true;
}

/* ---- the log: [[key, [entry, ...]]] ---- */
static bool tell_entry(struct record_follow *f, const redisReply *e)
{
    struct record_item items[RECORD_ITEMS_MAX];
    struct record_version version = {0, 0};
    const char *why = "an entry of another form";
    uint32_t n = 0;

    if (e->type != REDIS_REPLY_ARRAY || e->elements != 2 || e->element[1]->type != REDIS_REPLY_ARRAY ||
        !record_version_parse(text_of(e->element[0]), &version))
        return f->entry(f, version, NULL, 0, why);
    const redisReply *pairs = e->element[1];
    for (size_t i = 0; i + 1 < pairs->elements; i += 2) {
        if (n == RECORD_ITEMS_MAX || !record_log_key_parse(text_of(pairs->element[i]), &items[n]))
            return f->entry(f, version, NULL, 0, why);
        items[n++].value = text_of(pairs->element[i + 1]);
    }
    return f->entry(f, version, items, n, why);
}

static bool is_log(const redisReply *reply)
{
    const redisReply *stream =
        reply->type == REDIS_REPLY_ARRAY && reply->elements == 1 ? reply->element[0] : NULL;

    return stream && stream->type == REDIS_REPLY_ARRAY && stream->elements == 2 &&
           stream->element[1]->type == REDIS_REPLY_ARRAY;
}

/* One entry may have 500 users. */
static bool follow_piece(struct record_reading *r, struct pace *pace)
{
    redisReply *list = r->held->element[0]->element[1];

    for (bool more = true; more && r->at < list->elements && !r->lost; r->at++) {
        if (r->begun && pace_is_over_now(pace))
            return false;
        r->begun = true;
        more = tell_entry(r->follow, list->element[r->at]);
        told(list, r->at);
    }
    if (!r->lost)
        r->follow->done(r->follow, false, NULL);
    return true;
}

/* ---- all ---- */
static void answer_scan(struct record_reading *r, const char *error)
{
    if (!error)
        error = "HSCAN: an answer of another form";
    r->scan->done(r->scan, 0, r->denied && strncmp(error, "WRONGTYPE", 9) == 0, error);
}

static void answer_follow(struct record_reading *r, const char *error)
{
    if (!error && r->held->type != REDIS_REPLY_NIL)
        error = "XREAD: an answer of another form";
    r->follow->done(r->follow, r->denied && error && strncmp(error, "WRONGTYPE", 9) == 0, error);
}

static void answer_value(struct record_reading *r, const char *error)
{
    struct slice raw;

    if (error || r->held->type != REDIS_REPLY_STRING) {
        r->value(r->arg, NULL, error);
        return;
    }
    raw = text_of(r->held);
    r->value(r->arg, &raw, NULL);
}

void record_reading_answer(struct record_reading *r, const char *error)
{
    if (r->scan)
        answer_scan(r, error);
    else if (r->follow)
        answer_follow(r, error);
    else if (r->value)
        answer_value(r, error);
    else if (r->confirm)
        r->confirm(r->arg, !error, error);
}

/* True: all was told, r is freed. */
static bool piece(struct record_reading *r, struct pace *pace)
{
    bool whole = true;

    if (!r->failed)
        whole = r->scan ? scan_piece(r, pace) : follow_piece(r, pace);
    if (r->failed || r->lost)
        record_reading_answer(r, r->why);
    else if (!whole)
        return false;
    record_reading_free(r);
    return true;
}

static void on_more(uv_idle_t *idle)
{
    struct record_redis *io = idle->data;
    struct pace pace = pace_begin();

    while (io->telling && !pace_is_over_now(&pace)) {
        struct record_reading *r = io->speaking = io->telling;
        io->telling = r->next;
        bool whole = piece(r, &pace);
        io->speaking = NULL;
        if (!whole) {
            r->next = io->telling;
            io->telling = r;
            return;
        }
    }
    if (!io->telling)
        uv_idle_stop(idle);
}

static void queue(struct record_reading *r)
{
    struct record_reading **p = &r->io->telling;

    while (*p)
        p = &(*p)->next;
    r->next = NULL;
    *p = r;
    uv_idle_start(&r->io->more, on_more);
}

void record_reading_tell(struct record_reading *r, const char *error)
{
    if (error && error != r->why)
        snprintf(r->why, sizeof(r->why), "%s", error);
    r->failed = error != NULL;
    if (r->early) {
        r->ready = true;
    } else if (!error && ((r->scan && is_page(r->held)) || (r->follow && is_log(r->held)))) {
        queue(r);
    } else {
        record_reading_answer(r, error);
        record_reading_free(r);
    }
}

void record_reading_wanted(struct record_reading *r)
{
    r->early = false;
    if (!r->ready)
        return;
    r->ready = false;
    if (!r->failed && !is_page(r->held)) {
        r->failed = true;
        snprintf(r->why, sizeof(r->why), "HSCAN: an answer of another form");
    }
    queue(r);
}

void record_redis_tell_begin(struct record_redis *io)
{
    uv_idle_init(io->loop, &io->more);
    io->more.data = io;
}

void record_redis_tell_lost(struct record_redis *io, const struct redis *redis, const char *why)
{
    struct record_reading **p = &io->telling;

    if (io->speaking &&
        io->speaking->redis == redis) { /* it says so itself, once its callback has returned */
        io->speaking->lost = true;
        snprintf(io->speaking->why, sizeof(io->speaking->why), "%s", why);
    }
    while (*p) {
        struct record_reading *r = *p;
        if (r->redis != redis) {
            p = &r->next;
            continue;
        }
        *p = r->next;
        record_reading_answer(r, why);
        record_reading_free(r);
        p = &io->telling; /* whoever was told may have asked for more */
    }
}
