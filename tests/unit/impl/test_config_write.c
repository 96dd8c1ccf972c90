/* SPDX-License-Identifier: BSD-2-Clause */
/* What is written is read again as the same configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hg/config.h"

static const char text[] =
    "node: { name = \"n1\"; redis: { port = 6400; password = \"a\\\"b\\\\c\"; }; log: { level = \"debug\"; "
    "}; };\n"
    "dataplane: { memory = 2048; polling = \"busy\"; ports = ( { device = \"net_tap0\"; interfaces = ( { "
    "vlan = 7; "
    "addresses = [ \"192.0.2.1/24\", \"2001:db8::1/64\" ]; gateway4 = \"192.0.2.254\"; } ); } );\n"
    "listeners = ( \"192.0.2.1:5060\", { address = \"2001:db8::1\"; port = 5070; } ); };\n"
    "cluster: { domain = \"example.org\"; secret = \"s3\"; access = [ \"10.0.0.0/8\", \"192.0.2.0/24\" ];\n"
    "limits: { nodes = 12; }; sip: { t1 = 400; record_route = true; user_mode = \"stateful\"; };\n"
    "domain_aliases = [ \"a.example\" ]; route_embed_templates = [ \"74..78xxxxx*\" ];\n"
    "routes = ( { name = \"gw\"; pattern = \"4420*\"; next_hop = \"192.0.2.9\"; protocol = \"udp\"; weight = "
    "5; "
    "description = \"say \\\"hi\\\"\"; }, { name = \"no\"; pattern = \"0900*\"; next_hop = \"192.0.2.8\"; "
    "block = true; } "
    "); };\n";

static unsigned differs;

static void different(void *arg, const struct hg_config_entry *e)
{
    (void)arg;
    print_message("%s: %s, was %s\n", e->path, e->value ? e->value : "-", e->def ? e->def : "-");
    differs++;
}

static struct hg_config *parsed(const char *t)
{
    struct hg_config *c = hg_config_parse(t, strlen(t), "test", stderr);

    assert_non_null(c);
    return c;
}

static void written_and_read(void **state)
{
    struct hg_config *c = parsed(text);
    char *out = NULL;
    size_t len;
    FILE *f = open_memstream(&out, &len);

    (void)state;
    hg_config_write(c, f);
    fclose(f);
    struct hg_config *again = parsed(out);
    differs = 0;
    hg_config_diff(c, again, different, NULL);
    assert_int_equal(differs, 0);
    assert_string_equal(again->redis_password, "a\"b\\c");
    hg_config_free(again);
    hg_config_free(c);
    free(out);
}

static void a_copy_is_the_same(void **state)
{
    struct hg_config *c = parsed(text), *copy = hg_config_copy(c);

    (void)state;
    assert_non_null(copy);
    differs = 0;
    hg_config_diff(c, copy, different, NULL);
    hg_config_diff(copy, c, different, NULL);
    assert_int_equal(differs, 0);
    hg_config_free(c); /* and stands alone */
    assert_string_equal(copy->routes[1].name, "no");
    hg_config_free(copy);
}

static void lists_travel_as_text(void **state)
{
    struct hg_config *c = parsed(text), *other = hg_config_defaults();
    const char *lists[] = {"cluster.access", "cluster.routes", "cluster.domain_aliases",
                           "cluster.route_embed_templates"};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char *out = NULL;
        size_t len;
        FILE *f = open_memstream(&out, &len);
        hg_config_write_list(c, lists[i], f);
        fclose(f);
        assert_true(hg_config_put_list(other, lists[i], out));
        free(out);
    }
    assert_int_equal(other->naccess, 2);
    assert_int_equal(other->nroutes, 2);
    assert_string_equal(other->routes[0].description, "say \"hi\"");
    assert_int_equal(other->routes[0].weight, 5);
    assert_true(hg_config_put_list(other, "cluster.access", "[ ]"));
    assert_int_equal(other->naccess, 0);
    assert_false(hg_config_put_list(other, "cluster.access", "[ \"nonsense\" ]"));
    assert_false(hg_config_put_list(other, "cluster.access", "[ ]; secret = \"x\""));
    assert_false(hg_config_put_list(other, "cluster.nothing", "[ ]"));
    assert_false(hg_config_put_list(other, "dataplane.ports", "( )"));
    hg_config_free(c);
    hg_config_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(a_copy_is_the_same),
        cmocka_unit_test(lists_travel_as_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
