/* SPDX-License-Identifier: BSD-2-Clause */
#include "tls/tls.h"

#include <stdlib.h>

#include "tls/state.h"

struct tls *tls_create(struct ctx *ctx, struct tcp *tcp, const struct tls_setup *setup)
{
    struct tls *tls = calloc(1, sizeof(*tls));

    if (!tls)
        return NULL;
    tls->ctx = ctx;
    tls->tcp = tcp;
    tls->setup = *setup;
    tls->steps = tls->more = tls->touched = (struct tls_list){TLS_NIL, TLS_NIL};
    tls->conns = slab_create(sizeof(struct tls_conn), setup->connections_max);
    tls->jobs = slab_create(sizeof(struct tls_job), setup->handshakes_max);
    tls->generation = calloc(setup->connections_max, sizeof(tls->generation[0]));
    tls->plain = malloc(TLS_PLAIN);
    /* of each size, as many as that many bytes are */
    if (tls->conns && tls->jobs && tls->generation && tls->plain &&
        sized_create(&tls->kept, setup->kept_total / 512))
        return tls;
    tls_destroy(tls);
    return NULL;
}

/* The workers have ended: what was under way is this core's again. */
void tls_destroy(struct tls *tls)
{
    if (!tls)
        return;
    for (uint32_t i = 0; tls->conns && tls->generation && i < tls->setup.connections_max; i++) {
        if (!(tls->generation[i] & 1))
            continue;
        struct tls_conn *c = slab_at(tls->conns, i);
        c->state = TLS_WAITS;
        tls_conn_drop(tls, c);
    }
    sized_destroy(&tls->kept);
    slab_destroy(tls->conns);
    slab_destroy(tls->jobs);
    free(tls->generation);
    free(tls->plain);
    free(tls);
}

static void readable(struct tls *tls, struct tls_conn *c)
{
    if (c->state == TLS_UP)
        input_pull(tls, c);
    else
        handshake_want(tls, c);
}

static void peer_closed(struct tls *tls, struct tls_conn *c)
{
    c->peer_closed = true;
    if (c->state == TLS_UP)
        input_pull(tls, c);
    else if (c->state == TLS_WAITS)
        tls_conn_fail(tls, c, HG_C_tls_gave_up);
}

void tls_input(struct tls *tls, tls_id id, const struct tcp_event *e)
{
    struct tls_conn *c = tls_conn_of(tls, id);

    if (c && (e->bits & (TCP_EVENT_FAILED | TCP_EVENT_CLOSED))) {
        bool failed = (e->bits & TCP_EVENT_FAILED) || c->state != TLS_UP;
        if (c->state != TLS_UP)
            ctx_count(tls->ctx, HG_C_tls_gave_up);
        c->bits |= failed ? TLS_FAILED : TLS_CLOSED;
        c->reason = e->reason;
        tls_conn_drop(tls, c);
        return;
    }
    if (c && (e->bits & TCP_EVENT_WRITABLE) && output_go_on(tls, c) && c->state == TLS_UP) {
        tls_conn_tell(tls, c, TLS_WRITABLE);
        list_add(tls, &tls->more, c); /* reading had stopped for it */
    }
    if (c && (e->bits & TCP_EVENT_READABLE))
        readable(tls, c);
    if ((e->bits & TCP_EVENT_PEER_CLOSED) && (c = tls_conn_of(tls, id)))
        peer_closed(tls, c);
}

/* Each once: who still has more comes again, behind the last of now. */
static unsigned read_on(struct tls *tls)
{
    uint32_t last = tls->more.last;
    unsigned work = 0;

    for (struct tls_conn *c; (c = list_take(tls, &tls->more)); work++) {
        if (!c->gone && c->state == TLS_UP)
            input_pull(tls, c);
        if (slab_index(tls->conns, c) == last)
            break;
    }
    return work;
}

unsigned tls_work(struct tls *tls)
{
    return handshake_turn(tls) + read_on(tls);
}

void tls_housekeeping(struct tls *tls)
{
    uint64_t *counters = tls->ctx->counters;

    hg_gauge(counters, HG_C_tls_open, slab_used(tls->conns));
    hg_gauge(counters, HG_C_tls_parked, workers_under_way(tls->setup.workers, tls->ctx->core));
    hg_gauge(counters, HG_C_tls_kept_bytes, tls->kept_bytes);
}

void tls_timers(struct tls *tls, struct wheel_timer **t, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct tls_conn *c = (struct tls_conn *)((char *)t[i] - offsetof(struct tls_conn, timer));
        tls_conn_fail(tls, c, HG_C_tls_handshake_timeout);
    }
}

void tls_set_cookie(struct tls *tls, tls_id id, uint32_t cookie)
{
    struct tls_conn *c = tls_conn_of(tls, id);

    if (c)
        c->cookie = cookie;
}

uint32_t tls_cookie(const struct tls *tls, tls_id id)
{
    const struct tls_conn *c = tls_conn_of(tls, id);
    return c ? c->cookie : 0;
}

tcp_id tls_below(const struct tls *tls, tls_id id)
{
    const struct tls_conn *c = tls_conn_of(tls, id);
    return c ? c->tcp : 0;
}

bool tls_peer(struct tls *tls, tls_id id, struct tls_peer *out)
{
    const struct tls_conn *c = tls_conn_of(tls, id);
    const unsigned char *alpn;
    unsigned len;

    if (!c || c->state != TLS_UP)
        return false;
    const char *sni = SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name);
    SSL_get0_alpn_selected(c->ssl, &alpn, &len);
    *out = (struct tls_peer){.verified = c->verified,
                             .resumed = c->resumed,
                             .version = (uint16_t)SSL_version(c->ssl),
                             .cipher = SSL_get_cipher_name(c->ssl),
                             .alpn = slice_of((const char *)alpn, len),
                             .sni = sni ? slice_str(sni) : slice_of("", 0),
                             .identities = c->peer ? c->peer->n : 0};
    for (unsigned i = 0; i < out->identities; i++)
        out->identity[i] = c->peer->name[i];
    return true;
}

bool tls_peer_is(const struct tls_peer *peer, struct slice domain)
{
    for (unsigned i = 0; i < peer->identities; i++)
        if (slice_ieq(peer->identity[i], domain))
            return true;
    return false;
}
