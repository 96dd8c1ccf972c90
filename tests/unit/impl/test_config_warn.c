/* SPDX-License-Identifier: BSD-2-Clause */
/* What is valid, and yet does not do what its author may hope. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hg/config.h"

#define WELL                                                                                                 \
    "dataplane: { cores = \"0\"; ports = ( { device = \"net_null0\"; interfaces = ( { addresses = [ "        \
    "\"10.0.0.2/24\" "                                                                                       \
    "]; } ); } ); listeners = [ \"10.0.0.2\" ]; };\ncluster: { domain = \"example.com\"; access = [ "        \
    "\"10.0.0.0/8\" ];\n"

static char *said;

static const char *warned(const char *text)
{
    size_t size;

    free(said);
    FILE *out = open_memstream(&said, &size);
    struct hg_config *c = hg_config_parse(text, strlen(text), "a.cfg", out);
    assert_non_null(c);
    hg_config_warn(c, out);
    fclose(out);
    hg_config_free(c);
    return said;
}

static int forget(void **state)
{
    (void)state;
    free(said);
    said = NULL;
    return 0;
}

static void has(const char *text)
{
    if (strstr(said, text) == NULL)
        fail_msg("no \"%s\" in:\n%s", text, said);
}

static void nothing_is_wrong(void **state)
{
    (void)state;
    assert_string_equal(warned(WELL "};"), "");
}

static void an_empty_file(void **state)
{
    (void)state;
    warned("");
    has("a.cfg: dataplane.listeners: warning: empty: no SIP is taken\n");
    has("a.cfg: cluster.access: warning: empty");
    has("a.cfg: cluster.domain: warning: not set");
}

static void certificates_that_are_not_there(void **state)
{
    (void)state;
    warned(WELL "};\nnode: { redis: { sentinels = [ \"10.0.0.9:26379\" ]; tls = true;\n"
                "tls_ca = \"/none/ca.crt\"; }; };");
    has("a.cfg:5: node.redis.tls_ca: warning: this file cannot be read");
    has("node.redis.tls_server_name: warning: empty");
    warned(WELL "};\nnode: { redis: { tls_ca = \"/none/ca.crt\"; }; };");
    has("a.cfg:4: node.redis.tls_ca: warning: not used");
}

/* D35: hgctl set warns, and so does a look at the file. */
static void times_that_do_not_fit(void **state)
{
    (void)state;
    warned(WELL "ha: { heartbeat_interval = 2000;\n heartbeat_timeout = 3999; }; };");
    has("a.cfg:4: cluster.ha.heartbeat_timeout: warning: D35");
    has("a.cfg: cluster.ha.init_timeout: warning: D35");
    warned(WELL "ha: { lease = 2000; }; };");
    has("a.cfg:3: cluster.ha.lease: warning: should be at least three heartbeat intervals");
    has("a.cfg:3: cluster.ha.lease: warning: should be no shorter than cluster.ha.heartbeat_timeout");
    assert_string_equal(
        warned(WELL "ha: { heartbeat_timeout = 2000; init_timeout = 4000; lease = 3000; }; };"), "");
}

/* ZZ12: sets of values to write, as docs/ha.md has them; the last one is the seeds' (I08, I09). */
static void profiles_fit_together(void **state)
{
    static const char *const profiles[] = {
        "heartbeat_interval = 100; heartbeat_timeout = 300; init_timeout = 600; lease = 300; guard = 50;",
        "heartbeat_interval = 1000; heartbeat_timeout = 5000; init_timeout = 10000; lease = 10000;",
        "heartbeat_interval = 60000; heartbeat_timeout = 120000; init_timeout = 240000; lease = 180000;",
    };
    char text[1000];

    (void)state;
    for (unsigned i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        snprintf(text, sizeof(text), "%s ha: { %s }; };", WELL, profiles[i]);
        assert_string_equal(warned(text), "");
    }
}

/* More than the record takes: the other nodes would not get it. */
static void a_list_that_is_too_long(void **state)
{
    (void)state;
    size_t size = 4 * 1024 * 1024;
    char *text = malloc(size), *p = text + sprintf(text, WELL "routes = (\n");

    for (int i = 0; i < 10000; i++)
        p += sprintf(
            p,
            "%s{ name = \"route%05d\"; pattern = \"%d*\"; next_hop = \"192.0.2.1\"; protocol = \"udp\"; "
            "description = \"one of many, with some words of description for whoever reads it\"; }\n",
            i ? "," : "", i, i);
    strcpy(p, "); };");
    warned(text);
    free(text);
    has("a.cfg:4: cluster.routes: warning: ");
    has("the cluster's record takes lists of 1048576");
    has("hgctl route add");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_is_wrong, forget),
        cmocka_unit_test_teardown(an_empty_file, forget),
        cmocka_unit_test_teardown(times_that_do_not_fit, forget),
        cmocka_unit_test_teardown(profiles_fit_together, forget),
        cmocka_unit_test_teardown(certificates_that_are_not_there, forget),
        cmocka_unit_test_teardown(a_list_that_is_too_long, forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
