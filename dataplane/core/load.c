/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/load.h"

#define BACKLOG  128 /* mails that are no delay yet: two bursts */
#define DRAIN_MS 8   /* in which a larger backlog is to be gone */
#define BEHIND                                                                                               \
    64 /* permille between a core that leaves something waiting in every turn and one that never does */
#define MOST 4000

/* The mail that has piled up is work that came in, too, and each costs what a frame has cost this time. */
static uint64_t piled_up(const struct load *l, uint64_t load, unsigned waiting)
{
    int64_t more = (int64_t)waiting - l->waiting;

    if (waiting > BACKLOG)
        more += (waiting - BACKLOG) / DRAIN_MS;
    return l->frames > 0 && more > 0 ? (uint64_t)more * load / l->frames : 0;
}

unsigned load_tell(struct load *l, uint64_t ms, uint64_t tsc, unsigned waiting)
{
    uint64_t past = tsc - l->tsc, load = 0;

    if (past > 0) {
        load = l->busy < past ? l->busy * 1000 / past : 1000;
        load += piled_up(l, load, waiting);
        load += l->behind < past ? l->behind * BEHIND / past : BEHIND;
    }
    *l = (struct load){.ms = ms, .tsc = tsc, .waiting = waiting};
    return load < MOST ? (unsigned)load : MOST;
}
