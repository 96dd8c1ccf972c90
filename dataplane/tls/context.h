/* SPDX-License-Identifier: BSD-2-Clause */
/* What a store is made of, and how OpenSSL is set up for it. */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include <stdatomic.h>

#include <openssl/ssl.h>

#include "tls/identity.h"
#include "tls/store.h"

#define ALPN_MAX 256

struct tls_listener {
    uint8_t client_auth;
    bool alpn_required;
    uint16_t alpn_len;
    uint8_t alpn[ALPN_MAX]; /* as on the wire: each name behind its length */
};

struct tls_certificate {
    SSL_CTX *ctx;
    int64_t ends;
    struct identities names;
};

struct tickets;

/* bio.c. NULL: no memory. */
BIO_METHOD *bio_method(void);
/* Gives ssl its BIO; false: no memory. */
bool bio_attach(SSL *ssl, const BIO_METHOD *method);

struct tls_store {
    atomic_uint held;       /* by connections in their handshake, and by whoever made it */
    struct tls_store *next; /* in the list of old ones */
    unsigned certificates, listeners;
    uint32_t ticket_s;
    struct tls_certificate certificate[TLS_CERTIFICATES_MAX];
    struct tls_listener listener[HG_LISTENERS_MAX];
    SSL_CTX *client;
    const BIO_METHOD *bio; /* the shelf's, as the tickets: both live longer */
    X509_STORE *trust;
    struct tickets *tickets; /* NULL: none */
};

/* context.c: false with the reason in error. */
bool context_server(struct tls_store *store, unsigned i, const struct tls_store_setup *setup, char *error);
bool context_client(struct tls_store *store, const struct tls_store_setup *setup, char *error);
bool context_trust(struct tls_store *store, const struct tls_store_setup *setup, char *error);
bool context_alpn(struct tls_listener *l, const struct tls_listener_setup *setup, char *error);
/* OpenSSL's first complaint behind what. */
bool context_fail(char *error, const char *what, const char *file);

/* tickets.c */
struct tickets *tickets_create(void);
void tickets_destroy(struct tickets *t);
void tickets_put(struct tickets *t, const struct tls_ticket_key *key, unsigned n);
int tickets_callback(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seal);

#endif
