/* SPDX-License-Identifier: BSD-2-Clause */
/* The arithmetic of one home slot's lease, as one of the two nodes keeps it (srm.h says why it is safe).
 * Pure; test_lease.c holds it against random delays, losses and drift. */
#ifndef CONTROLPLANE_HA_LEASE_H
#define CONTROLPLANE_HA_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/version.h"

#define LEASE_FOREVER UINT64_MAX

struct lease {
    bool want;   /* we act for the slot, or ask to */
    bool held;   /* confirmed since it is wanted */
    bool mapped; /* a core may still act for it: it is in a map that was pushed and not yet replaced */
    uint64_t want_since; /* a grant counts only for what was asked since */
    uint64_t until;      /* own deadline */
    uint64_t granted;    /* until when the peer may use what we granted, 0 = none stands */
    /* the version of the entry at which the peer was last heard to have nothing of the slot */
    struct record_version clear;
};

/* A node that starts does not know what it granted before: as if it had been now. */
void lease_init(struct lease *l, uint64_t now, uint64_t span);
void lease_want(struct lease *l, uint64_t now);
void lease_unwant(struct lease *l);

/* The peer granted what we said in the beat that we sent then. */
void lease_on_grant(struct lease *l, uint64_t sent, uint64_t span);
/* A compare-and-set that we sent then was acknowledged. may_gain: lease_claim_at() had come at that time. */
void lease_on_write(struct lease *l, uint64_t sent, uint64_t span, bool may_gain);
/* The peer's newest beat: has: it holds, wants or claims the slot. */
void lease_on_beat(struct lease *l, bool has, struct record_version version);
void lease_give(struct lease *l, uint64_t now, uint64_t span);

/* From when on we may claim it with a compare-and-set that expects a version known since `learned`; span: by
 * which the peer counts its own writes. */
uint64_t lease_claim_at(const struct lease *l, struct record_version known, uint64_t learned, uint64_t span,
                        uint64_t guard);
/* Nothing is held longer than until then. */
void lease_bound(struct lease *l, uint64_t until);
/* Until when the cores may act for everything that they have in their map: 0 = nothing. */
uint64_t lease_deadline(const struct lease *l, unsigned n);

#endif
