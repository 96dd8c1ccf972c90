/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ha/services.h"

static void a_change_is_told_once(void **state)
{
    struct services s;

    (void)state;
    services_init(&s);
    assert_int_equal(services_up(&s), 0);
    assert_true(services_set(&s, SERVICE_link, true, true, 10, NULL));
    assert_false(services_set(&s, SERVICE_link, true, true, 20, NULL));
    assert_int_equal(s.s[SERVICE_link].since, 10);
    assert_true(services_set(&s, SERVICE_link, true, false, 30, "port 1 is down"));
    assert_false(services_set(&s, SERVICE_link, true, false, 40, "ports 1 and 2 are down"));
    assert_int_equal(s.s[SERVICE_link].since, 30);
    assert_string_equal(s.s[SERVICE_link].why, "ports 1 and 2 are down");
    assert_true(services_set(&s, SERVICE_link, true, true, 50, NULL));
    assert_string_equal(s.s[SERVICE_link].why, "");
}

/* D14: stop and start again and again */
static void a_rolling_outage_is_counted(void **state)
{
    struct services s;

    (void)state;
    services_init(&s);
    for (unsigned i = 0; i < 6; i++)
        services_set(&s, SERVICE_cores, true, i % 2 == 0, i, "");
    assert_int_equal(s.s[SERVICE_cores].stops, 3);
    assert_int_equal(s.s[SERVICE_cores].since, 5);
}

static void watching_does_not_touch_since(void **state)
{
    struct services s;

    (void)state;
    services_init(&s);
    services_set(&s, SERVICE_peer, false, true, 5, NULL);
    assert_int_equal(services_watched(&s), 0);
    assert_true(services_set(&s, SERVICE_peer, true, true, 9, NULL));
    assert_int_equal(s.s[SERVICE_peer].since, 5);
    assert_int_equal(services_watched(&s), 1u << SERVICE_peer);
}

static void later_services_join(void **state)
{
    struct services s;

    (void)state;
    services_init(&s);
    int bit = services_add(&s, "archive", "the archive takes messages", false, false);
    assert_int_equal(bit, SERVICES_KNOWN);
    services_set(&s, (unsigned)bit, true, true, 1, NULL);
    assert_int_equal(services_up(&s), 1u << bit);
    while (services_add(&s, "x", "x", false, false) >= 0)
        ;
    assert_int_equal(s.n, SERVICES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_told_once),
        cmocka_unit_test(a_rolling_outage_is_counted),
        cmocka_unit_test(watching_does_not_touch_since),
        cmocka_unit_test(later_services_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
