/* SPDX-License-Identifier: BSD-2-Clause */
/* Work that may be long is done in pieces of a few milliseconds, one a turn of the loop: heartbeats and the
 * lease must not wait behind a million users. By the clock on the wall, as the lease is: who loses his CPU
 * has done enough for this turn. */
#ifndef CONTROLPLANE_PACE_H
#define CONTROLPLANE_PACE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define PACE_NS    4000000u /* several rooms may have work in one turn, together some 20 ms */
#define PACE_STEPS 32u      /* between two looks at the clock */

struct pace {
    uint64_t end_ns;
    unsigned steps;
};

static inline uint64_t pace_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline struct pace pace_begin(void)
{
    return (struct pace){.end_ns = pace_now_ns() + PACE_NS};
}

/* After each small step. */
static inline bool pace_is_over(struct pace *p)
{
    return ++p->steps % PACE_STEPS == 0 && pace_now_ns() >= p->end_ns;
}

/* After a step that may be long itself. */
static inline bool pace_is_over_now(const struct pace *p)
{
    return pace_now_ns() >= p->end_ns;
}

#endif
