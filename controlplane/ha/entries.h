/* SPDX-License-Identifier: BSD-2-Clause */
/* Who serves whom in every subcluster, as the record has it: hg:{<cluster>}:ha in memory. Pure. */
#ifndef CONTROLPLANE_HA_ENTRIES_H
#define CONTROLPLANE_HA_ENTRIES_H

#include <stdbool.h>
#include <stdint.h>

#include "ha/srm.h"
#include "topology/model.h"

struct entries {
    unsigned n;
    struct {
        char name[TOPOLOGY_NAME_MAX + 1];
        struct srm_entry entry;
        bool readable; /* entry is the newest that could be understood; false: none ever could */
        bool broken;   /* ... and what stands there now cannot be */
        bool mark;
    } e[TOPOLOGY_SUBCLUSTERS_MAX];
    bool skipped; /* the table could not be read: what is not here is not known to be absent */
};

/* A new value, never older than the one there is. false: it cannot be used, the old one stays; without one
 * the entry is there and unreadable. */
bool entries_set(struct entries *entries, struct slice name, struct slice value,
                 struct record_version version);
void entries_remove(struct entries *entries, struct slice name);
/* A load of the record: what was not set between the two goes. */
void entries_load_begin(struct entries *entries);
void entries_load_end(struct entries *entries);
/* NULL: the record has none that can be understood */
const struct srm_entry *entries_find(const struct entries *entries, struct slice name);
/* What stands there now cannot be understood. */
bool entries_broken(const struct entries *entries, struct slice name);
const char *entries_first_broken(const struct entries *entries); /* NULL: none */
/* There is none: not merely that it cannot be read. */
bool entries_absent(const struct entries *entries, struct slice name);
/* High availability is on, a node acts for the other, or it cannot be said. name.len 0: of any subcluster. */
bool entries_shared(const struct entries *entries, struct slice name);

/* A subcluster that is no pair any more, and whose entry says that high availability is on. */
bool entries_dissolved(const struct entries *entries, const struct topology *topology);
/* ns: the longest lease of all entries, at least this. */
uint64_t entries_longest(const struct entries *entries, uint64_t least);

/* serving[home] for every node, by the record alone; nodes without an entry serve themselves, 0: by a node
 * that is not known. */
void entries_serving(const struct entries *entries, const struct topology *topology,
                     uint16_t serving[HG_NODES_MAX]);

#endif
