/* SPDX-License-Identifier: BSD-2-Clause */
/* Several nodes that are measured at the same time: a process each, which wait for each other before each
 * step. */
#ifndef BENCH_TOGETHER_H
#define BENCH_TOGETHER_H

#include <pthread.h>
#include <stdint.h>

#include "median.h"

#define TOGETHER_MAX 8

struct together_node { /* written by its process, read by the first one once all have ended */
    double seconds[BENCH_RUNS_MAX], forwarded[BENCH_RUNS_MAX];
    uint64_t lost, misrouted;
};

struct together {
    pthread_barrier_t barrier;
    unsigned nodes;
    struct together_node node[TOGETHER_MAX];
};

/* Runs one(arg, together, its node) in a process for each node; returns once all have ended. NULL: one of
 * them failed.
 */
const struct together *together_run(unsigned nodes,
                                    void (*one)(void *arg, struct together *t, struct together_node *node),
                                    void *arg);
void together_wait(struct together *t);

#endif
