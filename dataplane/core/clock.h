/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a core's time comes from: the TSC, or in tests a hand that turns it. Read once a turn. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_cycles.h>

#include "lib/ctx.h"

struct clock {
    uint64_t tsc_hz;
    uint64_t per_ms; /* TSC cycles of a millisecond */
    uint64_t at;     /* TSC at which ms became what it is */
    uint64_t ms;     /* since the dataplane started */
    bool by_hand;    /* tests: hand is the time */
    uint64_t hand;
};

static inline void clock_start(struct clock *k, uint64_t tsc_hz, uint64_t start_tsc)
{
    *k = (struct clock){.tsc_hz = tsc_hz, .per_ms = tsc_hz / 1000, .at = start_tsc};
}

/* Sets tsc and ms of this turn. A division only once a millisecond. */
static inline void clock_read(struct clock *k, struct ctx *c)
{
    uint64_t tsc = k->by_hand ? k->hand : rte_rdtsc();
    if (tsc < c->tsc) /* the virtual machine moved, or the hand slipped: time stands still */
        tsc = c->tsc;
    uint64_t passed = tsc - k->at;
    if (passed >= k->per_ms) {
        uint64_t n = passed / k->per_ms;
        k->ms += n;
        k->at += n * k->per_ms;
    }
    c->tsc = tsc;
    c->ms = k->ms;
}

#endif
