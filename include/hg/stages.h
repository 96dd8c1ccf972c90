/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the cycle histograms, from stages.def. */
#ifndef HG_STAGES_H
#define HG_STAGES_H

#include <assert.h>

#include "hg/segment.h"

enum hg_stage {
#define HG_STAGE(id, unit, text) HG_STAGE_##id,
#include "hg/stages.def"
#undef HG_STAGE
    HG_STAGE_COUNT
};
static_assert(HG_STAGE_COUNT <= HG_STAGES, "room in the segment");

struct hg_stage_info {
    const char *name;
    const char *unit; /* one sample is the cycles per one of these */
    const char *text;
};

extern const struct hg_stage_info hg_stage_info[HG_STAGE_COUNT];

#endif
