/* SPDX-License-Identifier: BSD-2-Clause */
/* What a core lends to every room: time, counters, buffers, mail, timers. One per core; never shared.
 * Each room's state struct keeps a pointer to it, set once at start. */
#ifndef LIB_CTX_H
#define LIB_CTX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hg/counters.h"
#include "hg/segment.h"
#include "lib/flow_hash.h"

struct rte_mempool;
struct hg_config;
struct wheel;
struct mail_out;
struct log_out;
struct ahead;

struct ctx {
    uint64_t tsc; /* read once, at the start of the turn */
    uint64_t ms;  /* the same moment in milliseconds since the dataplane started */
    uint64_t tsc_hz;
    uint16_t core; /* this core's index, 0 .. cores-1 */
    uint16_t cores;
    bool lease_over;                     /* at the start of the turn (lib/lease.h) */
    const _Atomic uint64_t *serve_until; /* in the segment; NULL: no deadline */
    struct flow_home home;               /* where TCP flows belong; the same for all cores */
    uint32_t boot;                       /* random per dataplane start; part of every branch */
    uint64_t *counters;                  /* [HG_COUNTERS_MAX] in the segment, written by this core only */
    struct hg_route_stats *route_stats;  /* [HG_ROUTE_SLOTS or fewer], written by this core only */
    struct hg_hop_stats *hop_stats;      /* [HG_HOP_SLOTS], written by this core only */
    struct rte_mempool *pool;            /* mbufs of 2 KiB behind 128 bytes of headroom (core/pool.h) */
    struct rte_mempool *pool_big; /* mbufs of 65,535 bytes: the longest datagram leaves 28 bytes in front */
    struct wheel *wheel;
    struct mail_out *mail;
    struct log_out *log;
    const struct hg_config *config; /* this core's snapshot: replaced between turns, never edited */
    uint64_t rng;                   /* xorshift state; not for secrets */
    struct ahead *ahead;            /* what to fetch between two items (lib/ahead.h); NULL: nothing */
};

static inline void ctx_count(struct ctx *c, unsigned id)
{
    hg_count(c->counters, id, 1);
}

/* Whether what the remote end sends to the local one comes to this core. */
static inline bool flow_comes_home(const struct ctx *c, const struct hg_endpoint *local,
                                   const struct hg_endpoint *remote)
{
    return flow_core_of(&c->home, &local->ip, local->port, &remote->ip, remote->port) == c->core;
}

static inline uint64_t ctx_random(struct ctx *c)
{
    uint64_t x = c->rng;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return c->rng = x;
}

#endif
