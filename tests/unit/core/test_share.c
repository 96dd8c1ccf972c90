/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of hot flows move until the loads meet, in a model where handing over costs the receiver, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/share.h"

#define STEPS 200

static struct share s;

/* Of the whole flow, permille of a core's time. */
struct model {
    unsigned cores;
    unsigned flow;     /* work on all messages */
    unsigned receive;  /* what core 0 does for each of them, wherever it goes */
    unsigned other[8]; /* what the cores have to do besides */
};

static unsigned parts_of(unsigned core, unsigned cores)
{
    unsigned n = 0;
    for (unsigned owner = 0; owner < cores; owner++)
        for (unsigned i = 0; i < SHARE_PARTS; i++)
            n += s.core[owner][i] == core;
    return n;
}

static void loads(const struct model *m, uint32_t *load)
{
    for (unsigned i = 0; i < m->cores; i++)
        load[i] = m->other[i] + m->flow * parts_of(i, m->cores) / (m->cores * SHARE_PARTS);
    load[0] += m->receive;
}

/* Returns the largest difference of loads in the end. */
static unsigned settle(const struct model *m)
{
    uint32_t load[HG_CORES_MAX], most = 0, least = UINT32_MAX;
    for (unsigned i = 0; i < STEPS; i++) {
        loads(m, load);
        share_balance(&s, load, m->cores);
    }
    loads(m, load);
    for (unsigned i = 0; i < m->cores; i++) {
        most = load[i] > most ? load[i] : most;
        least = load[i] < least ? load[i] : least;
    }
    return most - least;
}

static int fresh(void **state)
{
    (void)state;
    share_init(&s);
    return 0;
}

static void everything_is_at_home_at_first(void **state)
{
    (void)state;
    for (unsigned owner = 0; owner < HG_CORES_MAX; owner++)
        for (uint64_t hash = 0; hash < 200; hash++)
            assert_int_equal(share_core(&s, owner, hash), owner);
}

static void even_loads_move_nothing(void **state)
{
    (void)state;
    assert_int_equal(share_balance(&s, (uint32_t[]){700, 700, 700}, 3), 0);
    assert_int_equal(share_balance(&s, (uint32_t[]){700, 700 + SHARE_TOLERANCE, 700}, 3), 0);
    everything_is_at_home_at_first(state);
}

static void loads_meet(void **state)
{
    (void)state;
    static const struct model models[] = {
        {.cores = 2, .flow = 1600, .receive = 300},
        {.cores = 2, .flow = 400, .receive = 60},
        {.cores = 2, .flow = 900, .receive = 150, .other = {0, 500}},
        {.cores = 3, .flow = 2000, .receive = 400},
        {.cores = 8, .flow = 6000, .receive = 600},
        {.cores = 8, .flow = 4000, .receive = 300, .other = {0, 0, 0, 600, 0, 0, 300, 0}},
    };
    for (unsigned i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        share_init(&s);
        assert_in_range(settle(&models[i]), 0, SHARE_TOLERANCE + 10);
    }
}

static void settled_parts_stay(void **state)
{
    (void)state;
    struct model m = {.cores = 4, .flow = 3000, .receive = 300};
    struct share before;
    settle(&m);
    before = s;
    settle(&m);
    assert_memory_equal(&before, &s, sizeof(s));
}

/* A Call-ID's core changes only if its part is among the few that move. */
static void few_parts_move_at_a_time(void **state)
{
    (void)state;
    struct share before = s;
    unsigned moved = share_balance(&s, (uint32_t[]){1000, 0}, 2), changed = 0;
    for (unsigned i = 0; i < sizeof(s.core); i++)
        changed += ((uint8_t *)s.core)[i] != ((uint8_t *)before.core)[i];
    assert_in_range(moved, 1, SHARE_PARTS / 8);
    assert_int_equal(changed, moved);
}

static void parts_come_home(void **state)
{
    (void)state;
    struct model m = {.cores = 3, .flow = 1500, .receive = 100, .other = {0, 600, 0}};
    settle(&m);
    assert_true(parts_of(1, 3) < SHARE_PARTS);
    m.other[1] = 0;
    m.receive = 0;
    settle(&m);
    for (unsigned i = 0; i < 3; i++)
        assert_in_range(parts_of(i, 3), SHARE_PARTS - 5, SHARE_PARTS + 5);
    unsigned away = 0;
    for (unsigned i = 0; i < SHARE_PARTS; i++)
        away += s.core[1][i] != 1;
    assert_in_range(away, 0, 5);
}

/* A core that drowns in what it has besides gives all its parts away, and is then left alone. */
static void nothing_is_left_to_take(void **state)
{
    (void)state;
    for (unsigned i = 0; i < STEPS; i++)
        share_balance(&s, (uint32_t[]){300, 2500, 350}, 3);
    assert_int_equal(parts_of(1, 3), 0);
    assert_int_equal(share_balance(&s, (uint32_t[]){350, 2500, 350}, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(everything_is_at_home_at_first, fresh),
        cmocka_unit_test_setup(even_loads_move_nothing, fresh),
        cmocka_unit_test_setup(loads_meet, fresh),
        cmocka_unit_test_setup(settled_parts_stay, fresh),
        cmocka_unit_test_setup(few_parts_move_at_a_time, fresh),
        cmocka_unit_test_setup(parts_come_home, fresh),
        cmocka_unit_test_setup(nothing_is_left_to_take, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
