/* SPDX-License-Identifier: BSD-2-Clause */
/* Every counter of a core, from the one list in include/hg/{drops,counters_*}.def. The array lives in the
 * shared segment: one core writes, everybody reads; a store is relaxed and never torn. */
#ifndef HG_COUNTERS_H
#define HG_COUNTERS_H

#include <stdint.h>

/* X(id, layer, text): the reasons for which something is dropped; the counter's name is drop_<id>. */
/* X(id, text): everything else that is counted, by room. */
enum hg_counter {
#define HG_DROP(id, layer, text) HG_DROP_##id,
#include "hg/drops.def"
#undef HG_DROP
    HG_DROP_COUNT,
    HG_COUNTER_BASE = HG_DROP_COUNT - 1,
#define HG_COUNTER(id, text) HG_C_##id,
#define HG_GAUGE(id, text)   HG_C_##id,
#include "hg/counters_core.def"
#include "hg/counters_net.def"
#include "hg/counters_tcp.def"
#include "hg/counters_route.def"
#include "hg/counters_sip.def"
#include "hg/counters_tls.def"
#undef HG_COUNTER
#undef HG_GAUGE
    HG_COUNTERS_MAX
};

enum hg_counter_kind { HG_KIND_DROP, HG_KIND_COUNTER, HG_KIND_GAUGE };

struct hg_counter_info {
    const char *name;  /* as exported: lower case */
    const char *layer; /* drops: net, sip, ...; others: core, net, route, sip */
    const char *text;
    enum hg_counter_kind kind;
};

extern const struct hg_counter_info hg_counter_info[HG_COUNTERS_MAX];

static inline void hg_count(uint64_t *counters, unsigned id, uint64_t n)
{
    __atomic_store_n(&counters[id], counters[id] + n, __ATOMIC_RELAXED);
}

static inline void hg_gauge(uint64_t *counters, unsigned id, uint64_t value)
{
    __atomic_store_n(&counters[id], value, __ATOMIC_RELAXED);
}

#endif
