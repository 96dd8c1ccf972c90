/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/events.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KEY_MAX 200

const char *const event_kind_names[EVENT_KINDS] = {"alarm",   "alarm-over", "state",
                                                   "service", "command",    "node"};

struct event {
    uint64_t time_ms;
    enum event_kind kind;
    char level[12], what[64];
    char text[EVENTS_TEXT_MAX];
};

struct event_stream {
    struct redis *redis;
    struct own_counters *own;
    char key[KEY_MAX], node[256];
    struct event *waiting; /* ring of EVENTS_WAITING */
    unsigned first, n;
};

struct event_stream *event_stream_create(struct redis *redis, const char *cluster, const char *node,
                                         struct own_counters *own)
{
    struct event_stream *s = calloc(1, sizeof(*s));

    if (!s || !(s->waiting = calloc(EVENTS_WAITING, sizeof(*s->waiting)))) {
        free(s);
        return NULL;
    }
    s->redis = redis;
    s->own = own;
    snprintf(s->key, sizeof(s->key), "hg:{%s}:events", cluster);
    snprintf(s->node, sizeof(s->node), "%s", node);
    return s;
}

void event_stream_free(struct event_stream *s)
{
    if (!s)
        return;
    free(s->waiting);
    free(s);
}

void event_write(struct event_stream *s, enum event_kind kind, const char *level, const char *what,
                 const char *fmt, ...)
{
    struct timespec now;
    va_list ap;

    if (!s)
        return;
    if (s->n == EVENTS_WAITING) { /* the oldest goes: the newest say what is the matter now */
        s->first = (s->first + 1) % EVENTS_WAITING;
        s->n--;
        own_count(s->own, OWN_events_lost);
    }
    struct event *e = &s->waiting[(s->first + s->n++) % EVENTS_WAITING];
    clock_gettime(CLOCK_REALTIME, &now);
    e->time_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    e->kind = kind;
    snprintf(e->level, sizeof(e->level), "%s", level);
    snprintf(e->what, sizeof(e->what), "%s", what);
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    event_stream_turn(s);
}

static void on_added(void *arg, const redisReply *reply, const char *error)
{
    struct own_counters *own = arg;

    (void)reply;
    own_count(own, error ? OWN_events_lost : OWN_events_written);
}

static bool send_one(struct event_stream *s, const struct event *e)
{
    char kept[12], at[24];

    snprintf(kept, sizeof(kept), "%u", EVENTS_KEPT);
    snprintf(at, sizeof(at), "%" PRIu64, e->time_ms);
    const char *word[] = {"XADD",    s->key,   "MAXLEN", "~",     kept,   "*",
                          "time_ms", at,       "node",   s->node, "kind", event_kind_names[e->kind],
                          "level",   e->level, "what",   e->what, "text", e->text};
    enum { WORDS = sizeof(word) / sizeof(word[0]) };
    size_t len[WORDS];

    for (unsigned i = 0; i < WORDS; i++)
        len[i] = strlen(word[i]);
    return redis_send(s->redis, WORDS, word, len, 0, on_added, s->own);
}

void event_stream_turn(struct event_stream *s)
{
    while (s->n > 0 && redis_is_up(s->redis) && send_one(s, &s->waiting[s->first])) {
        s->first = (s->first + 1) % EVENTS_WAITING;
        s->n--;
    }
}

/* ---- reading ---- */

struct reading {
    events_read_done done;
    void *arg;
    bool reverse;
};

static json_t *text_of(const redisReply *r)
{
    json_t *text = r->type == REDIS_REPLY_STRING ? json_stringn(r->str, r->len) : NULL;
    return text ? text : json_string("?"); /* not UTF-8: a stranger's */
}

/* [id, [field, value, ...]] */
static json_t *one_event(const redisReply *r)
{
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 || r->element[1]->type != REDIS_REPLY_ARRAY)
        return NULL;
    json_t *event = json_object();
    const redisReply *f = r->element[1];
    json_object_set_new(event, "id", text_of(r->element[0]));
    for (size_t i = 0; i + 1 < f->elements; i += 2) {
        json_t *name = text_of(f->element[i]);
        const char *key = json_string_value(name);
        if (strcmp(key, "time_ms") == 0)
            json_object_set_new(event, key,
                                json_integer(f->element[i + 1]->str ? atoll(f->element[i + 1]->str) : 0));
        else
            json_object_set_new(event, key, text_of(f->element[i + 1]));
        json_decref(name);
    }
    return event;
}

static void on_range(void *arg, const redisReply *reply, const char *error)
{
    struct reading *reading = arg;

    if (error || !reply || reply->type != REDIS_REPLY_ARRAY) {
        reading->done(reading->arg, NULL, error ? error : "Redis answered something else");
        free(reading);
        return;
    }
    json_t *events = json_array();
    for (size_t i = 0; i < reply->elements; i++) {
        json_t *event = one_event(reply->element[reading->reverse ? reply->elements - 1 - i : i]);
        if (event)
            json_array_append_new(events, event);
    }
    reading->done(reading->arg, events, NULL);
    free(reading);
}

void event_stream_read(struct event_stream *s, const char *after, unsigned count, events_read_done done,
                       void *arg)
{
    struct reading *reading = malloc(sizeof(*reading));
    char start[80], n[12];

    snprintf(start, sizeof(start), "(%.70s", after);
    snprintf(n, sizeof(n), "%u", count);
    bool newest = after[0] == '\0', sent = false;
    if (reading) {
        *reading = (struct reading){done, arg, newest};
        sent = newest
                   ? redis_words(s->redis, on_range, reading, "XREVRANGE", s->key, "+", "-", "COUNT", n, NULL)
                   : redis_words(s->redis, on_range, reading, "XRANGE", s->key, start, "+", "COUNT", n, NULL);
    }
    if (sent)
        return;
    free(reading);
    done(arg, NULL, "Redis is away");
}
