/* SPDX-License-Identifier: BSD-2-Clause */
/* The record's io over two connections to a real Redis: one for changes and reading, one that waits for the
 * log. Inside: record_redis.c (life), record_redis_write.c (scripts), record_redis_read.c (what is told after
 * the replicas confirmed it), record_redis_tell.c (telling it in pieces). */
#ifndef CONTROLPLANE_STORE_RECORD_REDIS_H
#define CONTROLPLANE_STORE_RECORD_REDIS_H

#include <uv.h>

#include "store/record_io.h"
#include "store/sentinel.h"

struct record_reading;

#define RECORD_KEY_MAX     160
#define RECORD_LOG_ENTRIES "4096" /* kept about; who is further behind reads everything */
#define RECORD_BLOCK_MS    1000   /* a wait for the log */

enum record_key {
    KEY_TERM,
    KEY_LOG,
    KEY_TABLE,
    KEY_RECORD = KEY_TABLE + RECORD_TABLES,
    KEY_RESTORING,
    KEY_SEEN,
    KEYS
};

struct record_redis {
    struct record *record;
    struct redis *main, *log;
    uv_loop_t *loop;
    uv_timer_t tick;
    unsigned timeout_ms, replicas_min;
    bool log_up;
    uint64_t alone_since;             /* no replica is attached, 0: one is */
    struct sentinels *sentinels;      /* NULL: nobody promotes another server */
    struct record_reading *uncertain; /* confirmed, until the Sentinels know of no promotion */
    struct record_reading *ahead;     /* the next page of a scan, while done() of this one may want it */
    struct record_reading *telling;   /* in pieces, one a turn of the loop; oldest first */
    struct record_reading *speaking;  /* ... the one whose piece it is now */
    uv_idle_t more;                   /* runs while something is told */
    unsigned handles;                 /* to be closed */
    char key[KEYS][RECORD_KEY_MAX];
    char hello_sha[41], change_sha[41];
};

/* record_redis_write.c */
bool record_redis_hello(void *io, const struct record_hello *hello, record_on_welcome answered, void *arg);
bool record_redis_change(void *io, struct record_write *write);
bool record_redis_restored(void *io, const char *id, record_on_confirm answered, void *arg);
bool record_redis_check(void *io, record_on_check answered, void *arg);

/* record_redis_read.c */
bool record_redis_confirm(void *io, record_on_confirm answered, void *arg);
bool record_redis_scan(void *io, struct record_scan *scan);
bool record_redis_follow(void *io, struct record_follow *follow);
bool record_redis_read(void *io, enum record_table table, struct slice field, record_on_value answered,
                       void *arg);
unsigned record_redis_wanted(const void *io);
/* The connection is gone: what was read by it is not told any more. */
void record_redis_uncertain(struct record_redis *io, const struct redis *redis, const char *why);

/* record_redis_tell.c */
void record_redis_tell_begin(struct record_redis *io);
void record_redis_tell_lost(struct record_redis *io, const struct redis *redis,
                            const char *why); /* as above */

#endif
