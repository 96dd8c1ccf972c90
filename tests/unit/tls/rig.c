/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "hg/config.h"

static void other_contexts(struct rig *rig)
{
    rig->client = SSL_CTX_new(TLS_client_method());
    rig->server = SSL_CTX_new(TLS_server_method());
    assert_non_null(rig->client);
    assert_non_null(rig->server);
    assert_int_equal(SSL_CTX_load_verify_locations(rig->client, CERTS "root.pem", NULL), 1);
    SSL_CTX_set_verify(rig->client, SSL_VERIFY_PEER, NULL);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(rig->server, CERTS "server.pem"), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(rig->server, CERTS "server.key", SSL_FILETYPE_PEM), 1);
}

struct rig *rig_open(unsigned workers, void (*tweak)(struct tls_store_setup *, struct tls_setup *))
{
    struct rig *rig = calloc(1, sizeof(*rig));
    char error[TLS_ERROR] = "";
    struct tls_setup setup = {.connections_max = FAKE_CONNS,
                              .handshakes_max = 4,
                              .handshake_ms = 5000,
                              .kept_max = 65536,
                              .kept_total = 1 << 20};

    assert_non_null(rig);
    rig->store = (struct tls_store_setup){
        .certificates = 2,
        .certificate = {{CERTS "server.pem", CERTS "server.key", NULL},
                        {CERTS "wild.pem", CERTS "wild.key", NULL}},
        .trust = CERTS "root.pem",
        .tls12 = true,
        .ticket_s = 3600,
        .listeners = 3,
        .listener = {{.client_auth = TLS_AUTH_NONE},
                     {.client_auth = TLS_AUTH_ASK, .alpn = "sip,xmpp-client"},
                     {.client_auth = TLS_AUTH_REQUIRE, .alpn = "sip", .alpn_required = true}}};
    wheel_init(&rig->wheel, 0);
    rig->ctx =
        (struct ctx){.cores = 1, .counters = rig->counters, .wheel = &rig->wheel, .tsc_hz = 1000000000};
    rig->tcp = calloc(1, sizeof(*rig->tcp));
    rig->shelf = tls_shelf_create(1);
    assert_non_null(rig->tcp);
    assert_non_null(rig->shelf);
    if (workers > 0)
        assert_non_null(rig->workers = workers_open(workers, 1, 4, NULL, 0));
    if (tweak)
        tweak(&rig->store, &setup);
    struct tls_store *store = tls_store_load(&rig->store, error);
    assert_string_equal(error, "");
    assert_non_null(store);
    tls_shelf_put(rig->shelf, store);
    setup.shelf = rig->shelf;
    setup.workers = rig->workers;
    rig->tls = tls_create(&rig->ctx, rig->tcp, &setup);
    assert_non_null(rig->tls);
    other_contexts(rig);
    return rig;
}

void rig_close(struct rig *rig)
{
    workers_close(rig->workers);
    tls_destroy(rig->tls);
    tls_shelf_destroy(rig->shelf);
    for (unsigned i = 0; i < rig->others; i++)
        SSL_free(rig->other[i].ssl);
    SSL_CTX_free(rig->client);
    SSL_CTX_free(rig->server);
    assert_int_equal(rig->wheel.armed, 0);
    free(rig->tcp);
    free(rig);
}

static struct other *other_new(struct rig *rig, SSL_CTX *ctx)
{
    assert_true(rig->others < FAKE_CONNS);
    struct other *o = &rig->other[rig->others++];
    o->ssl = SSL_new(ctx);
    o->to = BIO_new(BIO_s_mem());
    o->from = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(o->to, -1);
    SSL_set_bio(o->ssl, o->to, o->from);
    o->tcp = rig->others;
    o->conn = &rig->tcp->conn[rig->others - 1];
    o->conn->room = FAKE_BYTES;
    return o;
}

struct other *rig_client(struct rig *rig, uint16_t listener)
{
    struct other *o = other_new(rig, rig->client);
    SSL_set_connect_state(o->ssl);
    o->id = tls_accept(rig->tls, o->tcp, listener, rig->others - 1);
    return o;
}

struct other *rig_server(struct rig *rig, const char *name)
{
    struct other *o = other_new(rig, rig->server);
    SSL_set_accept_state(o->ssl);
    o->id = tls_connect(rig->tls, o->tcp, name, rig->others - 1);
    return o;
}

static void other_turn(struct rig *rig, struct other *o)
{
    char buf[16384];
    int n;

    if (o->conn->out_len > o->sent) {
        BIO_write(o->to, o->conn->out + o->sent, (int)(o->conn->out_len - o->sent));
        o->sent = o->conn->out_len;
    }
    if (!SSL_is_init_finished(o->ssl))
        SSL_do_handshake(o->ssl);
    uint32_t before = o->conn->in_len;
    while ((n = BIO_read(o->from, buf, sizeof(buf))) > 0)
        if (!o->conn->closed && !o->conn->aborted)
            fake_feed(o->conn, buf, (uint32_t)n);
    if (o->conn->in_len > before) {
        struct tcp_event e = {.id = o->tcp, .bits = TCP_EVENT_READABLE};
        tls_input(rig->tls, o->id, &e);
    }
    if (o->conn->wants_room && o->conn->room > 0) {
        struct tcp_event e = {.id = o->tcp, .bits = TCP_EVENT_WRITABLE};
        o->conn->wants_room = false;
        tls_input(rig->tls, o->id, &e);
    }
}

static void rig_events(struct rig *rig)
{
    const struct tls_event *e;
    unsigned n = tls_events(rig->tls, &e);

    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(e[i].id, rig->other[e[i].cookie].id);
        rig->other[e[i].cookie].bits |= e[i].bits;
    }
}

void rig_turn(struct rig *rig)
{
    struct wheel_timer *t;

    for (unsigned i = 0; i < rig->others; i++)
        other_turn(rig, &rig->other[i]);
    tls_work(rig->tls);
    while (wheel_advance(&rig->wheel, rig->ctx.ms, &t, 1) == 1)
        tls_timers(rig->tls, &t, 1);
    rig_events(rig);
    tls_turn_end(rig->tls);
}

bool rig_until(struct rig *rig, struct other *o, uint16_t bits)
{
    for (time_t end = time(NULL) + 20; time(NULL) < end;) {
        rig_turn(rig);
        if ((o->bits & bits) == bits)
            return true;
        if (o->bits & (TLS_FAILED | TLS_CLOSED))
            return false;
        if (rig->workers)
            clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = 50000}, NULL);
    }
    return false;
}

void rig_turns(struct rig *rig, unsigned n)
{
    while (n-- > 0)
        rig_turn(rig);
}

uint64_t rig_count(const struct rig *rig, unsigned id)
{
    return rig->counters[id];
}

uint32_t rig_read(struct rig *rig, struct other *o, char *to, uint32_t max)
{
    struct slice s[TLS_SLICES];
    uint32_t len = 0;
    unsigned n = tls_peek(rig->tls, o->id, s, TLS_SLICES);

    for (unsigned i = 0; i < n; i++) {
        uint32_t part = s[i].len < max - len ? s[i].len : max - len;
        memcpy(to + len, s[i].p, part);
        len += part;
    }
    tls_consume(rig->tls, o->id, len);
    return len;
}
