/* SPDX-License-Identifier: BSD-2-Clause */
/* States, reasons, rows and events of the server recovery manager, from the .def files of this folder. */
#ifndef CONTROLPLANE_HA_ROWS_H
#define CONTROLPLANE_HA_ROWS_H

#include <stdbool.h>
#include <stdint.h>

enum srm_state {
#define SRM_STATE(id, row, name, kind, meaning) STATE_##id,
#include "ha/states.def"
    SRM_STATES
};
enum srm_reason {
#define SRM_REASON(id, name) REASON_##id,
#include "ha/states.def"
    SRM_REASONS
};
enum srm_goal { GOAL_HOME, GOAL_N2, GOAL_N1, GOAL_KEEP };
enum srm_row {
    ROW_NONE, /* nothing is known */
#define SRM_ROW(id, ...) ROW_##id,
#include "ha/rows.def"
    SRM_ROWS
};
/* N1 and N2 of a row are roles: the flip of the entry in the record says which slot plays which. */
enum srm_role { ROLE_N1, ROLE_N2 };
enum srm_fact {
#define SRM_FACT(id, name, text) FACT_##id,
#include "ha/facts.def"
    SRM_FACTS
};

struct srm_state_info {
    const char *id, *name, *kind, *meaning;
};
struct srm_row_info {
    const char *name;            /* "F11" */
    uint8_t state[2], reason[2]; /* by role */
    uint8_t goal;
    bool ours; /* not of the seed's table (ZZ19) */
    const char *cause, *advice;
};
struct srm_fact_info {
    const char *name, *text;
};
extern const struct srm_state_info srm_state_info[SRM_STATES];
extern const char *const srm_reason_names[SRM_REASONS];
extern const struct srm_row_info srm_row_info[SRM_ROWS];
extern const struct srm_fact_info srm_fact_info[SRM_FACTS];

/* The row that an entry names ("F11"), by the ids of rows.def ("F11_INIT"); ROW_NONE: there is no such. */
enum srm_row srm_row_find(const char *id);
const char *srm_row_id(enum srm_row row);

/* What follows when a fact holds for the node of that role. flip: the roles change places in the next row.
 * The table has exactly one entry for each; next == row: nothing changes. */
struct srm_move {
    uint8_t next;
    bool flip;
    bool listed; /* false: the table has no entry (a mistake; the test looks for it) */
};
struct srm_move srm_move(enum srm_row row, enum srm_fact fact, enum srm_role who);
/* How many entries of the table say something about that (1, by the test). */
unsigned srm_moves_listed(enum srm_row row, enum srm_fact fact, enum srm_role who);

bool srm_in_transition(enum srm_state state); /* D08 */
/* The slot of 0 and 1 that is to serve the users of the home slot; -1: as it is. */
int srm_goal_slot(enum srm_row row, bool flip, unsigned home);

#endif
