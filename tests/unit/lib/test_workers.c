/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "lib/workers.h"

#define CORES 2
#define DEPTH 16

struct job {
    struct worker_job head;
    unsigned n;
    pthread_t by;
};

static atomic_bool gate;

static void square(struct worker_job *head)
{
    struct job *j = (struct job *)head;
    j->n *= j->n;
    j->by = pthread_self();
}

static void behind_the_gate(struct worker_job *head)
{
    while (!atomic_load(&gate))
        sched_yield();
    square(head);
}

/* All that were given, or none in ten seconds. */
static unsigned take_all(struct workers *w, unsigned core, struct worker_job **out, unsigned n)
{
    unsigned got = 0;
    time_t end = time(NULL) + 10;
    while (got < n && time(NULL) < end)
        got += workers_take(w, core, out + got, n - got);
    return got;
}

static void each_core_gets_its_own_back(void **state)
{
    (void)state;
    struct workers *w = workers_open(3, CORES, DEPTH, NULL, 0);
    struct job job[CORES][DEPTH];
    struct worker_job *done[DEPTH];

    assert_non_null(w);
    assert_int_equal(workers_threads(w), 3);
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < DEPTH; i++)
            for (unsigned c = 0; c < CORES; c++) {
                job[c][i] = (struct job){{square}, i + 100 * c, 0};
                assert_true(workers_give(w, c, &job[c][i].head));
            }
        for (unsigned c = 0; c < CORES; c++) {
            unsigned seen = 0;
            assert_int_equal(take_all(w, c, done, DEPTH), DEPTH);
            for (unsigned i = 0; i < DEPTH; i++) {
                struct job *j = (struct job *)done[i];
                unsigned at = (unsigned)(j - job[c]);
                assert_true(at < DEPTH);
                seen |= 1u << at;
                assert_int_equal(j->n, (at + 100 * c) * (at + 100 * c));
                assert_false(pthread_equal(j->by, pthread_self()));
            }
            assert_int_equal(seen, (1u << DEPTH) - 1);
            assert_int_equal(workers_under_way(w, c), 0);
        }
    }
    workers_close(w);
}

static void no_more_than_the_depth_is_under_way(void **state)
{
    (void)state;
    struct workers *w = workers_open(1, CORES, 4, NULL, 0);
    struct job job[6];
    struct worker_job *done[6];

    assert_non_null(w);
    atomic_store(&gate, false);
    for (unsigned i = 0; i < 6; i++)
        job[i] = (struct job){{behind_the_gate}, i, 0};
    for (unsigned i = 0; i < 4; i++)
        assert_true(workers_give(w, 0, &job[i].head));
    assert_false(workers_give(w, 0, &job[4].head));
    assert_true(workers_give(w, 1, &job[5].head)); /* another core's business */
    assert_int_equal(workers_under_way(w, 0), 4);
    atomic_store(&gate, true);
    assert_int_equal(take_all(w, 0, done, 4), 4);
    assert_true(workers_give(w, 0, &job[4].head));
    assert_int_equal(take_all(w, 0, done, 1), 1);
    assert_int_equal(job[4].n, 16);
    assert_int_equal(take_all(w, 1, done, 1), 1);
    workers_close(w);
}

static void a_core_with_much_does_not_starve_another(void **state)
{
    (void)state;
    struct workers *w = workers_open(1, CORES, DEPTH, NULL, 0);
    struct job job[DEPTH], other = {{behind_the_gate}, 3, 0};
    struct worker_job *done[DEPTH];

    assert_non_null(w);
    atomic_store(&gate, false);
    for (unsigned i = 0; i < DEPTH; i++) {
        job[i] = (struct job){{behind_the_gate}, 0, 0};
        assert_true(workers_give(w, 0, &job[i].head));
    }
    assert_true(workers_give(w, 1, &other.head));
    atomic_store(&gate, true);
    assert_int_equal(take_all(w, 1, done, 1), 1);
    assert_int_equal(other.n, 9);
    assert_int_equal(take_all(w, 0, done, DEPTH), DEPTH);
    workers_close(w);
}

static void runs_here(struct worker_job *head)
{
    struct job *j = (struct job *)head;
    cpu_set_t set;
    CPU_ZERO(&set);
    assert_int_equal(pthread_getaffinity_np(pthread_self(), sizeof(set), &set), 0);
    j->n = (unsigned)CPU_COUNT(&set) == 1 && CPU_ISSET(j->n, &set);
}

static void threads_stay_on_their_cpus(void **state)
{
    (void)state;
    const uint16_t cpu[] = {(uint16_t)sched_getcpu()};
    struct workers *w = workers_open(1, 1, 4, cpu, 1);
    struct job job = {{runs_here}, cpu[0], 0};
    struct worker_job *done;

    assert_non_null(w);
    assert_true(workers_give(w, 0, &job.head));
    assert_int_equal(take_all(w, 0, &done, 1), 1);
    assert_int_equal(job.n, 1);
    workers_close(w);
    assert_null(workers_open(1000, 1, 4, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_core_gets_its_own_back),
        cmocka_unit_test(no_more_than_the_depth_is_under_way),
        cmocka_unit_test(a_core_with_much_does_not_starve_another),
        cmocka_unit_test(threads_stay_on_their_cpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
