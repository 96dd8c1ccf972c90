/* SPDX-License-Identifier: BSD-2-Clause */
/* Which user goes to which node, before anything is done: the numbers first, so that rules can look at the
 * outcome, then one user after the other. Pure. The users that are assigned are the selection; all others
 * stay where they are and count as load. As many of the selection as possible stay where they are, those with
 * contacts first (C12). */
#ifndef CONTROLPLANE_ASSIGN_PLAN_H
#define CONTROLPLANE_ASSIGN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "topology/rules.h"

struct plan_node {
    uint16_t node;
    bool target;                             /* users may come */
    bool frozen;                             /* in failover, or not there yet: its users stay (C18) */
    uint64_t stays;                          /* users that are not of the selection */
    uint64_t here;                           /* users of the selection that have their home here now */
    uint64_t signed_in;                      /* ... of them with contacts */
    uint64_t quota;                          /* users of the selection that it shall have */
    uint64_t keep_signed, keep_silent, open; /* what is left of the quota: for its own, and for others */
};

struct plan {
    unsigned n; /* in the order of C02: 1A 2A 3A 1B 2B 3B */
    struct plan_node node[HG_NODES_MAX];
    uint64_t selected; /* also those without a home */
    uint64_t moved;    /* of them, those that get another home than they had; without the unassigned */
    uint64_t leave[HG_NODES_MAX]; /* users of the selection whose home is not among node[] */
    uint8_t at[HG_NODES_MAX];     /* by index of the node: place in node[] + 1 */
};

/* mode: of the cluster; a subcluster may have its own. only: a subcluster, 0 = all of them. */
void plan_begin(struct plan *p, const struct rules_facts *w, enum topology_mode mode, uint16_t only);
/* One node as the target of all, whatever the mode. */
void plan_begin_node(struct plan *p, const struct rules_facts *w, uint16_t node);
/* Adds to the selection so many users of a home (0 = unassigned), of which so many have contacts. Users of
 * frozen nodes are not taken: false. */
bool plan_select(struct plan *p, uint16_t home, uint64_t users, uint64_t signed_in);
/* Levels the load of all targets. false: there is none. */
bool plan_level(struct plan *p);
/* Users by home afterwards. */
void plan_after(const struct plan *p, const struct rules_facts *w, uint64_t after[HG_NODES_MAX]);
/* The next user of the selection: where it goes, perhaps where it is. 0: the quotas are used up. */
uint16_t plan_take(struct plan *p, uint16_t home, bool signed_in);

#endif
