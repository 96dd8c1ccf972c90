/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pair_rig.h"

struct pair_result result;
struct pair *w;

void open_as(enum pair_profile profile)
{
    memset(&result, 0, sizeof(result));
    w = pair_open(&(struct pair_options){.seed = 7, .profile = profile}, &result);
    w->p.automatic_fallback = false;
    for (unsigned i = 0; i < 2; i++)
        node_settings(&w->node[i], &w->p);
}

struct srm_status status(unsigned i)
{
    struct srm_status s;
    srm_status(w->node[i].srm, node_clock(&w->node[i]), &s);
    return s;
}

enum srm_row row(void)
{
    const struct node *n = node_runs(&w->node[1]) ? &w->node[1] : &w->node[0];
    return status(n->slot).entry.row;
}

void pass(uint64_t ns)
{
    pair_until(w, w->now + ns);
    assert_false(w->broken);
}

void await(enum srm_row wanted, uint64_t limit)
{
    uint64_t end = w->now + limit;
    while (row() != wanted && w->now < end)
        pass(MS(10));
    if (row() != wanted)
        print_message("wanted %s, is %s\n", srm_row_id(wanted), srm_row_id(row()));
    assert_int_equal(row(), wanted);
}

void command(unsigned node, enum srm_command what, unsigned slot)
{
    struct node *n = &w->node[node];
    const char *why = srm_refusal(n->srm, node_clock(n), what, slot);
    if (why != NULL)
        print_message("refused: %s\n", why);
    assert_null(why);
    node_event(n, &(struct srm_event){.type = SRM_COMMAND, .u.command = {what, (uint8_t)slot}});
}

void restart(unsigned i)
{
    node_crash(&w->node[i]);
    node_boot(&w->node[i]);
}

void kill_both(unsigned i)
{
    node_crash(&w->node[i]);
    cores_kill(&w->node[i]);
}

void power_on(unsigned i)
{
    cores_start(&w->node[i]);
    node_boot(&w->node[i]);
}

void serves(unsigned node0, unsigned node1)
{
    assert_int_equal(cores_serve(&w->node[0]), node0);
    assert_int_equal(cores_serve(&w->node[1]), node1);
}

int end(void **state)
{
    (void)state;
    pair_close(w);
    return 0;
}

void cut_wire(bool cut)
{
    for (unsigned s = 0; s < 2; s++)
        for (unsigned p = 0; p < BEAT_PATHS; p++)
            w->wire[s][p].cut = cut;
}
