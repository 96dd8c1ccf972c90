/* SPDX-License-Identifier: BSD-2-Clause */
/* Which fields a scan found newer than the place from which the log is read afterwards: older entries of the
 * log about them are skipped. Empty except while others change much during a scan. */
#ifndef CONTROLPLANE_STORE_RECORD_SEEN_H
#define CONTROLPLANE_STORE_RECORD_SEEN_H

#include "hg/user_key.h"
#include "store/record.h"

struct record_seen_slot {
    uint64_t key; /* keyed hash of table and field, 0: empty */
    struct record_version version;
};
struct record_seen {
    struct hg_hash_secret secret;
    struct record_seen_slot *slot;
    uint32_t count, size;      /* size: a power of two, or 0 */
    struct record_version end; /* newest of all */
};

void record_seen_clear(struct record_seen *seen);
/* The log is as far as `end`, asked after the scan: no entry of it that the scan saw is newer, and a version
 * that is was written by hand. position: how far it was read. */
void record_seen_until(struct record_seen *seen, struct record_version end, struct record_version position);
/* False without memory. */
bool record_seen_add(struct record_seen *seen, enum record_table table, struct slice field,
                     struct record_version version);
bool record_seen_is_newer(const struct record_seen *seen, enum record_table table, struct slice field,
                          struct record_version than);

#endif
