/* SPDX-License-Identifier: BSD-2-Clause */
#include "hg/stages.h"

const struct hg_stage_info hg_stage_info[HG_STAGE_COUNT] = {
#define HG_STAGE(id, unit_, text_) [HG_STAGE_##id] = {#id, #unit_, text_},
#include "hg/stages.def"
#undef HG_STAGE
};
