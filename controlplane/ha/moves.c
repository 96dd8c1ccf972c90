/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of moves.def, looked up. */
#include "ha/rows.h"

#include <assert.h>

#define R(id)      (UINT64_C(1) << ROW_##id)
#define ALL        ((UINT64_C(1) << SRM_ROWS) - 2) /* all but ROW_NONE */
#define KEEP_ROLES false
#define FLIP       true

static_assert(SRM_ROWS <= 63, "a set of rows is a 64-bit number");

static const struct {
    uint64_t rows;
    uint8_t fact, who, next; /* next ROW_NONE: stays */
    bool flip;
} moves[] = {
#define MOVE(fact, who, rows, next, flip) {rows, FACT_##fact, ROLE_##who, ROW_##next, flip},
#define STAY(fact, who, rows, why)        {rows, FACT_##fact, ROLE_##who, ROW_NONE, false},
#include "ha/moves.def"
};
enum { MOVES = sizeof(moves) / sizeof(moves[0]) };

struct srm_move srm_move(enum srm_row row, enum srm_fact fact, enum srm_role who)
{
    for (unsigned i = 0; i < MOVES; i++)
        if (moves[i].fact == fact && moves[i].who == who && (moves[i].rows >> row & 1) != 0)
            return (struct srm_move){moves[i].next == ROW_NONE ? row : moves[i].next, moves[i].flip, true};
    return (struct srm_move){row, false, false};
}

unsigned srm_moves_listed(enum srm_row row, enum srm_fact fact, enum srm_role who)
{
    unsigned n = 0;
    for (unsigned i = 0; i < MOVES; i++)
        n += moves[i].fact == fact && moves[i].who == who && (moves[i].rows >> row & 1) != 0;
    return n;
}
