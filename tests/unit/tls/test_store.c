/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates that are replaced, files that are wrong, and tickets that travel between nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "rig.h"

static void key_of(struct tls_ticket_key *key, uint8_t fill)
{
    memset(key, fill, sizeof(*key));
}

static int remember(SSL *ssl, SSL_SESSION *session)
{
    SSL_SESSION **kept = SSL_get_ex_data(ssl, 0);
    SSL_SESSION_free(*kept);
    *kept = session;
    return 1;
}

/* A client connects with the session it has, if any, and keeps the one that it gets. true: it was resumed. */
static bool visit(struct rig *rig, SSL_SESSION **session)
{
    struct tls_peer peer;
    char c;

    SSL_CTX_set_session_cache_mode(rig->client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(rig->client, remember);
    struct other *o = rig_client(rig, 0);
    SSL_set_ex_data(o->ssl, 0, session);
    if (*session)
        SSL_set_session(o->ssl, *session);
    assert_true(rig_until(rig, o, TLS_OPEN));
    rig_turns(rig, 3);
    SSL_read(o->ssl, &c, 1); /* the ticket of 1.3 comes behind the handshake */
    if (SSL_version(o->ssl) == TLS1_2_VERSION) {
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(o->ssl);
    }
    assert_true(tls_peer(rig->tls, o->id, &peer));
    assert_int_equal(peer.resumed, SSL_session_reused(o->ssl));
    return peer.resumed;
}

static void sessions_are_resumed_on_any_node(int version)
{
    struct rig *a = rig_open(0, NULL), *b = rig_open(1, NULL);
    struct tls_ticket_key key[3];
    SSL_SESSION *session = NULL;

    SSL_CTX_set_max_proto_version(a->client, version);
    SSL_CTX_set_max_proto_version(b->client, version);
    for (uint8_t i = 0; i < 3; i++)
        key_of(&key[i], i + 1);
    assert_false(visit(a, &session)); /* no keys: no tickets */
    tls_shelf_tickets(a->shelf, key, 1);
    tls_shelf_tickets(b->shelf, key, 1);
    assert_false(visit(a, &session));
    assert_non_null(session);
    assert_true(visit(a, &session));
    assert_true(visit(b, &session));
    /* rotation: the old key still opens, the new one seals */
    struct tls_ticket_key rotated[2] = {key[1], key[0]};
    tls_shelf_tickets(b->shelf, rotated, 2);
    assert_true(visit(b, &session));
    tls_shelf_tickets(a->shelf, rotated, 1);
    assert_true(visit(a, &session)); /* b sealed it anew */
    tls_shelf_tickets(a->shelf, &key[2], 1);
    assert_false(visit(a, &session));
    assert_int_equal(rig_count(a, HG_C_tls_resumed) + rig_count(b, HG_C_tls_resumed), 4);
    SSL_SESSION_free(session);
    rig_close(a);
    rig_close(b);
}

static void resumption_13(void **state)
{
    (void)state;
    sessions_are_resumed_on_any_node(TLS1_3_VERSION);
}

static void resumption_12(void **state)
{
    (void)state;
    sessions_are_resumed_on_any_node(TLS1_2_VERSION);
}

static void no_tickets(struct tls_store_setup *store, struct tls_setup *setup)
{
    (void)setup;
    store->ticket_s = 0;
}

static void tickets_can_be_off(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, no_tickets);
    struct tls_ticket_key key;
    SSL_SESSION *session = NULL;

    key_of(&key, 9);
    tls_shelf_tickets(rig->shelf, &key, 1);
    assert_false(visit(rig, &session));
    assert_false(visit(rig, &session));
    SSL_SESSION_free(session);
    rig_close(rig);
}

static void say_and_hear(struct rig *rig, struct other *o)
{
    char buf[64];
    struct slice s = SLICE_LIT("still here");
    rig_turns(rig, 2);
    assert_int_equal(tls_write(rig->tls, o->id, &s, 1), s.len);
    rig_turns(rig, 2);
    assert_int_equal(SSL_read(o->ssl, buf, sizeof(buf)), s.len);
}

static void a_new_certificate_drops_nobody(void **state)
{
    (void)state;
    struct rig *rig = rig_open(1, NULL);
    char error[TLS_ERROR], name[256];
    struct other *old = rig_client(rig, 0), *between = rig_client(rig, 0);

    assert_true(rig_until(rig, old, TLS_OPEN));
    rig->store.certificates = 1;
    rig->store.certificate[0].chain = CERTS "wild.pem";
    rig->store.certificate[0].key = CERTS "wild.key";
    struct tls_store *store = tls_store_load(&rig->store, error);
    assert_non_null(store);
    tls_shelf_put(rig->shelf, store);
    assert_true(rig_until(rig, between, TLS_OPEN)); /* began with the old one */
    struct other *new = rig_client(rig, 0);
    assert_true(rig_until(rig, new, TLS_OPEN));
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(new->ssl)), NID_commonName,
                              name, sizeof(name));
    assert_string_equal(name, "wild.example.net");
    say_and_hear(rig, old);
    say_and_hear(rig, between);
    say_and_hear(rig, new);
    assert_int_equal(tls_shelf_tidy(rig->shelf), 0); /* nobody's handshake needs the old one */
    rig_close(rig);
}

static void wrong_files_are_named(void **state)
{
    (void)state;
    static const struct {
        struct tls_store_setup setup;
        const char *says;
    } cases[] = {
        {{.certificates = 1, .certificate = {{"/nowhere.pem", CERTS "server.key", NULL}}}, "/nowhere.pem"},
        {{.certificates = 1, .certificate = {{CERTS "server.pem", "/nowhere.key", NULL}}}, "/nowhere.key"},
        {{.certificates = 1, .certificate = {{CERTS "server.pem", CERTS "wild.key", NULL}}},
         CERTS "wild.key"},
        {{.certificates = 1, .certificate = {{CERTS "server.key", CERTS "server.key", NULL}}},
         CERTS "server.key"},
        {{.trust = "/nowhere/trust.pem"}, "/nowhere/trust.pem"},
        {{.ciphers = "ROT13"}, "dataplane.tls.ciphers"},
        {{.ciphersuites = "TLS_ROT13"}, "dataplane.tls.ciphersuites"},
        {{.groups = "P-1"}, "dataplane.tls.groups"},
        {{.listeners = 1, .listener = {{.alpn = "sip,,xmpp"}}}, "ALPN"},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[TLS_ERROR] = "";
        struct tls_store *store = tls_store_load(&cases[i].setup, error);
        assert_null(store);
        if (!strstr(error, cases[i].says))
            fail_msg("case %u: \"%s\" does not name %s", i, error, cases[i].says);
    }
}

static void the_end_of_a_certificate_is_known(void **state)
{
    (void)state;
    char error[TLS_ERROR];
    unsigned which = 99;
    struct tls_store_setup setup = {.certificates = 2,
                                    .certificate = {{CERTS "server.pem", CERTS "server.key", NULL},
                                                    {CERTS "expired.pem", CERTS "expired.key", NULL}}};
    struct tls_store *store = tls_store_load(&setup, error);
    assert_non_null(store);
    int64_t ends = tls_store_ends(store, &which), now = (int64_t)time(NULL);
    assert_int_equal(which, 1);
    assert_true(ends < now && ends > now - 40 * 86400 * 365ll);
    tls_store_drop(store);
}

static void names_may_be_given(void **state)
{
    (void)state;
    char error[TLS_ERROR];
    struct rig *rig = rig_open(0, NULL);
    rig->store.certificate[1].names = "voice.example.org , *.voice.example.org";
    struct tls_store *store = tls_store_load(&rig->store, error);
    assert_non_null(store);
    tls_shelf_put(rig->shelf, store);
    static const char *const wild[] = {"voice.example.org", "a.voice.example.org"};
    for (unsigned i = 0; i < 3; i++) {
        char name[256];
        struct other *o = rig_client(rig, 0);
        SSL_set_tlsext_host_name(o->ssl, (i < 2 ? wild[i] : "sip.example.net"));
        assert_true(rig_until(rig, o, TLS_OPEN));
        X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(o->ssl)), NID_commonName,
                                  name, sizeof(name));
        assert_string_equal(name, i < 2 ? "wild.example.net" : "server.example.com");
    }
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumption_13),         cmocka_unit_test(resumption_12),
        cmocka_unit_test(tickets_can_be_off),    cmocka_unit_test(a_new_certificate_drops_nobody),
        cmocka_unit_test(wrong_files_are_named), cmocka_unit_test(the_end_of_a_certificate_is_known),
        cmocka_unit_test(names_may_be_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
