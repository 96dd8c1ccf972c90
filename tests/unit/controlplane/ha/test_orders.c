/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that are passed on to the managers of another pair (DESIGN 3: any node accepts them). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ha/orders.h"

#define PATIENCE 1000

static const uint16_t pair[SRM_SLOTS] = {3, 7};

static void a_word_says_command_and_node(void **state)
{
    enum srm_command command;
    uint16_t node;

    (void)state;
    for (int c = SRM_CMD_FAILOVER; c <= SRM_CMD_RECOVER; c++) {
        assert_true(order_of_word(order_word((enum srm_command)c, 63), &command, &node));
        assert_int_equal(command, c);
        assert_int_equal(node, 63);
    }
    assert_false(order_of_word(0, &command, &node));
    assert_false(order_of_word(order_word(SRM_CMD_HA_OFF, 1), &command, &node)); /* the record's business */
    assert_false(order_of_word(UINT32_MAX, &command, &node));
}

static void one_manager_is_enough(void **state)
{
    struct orders orders = {0};
    uint8_t why = SRM_OFFERED;
    struct order *o = orders_give(&orders, 9, order_word(SRM_CMD_FAILOVER, 3), pair);

    (void)state;
    assert_int_equal(order_state(o, 0, PATIENCE, &why), ORDER_PENDING);
    orders_answered(&orders, 5, 9, SRM_OFFERED, 10); /* not of the pair */
    orders_answered(&orders, 3, 8, SRM_OFFERED, 10); /* another order */
    assert_int_equal(order_state(o, 10, PATIENCE, &why), ORDER_PENDING);
    orders_answered(&orders, 3, 9, SRM_NO_BUSY, 10);
    assert_int_equal(order_state(o, 10, PATIENCE, &why), ORDER_PENDING);
    orders_answered(&orders, 7, 9, SRM_OFFERED, 20);
    assert_int_equal(order_state(o, 20, PATIENCE, &why), ORDER_ACCEPTED);
}

static void a_refusal_waits_for_the_other(void **state)
{
    struct orders orders = {0};
    uint8_t why = SRM_OFFERED;
    struct order *o = orders_give(&orders, 9, order_word(SRM_CMD_FAILOVER, 3), pair);

    (void)state;
    orders_answered(&orders, 7, 9, SRM_NO_NOT_HEARD, 10);
    orders_answered(&orders, 7, 9, SRM_OFFERED, 11); /* it has said it already */
    assert_int_equal(order_state(o, 10 + PATIENCE - 1, PATIENCE, &why), ORDER_PENDING);
    assert_int_equal(order_state(o, 10 + PATIENCE, PATIENCE, &why), ORDER_REFUSED);
    assert_int_equal(why, SRM_NO_NOT_HEARD);
    orders_answered(&orders, 3, 9, SRM_NO_BUSY, 12);
    assert_int_equal(order_state(o, 12, PATIENCE, &why), ORDER_REFUSED);
}

static void so_many_and_no_more(void **state)
{
    struct orders orders = {0};

    (void)state;
    for (uint32_t i = 1; i <= ORDERS_MAX; i++)
        assert_non_null(orders_give(&orders, i, 1, pair));
    assert_null(orders_give(&orders, 100, 1, pair));
    orders_end(&orders, 0);
    assert_null(orders_give(&orders, 100, 1, pair));
    orders_end(&orders, 4);
    assert_null(orders_give(&orders, 5, 1, pair)); /* a number is there once */
    assert_non_null(orders_give(&orders, 100, 1, pair));
}

/* It is repeated until its answer arrives, and must not be carried out again. */
static void what_was_done_is_remembered(void **state)
{
    struct orders orders = {0};

    (void)state;
    assert_null(orders_done(&orders, 3, 77, 9));
    orders_note(&orders, 3, 77, 9, SRM_NO_MOVING);
    assert_int_equal(orders_done(&orders, 3, 77, 9)->refusal, SRM_NO_MOVING);
    assert_null(orders_done(&orders, 3, 78, 9)); /* another start of that node */
    assert_null(orders_done(&orders, 4, 77, 9));
    for (uint32_t i = 0; i < ORDERS_SEEN - 1; i++)
        orders_note(&orders, 4, 1, 100 + i, SRM_OFFERED);
    assert_non_null(orders_done(&orders, 3, 77, 9));
}

static void every_refusal_has_a_text(void **state)
{
    (void)state;
    assert_null(srm_refusal_text(SRM_OFFERED));
    for (unsigned i = 1; i < SRM_REFUSALS; i++)
        assert_true(strlen(srm_refusal_text(i)) > 10);
    assert_non_null(srm_refusal_text(255)); /* of a later version */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_says_command_and_node),  cmocka_unit_test(one_manager_is_enough),
        cmocka_unit_test(a_refusal_waits_for_the_other), cmocka_unit_test(so_many_and_no_more),
        cmocka_unit_test(what_was_done_is_remembered),   cmocka_unit_test(every_refusal_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
