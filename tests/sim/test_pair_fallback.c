/* SPDX-License-Identifier: BSD-2-Clause */
/* In the simulated pair, who is not given users: a node that lacks what the other has (a deaf port), and one
 * that is drained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pair_rig.h"

/* One that the peer has (a deaf port): who starts again without it is not taken for well, not for a moment.
 */
static void a_restart_does_not_heal_what_the_peer_has(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    node_service(&w->node[0], SERVICE_GATEWAY, false);
    await(ROW_F12, w->p.service_down_delay + SECONDS(10));
    for (unsigned k = 0; k < 40; k++) { /* at different moments between two heartbeats */
        restart(0);
        for (unsigned i = 0; i < 1000 + k * 7; i++) {
            pass(MS(2));
            assert_null(status(1).action[0]); /* G06 */
        }
        serves(0, 3);
    }
    node_service(&w->node[0], SERVICE_GATEWAY, true);
    pass(SECONDS(3));
    assert_string_equal(status(1).action[0], "fallback");
}

static void what_both_lack_moves_nobody(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    node_service(&w->node[0], SERVICE_GATEWAY, false);
    pass(w->p.service_down_delay / 2);
    node_service(&w->node[1], SERVICE_GATEWAY, false);
    for (unsigned i = 0; i < 600; i++) {
        pass(MS(100));
        assert_int_equal(row(), ROW_F01);
        serves(1, 2);
    }
}

static void drained(uint8_t slots)
{
    for (unsigned i = 0; i < 2; i++)
        node_event(&w->node[i], &(struct srm_event){.type = SRM_DRAINED, .u.drained = slots});
}

static void a_drained_node_gets_nobody(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    drained(2);
    for (unsigned i = 0; i < 2; i++) {
        assert_null(status(i).action[0]); /* node 1 would refuse them */
        assert_string_equal(status(i).action[1], "failover");
    }
    drained(0);
    command(1, SRM_CMD_FAILOVER, 0);
    await(ROW_F03, SECONDS(10));
    drained(1);
    w->p.automatic_fallback = true;
    for (unsigned i = 0; i < 2; i++) {
        assert_null(status(i).action[0]);
        node_settings(&w->node[i], &w->p);
    }
    restart(1);
    drained(1);
    pass(w->p.fallback_quiet + SECONDS(20));
    serves(0, 3);
    kill_both(1); /* by need: nobody else is there */
    await(ROW_F16, SECONDS(30));
    serves(3, 0);
}

/* The quiet period goes by, and nobody falls back onto a node that is drained. */
static void automatic_fallback_waits_for_the_end_of_a_drain(void **state)
{
    (void)state;
    open_as(PAIR_DEFAULT);
    w->p.automatic_fallback = true;
    for (unsigned i = 0; i < 2; i++)
        node_settings(&w->node[i], &w->p);
    node_service(&w->node[0], SERVICE_OTHER, false);
    await(ROW_F12, w->p.service_down_delay + SECONDS(10));
    drained(1);
    node_service(&w->node[0], SERVICE_OTHER, true);
    await(ROW_F11, SECONDS(3));
    pass(w->p.fallback_quiet + SECONDS(20));
    assert_int_equal(row(), ROW_F11);
    drained(0);
    await(ROW_F10, SECONDS(3));
    await(ROW_F01, SECONDS(10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_restart_does_not_heal_what_the_peer_has, end),
        cmocka_unit_test_teardown(what_both_lack_moves_nobody, end),
        cmocka_unit_test_teardown(a_drained_node_gets_nobody, end),
        cmocka_unit_test_teardown(automatic_fallback_waits_for_the_end_of_a_drain, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
