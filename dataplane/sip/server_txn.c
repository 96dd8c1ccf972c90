/* SPDX-License-Identifier: BSD-2-Clause */
/* Server transactions: RFC 3261 17.2 as amended by RFC 6026 7.1 and RFC 4320 4. The machines are tables:
 * state and event give the next state and what is to be done. An empty entry means: nothing, stay. */
#include <rte_prefetch.h>

#include "sip/forward.h"
#include "sip/mix.h"
#include "sip/txn.h"

enum server_event { EV_REQUEST, EV_ACK, EV_1XX, EV_2XX, EV_FAILURE, EV_AGAIN, EV_END, SERVER_EVENTS };

enum {
    DO_SEND = 1,    /* the response goes out, and is kept for retransmission */
    DO_RESEND = 2,  /* the kept response goes out again */
    DO_AGAIN = 4,   /* timer G */
    DO_END = 8,     /* H, I, J or L, by the new state */
    DO_PASS = 16,   /* not the transaction's business */
    DO_TRYING = 32, /* a 100 made here */
    DO_STOP = 64,   /* timer G off */
    DO_RELAY = 128, /* the response goes out, and nobody here sends it again */
};

struct server_arc {
    uint8_t next, todo;
};

#define ARC(state, what)                                                                                     \
    {                                                                                                        \
        .next = SERVER_##state + 1, .todo = (what)                                                           \
    } /* + 1: 0 is the empty entry */

/* RFC 6026 figure 7 (INVITE) */
static const struct server_arc invite_arcs[SERVER_STATES][SERVER_EVENTS] = {
    [SERVER_PROCEEDING] = {[EV_REQUEST] = ARC(PROCEEDING, DO_RESEND),
                           [EV_1XX] = ARC(PROCEEDING, DO_SEND),
                           [EV_2XX] = ARC(ACCEPTED, DO_RELAY | DO_END),
                           [EV_FAILURE] = ARC(COMPLETED, DO_SEND | DO_AGAIN | DO_END)},
    [SERVER_COMPLETED] = {[EV_REQUEST] = ARC(COMPLETED, DO_RESEND),
                          [EV_ACK] = ARC(CONFIRMED, DO_STOP | DO_END),
                          [EV_AGAIN] = ARC(COMPLETED, DO_RESEND | DO_AGAIN),
                          [EV_END] = ARC(GONE, 0)},
    [SERVER_CONFIRMED] = {[EV_END] = ARC(GONE, 0)},
    [SERVER_ACCEPTED] =
        {[EV_ACK] = ARC(ACCEPTED, DO_PASS), [EV_2XX] = ARC(ACCEPTED, DO_RELAY), [EV_END] = ARC(GONE, 0)},
};

/* RFC 3261 figure 8 (not INVITE), with the late 100 of RFC 4320 4.1 */
static const struct server_arc other_arcs[SERVER_STATES][SERVER_EVENTS] = {
    [SERVER_TRYING] = {[EV_1XX] = ARC(PROCEEDING, DO_SEND),
                       [EV_2XX] = ARC(COMPLETED, DO_SEND | DO_STOP | DO_END),
                       [EV_FAILURE] = ARC(COMPLETED, DO_SEND | DO_STOP | DO_END),
                       [EV_AGAIN] = ARC(TRYING, DO_TRYING)},
    [SERVER_PROCEEDING] = {[EV_REQUEST] = ARC(PROCEEDING, DO_RESEND),
                           [EV_2XX] = ARC(COMPLETED, DO_SEND | DO_END),
                           [EV_FAILURE] = ARC(COMPLETED, DO_SEND | DO_END)},
    [SERVER_COMPLETED] = {[EV_REQUEST] = ARC(COMPLETED, DO_RESEND), [EV_END] = ARC(GONE, 0)},
};

static const struct server_arc *server_arc(const struct server *sv, enum server_event ev)
{
    return sv->invite ? &invite_arcs[sv->state][ev] : &other_arcs[sv->state][ev];
}

static uint64_t end_after(const struct sip *s, const struct server *sv)
{
    const struct hg_config *c = s->ctx->config;
    /* I lasts T4; H, J and L last 64 * T1. Over a reliable transport nothing comes twice: no I, no J. */
    bool straggles = sv->state == SERVER_CONFIRMED || !sv->invite;
    if (straggles && sv->reply.proto != HG_UDP)
        return 0;
    return (uint64_t)(sv->state == SERVER_CONFIRMED ? c->sip_t4_ms : 64 * c->sip_t1_ms);
}

/* Moves the state and does what does not depend on a message. Returns what was to be done. */
static uint8_t server_move(struct sip *s, struct server *sv, enum server_event ev)
{
    const struct server_arc *a = server_arc(sv, ev);
    uint64_t now = s->ctx->ms;
    if (a->next == 0)
        return 0;
    sv->state = (uint8_t)(a->next - 1);
    if (a->todo & DO_RESEND && message_send(s, &sv->response, &sv->in->ep, &sv->reply, sv->flow))
        ctx_count(s->ctx, ev == EV_AGAIN ? HG_C_sip_retransmissions_sent : HG_C_sip_responses_resent);
    if (a->todo & DO_STOP)
        wheel_cancel(s->ctx->wheel, &sv->again);
    if (a->todo & DO_AGAIN && sv->reply.proto == HG_UDP) { /* 17.2.1: not over a reliable transport */
        uint32_t t2 = (uint32_t)s->ctx->config->sip_t2_ms;
        sv->interval_ms = ev == EV_AGAIN ? sv->interval_ms * 2 : (uint32_t)s->ctx->config->sip_t1_ms;
        if (sv->interval_ms > t2)
            sv->interval_ms = t2;
        wheel_arm(s->ctx->wheel, &sv->again, now + sv->interval_ms);
    }
    if (a->todo & DO_END)
        wheel_arm(s->ctx->wheel, &sv->end, now + end_after(s, sv));
    return a->todo;
}

void server_respond(struct sip *s, struct server *sv, struct rte_mbuf *m, unsigned status)
{
    enum server_event ev = status < 200 ? EV_1XX : status < 300 ? EV_2XX : EV_FAILURE;
    uint8_t todo = server_move(s, sv, ev);
    if (!(todo & (DO_SEND | DO_RELAY))) {
        rte_pktmbuf_free(m);
        return;
    }
    if (todo & DO_SEND)
        message_keep(s, &sv->response, rte_pktmbuf_mtod(m, char *), m->data_len);
    if (status >= 200 && !sv->final_sent) {
        sv->final_sent = true;
        message_drop(s, &sv->request);
        message_drop(s, &sv->best);
        message_drop(s, &sv->auth);
        message_drop(s, &sv->targets);
        server_lingers(s, sv);
    }
    (void)sip_send(s, m, &sv->in->ep, &sv->reply, sv->flow);
}

void server_answer(struct sip *s, struct server *sv, unsigned status)
{
    struct answer a = {.status = (uint16_t)status};
    struct rte_mbuf *m = NULL;
    struct kept k;
    if (sv->auth.p && (status == 401 || status == 407))
        a.extra = slice_of(sv->auth.p, sv->auth.len);
    if (kept_work(s, &k, sv))
        m = answer_build(s, &k.w, &a);
    if (!m) {
        server_free(s, sv); /* no buffer: the client sends again and starts anew */
        return;
    }
    count_answer(s, status);
    server_respond(s, sv, m, status);
}

static void server_trying(struct sip *s, struct server *sv, struct work *w)
{
    struct answer a = {.status = 100};
    struct rte_mbuf *m = answer_build(s, w, &a);
    if (!m)
        return;
    ctx_count(s->ctx, HG_C_sip_trying_sent);
    count_answer(s, 100);
    server_respond(s, sv, m, 100);
}

void server_again(struct sip *s, struct server *sv)
{
    if (server_move(s, sv, EV_AGAIN) & DO_TRYING) {
        struct kept k;
        if (kept_work(s, &k, sv))
            server_trying(s, sv, &k.w);
    }
}

void server_end(struct sip *s, struct server *sv)
{
    server_move(s, sv, EV_END);
    if (sv->state == SERVER_GONE)
        server_free(s, sv);
}

/* RFC 3261 17.2.3; what has no magic cookie is told apart the way of RFC 2543. */
static void server_key(const struct sip *s, const struct work *w, uint64_t key[2])
{
    const struct sip_via *via = &w->c.via;
    uint8_t method = w->m->method;
    char buf[1024];
    struct text t = text_over(buf, sizeof(buf));
    char fixed[8] = {0};
    uint64_t extra;
    fixed[0] = (char)(method == SIP_M_ACK || method == SIP_M_CANCEL ? SIP_M_INVITE : method);
    memcpy(fixed + 2, &via->port, 2);
    if (method == SIP_M_OTHER)
        fixed[1] = (char)mix_slice(1, w->m->method_name);
    if (via->branch.len > 7 && memcmp(via->branch.p, BRANCH_MAGIC, 7) == 0) {
        text_bytes(&t, fixed, sizeof(fixed));
        text_slice(&t, via->branch);
        text_slice(&t, via->host);
    } else {
        memcpy(fixed + 4, &w->c.cseq.number, 4);
        text_bytes(&t, fixed, sizeof(fixed));
        text_slice(&t, w->c.call_id);
        text_slice(&t, w->c.from.tag);
        text_slice(&t, w->c.ruri.whole);
        text_slice(&t, via->whole);
    }
    if (t.over) { /* monstrous, and not worth a longer buffer: fold it */
        extra = mix_slice(mix_slice(mix_slice(s->seed, via->whole), w->c.ruri.whole), w->c.from.tag) ^
                w->call_hash;
        t = text_over(buf, sizeof(buf));
        text_bytes(&t, fixed, sizeof(fixed));
        text_bytes(&t, (const char *)&extra, sizeof(extra));
    }
    hg_siphash128(&s->secret, buf, text_done(&t).len, key);
}

static unsigned server_cancel(struct sip *s, struct server *sv, struct work *w)
{
    unsigned r = answer_status(s, w, 200);
    if (!sv->final_sent && !sv->cancelled) {
        sv->cancelled = true;
        sv->no_more = true;
        cancel_others(s, sv, NULL);
    }
    return r;
}

void server_prefetch(struct sip *s, struct work *w)
{
    if (slab_used(s->txns->servers) == 0)
        return;
    server_key(s, w, w->txn_key);
    w->has_txn_key = true;
    rte_prefetch0(&s->txns->bucket[w->txn_key[0] & s->txns->mask]);
}

unsigned server_match(struct sip *s, struct work *w)
{
    bool ack = w->m->method == SIP_M_ACK;
    struct server *sv;
    uint8_t todo;
    if (slab_used(s->txns->servers) == 0)
        return HG_COUNTERS_MAX;
    if (!w->has_txn_key) /* the first transaction of the burst has just been made */
        server_key(s, w, w->txn_key);
    w->has_txn_key = true;
    sv = server_lookup(s, w->txn_key);
    if (!sv)
        return HG_COUNTERS_MAX;
    s->fenced = sv->fenced;
    if (w->m->method == SIP_M_CANCEL)
        return server_cancel(s, sv, w);
    todo = server_move(s, sv, ack ? EV_ACK : EV_REQUEST);
    if (todo & DO_PASS)
        return HG_COUNTERS_MAX;
    if (!ack)
        ctx_count(s->ctx, HG_C_sip_retransmissions_received);
    return HG_C_sip_absorbed;
}

/* When timer E of a client would have reached T2: before that nobody may send a 100 (RFC 4320 4.1). */
static uint64_t trying_delay(const struct hg_config *c)
{
    uint64_t sum = 0;
    for (int64_t e = c->sip_t1_ms; e < c->sip_t2_ms; e *= 2)
        sum += (uint64_t)e;
    return sum ? sum : (uint64_t)c->sip_t2_ms;
}

static bool server_fill(struct sip *s, struct server *sv, struct work *w, const struct decision *dec)
{
    uint32_t n = offsetof(struct route_targets, t) + dec->targets.n * (uint32_t)sizeof(dec->targets.t[0]);
    sv->invite = w->m->method == SIP_M_INVITE;
    sv->method = w->m->method;
    sv->fenced = s->fenced;
    sv->state = sv->invite ? SERVER_PROCEEDING : SERVER_TRYING;
    sv->in = w->in;
    listener_hold(s, sv->in);
    sv->src = w->d->src;
    sv->flow = w->d->flow;
    sv->breadth = forward_breadth(s, w);
    response_destination(s, &w->c.via, &w->d->src, &sv->reply);
    return message_keep(s, &sv->request, w->m->buf, w->m->len) &&
           message_keep(s, &sv->targets, (const char *)&dec->targets, n);
}

unsigned server_start(struct sip *s, struct work *w, const struct decision *dec)
{
    struct server *sv;
    bool filled;
    if (forward_breadth(s, w) == 0)
        return answer_status(s, w, 440);
    sv = server_new(s);
    filled = sv && server_fill(s, sv, w, dec);
    if (!filled) {
        struct answer a = {.status = 503, .retry_after = true};
        if (sv)
            server_free(s, sv);
        ctx_count(s->ctx, HG_C_sip_transactions_refused);
        return answer_send(s, w, &a);
    }
    if (!w->has_txn_key)
        server_key(s, w, w->txn_key);
    memcpy(sv->key, w->txn_key, sizeof(sv->key));
    server_insert(s, sv);
    ctx_count(s->ctx, HG_C_sip_transactions);
    if (sv->invite)
        server_trying(s, sv, w);
    else
        wheel_arm(s->ctx->wheel, &sv->again, s->ctx->ms + trying_delay(s->ctx->config));
    if (context_next(s, sv, w))
        return HG_C_sip_forwarded;
    server_answer(s, sv, target_is_us(s, &dec->targets) ? 482 : 503);
    return HG_C_sip_answered;
}
