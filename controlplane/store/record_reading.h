/* SPDX-License-Identifier: BSD-2-Clause */
/* Between record_redis_read.c, which asks and waits until it is confirmed, and record_redis_tell.c. */
#ifndef CONTROLPLANE_STORE_RECORD_READING_H
#define CONTROLPLANE_STORE_RECORD_READING_H

#include "store/record_redis.h"

struct record_reading {
    struct record_reading *next; /* of io->uncertain, io->telling */
    struct record_redis *io;
    struct redis *redis; /* which connection */
    redisReply *held;    /* what was read, until it is confirmed and told */
    bool denied;
    bool told;          /* the connection was lost while the Sentinels were asked */
    bool early;         /* asked for ahead, and not wanted yet: ... */
    bool ready, failed; /* ... it was answered meanwhile; why says how it failed */
    bool lost;          /* the connection was lost while it was being told */
    bool begun;         /* told in part */
    size_t at;          /* ... up to here */
    unsigned wanted;
    char why[256];
    struct record_scan *scan; /* of a page of this table from this cursor */
    enum record_table table;
    uint64_t cursor;
    struct record_reading *ahead; /* the next page, asked for while this one is told */
    struct record_follow *follow;
    record_on_value value;
    record_on_confirm confirm;
    void *arg;
};

/* The next page of a whole scan. */
struct record_reading *record_reading_ahead(struct record_redis *io, enum record_table table, uint64_t from);

/* record_redis_tell.c */
/* Once, at the end: tells whoever asked, now or in pieces, and frees. */
void record_reading_tell(struct record_reading *r, const char *error);
/* One that was answered before it was wanted. */
void record_reading_wanted(struct record_reading *r);
/* Tells at once, and nothing but the error where there is one. */
void record_reading_answer(struct record_reading *r, const char *error);
void record_reading_free(struct record_reading *r);

#endif
