/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads and shares together, in a model in simulated time: one core receives everything, looks at each frame
 * and hands it over or keeps it; the others work on what they are sent. What is carried is compared with what
 * the best share that never changes carries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/load.h"
#include "core/share.h"

#define CORES_MAX 8
#define BOX       4095
#define POLL      64u
#define BURST     32u
#define MS        1000000u /* the model's clock counts nanoseconds */
#define IDLE      60u

struct model {
    unsigned cores;
    unsigned scan, hand, work,
        turn;       /* ns: of each frame received, handed over, worked on; of each turn with work */
    unsigned least; /* permille of what could be carried that is carried from the fourth millisecond on */
    unsigned every; /* ns between frames; 0: as many as core 0 asks for */
    unsigned other[CORES_MAX]; /* permille of a core's time that is none of ours */
};

struct one {
    uint64_t now, ready, done; /* ready: frames in its own queue */
    uint64_t box;
    struct load load;
    unsigned told;
};

struct sim {
    const struct model *m;
    struct one core[CORES_MAX];
    struct share share;
    uint64_t random, received, balanced, moved;
};

static uint64_t next_random(struct sim *s)
{
    s->random += 0x9e3779b97f4a7c15ull;
    uint64_t x = s->random;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static uint64_t min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Returns the cost. */
static uint64_t receive(struct sim *s, bool *full)
{
    struct one *c = &s->core[0];
    uint64_t due = s->m->every ? c->now / s->m->every - s->received : POLL, n = min(due, POLL), cost = 0;

    *full = n == POLL;
    s->received += n;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t hash = next_random(s);
        unsigned to = share_core(&s->share, (unsigned)(hash >> 40) % s->m->cores, hash);
        cost += s->m->scan;
        if (to != 0 && s->core[to].box < BOX) {
            s->core[to].box++;
            cost += s->m->hand;
        } else {
            c->ready++;
        }
    }
    return cost;
}

static void turn(struct sim *s, unsigned i)
{
    struct one *c = &s->core[i];
    uint64_t cost = 0;
    bool behind = false;

    if (i == 0 && c->ready < BURST) {
        cost += receive(s, &behind);
    } else if (i == 0) {
        behind = true;
    } else {
        uint64_t n = min(c->box, POLL - min(c->ready, POLL));
        behind = n == POLL - min(c->ready, POLL);
        c->ready += n;
        c->box -= n;
    }
    uint64_t n = min(c->ready, BURST);
    c->ready -= n;
    c->done += n;
    c->load.frames += n;
    if (cost + n > 0) {
        cost += n * s->m->work + s->m->turn;
        load_add(&c->load, cost, behind);
        c->now += cost;
        uint64_t other = s->m->other[i] ? cost * s->m->other[i] / (1000 - s->m->other[i]) : 0;
        load_add(&c->load, other, false);
        c->now += other;
    } else {
        c->now += IDLE;
    }
}

static void look(struct sim *s, unsigned i)
{
    struct one *c = &s->core[i];
    uint64_t ms = c->now / MS;

    if (ms != c->load.ms)
        c->told = load_tell(&c->load, ms, c->now, (unsigned)c->box);
    if (i == 0 && s->balanced + 2 <= ms) {
        uint32_t load[HG_CORES_MAX];
        for (unsigned k = 0; k < s->m->cores; k++)
            load[k] = s->core[k].told;
        s->moved += share_balance(&s->share, load, s->m->cores);
        s->balanced = ms;
    }
}

static void run_until(struct sim *s, uint64_t ms)
{
    for (;;) {
        unsigned first = 0;
        for (unsigned i = 1; i < s->m->cores; i++)
            if (s->core[i].now < s->core[first].now)
                first = i;
        if (s->core[first].now >= ms * MS)
            return;
        look(s, first);
        turn(s, first);
    }
}

static uint64_t done(const struct sim *s)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < s->m->cores; i++)
        n += s->core[i].done;
    return n;
}

/* Nanoseconds a message, if every core worked all the time on whole bursts. */
static double least(const struct model *m)
{
    double work = m->work + (double)m->turn / BURST, others = 0;
    for (unsigned i = 1; i < m->cores; i++)
        others += 1 - m->other[i] / 1000.0;
    return (m->scan + work) / (1 - m->other[0] / 1000.0 + others * (1 - m->hand / work));
}

static struct sim sim;

static void begin(const struct model *m)
{
    sim = (struct sim){.m = m};
    share_init(&sim.share);
}

/* Permille of what could be carried, from one millisecond to another. */
static unsigned carried(uint64_t from, uint64_t to)
{
    run_until(&sim, from);
    uint64_t before = done(&sim);
    run_until(&sim, to);
    return (unsigned)((double)(done(&sim) - before) * least(sim.m) * 1000 / (double)((to - from) * MS));
}

/* Within milliseconds, and not only in the end: a core that finds a little in every turn is no busy core. */
static void a_flood_is_shared_at_once(void **state)
{
    (void)state;
    static const struct model models[] = {
        {.cores = 2, .scan = 35, .hand = 50, .work = 430, .turn = 900, .least = 985},
        {.cores = 2, .scan = 60, .hand = 80, .work = 430, .turn = 900, .least = 985},
        {.cores = 2, .scan = 40, .hand = 60, .work = 1400, .turn = 900, .least = 985},
        {.cores = 3, .scan = 35, .hand = 50, .work = 430, .turn = 900, .least = 965},
        {.cores = 4, .scan = 35, .hand = 50, .work = 600, .turn = 900, .least = 950, .other = {0, 0, 400, 0}},
    };
    for (unsigned i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        begin(&models[i]);
        assert_in_range(carried(4, 20), models[i].least, 1020);
        assert_in_range(carried(20, 100), models[i].least + 5, 1020);
    }
}

static void a_box_holds_little(void **state)
{
    (void)state;
    static const struct model m = {.cores = 2, .scan = 35, .hand = 50, .work = 430, .turn = 900};
    begin(&m);
    for (unsigned ms = 20; ms < 200; ms++) {
        run_until(&sim, ms);
        assert_in_range(sim.core[1].box, 0, BOX / 4);
    }
}

/* Cores that have time: everything is worked on as it comes, and parts move no more once the loads have met.
 */
static void a_settled_share_stays(void **state)
{
    (void)state;
    static const struct model m = {
        .cores = 2, .scan = 35, .hand = 50, .work = 430, .turn = 900, .every = 400};
    begin(&m);
    run_until(&sim, 100);
    uint64_t moved = sim.moved;
    run_until(&sim, 200);
    assert_in_range(sim.moved - moved, 0, 10);
    assert_in_range(done(&sim), sim.received - 2 * POLL, sim.received);
}

/* The busy part of the time, what is left in each turn, and mails that pile up. */
static void a_load_is_told(void **state)
{
    (void)state;
    struct load l = {.tsc = 1000, .frames = 100};
    load_add(&l, 250, false);
    assert_int_equal(load_tell(&l, 1, 2000, 0), 250);
    load_add(&l, 1000, true);
    unsigned behind = load_tell(&l, 2, 3000, 0);
    assert_true(behind > 1000 + SHARE_TOLERANCE);
    l.frames = 100;
    load_add(&l, 1000, true);
    assert_int_equal(load_tell(&l, 3, 4000, 50), behind + 500);
    l.frames = 100;
    load_add(&l, 1000, true);
    assert_int_equal(load_tell(&l, 4, 5000, 50), behind); /* they wait, and no more come */
    assert_int_equal(load_tell(&l, 4, 5000, 50), 0);      /* no time has passed */
    l.frames = 1;
    load_add(&l, 1000, true);
    assert_in_range(load_tell(&l, 5, 6000, UINT32_MAX), 1000, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_load_is_told),
        cmocka_unit_test(a_flood_is_shared_at_once),
        cmocka_unit_test(a_box_holds_little),
        cmocka_unit_test(a_settled_share_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
