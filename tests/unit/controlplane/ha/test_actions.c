/* SPDX-License-Identifier: BSD-2-Clause */
/* A pass with more actions than there is room for: cannot be, and is counted all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ha/srm_impl.h"

static void what_does_not_fit_is_counted(void **state)
{
    struct srm *srm = calloc(1, sizeof(*srm));
    struct srm_actions out = {0};

    (void)state;
    assert_non_null(srm);
    srm->out = &out;
    for (unsigned i = 0; i < SRM_ACTIONS_MAX; i++)
        assert_ptr_equal(srm_do(srm, SRM_DO_ASK), &out.a[i]);
    assert_int_equal(out.lost, 0);
    assert_non_null(srm_do(srm, SRM_DO_ASK));
    assert_int_equal(out.n, SRM_ACTIONS_MAX);
    assert_int_equal(out.lost, 1);
    free(srm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_does_not_fit_is_counted)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
