/* SPDX-License-Identifier: BSD-2-Clause */
/* A23: what hgctl says of a pair names the nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ha/row_text.h"

static char out[ROW_TEXT_MAX];

static void roles_become_names_A23(void **state)
{
    const char *const node[] = {"a.example.com", "b.example.com"};

    (void)state;
    assert_string_equal(row_text("failover from N1 to N2.", node, false, out),
                        "failover from a.example.com to b.example.com.");
    assert_string_equal(row_text("N1 is down; start N2", node, true, out),
                        "b.example.com is down; start a.example.com");
    assert_string_equal(row_text("SN1 N12 N3 N", node, false, out), "SN1 N12 N3 N");
    assert_string_equal(row_text("", node, false, out), "");
}

static void long_names_are_cut_A23(void **state)
{
    char name[300];
    const char *const node[] = {name, name};

    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(strlen(row_text("N1 N2 N1 N2", node, false, out)), ROW_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_become_names_A23),
        cmocka_unit_test(long_names_are_cut_A23),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
