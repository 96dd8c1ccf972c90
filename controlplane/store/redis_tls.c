/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/redis_tls.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "hg/endpoint.h"

struct redis_tls {
    SSL_CTX *ctx;
    unsigned users;
    char server_name[256];
};

struct redis_tls_session {
    struct redis_tls *tls;
    SSL *ssl;
    BIO *in, *out; /* the SSL's */
    char why[REDIS_TLS_WHY];
};

/* The oldest error says what went wrong first. */
static const char *reason(void)
{
    unsigned long code = ERR_get_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;

    ERR_clear_error();
    return text ? text : "no reason given";
}

/* ---- certificates ---- */
static bool take_ca(SSL_CTX *ctx, const char *file, char why[REDIS_TLS_WHY])
{
    int rc = file[0] ? SSL_CTX_load_verify_locations(ctx, file, NULL) : SSL_CTX_set_default_verify_paths(ctx);

    if (rc != 1)
        snprintf(why, REDIS_TLS_WHY, "node.redis.tls_ca %.100s: %.100s", file, reason());
    return rc == 1;
}

static bool take_own(SSL_CTX *ctx, const struct redis_tls_options *o, char why[REDIS_TLS_WHY])
{
    if (!o->cert[0] && !o->key[0])
        return true;
    if (SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1)
        snprintf(why, REDIS_TLS_WHY, "node.redis.tls_cert %.100s: %.100s", o->cert, reason());
    else if (SSL_CTX_use_PrivateKey_file(ctx, o->key, SSL_FILETYPE_PEM) != 1)
        snprintf(why, REDIS_TLS_WHY, "node.redis.tls_key %.100s: %.100s", o->key, reason());
    else
        return true;
    return false;
}

struct redis_tls *redis_tls_create(const struct redis_tls_options *o, char why[REDIS_TLS_WHY])
{
    struct redis_tls *tls = calloc(1, sizeof(*tls));

    snprintf(why, REDIS_TLS_WHY, "out of memory");
    if (!tls)
        return NULL;
    tls->users = 1;
    snprintf(tls->server_name, sizeof(tls->server_name), "%s", o->server_name);
    ERR_clear_error();
    tls->ctx = SSL_CTX_new(TLS_client_method());
    if (tls->ctx && SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION) == 1 &&
        take_ca(tls->ctx, o->ca, why) && take_own(tls->ctx, o, why)) {
        SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
        return tls;
    }
    redis_tls_unref(tls);
    return NULL;
}

struct redis_tls *redis_tls_ref(struct redis_tls *tls)
{
    if (tls)
        tls->users++;
    return tls;
}

void redis_tls_unref(struct redis_tls *tls)
{
    if (!tls || --tls->users > 0)
        return;
    SSL_CTX_free(tls->ctx);
    free(tls);
}

/* ---- one connection ---- */
static bool expect_name(SSL *ssl, const char *name)
{
    struct hg_ip ip;

    if (hg_ip_parse(slice_str(name), &ip))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct redis_tls_session *redis_tls_open(struct redis_tls *tls, const char *host)
{
    struct redis_tls_session *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->tls = redis_tls_ref(tls);
    s->ssl = SSL_new(tls->ctx);
    s->in = BIO_new(BIO_s_mem());
    s->out = BIO_new(BIO_s_mem());
    if (s->ssl && s->in && s->out) {
        BIO_set_mem_eof_return(s->in, -1); /* more may come */
        SSL_set_bio(s->ssl, s->in, s->out);
        SSL_set_connect_state(s->ssl);
        if (expect_name(s->ssl, tls->server_name[0] ? tls->server_name : host))
            return s;
    } else {
        BIO_free(s->in);
        BIO_free(s->out);
    }
    redis_tls_close(s);
    return NULL;
}

void redis_tls_close(struct redis_tls_session *s)
{
    if (!s)
        return;
    SSL_free(s->ssl); /* its BIOs with it */
    redis_tls_unref(s->tls);
    free(s);
}

bool redis_tls_feed(struct redis_tls_session *s, const char *bytes, size_t len)
{
    return len <= INT_MAX && BIO_write(s->in, bytes, (int)len) == (int)len;
}

static enum redis_tls_result result(struct redis_tls_session *s, int rc)
{
    int what = SSL_get_error(s->ssl, rc);
    long verified = SSL_get_verify_result(s->ssl);

    if (what == SSL_ERROR_WANT_READ)
        return REDIS_TLS_MORE;
    if (what == SSL_ERROR_ZERO_RETURN)
        snprintf(s->why, sizeof(s->why), "Redis closed the connection");
    else if (verified != X509_V_OK)
        snprintf(s->why, sizeof(s->why), "TLS: the certificate of Redis: %s",
                 X509_verify_cert_error_string(verified));
    else
        snprintf(s->why, sizeof(s->why), "TLS: %s", reason());
    ERR_clear_error();
    return REDIS_TLS_BAD;
}

enum redis_tls_result redis_tls_shake(struct redis_tls_session *s)
{
    ERR_clear_error();
    int rc = SSL_do_handshake(s->ssl);
    return rc == 1 ? REDIS_TLS_DONE : result(s, rc);
}

enum redis_tls_result redis_tls_read(struct redis_tls_session *s, char *to, size_t room, size_t *len)
{
    ERR_clear_error();
    int rc = SSL_read_ex(s->ssl, to, room, len);
    return rc == 1 ? REDIS_TLS_DONE : result(s, rc);
}

bool redis_tls_write(struct redis_tls_session *s, const char *bytes, size_t len)
{
    size_t written;

    ERR_clear_error(); /* a BIO in memory takes everything at once */
    return SSL_write_ex(s->ssl, bytes, len, &written) == 1 && written == len;
}

char *redis_tls_output(struct redis_tls_session *s, size_t *len)
{
    size_t there = BIO_ctrl_pending(s->out);
    char *bytes = there > 0 ? malloc(there) : NULL;

    if (bytes && BIO_read_ex(s->out, bytes, there, len) == 1)
        return bytes;
    free(bytes);
    return NULL;
}

const char *redis_tls_why(const struct redis_tls_session *s)
{
    return s->why;
}
