/* SPDX-License-Identifier: BSD-2-Clause */
/* Client transactions: RFC 3261 17.1 as amended by RFC 6026 7.2. Tables as in server_txn.c. */
#include <rte_prefetch.h>

#include "sip/edit.h"
#include "sip/flow.h"
#include "sip/forward.h"
#include "sip/probe.h"
#include "sip/txn.h"

enum client_event { EV_TRYING, EV_1XX, EV_2XX, EV_FAILURE, EV_AGAIN, EV_END, CLIENT_EVENTS };

enum {
    DO_UP = 1,     /* the response belongs to the context */
    DO_RESEND = 2, /* the request again */
    DO_AGAIN = 4,  /* A or E, longer */
    DO_STOP = 8,   /* no more retransmissions */
    DO_END = 16,   /* the timer of the new state: C, D, K, M */
    DO_ACK = 32,   /* ACK of a failure */
    DO_TIMEOUT = 64,
    DO_CANCEL = 128, /* timer C */
};

struct client_arc {
    uint8_t next, todo;
};

#define ARC(state, what)                                                                                     \
    {                                                                                                        \
        .next = CLIENT_##state + 1, .todo = (what)                                                           \
    }

static const struct client_arc invite_arcs[CLIENT_STATES][CLIENT_EVENTS] = {
    [CLIENT_CALLING] = {[EV_TRYING] = ARC(PROCEEDING, DO_UP | DO_STOP | DO_END),
                        [EV_1XX] = ARC(PROCEEDING, DO_UP | DO_STOP | DO_END),
                        [EV_2XX] = ARC(ACCEPTED, DO_UP | DO_STOP | DO_END),
                        [EV_FAILURE] = ARC(COMPLETED, DO_ACK | DO_UP | DO_STOP | DO_END),
                        [EV_AGAIN] = ARC(CALLING, DO_RESEND | DO_AGAIN),
                        [EV_END] = ARC(GONE, DO_TIMEOUT)},
    /* 16.7 step 2: 101 to 199 begin timer C anew, another 100 does not */
    [CLIENT_PROCEEDING] = {[EV_TRYING] = ARC(PROCEEDING, DO_UP),
                           [EV_1XX] = ARC(PROCEEDING, DO_UP | DO_END),
                           [EV_2XX] = ARC(ACCEPTED, DO_UP | DO_STOP | DO_END),
                           [EV_FAILURE] = ARC(COMPLETED, DO_ACK | DO_UP | DO_STOP | DO_END),
                           [EV_END] = ARC(PROCEEDING, DO_CANCEL)},
    [CLIENT_COMPLETED] = {[EV_FAILURE] = ARC(COMPLETED, DO_ACK), [EV_END] = ARC(GONE, 0)},
    [CLIENT_ACCEPTED] = {[EV_2XX] = ARC(ACCEPTED, DO_UP), [EV_END] = ARC(GONE, 0)},
};

static const struct client_arc other_arcs[CLIENT_STATES][CLIENT_EVENTS] = {
    [CLIENT_CALLING] = {[EV_TRYING] = ARC(PROCEEDING, DO_UP),
                        [EV_1XX] = ARC(PROCEEDING, DO_UP),
                        [EV_2XX] = ARC(COMPLETED, DO_UP | DO_STOP | DO_END),
                        [EV_FAILURE] = ARC(COMPLETED, DO_UP | DO_STOP | DO_END),
                        [EV_AGAIN] = ARC(CALLING, DO_RESEND | DO_AGAIN),
                        [EV_END] = ARC(GONE, DO_TIMEOUT)},
    [CLIENT_PROCEEDING] = {[EV_TRYING] = ARC(PROCEEDING, DO_UP),
                           [EV_1XX] = ARC(PROCEEDING, DO_UP),
                           [EV_2XX] = ARC(COMPLETED, DO_UP | DO_STOP | DO_END),
                           [EV_FAILURE] = ARC(COMPLETED, DO_UP | DO_STOP | DO_END),
                           [EV_AGAIN] = ARC(PROCEEDING, DO_RESEND | DO_AGAIN),
                           [EV_END] = ARC(GONE, DO_TIMEOUT)},
    [CLIENT_COMPLETED] = {[EV_END] = ARC(GONE, 0)},
};

static enum client_event client_event_of(uint16_t status)
{
    if (status >= 300)
        return EV_FAILURE;
    if (status >= 200)
        return EV_2XX;
    return status == 100 ? EV_TRYING : EV_1XX;
}

static uint64_t end_after(const struct sip *s, const struct client *c)
{
    const struct hg_config *cf = s->ctx->config;
    bool reliable = c->dst.proto != HG_UDP; /* nothing comes twice: no D, no K */
    if (!c->invite)
        return reliable ? 0 : (uint64_t)cf->sip_t4_ms; /* K */
    if (c->state == CLIENT_PROCEEDING)
        return (uint64_t)cf->sip_timer_c_ms;
    if (reliable && c->state == CLIENT_COMPLETED)
        return 0;
    return 64 * (uint64_t)cf->sip_t1_ms; /* D: at least 32 s over UDP; M */
}

static void client_longer(struct sip *s, struct client *c)
{
    uint32_t t2 = (uint32_t)s->ctx->config->sip_t2_ms;
    c->interval_ms *= 2;
    if (!c->invite && (c->interval_ms > t2 || c->state == CLIENT_PROCEEDING))
        c->interval_ms = t2; /* E is capped, A is not */
    wheel_arm(s->ctx->wheel, &c->again, s->ctx->ms + c->interval_ms);
}

static uint8_t client_move(struct sip *s, struct client *c, enum client_event ev)
{
    const struct client_arc *a = c->invite ? &invite_arcs[c->state][ev] : &other_arcs[c->state][ev];
    if (a->next == 0)
        return 0;
    c->state = (uint8_t)(a->next - 1);
    if (a->todo & DO_RESEND && message_send(s, &c->request, &c->out->ep, &c->dst, c->flow)) {
        ctx_count(s->ctx, HG_C_sip_retransmissions_sent);
        if (c->hop_slot != SIP_SLOT_NONE)
            s->ctx->hop_stats[c->hop_slot].retransmissions++;
    }
    if (a->todo & DO_STOP)
        wheel_cancel(s->ctx->wheel, &c->again);
    if (a->todo & DO_AGAIN)
        client_longer(s, c);
    /* a CANCEL on its way has its own limit */
    if (a->todo & DO_END && !(c->state == CLIENT_PROCEEDING && c->cancel >= CANCEL_SENT))
        wheel_arm(s->ctx->wheel, &c->end, s->ctx->ms + end_after(s, c));
    return a->todo;
}

static void client_arm(struct sip *s, struct client *c, bool more)
{
    const struct hg_config *cf = s->ctx->config;
    uint64_t now = s->ctx->ms, limit = 64 * (uint64_t)cf->sip_t1_ms;
    c->interval_ms = (uint32_t)cf->sip_t1_ms;
    c->give_up_ms = now + limit;
    if (c->probe)
        limit = (uint64_t)cf->probe_timeout_ms;
    else if (more && (uint64_t)cf->sip_failover_ms < limit)
        limit = (uint64_t)cf->sip_failover_ms;
    if (c->dst.proto == HG_UDP)
        wheel_arm(s->ctx->wheel, &c->again, now + c->interval_ms);
    wheel_arm(s->ctx->wheel, &c->end, now + limit);
}

static bool client_request(struct sip *s, struct client *c, struct work *w, const struct route_target *t,
                           uint32_t breadth)
{
    struct branch b = {.kind = branch_kind(true, c->fenced),
                       .node = s->node,
                       .boot = s->ctx->boot,
                       .core = (uint8_t)s->ctx->core,
                       .id = client_id(s, c),
                       .loop = w->loop_hash};
    struct forward f = {
        .out = c->out, .branch = &b, .breadth = breadth, .hop_slot = c->hop_slot, .hop = t->hop};
    struct edits e;
    if (t->contact) {
        f.uri = route_contact_uri(s->route, &w->key, t);
        if (f.uri.len == 0) /* removed while other contacts were tried */
            return false;
    }
    if (!forward_edits(s, w, &f, &e) ||
        !message_room(s, &c->request, (uint32_t)((int64_t)w->m->len + e.grow)))
        return false;
    edits_copy(&e, w->m->buf, w->m->len, c->request.p);
    return message_send(s, &c->request, &c->out->ep, &c->dst, c->flow);
}

bool client_start(struct sip *s, struct server *sv, struct work *w, const struct route_target *t,
                  uint32_t breadth, bool more)
{
    struct client *c;
    const struct listener *out = sip_listener_for(s, t, w->in);
    if (!out)
        return false;
    if (!(c = client_new(s, sv))) {
        ctx_count(s->ctx, HG_C_sip_branches_refused);
        return false;
    }
    c->out = out;
    listener_hold(s, out);
    c->dst = t->ep;
    c->route_slot = t->route_slot;
    c->hop_slot = t->hop_slot;
    c->method = w->m->method;
    c->invite = c->method == SIP_M_INVITE;
    c->probe = sv == NULL;
    c->fenced = s->fenced;
    c->state = CLIENT_CALLING;
    if (!client_request(s, c, w, t, breadth)) {
        client_free(s, c);
        return false;
    }
    if (sv)
        sv->pending++;
    client_arm(s, c, more);
    ctx_count(s->ctx, HG_C_sip_branches);
    count_target(s, t);
    if (c->route_slot != SIP_ROUTE_NONE)
        s->ctx->route_stats[c->route_slot].requests++;
    if (c->hop_slot != SIP_SLOT_NONE)
        s->ctx->hop_stats[c->hop_slot].requests++;
    return true;
}

/* Statistics and health of the next hop: any answer shows that it lives, a 503 that it does not want to. */
static void client_heard(struct sip *s, struct client *c, unsigned status)
{
    bool failed = status >= 500 && status < 600;
    if (!c->heard && c->hop_slot != SIP_SLOT_NONE)
        (status == 503 ? route_hop_failed : route_hop_answered)(s->route, c->hop_slot, false);
    c->heard = true;
    if (status < 200)
        return;
    if (c->route_slot != SIP_ROUTE_NONE) {
        struct hg_route_stats *r = &s->ctx->route_stats[c->route_slot];
        (*(failed ? &r->failed : &r->answered))++;
    }
    if (c->hop_slot != SIP_SLOT_NONE) {
        struct hg_hop_stats *h = &s->ctx->hop_stats[c->hop_slot];
        (*(failed ? &h->failed : &h->answered))++;
    }
}

static unsigned client_up(struct sip *s, struct client *c, struct work *w)
{
    struct server *sv = client_server(s, c);
    if (!sv) /* a 2xx opens a dialog at the callee, even when nobody here waits for it any more */
        return c->invite && w->m->status / 100 == 2 ? response_by_via(s, w, false) : HG_C_sip_absorbed;
    return context_response(s, sv, c, w);
}

unsigned client_response(struct sip *s, struct work *w, const struct branch *b)
{
    struct client *c = client_by_id(s, b->id);
    unsigned status = w->m->status, r = HG_C_sip_absorbed;
    uint8_t todo, before;
    if (!c) {
        ctx_count(s->ctx, HG_C_sip_late_responses);
        return HG_C_sip_absorbed; /* RFC 6026 8.9: strays are not forwarded */
    }
    s->fenced = c->fenced;
    if (c->invite && w->c.cseq.method == SIP_M_CANCEL) {
        if (status >= 200)
            cancel_answered(s, c);
        return HG_C_sip_absorbed;
    }
    if (w->c.cseq.method != c->method)
        return HG_DROP_sip_bad_response;
    overload_heard(s, c->hop_slot, &w->c.via);
    before = c->state;
    todo = client_move(s, c, client_event_of(status));
    if (before < CLIENT_COMPLETED && !c->probe)
        client_heard(s, c, status);
    if (todo & DO_ACK)
        ack_failure(s, c, w);
    if (c->probe) {
        if (status >= 200)
            probe_answered(s, c, status);
        return HG_C_sip_absorbed;
    }
    if (c->state == CLIENT_PROCEEDING && c->cancel == CANCEL_WANTED)
        cancel_client(s, c);
    if (!c->invite && c->state == CLIENT_COMPLETED)
        message_drop(s, &c->request);
    if (todo & DO_UP)
        r = client_up(s, c, w);
    return r;
}

void client_again(struct sip *s, struct client *c)
{
    if (c->cancel == CANCEL_SENT && c->state == CLIENT_PROCEEDING && c->invite)
        cancel_again(s, c);
    else
        client_move(s, c, EV_AGAIN);
}

static void client_timeout(struct sip *s, struct client *c)
{
    struct server *sv = client_server(s, c);
    ctx_count(s->ctx, HG_C_sip_timeouts);
    if (c->hop_slot != SIP_SLOT_NONE && !c->heard) {
        s->ctx->hop_stats[c->hop_slot].failed++;
        route_hop_failed(s->route, c->hop_slot, false);
    }
    if (c->route_slot != SIP_ROUTE_NONE)
        s->ctx->route_stats[c->route_slot].failed++;
    if (sv && !c->finished)
        context_failed(s, sv, c, 408);
}

void client_unsent(struct sip *s, struct client *c)
{
    struct server *sv = client_server(s, c);
    bool waits = !c->finished && c->state < CLIENT_COMPLETED;

    if (c->hop_slot != SIP_SLOT_NONE && !c->heard) {
        s->ctx->hop_stats[c->hop_slot].failed++;
        route_hop_failed(s->route, c->hop_slot, c->probe);
    }
    if (c->route_slot != SIP_ROUTE_NONE && waits)
        s->ctx->route_stats[c->route_slot].failed++;
    s->fenced = c->fenced;
    if (sv && waits)
        context_failed(s, sv, c, 503);
    client_free(s, c);
}

/* The time for this target is over, but another is left: it may still ring, so it is not forgotten before
 * timer B. */
static bool client_abandon(struct sip *s, struct client *c)
{
    if (!c->invite || c->finished || c->give_up_ms <= s->ctx->ms || c->state != CLIENT_CALLING)
        return false;
    wheel_cancel(s->ctx->wheel, &c->again);
    wheel_arm(s->ctx->wheel, &c->end, c->give_up_ms);
    c->cancel = CANCEL_WANTED;
    client_timeout(s, c);
    c->heard = true; /* counted as failed once */
    return true;
}

void client_end(struct sip *s, struct client *c)
{
    uint8_t todo;
    if (c->probe && c->state < CLIENT_COMPLETED) {
        probe_timed_out(s, c);
        return;
    }
    if (client_abandon(s, c))
        return;
    if (c->state == CLIENT_PROCEEDING && c->invite && c->cancel >= CANCEL_SENT) {
        /* 9.1: no final answer to a cancelled request within 64 * T1 */
        client_timeout(s, c);
        client_free(s, c);
        return;
    }
    todo = client_move(s, c, EV_END);
    if (todo & DO_CANCEL) {
        cancel_client(s, c);
        return;
    }
    if (todo & DO_TIMEOUT && !c->finished)
        client_timeout(s, c);
    client_free(s, c);
}

static void run_timer(struct sip *s, struct wheel_timer *x)
{
    switch (x->kind & 0xff) {
    case TIMER_SERVER_AGAIN:
        s->fenced = TXN_OF(x, server, again)->fenced;
        server_again(s, TXN_OF(x, server, again));
        break;
    case TIMER_SERVER_END:
        s->fenced = TXN_OF(x, server, end)->fenced;
        server_end(s, TXN_OF(x, server, end));
        break;
    case TIMER_CLIENT_AGAIN:
        s->fenced = TXN_OF(x, client, again)->fenced;
        client_again(s, TXN_OF(x, client, again));
        break;
    case TIMER_CLIENT_END:
        s->fenced = TXN_OF(x, client, end)->fenced;
        client_end(s, TXN_OF(x, client, end));
        break;
    case TIMER_FLOW:
        flow_timer(s, TXN_OF(x, flow, timer));
        break;
    }
}

static void lines_prefetch(const void *p, uint32_t size)
{
    for (uint32_t at = 0; at < size; at += 64)
        rte_prefetch0((const char *)p + at);
}

/* What ends next has been quiet for seconds. */
static void timer_prefetch(struct sip *s)
{
    const struct wheel_timer *t = wheel_next_due(s->ctx->wheel);
    if (!t || WHEEL_ROOM(t->kind) != WHEEL_SIP)
        return;
    if ((t->kind & 0xff) == TIMER_SERVER_END) {
        const struct server *sv = (const void *)((const char *)t - offsetof(struct server, end));
        lines_prefetch(sv, sizeof(*sv));
        server_bucket_prefetch(s, sv->key);
    } else if ((t->kind & 0xff) == TIMER_CLIENT_END) {
        const struct client *c = (const void *)((const char *)t - offsetof(struct client, end));
        lines_prefetch(c, sizeof(*c));
    }
}

void client_prefetch(struct sip *s, const struct branch *b)
{
    uint32_t index = (uint32_t)b->id;
    const struct client *c = slab_at(s->txns->clients, index);
    if (!c || !branch_is_transaction(b))
        return;
    rte_prefetch0(&s->txns->alive[index]);
    lines_prefetch(c, sizeof(*c));
}

void client_prefetch_server(struct sip *s, const struct branch *b)
{
    const struct client *c = branch_is_transaction(b) ? client_by_id(s, b->id) : NULL;
    const struct server *sv = c ? client_server(s, c) : NULL;
    if (sv)
        lines_prefetch(sv, sizeof(*sv));
}

void sip_timers(struct sip *s, struct wheel_timer **t, unsigned n)
{
    timer_prefetch(s);
    s->txns->batch = t;
    s->txns->nbatch = n;
    for (unsigned i = 0; i < n; i++)
        /* an earlier one of this batch may have freed its owner, or armed it again */
        if (t[i] && !wheel_armed(t[i]) && t[i]->deadline_ms <= s->ctx->ms)
            run_timer(s, t[i]);
    s->txns->nbatch = 0;
    s->fenced = false;
}
