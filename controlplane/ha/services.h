/* SPDX-License-Identifier: BSD-2-Clause */
/* The registry of critical services (D12-D23): what must run for this node to serve its users. Watchers set
 * whether a service runs; the registry says what changed and keeps since when and why. How long an outage may
 * last is decided by the manager (srm.h). Later services join with services_add(). Pure. */
#ifndef CONTROLPLANE_HA_SERVICES_H
#define CONTROLPLANE_HA_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#define SERVICES_MAX 64

/* X(id, relative, database, routes, text), in the order of their bits in a heartbeat: the same on all nodes.
 * relative: down only if the peer still has it. database: the record. routes: a manual failover needs it
 * (G02). */
#define SERVICES_LIST(X)                                                                                     \
    X(cores, false, false, true, "every core of the dataplane turns and has its listeners open")             \
    X(link, false, false, false, "the links of all ports are up")                                            \
    X(gateway, false, false, false, "the gateways answer by ARP or neighbour discovery")                     \
    X(peer, true, false, false, "the peer answers over the service network")                                 \
    X(record, true, true, true, "the cluster's record can be read and written")                              \
    X(network, true, false, false, "another node is heard over the service network")

enum service_id {
#define SERVICE_ENUM(id, relative, database, routes, text) SERVICE_##id,
    SERVICES_LIST(SERVICE_ENUM)
#undef SERVICE_ENUM
        SERVICES_KNOWN
};

struct service {
    const char *name, *text;
    bool relative, database, routes;
    bool watched; /* "Monitored" (A23) */
    bool known;   /* its watcher has said something */
    bool up;
    uint64_t since; /* ns of the HA clock: of the last change */
    uint64_t stops; /* times it went down: a rolling outage shows here (D14) */
    char why[160];  /* it is down; "" while it runs */
};

struct services {
    unsigned n;
    struct service s[SERVICES_MAX];
};

void services_init(struct services *services);
/* Returns the bit, or -1 when there are too many. Strings must stay. */
int services_add(struct services *services, const char *name, const char *text, bool relative, bool routes);
/* true: watched or up changed. why: NULL while up. */
bool services_set(struct services *services, unsigned bit, bool watched, bool up, uint64_t now,
                  const char *why);
uint64_t services_up(const struct services *services);
uint64_t services_watched(const struct services *services);

#endif
