/* SPDX-License-Identifier: BSD-2-Clause */
/* Which route or next hop stands behind a slot of the segment. */
#ifndef CONTROLPLANE_COUNTERS_NAMES_H
#define CONTROLPLANE_COUNTERS_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/endpoint.h"

struct controlplane;

uint32_t names_route_slots(const struct controlplane *cp);             /* slots in use are below */
const char *names_route(const struct controlplane *cp, uint32_t slot); /* NULL: unused */
bool names_hop(const struct controlplane *cp, uint32_t slot, struct hg_endpoint *out);

#endif
