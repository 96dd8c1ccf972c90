/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "admin/uri.h"
#include "routes/book.h"
#include "routes/json.h"

static struct hg_static_route route(const char *name, uint16_t weight)
{
    struct hg_static_route r;

    memset(&r, 0, sizeof(r));
    hg_static_route_defaults(&r);
    snprintf(r.name, sizeof(r.name), "%s", name);
    snprintf(r.pattern, sizeof(r.pattern), "1*");
    snprintf(r.next_hop, sizeof(r.next_hop), "10.0.0.1");
    r.weight = weight;
    r.source = HG_ROUTE_FROM_ADMIN;
    return r;
}

static void routes_keep_their_order(void **state)
{
    struct route_book *b = book_create(1000);
    char name[16];

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "r%u", i);
        struct hg_static_route r = route(name, 1);
        assert_true(book_put(b, &r));
    }
    assert_true(book_remove(b, "r500"));
    assert_false(book_remove(b, "r500"));
    assert_int_equal(book_count(b), 999);
    assert_string_equal(book_admin(b, 499)->name, "r499");
    assert_string_equal(book_admin(b, 500)->name, "r501");
    assert_null(book_admin(b, 999));
    assert_null(book_find(b, "r500"));
    assert_non_null(book_find(b, "r999"));
    book_free(b);
}

static void a_held_version_does_not_change(void **state)
{
    struct route_book *b = book_create(1000);
    struct hg_static_route one = route("one", 1), two = route("two", 1), other = route("one", 9);
    const struct hg_static_route *held;
    uint32_t n;

    (void)state;
    book_put(b, &one);
    struct route_pages *pages = book_hold(b, &held, &n);
    book_put(b, &two);
    book_put(b, &other);
    assert_int_equal(n, 1);
    assert_int_equal(held[0].weight, 1);
    assert_int_equal(book_find(b, "one")->weight, 9);
    book_remove(b, "one");
    assert_string_equal(held[0].name, "one");
    book_release(pages);
    assert_int_equal(book_count(b), 1);
    book_free(b);
}

static void a_load_takes_out_what_the_record_lost(void **state)
{
    struct route_book *b = book_create(1000);
    struct hg_static_route one = route("one", 1), two = route("two", 1), three = route("three", 1);

    (void)state;
    book_put(b, &one);
    book_put(b, &two);
    book_new_mark(b);
    book_put(b, &one);
    book_put(b, &two);
    assert_false(book_sweep(b)); /* the same as before: nothing to compile */
    book_new_mark(b);
    book_put(b, &three);
    book_put(b, &two);
    assert_true(book_sweep(b));
    assert_int_equal(book_count(b), 2);
    assert_null(book_find(b, "one"));
    assert_non_null(book_find(b, "three"));
    book_free(b);
}

static void a_full_book_takes_no_further_name(void **state)
{
    struct route_book *b = book_create(2);
    struct hg_static_route one = route("one", 1), two = route("two", 1), three = route("three", 1);
    struct hg_static_route again = route("one", 9);

    (void)state;
    assert_true(book_put(b, &one));
    assert_false(book_is_full(b, "two"));
    assert_true(book_put(b, &two));
    assert_true(book_is_full(b, "three"));
    assert_false(book_is_full(b, "two"));
    assert_false(book_put(b, &three));
    assert_true(book_put(b, &again));
    assert_int_equal(book_find(b, "one")->weight, 9);
    assert_true(book_remove(b, "two"));
    assert_true(book_put(b, &three));
    assert_int_equal(book_count(b), 2);
    book_free(b);
}

static void json_comes_back_as_it_went(void **state)
{
    struct hg_static_route r = route("gw \"1\"", 20), back;
    char why[256];

    (void)state;
    snprintf(r.description, sizeof(r.description), "back\\slash, \"quotes\", \xc3\xa4");
    r.proto = HG_TLS;
    r.type = HG_ROUTE_DOMAIN;
    r.block = true;
    r.less_specific = false;
    r.in_service = false;
    r.stateful = false;
    r.parallel = true;
    r.priority = 65535;
    r.port = 0;
    char *text = route_json_text(&r);
    assert_non_null(text);
    assert_null(strchr(text, '\n'));
    memset(&back, 0, sizeof(back));
    assert_true(route_json_parse(slice_str(text), &back, why, sizeof(why)));
    assert_memory_equal(&back, &r, sizeof(r));
    free(text);
}

static void json_of_others_is_checked(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{\"priority\":0}",
        "{\"priority\":65536}",
        "{\"weight\":\"1\"}",
        "{\"type\":\"phone\"}",
        "{\"port\":65536}",
        "{\"block\":1}",
        "{\"name\":7}",
        "{\"name\":\"a\\u0000b\"}",
        "{\"name\":\"0123456789012345678901234567890123456789012345678901234567890123\"}",
    };
    struct hg_static_route r;
    char why[256];

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(route_json_parse(slice_str(bad[i]), &r, why, sizeof(why)));
    assert_true(route_json_parse(SLICE_LIT("{\"name\":\"a\",\"later\":{}}"), &r, why, sizeof(why)));
    assert_int_equal(r.port, 5060);    /* L12 */
    assert_int_equal(r.proto, HG_TCP); /* L14 */
    assert_int_equal(r.priority, 1);   /* L15 */
    assert_true(r.less_specific);      /* L18 */
}

static unsigned wrong(struct hg_static_route r)
{
    json_t *errors = json_array();

    route_json_check(&r, NULL, 0, errors);
    unsigned n = (unsigned)json_array_size(errors);
    json_decref(errors);
    return n;
}

static void every_mistake_is_told_at_once(void **state)
{
    struct hg_static_route r = route("good", 1);

    (void)state;
    assert_int_equal(wrong(r), 0);
    snprintf(r.name, sizeof(r.name), "two words");
    snprintf(r.pattern, sizeof(r.pattern), "a*b");
    snprintf(r.next_hop, sizeof(r.next_hop), "5.6.7.8.9"); /* ZZ04 */
    assert_int_equal(wrong(r), 3);
    r = route("srv", 1);
    r.port = 0; /* L12: SRV of an address */
    assert_int_equal(wrong(r), 1);
    r.next_hop[0] = '\0';
    r.block = true; /* L20: a refusal needs no next hop */
    assert_int_equal(wrong(r), 0);
}

static void uris_as_people_type_them(void **state)
{
    static const struct {
        const char *text, *user, *host;
    } good[] = {
        {"sip:19194762030@myhost.com", "19194762030", "myhost.com"},
        {"<sip:a%20b;x=1?y@[2001:db8::1]:5060;transport=udp>", "a b;x=1?y", "[2001:db8::1]"},
        {"SIPS:bob:secret@h", "bob", "h"},
        {"example.com:5061", "", "example.com"},
        {"bob@example.com;lr", "bob", "example.com"},
        {"sip:bob@localhost:5060;lr", "bob", "localhost"},
        {"10.0.0.1", "", "10.0.0.1"},
        {"tel:+44-20.7123(4567);phone-context=x", "+442071234567", ""},
    };
    static const char *const bad[] = {"",           "sip:",          "sip:a@",    "sip:a%2@h", "sip:a%zz@h",
                                      "sip:a%00@h", "sip:[::1",      "garbage",   "tel:",      "tel:+",
                                      "tel:bob",    "tel:+47 11",    "sip:a@b c", "sip:a@[x]", "sip:a@h:0",
                                      "sip:a@h:5o", "sip:a@h:65536", "mailto:a",  "sip:a@_"};
    struct uri uri;

    (void)state;
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(uri_parse(good[i].text, &uri));
        assert_string_equal(uri.user, good[i].user);
        assert_string_equal(uri.host, good[i].host);
    }
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(uri_parse(bad[i], &uri));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_keep_their_order),
        cmocka_unit_test(a_held_version_does_not_change),
        cmocka_unit_test(a_load_takes_out_what_the_record_lost),
        cmocka_unit_test(a_full_book_takes_no_further_name),
        cmocka_unit_test(json_comes_back_as_it_went),
        cmocka_unit_test(json_of_others_is_checked),
        cmocka_unit_test(every_mistake_is_told_at_once),
        cmocka_unit_test(uris_as_people_type_them),
    };
    return cmocka_run_group_tests_name("controlplane_route_book", tests, NULL, NULL);
}
