/* SPDX-License-Identifier: BSD-2-Clause */
/* How long the stages of a turn take: one turn in 16 is measured, per item. */
#ifndef CORE_STAGE_H
#define CORE_STAGE_H

#include <rte_cycles.h>

#include "core/core.h"
#include "hg/stages.h"

/* n samples of the mean cycles of one item. */
static inline void stage_sample(struct core *core, enum hg_stage stage, uint64_t since, unsigned n)
{
    uint64_t cycles = (rte_rdtsc() - since) / n;
    unsigned bucket = cycles > 1 ? 63 - (unsigned)__builtin_clzll(cycles) : 0;
    uint64_t *row = core->area->histogram[stage];

    if (bucket >= HG_HISTOGRAM)
        bucket = HG_HISTOGRAM - 1;
    hg_count(row, bucket, n);
}

static inline uint64_t stage_begin(const struct core *core)
{
    return core->sample ? rte_rdtsc() : 0;
}

static inline void stage_end(struct core *core, enum hg_stage stage, uint64_t since, unsigned n)
{
    if (core->sample && n > 0)
        stage_sample(core, stage, since, n);
}

#endif
