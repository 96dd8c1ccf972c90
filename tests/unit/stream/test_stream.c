/* SPDX-License-Identifier: BSD-2-Clause */
/* The narrow waist over a TCP that only remembers what it was told: where it listens, who gets an event, what
 * happens to connections of an address that is gone, and the echo service. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "hg/config.h"
#include "stream/echo.h"
#include "stream/stream.h"

#include "../eal.h"

/* ---- TCP ---- */
struct tcp {
    unsigned nlisten, nevents, nconns, killed, closed;
    struct hg_endpoint listen[64];
    uint16_t listener[64];
    bool fenced[64];
    uint32_t most[64];
    struct tcp_event event[16];
    struct tcp_info conn[600];
    bool dead[600];
    char in[20000], out[20000];
    uint32_t nin, nout, room, cookie;
};
static struct tcp tcp;

bool tcp_listen(struct tcp *t, const struct hg_endpoint *ep, uint16_t listener,
                const struct tcp_listen_options *options)
{
    t->listen[t->nlisten] = *ep;
    t->listener[t->nlisten] = listener;
    t->most[t->nlisten] = options->connections_max;
    t->fenced[t->nlisten++] = options->fenced;
    return true;
}

static int at_of(const struct tcp *t, const struct hg_endpoint *ep)
{
    for (unsigned i = 0; i < t->nlisten; i++)
        if (hg_endpoint_eq(&t->listen[i], ep))
            return (int)i;
    return -1;
}

void tcp_unlisten(struct tcp *t, const struct hg_endpoint *ep)
{
    int at = at_of(t, ep);
    assert_true(at >= 0);
    t->nlisten--;
    t->listen[at] = t->listen[t->nlisten];
    t->listener[at] = t->listener[t->nlisten];
    t->fenced[at] = t->fenced[t->nlisten];
}

unsigned tcp_events(struct tcp *t, const struct tcp_event **events)
{
    unsigned n = t->nevents;
    *events = t->event;
    t->nevents = 0;
    return n;
}

tcp_id tcp_connect(struct tcp *t, const struct hg_endpoint *local, const struct hg_endpoint *remote,
                   uint32_t cookie)
{
    (void)local, (void)remote;
    t->cookie = cookie;
    return 77;
}

bool tcp_info(const struct tcp *t, tcp_id id, struct tcp_info *out)
{
    *out = (struct tcp_info){.id = id, .cookie = t->cookie, .listener = TCP_LISTENER_NONE};
    return id == 77;
}

void tcp_set_cookie(struct tcp *t, tcp_id id, uint32_t cookie)
{
    assert_int_equal(id, 77);
    t->cookie = cookie;
}

bool tcp_walk(const struct tcp *t, uint32_t *at, uint32_t look, struct tcp_info *out, unsigned max,
              unsigned *found)
{
    for (*found = 0; *at < t->nconns && look && *found < max; (*at)++, look--)
        out[(*found)++] = t->conn[*at];
    return *at < t->nconns;
}

void tcp_kill(struct tcp *t, tcp_id id)
{
    assert_false(t->dead[id]);
    t->dead[id] = true;
    t->killed++;
}

unsigned tcp_peek(struct tcp *t, tcp_id id, struct slice *out, unsigned max)
{
    (void)id;
    unsigned n = 0;
    for (uint32_t at = 0; at < t->nin && n < max; at += 100) /* in pieces */
        out[n++] = (struct slice){t->in + at, t->nin - at < 100 ? t->nin - at : 100};
    return n;
}

void tcp_consume(struct tcp *t, tcp_id id, uint32_t bytes)
{
    (void)id;
    assert_true(bytes <= t->nin);
    t->nin -= bytes;
    memmove(t->in, t->in + bytes, t->nin);
}

uint32_t tcp_readable(const struct tcp *t, tcp_id id)
{
    (void)id;
    return t->nin;
}

uint32_t tcp_write(struct tcp *t, tcp_id id, const struct slice *in, unsigned n)
{
    (void)id;
    uint32_t took = 0;
    for (unsigned i = 0; i < n && t->room; i++) {
        uint32_t k = in[i].len < t->room ? in[i].len : t->room;
        memcpy(t->out + t->nout, in[i].p, k);
        t->nout += k;
        t->room -= k;
        took += k;
    }
    return took;
}

void tcp_close(struct tcp *t, tcp_id id)
{
    (void)id;
    assert_int_equal(t->nin, 0); /* else it would be a reset */
    t->closed++;
}

/* What only TLS asks for, which has no connection here. */
void tcp_abort(struct tcp *t, tcp_id id)
{
    (void)t;
    (void)id;
    fail();
}

void tcp_flush(struct tcp *t, tcp_id id)
{
    tcp_abort(t, id);
}

void tcp_shutdown(struct tcp *t, tcp_id id)
{
    tcp_abort(t, id);
}

void tcp_want_writable(struct tcp *t, tcp_id id)
{
    tcp_abort(t, id);
}

uint32_t tcp_room(const struct tcp *t, tcp_id id)
{
    tcp_abort((struct tcp *)(uintptr_t)t, id);
    return 0;
}

/* ---- the room ---- */
static struct hg_config config;
static struct hg_config_listener listeners[4];
static struct ctx ctx = {.config = &config};
static struct stream *s;

static struct hg_ip ip(const char *text)
{
    struct hg_ip out;
    assert_true(hg_ip_parse(slice_str(text), &out));
    return out;
}

static struct hg_endpoint ep(const char *text, uint16_t port)
{
    return (struct hg_endpoint){.ip = ip(text), .port = port, .proto = HG_TCP};
}

static int open_room(void **state)
{
    (void)state;
    memset(&tcp, 0, sizeof(tcp));
    tcp.room = sizeof(tcp.out);
    listeners[0] = (struct hg_config_listener){.ep = ep("10.0.0.1", 5060)};
    listeners[0].ep.proto = HG_UDP;
    listeners[1] = (struct hg_config_listener){
        .ep = ep("10.0.0.1", 7), .service = HG_SERVICE_ECHO, .connections_max = 9};
    listeners[2] = (struct hg_config_listener){.ep = ep("fd00::1", 7), .service = HG_SERVICE_ECHO};
    listeners[3] = (struct hg_config_listener){.ep = ep("10.0.0.1", 5070)};
    config.listeners = listeners;
    config.nlisteners = 4;
    if (!test_eal_start())
        return -1;
    s = stream_create(&ctx, &tcp, NULL);
    return s ? 0 : -1;
}

static int close_room(void **state)
{
    (void)state;
    stream_destroy(s);
    return 0;
}

static void it_listens_where_it_should(void **state)
{
    (void)state;
    struct hg_endpoint e = ep("10.0.0.1", 7);
    assert_int_equal(tcp.nlisten, 3);
    assert_int_equal(at_of(&tcp, &listeners[0].ep), -1);
    assert_int_equal(tcp.listener[at_of(&tcp, &e)], 1);
    assert_int_equal(tcp.most[at_of(&tcp, &e)], 9);
    stream_drain(s, true);
    assert_int_equal(tcp.nlisten, 0);
    stream_drain(s, true);
    stream_drain(s, false);
    assert_int_equal(tcp.nlisten, 3);
}

/* On the ports of the configuration, each once; what is open on one that goes, ends, and nothing else. */
static void service_addresses_come_and_go(void **state)
{
    (void)state;
    struct hg_ip two[] = {ip("10.0.0.100"), ip("fd00::100")};
    struct hg_endpoint e = ep("10.0.0.100", 7);
    assert_true(stream_service_set(s, two, 2));
    assert_int_equal(tcp.nlisten, 3 + 4);
    assert_true(tcp.fenced[at_of(&tcp, &e)]);
    assert_int_equal(tcp.listener[at_of(&tcp, &e)], 1);
    assert_true(stream_service_set(s, two, 2));
    assert_int_equal(tcp.nlisten, 7);
    for (tcp.nconns = 0; tcp.nconns < 600; tcp.nconns++)
        tcp.conn[tcp.nconns] = (struct tcp_info){.id = tcp.nconns,
                                                 .local = tcp.nconns % 3 == 0   ? e
                                                          : tcp.nconns % 3 == 1 ? ep("fd00::100", 7)
                                                                                : ep("10.0.0.1", 7)};
    stream_housekeeping(s);
    assert_int_equal(tcp.killed, 0);
    assert_true(stream_service_set(s, two + 1, 1));
    assert_int_equal(tcp.nlisten, 5);
    for (unsigned i = 0; i < 100; i++)
        stream_housekeeping(s);
    assert_int_equal(tcp.killed, 200);
    for (unsigned i = 0; i < 600; i += 3)
        assert_true(tcp.dead[i]);
    stream_drain(s, true);
    assert_int_equal(tcp.nlisten, 0);
    assert_true(stream_service_set(s, two, 2));
    assert_int_equal(tcp.nlisten, 0);
    stream_drain(s, false);
    assert_int_equal(tcp.nlisten, 7);
}

static void events_find_their_service(void **state)
{
    (void)state;
    const struct stream_event *e;
    struct hg_endpoint any = {.proto = HG_TCP}, to = ep("10.0.0.9", 5060), udp = to;
    udp.proto = HG_UDP;
    assert_int_equal(stream_connect(s, HG_SERVICE_ECHO, &any, &udp, "", 1), 0);
    assert_int_equal(stream_connect(s, HG_SERVICE_ECHO, &any, &to, "", 0x0abcdef), 77);
    tcp.event[0] = (struct tcp_event){
        .id = 77, .cookie = tcp.cookie, .listener = TCP_LISTENER_NONE, .bits = TCP_EVENT_CONNECTED};
    tcp.event[1] =
        (struct tcp_event){.id = 5, .listener = 1, .bits = TCP_EVENT_ACCEPTED | TCP_EVENT_READABLE};
    tcp.event[2] = (struct tcp_event){
        .id = 6, .listener = 3, .bits = TCP_EVENT_FAILED | TCP_EVENT_CLOSED, .reason = TCP_REASON_RESET};
    tcp.nevents = 3;
    assert_int_equal(stream_events(s, &e), 3);
    assert_int_equal(e[0].service, HG_SERVICE_ECHO);
    assert_int_equal(e[0].cookie, 0x0abcdef);
    assert_int_equal(e[0].bits, STREAM_OPEN);
    assert_int_equal(e[1].service, HG_SERVICE_ECHO);
    assert_int_equal(e[1].bits, STREAM_OPEN | STREAM_READABLE);
    assert_int_equal(e[2].service, HG_SERVICE_SIP);
    assert_int_equal(e[2].bits, STREAM_FAILED | STREAM_CLOSED);
    assert_int_equal(e[2].reason, TCP_REASON_RESET);
    stream_set_cookie(s, 77, 5);
    tcp.event[0].cookie = tcp.cookie;
    tcp.nevents = 1;
    stream_events(s, &e);
    assert_int_equal(e[0].cookie, 5);
    assert_int_equal(e[0].service, HG_SERVICE_ECHO); /* the owner's cookie does not change whose it is */
}

/* ---- echo ---- */
static void echo(const char *text, uint32_t len, uint8_t bits)
{
    memcpy(tcp.in + tcp.nin, text, len);
    tcp.nin += len;
    echo_event(s, &(struct stream_event){
                      .id = 77, .cookie = tcp.cookie & STREAM_COOKIE_MAX, .bits = bits | STREAM_READABLE});
}

static void check_out(const char *text)
{
    assert_int_equal(tcp.nout, strlen(text));
    assert_memory_equal(tcp.out, text, tcp.nout);
    tcp.nout = 0;
}

static void echo_sends_back(void **state)
{
    (void)state;
    echo("", 0, STREAM_OPEN);
    echo("G", 1, 0);
    check_out("");
    echo("O", 1, 0);
    check_out("GO");
    echo("GET / HTTP/1.1\r\n\r\n", 18, 0); /* it has become an echo */
    check_out("GET / HTTP/1.1\r\n\r\n");
    tcp.room = 3;
    echo("abcdef", 6, STREAM_PEER_CLOSED);
    check_out("abc");
    assert_int_equal(tcp.closed, 0);
    tcp.room = 100;
    echo("", 0, STREAM_WRITABLE);
    check_out("def");
    assert_int_equal(tcp.closed, 1);
}

static const char answer[] = "HTTP/1.1 200 OK\r\nServer: heliograph\r\nContent-Type: "
                             "text/plain\r\nContent-Length: 11\r\n\r\nheliograph\n";

static void echo_answers_http(void **state)
{
    (void)state;
    static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    for (unsigned i = 0; i < sizeof(get) - 1; i++) { /* a byte at a time */
        check_out("");
        echo(get + i, 1, 0);
    }
    check_out(answer);
    char many[600] = "";
    for (unsigned i = 0; i < 3; i++)
        strcat(many, get);
    tcp.room = sizeof(answer) - 1 + 10; /* the second one does not fit */
    echo(many, (uint32_t)strlen(many), 0);
    assert_int_equal(tcp.nout, sizeof(answer) - 1 + 10);
    tcp.room = 10000;
    echo("", 0, STREAM_WRITABLE);
    assert_int_equal(tcp.nout, 3 * (sizeof(answer) - 1));
    assert_memory_equal(tcp.out + 2 * (sizeof(answer) - 1), answer, sizeof(answer) - 1);
    tcp.nout = 0;
    echo("HEAD / HTTP/1.0\r\n\r\n", 19, 0);
    assert_int_equal(tcp.nout, sizeof(answer) - 1 - 11);
    assert_int_equal(tcp.closed, 1);
}

static void echo_refuses_endless_heads(void **state)
{
    (void)state;
    char line[1000];
    memset(line, 'a', sizeof(line));
    echo("GET / HTTP/1.1\r\nX: ", 19, 0);
    for (unsigned i = 0; i < 7; i++)
        echo(line, 900, 0);
    assert_int_equal(tcp.closed, 1);
    assert_memory_equal(tcp.out, "HTTP/1.1 400", 12);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_room, close_room)
    const struct CMUnitTest tests[] = {
        CASE(it_listens_where_it_should), CASE(service_addresses_come_and_go),
        CASE(events_find_their_service),  CASE(echo_sends_back),
        CASE(echo_answers_http),          CASE(echo_refuses_endless_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
