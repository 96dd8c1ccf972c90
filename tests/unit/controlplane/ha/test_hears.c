/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ha/hears.h"

#define LIMIT 50

static const struct hears_node nobody = {.asked = true}, no_address = {.management = 1000};

static struct hears_node other(uint64_t management, uint64_t service)
{
    return (struct hears_node){.asked = true, .management = management, .service = service};
}

static struct hears_node peer(uint64_t management, uint64_t service)
{
    struct hears_node n = other(management, service);
    n.peer = true;
    return n;
}

static void one_that_is_heard_is_enough(void **state)
{
    struct hears h = {0};
    struct hears_node n[] = {peer(1000, 0), other(1000, 990)};

    (void)state;
    assert_int_equal(hears_judge(&h, n, 2, 1000, LIMIT), HEARS_WELL);
}

/* D14: what comes back within the limit was no outage */
static void silence_counts_after_the_limit(void **state)
{
    struct hears h = {0};
    struct hears_node n[] = {peer(1000, 1000), other(1000, 1000)};

    (void)state;
    assert_int_equal(hears_judge(&h, n, 2, 1000, LIMIT), HEARS_WELL);
    for (uint64_t now = 1010; now <= 1090; now += 10) {
        n[0].management = n[1].management = now;
        assert_int_equal(hears_judge(&h, n, 2, now, LIMIT), now < 1050 ? HEARS_WELL : HEARS_DOUBT);
    }
    n[0].management = n[1].management = 1101;
    assert_int_equal(hears_judge(&h, n, 2, 1101, LIMIT), HEARS_NOTHING);
    n[1].service = 1110;
    assert_int_equal(hears_judge(&h, n, 2, 1111, LIMIT), HEARS_WELL);
}

static void who_starts_deaf_has_no_credit(void **state)
{
    struct hears h = {0};
    struct hears_node n[] = {nobody, nobody};

    (void)state;
    assert_int_equal(hears_judge(&h, n, 2, 1000, LIMIT), HEARS_UNKNOWN);
    n[1] = other(1010, 0);
    assert_int_equal(hears_judge(&h, n, 2, 1010, LIMIT), HEARS_NOTHING);
}

static void nobody_to_compare_with(void **state)
{
    struct hears h = {0};
    struct hears_node n[] = {nobody, no_address};

    (void)state;
    assert_int_equal(hears_judge(&h, n + 1, 1, 1000, LIMIT), HEARS_ALONE);
    assert_int_equal(hears_judge(&h, n, 0, 1000, LIMIT), HEARS_ALONE);
    assert_int_equal(hears_judge(&h, n, 2, 1000, LIMIT), HEARS_UNKNOWN);
    assert_int_equal(hears_judge(&h, n, 2, 1051, LIMIT), HEARS_WELL); /* the others are off */
    n[0] = other(1060, 1060);
    assert_int_equal(hears_judge(&h, n, 2, 1060, LIMIT), HEARS_WELL);
    assert_int_equal(hears_judge(&h, n, 2, 2000, LIMIT), HEARS_WELL); /* they were switched off */
}

/* The deaf one of two asks by ARP where the other is: so the other receives frames, and it does not. */
static void of_two_nodes_frames_tell(void **state)
{
    struct hears deaf = {0}, good = {0};
    struct hears_node n[] = {peer(0, 0)};

    (void)state;
    for (uint64_t now = 1000; now <= 2000; now += 10) {
        n[0].management = now;
        n[0].service = now <= 1200 ? now : 1200;
        hears_frames(&good, now, now);
        hears_frames(&deaf, now <= 1200 ? now : 1200, now);
        assert_int_equal(hears_judge(&good, n, 1, now, LIMIT), HEARS_WELL);
        assert_int_equal(hears_judge(&deaf, n, 1, now, LIMIT), now < 1200 + LIMIT       ? HEARS_WELL
                                                               : now < 1200 + 2 * LIMIT ? HEARS_DOUBT
                                                                                        : HEARS_NOTHING);
    }
    assert_true(hears_silence(&deaf, 2000, LIMIT));
    assert_false(hears_silence(&good, 2000, LIMIT));
    /* With a third node frames are no proof: a broadcast may come through where nothing else does. */
    struct hears_node three[] = {n[0], other(2000, 0)};
    assert_int_equal(hears_judge(&good, three, 2, 2000, LIMIT), HEARS_DOUBT);
    three[0].management = three[1].management = 2100;
    hears_frames(&good, 2100, 2100);
    assert_int_equal(hears_judge(&good, three, 2, 2100, LIMIT), HEARS_NOTHING);
}

static void what_an_earlier_run_counted_is_no_frame(void **state)
{
    struct hears h = {0};

    (void)state;
    assert_true(hears_silence(&h, 1000, LIMIT));
    hears_frames(&h, 5000, 1000);
    assert_true(hears_silence(&h, 1000, LIMIT));
    hears_frames(&h, 0, 1010); /* another dataplane */
    assert_true(hears_silence(&h, 1010, LIMIT));
    hears_frames(&h, 1, 1020);
    assert_false(hears_silence(&h, 1020, LIMIT));
    assert_true(hears_silence(&h, 1020 + LIMIT, LIMIT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_heard_is_enough),
        cmocka_unit_test(silence_counts_after_the_limit),
        cmocka_unit_test(who_starts_deaf_has_no_credit),
        cmocka_unit_test(nobody_to_compare_with),
        cmocka_unit_test(of_two_nodes_frames_tell),
        cmocka_unit_test(what_an_earlier_run_counted_is_no_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
