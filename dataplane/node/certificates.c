/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/certificates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "hg/segment.h"
#include "lib/workers.h"
#include "node/config.h"

#define NAMES_TEXT (HG_CERTIFICATE_NAMES * (HG_HOST_MAX + 1))

struct setup {
    struct tls_store_setup store;
    char names[HG_CERTIFICATES_MAX][NAMES_TEXT + 1];
};

static const char *text_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static void fill_certificates(struct setup *s, const struct hg_config *config)
{
    s->store.certificates = config->ncertificates;
    for (uint32_t i = 0; i < config->ncertificates; i++) {
        const struct hg_config_certificate *c = &config->certificates[i];
        size_t used = 0;
        for (uint16_t k = 0; k < c->nnames; k++)
            used += (size_t)snprintf(s->names[i] + used, NAMES_TEXT - used, "%s%s", k ? "," : "", c->name[k]);
        s->store.certificate[i].chain = c->chain;
        s->store.certificate[i].key = c->key;
        s->store.certificate[i].names = text_or_null(s->names[i]);
    }
}

static struct setup *setup_of(const struct hg_config *config)
{
    static_assert((int)HG_CLIENT_AUTH_ASK == TLS_AUTH_ASK && (int)HG_CLIENT_AUTH_REQUIRE == TLS_AUTH_REQUIRE,
                  "the same words");
    static_assert(HG_CERTIFICATES_MAX == TLS_CERTIFICATES_MAX, "the same room");
    struct setup *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->store = (struct tls_store_setup){
        .trust = text_or_null(config->tls_trust),
        .tls12 = config->tls_min_version == 0,
        .ciphers = text_or_null(config->tls_ciphers),
        .ciphersuites = text_or_null(config->tls_ciphersuites),
        .groups = text_or_null(config->tls_groups),
        .ticket_s = (uint32_t)config->tls_ticket_lifetime_s,
        .listeners = config->nlisteners,
    };
    fill_certificates(s, config);
    for (uint32_t i = 0; i < config->nlisteners; i++)
        s->store.listener[i] = (struct tls_listener_setup){
            .client_auth = config->listeners[i].client_auth,
            .alpn = text_or_null(config->listeners[i].alpn),
            .alpn_required = true, /* RFC 7301 section 3.2, against cross-protocol attacks (RFC 9325 3.8) */
        };
    return s;
}

static struct tls_store *load(const struct hg_config *config, char *error)
{
    struct setup *s = setup_of(config);

    if (s == NULL) {
        snprintf(error, TLS_ERROR, "no memory");
        return NULL;
    }
    struct tls_store *store = tls_store_load(&s->store, error);
    free(s);
    return store;
}

/* ---- the files ---- */

static const char *file_at(const struct hg_config *config, unsigned i)
{
    if (i / 2 < config->ncertificates)
        return i % 2 ? config->certificates[i / 2].key : config->certificates[i / 2].chain;
    return i == 2 * config->ncertificates ? config->tls_trust : "";
}

static void look_at_files(const struct hg_config *config, struct file_stamp stamp[CERTIFICATE_FILES])
{
    memset(stamp, 0, CERTIFICATE_FILES * sizeof(*stamp));
    for (unsigned i = 0; i <= 2 * config->ncertificates; i++) {
        struct stat st;
        if (stat(file_at(config, i), &st) != 0)
            continue;
        stamp[i].dev = st.st_dev;
        stamp[i].ino = st.st_ino;
        stamp[i].size = st.st_size;
        stamp[i].changed = st.st_ctim;
    }
}

/* ---- what the control plane shows ---- */

static void tell_begin(struct hg_segment_tls *t)
{
    atomic_fetch_add_explicit(&t->version, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static void tell_end(struct hg_segment_tls *t)
{
    atomic_fetch_add_explicit(&t->version, 1, memory_order_release);
}

static void tell(struct certificates *c, const struct tls_store *store, const char *error)
{
    struct hg_segment_tls *t = c->tell;

    tell_begin(t);
    snprintf(t->error, sizeof(t->error), "%s", error);
    if (store != NULL) {
        t->loads++;
        t->loaded_at = (uint64_t)time(NULL);
        t->certificates = c->config->ncertificates;
        for (uint32_t i = 0; i < t->certificates; i++) {
            snprintf(t->certificate[i].chain, sizeof(t->certificate[i].chain), "%s",
                     c->config->certificates[i].chain);
            t->certificate[i].ends =
                tls_store_certificate(store, i, t->certificate[i].names, sizeof(t->certificate[i].names));
        }
    } else {
        t->refused++;
    }
    tell_end(t);
}

static void read_again(struct certificates *c)
{
    char error[TLS_ERROR] = "";
    struct tls_store *store = load(c->config, error);

    tell(c, store, error);
    if (store == NULL) {
        fprintf(stderr, "hg-dataplane: %s; the certificates that were read before stay in force\n", error);
        return;
    }
    tls_shelf_put(c->shelf, store);
    fputs("hg-dataplane: certificates, keys and trust were read again\n", stderr);
}

/* ---- keys of tickets ---- */

static uint64_t now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec;
}

/* A new one in front; the oldest one goes. */
static void new_key(struct certificates *c)
{
    const unsigned most = sizeof(c->key) / sizeof(c->key[0]);
    struct tls_ticket_key key;

    if (getrandom(&key, sizeof(key), 0) != sizeof(key))
        return;
    memmove(&c->key[1], &c->key[0], sizeof(c->key) - sizeof(c->key[0]));
    c->key[0] = key;
    explicit_bzero(&key, sizeof(key));
    c->nkeys += c->nkeys < most;
    c->keys_s = now_s();
    tls_shelf_tickets(c->shelf, c->key, c->nkeys);
}

static void keep_keys(struct certificates *c)
{
    uint64_t lifetime = (uint64_t)c->config->tls_ticket_lifetime_s;

    if (lifetime > 0 && (c->nkeys == 0 || now_s() - c->keys_s >= (lifetime + 1) / 2))
        new_key(c);
}

/* ---- the process ---- */

static bool open_workers(struct certificates *c, unsigned cores)
{
    uint16_t cpu[HG_CORES_MAX];
    int n = c->config->dp_crypto_cpus[0] ? hg_config_cpus(c->config->dp_crypto_cpus, cpu) : 0;

    if (c->config->dp_crypto_workers == 0)
        return true;
    c->workers = workers_open((unsigned)c->config->dp_crypto_workers, cores,
                              (unsigned)c->config->tls_handshakes_max, cpu, n > 0 ? (unsigned)n : 0);
    if (c->workers == NULL)
        fputs("hg-dataplane: the threads of dataplane.crypto_workers cannot be started; are "
              "dataplane.crypto_cpus there?\n",
              stderr);
    return c->workers != NULL;
}

bool certificates_open(struct certificates *c, const struct hg_config *config, unsigned cores,
                       struct hg_segment_tls *told)
{
    char error[TLS_ERROR] = "";

    c->config = config;
    c->tell = told;
    look_at_files(config, c->loaded);
    memcpy(c->seen, c->loaded, sizeof(c->seen));
    c->shelf = tls_shelf_create(cores);
    struct tls_store *store = c->shelf ? load(config, error) : NULL;
    if (store == NULL) {
        fprintf(stderr, "hg-dataplane: %s; see dataplane.tls\n", c->shelf ? error : "no memory");
        return false;
    }
    tell(c, store, "");
    tls_shelf_put(c->shelf, store);
    keep_keys(c);
    return open_workers(c, cores);
}

void certificates_look(struct certificates *c)
{
    struct file_stamp now[CERTIFICATE_FILES];
    uint32_t asked = atomic_load_explicit(&c->tell->asked, memory_order_acquire);

    look_at_files(c->config, now);
    bool still = memcmp(now, c->seen, sizeof(now)) == 0;
    memcpy(c->seen, now, sizeof(now));
    if (asked != c->asked || (still && memcmp(now, c->loaded, sizeof(now)) != 0)) {
        memcpy(c->loaded, now, sizeof(now));
        read_again(c);
        c->asked = asked;
        atomic_store_explicit(&c->tell->done, asked, memory_order_release);
    }
    keep_keys(c);
    tls_shelf_tidy(c->shelf);
}

void certificates_stop(struct certificates *c)
{
    workers_close(c->workers);
    c->workers = NULL;
}

void certificates_close(struct certificates *c)
{
    tls_shelf_destroy(c->shelf);
    explicit_bzero(c->key, sizeof(c->key));
    c->shelf = NULL;
}

bool certificates_check(const struct hg_config *config)
{
    char error[TLS_ERROR] = "";
    struct tls_store *store = load(config, error);

    if (store == NULL)
        fprintf(stderr, "hg-dataplane: %s; see dataplane.tls\n", error);
    tls_store_drop(store);
    return store != NULL;
}
