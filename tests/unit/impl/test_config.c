/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hg/config.h"
#include "impl/config_table.h"

static char *errors;
static size_t errors_size;

static struct hg_config *parse(const char *text)
{
    free(errors);
    errors = NULL;
    FILE *out = open_memstream(&errors, &errors_size);
    struct hg_config *c = hg_config_parse(text, strlen(text), "test.cfg", out);
    fclose(out);
    return c;
}

static int drop_errors(void **state)
{
    (void)state;
    free(errors);
    errors = NULL;
    return 0;
}

/* The text is refused, and these are the complaints, each on a line. */
static void refused(const char *text, const char *const *complaints)
{
    struct hg_config *c = parse(text);
    unsigned lines = 0, n = 0;
    assert_null(c);
    for (const char *p = errors; *p; p++)
        lines += *p == '\n';
    for (; complaints[n]; n++)
        if (strstr(errors, complaints[n]) == NULL)
            fail_msg("no \"%s\" in:\n%s", complaints[n], errors);
    if (lines != n)
        fail_msg("%u complaints, expected %u:\n%s", lines, n, errors);
}
#define REFUSED(text, ...) refused(text, (const char *const[]){__VA_ARGS__, NULL})

#define PORT                                                                                                 \
    "dataplane: { ports = ( { device = \"net_null0\"; interfaces = ( { addresses = [ \"10.0.0.2/24\", "      \
    "\"2001:db8::2/64\" ]; gateway4 = \"10.0.0.1\"; } ); } );\n"

static void empty_file_is_all_defaults(void **state)
{
    (void)state;
    struct hg_config *c = parse(""), *d = hg_config_defaults();
    assert_non_null(c);
    assert_string_equal(c->node_name, "node1");
    assert_int_equal(c->dp_ring_cells, 16384);
    assert_int_equal(c->dp_dscp, 24);                        /* M18 */
    assert_string_equal(c->cluster_id, "StandaloneCluster"); /* K03 */
    assert_string_equal(c->cluster_srv_name, "");            /* K06 */
    assert_int_equal(c->dp_polling, HG_POLLING_ADAPTIVE);
    assert_true(c->probe_enabled);
    assert_int_equal(c->nports, 0);
    assert_null(c->routes);
    assert_memory_equal(c, d, offsetof(struct hg_config, source));
    hg_config_free(c);
    hg_config_free(d);
}

/* What the requirements say of defaults, and rulings where they are silent or say two things. */
static void defaults_of_the_requirements(void **state)
{
    (void)state;
    struct hg_config *c = hg_config_defaults();
    assert_int_equal(c->ha_service_down_delay_ms, 90000); /* D13, D26 */
    assert_true(c->ha_automatic_failover);                /* D27, ZZ09 */
    assert_false(c->ha_automatic_fallback);               /* D28 */
    assert_int_equal(c->ha_fallback_quiet_ms, 1800000);   /* D43, ZZ02 */
    assert_int_equal(c->ha_users_moved, 25);              /* D32 */
    assert_int_equal(c->ha_iteration_ms, 1000);
    assert_int_equal(c->ha_heartbeat_interval_ms, 1000); /* ZZ12 */
    assert_int_equal(c->ha_heartbeat_timeout_ms, 3000);
    assert_int_equal(c->ha_init_timeout_ms, 6000);
    assert_int_equal(c->ha_wan_rtt_ms, 80);                   /* I02 */
    assert_int_equal(c->ha_wan_kbps, 5000);                   /* I01 */
    assert_int_equal(c->limit_nodes, 6);                      /* A01 */
    assert_int_equal(c->limit_ha_subclusters, 3);             /* A03 */
    assert_int_equal(c->assign_mode, 0);                      /* C01: balanced */
    assert_int_equal(c->assign_cpu_max, 35);                  /* C22 */
    assert_string_equal(c->cluster_domain, "DOMAIN.NOT.SET"); /* B10 */
    hg_config_free(c);
}

/* Every default obeys the rules of its own item. */
static void defaults_are_valid(void **state)
{
    (void)state;
    struct hg_config *c = hg_config_defaults();
    for (unsigned i = 0; i < config_items_n; i++) {
        char text[CONFIG_TEXT_MAX];
        config_default_text(&config_items[i], text);
        if (!config_put_any(&config_items[i], c, text) || !config_is_default(&config_items[i], c))
            fail_msg("%s: the default %s is not valid", config_items[i].name, text);
    }
    hg_config_free(c);
}

static void everything_loads(void **state)
{
    (void)state;
    struct hg_config *c = parse(
        PORT
        "routes = ( { network = \"192.0.2.0/24\"; gateway = \"10.0.0.9\"; } );\n"
        "listeners = ( { address = \"10.0.0.2\"; }, { address = \"2001:db8::2\"; port = 5070; } );\n"
        "cores = \"2-5,8\"; polling = \"busy\"; };\n"
        "cluster: { access = [ \"10.0.0.0/8\" ]; neighbours = ( { host = \"gw.example.com\"; rate = 5; } );\n"
        "nodes = ( { name = \"node2\"; sip = \"10.0.0.3\"; } );\n"
        "route_embed_templates = [ \"74..78xxxxx*\" ]; domain_aliases = [ \"example.org\" ];\n"
        "routes = ( { name = \"gw1\"; pattern = \"1919*\"; next_hop = \"10.0.0.5\"; protocol = \"udp\"; },\n"
        "{ name = \"gw2\"; pattern = \"*.example.net\"; type = \"domain\"; next_hop = "
        "\"_sip._udp.example.net\";\n"
        "port = 0; priority = 2; weight = 65535; block = true; stateful = false; parallel = true;\n"
        "less_specific = false; in_service = false; description = \"d\"; } ); };\n");
    if (c == NULL)
        fail_msg("%s", errors);
    assert_int_equal(c->nports, 1);
    assert_int_equal(c->ports[0].nifaces, 1);
    assert_int_equal(c->ports[0].descriptors, 1024);
    assert_int_equal(c->ports[0].iface[0].naddrs, 2);
    assert_int_equal(c->ports[0].iface[0].addr[0].bits, 120);
    assert_int_equal(c->ports[0].iface[0].gateway4.b[15], 1);
    assert_int_equal(c->nstatics, 1);
    assert_int_equal(c->nlisteners, 2);
    assert_int_equal(c->listeners[0].ep.port, 5060);
    assert_int_equal(c->listeners[1].ep.port, 5070);
    assert_int_equal(c->dp_polling, HG_POLLING_BUSY);
    assert_int_equal(c->naccess, 1);
    assert_int_equal(c->neighbours[0].rate, 5);
    assert_int_equal(c->nodes[0].sip.port, 5060);
    assert_string_equal(c->templates[0], "74..78xxxxx*");
    assert_string_equal(c->aliases[0], "example.org");
    struct hg_static_route want;
    hg_static_route_defaults(&want);
    strcpy(want.name, "gw1");
    strcpy(want.pattern, "1919*");
    strcpy(want.next_hop, "10.0.0.5");
    want.proto = HG_UDP;
    assert_int_equal(c->nroutes, 2);
    assert_memory_equal(&c->routes[0], &want, sizeof(want));
    assert_int_equal(c->routes[1].port, 0);
    assert_int_equal(c->routes[1].weight, 65535);
    assert_true(c->routes[1].block && c->routes[1].parallel);
    assert_false(c->routes[1].stateful || c->routes[1].in_service || c->routes[1].less_specific);
    hg_config_free(c);
}

static void all_errors_at_once_with_lines(void **state)
{
    (void)state;
    REFUSED(
        "node: {\n name = \"a_b\";\n redis: { port = 0;\n password = 5; };\n};\ncluster: {\n sip: { t1 = "
        "\"500\";\n"
        " record_route = 1; }; };\ndataplane: { polling = \"lazy\";\n dscp = 1.5;\n memory = { }; cores = [ "
        "1 ]; };\n",
        "test.cfg:2: node.name: \"a_b\"; expected a string of at most 64 bytes: a host name",
        "test.cfg:3: node.redis.port: 0; expected an integer from 1 to 65535",
        "test.cfg:4: node.redis.password: not a value that it takes; expected",
        "test.cfg:7: cluster.sip.t1: \"500\"; expected an integer from 10 to 10000 ms",
        "test.cfg:8: cluster.sip.record_route: 1; expected true or false",
        "test.cfg:9: dataplane.polling: \"lazy\"; expected one of busy|adaptive",
        "test.cfg:10: dataplane.dscp: 1.5; expected an integer from 0 to 63",
        "test.cfg:11: dataplane.memory: a group {}; expected an integer from 64",
        "test.cfg:11: dataplane.cores: an array []; expected a string of at most 128 bytes: a list of CPUs");
}

static void unknown_names_get_a_hint(void **state)
{
    (void)state;
    REFUSED(
        "node: { nmae = \"a\"; };\ncluster: { sip: { recordroute = true; };\n routes = ( { name = \"a\"; "
        "patern = \"1*\"; "
        "next_hop = \"a\"; } ); zzzz = 1; };\n",
        "test.cfg:1: node.nmae: unknown; expected an item of heliograph.cfg(5); did you mean node.name?",
        "test.cfg:2: cluster.sip.recordroute: unknown; expected an item of heliograph.cfg(5); did you mean "
        "cluster.sip.record_route?",
        "test.cfg:3: cluster.routes[0].patern: unknown; expected one of the members of cluster.routes; did "
        "you mean pattern?",
        "test.cfg:3: cluster.routes[0].pattern: missing; expected",
        "test.cfg:3: cluster.zzzz: unknown; expected an item of heliograph.cfg(5)\n");
    REFUSED("node = 5;", "test.cfg:1: node: 5; expected a group { ... }");
}

static void listeners_have_services(void **state)
{
    (void)state;
    static const char good[] =
        PORT "listeners = ( { address = \"10.0.0.2\"; protocol = \"tcp\"; port = 7;\n"
             "service = \"echo\"; connections_max = 500; }, { address = \"10.0.0.2\"; } ); };\n";
    struct hg_config *c = hg_config_parse(good, strlen(good), "test.cfg", stderr);
    assert_non_null(c);
    assert_int_equal(c->listeners[0].ep.proto, HG_TCP);
    assert_int_equal(c->listeners[0].service, HG_SERVICE_ECHO);
    assert_int_equal(c->listeners[0].connections_max, 500);
    assert_int_equal(c->listeners[1].service, HG_SERVICE_SIP);
    assert_ptr_equal(hg_config_first_sip(c), &c->listeners[1].ep);
    hg_config_free(c);
    REFUSED(PORT "listeners = ( { address = \"10.0.0.2\"; service = \"echo\"; },\n"
                 "{ address = \"10.0.0.2\"; port = 9; service = \"ftp\"; } ); };\n",
            "dataplane.listeners[0].service: needs connections; expected protocol = \"tcp\"",
            "dataplane.listeners[1].service: \"ftp\"; expected one of sip|echo");
}

#define TLS_CERTIFICATES                                                                                     \
    "tls = { certificates = ( { chain = \"/a.pem\"; key = \"/a.key\"; names = [ \"a.example\", "             \
    "\"*.b.example\" ]; } ); };\n"
static void listeners_of_tls(void **state)
{
    (void)state;
    struct hg_config *c =
        parse(PORT TLS_CERTIFICATES
              "listeners = ( { address = \"10.0.0.2\"; port = 5061; protocol = \"tls\"; service = "
              "\"echo\"; client_auth = \"require\"; alpn = \"sip,http/1.1\"; } ); };\n");
    assert_non_null(c);
    assert_int_equal(c->ncertificates, 1);
    assert_string_equal(c->certificates[0].chain, "/a.pem");
    assert_int_equal(c->certificates[0].nnames, 2);
    assert_string_equal(c->certificates[0].name[1], "*.b.example");
    assert_int_equal(c->listeners[0].ep.proto, HG_TLS);
    assert_int_equal(c->listeners[0].client_auth, HG_CLIENT_AUTH_REQUIRE);
    assert_string_equal(c->listeners[0].alpn, "sip,http/1.1");
    hg_config_free(c);
    REFUSED(PORT TLS_CERTIFICATES "listeners = ( { address = \"10.0.0.2\"; protocol = \"tls\"; } ); };\n",
            "dataplane.listeners[0].protocol: a transport that SIP has not got yet");
    REFUSED(
        PORT TLS_CERTIFICATES
        "listeners = ( { address = \"10.0.0.2\"; port = 9; protocol = \"tcp\"; service = \"echo\"; alpn = "
        "\"sip\"; },\n"
        "{ address = \"10.0.0.2\"; port = 9; protocol = \"tls\"; service = \"echo\"; },\n"
        "{ address = \"10.0.0.2\"; client_auth = \"ask\"; } ); };\n",
        "dataplane.listeners[0].alpn: means nothing without TLS",
        "dataplane.listeners[1]: the same as an earlier one",
        "dataplane.listeners[2].client_auth: means nothing without TLS");
    REFUSED(
        PORT
        "tls = { certificates = ( { chain = \"a.pem\"; key = \"/a.key\"; } ); min_version = \"1.1\"; }; };\n",
        "dataplane.tls.certificates[0].chain: \"a.pem\"; expected a string of at most 255 bytes: an absolute "
        "path",
        "dataplane.tls.min_version: \"1.1\"; expected one of 1.2|1.3");
}

static void network_rules(void **state)
{
    (void)state;
    REFUSED(PORT
            "listeners = ( { address = \"10.0.0.3\"; },\n{ address = \"10.0.0.2\"; protocol = \"tls\"; },\n"
            "{ address = \"10.0.0.2\"; protocol = \"udp\"; },\n{ address = \"10.0.0.2\"; } ); ring_cells = "
            "5000;\n"
            "routes = ( { network = \"192.0.2.0/24\"; gateway = \"10.1.0.9\"; },\n"
            "{ network = \"192.0.2.1/24\"; gateway = \"10.0.0.9\"; } ); };\n",
            "test.cfg:2: dataplane.listeners[0].address: on none of the interfaces",
            "test.cfg:3: dataplane.listeners[1].protocol: needs a certificate, and there is none; expected "
            "dataplane.tls.certificates with a chain and its key",
            "test.cfg:5: dataplane.listeners[3]: the same as an earlier one",
            "test.cfg:5: dataplane.ring_cells: not a power of two",
            "test.cfg:6: dataplane.routes[0].gateway: in no connected network",
            "test.cfg:7: dataplane.routes[1].network: \"192.0.2.1/24\"; expected a network without host bits",
            /* its network was refused, so that the gateway stands alone */
            "test.cfg:7: dataplane.routes[1].gateway: of another address family");
    REFUSED(
        "dataplane: { ports = ( { device = \"a\"; interfaces = ( { addresses = [ \"10.0.0.2\" ]; } ); },\n"
        "{ device = \"a\"; interfaces = ( { addresses = [ \"10.0.0.2/24\", \"224.0.0.1/24\" ]; mtu = 500; "
        "gateway4 = \"10.0.1.1\"; "
        "gateway6 = \"10.0.0.1\"; },\n{ addresses = [ \"10.0.0.2/8\" ]; } ); },\n{ device = \"b\"; }, { "
        "device = \"c\"; interfaces = (); "
        "} ); };",
        "test.cfg:1: dataplane.ports[0].interfaces[0].addresses[0]: \"10.0.0.2\"; expected an address with "
        "its prefix",
        "test.cfg:4: dataplane.ports[2].interfaces: missing",
        "test.cfg:4: dataplane.ports[3].interfaces: 0 elements; expected 1 to 32 of them",
        "test.cfg:2: dataplane.ports[1].device: used twice",
        "test.cfg:2: dataplane.ports[1].interfaces[0].addresses[1]: not a host's address",
        "test.cfg:2: dataplane.ports[1].interfaces[0].mtu: too small; expected 0 or 576",
        "test.cfg:2: dataplane.ports[1].interfaces[0].gateway4: in none",
        "test.cfg:2: dataplane.ports[1].interfaces[0].gateway6: of the other",
        "test.cfg:2: dataplane.ports[1].interfaces[1].vlan: used twice",
        "test.cfg:2: dataplane.ports[1].interfaces[1].addresses[0]: used twice");
}

#define ROUTE(rest)                                                                                          \
    "cluster: { routes = ( { name = \"r\"; pattern = \"1*\"; next_hop = \"gw\"; " rest " } ); };"

/* L12-L16, L20, ZZ04 and the ranges of section L. */
static void brief_forms(void **state)
{
    (void)state;
    struct hg_config *c = parse(
        PORT "listeners = [ \"10.0.0.2\", \"[2001:db8::2]:5070\" ]; };\n"
             "cluster: { neighbours = ( \"gw.example.com\", { host = \"10.0.0.7\"; rate = 3; } ); };\n");
    if (c == NULL)
        fail_msg("%s", errors);
    assert_int_equal(c->listeners[0].ep.port, 5060);
    assert_int_equal(c->listeners[1].ep.port, 5070);
    assert_int_equal(c->listeners[1].ep.proto, HG_UDP);
    assert_string_equal(c->neighbours[0].host, "gw.example.com");
    assert_int_equal(c->neighbours[1].rate, 3);
    hg_config_free(c);
    REFUSED(PORT "listeners = [ \"host:5060\" ]; };",
            "test.cfg:2: dataplane.listeners[0]: \"host:5060\"; expected an endpoint such as",
            "test.cfg:2: dataplane.listeners[0].address: on none");
}

static void route_rules(void **state)
{
    (void)state;
    struct hg_config *c = parse(ROUTE("priority = 65535; weight = 1; port = 0;"));
    assert_non_null(c);
    hg_config_free(c);
    REFUSED(ROUTE("priority = 0;"), "cluster.routes[0].priority: 0; expected an integer from 1 to 65535");
    REFUSED(ROUTE("weight = 65536;"), "cluster.routes[0].weight: 65536; expected an integer from 1 to 65535");
    REFUSED(ROUTE("protocol = \"sctp\";"),
            "cluster.routes[0].protocol: \"sctp\"; expected one of udp|tcp|tls");
    c = parse(ROUTE("protocol = \"UDP\"; type = \"Domain\";"));
    assert_non_null(c);
    assert_int_equal(c->routes[0].proto, HG_UDP);
    assert_int_equal(c->routes[0].type, HG_ROUTE_DOMAIN);
    hg_config_free(c);
    REFUSED(ROUTE("type = \"host\";"), "cluster.routes[0].type: \"host\"; expected one of user|domain");
    REFUSED(
        "cluster: { routes = ( { name = \"r\"; pattern = \"74..7867890*\"; next_hop = \"5.6.7.8.9\"; } ); };",
        "cluster.routes[0].next_hop: \"5.6.7.8.9\"; expected");
    REFUSED("cluster: { routes = ( { name = \"r\"; pattern = \"1*\"; next_hop = \"10.0.0.1\"; port = 0; },\n"
            "{ name = \"r\"; pattern = \"1*2\"; next_hop = \"_sip._udp.a.b\"; }, 5 ); };",
            "test.cfg:1: cluster.routes[0].port: 0 with an address as next hop",
            "test.cfg:2: cluster.routes[1].pattern: ",
            "test.cfg:2: cluster.routes[1].port: a port with a DNS-SRV name",
            "test.cfg:2: cluster.routes[1].name: used twice",
            "test.cfg:2: cluster.routes[2]: 5; expected a group { ... }");
}

/* L02, L10: 255 characters are the limit. L03: the 101st route with one pattern. */
static void route_limits(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    for (int n = 255; n <= 256; n++) {
        FILE *f = open_memstream(&text, &size);
        fprintf(f,
                "cluster: { routes = ( { name = \"r\"; next_hop = \"gw\"; pattern = \"%0*d\"; description = "
                "\"%0*d\"; } ); };",
                n, 1, n, 1);
        fclose(f);
        struct hg_config *c = parse(text);
        if ((c != NULL) != (n == 255))
            fail_msg("%d characters: %s", n, errors);
        hg_config_free(c);
        free(text);
    }
    for (int n = 100; n <= 101; n++) {
        FILE *f = open_memstream(&text, &size);
        fprintf(f, "cluster: { routes = (");
        for (int i = 0; i < n; i++)
            fprintf(f, "%s\n{ name = \"r%d\"; next_hop = \"gw\"; pattern = \"1*\"; }", i ? "," : "", i);
        fprintf(f, "); };");
        fclose(f);
        struct hg_config *c = parse(text);
        assert_int_equal(c != NULL, n == 100);
        if (c == NULL)
            assert_non_null(strstr(
                errors, "test.cfg:102: cluster.routes[100].pattern: the 101st route with this pattern"));
        hg_config_free(c);
        free(text);
    }
}

/* K03, K06, L21 and what the other lists ask. */
static void cluster_rules(void **state)
{
    (void)state;
    REFUSED("cluster: { id = \"a_b\"; srv_name = \"sip.example.com:5061\"; domain = \"\"; }; ",
            "cluster.id: \"a_b\"; expected", "cluster.srv_name: \"sip.example.com:5061\"; expected",
            "cluster.domain: \"\"; expected");
    REFUSED("cluster: { route_embed_templates = [ \"1.x\", \"2.x\", \"3.x\", \"4.x\", \"5.x\", \"6.x\" ]; };",
            "cluster.route_embed_templates: 6 elements; expected 0 to 5 of them");
    REFUSED("cluster: { nodes = ( { name = \"node1\"; sip = \"10.0.0.1:5060\"; },\n{ name = \"b\"; sip = "
            "\"b:5060\"; },\n{ name = \"b\"; sip = "
            "\"10.0.0.1:5060/tcp\"; } ); neighbours = ( { host = \"a\"; burst = 3; }, { host = "
            "\"5.6.7.8.9\"; } ); sip: { t1 = 5000; }; };",
            "cluster.nodes[1].sip: \"b:5060\"; expected an endpoint",
            "cluster.neighbours[1].host: \"5.6.7.8.9\"; expected",
            "cluster.sip.t1: longer than cluster.sip.t2", "cluster.nodes[0].name: this node itself",
            "cluster.nodes[2].name: used twice", "cluster.nodes[2].sip: a transport",
            "cluster.neighbours[0].burst: set without a rate");
}

/* D29-D35: what one node of several must say. */
static void ha_rules(void **state)
{
    (void)state;
    struct hg_config *c = parse("node: { address = \"192.0.2.1:7946\"; }; cluster: { secret = \"s\"; };");
    assert_non_null(c);
    assert_int_equal(c->ha_heartbeat_interval_ms * 2 <= c->ha_heartbeat_timeout_ms, true);
    assert_int_equal(c->ha_heartbeat_timeout_ms * 2 <= c->ha_init_timeout_ms, true);
    hg_config_free(c);
    REFUSED("node: { address = \"192.0.2.1:7946\"; };", "cluster.secret: empty, but node.address");
    REFUSED("node: { address = \"192.0.2.1\"; };", "node.address: \"192.0.2.1\"; expected");
    REFUSED("node: { address = \"192.0.2.1:1/tcp\"; };", "node.address: \"192.0.2.1:1/tcp\"; expected");
    REFUSED("cluster: { ha: { relogin_lower = 961; }; };", "cluster.ha.relogin_lower: above");
}

/* K12: presence updates are not throttled as long as there is no presence; nothing pretends that they are. */
static void what_is_not_built_is_no_item(void **state)
{
    (void)state;
    REFUSED("cluster: { presence: { throttle_rate = 10; }; };", "cluster.presence: unknown");
}

static void not_even_libconfig(void **state)
{
    (void)state;
    REFUSED("node: {\n name = ;\n};", "test.cfg:2: ");
    REFUSED("node: { name = \"a\";\n name = \"b\"; };", "test.cfg:2: ");
    REFUSED("/* @include */ # @include\n@include \"/etc\"\n",
            "test.cfg:2: @include; expected everything in this one file");
    char *deep = malloc(60001);
    memset(deep, '(', 60000);
    memcpy(deep, "a =", 3);
    deep[60000] = 0;
    assert_null(parse(deep));
    assert_string_not_equal(errors, "");
    free(deep);
    assert_null(hg_config_parse("a\0b", 3, "x", NULL));
}

/* libconfig alone cuts an integer without the suffix L to 32 bits: 4294967796 would be 500. */
static void integers_are_not_cut(void **state)
{
    (void)state;
    REFUSED("# 1\ncluster: { sip: { t1 = 4294967796; }; };",
            "test.cfg:2: cluster.sip.t1: 4294967796; expected an integer from 10 to 10000 ms");
    REFUSED("cluster: { sip: { t2 = 99999999999;\nt4 = 0x1000001388; }; };",
            "test.cfg:1: cluster.sip.t2: 99999999999;", "test.cfg:2: cluster.sip.t4: 68719481736;");
    REFUSED("cluster: { sip: { t1 = -4294966796; }; };", "cluster.sip.t1: -4294966796;");
    REFUSED("cluster: { sip: { t1 = 99999999999999999999; }; };",
            "cluster.sip.t1: an integer beyond 64 bits;");
    REFUSED("cluster: { sip: { t1 = 0x100000000000001F4L; }; };",
            "cluster.sip.t1: an integer beyond 64 bits;");
    REFUSED("cluster: { sip: { t1 = 12345678901.5; }; };", "cluster.sip.t1: 1.23457e+10;");
    REFUSED("cluster: { neighbours = ( { host = \"a\"; rate = 4294967300; } ); };",
            "cluster.neighbours[0].rate: 4294967300;");
    struct hg_config *c =
        parse("/*/ 4294967796 \" */ node: { name = \"n4294967796\"; capacity = 100000000; };\n"
              "// 4294967796\n# 4294967796\n"
              "cluster: { sip: { t1=0x1F4; t2 = 4000L; t4 = +5000; }; };");
    if (c == NULL)
        fail_msg("%s", errors);
    assert_string_equal(c->node_name, "n4294967796");
    assert_int_equal(c->node_capacity, 100000000);
    assert_int_equal(c->sip_t1_ms, 500);
    assert_int_equal(c->sip_t2_ms, 4000);
    assert_int_equal(c->sip_t4_ms, 5000);
    hg_config_free(c);
    REFUSED("/*/ \" */\n@include \"/etc\"\n", "test.cfg:2: @include; expected everything in this one file");
}

/* What is no UTF-8 could not be shown by hgctl: it would be missing there. */
static void texts_are_utf8(void **state)
{
    (void)state;
#define DESCRIBED(text)                                                                                      \
    PORT "}; cluster: { routes = ( { name = \"a\"; pattern = \"1*\"; next_hop = \"10.0.0.5\"; protocol = "   \
         "\"udp\";\n"                                                                                        \
         "description = \"" text "\"; } ); };"
    static const char *const bad[] = {
        DESCRIBED("Z\xfcrich"),           DESCRIBED("\xc3"),         DESCRIBED("\xc0\xaf"),
        DESCRIBED("\xe0\x80\xaf"),        DESCRIBED("\xed\xa0\x80"), DESCRIBED("\xf4\x90\x80\x80"),
        DESCRIBED("\xf8\x88\x80\x80\x80")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        REFUSED(bad[i], "description");
    struct hg_config *c = parse(DESCRIBED("Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x93\x9e"));
    assert_non_null(c);
    hg_config_free(c);
#undef DESCRIBED
}

static void files_that_are_none(void **state)
{
    (void)state;
    assert_null(hg_config_load("/nonexistent/heliograph.cfg", NULL));
    assert_null(hg_config_load("/", NULL));
    assert_null(hg_config_load("/dev/zero", NULL));
    char name[] = "/tmp/hg-test-XXXXXX";
    int fd = mkstemp(name);
    assert_int_equal(write(fd, "node: { name = \"n7\"; };", 23), 23);
    close(fd);
    struct hg_config *c = hg_config_load(name, stderr);
    assert_non_null(c);
    assert_string_equal(c->node_name, "n7");
    hg_config_free(c);
    unlink(name);
}

static void cpu_lists(void **state)
{
    (void)state;
    uint16_t cpus[HG_CORES_MAX];
    assert_int_equal(hg_config_cpus("2-5,8", cpus), 5);
    assert_int_equal(cpus[0], 2);
    assert_int_equal(cpus[4], 8);
    assert_int_equal(hg_config_cpus("0", cpus), 1);
    assert_int_equal(hg_config_cpus("0-63", cpus), 64);
    static const char *const bad[] = {"",     "a",  "1,", ",1",   "1-",   "5-2",         "1,1",
                                      "0-64", "1 ", "-1", "1--2", "1024", "99999999999", "1-2-3"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (hg_config_cpus(bad[i], cpus) != -1)
            fail_msg("%s taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(empty_file_is_all_defaults, drop_errors),
        cmocka_unit_test_teardown(defaults_of_the_requirements, drop_errors),
        cmocka_unit_test_teardown(defaults_are_valid, drop_errors),
        cmocka_unit_test_teardown(everything_loads, drop_errors),
        cmocka_unit_test_teardown(all_errors_at_once_with_lines, drop_errors),
        cmocka_unit_test_teardown(unknown_names_get_a_hint, drop_errors),
        cmocka_unit_test_teardown(listeners_have_services, drop_errors),
        cmocka_unit_test_teardown(listeners_of_tls, drop_errors),
        cmocka_unit_test_teardown(network_rules, drop_errors),
        cmocka_unit_test_teardown(brief_forms, drop_errors),
        cmocka_unit_test_teardown(route_rules, drop_errors),
        cmocka_unit_test_teardown(route_limits, drop_errors),
        cmocka_unit_test_teardown(cluster_rules, drop_errors),
        cmocka_unit_test_teardown(ha_rules, drop_errors),
        cmocka_unit_test_teardown(what_is_not_built_is_no_item, drop_errors),
        cmocka_unit_test_teardown(not_even_libconfig, drop_errors),
        cmocka_unit_test_teardown(integers_are_not_cut, drop_errors),
        cmocka_unit_test_teardown(texts_are_utf8, drop_errors),
        cmocka_unit_test_teardown(files_that_are_none, drop_errors),
        cmocka_unit_test(cpu_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
