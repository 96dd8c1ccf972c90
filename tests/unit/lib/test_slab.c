/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/slab.h"

static void bounded_and_reused(void **state)
{
    (void)state;
    struct slab *s = slab_create(100, 50);
    void *o[50];

    assert_non_null(s);
    assert_int_equal(slab_object_size(s), 128);
    for (unsigned i = 0; i < 50; i++) {
        o[i] = slab_get(s);
        assert_non_null(o[i]);
        assert_int_equal((uintptr_t)o[i] % 64, 0);
        memset(o[i], (int)i, 128);
        assert_int_equal(slab_index(s, o[i]), i);
    }
    assert_null(slab_get(s));
    assert_int_equal(slab_used(s), 50);
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(((unsigned char *)o[i])[127], i);
        slab_put(s, o[i]);
    }
    assert_int_equal(slab_used(s), 0);
    assert_ptr_equal(slab_get(s), o[49]); /* the warmest one first */
    slab_destroy(s);
}

static void ids_of_strangers_are_safe(void **state)
{
    (void)state;
    struct slab *s = slab_create(64, 10);
    void *o = slab_get(s);

    assert_ptr_equal(slab_at(s, 0), o);
    assert_null(slab_at(s, 1));
    assert_null(slab_at(s, 10));
    assert_null(slab_at(s, UINT32_MAX));
    slab_destroy(s);
}

static void sizes_take_the_smallest_class_and_borrow(void **state)
{
    (void)state;
    struct sized_slabs s;
    void *o[200];
    unsigned n = 0;

    assert_true(sized_create(&s, 16));
    assert_null(sized_get(&s, SIZED_MAX + 1));
    void *big = sized_get(&s, 65535);
    assert_non_null(big);
    memset(big, 1, 65535);
    assert_int_equal(sized_used_bytes(&s), SIZED_MAX);
    sized_put(&s, big);
    sized_put(&s, NULL);
    while (n < 200 && (o[n] = sized_get(&s, 400)) != NULL)
        n++;
    assert_int_equal(n, 6 * 16); /* all classes, from the small to the large */
    assert_null(sized_get(&s, 1));
    while (n > 0)
        sized_put(&s, o[--n]);
    assert_int_equal(sized_used_bytes(&s), 0);
    void *small = sized_get(&s, 512);
    assert_int_equal(sized_used_bytes(&s), 512);
    sized_put(&s, small);
    sized_destroy(&s);
}

static void nothing_from_nothing(void **state)
{
    (void)state;
    assert_null(slab_create(0, 1));
    assert_null(slab_create(1, 0));
    assert_null(slab_create(UINT32_MAX, 1));
    slab_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounded_and_reused),
        cmocka_unit_test(ids_of_strangers_are_safe),
        cmocka_unit_test(sizes_take_the_smallest_class_and_borrow),
        cmocka_unit_test(nothing_from_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
