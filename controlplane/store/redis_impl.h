/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of one connection: shared by redis.c (life), redis_link.c (bytes), redis_queue.c (commands),
 * redis_hello.c (handshake). */
#ifndef CONTROLPLANE_STORE_REDIS_IMPL_H
#define CONTROLPLANE_STORE_REDIS_IMPL_H

#include "store/redis.h"

struct redis_command {
    redis_answer answer;
    void *arg;
    uint64_t deadline; /* uv_now() */
};

enum redis_phase { REDIS_IDLE, REDIS_RESOLVING, REDIS_CONNECTING, REDIS_HELLO, REDIS_UP, REDIS_CLOSED };

struct redis {
    struct redis_options o;
    struct redis_events ev;
    enum redis_phase phase;
    struct redis_link *link; /* the TCP connection of now, NULL without one */
    uv_timer_t timer;        /* deadlines, reconnecting, health */
    unsigned backoff_ms;
    uint64_t retry_at, phase_deadline, health_at;
    bool health_pending, in_reply;
    unsigned replicas;
    int eviction, durable;
    int appendonly, fsync_always;
    char state[320];
    char run_id[64];
    redisReply *reply; /* being answered; NULL once somebody took it */
    redis_answer message;
    void *message_arg;
    /* commands without their answer, oldest first */
    struct redis_command *ring;
    unsigned ring_size, head, count;
    uint64_t resolve_token;
};

/* outlives struct redis until libuv has closed it */
struct redis_link {
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct redis *r; /* NULL once given up */
    redisReader *reader;
    struct redis_tls_session *tls; /* NULL: in clear */
    bool secured;                  /* its handshake is done */
    bool broken;                   /* without memory in the middle of TLS: nothing more can be sent */
    size_t queued;                 /* bytes in write requests */
    char in[65536];
};

/* redis_link.c */
struct redis_link *redis_link_create(struct redis *r);
void redis_link_begin(struct redis_link *link); /* connected */
void redis_link_close(struct redis_link *link);
/* bytes are hiredis'; they are freed in any case. */
bool redis_link_write(struct redis_link *link, char *bytes, size_t len);

/* redis_queue.c */
bool redis_queue_send(struct redis *r, int argc, const char **argv, const size_t *argvlen,
                      unsigned deadline_ms, redis_answer answer, void *arg);
void redis_queue_fail(struct redis *r, const char *why);
void redis_queue_answer(struct redis *r, const redisReply *reply);
bool redis_queue_late(const struct redis *r, uint64_t now);

/* redis_hello.c */
void redis_hello(struct redis *r);
void redis_health(struct redis *r);

/* redis.c */
void redis_link_ready(struct redis *r); /* commands can be sent */
void redis_hello_done(struct redis *r);
void redis_lost(struct redis *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
