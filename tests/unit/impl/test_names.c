/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hg/names.h"

static void all(bool (*is)(struct slice), bool want, const char *const *names)
{
    for (; *names; names++)
        if (is(slice_str(*names)) != want)
            fail_msg("\"%s\" %s", *names, want ? "refused" : "taken");
}

#define LABEL63            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ALL(is, want, ...) all(is, want, (const char *const[]){__VA_ARGS__, NULL})

static void hosts(void **state)
{
    (void)state;
    ALL(hg_name_is_host, true, "node1", "a", "3com", "sip.example.com", "a-b.c", LABEL63 ".example",
        "10.example");
    ALL(hg_name_is_host, false, "", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "5.6.7.8.9", "10.1",
        "192.0.2.1", "7", "a b", LABEL63 "a", "ex\xc3\xa4mple.com", "a:5060", "*.a");
}

/* B02: host name, dotted IP, FQDN, DNS-SRV. B09: without DNS a full IPv4 address. */
static void b02_b09_node_names(void **state)
{
    (void)state;
    ALL(hg_name_is_node, true, "node1", "node1.example.com", "192.0.2.1", "_sip._udp.example.com");
    ALL(hg_name_is_node, false, "192.0.2", "192.0.2.256", "192.0.2.1.1", "node_1", "node1/..",
        "_sip.example.com", "2001:db8::1", "_._udp.a", "");
}

/* K03 */
static void k03_cluster_id(void **state)
{
    (void)state;
    ALL(hg_name_is_cluster, true, "StandaloneCluster", "c1", "east-1.example");
    ALL(hg_name_is_cluster, false, "my_cluster", "", "a{b}", "a b", "a/b", "-a", LABEL63 "aa");
}

/* L11; ZZ04: 5.6.7.8.9 is refused */
static void l11_zz04_next_hop(void **state)
{
    (void)state;
    ALL(hg_name_is_next_hop, true, "10.10.11.37", "2001:db8::1", "[2001:db8::1]", "gw.example.com", "gw",
        "_sip._tcp.example.com");
    ALL(hg_name_is_next_hop, false, "5.6.7.8.9", "1.2.3.4:5060", "sip:gw", "", "gw..a", "1.2.3");
}

static void tokens(void **state)
{
    (void)state;
    ALL(hg_name_is_token, true, "gw1", "a_b", "74..78*");
    ALL(hg_name_is_token, false, "", "a b", "a\"b", "a\\b", "a\nb", "\xc3\xa4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),          cmocka_unit_test(b02_b09_node_names),
        cmocka_unit_test(k03_cluster_id), cmocka_unit_test(l11_zz04_next_hop),
        cmocka_unit_test(tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
