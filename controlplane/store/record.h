/* SPDX-License-Identifier: BSD-2-Clause */
/* The cluster's record: tables in Redis, one ordered history of their changes, docs/redis.md.
 *
 * Read whole after every change of the master, then followed entry by entry of the log; nothing is told or
 * shown before it is durable (a replica has it, when there is one). A change is one script: all of its items
 * or none. Every callback comes from the loop, and none inside of the call that asked, except where it says
 * so. Slices are valid during a call only. */
#ifndef CONTROLPLANE_STORE_RECORD_H
#define CONTROLPLANE_STORE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/slice.h"
#include "store/redis.h"
#include "store/version.h"

struct record;
struct sentinels;
struct alarms;
struct log;

/* In the order of loading: hg:{<cluster>}:nodes, :subclusters, :ha, :settings, :routes, :users. */
enum record_table {
    RECORD_NODES,
    RECORD_SUBCLUSTERS,
    RECORD_HA,
    RECORD_SETTINGS,
    RECORD_ROUTES,
    RECORD_USERS,
    RECORD_TABLES
};
enum record_op { RECORD_SET, RECORD_REMOVE };
/* What must stand there for the change to be made. RECORD_SAME: the version of the item. RECORD_KEEP: not a
 * condition, the item is left out where the field exists. RECORD_EXACT: these bytes, version and all. */
enum record_expect { RECORD_ANY, RECORD_ABSENT, RECORD_PRESENT, RECORD_SAME, RECORD_KEEP, RECORD_EXACT };
enum record_result {
    RECORD_OK,
    RECORD_EXISTS,     /* RECORD_ABSENT was expected */
    RECORD_MISSING,    /* RECORD_PRESENT or RECORD_SAME was expected, there is nothing */
    RECORD_CONFLICT,   /* RECORD_SAME was expected, another version stands there */
    RECORD_UNAVAILABLE /* not made, or not known whether it was made */
};
enum record_state { RECORD_AWAY, RECORD_LOADING, RECORD_FOLLOWING };

#define RECORD_ITEMS_MAX 500 /* of one change */

struct record_item { /* a field at most once in one change */
    enum record_table table;
    enum record_op op;
    enum record_expect expect;
    struct record_version version; /* of RECORD_SAME */
    struct slice field, value;     /* value without its version */
    struct slice raw;              /* of RECORD_EXACT */
};

struct record_outcome {
    enum record_result result;
    const char *why;               /* NULL when OK */
    struct record_version version; /* OK: of every item now. Refused: of what stands there */
    uint32_t item;                 /* which item was refused */
    struct slice value;            /* refused: what stands there */
    struct slice raw;              /* record_read(): the same with its version, as it stands there */
};
typedef void (*record_done)(void *arg, const struct record_outcome *outcome);

struct record_events {
    /* A load: everything that the record has, table by table. What was not mentioned is gone, except from
     * tables that were skipped because they cannot be read: those stay as they are in memory. */
    void (*load_begin)(void *arg);
    void (*loaded_one)(void *arg, enum record_table table, struct slice field, struct slice value,
                       struct record_version version);
    void (*load_skipped)(void *arg, enum record_table table, const char *why); /* may be NULL */
    void (*load_end)(void *arg);
    /* One item of the log, in the log's order, each once, our own ones too. value is empty with
     * RECORD_REMOVE. */
    void (*changed)(void *arg, enum record_table table, enum record_op op, struct slice field,
                    struct slice value, struct record_version version);
    void (*changed_end)(void *arg, struct record_version version); /* last item of one change; may be NULL */
    void (*state)(void *arg, enum record_state state);             /* may be NULL */
    /* A lost record is written back: next entry of routes or users (the other tables are remembered here).
     * *cursor starts at 0; false at the end. The slices stay valid until the next call. */
    bool (*give)(void *arg, enum record_table table, uint64_t *cursor, struct slice *field,
                 struct slice *value);
    void *arg;
};

struct record *record_create(const struct redis_options *options, const char *cluster,
                             const struct record_events *events, struct log *log, struct alarms *alarms);
void record_close(struct record *record);

/* All n items or none; n at most RECORD_ITEMS_MAX. With OK, changed() was called for each item before done.
 * The items are copied. done is always called; inside of this call when Redis is away or the queue is full.
 */
void record_change(struct record *record, const struct record_item *items, uint32_t n, record_done done,
                   void *arg);
/* The same for one item. */
void record_change_one(struct record *record, enum record_table table, enum record_op op,
                       enum record_expect expect, struct slice field, struct slice value, record_done done,
                       void *arg);
/* Changes that may be asked for now before the queue is full: bulk work goes on from done. */
uint32_t record_room(const struct record *record);

/* Compare-and-set, urgent: made durable at once, and done does not wait for the log: changed() comes before
 * or after it. expected 0-0: the field must not exist. Another version there: CONFLICT with version and
 * value. */
void record_cas(struct record *record, enum record_table table, struct slice field,
                struct record_version expected, struct slice value, record_done done, void *arg);

/* The same where exactly those bytes stand, which nobody can read. That they stand there does not say that
 * nothing was written in between. */
void record_cas_exact(struct record *record, enum record_table table, struct slice field, struct slice raw,
                      struct slice value, record_done done, void *arg);

/* What the master has now, once that is durable: OK with value and version, MISSING, or UNAVAILABLE. */
void record_read(struct record *record, enum record_table table, struct slice field, record_done done,
                 void *arg);

/* A piece of a table as it stands there, for a backup: one() for each entry, then done with the place to go
 * on from, 0 at the end. Begin with 0. An entry may come twice when the table changes meanwhile. */
struct record_page {
    void (*one)(void *arg, struct slice field, struct slice value);
    void (*done)(void *arg, uint64_t next, const char *error);
    void *arg;
};
/* How far memory follows the record's history. */
struct record_version record_position(const struct record *record);
void record_page(struct record *record, enum record_table table, uint64_t cursor,
                 const struct record_page *page);
/* What is there now stands for the record of that id (a restored backup): nobody who remembers that one
 * writes it back. */
void record_stands_for(struct record *record, const char *id, record_done done, void *arg);
const char *record_id(const struct record *record); /* "" before the first load */

/* Of the connection to a real Redis: */
struct redis *record_redis(const struct record *record);
void record_set_master(struct record *record, const char *host, uint16_t port);
void record_set_timeout(struct record *record, unsigned timeout_ms);
/* replicas_min: how many must confirm, 0: one as soon as one is attached. sentinels may be NULL: nobody
 * promotes. */
void record_set_durability(struct record *record, unsigned replicas_min, struct sentinels *sentinels);

enum record_state record_state(const struct record *record);
bool record_loaded(const struct record *record); /* whole, and following */
/* Memory has every change until that one: what a load finds is of several moments, until the log has told the
 * rest. */
bool record_has(const struct record *record, struct record_version version);
/* A moment of now, and whether memory has everything that the master had at that moment. */
uint64_t record_mark(const struct record *record);
bool record_passed(const struct record *record, uint64_t mark);
bool record_was_loaded(const struct record *record); /* whole at least once */
uint64_t record_term(const struct record *record);   /* of the master that was heard last; NULL: 0 */
/* Somebody was told a version of that term by a node that is gone: the master of now has to be above it, or
 * what is written would count as older. */
void record_knows_term(struct record *record, uint64_t term);
/* For state(), when it says FOLLOWING after another master was welcomed: ns since every master before it was
 * certainly unable to confirm anything; 0: not known. */
uint64_t record_fenced_ago(const struct record *record);

extern const char *const record_table_names[RECORD_TABLES];

#endif
