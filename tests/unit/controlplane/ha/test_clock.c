/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_and_ns_mean_the_same_moment),
        cmocka_unit_test(what_is_measured_fits_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
