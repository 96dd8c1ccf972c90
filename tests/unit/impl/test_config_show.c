/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hg/config.h"

struct seen {
    char text[32768];
};

static void note(void *arg, const struct hg_config_entry *e)
{
    struct seen *seen = arg;
    size_t n = strlen(seen->text);
    snprintf(seen->text + n, sizeof(seen->text) - n, "%s = %s (%s) %s:%u %s%s\n", e->path,
             e->value ? e->value : "-", e->def ? e->def : "-", e->file ? e->file : "default", e->line,
             e->cluster ? "cluster " : "", e->reload ? "reload" : "");
}

static struct hg_config *parse(const char *text)
{
    struct hg_config *c = hg_config_parse(text, strlen(text), "a.cfg", stderr);
    assert_non_null(c);
    return c;
}

#define HAS(seen, line)                                                                                      \
    do {                                                                                                     \
        if (strstr((seen)->text, line) == NULL)                                                              \
            fail_msg("no \"%s\" in\n%s", line, (seen)->text);                                                \
    } while (0)

static void show_says_value_default_source(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof(*seen));
    struct hg_config *c =
        parse("node: { redis: { password = \"sesame\"; }; };\ncluster: {\n sip: { t1 = 600; };\n"
              "access = [ \"10.0.0.0/8\" ]; routes = ( { name = \"r\"; pattern = \"1*\";\n next_hop = "
              "\"gw\"; } ); };");
    hg_config_show(c, note, seen);
    HAS(seen, "\ncluster.sip.t1 = 600 (500) a.cfg:3 cluster reload\n");
    HAS(seen, "\ncluster.sip.t2 = 4000 (4000) default:0 cluster reload\n");
    HAS(seen, "\nnode.redis.password = ******** () a.cfg:1 \n");
    HAS(seen, "\ncluster.access[0] = 10.0.0.0/8 () a.cfg:4 cluster reload\n");
    HAS(seen, "\ncluster.routes[0].next_hop = gw () a.cfg:4 cluster reload\n");
    HAS(seen, "\ncluster.routes[0].protocol = tcp (tcp) a.cfg:4 cluster reload\n");
    assert_null(strstr(seen->text, "sesame"));
    hg_config_free(c);
    free(seen);
}

static void diff_says_what_changed(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof(*seen));
    struct hg_config *a = parse("cluster: { access = [ \"10.0.0.0/8\", \"192.0.2.0/24\" ]; }; node: { redis: "
                                "{ password = \"x\"; }; };");
    struct hg_config *b = parse("cluster: { sip: { t1 = 600; }; access = [ \"10.0.0.0/9\" ]; };\ndataplane: "
                                "{ cores = \"1,2\"; ports = ( { "
                                "device = \"d\"; interfaces = ( { addresses = [ \"10.0.0.1/8\" ]; } ); } ); "
                                "}; node: { redis: { password = "
                                "\"y\"; }; };");
    hg_config_diff(a, b, note, seen);
    HAS(seen, "cluster.sip.t1 = 600 (500) a.cfg:1 cluster reload\n");
    HAS(seen, "dataplane.cores = 1,2 (1) a.cfg:2 \n");
    HAS(seen, "cluster.access[0] = 10.0.0.0/9 (10.0.0.0/8) a.cfg:1 cluster reload\n");
    HAS(seen, "cluster.access[1] = - (192.0.2.0/24) default:0 cluster reload\n");
    HAS(seen, "dataplane.ports[0].interfaces[0].addresses[0] = 10.0.0.1/8 (-)");
    HAS(seen, "node.redis.password = ******** (********)");
    seen->text[0] = 0;
    hg_config_diff(a, a, note, seen);
    assert_string_equal(seen->text, "");
    hg_config_free(a);
    hg_config_free(b);
    free(seen);
}

static void count(void *arg, const struct hg_config_entry *e)
{
    (void)e;
    ++*(unsigned *)arg;
}

static char *many_routes(int first, int n)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    fprintf(f, "cluster: { routes = (");
    for (int i = first; i < first + n; i++)
        fprintf(f, "%s\n{ name = \"r%d\"; pattern = \"%d\"; next_hop = \"gw\"; }", i > first ? "," : "", i,
                i);
    fprintf(f, "); };");
    fclose(f);
    return text;
}

static void named_elements_are_compared_by_name(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof(*seen));
    char *ta = many_routes(1, 20), *tb = many_routes(0, 20);
    struct hg_config *a = parse(ta), *b = parse(tb);
    unsigned n = 0;
    strcpy(b->routes[5].next_hop, "gw5");
    hg_config_diff(a, b, note, seen);
    HAS(seen, "cluster.routes[r0].pattern = 0 (-) a.cfg:2 cluster reload\n");
    HAS(seen, "cluster.routes[r20].pattern = - (20) default:0 cluster reload\n");
    HAS(seen, "cluster.routes[r5].next_hop = gw5 (gw) a.cfg:7 cluster reload\n");
    hg_config_diff(a, b, count, &n);
    assert_int_equal(n, 14 + 14 + 1);
    hg_config_free(a);
    hg_config_free(b);
    free(ta);
    free(tb);
    free(seen);
}

static void long_lists_are_counted(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof(*seen));
    char *ta = many_routes(0, 5), *tb = many_routes(1000, 300);
    struct hg_config *a = parse(ta), *b = parse(tb);
    unsigned n = 0;
    hg_config_diff(a, b, count, &n);
    assert_int_equal(n, 200 * 14 + 1);
    n = 0;
    hg_config_show(a, count, &n);
    unsigned items = n - 5 * 14;
    n = 0;
    hg_config_show(b, count, &n);
    assert_int_equal(n, items + 200 * 14 + 1);
    hg_config_free(a);
    hg_config_free(b);
    free(ta);
    free(tb);
    free(seen);
}

static void set_takes_only_what_a_reload_applies(void **state)
{
    (void)state;
    struct hg_config *c = hg_config_defaults();
    assert_null(hg_config_set(c, "cluster.sip.t1", "600"));
    assert_int_equal(c->sip_t1_ms, 600);
    assert_null(hg_config_set(c, "dataplane.polling", "busy"));
    assert_int_equal(c->dp_polling, HG_POLLING_BUSY);
    assert_null(hg_config_set(c, "cluster.probe.enabled", "false"));
    assert_false(c->probe_enabled);
    assert_null(hg_config_set(c, "cluster.domain", "example.org"));
    assert_string_equal(c->cluster_domain, "example.org");
    assert_string_equal(hg_config_set(c, "cluster.sip.t1", "9"), "an integer from 10 to 10000");
    assert_string_equal(hg_config_set(c, "cluster.sip.t1", "12x"), "an integer from 10 to 10000");
    assert_string_equal(hg_config_set(c, "cluster.sip.t1", ""), "an integer from 10 to 10000");
    assert_string_equal(hg_config_set(c, "cluster.sip.t1", " 50"), "an integer from 10 to 10000");
    assert_string_equal(hg_config_set(c, "cluster.probe.enabled", "yes"), "true or false");
    assert_string_equal(hg_config_set(c, "dataplane.polling", "x"), "one of busy|adaptive");
    assert_string_equal(hg_config_set(c, "cluster.domain", "a b"), "a name such as sip.example.com");
    assert_non_null(hg_config_set(c, "dataplane.cores", "1"));
    assert_non_null(hg_config_set(c, "no.such.item", "1"));
    assert_int_equal(c->sip_t1_ms, 600);
    hg_config_free(c);
}

static void count_members(void *arg, const char *member, const char *value, bool quoted)
{
    struct hg_static_route *copy = arg;
    assert_int_equal(quoted, strcmp(member, "port") != 0 && strcmp(member, "priority") != 0 &&
                                 strcmp(member, "weight") != 0 && strcmp(value, "true") != 0 &&
                                 strcmp(value, "false") != 0);
    if (value[0])
        assert_null(hg_static_route_set(copy, member, value));
}

static void say(void *arg, const char *member, const char *what, const char *expected)
{
    (void)what;
    (void)expected;
    strcat(arg, member);
    strcat(arg, " ");
}

/* L10-L20: every member by name, out and in again. */
static void routes_by_member(void **state)
{
    (void)state;
    struct hg_static_route r, copy;
    char said[200] = "";
    hg_static_route_defaults(&r);
    hg_static_route_defaults(&copy);
    assert_int_equal(hg_static_route_check(&r, say, said), 3);
    assert_string_equal(said, "name pattern next_hop ");
    assert_null(hg_static_route_set(&r, "name", "gw1"));
    assert_null(hg_static_route_set(&r, "pattern", "1\\*9*"));
    assert_null(hg_static_route_set(&r, "next_hop", "gw.example.com"));
    assert_null(hg_static_route_set(&r, "weight", "20"));
    assert_null(hg_static_route_set(&r, "block", "true"));
    assert_non_null(hg_static_route_set(&r, "weight", "0"));
    assert_non_null(hg_static_route_set(&r, "next_hop", "5.6.7.8.9"));
    assert_string_equal(hg_static_route_set(&r, "wight", "1"), "unknown member");
    assert_int_equal(hg_static_route_check(&r, say, said), 0);
    hg_static_route_show(&r, count_members, &copy);
    assert_memory_equal(&r, &copy, sizeof(r));
    /* L12 */
    said[0] = 0;
    assert_null(hg_static_route_set(&r, "next_hop", "10.0.0.1"));
    assert_null(hg_static_route_set(&r, "port", "0"));
    assert_int_equal(hg_static_route_check(&r, say, said), 1);
    assert_string_equal(said, "port ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(show_says_value_default_source),       cmocka_unit_test(diff_says_what_changed),
        cmocka_unit_test(named_elements_are_compared_by_name),  cmocka_unit_test(long_lists_are_counted),
        cmocka_unit_test(set_takes_only_what_a_reload_applies), cmocka_unit_test(routes_by_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
