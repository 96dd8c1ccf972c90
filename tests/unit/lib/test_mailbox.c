/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/ctx.h"
#include "lib/mailbox.h"

#define CORES 3

static struct mail_office office;
static struct mail_out out[CORES];
static struct mail_in in[CORES];
static struct ctx ctx[CORES];
static uint64_t counters[CORES][HG_COUNTERS_MAX];

static int open_office(void **state)
{
    (void)state;
    if (!mail_office_open(&office, CORES, 255))
        return -1;
    for (unsigned i = 0; i < CORES; i++) {
        mail_office_bind(&office, i, &out[i], &in[i]);
        ctx[i] = (struct ctx){.core = (uint16_t)i, .cores = CORES, .counters = counters[i], .mail = &out[i]};
    }
    return 0;
}

static int close_office(void **state)
{
    (void)state;
    mail_office_close(&office);
    return 0;
}

static void in_order_and_signed(void **state)
{
    (void)state;
    struct mail m[8];

    for (uint32_t i = 0; i < 5; i++)
        assert_true(
            mail_send(&ctx[1], 2, (struct mail){.kind = MAIL_HOP_HEALTH, .a = 7, .b = i, .from = 99}));
    assert_int_equal(mail_depth(&in[2]), 5);
    assert_int_equal(mail_take(&in[0], m, 8), 0);
    unsigned n = 0;
    while (n < 5) {
        unsigned got = mail_take(&in[2], m + n, 8 - n);
        assert_true(got > 0);
        n += got;
    }
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(m[i].b, i);
        assert_int_equal(m[i].from, 1);
    }
}

static void full_box_refuses_and_only_that_box(void **state)
{
    (void)state;
    unsigned n = 0;
    struct mail m[64];

    while (mail_send(&ctx[0], 1, (struct mail){.kind = MAIL_HOP_HEALTH, .b = n}))
        n++;
    assert_int_equal(n, office.depth);
    assert_true(mail_send(&ctx[2], 1, (struct mail){.kind = MAIL_HOP_HEALTH, .b = 4711}));
    assert_false(mail_send(&ctx[0], CORES, (struct mail){.kind = MAIL_HOP_HEALTH}));
    /* the flood of core 0 does not keep the mail of core 2 waiting for more than one share */
    bool seen = false;
    unsigned got = mail_take(&in[1], m, 63);
    for (unsigned i = 0; i < got; i++)
        seen |= m[i].from == 2 && m[i].b == 4711;
    assert_true(seen);
    while (mail_take(&in[1], m, 64) > 0)
        ;
    assert_int_equal(mail_depth(&in[1]), 0);
}

#define MANY 200000
static void *sender(void *arg)
{
    unsigned self = (unsigned)(uintptr_t)arg;
    for (uint32_t i = 0; i < MANY;)
        if (mail_send(&ctx[self], 0, (struct mail){.kind = MAIL_HOP_HEALTH, .b = i}))
            i++;
    return NULL;
}

static void two_senders_one_reader(void **state)
{
    (void)state;
    pthread_t t[2];
    uint32_t next[CORES] = {0};
    struct mail m[32];

    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, sender, (void *)(uintptr_t)(i + 1)), 0);
    while (next[1] < MANY || next[2] < MANY) {
        unsigned n = mail_take(&in[0], m, 32);
        for (unsigned i = 0; i < n; i++) {
            assert_int_equal(m[i].b, next[m[i].from]);
            next[m[i].from]++;
        }
    }
    for (unsigned i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(in_order_and_signed, open_office, close_office),
        cmocka_unit_test_setup_teardown(full_box_refuses_and_only_that_box, open_office, close_office),
        cmocka_unit_test_setup_teardown(two_senders_one_reader, open_office, close_office),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
