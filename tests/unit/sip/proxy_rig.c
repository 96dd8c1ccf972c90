/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy_rig.h"

#include <rte_mempool.h>

#include "sip/sip.h"

struct rig rig;
const char *rig_listeners;
static char made[70000];
static char last_request[70000];

void rig_open(unsigned cores, const char *extra)
{
    static char config[4096];
    snprintf(config, sizeof(config),
             "node = { name = \"harness\"; };\n"
             "dataplane = { mbufs = 8192; users_max = 10000; contacts_max = 1000; transactions_max = 1024; "
             "routes_max = 1024;\n"
             "  ports = ( { device = \"net_ring\"; interfaces = (\n"
             "    { addresses = [ \"10.0.0.1/24\", \"fd00::1/64\" ]; gateway4 = \"10.0.0.254\"; } ); } );\n"
             "  listeners = ( { address = \"10.0.0.1\"; }, { address = \"fd00::1\"; }%s ); };\n"
             "cluster = { domain = \"example.com\"; access = [ \"10.0.0.0/24\", \"fd00::/64\" ];\n"
             "  probe = { enabled = false; };\n"
             "  sip = { %s }; };\n",
             rig_listeners ? rig_listeners : "",
             extra ? extra : "source_rate = 10000000; source_burst = 10000000;");
    memset(&rig, 0, sizeof(rig));
    rig.h = harness_open(&(struct harness_options){.config = config, .cores = cores, .virtual_clock = true});
    assert_non_null(rig.h);
    harness_settle(rig.h);
    harness_take_all(rig.h);
}

void rig_close(void)
{
    unsigned lost;
    harness_settle(rig.h);
    harness_take_all(rig.h);
    assert_int_equal(harness_sip_sum(rig.h), harness_counter(rig.h, HG_C_net_up_datagrams) +
                                                 harness_counter(rig.h, HG_C_sip_stream_messages));
    lost = rte_mempool_in_use_count(harness_pool(rig.h));
    for (unsigned i = 0; i < harness_core(rig.h, 0)->ctx.cores; i++) {
        lost += rte_mempool_in_use_count(harness_core(rig.h, i)->ctx.pool);
        lost += rte_mempool_in_use_count(harness_core(rig.h, i)->ctx.pool_big);
    }
    harness_close(rig.h);
    rig.h = NULL;
    assert_int_equal(lost, 0);
}

int rig_abandon(void **state)
{
    (void)state;
    if (rig.h)
        harness_close(rig.h);
    rig.h = NULL;
    return 0;
}

void rig_send_bytes(const char *from, const void *bytes, uint32_t len)
{
    harness_send_udp(rig.h, from, strchr(from, '[') ? "[fd00::1]:5060" : US, bytes, len);
    harness_settle(rig.h);
}

void rig_send(const char *from, const char *text)
{
    rig_send_bytes(from, text, (uint32_t)strlen(text));
}

void rig_send_to(const char *from, const char *to, const char *text)
{
    harness_send_udp(rig.h, from, to, text, (uint32_t)strlen(text));
    harness_settle(rig.h);
}

bool rig_next(void)
{
    char buf[HG_ENDPOINT_STRLEN];
    int n;
    do /* ARP and neighbour discovery are not looked at here */
        if (!harness_take(rig.h, &rig.packet))
            return false;
    while (!rig.packet.udp);
    assert_true(rig.packet.checksums_good);
    memcpy(rig.text, rig.packet.payload.p, rig.packet.payload.len);
    rig.text[rig.packet.payload.len] = 0;
    n = hg_ip_format(&rig.packet.dst.ip, buf);
    snprintf(rig.to, sizeof(rig.to), hg_ip_is4(&rig.packet.dst.ip) ? "%.*s:%u" : "[%.*s]:%u", n, buf,
             rig.packet.dst.port);
    if (strncmp(rig.text, "SIP/2.0", 7) != 0)
        strcpy(last_request, rig.text);
    return true;
}

void rig_expect(const char *to, const char *start)
{
    if (!rig_next())
        fail_msg("nothing left, expected %s to %s", start, to ? to : "anybody");
    if (strncmp(rig.text, start, strlen(start)) != 0)
        fail_msg("expected %s, got to %s:\n%s", start, rig.to, rig.text);
    if (to && strcmp(to, rig.to) != 0)
        fail_msg("%s expected at %s, went to %s", start, to, rig.to);
}

void rig_expect_nothing(void)
{
    if (rig_next())
        fail_msg("unexpected, to %s:\n%s", rig.to, rig.text);
}

void rig_has(const char *part)
{
    if (!strstr(rig.text, part))
        fail_msg("<%s> is missing in:\n%s", part, rig.text);
}

void rig_has_not(const char *part)
{
    if (strstr(rig.text, part))
        fail_msg("<%s> must not be in:\n%s", part, rig.text);
}

uint64_t rig_count(unsigned counter)
{
    return harness_counter(rig.h, counter);
}

struct hg_static_route rig_route(const char *name, const char *pattern, bool domain, const char *hop,
                                 uint16_t priority, bool stateful, bool parallel)
{
    struct hg_static_route r;
    hg_static_route_defaults(&r);
    strcpy(r.name, name);
    strcpy(r.pattern, pattern);
    strcpy(r.next_hop, hop);
    r.type = domain ? HG_ROUTE_DOMAIN : HG_ROUTE_USER;
    r.proto = HG_UDP;
    r.priority = priority;
    r.stateful = stateful;
    r.parallel = parallel;
    return r;
}

void rig_routes(const struct hg_static_route *routes, uint32_t n)
{
    assert_true(harness_routes(rig.h, routes, n));
}

const char *rig_request(const char *method, const char *uri, const char *id, const char *headers)
{
    snprintf(made, sizeof(made),
             "%s %s SIP/2.0\r\n"
             "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK%s\r\n"
             "%s"
             "From: <sip:alice@example.com>;tag=f%s\r\n"
             "To: <%s>%s\r\n"
             "Call-ID: %s@10.0.0.2\r\n"
             "CSeq: 1 %s\r\n"
             "%s"
             "Content-Length: 4\r\n"
             "\r\n"
             "body",
             method, uri, id, headers && strstr(headers, "Max-Forwards") ? "" : "Max-Forwards: 70\r\n", id,
             uri, headers && strncmp(headers, ";tag=", 5) == 0 ? headers : "", id, method,
             headers && strncmp(headers, ";tag=", 5) != 0 ? headers : "");
    return made;
}

static void copy_lines(char **out, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = last_request; (p = strstr(p, "\r\n")) != NULL;) {
        const char *end;
        p += 2;
        if (strncmp(p, name, n) != 0)
            continue;
        end = strstr(p, "\r\n");
        memcpy(*out, p, (size_t)(end - p));
        *out += end - p;
        **out = 0;
        if (strcmp(name, "To:") != 0)
            *out += sprintf(*out, "\r\n");
        else
            return;
    }
}

void rig_use_request(const char *request)
{
    strcpy(last_request, request);
}

const char *rig_answer(const char *status, const char *tag, const char *headers)
{
    char *p = made;
    p += sprintf(p, "SIP/2.0 %s\r\n", status);
    copy_lines(&p, "Via:");
    copy_lines(&p, "From:");
    copy_lines(&p, "To:");
    if (tag && !strstr(last_request, ";tag=x"))
        p += sprintf(p, ";tag=%s", tag);
    p += sprintf(p, "\r\n");
    copy_lines(&p, "Call-ID:");
    copy_lines(&p, "CSeq:");
    sprintf(p, "%sContent-Length: 0\r\n\r\n", headers ? headers : "");
    return made;
}

void rig_serial(unsigned hops, bool parallel)
{
    struct hg_static_route r[3];
    static const char *const hop[] = {"10.0.0.20", "10.0.0.30", "10.0.0.40"};
    rig_open(1, NULL);
    for (unsigned i = 0; i < hops; i++) {
        char name[16];
        snprintf(name, sizeof(name), "r%u", i);
        r[i] = rig_route(name, "far.example.org", true, hop[i], parallel ? 1 : (uint16_t)(i + 1), true,
                         parallel);
    }
    rig_routes(r, hops);
}

void rig_nothing_left(void)
{
    harness_advance_ms(rig.h, 70000);
    while (rig_next())
        ;
    harness_run(rig.h, 600);
    assert_int_equal(rig_count(HG_C_sip_server_transactions), 0);
    assert_int_equal(rig_count(HG_C_sip_client_transactions), 0);
    assert_int_equal(rig_count(HG_C_sip_kept_bytes), 0);
    rig_close();
}
