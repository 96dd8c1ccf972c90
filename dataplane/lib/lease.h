/* SPDX-License-Identifier: BSD-2-Clause */
/* The lease of this node: until when it may act for its users and hold its service addresses. The control
 * plane writes the deadline into the segment. A core looks at it at the start of each turn (ctx->lease_over:
 * what to answer) and again right before it transmits (what may leave): a process that was stopped in between
 * for however long finds out before anything has left. */
#ifndef LIB_LEASE_H
#define LIB_LEASE_H

#include <stdatomic.h>
#include <stdbool.h>

#include <rte_cycles.h>

#include "lib/ctx.h"

static inline bool lease_over_at(const struct ctx *c, uint64_t tsc)
{
    uint64_t until = c->serve_until ? atomic_load_explicit(c->serve_until, memory_order_acquire) : UINT64_MAX;
    return until != UINT64_MAX && tsc >= until;
}

/* Now, by the TSC itself; it is read only where there is a deadline. */
static inline bool lease_over_now(const struct ctx *c)
{
    uint64_t until = c->serve_until ? atomic_load_explicit(c->serve_until, memory_order_acquire) : UINT64_MAX;
    return until != UINT64_MAX && rte_rdtsc() >= until;
}

#endif
