/* SPDX-License-Identifier: BSD-2-Clause */
/* The control plane's own counters, exported with those of the cores. */
#ifndef CONTROLPLANE_COUNTERS_OWN_H
#define CONTROLPLANE_COUNTERS_OWN_H

#include <stdbool.h>
#include <stdint.h>

enum own_counter {
#define OWN_COUNTER(id, room, text) OWN_##id,
#define OWN_GAUGE(id, room, text)   OWN_##id,
#include "counters/own.def"
#undef OWN_COUNTER
#undef OWN_GAUGE
    OWN_COUNTERS
};

struct own_info {
    const char *name, *room, *text;
    bool gauge;
};

struct own_counters {
    uint64_t v[OWN_COUNTERS];
};

extern const struct own_info own_info[OWN_COUNTERS];

static inline void own_count(struct own_counters *own, enum own_counter id)
{
    own->v[id]++;
}

#endif
