/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 5077 tickets: the state of a session, sealed for the client to keep. Its keys come from the cluster's
 * record, so that any node resumes what another one began. Worker threads read them while the main thread
 * puts new ones: a set is never changed, and freed when the second set after it comes, hours later. */
#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "tls/context.h"

struct ticket_set {
    unsigned n;
    struct tls_ticket_key key[TLS_TICKET_KEYS];
};

struct tickets {
    _Atomic(struct ticket_set *) now;
    struct ticket_set *before;
};

static void set_free(struct ticket_set *set)
{
    if (set)
        OPENSSL_cleanse(set, sizeof(*set));
    free(set);
}

struct tickets *tickets_create(void)
{
    return calloc(1, sizeof(struct tickets));
}

void tickets_destroy(struct tickets *t)
{
    if (!t)
        return;
    set_free(t->before);
    set_free(atomic_load(&t->now));
    free(t);
}

void tickets_put(struct tickets *t, const struct tls_ticket_key *key, unsigned n)
{
    struct ticket_set *set = calloc(1, sizeof(*set));
    if (!set)
        return;
    set->n = n > TLS_TICKET_KEYS ? TLS_TICKET_KEYS : n;
    memcpy(set->key, key, set->n * sizeof(key[0]));
    set_free(t->before);
    t->before = atomic_exchange(&t->now, set);
}

static bool mac_init(EVP_MAC_CTX *mac, const struct tls_ticket_key *key)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int ticket_seal(const struct tls_ticket_key *key, unsigned char *name, unsigned char *iv,
                       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    memcpy(name, key->name, sizeof(key->name));
    if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1 ||
        EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes, iv) != 1 || !mac_init(mac, key))
        return -1;
    return 1;
}

/* OpenSSL's contract: 0 = no such key: a full handshake; 1 = opened; 2 = opened, and a new ticket is due. */
int tickets_callback(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seal)
{
    const struct tls_store *store = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const struct ticket_set *set =
        store && store->tickets ? atomic_load_explicit(&store->tickets->now, memory_order_acquire) : NULL;

    if (!set || set->n == 0)
        return 0;
    if (seal)
        return ticket_seal(&set->key[0], name, iv, cipher, mac);
    for (unsigned i = 0; i < set->n; i++) {
        const struct tls_ticket_key *key = &set->key[i];
        if (CRYPTO_memcmp(name, key->name, sizeof(key->name)) != 0)
            continue;
        if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes, iv) != 1 || !mac_init(mac, key))
            return -1;
        /* a ticket of 1.3 is used once: whoever comes back with one gets the next (RFC 8446 C.4) */
        return i == 0 && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
    }
    return 0;
}
