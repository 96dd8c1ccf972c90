/* SPDX-License-Identifier: BSD-2-Clause */
/* OpenSSL's contexts: what RFC 9325 recommends, and nothing that costs memory while a connection is idle. */
#include "tls/context.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#define CHAIN_MAX 32768 /* bytes of the other side's certificates */
#define DEPTH_MAX 8
#define CIPHERS                                                                                              \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"               \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"

bool context_fail(char *error, const char *what, const char *file)
{
    unsigned long code = ERR_peek_error(); /* the innermost: the others say "PEM lib" */
    const char *why = code && ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
                      : code                         ? ERR_reason_error_string(code)
                                                     : NULL;
    snprintf(error, TLS_ERROR, "%s%s%s: %s", what, file ? " " : "", file ? file : "",
             why ? why : "no memory");
    ERR_clear_error();
    return false;
}

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return 0; /* a daemon cannot ask */
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *theirs,
                       unsigned n, void *arg)
{
    (void)arg;
    const struct tls_listener *l = SSL_get_app_data(ssl);
    if (!l || l->alpn_len == 0)
        return SSL_TLSEXT_ERR_NOACK;
    /* ours first: we say what we like best */
    if (SSL_select_next_proto((unsigned char **)out, len, l->alpn, l->alpn_len, theirs, n) ==
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_OK;
    return l->alpn_required ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
}

static int choose_certificate(SSL *ssl, int *alert, void *arg)
{
    const struct tls_store *store = arg;
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    if (!host)
        return SSL_TLSEXT_ERR_NOACK;
    for (unsigned i = 0; i < store->certificates; i++) {
        const struct tls_certificate *c = &store->certificate[i];
        for (unsigned k = 0; k < c->names.n; k++)
            if (identity_covers(c->names.name[k], slice_str(host))) {
                SSL_set_SSL_CTX(ssl, c->ctx);
                return SSL_TLSEXT_ERR_OK;
            }
    }
    return SSL_TLSEXT_ERR_NOACK; /* the first certificate, and the client decides (RFC 6066 3) */
}

static SSL_CTX *context_new(struct tls_store *store, const SSL_METHOD *method,
                            const struct tls_store_setup *setup, char *error)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    if (!ctx) {
        context_fail(error, "TLS", NULL);
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ctx, setup->tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_options(ctx,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(ctx, CHAIN_MAX);
    SSL_CTX_set_verify_depth(ctx, DEPTH_MAX);
    SSL_CTX_set_max_early_data(ctx, 0);
    if (store->trust)
        SSL_CTX_set1_cert_store(ctx, store->trust);
    const char *what = NULL, *value = NULL;
    if (!SSL_CTX_set_cipher_list(ctx, value = setup->ciphers ? setup->ciphers : CIPHERS))
        what = "dataplane.tls.ciphers";
    else if (setup->ciphersuites && !SSL_CTX_set_ciphersuites(ctx, value = setup->ciphersuites))
        what = "dataplane.tls.ciphersuites";
    else if (!SSL_CTX_set1_groups_list(ctx, value = setup->groups ? setup->groups : GROUPS))
        what = "dataplane.tls.groups";
    if (!what)
        return ctx;
    context_fail(error, what, value);
    SSL_CTX_free(ctx);
    return NULL;
}

static bool names_given(struct identities *names, const char *text, char *error)
{
    struct slice rest = slice_str(text);
    names->n = 0;
    names->used = 0;
    while (rest.len > 0) {
        const char *comma = memchr(rest.p, ',', rest.len);
        struct slice one = slice_of(rest.p, comma ? (uint32_t)(comma - rest.p) : rest.len);
        rest = comma ? slice_of(comma + 1, rest.len - one.len - 1) : slice_of(rest.p, 0);
        while (one.len > 0 && *one.p == ' ')
            one = slice_of(one.p + 1, one.len - 1);
        while (one.len > 0 && one.p[one.len - 1] == ' ')
            one.len--;
        if (one.len == 0)
            continue;
        if (names->n == IDENTITIES_MAX || names->used + one.len > IDENTITIES_TEXT) {
            snprintf(error, TLS_ERROR, "more names for one certificate than %d, or longer than %d bytes",
                     IDENTITIES_MAX, IDENTITIES_TEXT);
            return false;
        }
        memcpy(names->text + names->used, one.p, one.len);
        names->name[names->n++] = slice_of(names->text + names->used, one.len);
        names->used += one.len;
    }
    return true;
}

/* When the certificate ends, as time_t; 0: not told. */
static int64_t ends_at(const X509 *certificate)
{
    int days, seconds;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool ok = epoch && ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(certificate));
    ASN1_TIME_free(epoch);
    return ok ? (int64_t)days * 86400 + seconds : 0;
}

bool context_server(struct tls_store *store, unsigned i, const struct tls_store_setup *setup, char *error)
{
    struct tls_certificate *c = &store->certificate[i];
    const char *chain = setup->certificate[i].chain, *key = setup->certificate[i].key;

    c->ctx = context_new(store, TLS_server_method(), setup, error);
    if (!c->ctx)
        return false;
    if (SSL_CTX_use_certificate_chain_file(c->ctx, chain) != 1)
        return context_fail(error, "certificate", chain);
    if (SSL_CTX_use_PrivateKey_file(c->ctx, key, SSL_FILETYPE_PEM) != 1)
        return context_fail(error, "private key", key);
    if (SSL_CTX_check_private_key(c->ctx) != 1)
        return context_fail(error, "the private key does not fit the certificate:", key);
    X509 *own = SSL_CTX_get0_certificate(c->ctx);
    c->ends = ends_at(own);
    if (!setup->certificate[i].names)
        identities_of(own, &c->names);
    else if (!names_given(&c->names, setup->certificate[i].names, error))
        return false;
    SSL_CTX_set_tlsext_servername_callback(c->ctx, choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(c->ctx, store);
    SSL_CTX_set_alpn_select_cb(c->ctx, choose_alpn, NULL);
    SSL_CTX_set_session_id_context(c->ctx, (const unsigned char *)"heliograph", 10);
    SSL_CTX_set_app_data(c->ctx, store);
    if (setup->ticket_s == 0) {
        SSL_CTX_set_options(c->ctx, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(c->ctx, 0);
    } else {
        SSL_CTX_set_num_tickets(c->ctx, 1);
        SSL_CTX_set_timeout(c->ctx, (long)setup->ticket_s);
        SSL_CTX_set_tlsext_ticket_key_evp_cb(c->ctx, tickets_callback);
    }
    return true;
}

bool context_client(struct tls_store *store, const struct tls_store_setup *setup, char *error)
{
    store->client = context_new(store, TLS_client_method(), setup, error);
    if (!store->client)
        return false;
    SSL_CTX_set_verify(store->client, SSL_VERIFY_PEER, NULL);
    if (setup->certificates == 0)
        return true;
    /* who asks us for a certificate gets the first one */
    if (SSL_CTX_use_certificate_chain_file(store->client, setup->certificate[0].chain) != 1 ||
        SSL_CTX_use_PrivateKey_file(store->client, setup->certificate[0].key, SSL_FILETYPE_PEM) != 1)
        return context_fail(error, "certificate", setup->certificate[0].chain);
    return true;
}

bool context_trust(struct tls_store *store, const struct tls_store_setup *setup, char *error)
{
    store->trust = X509_STORE_new();
    if (!store->trust)
        return context_fail(error, "TLS", NULL);
    if (setup->trust ? X509_STORE_load_file(store->trust, setup->trust) != 1
                     : X509_STORE_set_default_paths(store->trust) != 1)
        return context_fail(error, "trusted certificates", setup->trust);
    return true;
}

bool context_alpn(struct tls_listener *l, const struct tls_listener_setup *setup, char *error)
{
    struct slice rest = slice_str(setup->alpn ? setup->alpn : "");

    l->client_auth = setup->client_auth;
    l->alpn_required = setup->alpn_required;
    while (rest.len > 0) {
        const char *comma = memchr(rest.p, ',', rest.len);
        uint32_t len = comma ? (uint32_t)(comma - rest.p) : rest.len;
        if (len == 0 || len > 255 || l->alpn_len + len + 1 > ALPN_MAX) {
            snprintf(error, TLS_ERROR,
                     "ALPN names: expected names of 1 to 255 bytes, 255 bytes in all, not %s", setup->alpn);
            return false;
        }
        l->alpn[l->alpn_len] = (uint8_t)len;
        memcpy(l->alpn + l->alpn_len + 1, rest.p, len);
        l->alpn_len = (uint16_t)(l->alpn_len + len + 1);
        rest = comma ? slice_of(comma + 1, rest.len - len - 1) : slice_of(rest.p, 0);
    }
    return true;
}
