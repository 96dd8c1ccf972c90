/* SPDX-License-Identifier: BSD-2-Clause */
#include "counters/view.h"

#include <string.h>

uint64_t view_total(const struct hg_segment *s, unsigned id)
{
    uint64_t sum = 0, least = UINT64_MAX, most = 0;

    for (unsigned c = 0; c < s->cores; c++) {
        uint64_t v = view_counter(s, c, id);
        sum += v;
        least = v < least ? v : least;
        most = v > most ? v : most;
    }
    switch (id) {
    case HG_C_users:
    case HG_C_hops_down:
        return most;
    case HG_C_route_generation: /* in force everywhere */
        return s->cores ? least : 0;
    default:
        return sum;
    }
}

void view_route(const struct hg_segment *s, uint32_t slot, struct hg_route_stats *out)
{
    memset(out, 0, sizeof(*out));
    for (unsigned c = 0; c < s->cores && slot < s->route_slots; c++) {
        const struct hg_route_stats *r = &s->core[c].route_stats[slot];
        out->requests += view_load(&r->requests);
        out->answered += view_load(&r->answered);
        out->failed += view_load(&r->failed);
    }
}

/* The state is the worst that any core sees: probes tell it to all of them, so they differ for moments only.
 */
void view_hop(const struct hg_segment *s, uint32_t slot, struct hg_hop_stats *out)
{
    memset(out, 0, sizeof(*out));
    for (unsigned c = 0; c < s->cores && slot < s->hop_slots; c++) {
        const struct hg_hop_stats *h = &s->core[c].hop_stats[slot];
        uint64_t state = view_load(&h->state);
        out->requests += view_load(&h->requests);
        out->answered += view_load(&h->answered);
        out->failed += view_load(&h->failed);
        out->retransmissions += view_load(&h->retransmissions);
        out->probes += view_load(&h->probes);
        out->probes_failed += view_load(&h->probes_failed);
        out->state = state > out->state ? state : out->state;
    }
}

const char *view_hop_state(uint64_t state)
{
    static const char *const words[] = {"unknown", "up", "down"}; /* enum hop_state of the dataplane */

    return state < 3 ? words[state] : "unknown";
}
