/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcluster's entry as text, flags of beats, parameters (D35), outages (D13-D16). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ha/outage.h"
#include "ha/srm.h"

#define SECOND 1000000000ull

static struct srm_entry random_entry(void)
{
    struct srm_entry e = {.version = {3, 9},
                          .epoch = (uint64_t)rand() << 20,
                          .row = (uint8_t)(1 + rand() % (SRM_ROWS - 1)),
                          .flip = rand() & 1,
                          .armed = rand() & 3,
                          .serves = {rand() & 1, rand() & 1},
                          .moved = {(uint64_t)rand(), (uint64_t)rand()},
                          .lease = {(uint32_t)rand(), (uint32_t)rand()},
                          .by = (uint8_t)(rand() % 3),
                          .since = (uint64_t)rand()};
    e.ha = e.row != ROW_F42;
    return e;
}

static void an_entry_comes_back_as_it_was(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        struct srm_entry e = random_entry(), back = {.version = e.version};
        char text[SRM_ENTRY_TEXT];
        size_t len = srm_entry_text(&e, text);
        assert_true(len > 0);
        assert_true(srm_entry_parse(text, len, &back));
        assert_memory_equal(&back.moved, &e.moved, sizeof(e.moved));
        assert_int_equal(back.epoch, e.epoch);
        assert_int_equal(back.row, e.row);
        assert_int_equal(back.flip, e.flip);
        assert_int_equal(back.ha, e.ha);
        assert_int_equal(back.armed, e.armed);
        assert_memory_equal(back.serves, e.serves, 2);
        assert_memory_equal(back.lease, e.lease, sizeof(e.lease));
        assert_int_equal(back.by, e.by);
        assert_int_equal(back.since, e.since);
    }
}

static void garbage_is_refused_and_changes_nothing(void **state)
{
    static const char *const bad[] = {
        "",
        "epoch",
        "epoch=1 row=F01 flip=0 ha=1 armed=3", /* no serves */
        "epoch=1 row=F99 flip=0 ha=1 armed=3 serves=0,1",
        "epoch=1 row=F01 flip=2 ha=1 armed=3 serves=0,1",
        "epoch=1 row=F01 flip=0 ha=0 armed=3 serves=0,1", /* a row of high availability, and off */
        "epoch=1 row=F42 flip=0 ha=1 armed=3 serves=0,1",
        "epoch=1 row=F01 flip=0 ha=1 armed=4 serves=0,1",
        "epoch=1 row=F01 flip=0 ha=1 armed=3 serves=0,2",
        "epoch=1 row=F01 flip=0 ha=1 armed=3 serves=0",
        "epoch=-1 row=F01 flip=0 ha=1 armed=3 serves=0,1",
        "epoch=1 epoch=2 row=F01 flip=0 ha=1 armed=3 serves=0,1",
        "epoch=99999999999999999999999999 row=F01 flip=0 ha=1 armed=3 serves=0,1",
        "epoch=1 row=- flip=0 ha=1 armed=3 serves=0,1",
    };
    struct srm_entry e = {.epoch = 77};

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(srm_entry_parse(bad[i], strlen(bad[i]), &e));
        assert_int_equal(e.epoch, 77);
    }
    const char *later = "epoch=1 row=F01 flip=0 ha=1 armed=3 serves=0,1 colour=red | whatever";
    assert_true(srm_entry_parse(later, strlen(later), &e)); /* of a later version: what we know is used */
}

static void flags_carry_what_a_beat_says(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 1u << 16; bits += 7) {
        struct srm_beat b = {.order = 5};
        srm_beat_from_flags(bits, &b);
        assert_int_equal(srm_beat_flags(&b), bits);
    }
}

static struct srm_params good(void)
{
    return (struct srm_params){.interval = SECOND,
                               .timeout = 3 * SECOND,
                               .init_timeout = 6 * SECOND,
                               .lease = 6 * SECOND,
                               .guard = SECOND / 2};
}

/* D35, and what else would surprise */
static void unwise_parameters_are_told(void **state)
{
    struct srm_warning w[8];
    struct srm_params p = good();

    (void)state;
    assert_int_equal(srm_params_check(&p, w, 8), 0);
    p.timeout = 2 * SECOND - 1;
    assert_int_equal(srm_params_check(&p, w, 8), 1);
    assert_string_equal(w[0].item, "cluster.ha.heartbeat_timeout");
    p = good();
    p.init_timeout = 6 * SECOND - 1;
    assert_int_equal(srm_params_check(&p, w, 8), 1);
    assert_string_equal(w[0].item, "cluster.ha.init_timeout");
    p = good();
    p.lease = 2 * SECOND;
    assert_int_equal(srm_params_check(&p, w, 8), 2);
    assert_int_equal(srm_params_check(&p, w, 1), 1);
    p = good();
    p.guard = SECOND / 1000;
    assert_int_equal(srm_params_check(&p, w, 8), 1);
}

/* D13, D14: only a continuous outage counts */
static void a_rolling_outage_is_none(void **state)
{
    struct outage o = {0};
    uint64_t delay = 90 * SECOND;

    (void)state;
    outage_set(&o, 3, true, true, false, false, 0);
    for (uint64_t t = SECOND; t < 600 * SECOND; t += 100 * SECOND) {
        outage_set(&o, 3, true, false, false, false, t);
        struct outage_verdict v = outage_judge(&o, ~0ull, t + 89 * SECOND, delay);
        assert_false(v.well);
        assert_false(v.service_out);
        assert_int_equal(v.next, t + 90 * SECOND);
        outage_set(&o, 3, true, true, false, false, t + 89 * SECOND);
        assert_true(outage_judge(&o, ~0ull, t + 95 * SECOND, delay).well);
    }
    outage_set(&o, 3, true, false, false, false, 1000 * SECOND);
    outage_set(&o, 3, true, false, false, false, 1050 * SECOND); /* said again: it began before */
    assert_true(outage_judge(&o, ~0ull, 1090 * SECOND, delay).service_out);
    assert_false(outage_judge(&o, ~0ull, 1090 * SECOND, delay).database_out);
}

/* D16: the record is down only if the peer still has it */
static void what_both_lack_is_not_down(void **state)
{
    struct outage o = {0};

    (void)state;
    outage_set(&o, 5, true, false, true, true, 0);
    assert_false(outage_judge(&o, 1u << 5, 0, 90 * SECOND).well);
    assert_true(outage_judge(&o, 1u << 5, 90 * SECOND, 90 * SECOND).database_out);
    assert_true(outage_judge(&o, 0, 1000 * SECOND, 90 * SECOND).well);
    assert_false(outage_judge(&o, 0, 1000 * SECOND, 90 * SECOND).database_out);
    outage_set(&o, 6, false, false, false, false, 0); /* not watched: never down */
    assert_true(outage_judge(&o, 0, 1000 * SECOND, 0).well);
}

/* D14, D16: both lost it, and get it back one a moment after the other: nobody fails over for that moment */
static void what_both_lacked_is_not_down_at_once(void **state)
{
    struct outage o = {0};
    uint64_t delay = 90 * SECOND;

    (void)state;
    outage_set(&o, 5, true, false, true, true, 0);
    assert_true(outage_judge(&o, 0, 200 * SECOND, delay).well);
    struct outage_verdict v = outage_judge(&o, 1u << 5, 300 * SECOND, delay);
    assert_false(v.well);
    assert_false(v.database_out);
    assert_int_equal(v.next, 390 * SECOND);
    assert_true(outage_judge(&o, 1u << 5, 390 * SECOND, delay).database_out);
    outage_set(&o, 5, true, true, true, true, 391 * SECOND);
    outage_set(&o, 5, true, false, true, true, 392 * SECOND); /* a new one */
    assert_false(outage_judge(&o, 1u << 5, 393 * SECOND, delay).database_out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_comes_back_as_it_was),
        cmocka_unit_test(garbage_is_refused_and_changes_nothing),
        cmocka_unit_test(flags_carry_what_a_beat_says),
        cmocka_unit_test(unwise_parameters_are_told),
        cmocka_unit_test(a_rolling_outage_is_none),
        cmocka_unit_test(what_both_lack_is_not_down),
        cmocka_unit_test(what_both_lacked_is_not_down_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
