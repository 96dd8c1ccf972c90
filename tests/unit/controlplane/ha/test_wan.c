/* SPDX-License-Identifier: BSD-2-Clause */
/* I15: round trip and throughput, as medians. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ha/wan.h"

static uint32_t train(struct wan *w, uint32_t number, uint64_t gap_ns, unsigned lost)
{
    uint32_t kbps = 0;

    for (uint32_t i = 0; i < WAN_TRAIN; i++)
        if (i >= lost)
            kbps = wan_arrived(w, number, i, 1250, 1000 + i * gap_ns);
    return kbps;
}

static void a_train_shows_the_narrowest_place(void **state)
{
    struct wan w = {0};

    (void)state;
    assert_int_equal(train(&w, 1, 2000000, 0), 5000); /* 10,000 bits in 2 ms */
    assert_int_equal(train(&w, 2, 1000000, 0), 10000);
    assert_int_equal(train(&w, 3, 2000000, 5), 5000); /* what came, came so far apart */
    assert_int_equal(train(&w, 4, 2000000, 9), 0);    /* too few to say */
    assert_int_equal(train(&w, 5, 0, 0), WAN_FASTEST);
}

static void trains_do_not_mix(void **state)
{
    struct wan w = {0};

    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        wan_arrived(&w, 7, i, 1250, i);
    assert_int_equal(train(&w, 8, 2000000, 0), 5000);
}

/* A sender that started anew counts from 1 again. */
static void an_old_train_of_that_number_does_not_count(void **state)
{
    struct wan w = {0};

    (void)state;
    train(&w, 1, 2000000, 0);
    for (uint32_t i = 0; i < WAN_TRAIN; i++)
        assert_int_equal(wan_arrived(&w, 1, i, 1250, 60000000000u + i * 2000000u),
                         i + 1 == WAN_TRAIN ? 5000 : 0);
}

static void a_median_bears_odd_samples(void **state)
{
    struct wan w = {0};

    (void)state;
    assert_int_equal(wan_rtt_median(&w), 0);
    wan_rtt(&w, 100);
    assert_int_equal(wan_rtt_median(&w), 100);
    for (unsigned i = 0; i < WAN_RTTS; i++)
        wan_rtt(&w, i % 3 == 0 ? 9000000000u : 50 + i % 2);
    assert_in_range(wan_rtt_median(&w), 50, 51);
    for (unsigned i = 0; i < WAN_RATES; i++)
        wan_rate(&w, i < 2 ? 1 : 6000);
    assert_int_equal(wan_rate_median(&w), 6000);
}

static void a_clock_that_jumps_back_says_nothing(void **state)
{
    struct wan w = {0};

    (void)state;
    for (uint32_t i = 0; i < WAN_TRAIN; i++)
        assert_int_equal(wan_arrived(&w, 1, i, 1250, 1000000 - i), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_train_shows_the_narrowest_place),
        cmocka_unit_test(trains_do_not_mix),
        cmocka_unit_test(an_old_train_of_that_number_does_not_count),
        cmocka_unit_test(a_median_bears_odd_samples),
        cmocka_unit_test(a_clock_that_jumps_back_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
