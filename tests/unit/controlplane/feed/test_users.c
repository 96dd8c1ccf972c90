/* SPDX-License-Identifier: BSD-2-Clause */
/* The mirror of the user table against plain arrays: what each core was told last is what it should know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "feed/contacts.h"
#include "feed/users.h"

#define CORES 3u
#define KEYS  60000u /* several blocks, shelves that grow */

struct rig {
    struct mirror m;
    uint16_t want[KEYS], told[CORES][KEYS];
};

/* As a keyed hash is: all bits differ. */
static struct hg_user_key key_of(uint64_t i)
{
    return (struct hg_user_key){.h = {(i + 1) * 0x9e3779b97f4a7c15u, i}};
}

static void take(struct rig *rig, unsigned core, unsigned max)
{
    struct hg_down_user user[64];

    while (max) {
        unsigned n = mirror_take(&rig->m, core, user, max < 64 ? max : 64);
        for (unsigned i = 0; i < n; i++)
            rig->told[core][user[i].key.h[1]] = user[i].node;
        if (!n)
            return;
        max -= n;
    }
}

static void all_agree(struct rig *rig)
{
    for (unsigned core = 0; core < CORES; core++) {
        take(rig, core, UINT32_MAX);
        assert_int_equal(mirror_waiting(&rig->m, core), 0);
        assert_memory_equal(rig->told[core], rig->want, sizeof(rig->want));
    }
    for (unsigned i = 0; i < KEYS; i++) {
        struct hg_user_key key = key_of(i);
        assert_int_equal(mirror_find(&rig->m, &key), rig->want[i]);
    }
}

static void change(struct rig *rig, unsigned i)
{
    struct hg_user_key key = key_of(i);

    rig->want[i] = (uint16_t)(rand() % 4);
    if (rig->want[i])
        assert_true(mirror_set(&rig->m, &key, rig->want[i]));
    else
        mirror_remove(&rig->m, &key);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    mirror_init(&rig->m);
    assert_true(mirror_reset(&rig->m, CORES));
    srand(7);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    mirror_free(&rig->m);
    free(rig);
    return 0;
}

static void cores_are_told_what_is_true_at_last(void **state)
{
    struct rig *rig = *state;

    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 2 * KEYS; i++) {
            change(rig, (unsigned)rand() % KEYS);
            if (i % 100 == 0)
                take(rig, (unsigned)rand() % CORES, 150);
        }
        all_agree(rig);
    }
}

static void everything_again_is_queued_in_pieces(void **state)
{
    struct rig *rig = *state;
    unsigned pieces = 1;

    for (unsigned i = 0; i < KEYS; i++)
        change(rig, i);
    all_agree(rig);
    memset(rig->told[1], 0, sizeof(rig->told[1])); /* it lost its place */
    mirror_dirty_all(&rig->m, 1);
    assert_int_equal(mirror_waiting(&rig->m, 1), 0);
    for (; mirror_dirty_some(&rig->m, 1); pieces++) {
        for (unsigned i = 0; i < 1000; i++) /* life goes on meanwhile */
            change(rig, (unsigned)rand() % KEYS);
        take(rig, 1, 500);
    }
    assert_in_range(pieces, 2, KEYS);
    all_agree(rig);
}

static void contacts_of_before_are_freed_in_pieces(void **state)
{
    struct contacts_mirror m;
    unsigned pieces = 0;

    (void)state;
    contacts_init(&m);
    assert_true(contacts_reset(&m, CORES));
    for (unsigned i = 0; i < KEYS; i++) {
        struct hg_user_key key = key_of(i);
        assert_true(contacts_set(&m, &key, (const char *)&i, sizeof(i), 1));
    }
    assert_true(contacts_reset(&m, CORES));
    struct hg_user_key key = key_of(1);
    assert_true(contacts_set(&m, &key, "new", 3, 1));
    while (contacts_free_some(&m))
        pieces++;
    assert_in_range(pieces, 2, KEYS);
    assert_int_equal(mirror_waiting(&m.keys, 0), 1);
    contacts_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cores_are_told_what_is_true_at_last, setup, teardown),
        cmocka_unit_test_setup_teardown(everything_again_is_queued_in_pieces, setup, teardown),
        cmocka_unit_test(contacts_of_before_are_freed_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
