/* SPDX-License-Identifier: BSD-2-Clause */
/* hg:{<cluster>}:events: what happened, of all nodes, for operators and their tools (docs/redis.md). Each
 * node appends its own; the newest ten thousand or so stay. What Redis does not take within its bound is lost
 * here and stands in the journal of the node all the same. */
#ifndef CONTROLPLANE_STORE_EVENTS_H
#define CONTROLPLANE_STORE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "counters/own.h"
#include "store/redis.h"

#define EVENTS_KEPT     10000
#define EVENTS_WAITING  256 /* while Redis is away */
#define EVENTS_TEXT_MAX 600

enum event_kind {
    EVENT_ALARM,
    EVENT_ALARM_OVER,
    EVENT_STATE,
    EVENT_SERVICE,
    EVENT_COMMAND,
    EVENT_NODE,
    EVENT_KINDS
};
extern const char *const event_kind_names[EVENT_KINDS];

struct event_stream;

struct event_stream *event_stream_create(struct redis *redis, const char *cluster, const char *node,
                                         struct own_counters *own);
void event_stream_free(struct event_stream *stream);

/* what: a short name such as "peer_away" or "F16"; level as in the journal */
void event_write(struct event_stream *stream, enum event_kind kind, const char *level, const char *what,
                 const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Sends what waits. About once a second, and after each event while Redis is there. */
void event_stream_turn(struct event_stream *stream);

/* ---- reading ---- */
/* events: an array of {id, time_ms, node, kind, level, what, text}, oldest first; NULL and why: Redis did not
 * answer. */
typedef void (*events_read_done)(void *arg, json_t *events, const char *why);
/* At most count behind the id ("" = the newest count). done may come inside of this call. */
void event_stream_read(struct event_stream *stream, const char *after, unsigned count, events_read_done done,
                       void *arg);

#endif
