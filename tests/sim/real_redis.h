/* SPDX-License-Identifier: BSD-2-Clause */
/* A redis-server of the test's own, on a free port of the loopback, in a folder that is removed. */
#ifndef TESTS_SIM_REAL_REDIS_H
#define TESTS_SIM_REAL_REDIS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct real_redis {
    pid_t pid;
    bool tls;
    uint16_t port;
    char dir[64];
};

/* extra: NULL, or further words of its command line, NULL at the end. Answers when this returns. */
void real_redis_start(struct real_redis *r, const char *const *extra);
/* The port speaks TLS; extra names the certificates. */
void real_redis_start_tls(struct real_redis *r, const char *const *extra);
void real_redis_stop(struct real_redis *r);

#endif
