/* SPDX-License-Identifier: BSD-2-Clause */
/* Critical services of this node and how long they have been down (D12-D16). Only a continuous outage counts
 * (D14). */
#ifndef CONTROLPLANE_HA_OUTAGE_H
#define CONTROLPLANE_HA_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

struct outage_service {
    bool watched, up, relative, database;
    uint64_t down_since;
    bool counts; /* it is an outage, since: of a relative service while the peer has what we lack */
    uint64_t since;
};
struct outage {
    struct outage_service service[64];
};
struct outage_verdict {
    bool well;                      /* nothing is down */
    bool service_out, database_out; /* down for the delay and longer */
    uint64_t next;                  /* when the verdict may change by itself */
};

void outage_set(struct outage *o, unsigned bit, bool watched, bool up, bool relative, bool database,
                uint64_t now);
/* peer: bits of the services that it has; a relative service is down only if the peer still has it, and for
 * as long: when both get back what both had lost, the one that is a moment later has no outage. */
struct outage_verdict outage_judge(struct outage *o, uint64_t peer, uint64_t now, uint64_t delay);
uint64_t outage_up(const struct outage *o);
uint64_t outage_watched(const struct outage *o);

#endif
