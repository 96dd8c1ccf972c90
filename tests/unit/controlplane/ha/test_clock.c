/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ha/clock.h"

static void ticks_and_ns_mean_the_same_moment(void **state)
{
    const struct ha_clock clock = {.hz = 2894561234};
    const uint64_t moments[] = {0, 1, 999999999, 1000000000, 86400ull * 1000000000 * 3650};

    (void)state;
    for (unsigned i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        uint64_t tsc = ha_clock_tsc_of(&clock, moments[i]);
        assert_true(ha_clock_ns_of(&clock, tsc) <= moments[i]); /* a deadline never grows */
        assert_true(moments[i] - ha_clock_ns_of(&clock, tsc) <= 1);
    }
}

static void what_is_measured_fits_the_kernel(void **state)
{
    struct ha_clock clock;
    struct timespec a, b, wait = {.tv_nsec = 100000000};

    (void)state;
    ha_clock_init(&clock, 0);
    assert_true(clock.hz > 1000000);
    clock_gettime(CLOCK_MONOTONIC, &a);
    uint64_t from = ha_clock_ns(&clock);
    nanosleep(&wait, NULL);
    uint64_t took = ha_clock_ns(&clock) - from;
    clock_gettime(CLOCK_MONOTONIC, &b);
    int64_t ns = (b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec;
    assert_true((int64_t)took <= ns + ns / 1000); /* the kernel's interval holds ours */
    ha_clock_init(&clock, 12345);
    assert_int_equal(clock.hz, 12345);
}

#define SECOND 1000000000ull

/* DESIGN 5: the lease is in ticks of it, so a counter that is not steady is told. */
static void a_counter_that_is_not_steady(void **state)
{
    const struct ha_clock clock = {.hz = 2000000000};
    struct ha_clock_watch watch = {0};

    (void)state;
    int64_t parted = 7;
    const struct {
        uint64_t at, counted; /* s, ticks */
        bool told;
        int64_t parted;
    } moment[] = {
        {5, 10, false, 7},
        {14, 99, false, 7}, /* too soon to say */
        {15, 10 + 20 * SECOND, true, 0},
        {25, 10 + 40 * SECOND + 40000000, true, 2000},
        {35, 10 + 50 * SECOND + 40000000, true, -500000},
        {45, 10, true, -1000000}, /* it went back */
        {55, 10 + 20 * SECOND, true, 0},
    };
    for (unsigned i = 0; i < sizeof(moment) / sizeof(moment[0]); i++) {
        assert_int_equal(ha_clock_parted(&clock, &watch, moment[i].at * SECOND, moment[i].counted, &parted),
                         moment[i].told);
        assert_int_equal(parted, moment[i].parted);
    }
    watch = (struct ha_clock_watch){0};
    assert_false(ha_clock_parted_now(&clock, &watch, &parted));
    assert_true(watch.ns && watch.tsc);
}

/* As the kernel reads the same bit. */
static void what_the_processor_promises(void **state)
{
    char line[4096] = "";
    FILE *f = fopen("/proc/cpuinfo", "r");

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) && strncmp(line, "flags", 5) != 0)
        ;
    fclose(f);
    if (strncmp(line, "flags", 5) == 0)
        assert_int_equal(ha_clock_is_invariant(), strstr(line, " nonstop_tsc") != NULL);
    else
        assert_true(ha_clock_is_invariant()); /* no x86 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_and_ns_mean_the_same_moment),
        cmocka_unit_test(what_is_measured_fits_the_kernel),
        cmocka_unit_test(a_counter_that_is_not_steady),
        cmocka_unit_test(what_the_processor_promises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
