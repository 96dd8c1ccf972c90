/* SPDX-License-Identifier: BSD-2-Clause */
/* A look, each second, at what stands in the record for the own pair. Who extends leases by heartbeats writes
 * nothing for hours; what somebody wrote over the entry by hand is in no log, and would be found when it is
 * too late to do anything about it.
 *
 * What is not as it should be is told only when it still stands there after memory has followed the log to a
 * moment behind the first look: then there is no newer entry from before that memory lacks. */
#ifndef CONTROLPLANE_HA_ENTRY_WATCH_H
#define CONTROLPLANE_HA_ENTRY_WATCH_H

#include "ha/srm.h"
#include "store/record.h"

struct entry_found {
    bool readable;
    struct srm_entry entry; /* readable; version 0-0: there is none */
    struct slice value;     /* as it stands there, behind its version */
};

struct entry_watch {
    void (*tell)(void *arg, const struct entry_found *found); /* odd, or right again */
    struct record_version (*known)(void *arg);                /* of the newest entry that the manager has */
    void *arg;
    bool pending, odd;
    uint64_t pair; /* which one it looks at: rises with entry_watch_forget() */
    bool told;     /* of what was found: it stood there long enough */
    bool warned;   /* that something is odd, and not yet that it is right again */
    bool absent;   /* what was found: nothing */
    char *raw;     /* or these bytes */
    uint32_t raw_len;
    uint64_t mark;   /* of the first look that found it */
    uint64_t term;   /* the highest that the manager knows and the record does not; 0: none */
    unsigned behind; /* looks since */
};

/* broken: a load has shown that it cannot be read. */
void entry_watch_look(struct entry_watch *watch, struct record *record, struct slice field, bool broken);
/* The bytes that were told to be unreadable. false: they are others by now. */
bool entry_watch_raw(const struct entry_watch *watch, struct slice *raw);
/* Another pair, another record: nothing was found. */
void entry_watch_forget(struct entry_watch *watch);

/* A value is an entry that somebody could have written by the rules. */
bool entry_readable(struct slice value, struct record_version version, struct srm_entry *out);

#endif
