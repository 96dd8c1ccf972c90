/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "assign/contact.h"

static char why[256];

static struct contact good(const char *text)
{
    struct contact c;

    why[0] = '\0';
    if (!contact_parse(slice_str(text), &c, why, sizeof(why)))
        fail_msg("%s: %s", text, why);
    return c;
}

static void is(struct slice s, const char *text)
{
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.p, text, s.len);
}

static void contacts_are_taken_apart(void **state)
{
    (void)state;
    struct contact c = good("sip:bob@192.0.2.7:5070;transport=tcp;ob;q=0.25");
    is(c.uri, "sip:bob@192.0.2.7:5070;transport=tcp;ob");
    is(c.host, "192.0.2.7");
    assert_true(c.is_address);
    assert_int_equal(c.port, 5070);
    assert_int_equal(c.proto, HG_TCP);
    assert_int_equal(c.q, 250);
    c = good("sips:bob@[2001:db8::7]");
    assert_true(c.is_address);
    is(c.host, "2001:db8::7");
    assert_int_equal(c.port, 0);
    assert_int_equal(c.proto, HG_TLS);
    assert_int_equal(c.q, 1000);
    c = good("sip:phone.example.com;q=1.000");
    is(c.uri, "sip:phone.example.com");
    assert_false(c.is_address);
    assert_int_equal(c.q, 1000);
    c = good("sip:bob@phone.example.com:5072;maddr=192.0.2.9");
    is(c.host, "192.0.2.9");
    assert_int_equal(c.port, 5072);
    assert_int_equal(good("sip:1.2.3.4;q=0").q, 0);
    assert_int_equal(good("sip:1.2.3.4;q=0.1").q, 100);
}

static void what_is_no_contact_is_refused(void **state)
{
    const char *bad[] = {"",
                         "bob@1.2.3.4",
                         "tel:+1",
                         "sip:",
                         "sip:bob@",
                         "sip:bob@1.2.3",
                         "sip:bob@1.2.3.4:0",
                         "sip:bob@1.2.3.4:65536",
                         "sip:bob@1.2.3.4:5o60",
                         "sip:bob@[2001:db8::7",
                         "sip:bob@[2001:db8::7]x",
                         "sip:bob@1.2.3.4;q=1.1",
                         "sip:bob@1.2.3.4;q=2",
                         "sip:bob@1.2.3.4;q=.5",
                         "sip:bob@1.2.3.4;transport=sctp",
                         "sip:bob@1.2.3.4\r\nVia: x",
                         "sip:b b@1.2.3.4",
                         "<sip:bob@1.2.3.4>",
                         "sip:bob@1.2.3.4?Route=x",
                         "sip:bob@1.2.3.4,sip:eve@1.2.3.4"};
    struct contact c;
    char long_one[400];

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        why[0] = '\0';
        if (contact_parse(slice_str(bad[i]), &c, why, sizeof(why)))
            fail_msg("taken: %s", bad[i]);
        assert_true(why[0]);
    }
    memset(long_one, 'x', sizeof(long_one));
    memcpy(long_one, "sip:", 4);
    memcpy(long_one + 260, "@1.2.3.4", 9);
    assert_false(contact_parse(slice_str(long_one), &c, why, sizeof(why)));
}

static void lists_are_bounded(void **state)
{
    char list[40 * (HG_CONTACTS_MAX + 1)] = "", one[40];

    (void)state;
    assert_int_equal(contacts_check(slice_of("", 0), why, sizeof(why)), 0);
    for (unsigned i = 0; i < HG_CONTACTS_MAX; i++) {
        snprintf(one, sizeof(one), "sip:u%u@192.0.2.1 ", i);
        strcat(list, one);
    }
    assert_int_equal(contacts_check(slice_str(list), why, sizeof(why)), HG_CONTACTS_MAX);
    strcat(list, "sip:one@192.0.2.1");
    assert_int_equal(contacts_check(slice_str(list), why, sizeof(why)), -1);
    assert_int_equal(contacts_check(SLICE_LIT("sip:a@1.2.3.4;q=0.1 sip:a@1.2.3.4"), why, sizeof(why)), -1);
    assert_int_equal(contacts_check(SLICE_LIT("sip:a@1.2.3.4 nonsense"), why, sizeof(why)), -1);
}

static void values_of_the_record(void **state)
{
    struct slice home, contacts;
    char out[64];

    (void)state;
    assert_true(user_value_split(SLICE_LIT("n1"), &home, &contacts));
    is(home, "n1");
    assert_int_equal(contacts.len, 0);
    assert_true(user_value_split(SLICE_LIT("- sip:1.2.3.4 sip:1.2.3.5"), &home, &contacts));
    assert_int_equal(home.len, 0);
    is(contacts, "sip:1.2.3.4 sip:1.2.3.5");
    assert_false(user_value_split(SLICE_LIT(""), &home, &contacts));
    assert_false(user_value_split(SLICE_LIT(" x"), &home, &contacts));
    assert_int_equal(user_value_put(out, sizeof(out), slice_of("", 0), slice_of("", 0)), 1);
    assert_string_equal(out, "-");
    assert_int_equal(user_value_put(out, sizeof(out), SLICE_LIT("n1"), SLICE_LIT("sip:1.2.3.4")), 14);
    assert_string_equal(out, "n1 sip:1.2.3.4");
    assert_int_equal(user_value_put(out, 14, SLICE_LIT("n1"), SLICE_LIT("sip:1.2.3.4")), 0);
    /* blanks that somebody wrote between contacts take no room: an empty value would lose the user */
    assert_int_equal(user_value_put(out, 26, SLICE_LIT("n1"), SLICE_LIT("  sip:1.2.3.4      sip:1.2.3.5 ")),
                     0);
    assert_int_equal(user_value_put(out, 27, SLICE_LIT("n1"), SLICE_LIT("  sip:1.2.3.4      sip:1.2.3.5 ")),
                     26);
    assert_string_equal(out, "n1 sip:1.2.3.4 sip:1.2.3.5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contacts_are_taken_apart),
        cmocka_unit_test(what_is_no_contact_is_refused),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(values_of_the_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
