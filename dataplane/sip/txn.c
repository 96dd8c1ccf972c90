/* SPDX-License-Identifier: BSD-2-Clause */
/* The pools and the table of transactions. */
#include "sip/txn.h"

#include <stdlib.h>

#include <rte_malloc.h>

#define RECLAIMS_MAX 4

static struct server *server_at(const struct txns *t, uint32_t link)
{
    return link ? slab_at(t->servers, link - 1) : NULL;
}

static uint32_t server_link(const struct txns *t, const struct server *sv)
{
    return slab_index(t->servers, sv) + 1;
}

struct txns *txns_create(const struct hg_config *config)
{
    struct txns *t = calloc(1, sizeof(*t));
    uint32_t size = 256, max = (uint32_t)config->dp_transactions_max;
    if (!t)
        return NULL;
    while (size < 4 * (uint64_t)max &&
           size < 1u << 30) /* most buckets are empty: a new request touches no other */
        size *= 2;
    t->max = max;
    t->mask = size - 1;
    t->bucket = calloc(size, sizeof(*t->bucket));
    t->alive = calloc(max, sizeof(*t->alive));
    t->servers = slab_create(sizeof(struct server), max);
    t->clients = slab_create(sizeof(struct client), max);
    if (!t->bucket || !t->alive || !t->servers || !t->clients || !sized_create(&t->messages, max)) {
        txns_destroy(t);
        return NULL;
    }
    return t;
}

void txns_destroy(struct txns *t)
{
    slab_destroy(t->servers);
    slab_destroy(t->clients);
    sized_destroy(&t->messages);
    free(t->bucket);
    free(t->alive);
    free(t);
}

void txns_gauges(struct sip *s)
{
    hg_gauge(s->ctx->counters, HG_C_sip_server_transactions, slab_used(s->txns->servers));
    hg_gauge(s->ctx->counters, HG_C_sip_client_transactions, slab_used(s->txns->clients));
    hg_gauge(s->ctx->counters, HG_C_sip_kept_bytes, sized_used_bytes(&s->txns->messages));
}

bool txns_busy(const struct txns *t)
{
    return slab_used(t->servers) > t->lingering;
}

uint32_t txns_load(const struct txns *t)
{
    return (uint32_t)((uint64_t)(slab_used(t->servers) - t->lingering) * 100 / t->max);
}

bool message_room(struct sip *s, struct message *m, uint32_t len)
{
    m->p = sized_get(&s->txns->messages, len);
    m->len = m->p ? len : 0;
    return m->p != NULL;
}

bool message_keep(struct sip *s, struct message *m, const char *p, uint32_t len)
{
    message_drop(s, m);
    if (!message_room(s, m, len))
        return false;
    memcpy(m->p, p, len);
    return true;
}

void message_drop(struct sip *s, struct message *m)
{
    if (m->p)
        sized_put(&s->txns->messages, m->p);
    m->p = NULL;
    m->len = 0;
}

bool message_send(struct sip *s, const struct message *m, const struct hg_endpoint *src,
                  const struct hg_endpoint *dst, uint64_t flow)
{
    struct rte_mbuf *b = m->p ? sip_mbuf(s, m->len) : NULL;
    if (!b)
        return false;
    memcpy(rte_pktmbuf_mtod(b, char *), m->p, m->len);
    b->data_len = (uint16_t)m->len;
    b->pkt_len = m->len;
    return sip_send(s, b, src, dst, flow);
}

static void linger_remove(struct txns *t, struct server *sv)
{
    struct server *o = server_at(t, sv->older), *n = server_at(t, sv->newer);
    if (sv->lingers == LINGER_NOT)
        return;
    *(o ? &o->newer : &t->linger[sv->lingers].oldest) = sv->newer;
    *(n ? &n->older : &t->linger[sv->lingers].newest) = sv->older;
    sv->lingers = LINGER_NOT;
    t->lingering--;
}

static void linger_add(struct txns *t, struct server *sv, enum linger list)
{
    sv->lingers = list;
    uint32_t *newest = &t->linger[sv->lingers].newest;
    struct server *last = server_at(t, *newest);
    sv->older = *newest;
    sv->newer = 0;
    *(last ? &last->newer : &t->linger[sv->lingers].oldest) = server_link(t, sv);
    *newest = server_link(t, sv);
    t->lingering++;
}

void server_lingers(struct sip *s, struct server *sv)
{
    if (sv->lingers != LINGER_NOT)
        return;
    sv->since_ms = s->ctx->ms;
    linger_add(s->txns, sv, sv->first ? LINGER_BRANCHES : LINGER_ALONE);
}

/* The first retransmissions of its peers must have come. */
static bool has_waited(const struct sip *s, const struct server *sv)
{
    return s->ctx->ms - sv->since_ms >= 2 * (uint64_t)s->ctx->config->sip_t1_ms;
}

/* Memory is short: an answered transaction that only waits for stragglers gives way, once the first
 * retransmissions of its peers must have come. A branch that may still ring lives on alone: it has to be
 * cancelled, and its failure acknowledged. */
static bool reclaim(struct sip *s, struct server *sv)
{
    if (!sv || !has_waited(s, sv))
        return false;
    for (uint32_t link = sv->first; link;) {
        struct client *c = server_client(s, link);
        link = c->sibling;
        if (c->state >= CLIENT_COMPLETED)
            client_free(s, c);
    }
    server_free(s, sv);
    ctx_count(s->ctx, HG_C_sip_transactions_reclaimed);
    return true;
}

static struct server *longest_lingering(const struct txns *t)
{
    struct server *longest = NULL;
    for (unsigned list = LINGER_ALONE; list < LINGER_LISTS; list++) {
        struct server *sv = server_at(t, t->linger[list].oldest);
        if (sv && (!longest || sv->since_ms < longest->since_ms))
            longest = sv;
    }
    return longest;
}

struct server *server_new(struct sip *s)
{
    struct server *sv = slab_get(s->txns->servers);
    if (!sv && reclaim(s, longest_lingering(s->txns)))
        sv = slab_get(s->txns->servers);
    if (!sv)
        return NULL;
    memset(sv, 0, sizeof(*sv));
    sv->again.kind = WHEEL_KIND(WHEEL_SIP, TIMER_SERVER_AGAIN);
    sv->end.kind = WHEEL_KIND(WHEEL_SIP, TIMER_SERVER_END);
    return sv;
}

void server_insert(struct sip *s, struct server *sv)
{
    uint32_t *head = &s->txns->bucket[sv->key[0] & s->txns->mask];
    sv->hash_next = *head;
    *head = server_link(s->txns, sv);
}

struct server *server_lookup(struct sip *s, const uint64_t key[2])
{
    struct server *sv = server_at(s->txns, s->txns->bucket[key[0] & s->txns->mask]);
    while (sv && (sv->key[0] != key[0] || sv->key[1] != key[1]))
        sv = server_at(s->txns, sv->hash_next);
    return sv;
}

static void server_unhash(struct sip *s, const struct server *sv)
{
    uint32_t *link = &s->txns->bucket[sv->key[0] & s->txns->mask], self = server_link(s->txns, sv);
    while (*link && *link != self)
        link = &server_at(s->txns, *link)->hash_next;
    if (*link)
        *link = sv->hash_next;
}

/* Expired timers that wait for their turn in sip_timers must not outlive their owner. */
static void batch_forget(struct txns *t, const struct wheel_timer *a, const struct wheel_timer *b)
{
    for (unsigned i = 0; i < t->nbatch; i++)
        if (t->batch[i] == a || t->batch[i] == b)
            t->batch[i] = NULL;
}

void server_free(struct sip *s, struct server *sv)
{
    for (uint32_t link = sv->first; link;) {
        struct client *c = server_client(s, link);
        link = c->sibling;
        c->server = 0;
        c->sibling = 0;
    }
    wheel_cancel(s->ctx->wheel, &sv->again);
    wheel_cancel(s->ctx->wheel, &sv->end);
    linger_remove(s->txns, sv);
    listener_release(s, sv->in);
    server_unhash(s, sv);
    message_drop(s, &sv->request);
    message_drop(s, &sv->response);
    message_drop(s, &sv->best);
    message_drop(s, &sv->auth);
    message_drop(s, &sv->targets);
    batch_forget(s->txns, &sv->again, &sv->end);
    slab_put(s->txns->servers, sv);
}

struct client *server_client(struct sip *s, uint32_t link)
{
    return link ? slab_at(s->txns->clients, link - 1) : NULL;
}

struct server *client_server(struct sip *s, const struct client *c)
{
    return server_at(s->txns, c->server);
}

uint64_t client_id(struct sip *s, const struct client *c)
{
    return (uint64_t)c->generation << 32 | slab_index(s->txns->clients, c);
}

struct client *client_by_id(struct sip *s, uint64_t id)
{
    uint32_t index = (uint32_t)id, generation = (uint32_t)(id >> 32);
    if (index >= s->txns->max || generation == 0 || s->txns->alive[index] != generation)
        return NULL;
    return slab_at(s->txns->clients, index);
}

struct client *client_new(struct sip *s, struct server *sv)
{
    struct client *c = slab_get(s->txns->clients);
    /* all of its branches may still ring, but a request pays for a few others only */
    for (unsigned i = 0; !c && i < RECLAIMS_MAX; i++) {
        if (!reclaim(s, server_at(s->txns, s->txns->linger[LINGER_BRANCHES].oldest)))
            break;
        c = slab_get(s->txns->clients);
    }
    if (!c)
        return NULL;
    memset(c, 0, sizeof(*c));
    if (++s->txns->generation == 0)
        s->txns->generation = 1;
    c->generation = s->txns->generation;
    s->txns->alive[slab_index(s->txns->clients, c)] = c->generation;
    c->again.kind = WHEEL_KIND(WHEEL_SIP, TIMER_CLIENT_AGAIN);
    c->end.kind = WHEEL_KIND(WHEEL_SIP, TIMER_CLIENT_END);
    if (sv) {
        c->server = server_link(s->txns, sv);
        c->sibling = sv->first;
        sv->first = slab_index(s->txns->clients, c) + 1;
    }
    return c;
}

void client_free(struct sip *s, struct client *c)
{
    struct server *sv = client_server(s, c);
    uint32_t self = slab_index(s->txns->clients, c) + 1;
    if (sv) {
        uint32_t *link = &sv->first;
        while (*link && *link != self)
            link = &server_client(s, *link)->sibling;
        if (*link)
            *link = c->sibling;
        if (sv->lingers == LINGER_BRANCHES && sv->first == 0) {
            linger_remove(s->txns, sv);
            linger_add(s->txns, sv, has_waited(s, sv) ? LINGER_WAITED : LINGER_ALONE);
        }
    }
    listener_release(s, c->out);
    wheel_cancel(s->ctx->wheel, &c->again);
    wheel_cancel(s->ctx->wheel, &c->end);
    message_drop(s, &c->request);
    s->txns->alive[self - 1] = 0;
    batch_forget(s->txns, &c->again, &c->end);
    slab_put(s->txns->clients, c);
}

bool kept_work(struct sip *s, struct kept *k, const struct server *sv)
{
    const struct message *m = &sv->request;
    memset(&k->d, 0, sizeof(k->d));
    if (!m->p)
        return false;
    k->d.data = m->p;
    k->d.len = m->len;
    k->d.src = sv->src;
    k->d.dst = sv->in->ep;
    k->d.flow = sv->flow;
    work_init(s, &k->w, &k->d, &s->kept);
    k->w.indexed = sip_index(k->w.m, m->p, m->len, true, SIP_HEADERS_MAX);
    if (!validate_decode(s, &k->w) || !preprocess_request(s, &k->w))
        return false;
    batch_done(s, 1);
    k->w.loop_hash = validate_loop_hash(s, &k->w);
    return true;
}
