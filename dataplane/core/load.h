/* SPDX-License-Identifier: BSD-2-Clause */
/* How much work a core has, by its own clock, said once a millisecond: what it did and what piled up
 * meanwhile. A core that polls is busy or idle by turns, and one that always finds a little is as busy as one
 * that drowns; so it counts, too, whether something is left waiting. */
#ifndef CORE_LOAD_H
#define CORE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct load { /* since it was last told */
    uint64_t ms, tsc;
    uint64_t busy;    /* cycles of turns that found work */
    uint64_t behind;  /* ... and of those that left some */
    uint64_t frames;  /* worked on */
    unsigned waiting; /* mails, then */
};

static inline void load_add(struct load *l, uint64_t cycles, bool behind)
{
    l->busy += cycles;
    l->behind += behind ? cycles : 0;
}

/* Permille of the time: 1000 is all of it, more is what came and could not be done. waiting: mails now.
 * Begins anew. */
unsigned load_tell(struct load *l, uint64_t ms, uint64_t tsc, unsigned waiting);

#endif
