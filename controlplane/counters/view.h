/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the counters of the segment: one store is never torn, the sums are made here. */
#ifndef CONTROLPLANE_COUNTERS_VIEW_H
#define CONTROLPLANE_COUNTERS_VIEW_H

#include <stdint.h>

#include "impl/segment.h"

static inline uint64_t view_load(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline uint64_t view_counter(const struct hg_segment *s, unsigned core, unsigned id)
{
    return view_load(&s->core[core].area->counters[id]);
}

/* Over all cores: counters and most gauges add up; tables that every core has whole do not. */
uint64_t view_total(const struct hg_segment *s, unsigned id);
void view_route(const struct hg_segment *s, uint32_t slot, struct hg_route_stats *out);
void view_hop(const struct hg_segment *s, uint32_t slot, struct hg_hop_stats *out);
const char *view_hop_state(uint64_t state);

#endif
