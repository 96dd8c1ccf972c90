/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of one hash on their way to Redis, some hundred in one command so that no command holds Redis up. */
#ifndef CONTROLPLANE_COUNTERS_HSET_H
#define CONTROLPLANE_COUNTERS_HSET_H

#include <stdbool.h>
#include <stdint.h>

#include "store/redis.h"

#define HSET_FIELDS 256
#define HSET_BYTES  (HSET_FIELDS * 160)

struct hset {
    struct redis *redis;
    redis_answer answer;
    void *arg;
    const char *key;
    unsigned sent;   /* commands that will be answered */
    unsigned fields; /* all that went through */
    bool failed;     /* the queue was full: the rest is left out */
    unsigned n;
    uint32_t used;
    uint32_t at[HSET_FIELDS * 2], len[HSET_FIELDS * 2];
    char bytes[HSET_BYTES];
};

void hset_begin(struct hset *h, const char *key);
void hset_u64(struct hset *h, uint64_t value, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void hset_text(struct hset *h, const char *value, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void hset_flush(struct hset *h);
void hset_delete_key(struct hset *h, const char *key);
void hset_delete_fields(struct hset *h, const char *const *fields, unsigned n); /* at most 8 */

#endif
