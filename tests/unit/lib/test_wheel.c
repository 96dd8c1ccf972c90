/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/wheel.h"

static struct wheel w;
static uint64_t seed = 0x9e3779b97f4a7c15ull;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void every_deadline_is_exact(uint64_t start, uint64_t span)
{
    struct wheel_timer t = {0}, *out[4];

    wheel_init(&w, start);
    wheel_arm(&w, &t, start + span);
    if (span > 1) {
        assert_int_equal(wheel_advance(&w, start + span - 1, out, 4), 0);
        assert_true(wheel_armed(&t));
    }
    assert_int_equal(wheel_advance(&w, start + span, out, 4), 1);
    assert_ptr_equal(out[0], &t);
    assert_false(wheel_armed(&t));
    assert_int_equal(w.armed, 0);
}

static void boundaries(void **state)
{
    (void)state;
    static const uint64_t starts[] = {0,     1,        255,        256,        65535,
                                      65536, 0xffffff, 0xffffff00, 0xffffffff, 0x1fffffff0};
    static const uint64_t spans[] = {1, 2, 254, 255, 256, 257, 511, 512, 65534, 65535, 65536, 65537, 181000};
    for (unsigned i = 0; i < sizeof(starts) / sizeof(*starts); i++)
        for (unsigned j = 0; j < sizeof(spans) / sizeof(*spans); j++)
            every_deadline_is_exact(starts[i], spans[j]);
    every_deadline_is_exact(0xffffff80, 0x1000010);
}

static void far_beyond_the_wheel(void **state)
{
    (void)state;
    /* further than the four levels reach: placed anew on the way and still exact */
    every_deadline_is_exact(0xfff, (1ull << 32) + 12345);
}

static void past_deadline_expires_at_once(void **state)
{
    (void)state;
    struct wheel_timer t = {0}, *out[1];

    wheel_init(&w, 1000);
    wheel_arm(&w, &t, 10);
    assert_int_equal(wheel_advance(&w, 1000, out, 1), 1);
    wheel_arm(&w, &t, 1000);
    assert_int_equal(wheel_advance(&w, 1000, out, 1), 1);
}

static void cancel_is_harmless(void **state)
{
    (void)state;
    struct wheel_timer t = {0}, *out[1];

    wheel_init(&w, 0);
    wheel_cancel(&w, &t);
    wheel_arm(&w, &t, 50);
    wheel_cancel(&w, &t);
    wheel_cancel(&w, &t);
    assert_int_equal(w.armed, 0);
    assert_int_equal(wheel_advance(&w, 100, out, 1), 0);
    wheel_arm(&w, &t, 50); /* due, and then thought better of */
    wheel_cancel(&w, &t);
    assert_int_equal(wheel_advance(&w, 100, out, 1), 0);
}

static void max_is_respected(void **state)
{
    (void)state;
    struct wheel_timer t[10] = {{0}}, *out[4];

    wheel_init(&w, 0);
    for (unsigned i = 0; i < 10; i++)
        wheel_arm(&w, &t[i], 5 + i % 2);
    assert_int_equal(wheel_advance(&w, 10, out, 4), 4);
    wheel_cancel(&w,
                 &t[0]); /* maybe still waiting in the list of due entries, maybe returned: both are fine */
    unsigned left = w.armed, n, sum = 0;
    while ((n = wheel_advance(&w, 10, out, 4)) > 0)
        sum += n;
    assert_int_equal(sum, left);
}

static void clear_disarms_every_level(void **state)
{
    (void)state;
    static struct wheel w;
    struct wheel_timer t[5] = {0}, *out[8];
    const uint64_t at[5] = {0, 3, 300, 70000, 1ull << 33};
    wheel_init(&w, 1);
    for (unsigned i = 0; i < 5; i++)
        wheel_arm(&w, &t[i], at[i]);
    wheel_clear(&w);
    assert_int_equal(w.armed, 0);
    for (unsigned i = 0; i < 5; i++)
        assert_false(wheel_armed(&t[i]));
    assert_int_equal(wheel_advance(&w, 100000, out, 8), 0);
}

/* Arms, re-arms, cancels and advances at random beside a plain array that is searched whole. */
#define N 300
static void same_as_naive(void **state)
{
    (void)state;
    static struct wheel_timer t[N];
    uint64_t naive[N] = {0}, now = 0xffff00;
    static const uint64_t reach[] = {4, 300, 5000, 70000, 20000000};

    wheel_init(&w, now);
    for (unsigned round = 0; round < 20000; round++) {
        for (unsigned k = draw() % 8; k > 0; k--) {
            unsigned i = draw() % N;
            if (draw() % 4 == 0) {
                wheel_cancel(&w, &t[i]);
                naive[i] = 0;
            } else {
                naive[i] = now + draw() % reach[draw() % 5];
                wheel_arm(&w, &t[i], naive[i]);
            }
        }
        now += draw() % (round % 50 == 0 ? 100000 : 40);
        struct wheel_timer *out[16];
        unsigned n;
        while ((n = wheel_advance(&w, now, out, 16)) > 0)
            for (unsigned k = 0; k < n; k++) {
                unsigned i = (unsigned)(out[k] - t);
                assert_true(naive[i] != 0 && naive[i] <= now);
                assert_int_equal(naive[i], t[i].deadline_ms);
                assert_false(wheel_armed(&t[i]));
                naive[i] = 0;
            }
        unsigned armed = 0;
        for (unsigned i = 0; i < N; i++) {
            assert_true(naive[i] == 0 || naive[i] > now);
            assert_int_equal(naive[i] != 0, wheel_armed(&t[i]));
            armed += naive[i] != 0;
        }
        assert_int_equal(armed, w.armed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boundaries),
        cmocka_unit_test(far_beyond_the_wheel),
        cmocka_unit_test(cancel_is_harmless),
        cmocka_unit_test(clear_disarms_every_level),
        cmocka_unit_test(past_deadline_expires_at_once),
        cmocka_unit_test(max_is_respected),
        cmocka_unit_test(same_as_naive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
