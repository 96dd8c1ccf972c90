/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/rows.h"

#include <string.h>

const struct srm_state_info srm_state_info[SRM_STATES] = {
#define SRM_STATE(id, row, name, kind, meaning) {row, name, kind, meaning},
#include "ha/states.def"
};
const char *const srm_reason_names[SRM_REASONS] = {
#define SRM_REASON(id, name) name,
#include "ha/states.def"
};
#define SRM_ROW(id, name, s1, r1, s2, r2, goal, cause, advice)                                               \
    {name,  {STATE_##s1, STATE_##s2}, {REASON_##r1, REASON_##r2}, GOAL_##goal, ROW_##id >= ROW_F24, cause,   \
     advice},
const struct srm_row_info srm_row_info[SRM_ROWS] = {
    {"-", {STATE_UNKNOWN, STATE_UNKNOWN}, {REASON_UNKNOWN, REASON_UNKNOWN}, GOAL_KEEP, true, "", ""},
#include "ha/rows.def"
};
const struct srm_fact_info srm_fact_info[SRM_FACTS] = {
#define SRM_FACT(id, name, text) {name, text},
#include "ha/facts.def"
};
static const char *const row_ids[SRM_ROWS] = {
    "-",
#define SRM_ROW(id, ...) #id,
#include "ha/rows.def"
};

enum srm_row srm_row_find(const char *id)
{
    for (unsigned i = 1; i < SRM_ROWS; i++)
        if (strcmp(row_ids[i], id) == 0)
            return (enum srm_row)i;
    return ROW_NONE;
}

const char *srm_row_id(enum srm_row row)
{
    return row_ids[row < SRM_ROWS ? row : ROW_NONE];
}

bool srm_in_transition(enum srm_state state)
{
    return strcmp(srm_state_info[state].kind, "transition") == 0 && state != STATE_INITIALIZING;
}

int srm_goal_slot(enum srm_row row, bool flip, unsigned home)
{
    switch (srm_row_info[row].goal) {
    case GOAL_HOME:
        return (int)home;
    case GOAL_N1:
        return flip;
    case GOAL_N2:
        return !flip;
    default:
        return -1;
    }
}
