/* SPDX-License-Identifier: BSD-2-Clause */
/* hgctl config check: a file, and no server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl_rig.h"

static void config_check_needs_no_server(void **state)
{
    (void)state;
    char line[128], file[64];
    snprintf(file, sizeof(file), "/tmp/hg-ctl-check.%d.cfg", (int)getpid());
    snprintf(line, sizeof(line), "config check %s", file);
    FILE *f = fopen(file, "w");
    fputs("node: { name = \"a\"; };", f);
    fclose(f);
    assert_int_equal(run(line), 0);
    has(out_text, "valid");
    has(err_text, "dataplane.listeners: warning: empty: no SIP is taken");
    assert_null(strstr(err_text, "CPU"));
    f = fopen(file, "w");
    fputs("node: { name = \"a\"; };\ndataplane: {\n  cores = \"0,1023\"; };", f);
    fclose(f);
    assert_int_equal(run(line), 0); /* it may be another machine's */
    has(err_text, ".cfg:3: dataplane.cores: warning: CPU 1023 is not there: this machine has ");
    f = fopen(file, "w");
    fputs("cluster: { route_embed_templates = [ \"74..78xxxxx*\" ]; routes = ( { name = \"good\"; pattern = "
          "\"74..7812345*\"; next_hop = \"a\"; "
          "protocol = \"udp\"; }, { name = \"bad\"; pattern = \"73..7812345*\"; next_hop = \"a\"; protocol = "
          "\"udp\"; }, "
          "{ name = \"tcp\"; pattern = \"1*\"; next_hop = \"a\"; } ); };",
          f);
    fclose(f);
    assert_int_equal(run(line), 0); /* L23-L25: it loads, and is not enabled */
    has(err_text, "cluster.routes[bad]: warning: stays out of service");
    has(err_text, "cluster.routes[tcp]: warning: stays out of service: no transport TCP");
    assert_null(strstr(err_text, "[good]"));
    f = fopen(file, "w");
    fputs("node: { name = 5;\n nam = 1; };", f);
    fclose(f);
    assert_int_equal(run(line), CTL_REFUSED);
    has(err_text, ".cfg:1: node.name: 5; expected");
    has(err_text, ".cfg:2: node.nam: unknown");
    snprintf(line, sizeof(line), "--json config check %s", file);
    assert_int_equal(run(line), CTL_REFUSED);
    json_t *j = json_loads(out_text, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(j, "errors")), 2);
    json_decref(j);
    f = fopen(file, "w");
    fputs("cluster: { ha: { heartbeat_interval = 2000; }; };", f);
    fclose(f);
    assert_int_equal(run(line), CTL_DONE); /* D35 */
    j = json_loads(out_text, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(j, "errors")), 0);
    has(out_text, ": warning: D35");
    json_decref(j);
    unlink(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_check_needs_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, ctl_rig_forget);
}
