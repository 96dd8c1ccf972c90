/* SPDX-License-Identifier: BSD-2-Clause */
/* The cluster's record as far as this issue keeps one: two hashes, docs/redis.md.
 *   hg:{<cluster>}:routes   name -> JSON of an administrator's route
 *   hg:{<cluster>}:users    user@domain -> name of a node
 *   hg:{<cluster>}:record   id of the record, made once: tells a record that was lost from one that is empty
 * The record is read whole after each connecting; what it does not have is then taken out of memory. A change
 * is told as done only once it is durable (a replica has it, when there is one). */
#ifndef CONTROLPLANE_STORE_RECORD_H
#define CONTROLPLANE_STORE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/slice.h"
#include "store/redis.h"

struct record;
struct alarms;
struct log;

enum record_table { RECORD_ROUTES, RECORD_USERS, RECORD_TABLES };
enum record_mode { RECORD_ADD, RECORD_SET, RECORD_PUT, RECORD_REMOVE }; /* new only, existing only, either */
enum record_result { RECORD_OK, RECORD_EXISTS, RECORD_MISSING, RECORD_UNAVAILABLE };

struct record_events {
    void (*load_begin)(void *arg);
    void (*loaded_one)(void *arg, enum record_table table, struct slice field, struct slice value);
    void (*load_end)(void *arg);
    /* next entry to be written back into a lost record; *cursor starts at 0; false at the end. The slices
     * stay valid until the next call. */
    bool (*give)(void *arg, enum record_table table, uint64_t *cursor, struct slice *field,
                 struct slice *value);
    void *arg;
};

typedef void (*record_done)(void *arg, enum record_result result, const char *why);

struct record *record_create(const struct redis_options *options, const char *cluster,
                             const struct record_events *events, struct log *log, struct alarms *alarms);
void record_close(struct record *record);

/* done is always called, at once when Redis is away. The memory is the caller's business, in done. */
void record_change(struct record *record, enum record_table table, enum record_mode mode, struct slice field,
                   struct slice value, record_done done, void *arg);

struct redis *record_redis(const struct record *record);
bool record_loaded(const struct record *record);     /* whole since the last connecting */
bool record_was_loaded(const struct record *record); /* whole at least once */

#endif
