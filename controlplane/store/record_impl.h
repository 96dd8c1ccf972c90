/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by record.c (life), record_load.c, record_follow.c, record_change.c, record_restore.c. */
#ifndef CONTROLPLANE_STORE_RECORD_IMPL_H
#define CONTROLPLANE_STORE_RECORD_IMPL_H

#include "log/alarms.h"
#include "log/log.h"
#include "store/record_cache.h"
#include "store/record_io.h"
#include "store/record_seen.h"

/* AWAY -> HELLO -> SCAN -> FOLLOW, by RESTORE or WAIT where the record was lost */
enum record_phase { PHASE_AWAY, PHASE_HELLO, PHASE_WAIT, PHASE_RESTORE, PHASE_SCAN, PHASE_FOLLOW };

struct change;
struct record_batch; /* of record_restore.c */

struct record {
    struct record_io io;
    struct record_events ev;
    struct log *log;
    struct alarms *alarms;
    bool closing;

    enum record_phase phase;
    bool up;                        /* the io has a master */
    char me[RECORD_ID_LEN + 1];     /* of this process */
    char id[RECORD_ID_LEN + 1];     /* of the record that memory follows, "" before the first */
    char new_id[RECORD_ID_LEN + 1]; /* of the record that is there now */
    uint64_t term;                  /* of the master; never falls */
    uint64_t known_term;            /* that others know, 0: none above ours */
    uint64_t hello_at, check_at;    /* when to ask again, 0: not */
    uint64_t check_floor;
    uint64_t checks, checked,
        checked_seq;  /* how many were asked; the newest that was answered, and what it said */
    bool check_whole; /* the check under way was asked after the load */
    bool hello_pending, check_pending;
    bool ever;                    /* loaded at least once */
    bool whole;                   /* memory is what the master `run` had at `position` */
    char run[RECORD_RUN_LEN + 1]; /* the process that the term belongs to */
    uint64_t fenced_ago;          /* ns, when it was welcomed by the master of now; 0: not known */

    /* loading */
    struct record_scan scan;
    bool scan_pending;
    uint64_t entries;
    struct record_seen seen; /* fields that were scanned newer than where the log is read from */
    struct record_cache cache;
    struct record_cache before;  /* what was known, while loading */
    struct record_cache lowered; /* entries of it that a promotion took back, with the version found there */

    /* following */
    struct record_follow follow;
    bool follow_pending, log_bad;
    uint64_t follow_at;
    struct record_version position; /* of the log, as memory has it */

    /* writing back */
    struct record_write back;
    bool back_pending;
    enum record_table back_table;
    uint64_t back_cursor, back_renew_at;
    struct record_batch *back_batch;

    /* changes, oldest first */
    struct change *first, *last;
    uint64_t waits;
    unsigned waiting;
};

/* record.c */
void record_begin(struct record *record); /* hello and everything after it, from the start */
void record_fail(struct record *record, const char *what, const char *why);
void record_phase_set(struct record *record, enum record_phase phase);

/* record_load.c */
void record_load(struct record *record);
void record_continue(struct record *record); /* memory is right, the log tells the rest */

/* record_restore.c */
void record_restore(struct record *record);
void record_restore_free(struct record *record);
void record_write_back_ha(struct record *record); /* what a promotion took back */

/* record_follow.c */
void record_follow_on(struct record *record);

/* record_change.c */
void record_changes_applied(struct record *record); /* the position moved */
void record_changes_ready(struct record *record);   /* what was held may go */
void record_changes_lost(struct record *record);
void record_changes_close(struct record *record);
void record_changes_free(struct record *record);
void record_changes_tick(struct record *record);

#endif
