/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of rows and moves (F01-F23, ZZ19), walked exhaustively: from what a new subcluster is, every fact
 * for either node ends in a row, by exactly one entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "ha/rows.h"

struct reach {
    bool row[SRM_ROWS];
};

static struct reach walk(void)
{
    struct reach r = {{false}};
    bool more = true;

    r.row[ROW_F42] = true; /* D02: off by default */
    while (more) {
        more = false;
        for (unsigned row = 1; row < SRM_ROWS; row++)
            for (unsigned k = 0; r.row[row] && k < SRM_FACTS * 2; k++) {
                unsigned next = srm_move(row, (enum srm_fact)(k / 2), k & 1).next;
                more = more || !r.row[next];
                r.row[next] = true;
            }
    }
    return r;
}

static void every_fact_in_every_row_has_one_entry(void **state)
{
    struct reach r = walk();

    (void)state;
    for (unsigned row = 1; row < SRM_ROWS; row++)
        for (unsigned f = 0; f < SRM_FACTS; f++)
            for (unsigned who = 0; who < 2 && r.row[row]; who++) {
                unsigned n = srm_moves_listed(row, f, who);
                if (n != 1)
                    print_message("%s, %s, N%u: %u entries\n", srm_row_id(row), srm_fact_info[f].name,
                                  who + 1, n);
                assert_int_equal(n, 1);
                assert_int_not_equal(srm_move(row, f, who).next, ROW_NONE);
            }
}

static void every_row_is_reached(void **state)
{
    struct reach r = walk();

    (void)state;
    for (unsigned row = 1; row < SRM_ROWS; row++) {
        if (!r.row[row])
            print_message("%s is never reached\n", srm_row_id(row));
        assert_true(r.row[row]);
    }
}

/* From every row there is a way back to both nodes in Normal, so nothing is a trap. */
static void every_row_leads_home(void **state)
{
    bool home[SRM_ROWS] = {[ROW_F01] = true};
    bool more = true;

    (void)state;
    while (more) {
        more = false;
        for (unsigned row = 1; row < SRM_ROWS; row++)
            for (unsigned k = 0; !home[row] && k < SRM_FACTS * 2; k++)
                if (home[srm_move(row, (enum srm_fact)(k / 2), k & 1).next])
                    home[row] = more = true;
    }
    for (unsigned row = 1; row < SRM_ROWS; row++)
        assert_true(home[row]);
}

/* The seed's table, written down a second time: state and reason of both nodes. */
static const struct {
    enum srm_row row;
    const char *text;
} oracle[] = {
    {ROW_F01, "Normal/Normal Normal/Normal"},
    {ROW_F02, "Failing Over/On Admin Request Taking Over/On Admin Request"},
    {ROW_F03, "Idle/On Admin Request Running in Backup Mode/On Admin Request"},
    {ROW_F04, "Taking Back/On Admin Request Falling Back/On Admin Request"},
    {ROW_F05, "Idle/Initialization Running in Backup Mode/On Admin Request"},
    {ROW_F06, "Idle/Initialization Running in Backup Mode/Initialization"},
    {ROW_F07, "Idle/On Admin Request Running in Backup Mode/Initialization"},
    {ROW_F08, "Failing Over/On Admin Request Taking Over/Initialization"},
    {ROW_F09, "Taking Back/Initialization Falling Back/On Admin Request"},
    {ROW_F10, "Taking Back/Automatic Fallback Falling Back/Automatic Fallback"},
    {ROW_F11, "Failed Over/Critical Service Down Running in Backup Mode/Critical Service Down"},
    {ROW_F11_INIT, "Failed Over/Initialization Running in Backup Mode/Critical Service Down"},
    {ROW_F12,
     "Failed Over with Critical Services Not Running/Critical Service Down Running in Backup Mode/Critical "
     "Service Down"},
    {ROW_F13,
     "Failed Over with Critical Services Not Running/Database Failure Running in Backup Mode/Database "
     "Failure"},
    {ROW_F14,
     "Running in Failed Mode/Start of Critical Services Failed Running in Failed Mode/Start of Critical "
     "Services Failed"},
    {ROW_F15, "Running in Failed Mode/Critical Service Down Running in Failed Mode/Critical Service Down"},
    {ROW_F16, "Unknown/Unknown Running in Backup Mode/Peer Down"},
    {ROW_F17, "Unknown/Unknown Running in Backup Mode/Peer Reboot"},
    {ROW_F18,
     "Failed Over with Critical Services Not Running/Initialization Running in Backup Mode/Peer Down During "
     "Initialization"},
    {ROW_F18_WELL, "Failed Over/Initialization Running in Backup Mode/Peer Down During Initialization"},
    {ROW_F19,
     "Running in Failed Mode/SRM Take Over Users Failed Running in Failed Mode/SRM Take Over Users Failed"},
    {ROW_F20,
     "Running in Failed Mode/SRM Take Back Users Failed Running in Failed Mode/SRM Take Back Users Failed"},
    {ROW_F21, "Running in Failed Mode/Unknown Running in Failed Mode/Unknown"},
    {ROW_F22,
     "Backup Activated/Auto Recover Database Failure Failover Affected Services/Auto Recover Database "
     "Failure"},
    {ROW_F23,
     "Backup Activated/Auto Recover Database Failure Failover Affected Services/Auto Recover Critical "
     "Service Down"},
};

static void the_rows_of_the_seed_stand_as_they_are(void **state)
{
    char text[256];
    unsigned seeds = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof(oracle) / sizeof(oracle[0]); i++) {
        const struct srm_row_info *r = &srm_row_info[oracle[i].row];
        snprintf(text, sizeof(text), "%s/%s %s/%s", srm_state_info[r->state[0]].name,
                 srm_reason_names[r->reason[0]], srm_state_info[r->state[1]].name,
                 srm_reason_names[r->reason[1]]);
        assert_string_equal(text, oracle[i].text);
        assert_false(r->ours);
    }
    for (unsigned row = 1; row < SRM_ROWS; row++)
        seeds += !srm_row_info[row].ours;
    assert_int_equal(seeds, sizeof(oracle) / sizeof(oracle[0]));
    assert_int_equal(SRM_REASONS, 15); /* E15: a closed list */
    assert_int_equal(SRM_STATES, 14);  /* E01-E14 */
}

static void who_is_to_serve(void **state)
{
    (void)state;
    for (unsigned flip = 0; flip < 2; flip++)
        for (unsigned home = 0; home < 2; home++) {
            assert_int_equal(srm_goal_slot(ROW_F01, flip, home), home);
            assert_int_equal(srm_goal_slot(ROW_F16, flip, home), !flip); /* N2 */
            assert_int_equal(srm_goal_slot(ROW_F22, flip, home), flip);  /* N1 */
            assert_int_equal(srm_goal_slot(ROW_F21, flip, home), -1);
        }
}

static void commands_only_where_they_are_offered(void **state)
{
    (void)state;
    for (unsigned row = 1; row < SRM_ROWS; row++)
        for (unsigned who = 0; who < 2; who++) {
            const struct srm_row_info *r = &srm_row_info[row];
            bool normal = r->state[who] == STATE_NORMAL && r->state[!who] == STATE_NORMAL &&
                          r->reason[who] == REASON_NORMAL;
            bool failed_over = r->state[who] == STATE_IDLE || r->state[who] == STATE_FAILED_OVER;
            bool failed = r->state[0] == STATE_FAILED_MODE && r->state[1] == STATE_FAILED_MODE;
            assert_int_equal(srm_move(row, FACT_FAILOVER, who).next != row, normal);      /* G01 */
            assert_int_equal(srm_move(row, FACT_FALLBACK, who).next != row, failed_over); /* G06 */
            assert_int_equal(srm_move(row, FACT_RECOVERY, who).next != row, failed);      /* G10 */
            bool transit = srm_in_transition(r->state[0]) || srm_in_transition(r->state[1]);
            assert_int_equal(srm_move(row, FACT_HA_OFF, who).next != row,
                             !transit && row != ROW_F42); /* D08 */
        }
}

/* D46: after a failover on request only an administrator falls back; the others may do it by themselves. */
static void automatic_fallback_only_after_automatic_failover(void **state)
{
    (void)state;
    for (unsigned row = 1; row < SRM_ROWS; row++) {
        bool falls = srm_move(row, FACT_QUIET, ROLE_N1).next != row;
        assert_int_equal(falls, srm_row_info[row].state[0] == STATE_FAILED_OVER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fact_in_every_row_has_one_entry),
        cmocka_unit_test(every_row_is_reached),
        cmocka_unit_test(every_row_leads_home),
        cmocka_unit_test(the_rows_of_the_seed_stand_as_they_are),
        cmocka_unit_test(who_is_to_serve),
        cmocka_unit_test(commands_only_where_they_are_offered),
        cmocka_unit_test(automatic_fallback_only_after_automatic_failover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
