/* SPDX-License-Identifier: BSD-2-Clause */
#include "tls/store.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "tls/context.h"

/* A core that is about to hold a store says which, so that nobody frees it in between. */
struct hand {
    alignas(64) _Atomic(struct tls_store *) reaches_for;
};

struct tls_shelf {
    _Atomic(struct tls_store *) now;
    struct tls_store *old; /* main thread */
    struct tickets *tickets;
    BIO_METHOD *bio;
    unsigned cores;
    struct hand hand[HG_CORES_MAX];
};

static void store_free(struct tls_store *store)
{
    for (unsigned i = 0; i < store->certificates; i++)
        SSL_CTX_free(store->certificate[i].ctx);
    SSL_CTX_free(store->client);
    X509_STORE_free(store->trust);
    free(store);
}

static bool store_fill(struct tls_store *store, const struct tls_store_setup *setup, char *error)
{
    store->ticket_s = setup->ticket_s;
    if (setup->certificates > TLS_CERTIFICATES_MAX || setup->listeners > HG_LISTENERS_MAX) {
        snprintf(error, TLS_ERROR, "more than %d certificates, or %d listeners", TLS_CERTIFICATES_MAX,
                 HG_LISTENERS_MAX);
        return false;
    }
    if (!context_trust(store, setup, error))
        return false;
    for (store->certificates = 0; store->certificates < setup->certificates;) {
        store->certificates++; /* to be freed, whatever happens */
        if (!context_server(store, store->certificates - 1, setup, error))
            return false;
    }
    for (store->listeners = 0; store->listeners < setup->listeners; store->listeners++)
        if (!context_alpn(&store->listener[store->listeners], &setup->listener[store->listeners], error))
            return false;
    return context_client(store, setup, error);
}

struct tls_store *tls_store_load(const struct tls_store_setup *setup, char error[TLS_ERROR])
{
    struct tls_store *store = calloc(1, sizeof(*store));

    if (!store) {
        snprintf(error, TLS_ERROR, "no memory");
        return NULL;
    }
    atomic_store(&store->held, 1);
    ERR_clear_error(); /* of earlier work */
    if (store_fill(store, setup, error))
        return store;
    store_free(store);
    return NULL;
}

void tls_store_drop(struct tls_store *store)
{
    if (store && atomic_fetch_sub(&store->held, 1) == 1)
        store_free(store);
}

int64_t tls_store_certificate(const struct tls_store *store, unsigned certificate, char *names, size_t size)
{
    const struct tls_certificate *c = &store->certificate[certificate];
    size_t used = 0;

    names[0] = '\0';
    for (unsigned i = 0; i < c->names.n && used + c->names.name[i].len + 2 < size; i++)
        used += (size_t)snprintf(names + used, size - used, "%s" SLICE_FMT, i ? "," : "",
                                 SLICE_ARG(c->names.name[i]));
    return c->ends;
}

int64_t tls_store_ends(const struct tls_store *store, unsigned *certificate)
{
    int64_t first = 0;
    for (unsigned i = 0; i < store->certificates; i++) {
        int64_t ends = store->certificate[i].ends;
        if (ends != 0 && (first == 0 || ends < first)) {
            first = ends;
            *certificate = i;
        }
    }
    return first;
}

/* ---- the shelf ---- */

struct tls_shelf *tls_shelf_create(unsigned cores)
{
    struct tls_shelf *shelf = NULL;

    if (cores > HG_CORES_MAX ||
        posix_memalign((void **)&shelf, alignof(struct tls_shelf), sizeof(*shelf)) != 0)
        return NULL;
    memset(shelf, 0, sizeof(*shelf));
    shelf->cores = cores;
    shelf->tickets = tickets_create();
    shelf->bio = bio_method();
    if (shelf->tickets && shelf->bio)
        return shelf;
    tls_shelf_destroy(shelf);
    return NULL;
}

/* No core turns any more. */
void tls_shelf_destroy(struct tls_shelf *shelf)
{
    if (!shelf)
        return;
    while (shelf->old) {
        struct tls_store *store = shelf->old;
        shelf->old = store->next;
        store_free(store);
    }
    struct tls_store *now = atomic_load(&shelf->now);
    if (now)
        store_free(now);
    tickets_destroy(shelf->tickets);
    BIO_meth_free(shelf->bio);
    free(shelf);
}

void tls_shelf_put(struct tls_shelf *shelf, struct tls_store *store)
{
    store->tickets = store->ticket_s ? shelf->tickets : NULL;
    store->bio = shelf->bio;
    struct tls_store *old = atomic_exchange(&shelf->now, store);
    if (old) {
        old->next = shelf->old;
        shelf->old = old;
    }
    tls_shelf_tidy(shelf);
}

static bool in_use(const struct tls_shelf *shelf, const struct tls_store *store)
{
    for (unsigned i = 0; i < shelf->cores; i++)
        if (atomic_load(&shelf->hand[i].reaches_for) == store)
            return true;
    return atomic_load(&store->held) > 1;
}

unsigned tls_shelf_tidy(struct tls_shelf *shelf)
{
    unsigned left = 0;

    for (struct tls_store **at = &shelf->old; *at;) {
        struct tls_store *store = *at;
        if (in_use(shelf, store)) {
            left++;
            at = &store->next;
            continue;
        }
        *at = store->next;
        store_free(store);
    }
    return left;
}

void tls_shelf_tickets(struct tls_shelf *shelf, const struct tls_ticket_key *key, unsigned n)
{
    tickets_put(shelf->tickets, key, n);
}

struct tls_store *tls_shelf_take(struct tls_shelf *shelf, unsigned core)
{
    _Atomic(struct tls_store *) *hand = &shelf->hand[core].reaches_for;
    struct tls_store *store = atomic_load(&shelf->now);

    for (;;) {
        atomic_store(hand, store);
        struct tls_store *again = atomic_load(&shelf->now);
        if (again == store) /* it was in force after it had been reached for: it is not freed */
            break;
        store = again;
    }
    if (store)
        atomic_fetch_add(&store->held, 1);
    atomic_store(hand, NULL);
    return store;
}

void tls_store_release(struct tls_store *store)
{
    if (store)
        atomic_fetch_sub(&store->held, 1); /* the main thread frees it */
}

/* ---- connections ---- */

static int whatever_it_is(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    (void)ctx;
    return 1; /* asked for, not required: SSL_get_verify_result() tells */
}

static SSL *with_bio(SSL *ssl, const struct tls_store *store)
{
    if (!ssl || bio_attach(ssl, store->bio))
        return ssl;
    SSL_free(ssl);
    return NULL;
}

SSL *tls_store_server(struct tls_store *store, unsigned listener)
{
    const struct tls_listener *l = listener < store->listeners ? &store->listener[listener] : NULL;

    if (store->certificates == 0)
        return NULL;
    SSL *ssl = with_bio(SSL_new(store->certificate[0].ctx), store);
    if (!ssl)
        return NULL;
    SSL_set_app_data(ssl, (void *)l);
    if (l && l->client_auth == TLS_AUTH_ASK)
        SSL_set_verify(ssl, SSL_VERIFY_PEER, whatever_it_is);
    else if (l && l->client_auth == TLS_AUTH_REQUIRE)
        SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_set_accept_state(ssl);
    return ssl;
}

static bool is_address(const char *name)
{
    return strspn(name, "0123456789.") == strlen(name) || strchr(name, ':');
}

SSL *tls_store_client(struct tls_store *store, const char *name)
{
    SSL *ssl = with_bio(SSL_new(store->client), store);
    if (!ssl)
        return NULL;
    if (name && *name && !is_address(name) && SSL_set_tlsext_host_name(ssl, name) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_connect_state(ssl);
    return ssl;
}
