/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads for what takes too long within a turn: public keys and passwords. A job is an object of its
 * owner's, and while it travels nobody but the worker touches it. Giving and taking never wait; the number of
 * jobs of a core that are under way is bounded by the depth. */
#ifndef LIB_WORKERS_H
#define LIB_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

struct workers;

struct worker_job { /* the first member of what travels */
    void (*run)(struct worker_job *);
};

/* Off the hot path, main thread. cpu: where the threads may run; ncpus 0: where the caller may. NULL: no
 * memory, or no threads. */
struct workers *workers_open(unsigned threads, unsigned cores, unsigned depth, const uint16_t *cpu,
                             unsigned ncpus);
/* Jobs under way are finished and forgotten: their owners have them in their own books. */
void workers_close(struct workers *w);
unsigned workers_threads(const struct workers *w);

/* ---- a core ---- */
/* false: as many are under way as may be. */
bool workers_give(struct workers *w, unsigned core, struct worker_job *job);
/* What is done; returns how many. */
unsigned workers_take(struct workers *w, unsigned core, struct worker_job **done, unsigned max);
/* Jobs of this core that were given and not yet taken. */
unsigned workers_under_way(const struct workers *w, unsigned core);

#endif
