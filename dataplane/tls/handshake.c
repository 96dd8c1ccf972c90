/* SPDX-License-Identifier: BSD-2-Clause */
/* Handshakes, a step at a time: what has come is copied into a job, a worker lets OpenSSL do what it can with
 * it, and what OpenSSL had to say leaves when the job is back. */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tls/context.h"
#include "tls/state.h"

#define JOBS_BACK 32
#define SLICES    32

static bool job_out(struct tls_io *io, const char *p, uint32_t len)
{
    struct tls_job *job = io->owner;

    if (len > TLS_JOB_OUT - job->out_len)
        return false;
    memcpy(job->out + job->out_len, p, len);
    job->out_len += len;
    return true;
}

/* ---- on the worker, or where there is none, on the core ---- */

static struct tls_identities *identities_keep(SSL *ssl)
{
    struct identities found;
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    uint32_t bytes = 0;

    if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK)
        return NULL;
    identities_of(certificate, &found);
    unsigned n = found.n < TLS_IDENTITIES ? found.n : TLS_IDENTITIES;
    for (unsigned i = 0; i < n; i++)
        bytes += found.name[i].len;
    struct tls_identities *kept = malloc(sizeof(*kept) + bytes);
    if (!kept)
        return NULL;
    char *to = kept->text;
    kept->n = n;
    for (unsigned i = 0; i < n; to += found.name[i++].len) {
        memcpy(to, found.name[i].p, found.name[i].len);
        kept->name[i] = slice_of(to, found.name[i].len);
    }
    return kept;
}

/* RFC 5922 7.2, and an address in its own field. */
static bool name_fits(SSL *ssl, const char *name)
{
    struct identities found;
    X509 *certificate = SSL_get0_peer_certificate(ssl);

    if (!certificate)
        return false;
    identities_of(certificate, &found);
    for (unsigned i = 0; i < found.n; i++)
        if (identity_equal(found.name[i], slice_str(name)))
            return true;
    return X509_check_ip_asc(certificate, name, 0) == 1;
}

static void job_run(struct worker_job *head)
{
    struct tls_job *job = (struct tls_job *)head;

    ERR_clear_error();
    bio_use(job->ssl, &job->io);
    job->error = SSL_get_error(job->ssl, SSL_do_handshake(job->ssl));
    bio_use(job->ssl, NULL);
    if (job->error == SSL_ERROR_NONE) {
        if (job->name && !name_fits(job->ssl, job->name)) {
            job->error = SSL_ERROR_SSL;
            job->why = HG_C_tls_wrong_name;
        } else {
            job->peer = identities_keep(job->ssl);
        }
    } else if (job->error != SSL_ERROR_WANT_READ) {
        job->why = why_failed();
    }
    ERR_clear_error();
}

/* ---- the core ---- */

void handshake_want(struct tls *tls, struct tls_conn *c)
{
    if (c->state != TLS_WAITS)
        return;
    c->state = TLS_QUEUED;
    list_add(tls, &tls->steps, c);
}

static struct tls_job *job_for(struct tls *tls, struct tls_conn *c)
{
    struct slice in[SLICES];
    struct tls_job *job = slab_get(tls->jobs);
    if (!job)
        return NULL;
    job->head.run = job_run;
    job->ssl = c->ssl;
    job->id = tls_conn_id(tls, c);
    job->name = c->name;
    job->why = HG_C_tls_protocol;
    job->peer = NULL;
    job->out_len = 0;
    uint32_t len = 0;
    unsigned n = tcp_peek(tls->tcp, c->tcp, in, SLICES);
    for (unsigned i = 0; i < n && len < TLS_JOB_IN; i++) {
        uint32_t part = in[i].len < TLS_JOB_IN - len ? in[i].len : TLS_JOB_IN - len;
        memcpy(job->in + len, in[i].p, part);
        len += part;
    }
    job->in_slice = slice_of(job->in, len);
    job->io = (struct tls_io){.in = &job->in_slice, .nin = len > 0, .out = job_out, .owner = job};
    return job;
}

static void handshake_done(struct tls *tls, struct tls_conn *c, struct tls_job *job)
{
    ctx_count(tls->ctx, HG_C_tls_handshakes);
    c->resumed = SSL_session_reused(c->ssl);
    if (c->resumed)
        ctx_count(tls->ctx, HG_C_tls_resumed);
    c->peer = job->peer;
    c->verified = job->peer != NULL;
    job->peer = NULL;
    SSL_set_app_data(c->ssl, NULL); /* it points into the store */
    tls_store_release(c->store);
    free(c->name);
    c->store = NULL;
    c->name = NULL;
    wheel_cancel(tls->ctx->wheel, &c->timer);
    c->state = TLS_UP;
    tls_conn_tell(tls, c, TLS_OPEN | TLS_WRITABLE);
    input_pull(tls, c);
}

static void job_back(struct tls *tls, struct tls_conn *c, struct tls_job *job)
{
    c->state = TLS_WAITS;
    if (c->gone) { /* in the meantime */
        tls_conn_drop(tls, c);
        return;
    }
    tcp_consume(tls->tcp, c->tcp, job->io.used);
    if (job->out_len > 0 && !output_put(tls, c, job->out, job->out_len)) {
        tls_conn_fail(tls, c, HG_C_tls_no_memory);
        return;
    }
    tcp_flush(tls->tcp, c->tcp);
    if (job->error == SSL_ERROR_NONE)
        handshake_done(tls, c, job);
    else if (job->error != SSL_ERROR_WANT_READ)
        tls_conn_fail(tls, c, job->why);
    else if (tcp_readable(tls->tcp, c->tcp) > 0)
        handshake_want(tls, c);
    else if (c->peer_closed)
        tls_conn_fail(tls, c, HG_C_tls_gave_up);
}

static void job_end(struct tls *tls, struct tls_job *job)
{
    job_back(tls, slab_at(tls->conns, (uint32_t)job->id), job);
    free(job->peer);
    OPENSSL_cleanse(job->in, job->in_slice.len);
    slab_put(tls->jobs, job);
}

/* false: it has to wait for others. */
static bool step(struct tls *tls, struct tls_conn *c)
{
    struct tls_job *job = job_for(tls, c);
    if (!job)
        return false;
    c->ready = false;
    c->state = TLS_PARKED;
    if (workers_threads(tls->setup.workers) == 0) {
        job_run(&job->head);
        job_end(tls, job);
        return true;
    }
    if (workers_give(tls->setup.workers, tls->ctx->core, &job->head))
        return true;
    slab_put(tls->jobs, job);
    c->state = TLS_QUEUED;
    return false;
}

unsigned handshake_turn(struct tls *tls)
{
    struct worker_job *done[JOBS_BACK];
    bool alone = workers_threads(tls->setup.workers) == 0;
    unsigned work = alone ? 0 : workers_take(tls->setup.workers, tls->ctx->core, done, JOBS_BACK);

    for (unsigned i = 0; i < work; i++)
        job_end(tls, (struct tls_job *)done[i]);
    for (struct tls_conn *c; (c = list_take(tls, &tls->steps));) {
        if (c->gone)
            continue;
        if (!step(tls, c)) {
            list_add_first(tls, &tls->steps, c);
            break;
        }
        work++;
        if (alone)
            break;
    }
    return work;
}
