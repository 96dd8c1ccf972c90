/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections: made, found, told of, and freed. */
#include <stdlib.h>

#include <openssl/err.h>

#include "tls/context.h"
#include "tls/state.h"

static uint32_t *link_of(struct tls *tls, const struct tls_list *list, struct tls_conn *c)
{
    if (list == &tls->steps)
        return &c->next_step;
    return list == &tls->more ? &c->next_more : &c->next_touched;
}

/* In a list: a link to another one, or TLS_NIL at the end. Not in it: to itself. */
void list_add(struct tls *tls, struct tls_list *list, struct tls_conn *c)
{
    uint32_t i = slab_index(tls->conns, c), *link = link_of(tls, list, c);

    if (*link != i)
        return;
    *link = TLS_NIL;
    if (list->first == TLS_NIL)
        list->first = i;
    else
        *link_of(tls, list, slab_at(tls->conns, list->last)) = i;
    list->last = i;
}

void list_add_first(struct tls *tls, struct tls_list *list, struct tls_conn *c)
{
    uint32_t i = slab_index(tls->conns, c), *link = link_of(tls, list, c);

    if (*link != i)
        return;
    *link = list->first;
    list->first = i;
    if (*link == TLS_NIL)
        list->last = i;
}

struct tls_conn *list_take(struct tls *tls, struct tls_list *list)
{
    if (list->first == TLS_NIL)
        return NULL;
    uint32_t i = list->first;
    struct tls_conn *c = slab_at(tls->conns, i);
    uint32_t *link = link_of(tls, list, c);
    list->first = *link;
    *link = i;
    return c;
}

tls_id tls_conn_id(const struct tls *tls, const struct tls_conn *c)
{
    uint32_t i = slab_index(tls->conns, c);
    return (uint64_t)tls->generation[i] << 32 | i;
}

/* Those that are gone, too, as long as nobody has their place. */
static struct tls_conn *tls_conn_here(const struct tls *tls, tls_id id)
{
    uint32_t i = (uint32_t)id, generation = (uint32_t)(id >> 32);

    if (i >= tls->setup.connections_max || tls->generation[i] != generation || !(generation & 1))
        return NULL;
    return slab_at(tls->conns, i);
}

struct tls_conn *tls_conn_of(const struct tls *tls, tls_id id)
{
    struct tls_conn *c = tls_conn_here(tls, id);
    return c && !c->gone ? c : NULL;
}

tls_id tls_over(const struct tls *tls, uint32_t index, tcp_id tcp)
{
    if (index >= tls->setup.connections_max || !(tls->generation[index] & 1))
        return 0;
    const struct tls_conn *c = slab_at(tls->conns, index);
    return !c->gone && c->tcp == tcp ? tls_conn_id(tls, c) : 0;
}

/* Its owner has forgotten it before it heard the news: tls_conn_of() of an id that is to end. */
static struct tls_conn *tls_conn_to_end(const struct tls *tls, tls_id id)
{
    struct tls_conn *c = tls_conn_here(tls, id);

    if (c && c->gone)
        c->bits = 0;
    return c && !c->gone ? c : NULL;
}

void tls_conn_tell(struct tls *tls, struct tls_conn *c, uint16_t bits)
{
    c->bits |= bits;
    list_add(tls, &tls->touched, c);
}

static struct tls_conn *tls_conn_new(struct tls *tls, tcp_id tcp, uint16_t listener, uint32_t cookie)
{
    struct tls_conn *c = slab_get(tls->conns);
    if (!c) {
        ctx_count(tls->ctx, HG_C_tls_no_room);
        return NULL;
    }
    uint32_t i = slab_index(tls->conns, c);
    *c = (struct tls_conn){.tcp = tcp,
                           .cookie = cookie,
                           .listener = listener,
                           .state = TLS_WAITS,
                           .next_step = i,
                           .next_more = i,
                           .next_touched = i,
                           .timer.kind = WHEEL_KIND(WHEEL_TLS, TLS_TIMER_HANDSHAKE)};
    tls->generation[i]++;
    return c;
}

static void free_session(struct tls_conn *c)
{
    SSL_free(c->ssl);
    tls_store_release(c->store);
    free(c->name);
    c->ssl = NULL;
    c->store = NULL;
    c->name = NULL;
}

static void free_text(struct tls *tls, struct tls_conn *c)
{
    if (c->kept)
        tls->kept_bytes -= c->kept_len;
    sized_put(&tls->kept, c->kept);
    free(c->over);
    free(c->peer);
    c->kept = c->over = NULL;
    c->peer = NULL;
    c->kept_len = c->kept_at = c->fresh_len = c->fresh_at = c->over_len = c->over_at = 0;
}

void tls_conn_drop(struct tls *tls, struct tls_conn *c)
{
    c->gone = true;
    wheel_cancel(tls->ctx->wheel, &c->timer);
    free_text(tls, c);
    if (c->state != TLS_PARKED)
        free_session(c);
    list_add(tls, &tls->touched, c);
}

/* What is unread would turn the end of the connection into a reset, and the alert would be lost with it. */
static void end_tcp(struct tls *tls, struct tls_conn *c)
{
    tcp_consume(tls->tcp, c->tcp, tcp_readable(tls->tcp, c->tcp));
    tcp_close(tls->tcp, c->tcp);
}

void tls_conn_fail(struct tls *tls, struct tls_conn *c, unsigned counter)
{
    ctx_count(tls->ctx, counter);
    end_tcp(tls, c);
    c->bits |= TLS_FAILED;
    c->reason = TCP_REASON_PROTOCOL;
    tls_conn_drop(tls, c);
}

/* The place of one that is gone; false: somebody may still come by its index. */
static bool place_free(struct tls *tls, struct tls_conn *c)
{
    uint32_t i = slab_index(tls->conns, c);

    if (!c->gone || c->state == TLS_PARKED || c->bits || c->next_step != i || c->next_more != i)
        return false;
    tls->generation[i]++;
    slab_put(tls->conns, c);
    return true;
}

void tls_turn_end(struct tls *tls)
{
    struct tls_list all = tls->touched;
    struct tls_conn *c;

    tls->touched = (struct tls_list){TLS_NIL, TLS_NIL};
    tls->plain_used = 0;
    for (uint32_t at = all.first; at != TLS_NIL;) {
        c = slab_at(tls->conns, at);
        at = c->next_touched;
        c->next_touched = slab_index(tls->conns, c);
        if (place_free(tls, c))
            continue;
        if (!c->gone)
            input_keep(tls, c);
        if (c->gone || c->bits)
            list_add(tls, &tls->touched, c);
    }
}

unsigned tls_events(struct tls *tls, const struct tls_event **e)
{
    unsigned n = 0;

    for (uint32_t at = tls->touched.first; at != TLS_NIL && n < TLS_EVENTS_MAX;) {
        struct tls_conn *c = slab_at(tls->conns, at);
        at = c->next_touched;
        if (!c->bits)
            continue;
        tls->events[n++] = (struct tls_event){.id = tls_conn_id(tls, c),
                                              .cookie = c->cookie,
                                              .listener = c->listener,
                                              .bits = (uint8_t)c->bits,
                                              .reason = c->reason};
        c->bits = 0;
    }
    *e = tls->events;
    return n;
}

/* ---- how one begins and ends ---- */

static tls_id begin(struct tls *tls, struct tls_conn *c, SSL *ssl, struct tls_store *store)
{
    bool could = store && (c->ready || store->certificates > 0);

    c->ssl = ssl;
    c->store = store;
    if (!ssl) {
        ctx_count(tls->ctx, could ? HG_C_tls_no_memory : HG_C_tls_no_certificate);
        tls_conn_drop(tls, c);
        return 0;
    }
    wheel_arm(tls->ctx->wheel, &c->timer, tls->ctx->ms + tls->setup.handshake_ms);
    if (c->ready || tcp_readable(tls->tcp, c->tcp) > 0)
        handshake_want(tls, c);
    return tls_conn_id(tls, c);
}

tls_id tls_accept(struct tls *tls, tcp_id tcp, uint16_t listener, uint32_t cookie)
{
    struct tls_conn *c = tls_conn_new(tls, tcp, listener, cookie);

    if (!c)
        return 0;
    struct tls_store *store = tls_shelf_take(tls->setup.shelf, tls->ctx->core);
    ctx_count(tls->ctx, HG_C_tls_accepted);
    return begin(tls, c, store ? tls_store_server(store, listener) : NULL, store);
}

tls_id tls_connect(struct tls *tls, tcp_id tcp, const char *name, uint32_t cookie)
{
    struct tls_conn *c = tls_conn_new(tls, tcp, TCP_LISTENER_NONE, cookie);

    if (!c)
        return 0;
    struct tls_store *store = tls_shelf_take(tls->setup.shelf, tls->ctx->core);
    SSL *ssl = store ? tls_store_client(store, name) : NULL;
    ctx_count(tls->ctx, HG_C_tls_connected);
    c->ready = true;
    c->name = ssl && name && *name ? strdup(name) : NULL;
    if (ssl && name && *name && !c->name) {
        SSL_free(ssl);
        ssl = NULL;
    }
    return begin(tls, c, ssl, store);
}

void tls_shutdown(struct tls *tls, tls_id id)
{
    struct tls_conn *c = tls_conn_of(tls, id);

    if (!c)
        return;
    output_bye(tls, c);
    tcp_shutdown(tls->tcp, c->tcp);
}

void tls_close(struct tls *tls, tls_id id)
{
    struct tls_conn *c = tls_conn_to_end(tls, id);

    if (!c)
        return;
    output_bye(tls, c);
    end_tcp(tls, c);
    c->bits = 0;
    tls_conn_drop(tls, c);
}

void tls_abort(struct tls *tls, tls_id id)
{
    struct tls_conn *c = tls_conn_to_end(tls, id);

    if (!c)
        return;
    tcp_abort(tls->tcp, c->tcp);
    c->bits = 0;
    tls_conn_drop(tls, c);
}
