/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates, keys, trust and how they are used: read by the main thread, never changed afterwards, taken
 * by the cores for each new connection. A new one replaces the old one as a whole; connections keep what they
 * were made with. */
#ifndef TLS_STORE_H
#define TLS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hg/slice.h"
#include "hg/limits.h"

struct tls_store;
struct tls_shelf;
struct ssl_st;

#define TLS_CERTIFICATES_MAX 64
#define TLS_NAMES_MAX        32 /* of one certificate */
#define TLS_ERROR            512

enum tls_client_auth { TLS_AUTH_NONE, TLS_AUTH_ASK, TLS_AUTH_REQUIRE };

struct tls_listener_setup {
    uint8_t client_auth; /* enum tls_client_auth */
    const char *alpn;    /* names separated by commas, in our order of preference; NULL: any, none is told */
    bool alpn_required;  /* a client whose ALPN has none of them is refused */
};

struct tls_store_setup {
    unsigned certificates;
    struct {
        const char *chain, *key; /* PEM files; the chain begins with our own */
        const char *names;       /* separated by commas; NULL: those in the certificate */
    } certificate[TLS_CERTIFICATES_MAX];
    const char *trust;        /* PEM file of those who may sign for others; NULL: the system's */
    bool tls12;               /* besides 1.3 */
    const char *ciphers;      /* of 1.2, as OpenSSL writes them; NULL: RFC 9325 */
    const char *ciphersuites; /* of 1.3; NULL: OpenSSL's */
    const char *groups;       /* NULL: X25519, P-256, P-384 */
    uint32_t ticket_s;        /* how long a session may be resumed; 0: no tickets */
    unsigned listeners;
    struct tls_listener_setup listener[HG_LISTENERS_MAX];
};

/* Main thread. NULL: error says which file, and what is wrong. */
struct tls_store *tls_store_load(const struct tls_store_setup *setup, char error[TLS_ERROR]);
void tls_store_drop(struct tls_store *store);

/* When one of our certificates ends, in seconds since 1970 (0: it does not say), and its names separated by
 * commas, as many as fit. */
int64_t tls_store_certificate(const struct tls_store *store, unsigned certificate, char *names, size_t size);
/* When the first of our certificates ends, in seconds since 1970. */
int64_t tls_store_ends(const struct tls_store *store, unsigned *certificate);

/* ---- the shelf: where the one in force stands ---- */
struct tls_shelf *tls_shelf_create(unsigned cores);
void tls_shelf_destroy(struct tls_shelf *shelf);
/* Main thread: from now on new connections use this one; the shelf drops it when nobody does any more. */
void tls_shelf_put(struct tls_shelf *shelf, struct tls_store *store);
/* Main thread, now and then: frees what nobody uses. Returns how many old ones are left. */
unsigned tls_shelf_tidy(struct tls_shelf *shelf);

/* Keys that seal session tickets: the first one seals, all of them open. Main thread. */
#define TLS_TICKET_KEYS 8
struct tls_ticket_key {
    uint8_t name[16], aes[32], mac[32];
};
void tls_shelf_tickets(struct tls_shelf *shelf, const struct tls_ticket_key *key, unsigned n);

/* ---- a core ---- */
/* The one in force, held; NULL: there is none. */
struct tls_store *tls_shelf_take(struct tls_shelf *shelf, unsigned core);
/* Any thread. */
void tls_store_release(struct tls_store *store);
/* A new connection; NULL: no memory. The store must be held until its handshake has ended. */
struct ssl_st *tls_store_server(struct tls_store *store, unsigned listener);
struct ssl_st *tls_store_client(struct tls_store *store, const char *name);

#endif
