/* SPDX-License-Identifier: BSD-2-Clause */
/* How far the cores of this node are in the record's history: told to every other node with the heartbeats,
 * so that a command can wait until the whole cluster has applied it (hgctl --wait-cluster). */
#ifndef CONTROLPLANE_NODE_APPLIED_H
#define CONTROLPLANE_NODE_APPLIED_H

#include <stdbool.h>
#include <stdint.h>

#include "feed/feed.h"
#include "store/version.h"

struct controlplane;

struct applied {
    struct record_version done;    /* everything until here is in force on every core */
    struct record_version looking; /* ... and soon until here */
    bool pending, marked;
    uint64_t routes_version; /* what has to be compiled first */
    struct feed_token token;
};

void applied_turn(struct controlplane *cp);

#endif
