/* SPDX-License-Identifier: BSD-2-Clause */
/* What the record needs of a Redis, so that the same code runs over a simulated one. record_redis.c is the
 * real one. A function that returns false did nothing and calls nothing; every other request is answered
 * exactly once, with an error when the connection is lost, and never inside of the call.
 *
 * "Confirmed": what was read is told only after as many replicas have it as are wanted. */
#ifndef CONTROLPLANE_STORE_RECORD_IO_H
#define CONTROLPLANE_STORE_RECORD_IO_H

#include "store/record.h"

#define RECORD_ID_LEN 32

#define RECORD_RUN_LEN 63

enum record_role {
    RECORD_ROLE_FOLLOW,
    RECORD_ROLE_CONTINUE, /* this master went on from what memory has: its log tells the rest */
    RECORD_ROLE_RESTORE,
    RECORD_ROLE_WAIT
};

struct record_hello { /* SCRIPT_HELLO */
    uint64_t known_term;
    char new_id[RECORD_ID_LEN + 1];
    char known_id[RECORD_ID_LEN + 1]; /* "" without a record in memory */
    char me[RECORD_ID_LEN + 1];
    /* of the master that memory was read from, "" where it is not whole; and the last number that it has */
    char known_run[RECORD_RUN_LEN + 1];
    uint64_t known_seq;
};
struct record_welcome {
    uint64_t term, seq;
    char id[RECORD_ID_LEN + 1];
    enum record_role role;
    bool fresh; /* made just now */
    char run[RECORD_RUN_LEN + 1];
};
typedef void (*record_on_welcome)(void *arg, const struct record_welcome *welcome, const char *error);

enum record_wrote {
    RECORD_WROTE,
    RECORD_REFUSED,    /* by a condition of an item */
    RECORD_OTHER_TERM, /* the master is not the one of write->term */
    RECORD_DENIED,     /* by Redis, error says why; nothing was made */
    RECORD_FAILED      /* error says why; whether it was made is not known */
};
struct record_write { /* SCRIPT_CHANGE; belongs to the caller and stays until it is answered */
    uint64_t term;
    const struct record_item *items;
    uint32_t n;
    void *arg;
    /* The outcome is valid with REFUSED, its version with WROTE: 0-0 when nothing was left to do. */
    void (*answered)(struct record_write *write, enum record_wrote wrote,
                     const struct record_outcome *outcome, const char *error);
};

struct record_scan { /* belongs to the caller and stays until done */
    enum record_table table;
    uint64_t cursor;
    bool whole; /* the table to its end, page by page, each asked for in done() of the one before */
    void *arg;
    void (*one)(struct record_scan *scan, struct slice field, struct slice raw);
    /* unreadable: the key holds something else, error says what */
    void (*done)(struct record_scan *scan, uint64_t cursor, bool unreadable, const char *error);
};

struct record_follow { /* belongs to the caller and stays until done */
    struct record_version after;
    void *arg;
    /* One entry of the log; false: enough, the rest is thrown away. n items, slices valid during the call; an
     * entry that cannot be understood comes with n 0 and why. */
    bool (*entry)(struct record_follow *follow, struct record_version version,
                  const struct record_item *items, uint32_t n, const char *why);
    /* unreadable: the key holds something else; else an error may pass */
    void (*done)(struct record_follow *follow, bool unreadable, const char *error);
};

typedef void (*record_on_confirm)(void *arg, bool confirmed, const char *error);
/* raw is NULL where there is none. */
typedef void (*record_on_value)(void *arg, const struct slice *raw, const char *error);
typedef void (*record_on_check)(void *arg, uint64_t term, uint64_t seq, const char *id, const char *error);

struct record_io_ops {
    bool (*hello)(void *io, const struct record_hello *hello, record_on_welcome answered, void *arg);
    bool (*change)(void *io, struct record_write *write);
    /* Everything that was answered to this caller before is on the wanted replicas, or not in time. */
    bool (*confirm)(void *io, record_on_confirm answered, void *arg);
    bool (*scan)(void *io, struct record_scan *scan);                   /* confirmed */
    bool (*follow)(void *io, struct record_follow *follow);             /* confirmed; waits up to a second */
    bool (*read)(void *io, enum record_table table, struct slice field, /* confirmed */
                 record_on_value answered, void *arg);
    /* The record remembered under the id was written back whole. */
    bool (*restored)(void *io, const char *id, record_on_confirm answered, void *arg);
    bool (*check)(void *io, record_on_check answered, void *arg); /* term, last number, id of the record */
    unsigned (*wanted)(const void *io);                           /* replicas that have to confirm, now */
    unsigned (*room)(const void *io);
    /* How long ago (ns) it was certain that every master before this one confirms nothing any more; 0: not
     * known. Said once for each master. */
    uint64_t (*take_fence)(void *io);
    const char *(*state)(const void *io); /* for people */
    uint64_t (*now_ms)(const void *io);
    uint64_t (*random)(void *io);
    void (*close)(void *io);
};
struct record_io {
    const struct record_io_ops *ops;
    void *ctx;
    unsigned timeout_ms;
};

/* A record over any io. The owner of the io tells it what happens: */
struct record *record_create_over(const struct record_io *io, const struct record_events *events,
                                  struct log *log, struct alarms *alarms);
void record_io_up(struct record *record); /* connected to a master */
void record_io_down(struct record *record, const char *why);
void record_io_health(struct record *record, unsigned replicas, int eviction, int durable);
void record_io_tick(struct record *record); /* some 50 times a second */
const struct record_io *record_io_of(const struct record *record);
void record_free(struct record *record); /* after the io was closed */

#endif
