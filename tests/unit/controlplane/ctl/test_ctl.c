/* SPDX-License-Identifier: BSD-2-Clause */
/* hgctl from its command line to its exit status, against a server that says what the case wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl_rig.h"

static void asked(const char *want)
{
    json_t *got = json_loads(server.requests, JSON_DISABLE_EOF_CHECK, NULL),
           *wanted = json_loads(want, 0, NULL);
    assert_non_null(wanted);
    if (!json_equal(got, wanted))
        fail_msg("asked %s, expected %s", server.requests, want);
    json_decref(got);
    json_decref(wanted);
}

#define STATUS(ready, reasons)                                                                               \
    "{\"ok\":true,\"result\":{\"ready\":" ready ",\"reasons\":[" reasons                                     \
    "],\"node\":\"n1\",\"dataplane\":{\"attached\":true,"                                                    \
    "\"runs\":true,\"ready\":true,\"cores\":2},\"redis\":{\"connected\":true,\"role\":\"master\","           \
    "\"address\":\"a:1\"},"                                                                                  \
    "\"users\":7,\"alarms\":[\"AOF off\"]}}\n"

static void status_tells_readiness(void **state)
{
    (void)state;
    assert_int_equal(ASK("status", STATUS("true", "")), CTL_DONE);
    asked("{\"v\":1,\"cmd\":\"status\",\"args\":{}}");
    has(out_text, "ready\n");
    has(out_text, "2 cores, ");
    has(out_text, "0 replicas\n");
    has(out_text, "ALARM        AOF off");
    assert_int_equal(ASK("status", STATUS("false", "\"no dataplane\"")), CTL_NOT_READY);
    has(out_text, "not ready\n");
    has(out_text, "because      no dataplane");
    assert_int_equal(ASK("--json status", STATUS("false", "")), CTL_NOT_READY);
    json_t *j = json_loads(out_text, 0, NULL);
    assert_true(json_is_false(json_object_get(j, "ready")));
    json_decref(j);
}

#define ROUTE                                                                                                \
    "{\"ok\":true,\"result\":{\"route\":{\"name\":\"gw1\",\"pattern\":\"1*\",\"weight\":20,\"block\":false," \
    "\"description\":\"\"}}}\n"

static void routes_are_described_by_options(void **state)
{
    (void)state;
    assert_int_equal(
        ASK("route add gw1 --pattern 1* --next-hop gw --protocol UDP --weight 20 --block false --no-wait",
            ROUTE),
        0);
    asked("{\"v\":1,\"cmd\":\"route.add\",\"args\":{\"route\":{\"name\":\"gw1\",\"pattern\":\"1*\",\"next_"
          "hop\":\"gw\","
          "\"protocol\":\"udp\",\"weight\":20,\"block\":false},\"wait\":false}}");
    has(out_text, "weight        20");
    assert_null(strstr(out_text, "description"));
    assert_string_equal(err_text, "");
    assert_int_equal(ASK("route add gw1 1* gw",
                         "{\"ok\":true,\"result\":{\"route\":{\"name\":\"gw1\",\"in_service\":true,\"state\":"
                         "\"out_of_service\",\"reason\":\"no transport\"}}}\n"),
                     0);
    assert_string_equal(err_text, "warning: no request takes route gw1: no transport\n");
    assert_int_equal(ASK("route add gw1 1* gw --pattern 1* --in-service true --in-service true", ROUTE), 0);
    assert_int_equal(ASK("route add gw1 1* gw --port=0", ROUTE), 0);
    asked("{\"v\":1,\"cmd\":\"route.add\",\"args\":{\"route\":{\"name\":\"gw1\",\"pattern\":\"1*\",\"next_"
          "hop\":\"gw\",\"port\":0}}}");
    assert_int_equal(ASK("set cluster.sip.t1 -5", "{\"ok\":false,\"error\":\"expected an integer\"}\n"),
                     CTL_REFUSED);
    asked("{\"v\":1,\"cmd\":\"config.set\",\"args\":{\"path\":\"cluster.sip.t1\",\"value\":\"-5\"}}");
    assert_int_equal(ASK("route set gw1 --in-service false", ROUTE), 0);
    asked("{\"v\":1,\"cmd\":\"route.set\",\"args\":{\"name\":\"gw1\",\"route\":{\"in_service\":false}}}");
    assert_int_equal(ASK("route remove gw1", "{\"ok\":true,\"result\":{\"removed\":\"gw1\"}}\n"), 0);
    assert_string_equal(out_text, "removed gw1\n");
}

static void lists_are_tables(void **state)
{
    (void)state;
    assert_int_equal(ASK("route list --source FILE",
                         "{\"ok\":true,\"result\":{\"routes\":[{\"name\":\"gw1\",\"pattern\":\"1919*\","
                         "\"port\":5060,\"state\":\"in_service\","
                         "\"requests\":12,\"reason\":\"a\\u001b[2Jb\"}]}}\n"),
                     0);
    asked("{\"v\":1,\"cmd\":\"route.list\",\"args\":{\"source\":\"file\"}}");
    has(out_text, "NAME  PATTERN");
    has(out_text, "gw1   1919*");
    has(out_text, "a?[2Jb"); /* nobody steers the terminal */
    assert_int_equal(ASK("hop list", "{\"ok\":true,\"result\":{\"hops\":[{\"endpoint\":\"10.0.0.1:5060/"
                                     "udp\",\"state\":\"down\",\"routes\":[\"a\",\"b\"]}]}}\n"),
                     0);
    has(out_text, "10.0.0.1:5060/udp  down");
    has(out_text, "a,b\n");
    assert_int_equal(
        ASK("core list",
            "{\"ok\":true,\"result\":{\"cores\":[{\"core\":0,\"alive\":true,\"busy\":0.25}]}}\n"),
        0);
    has(out_text, "0.25");
    assert_int_equal(ASK("route explain sip:1@a",
                         "{\"ok\":true,\"result\":{\"verdict\":\"static\",\"text\":\"gw1 "
                         "wins\",\"user_node\":null,\"routes\":[{\"name\":\"gw1\","
                         "\"wins\":true,\"share\":66.7,\"text\":\"longest\"}]}}\n"),
                     0);
    has(out_text, "gw1 wins\n");
    has(out_text, "66.70");
    assert_int_equal(ASK("config diff", "{\"ok\":true,\"result\":{\"items\":[]}}\n"), 0);
    assert_string_equal(out_text, "the file is what runs\n");
    assert_int_equal(
        ASK("config reload", "{\"ok\":true,\"result\":{\"applied\":[\"a.b\"],\"restart\":[\"c.d\"]}}\n"), 0);
    assert_string_equal(out_text, "applied a.b\ntakes a restart: c.d\n");
    assert_int_equal(ASK("drain --wait --retry-after 5",
                         "{\"progress\":{\"done\":1,\"total\":2,\"what\":\"t\"}}\n{\"ok\":"
                         "true,\"result\":{\"draining\":true,\"transactions\":0}}\n"),
                     0);
    asked("{\"v\":1,\"cmd\":\"drain\",\"args\":{\"wait\":true,\"retry_after_s\":5}}");
    has(out_text, "503");
    assert_int_equal(
        ASK("version",
            "{\"ok\":true,\"result\":{\"version\":\"0.1.0\",\"protocol\":1,\"dataplane\":null}}\n"),
        0);
    assert_int_equal(ASK("user find a@b", "{\"ok\":true,\"result\":{\"user\":\"a@b\",\"node\":\"n2\"}}\n"),
                     0);
    has(out_text, "n2");
    assert_int_equal(
        ASK("config show", "{\"ok\":true,\"result\":{\"items\":[{\"path\":\"a.b\",\"value\":\"1\"}]}}\n"), 0);
    has(out_text, "a.b");
}

static void refusals(void **state)
{
    (void)state;
    assert_int_equal(ASK("config reload",
                         "{\"ok\":false,\"code\":\"bad_request\",\"error\":\"2 errors\",\"hint\":\"mend "
                         "it\",\"errors\":[\"x:1: a\",\"x:2: b\"]}\n"),
                     CTL_REFUSED);
    assert_string_equal(err_text, "hgctl: 2 errors\n  x:1: a\n  x:2: b\n  hint: mend it\n");
    assert_string_equal(out_text, "");
    assert_int_equal(
        ASK("node unassign n1",
            "{\"ok\":false,\"code\":\"conflict\",\"error\":\"it has users\",\"hint\":\"a\",\"findings\":["
            "{\"text\":\"it has users\",\"allow\":\"a\",\"warning\":false},"
            "{\"text\":\"ha is on\",\"allow\":\"b\",\"warning\":false},"
            "{\"text\":\"it is far\",\"allow\":\"c\",\"warning\":true}]}\n"),
        CTL_REFUSED);
    assert_string_equal(err_text, "hgctl: it has users\n  hint: a\nhgctl: also: ha is on\n  hint: b\n");
    assert_int_equal(
        ASK("user remove a@b --json", "{\"ok\":false,\"code\":\"not_found\",\"error\":\"no such user\"}\n"),
        CTL_REFUSED);
    has(out_text, "\"not_found\"");
}

/* What was changed is not called refused. */
static void kept_and_late(void **state)
{
    (void)state;
    assert_int_equal(ASK("route remove gw1",
                         "{\"ok\":false,\"code\":\"late\",\"error\":\"core 1 has not applied it "
                         "within 8 s\",\"hint\":\"the change is kept\"}\n"),
                     CTL_LATE);
    has(err_text, "the change is kept");
    assert_int_equal(ASK("route remove gw1", "{\"ok\":false,\"code\":\"unavailable\",\"error\":\"no\"}\n"),
                     CTL_REFUSED);
}

#define CHECK(verdict, advice)                                                                               \
    "{\"check\":\"c\",\"verdict\":\"" verdict "\",\"text\":\"t\",\"advice\":" advice "}"

/* Z10: three words, and an exit status for what does not work only. */
static void advice_is_no_failure(void **state)
{
    (void)state;
    assert_int_equal(
        ASK("troubleshoot", "{\"ok\":true,\"result\":{\"bad\":0,\"advised\":1,\"checks\":[" CHECK(
                                "ok", "null") "," CHECK("advice", "\"do it\"") "]}}\n"),
        CTL_DONE);
    assert_string_equal(out_text, "OK     c                  t\nADVICE c                  t\n"
                                  "                          to do: do it\n");
    assert_int_equal(
        ASK("troubleshoot", "{\"ok\":true,\"result\":{\"bad\":1,\"advised\":0,\"checks\":[" CHECK(
                                "bad", "\"do it\"") "]}}\n"),
        CTL_NOT_READY);
    has(out_text, "BAD    c ");
    assert_int_equal(ASK("node list",
                         "{\"ok\":true,\"result\":{\"nodes\":[],\"findings\":["
                         "{\"text\":\"small\",\"rule\":\"r\",\"allow\":\"a\",\"bad\":false},"
                         "{\"text\":\"large\",\"rule\":\"r\",\"allow\":\"a\",\"bad\":true}]}}\n"),
                     CTL_DONE);
    has(err_text, "warning: large (r)");
    assert_null(strstr(err_text, "small"));
    has(out_text, "advice: 1; hgctl troubleshoot has it");
}

static void servers_that_are_none(void **state)
{
    (void)state;
    assert_int_equal(run("--socket /nonexistent/sock status"), CTL_UNREACHABLE);
    has(err_text, "/nonexistent/sock: No such file");
    assert_int_equal(ASK("status", "HTTP/1.1 400 Bad Request\r\n"), CTL_UNREACHABLE);
    assert_int_equal(ASK("status", "{\"ok\":true"), CTL_UNREACHABLE); /* closed within a line */
    assert_int_equal(ASK("status", "[1]\n"), CTL_UNREACHABLE);
    assert_int_equal(ASK("--timeout 0.2 status", ""), CTL_UNREACHABLE);
    has(err_text, "no answer in time");
}

static void wrong_usage(void **state)
{
    (void)state;
    static const char *const lines[] = {"",
                                        "frobnicate",
                                        "route",
                                        "route frob",
                                        "--frob status",
                                        "status --frob",
                                        "status now",
                                        "route add",
                                        "route list --source x",
                                        "drain --retry-after",
                                        "drain --retry-after x",
                                        "drain --wait=1",
                                        "route set a --block maybe",
                                        "route add a 1* gw --pattern 2*",
                                        "user set a@x --contact sip:a@b --no-contact",
                                        "user set a@x --no-contact --contact sip:a@b",
                                        "--timeout x status",
                                        "--timeout 0 status",
                                        "--socket",
                                        "help frob"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        int status = run(lines[i]);
        if (status != CTL_USAGE || err_text[0] == 0)
            fail_msg("hgctl %s: %d, %s", lines[i], status, err_text);
    }
}

static void help_for_every_command(void **state)
{
    (void)state;
    assert_int_equal(run("route --help"), 0);
    has(out_text, "route explain");
    assert_int_equal(run("route"), CTL_USAGE);
    has(err_text, "route explain");
    assert_int_equal(run("--help"), 0);
    for (unsigned i = 0; i < ctl_commands_n; i++) {
        char line[64];
        has(out_text, ctl_commands[i].summary);
        snprintf(line, sizeof(line), "%s --help", ctl_commands[i].name);
        char *list = strdup(out_text);
        assert_int_equal(run(line), 0);
        has(out_text, ctl_commands[i].summary);
        has(out_text, "usage: hgctl ");
        snprintf(line, sizeof(line), "help %s", ctl_commands[i].name);
        assert_int_equal(run(line), 0);
        has(out_text, ctl_commands[i].summary);
        free(out_text);
        out_text = list;
    }
    assert_int_equal(run("help route"), 0);
    has(out_text, "route explain");
    assert_int_equal(run("--version"), 0);
}

#define SAMPLE(ms, v)                                                                                        \
    "{\"event\":{\"time_ms\":" ms ",\"counters\":[{\"name\":\"rx\",\"value\":" v                             \
    ",\"text\":\"frames\"},{\"name\":\"tx\",\"value\":5}]}}\n"

static void counters_once_and_watched(void **state)
{
    (void)state;
    assert_int_equal(ASK("counters rx* --per-core", "{\"ok\":true,\"result\":{\"counters\":[{\"name\":\"rx\","
                                                    "\"value\":9,\"cores\":[4,5],\"text\":\"frames\"}]}}\n"),
                     0);
    asked("{\"v\":1,\"cmd\":\"counters\",\"args\":{\"match\":\"rx*\",\"per_core\":true}}");
    has(out_text, "4,5");
    assert_int_equal(ASK("counters --watch --interval 500",
                         SAMPLE("1000", "10") SAMPLE("3000", "30") "{\"ok\":true,\"result\":{}}\n"),
                     0);
    has(out_text, "10.00"); /* per second */
    assert_int_equal(
        ASK("--json counters --watch", SAMPLE("1", "2") SAMPLE("3", "4") "{\"ok\":true,\"result\":{}}\n"), 0);
    has(out_text, "\"value\":2");
    has(out_text, "\"value\":4");
}

static void users_page_by_page(void **state)
{
    (void)state;
    const char *const pages[] = {"{\"ok\":true,\"result\":{\"users\":[{\"user\":\"a@x\",\"node\":\"n\"}],"
                                 "\"next\":\"a@x\",\"total\":2}}\n",
                                 "{\"ok\":true,\"result\":{\"users\":[{\"user\":\"b@x\",\"node\":\"n\"}],"
                                 "\"next\":null,\"total\":2}}\n",
                                 NULL};
    assert_int_equal(ask("user list --all", pages), 0);
    has(out_text, "a@x");
    has(out_text, "b@x");
    has(server.requests, "\"after\":\"a@x\"");
    assert_int_equal(ask("user list --limit 1", (const char *const[]){pages[0], NULL}), 0);
    has(out_text, "--after a@x");
}

static void routes_come_as_one_list(void **state)
{
    (void)state;
    const char *const pages[] = {"{\"ok\":true,\"result\":{\"routes\":[{\"name\":\"a\"}],\"next\":\"a\"}}\n",
                                 "{\"ok\":true,\"result\":{\"routes\":[{\"name\":\"b\"}],\"next\":null}}\n",
                                 NULL};
    assert_int_equal(ask("--json route list", pages), 0);
    assert_string_equal(out_text, "{\"routes\":[{\"name\":\"a\"},{\"name\":\"b\"}]}\n");
    has(server.requests, "\"after\":\"a\"");
}

/* "OPTIONS sip:a\r\n\x1b\r\n" */
#define EVENT(src, dst)                                                                                      \
    "{\"event\":{\"time_ms\":1700000000123.5,\"core\":1,\"direction\":\"in\",\"src\":\"" src                 \
    "\",\"dst\":\"" dst "\",\"length\":18,"                                                                  \
    "\"data\":\"T1BUSU9OUyBzaXA6YQ0KGw0K\"}}\n"
#define SEEN "{\"ok\":true,\"result\":{\"seen\":1,\"suppressed\":0}}\n"

static void trace_as_text(void **state)
{
    (void)state;
    assert_int_equal(
        ASK("trace --method OPTIONS --count 1", EVENT("10.0.0.1:5061/udp", "10.0.0.2:5060/udp") SEEN), 0);
    asked("{\"v\":1,\"cmd\":\"trace\",\"args\":{\"method\":\"OPTIONS\",\"count\":1}}");
    has(out_text, "core 1 in 10.0.0.1:5061/udp -> 10.0.0.2:5060/udp, 18 bytes\nOPTIONS sip:a\n\\x1b\n");
    assert_int_equal(ASK("trace", "{\"event\":{\"data\":\"!!!\"}}\n{\"event\":{}}\n" SEEN), 0);
}

static unsigned sum16(const uint8_t *p, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += i & 1 ? p[i] : (unsigned)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void trace_as_capture(void **state)
{
    (void)state;
    char line[128], file[64];
    uint8_t b[400];
    snprintf(file, sizeof(file), "/tmp/hg-ctl-test.%d.pcap", (int)getpid());
    snprintf(line, sizeof(line), "trace --pcap %s", file);
    assert_int_equal(ASK(line, EVENT("10.0.0.1:5061/udp", "10.0.0.2:5060/udp")
                                   EVENT("[2001:db8::1]:5061/udp", "[2001:db8::2]:5060/udp") SEEN),
                     0);
    FILE *f = fopen(file, "rb");
    size_t n = fread(b, 1, sizeof(b), f);
    fclose(f);
    unlink(file);
    assert_int_equal(n, 24 + 16 + 28 + 18 + 16 + 48 + 18);
    assert_memory_equal(b, "\xd4\xc3\xb2\xa1", 4);
    assert_int_equal(b[20], 101);
    const uint8_t *ip = b + 40;
    assert_int_equal(ip[0], 0x45);
    assert_int_equal(sum16(ip, 20), 0xffff);
    assert_int_equal(ip[20] << 8 | ip[21], 5061);
    /* the UDP checksum with its pseudo header */
    uint8_t pseudo[12 + 26];
    memcpy(pseudo, ip + 12, 8);
    memcpy(pseudo + 8, (uint8_t[]){0, 17, 0, 26}, 4);
    memcpy(pseudo + 12, ip + 20, 26);
    assert_int_equal(sum16(pseudo, sizeof(pseudo)), 0xffff);
    assert_memory_equal(ip + 28, "OPTIONS sip:a\r\n\x1b\r\n", 18);
    const uint8_t *ip6 = ip + 46 + 16;
    assert_int_equal(ip6[0], 0x60);
    uint8_t pseudo6[40 + 26] = {0};
    memcpy(pseudo6, ip6 + 8, 32);
    memcpy(pseudo6 + 32, (uint8_t[]){0, 0, 0, 26, 0, 0, 0, 17}, 8);
    memcpy(pseudo6 + 40, ip6 + 40, 26);
    assert_int_equal(sum16(pseudo6, sizeof(pseudo6)), 0xffff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_tells_readiness), cmocka_unit_test(routes_are_described_by_options),
        cmocka_unit_test(lists_are_tables),       cmocka_unit_test(refusals),
        cmocka_unit_test(kept_and_late),          cmocka_unit_test(advice_is_no_failure),
        cmocka_unit_test(servers_that_are_none),  cmocka_unit_test(wrong_usage),
        cmocka_unit_test(help_for_every_command), cmocka_unit_test(counters_once_and_watched),
        cmocka_unit_test(users_page_by_page),     cmocka_unit_test(routes_come_as_one_list),
        cmocka_unit_test(trace_as_text),          cmocka_unit_test(trace_as_capture),
    };
    return cmocka_run_group_tests(tests, NULL, ctl_rig_forget);
}
