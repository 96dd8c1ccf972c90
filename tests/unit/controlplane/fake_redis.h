/* SPDX-License-Identifier: BSD-2-Clause */
/* A Redis that says what the test wants, on the loop of the test. */
#ifndef TEST_FAKE_REDIS_H
#define TEST_FAKE_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

struct fake_redis {
    uv_tcp_t server;
    uv_loop_t *loop;
    uint16_t port;
    const char *role;     /* "master" */
    const char *password; /* NULL: none wanted */
    const char *policy;   /* "noeviction" */
    unsigned replicas, connections, commands, evals, evalshas, hellos, waits;
    bool no_script; /* NOSCRIPT until EVAL */
    bool silent;    /* reads, never answers */
    bool garbage;   /* answers what is not the protocol */
    bool byte_by_byte;
    long long wait_answer;
    const char *refusal; /* of the change script: "exists" ..., NULL: done */
    unsigned changes;    /* done; each is in the log, told to who waits for it */
    char entry[1024];    /* the last one, as XREAD answers it */
    struct fake_client *clients;
    char last[4096]; /* words of the last command, separated by blanks */
};

void fake_redis_start(struct fake_redis *f, uv_loop_t *loop);
void fake_redis_drop(struct fake_redis *f); /* closes every connection */
void fake_redis_stop(struct fake_redis *f);
/* Turns the loop until *flag, or for ms. */
bool turn_until(uv_loop_t *loop, const bool *flag, unsigned ms);
void turn_for(uv_loop_t *loop, unsigned ms);

#endif
