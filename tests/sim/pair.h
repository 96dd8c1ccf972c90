/* SPDX-License-Identifier: BSD-2-Clause */
/* A subcluster of two nodes in simulated time: the server recovery manager (ha/), the windows of heartbeats
 * and the record (store/) are the real ones; clocks that drift, the wire, the processes, the cores and Redis
 * are simulated. */
#ifndef TESTS_SIM_PAIR_H
#define TESTS_SIM_PAIR_H

#include <stdbool.h>
#include <stdint.h>

enum pair_profile { PAIR_DEFAULT, PAIR_FAST, PAIR_WAN, PAIR_PROFILES };

struct pair_options {
    uint64_t seed;
    enum pair_profile profile;
    unsigned faults; /* of this world */
    bool verbose;
    bool lossy;           /* Redis goes back to what it was, acknowledged or not: only owners are looked at */
    bool hand;            /* somebody writes over the entry by hand */
    uint64_t quiet_run;   /* ns: run so long without faults instead */
    uint64_t delay;       /* one way, of the wire; 0: of the profile */
    unsigned loss_permil; /* of the wire */
};
struct pair_result {
    uint64_t faults, events, time; /* ns simulated */
    uint64_t double_owner;         /* moments at which two nodes acted for one user */
    uint64_t acknowledged;         /* users that administrators added and were told so */
    uint64_t lost_acknowledged;    /* acknowledged writes that the record did not keep */
    uint64_t unowned;              /* healed, and a user has no owner, or the rows do not come to rest */
    uint64_t failovers;
    uint64_t rows; /* bit per row that was reached */
};
/* One world from its beginning to its healing. false: an invariant does not hold; printed with the seed. */
bool pair_run(const struct pair_options *options, struct pair_result *result);

#endif
