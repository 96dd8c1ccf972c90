/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection to Redis on the libuv loop, over hiredis' reader and formatter. Pipelined, bounded, with a
 * deadline for every command; connects again by itself. It is "up" once it is authenticated and talks to a
 * master. A command that cannot be sent fails at once: nothing is kept for later, so nothing is done twice.
 */
#ifndef CONTROLPLANE_STORE_REDIS_H
#define CONTROLPLANE_STORE_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>
#include <uv.h>

#include "store/redis_tls.h"

#define REDIS_PENDING_MAX 4096              /* commands without their answer */
#define REDIS_QUEUE_BYTES (8 * 1024 * 1024) /* bytes that the kernel has not taken */

struct redis;
struct dns;

enum redis_kind {
    REDIS_MASTER,   /* must be a master; its role and settings are asked for each second */
    REDIS_FOLLOWER, /* must be a master, asked when connecting only: for commands that block */
    REDIS_SENTINEL  /* a Sentinel, asked for nothing */
};

struct redis_options {
    uv_loop_t *loop;
    struct dns *dns;
    struct redis_tls *tls; /* NULL: in clear */
    enum redis_kind kind;
    char host[256]; /* "": not known yet, redis_set_endpoint tells */
    char password[256];
    uint16_t port;
    unsigned timeout_ms;     /* of one command */
    unsigned backoff_min_ms; /* 0: 100 ms */
    unsigned backoff_max_ms; /* 0: 5 s */
    unsigned pending_max;    /* 0: REDIS_PENDING_MAX */
    size_t queue_bytes;      /* 0: REDIS_QUEUE_BYTES */
};

struct redis_events {
    void (*up)(void *arg);
    void (*down)(void *arg, const char *why);
    /* what ROLE and CONFIG GET say, once after connecting and then each second; eviction and durable are -1
     * when the server does not tell */
    void (*health)(void *arg, unsigned replicas, int eviction, int durable);
    void *arg;
};

/* reply is NULL when there is none: error says why and is never NULL then. An error reply of Redis comes as
 * reply with REDIS_REPLY_ERROR and error set to its text. The reply is freed by the caller of this function.
 */
typedef void (*redis_answer)(void *arg, const redisReply *reply, const char *error);

struct redis *redis_create(const struct redis_options *options, const struct redis_events *events);
/* every pending command fails before this returns; the handles close with the loop's next turns */
void redis_close(struct redis *r);

/* Another server from now on; nothing happens when it is the one that is used. */
void redis_set_endpoint(struct redis *r, const char *host, uint16_t port);
/* Ends the connection of now; it is made again. */
void redis_drop(struct redis *r, const char *why);
/* Which process answers, made anew with each start of a Redis; "" before it is up. */
const char *redis_run_id(const struct redis *r);
/* Inside of an answer: the reply is the caller's from now on, for freeReplyObject. */
redisReply *redis_take_reply(struct redis *r);
/* What comes without having been asked for: messages of a subscription. */
void redis_on_message(struct redis *r, redis_answer answer, void *arg);

bool redis_is_up(const struct redis *r);
unsigned redis_pending(const struct redis *r);
unsigned redis_replicas(const struct redis *r);
const char *redis_state(const struct redis *r); /* for people */
/* The server that it is connected to, or would be: "host:port"; "": no Sentinel has named one yet. */
void redis_address(const struct redis *r, char *out, size_t size);
void redis_set_timeout(struct redis *r, unsigned timeout_ms);

/* false: not up or the queue is full, answer is never called then. deadline_ms 0: the connection's. */
bool redis_send(struct redis *r, int argc, const char **argv, const size_t *argvlen, unsigned deadline_ms,
                redis_answer answer, void *arg);
/* the same for NUL terminated words */
bool redis_words(struct redis *r, redis_answer answer, void *arg, const char *word, ...)
    __attribute__((sentinel));

#endif
