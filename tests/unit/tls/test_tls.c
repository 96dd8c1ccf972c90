/* SPDX-License-Identifier: BSD-2-Clause */
/* Both sides, both versions, with and without workers; bytes in any pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rig.h"

static void say(struct rig *rig, struct other *o, const char *text)
{
    struct slice s = slice_str(text);
    assert_int_equal(tls_write(rig->tls, o->id, &s, 1), s.len);
}

static void hear(struct rig *rig, struct other *o, const char *text)
{
    char buf[4096];
    rig_turns(rig, 2);
    int n = SSL_read(o->ssl, buf, sizeof(buf));
    assert_int_equal(n, strlen(text));
    assert_memory_equal(buf, text, strlen(text));
}

static void ask(struct rig *rig, struct other *o, const char *text)
{
    char buf[4096];
    o->bits = 0;
    rig_turns(rig, 2); /* the last of the handshake may still be on its way to the other side */
    assert_int_equal(SSL_write(o->ssl, text, (int)strlen(text)), strlen(text));
    assert_true(rig_until(rig, o, TLS_READABLE));
    assert_int_equal(rig_read(rig, o, buf, sizeof(buf)), strlen(text));
    assert_memory_equal(buf, text, strlen(text));
}

static void talk(struct rig *rig, struct other *o)
{
    ask(rig, o, "MESSAGE sip:you@example.com SIP/2.0");
    say(rig, o, "SIP/2.0 200 OK");
    hear(rig, o, "SIP/2.0 200 OK");
}

static void serves(unsigned workers, int version)
{
    struct rig *rig = rig_open(workers, NULL);
    struct tls_peer peer;

    SSL_CTX_set_max_proto_version(rig->client, version);
    struct other *o = rig_client(rig, 0);
    assert_true(o->id != 0);
    SSL_set1_host(o->ssl, "example.com");
    SSL_set_tlsext_host_name(o->ssl, "example.com");
    assert_true(rig_until(rig, o, TLS_OPEN));
    assert_int_equal(SSL_get_verify_result(o->ssl), X509_V_OK);
    assert_true(tls_peer(rig->tls, o->id, &peer));
    assert_int_equal(peer.version, version);
    assert_true(slice_eq(peer.sni, SLICE_LIT("example.com")));
    assert_false(peer.verified);
    assert_false(peer.resumed);
    talk(rig, o);
    tls_close(rig->tls, o->id);
    assert_true(o->conn->closed);
    rig_turns(rig, 2);
    char c;
    assert_int_equal(SSL_read(o->ssl, &c, 1), 0);
    assert_int_equal(SSL_get_error(o->ssl, 0), SSL_ERROR_ZERO_RETURN); /* we said so */
    assert_int_equal(rig_count(rig, HG_C_tls_handshakes), 1);
    rig_close(rig);
}

static void serves_13(void **state)
{
    (void)state;
    serves(0, TLS1_3_VERSION);
}

static void serves_12(void **state)
{
    (void)state;
    serves(0, TLS1_2_VERSION);
}

static void serves_with_workers(void **state)
{
    (void)state;
    serves(2, TLS1_3_VERSION);
    serves(2, TLS1_2_VERSION);
}

static void calls(unsigned workers)
{
    struct rig *rig = rig_open(workers, NULL);
    struct tls_peer peer;
    struct other *o = rig_server(rig, "Server.Example.com");

    assert_true(rig_until(rig, o, TLS_OPEN));
    assert_true(tls_peer(rig->tls, o->id, &peer));
    assert_true(peer.verified);
    assert_true(tls_peer_is(&peer, SLICE_LIT("example.com")));
    assert_false(tls_peer_is(&peer, SLICE_LIT("www.example.com")));
    assert_string_equal(SSL_get_servername(o->ssl, TLSEXT_NAMETYPE_host_name), "Server.Example.com");
    rig_turns(rig, 3); /* its tickets */
    talk(rig, o);
    rig_close(rig);
}

static void calls_others(void **state)
{
    (void)state;
    calls(0);
    calls(1);
}

static void whom_we_call_must_be_who_we_mean(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    struct other *o = rig_server(rig, "elsewhere.example.com");
    assert_false(rig_until(rig, o, TLS_OPEN));
    assert_true(o->bits & TLS_FAILED);
    assert_int_equal(rig_count(rig, HG_C_tls_wrong_name), 1);
    struct other *by_address = rig_server(rig, "127.0.0.1");
    assert_true(rig_until(rig, by_address, TLS_OPEN));
    SSL_CTX_use_certificate_chain_file(rig->server, CERTS "stranger.pem");
    SSL_CTX_use_PrivateKey_file(rig->server, CERTS "stranger.key", SSL_FILETYPE_PEM);
    o = rig_server(rig, "example.com");
    assert_false(rig_until(rig, o, TLS_OPEN));
    assert_int_equal(rig_count(rig, HG_C_tls_bad_certificate), 1);
    SSL_CTX_use_certificate_chain_file(rig->server, CERTS "expired.pem");
    SSL_CTX_use_PrivateKey_file(rig->server, CERTS "expired.key", SSL_FILETYPE_PEM);
    o = rig_server(rig, "example.com");
    assert_false(rig_until(rig, o, TLS_OPEN));
    assert_int_equal(rig_count(rig, HG_C_tls_bad_certificate), 2);
    rig_close(rig);
}

static const char *name_of(SSL *ssl, char buf[256])
{
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    assert_non_null(certificate);
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, buf, 256);
    return buf;
}

static void the_certificate_is_chosen_by_name(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    static const struct {
        const char *sni, *cn;
    } cases[] = {{"sip.example.net", "wild.example.net"},
                 {"EXAMPLE.com.", "server.example.com"},
                 {"a.b.example.net", "server.example.com"}, /* the star is one label */
                 {"example.net", "server.example.com"},
                 {NULL, "server.example.com"}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char buf[256];
        struct other *o = rig_client(rig, 0);
        if (cases[i].sni)
            SSL_set_tlsext_host_name(o->ssl, cases[i].sni);
        assert_true(rig_until(rig, o, TLS_OPEN));
        assert_string_equal(name_of(o->ssl, buf), cases[i].cn);
    }
    rig_close(rig);
}

static void clients_show_who_they_are(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    struct tls_peer peer;

    struct other *nobody = rig_client(rig, 1);
    assert_true(rig_until(rig, nobody, TLS_OPEN)); /* asked, not required */
    tls_peer(rig->tls, nobody->id, &peer);
    assert_false(peer.verified);
    struct other *none = rig_client(rig, 2);
    SSL_set_alpn_protos(none->ssl, (const unsigned char *)"\3sip", 4);
    assert_false(rig_until(rig, none, TLS_OPEN));
    assert_int_equal(rig_count(rig, HG_C_tls_bad_certificate), 1);

    SSL_CTX_use_certificate_chain_file(rig->client, CERTS "stranger.pem");
    SSL_CTX_use_PrivateKey_file(rig->client, CERTS "stranger.key", SSL_FILETYPE_PEM);
    struct other *stranger = rig_client(rig, 1);
    assert_true(rig_until(rig, stranger, TLS_OPEN));
    tls_peer(rig->tls, stranger->id, &peer);
    assert_false(peer.verified);
    assert_int_equal(peer.identities, 0);
    stranger = rig_client(rig, 2);
    SSL_set_alpn_protos(stranger->ssl, (const unsigned char *)"\3sip", 4);
    assert_false(rig_until(rig, stranger, TLS_OPEN));

    SSL_CTX_use_certificate_chain_file(rig->client, CERTS "client.pem");
    SSL_CTX_use_PrivateKey_file(rig->client, CERTS "client.key", SSL_FILETYPE_PEM);
    struct other *known = rig_client(rig, 2);
    SSL_set_alpn_protos(known->ssl, (const unsigned char *)"\4xmpp\3sip", 9);
    assert_true(rig_until(rig, known, TLS_OPEN));
    tls_peer(rig->tls, known->id, &peer);
    assert_true(peer.verified);
    assert_int_equal(peer.identities, 1); /* a user's URI is no domain's */
    assert_true(tls_peer_is(&peer, SLICE_LIT("Peer.example.org")));
    assert_true(slice_eq(peer.alpn, SLICE_LIT("sip")));
    rig_close(rig);
}

static void applications_must_agree_where_it_is_asked(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    struct tls_peer peer;

    SSL_CTX_use_certificate_chain_file(rig->client, CERTS "client.pem");
    SSL_CTX_use_PrivateKey_file(rig->client, CERTS "client.key", SSL_FILETYPE_PEM);
    struct other *o = rig_client(rig, 2);
    SSL_set_alpn_protos(o->ssl, (const unsigned char *)"\2h2", 3);
    assert_false(rig_until(rig, o, TLS_OPEN));
    assert_int_equal(rig_count(rig, HG_C_tls_no_alpn), 1);
    o = rig_client(rig, 1);
    SSL_set_alpn_protos(o->ssl, (const unsigned char *)"\13xmpp-client\3sip", 16);
    assert_true(rig_until(rig, o, TLS_OPEN));
    tls_peer(rig->tls, o->id, &peer);
    assert_true(slice_eq(peer.alpn, SLICE_LIT("sip"))); /* ours first */
    rig_close(rig);
}

static void byte_by_byte(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    struct other *o = rig_client(rig, 0);

    o->conn->piece = 1;
    assert_true(rig_until(rig, o, TLS_OPEN));
    talk(rig, o);
    rig_close(rig);
}

static void much_both_ways_with_little_room(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    struct other *o = rig_client(rig, 0);
    uint32_t total = 700000, written = 0, heard = 0, asked = 0, read = 0;
    char *text = malloc(total), *back = malloc(total), *got = malloc(total);

    for (uint32_t i = 0; i < total; i++)
        text[i] = (char)(i * 7 + i / 251);
    assert_true(rig_until(rig, o, TLS_OPEN));
    o->conn->out_len = o->sent = 0;
    o->conn->piece = 1448;
    for (unsigned turn = 0; turn < 5000 && (heard < total || read < total); turn++) {
        o->conn->room = turn % 3 == 0 ? 5000 + turn % 1000 : o->conn->room;
        struct slice s[2] = {
            slice_of(text + written, (total - written) / 2),
            slice_of(text + written + (total - written) / 2, total - written - (total - written) / 2)};
        written += tls_write(rig->tls, o->id, s, 2);
        if (asked < total && o->conn->in_len < 100000) {
            int n = SSL_write(o->ssl, text + asked, (int)(total - asked < 30000 ? total - asked : 30000));
            asked += n > 0 ? (uint32_t)n : 0;
        }
        rig_turn(rig);
        if (o->sent == o->conn->out_len)
            o->sent = o->conn->out_len = 0;
        if (turn % 5 == 0) /* a slow reader */
            read += rig_read(rig, o, got + read, total - read);
        int n = SSL_read(o->ssl, back + heard, (int)(total - heard));
        heard += n > 0 ? (uint32_t)n : 0;
        assert_true(o->bits == TLS_OPEN || !(o->bits & TLS_FAILED));
    }
    assert_int_equal(heard, total);
    assert_int_equal(read, total);
    assert_memory_equal(back, text, total);
    assert_memory_equal(got, text, total);
    free(text);
    free(back);
    free(got);
    rig_close(rig);
}

static void who_reads_nothing_is_given_no_more(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    struct other *o = rig_client(rig, 0);
    char text[16384] = {0};

    assert_true(rig_until(rig, o, TLS_OPEN));
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(SSL_write(o->ssl, text, sizeof(text)), sizeof(text));
    rig_turns(rig, 50);
    tls_housekeeping(rig->tls);
    uint64_t kept = rig_count(rig, HG_C_tls_kept_bytes);
    assert_true(kept > 0 && kept <= 65536);
    assert_true(tcp_readable(rig->tcp, o->tcp) > 200000); /* the window stays closed */
    uint32_t read = 0;
    char *buf = malloc(1 << 19);
    for (unsigned i = 0; i < 100; i++) {
        read += rig_read(rig, o, buf, 1 << 19);
        rig_turn(rig);
    }
    assert_int_equal(read, 20 * sizeof(text));
    free(buf);
    tls_housekeeping(rig->tls);
    assert_int_equal(rig_count(rig, HG_C_tls_kept_bytes), 0);
    rig_close(rig);
}

static void the_other_side_ends(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    struct tcp_event fin = {.bits = TCP_EVENT_PEER_CLOSED};
    struct other *o = rig_client(rig, 0), *rude = rig_client(rig, 0);

    assert_true(rig_until(rig, o, TLS_OPEN));
    assert_true(rig_until(rig, rude, TLS_OPEN));
    SSL_write(o->ssl, "last", 4);
    SSL_shutdown(o->ssl);
    assert_true(rig_until(rig, o, TLS_READABLE | TLS_PEER_CLOSED));
    assert_int_equal(rig_count(rig, HG_C_tls_truncated), 0);
    say(rig, o, "half closed is not closed");
    hear(rig, o, "half closed is not closed");
    tls_input(rig->tls, rude->id, &fin);
    assert_true(rig_until(rig, rude, TLS_PEER_CLOSED));
    assert_int_equal(rig_count(rig, HG_C_tls_truncated), 1);
    tls_shutdown(rig->tls, o->id);
    assert_true(o->conn->shut);
    rig_close(rig);
}

static void what_is_no_tls_is_told_apart(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    static const char *const garbage[] = {"GET / HTTP/1.0\r\n\r\n", "OPTIONS sip:a SIP/2.0\r\n\r\n",
                                          "<stream:stream xmlns='jabber:client'>",
                                          "\x16\x03\x01\xff\xff\x01"};
    for (unsigned i = 0; i < 4; i++) {
        struct other *o = rig_client(rig, 0);
        struct tcp_event e = {.bits = TCP_EVENT_READABLE};
        BIO_reset(o->from);
        SSL_set_quiet_shutdown(o->ssl, 1);
        fake_feed(o->conn, garbage[i], (uint32_t)strlen(garbage[i]));
        tls_input(rig->tls, o->id, &e);
        tls_work(rig->tls);
        const struct tls_event *told;
        assert_int_equal(tls_events(rig->tls, &told), 1);
        assert_int_equal(told->bits, TLS_FAILED);
        tls_turn_end(rig->tls);
        assert_true(o->conn->closed);
        assert_true(i < 3 || o->conn->out_len > 0); /* an alert; what has no TLS record gets none */
        rig->others--;
        SSL_free(o->ssl);
        memset(o, 0, sizeof(*o));
        rig->tcp->conn[0] = (struct fake_conn){.room = FAKE_BYTES};
    }
    assert_int_equal(rig_count(rig, HG_C_tls_not_tls), 4);
    rig_close(rig);
}

static void a_broken_record_ends_it(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    struct other *o = rig_client(rig, 0);
    assert_true(rig_until(rig, o, TLS_OPEN));
    rig_turns(rig, 3);
    static const char record[] = "\x17\x03\x03\x00\x20"
                                 "0123456789abcdef0123456789abcdef";
    BIO_write(o->from, record, sizeof(record) - 1);
    assert_false(rig_until(rig, o, TLS_READABLE));
    assert_true(o->bits & TLS_FAILED);
    assert_int_equal(rig_count(rig, HG_C_tls_bad_record), 1);
    rig_close(rig);
}

static void slow_handshakes_end(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    struct other *o = rig_client(rig, 0);
    (void)o;
    BIO_write(o->from, "\x16\x03", 2);
    rig_turn(rig);
    rig->ctx.ms = 4999;
    rig_turn(rig);
    assert_false(o->bits & TLS_FAILED);
    rig->ctx.ms = 5000;
    rig_turn(rig);
    rig_turn(rig);
    assert_true(o->bits & TLS_FAILED);
    assert_int_equal(rig_count(rig, HG_C_tls_handshake_timeout), 1);
    rig_close(rig);
}

static void no_renegotiation(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    SSL_CTX_set_max_proto_version(rig->client, TLS1_2_VERSION);
    struct other *o = rig_client(rig, 0);
    assert_true(rig_until(rig, o, TLS_OPEN));
    assert_int_equal(SSL_renegotiate(o->ssl), 1);
    SSL_do_handshake(o->ssl);
    rig_turns(rig, 5);
    assert_int_equal(rig_count(rig, HG_C_tls_handshakes), 1);
    assert_false(o->bits & TLS_READABLE);
    rig_close(rig);
}

static void keys_may_be_updated(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    struct other *o = rig_client(rig, 0);
    assert_true(rig_until(rig, o, TLS_OPEN));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(SSL_key_update(o->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        talk(rig, o);
    }
    rig_close(rig);
}

static void endless_certificates_are_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, NULL);
    SSL_CTX_use_certificate_chain_file(rig->client, CERTS "huge.pem");
    SSL_CTX_use_PrivateKey_file(rig->client, CERTS "huge.key", SSL_FILETYPE_PEM);
    struct other *o = rig_client(rig, 1);
    assert_false(rig_until(rig, o, TLS_OPEN));
    assert_true(o->bits & TLS_FAILED);
    assert_int_equal(rig_count(rig, HG_C_tls_not_tls), 1);
    rig_close(rig);
}

static void a_storm_waits_in_line(void **state)
{
    (void)state;
    for (unsigned workers = 0; workers < 3; workers++) {
        struct rig *rig = rig_open(workers, NULL);
        for (unsigned i = 0; i < 40; i++)
            rig_client(rig, 0);
        for (unsigned i = 0; i < 40; i++) {
            assert_true(rig_until(rig, &rig->other[i], TLS_OPEN));
            if (i % 3 == 0)
                talk(rig, &rig->other[i]);
        }
        assert_int_equal(rig_count(rig, HG_C_tls_handshakes), 40);
        rig_close(rig);
    }
}

static void gone_while_a_worker_has_it(void **state)
{
    (void)state;
    struct rig *rig = rig_open(1, NULL);
    struct tcp_event reset = {.bits = TCP_EVENT_FAILED | TCP_EVENT_CLOSED};
    for (unsigned i = 0; i < 30; i++) {
        struct other *o = rig_client(rig, 0);
        rig_turn(rig);
        rig_turn(rig);
        if (i % 3 == 0)
            tls_input(rig->tls, o->id, &reset);
        else if (i % 3 == 1)
            tls_close(rig->tls, o->id);
        else
            tls_abort(rig->tls, o->id);
        assert_int_equal(tls_room(rig->tls, o->id), 0);
    }
    for (unsigned i = 0; i < 1000 && workers_under_way(rig->workers, 0) > 0; i++) {
        rig_turn(rig);
        clock_nanosleep(0, 0, &(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    rig_turns(rig, 3);
    tls_housekeeping(rig->tls);
    assert_int_equal(rig_count(rig, HG_C_tls_open), 0); /* every place is free again */
    rig_close(rig);
}

static void few(struct tls_store_setup *store, struct tls_setup *setup)
{
    (void)store;
    setup->connections_max = 2;
}

static void no_more_than_configured(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, few);
    struct other *a = rig_client(rig, 0);
    rig_client(rig, 0);
    struct other *c = rig_client(rig, 0);
    assert_true(a->id != 0);
    assert_true(c->id == 0);
    assert_int_equal(rig_count(rig, HG_C_tls_no_room), 1);
    rig->others = 2;
    SSL_free(c->ssl);
    tls_close(rig->tls, a->id);
    rig_turns(rig, 2);
    tls_id old = a->id;
    struct other *d = rig_client(rig, 0);
    assert_true(d->id != 0 && d->id != old);
    assert_int_equal(tls_room(rig->tls, old), 0); /* a stale id is nobody's */
    rig_close(rig);
}

static void bare(struct tls_store_setup *store, struct tls_setup *setup)
{
    (void)setup;
    store->certificates = 0;
}

static void without_a_certificate_nobody_is_served(void **state)
{
    (void)state;
    struct rig *rig = rig_open(0, bare);
    struct other *o = rig_client(rig, 0);
    assert_true(o->id == 0);
    assert_int_equal(rig_count(rig, HG_C_tls_no_certificate), 1);
    struct other *s = rig_server(rig, "example.com"); /* and yet others are called */
    assert_true(rig_until(rig, s, TLS_OPEN));
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_13),
        cmocka_unit_test(serves_12),
        cmocka_unit_test(serves_with_workers),
        cmocka_unit_test(calls_others),
        cmocka_unit_test(whom_we_call_must_be_who_we_mean),
        cmocka_unit_test(the_certificate_is_chosen_by_name),
        cmocka_unit_test(clients_show_who_they_are),
        cmocka_unit_test(applications_must_agree_where_it_is_asked),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(much_both_ways_with_little_room),
        cmocka_unit_test(who_reads_nothing_is_given_no_more),
        cmocka_unit_test(the_other_side_ends),
        cmocka_unit_test(what_is_no_tls_is_told_apart),
        cmocka_unit_test(a_broken_record_ends_it),
        cmocka_unit_test(slow_handshakes_end),
        cmocka_unit_test(no_renegotiation),
        cmocka_unit_test(keys_may_be_updated),
        cmocka_unit_test(endless_certificates_are_refused),
        cmocka_unit_test(a_storm_waits_in_line),
        cmocka_unit_test(gone_while_a_worker_has_it),
        cmocka_unit_test(no_more_than_configured),
        cmocka_unit_test(without_a_certificate_nobody_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
