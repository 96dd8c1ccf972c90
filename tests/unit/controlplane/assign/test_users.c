/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assign/users.h"

static const struct record_version none;

static struct slice name_of(unsigned i, char out[64])
{
    return slice_of(out, (uint32_t)snprintf(out, 64, "user%u@example.com", i));
}

static void canonical_lowers_the_domain_only(void **state)
{
    char out[USERS_NAME_MAX + 1];
    uint32_t len;
    const char *why;

    (void)state;
    assert_true(users_canonical(SLICE_LIT("Bob@EXAMPLE.Com"), out, &len, &why));
    assert_string_equal(out, "Bob@example.com");
    assert_true(users_canonical(SLICE_LIT("a@b@C.org"), out, &len, &why));
    assert_string_equal(out, "a@b@c.org");
    const char *bad[] = {"", "@", "bob", "@x", "bob@", "b\x01@x", "b@x y", "b@\xc3\xa4"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(users_canonical(slice_str(bad[i]), out, &len, &why));
    char longest[USERS_NAME_MAX + 3];
    memset(longest, 'a', sizeof(longest));
    longest[HG_USER_MAX] = '@';
    assert_true(users_canonical(slice_of(longest, USERS_NAME_MAX), out, &len, &why));
    assert_false(users_canonical(slice_of(longest, USERS_NAME_MAX + 1), out, &len, &why));
}

static void typed_names_are_what_a_request_looks_up(void **state)
{
    static const char *const good[][2] = {
        {"Bob@EXAMPLE.com", "Bob@example.com"},
        {"%62ob@example.com", "bob@example.com"},
        {"a%40b@example.com", "a@b@example.com"},
        {"a@b@example.com", "a@b@example.com"},
        {"100%@example.com", "100%@example.com"},
        {"100%25@example.com", "100%@example.com"},
        {"+4420@example.com", "+4420@example.com"},
        {"a;b/c&d@example.com", "a;b/c&d@example.com"},
        {"j%C3%B6rg@example.com", "j\xc3\xb6rg@example.com"},
    };
    static const char *const bad[][2] = {
        {"bo b@x", "blanks"},
        {" lead@x", "blanks"},
        {"bo%20b@x", "blanks"},
        {"b\xc2\xa0@x", "blanks"},
        {"bob\xe2\x80\x8b@x", "nobody sees"},
        {"b\xef\xbb\xbf@x", "nobody sees"},
        {"b%00@x", "control"},
        {"b%0a@x", "control"},
        {"b%ff@x", "UTF-8"},
        {"b\xc0\xaf@x", "UTF-8"},
        {"b\xed\xa0\x80@x", "UTF-8"},
        {"b\xe2\x82@x", "UTF-8"},
        {"%2562ob@x", "%-escape"},
        {"bob", "user@domain"},
        {"%@", "user@domain"},
        {"@x", "user@domain"},
        {"bob@", "user@domain"},
    };
    char out[USERS_NAME_MAX + 1], again[USERS_NAME_MAX + 1], longest[3 * HG_USER_MAX + 10] = "";
    uint32_t len;
    const char *why;

    (void)state;
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!users_typed(slice_str(good[i][0]), out, &len, &why))
            fail_msg("%s: %s", good[i][0], why);
        assert_string_equal(out, good[i][1]);
        assert_int_equal(len, strlen(out));
        assert_true(
            users_typed(slice_of(out, len), again, &len, &why)); /* what a list shows can be typed again */
        assert_string_equal(again, out);
    }
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (users_typed(slice_str(bad[i][0]), out, &len, &why))
            fail_msg("taken: %s", bad[i][0]);
        if (!strstr(why, bad[i][1]))
            fail_msg("%s: %s", bad[i][0], why);
    }
    for (unsigned i = 0; i < HG_USER_MAX; i++)
        strcat(longest, "%61");
    assert_true(users_typed(slice_str(strcat(longest, "@x")), out, &len, &why));
    assert_int_equal(len, HG_USER_MAX + 2);
}

static void churn_agrees_with_a_plain_array(void **state)
{
    enum { N = 20000 };
    struct users *u = users_create();
    uint16_t *plain = calloc(N, sizeof(plain[0]));
    uint32_t count = 0;
    char text[64];

    (void)state;
    srandom(7);
    for (unsigned step = 0; step < 300000; step++) {
        unsigned i = (unsigned)random() % N;
        struct slice name = name_of(i, text);
        if (random() % 3) {
            uint16_t node = (uint16_t)(1 + random() % 60);
            unsigned changed;
            assert_non_null(users_set(u, name, node, slice_of("", 0), none, &changed));
            assert_int_equal(changed != USERS_SAME, plain[i] != node);
            count += !plain[i];
            plain[i] = node;
        } else {
            assert_int_equal(users_remove(u, name), plain[i] != 0);
            count -= plain[i] != 0;
            plain[i] = 0;
        }
    }
    assert_int_equal(users_count(u), count);
    for (unsigned i = 0; i < N; i++) {
        const struct user *one = users_find(u, name_of(i, text));
        assert_int_equal(one ? one->home : 0, plain[i]);
    }
    free(plain);
    users_free(u);
}

/* A listing that goes on behind the last name sees everybody once, although the table grows and shrinks
 * meanwhile. */
static void pages_stay_whole_while_the_table_changes(void **state)
{
    enum { N = 5000 };
    struct users *u = users_create();
    unsigned *seen = calloc(N, sizeof(seen[0]));
    char text[64], last[USERS_NAME_MAX + 1] = "";
    unsigned changed;

    (void)state;
    for (unsigned i = 0; i < N; i++)
        users_set(u, name_of(i, text), 1, slice_of("", 0), none, &changed);
    unsigned extra = N;
    for (;;) {
        uint64_t at = users_position_after(u, slice_str(last));
        const struct user *one = NULL, *next;
        for (unsigned k = 0; k < 37 && (next = users_walk(u, &at)); k++) {
            one = next;
            unsigned i = (unsigned)atoi(one->name + 4);
            if (i < N)
                seen[i]++;
        }
        if (!one)
            break;
        snprintf(last, sizeof(last), "%s", one->name);
        for (unsigned k = 0; k < 100 && extra < 3 * N; k++)
            users_set(u, name_of(extra++, text), 2, slice_of("", 0), none, &changed);
        users_remove(u, slice_str(last)); /* even the name to go on from */
    }
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(seen[i], 1);
    free(seen);
    users_free(u);
}

static void a_sweep_takes_what_was_not_marked(void **state)
{
    struct users *u = users_create();
    char text[64];
    unsigned changed;

    (void)state;
    for (unsigned i = 0; i < 3000; i++)
        users_set(u, name_of(i, text), 1, slice_of("", 0), none, &changed);
    users_new_mark(u);
    for (unsigned i = 0; i < 3000; i += 3) {
        users_set(u, name_of(i, text), 1, slice_of("", 0), none, &changed);
        assert_false(changed);
    }
    uint64_t at = 0;
    struct user *one;
    while ((one = users_walk(u, &at)))
        if (!users_is_marked(u, one))
            users_remove_walked(u, &at);
    assert_int_equal(users_count(u), 1000);
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(users_find(u, name_of(i, text)) != NULL, i % 3 == 0);
    users_free(u);
}

static void homes_have_a_wall(void **state)
{
    struct users *u = users_create();
    char text[64], name[64];
    unsigned changed;

    (void)state;
    for (unsigned i = 1; i < HG_NODES_MAX; i++) {
        snprintf(text, sizeof(text), "node%u", i);
        assert_int_equal(users_home(u, slice_str(text)), i);
        assert_non_null(users_set(u, name_of(i, name), (uint16_t)i, slice_of("", 0), none, &changed));
    }
    assert_int_equal(users_home(u, SLICE_LIT("one-more")), 0);
    assert_int_equal(users_home(u, SLICE_LIT("node5")), 5);
    assert_string_equal(users_home_name(u, 5), "node5");
    assert_string_equal(users_home_name(u, 0), "");
    assert_int_equal(users_home(u, SLICE_LIT("")), 0);
    /* a home that nobody has any more gives its place */
    uint64_t generation = users_homes_generation(u);
    assert_true(users_remove(u, name_of(5, name)));
    assert_int_equal(users_home(u, SLICE_LIT("one-more")), 5);
    assert_int_equal(users_home_find(u, SLICE_LIT("node5")), 0);
    assert_int_not_equal(users_homes_generation(u), generation);
    users_free(u);
}

static void homes_and_contacts_are_counted(void **state)
{
    struct users *u = users_create();
    uint16_t a = users_home(u, SLICE_LIT("a")), b = users_home(u, SLICE_LIT("b"));
    struct record_version v = {3, 9};
    unsigned changed;

    (void)state;
    struct user *bob = users_set(u, SLICE_LIT("bob@x"), a, SLICE_LIT("sip:1.2.3.4"), v, &changed);
    assert_int_equal(changed, USERS_NEW | USERS_HOME | USERS_CONTACTS);
    assert_int_equal(bob->version.seq, 9);
    users_set(u, SLICE_LIT("eve@x"), 0, slice_of("", 0), none, &changed);
    assert_int_equal(users_count_at(u, a), 1);
    assert_int_equal(users_signed_in_at(u, a), 1);
    assert_int_equal(users_count_at(u, 0), 1);
    users_set(u, SLICE_LIT("bob@x"), b, SLICE_LIT("sip:1.2.3.4"), v, &changed);
    assert_int_equal(changed, USERS_HOME);
    assert_int_equal(users_count_at(u, a) + users_signed_in_at(u, a), 0);
    assert_int_equal(users_count_at(u, b), 1);
    users_set(u, SLICE_LIT("bob@x"), b, slice_of("", 0), v, &changed);
    assert_int_equal(changed, USERS_CONTACTS);
    assert_null(bob->contacts);
    assert_int_equal(users_signed_in_at(u, b), 0);
    users_set(u, SLICE_LIT("bob@x"), b, slice_of("", 0), v, &changed);
    assert_int_equal(changed, USERS_SAME);
    users_remove(u, SLICE_LIT("bob@x"));
    users_remove(u, SLICE_LIT("eve@x"));
    assert_int_equal(users_count_at(u, b) + users_count_at(u, 0), 0);
    users_free(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_lowers_the_domain_only),
        cmocka_unit_test(typed_names_are_what_a_request_looks_up),
        cmocka_unit_test(churn_agrees_with_a_plain_array),
        cmocka_unit_test(pages_stay_whole_while_the_table_changes),
        cmocka_unit_test(a_sweep_takes_what_was_not_marked),
        cmocka_unit_test(homes_have_a_wall),
        cmocka_unit_test(homes_and_contacts_are_counted),
    };
    return cmocka_run_group_tests_name("controlplane_users", tests, NULL, NULL);
}
