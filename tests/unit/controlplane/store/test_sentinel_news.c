/* SPDX-License-Identifier: BSD-2-Clause */
/* Which messages of a Sentinel put the master of now in doubt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store/sentinel_news.h"

static const struct sentinel_master now = {.host = "192.0.2.2", .port = 6379, .epoch = 7};

static bool doubt(const char *channel, const char *text)
{
    uint64_t epoch;

    return sentinel_news_doubt(channel, text, &now, &epoch);
}

static void a_promotion_begins(void **state)
{
    uint64_t epoch = 0;

    (void)state;
    assert_true(sentinel_news_doubt("+vote-for-leader", "0123456789abcdef 8", &now, &epoch));
    assert_int_equal(epoch, 8);
    assert_true(sentinel_news_doubt("+try-failover", "master hg 192.0.2.2 6379", &now, &epoch));
    assert_int_equal(epoch, 0);
    assert_true(doubt("+elected-leader", "master hg 192.0.2.2 6379"));
    assert_true(doubt("+failover-state-select-slave", "master hg 192.0.2.2 6379"));
    assert_true(doubt("+selected-slave", "slave 192.0.2.3:6379 192.0.2.3 6379 @ hg 192.0.2.2 6379"));
    assert_true(doubt("+promoted-slave", "slave 192.0.2.3:6379 192.0.2.3 6379 @ hg 192.0.2.2 6379"));
}

static void a_vote_names_its_epoch(void **state)
{
    uint64_t epoch = 0;

    (void)state;
    assert_true(sentinel_news_vote("+vote-for-leader", "0123456789abcdef 7", &epoch));
    assert_int_equal(epoch, 7);
    assert_false(sentinel_news_vote("+vote-for-leader", "0123456789abcdef", &epoch));
    assert_false(sentinel_news_vote("+new-epoch", "7", &epoch));
}

/* The leader tells to the end how the master of now became that: nobody is replaced by it. */
static void a_promotion_of_the_past_is_no_doubt(void **state)
{
    (void)state;
    assert_false(doubt("+vote-for-leader", "0123456789abcdef 7"));
    assert_false(doubt("+failover-state-reconf-slaves", "master hg 192.0.2.1 6379"));
    assert_false(doubt("+failover-end", "master hg 192.0.2.1 6379"));
    assert_false(doubt("+promoted-slave", "slave 192.0.2.2:6379 192.0.2.2 6379 @ hg 192.0.2.1 6379"));
    assert_false(doubt("+failover-end", "master hg 192.0.2.2 6380"));
}

static void what_is_no_promotion(void **state)
{
    (void)state;
    assert_false(doubt("+sdown", "master hg 192.0.2.2 6379"));
    assert_false(doubt("+switch-master", "hg 192.0.2.1 6379 192.0.2.2 6379"));
    assert_false(doubt("+slave-reconf-done", "slave 192.0.2.3:6379 192.0.2.3 6379 @ hg 192.0.2.2 6379"));
}

static void another_form_is_a_doubt(void **state)
{
    (void)state;
    assert_true(doubt("+vote-for-leader", "0123456789abcdef"));
    assert_true(doubt("+failover-end", ""));
    assert_true(doubt("+failover-end", "master hg"));
    assert_true(doubt("+promoted-slave", "slave 192.0.2.2:6379 192.0.2.2 6379 @ hg"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_promotion_begins),
        cmocka_unit_test(a_vote_names_its_epoch),
        cmocka_unit_test(a_promotion_of_the_past_is_no_doubt),
        cmocka_unit_test(what_is_no_promotion),
        cmocka_unit_test(another_form_is_a_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
