/* SPDX-License-Identifier: BSD-2-Clause */
/* A burst of datagrams through the stages: guard, index and decode, keys and prefetch, look up and send. Each
 * stage runs over the whole burst before the next one starts. */
#include <rte_prefetch.h>

#include "lib/ahead.h"
#include "lib/log_out.h"
#include "sip/edit.h"
#include "sip/flow.h"
#include "sip/proxy.h"
#include "sip/txn.h"

static bool in_dialog(const struct work *w)
{
    return w->c.to.tag.len != 0;
}

static unsigned ack_of_our_answer(const struct sip *s, const struct work *w)
{
    char tag[16];
    if (w->c.to.tag.len != sizeof(tag))
        return HG_COUNTERS_MAX;
    answer_tag(s, w, tag);
    return memcmp(tag, w->c.to.tag.p, sizeof(tag)) == 0 ? HG_C_sip_absorbed : HG_COUNTERS_MAX;
}

static unsigned route_ack(struct sip *s, struct work *w)
{
    struct decision *dec = &s->decision;
    target_find(s, w, dec);
    if (dec->status == 0)
        return stateless_forward(s, w, dec);
    return HG_DROP_sip_stray_ack;
}

/* RFC 3261 16.10: a CANCEL that meets no transaction goes the way its request went. */
static unsigned route_cancel(struct sip *s, struct work *w)
{
    struct decision *dec = &s->decision;
    target_find(s, w, dec);
    if (dec->status == 0 && !dec->stateful)
        return stateless_forward(s, w, dec);
    return answer_status(s, w, 481);
}

/* Nobody repeats a request over a reliable transport: while its connection is being opened, somebody here has
 * to know of it, so that other targets are tried. Inside a dialog the order counts for more: what follows an
 * ACK must wait behind it. */
static bool waits_for_flow(const struct sip *s, const struct work *w, const struct decision *dec)
{
    const struct hg_endpoint *ep = &dec->targets.t[0].ep;
    return unlikely(ep->proto != HG_UDP) && !in_dialog(w) && !flow_is_open(s, ep);
}

static unsigned route_request(struct sip *s, struct work *w)
{
    struct decision *dec = &s->decision;
    if (w->m->method == SIP_M_OPTIONS && w->route_element.len == 0 &&
        (w->to_self || (w->own_domain && w->user.len == 0)))
        return answer_status(s, w, 200);
    target_find(s, w, dec);
    if (dec->status) {
        /* here and not where it was decided: an ACK or a CANCEL is asked about on two cores, and gets no such
         * answer */
        if (dec->counter)
            ctx_count(s->ctx, dec->counter);
        struct answer a = {.status = dec->status,
                           .reason = dec->reason,
                           .retry_after = dec->retry_after,
                           .extra = dec->extra};
        return answer_send(s, w, &a);
    }
    if (!dec->stateful && !waits_for_flow(s, w, dec))
        return stateless_forward(s, w, dec);
    if (sip_owner(s, w) != s->ctx->core)
        return stateless_hand_over(s, w, sip_owner(s, w));
    s->branch_kind = 0;
    return server_start(s, w, dec);
}

/* ACK and CANCEL belong to the transaction of their INVITE, on the core that owns the call. One that goes
 * where nobody holds state is forwarded here: the ACK of a dialog must not be overtaken by the request after
 * it. */
static bool belongs_elsewhere(struct sip *s, struct work *w)
{
    struct decision *dec = &s->decision;
    if (sip_owner(s, w) == s->ctx->core)
        return false;
    target_find(s, w, dec);
    return dec->status || dec->stateful;
}

unsigned proxy_request(struct sip *s, struct work *w)
{
    uint8_t method = w->m->method;
    bool well = w->error == SIP_E_NONE, quiet = method == SIP_M_ACK || method == SIP_M_CANCEL;
    unsigned r;
    if (well) {
        if (quiet && belongs_elsewhere(s, w))
            return stateless_hand_over(s, w, sip_owner(s, w));
        r = server_match(s, w);
        if (r != HG_COUNTERS_MAX)
            return r;
        if (method == SIP_M_ACK && (r = ack_of_our_answer(s, w)) != HG_COUNTERS_MAX)
            return r;
    }
    if (!quiet && !in_dialog(w) && (r = overload_shed(s, w)))
        return r;
    r = validate_request(s, w);
    if (r != HG_COUNTERS_MAX)
        return r;
    if (method == SIP_M_ACK)
        return route_ack(s, w);
    if (method == SIP_M_CANCEL)
        return route_cancel(s, w);
    return route_request(s, w);
}

void work_init(struct sip *s, struct work *w, struct datagram *d, struct sip_msg *m)
{
    w->d = d;
    w->m = m;
    w->done = HG_COUNTERS_MAX;
    w->error = SIP_E_NONE;
    w->own_domain = w->to_self = w->ruri_is_last = w->strict = false;
    w->pops = w->routes = 0;
    w->has_txn_key = false;
    w->has_branch = false;
    w->origin = BRANCH_FOREIGN;
    w->route_element.len = 0;
    w->route_last.len = 0;
    w->new_ruri.len = 0;
    w->user.len = 0;
    w->host.len = 0;
    w->in = sip_listener_of(s, &d->dst);
    if (!w->in)
        w->in = &s->listener[0];
}

/* Makes the mbuf hold the message alone: no empty lines before it, nothing behind it. */
static void trim(struct work *w)
{
    struct datagram *d = w->d;
    d->m->data_off = (uint16_t)(d->m->data_off + (w->m->buf - d->data));
    d->m->data_len = (uint16_t)w->m->len;
    d->m->pkt_len = w->m->len;
    d->data = w->m->buf;
    d->len = w->m->len;
}

struct rte_mbuf *work_edit(struct sip *s, struct work *w, const struct edits *e)
{
    struct rte_mbuf *m;
    if (likely(w->d->m)) {
        trim(w);
        m = edits_mbuf(s, e, w->d->m, w->m->len);
        if (m)
            w->d->m = NULL;
        return m;
    }
    return work_copy(s, w, e);
}

struct rte_mbuf *work_copy(struct sip *s, const struct work *w, const struct edits *e)
{
    struct rte_mbuf *m = sip_mbuf(s, (uint32_t)((int64_t)w->m->len + e->grow));
    if (m)
        m->pkt_len = m->data_len = (uint16_t)edits_copy(e, w->m->buf, w->m->len, rte_pktmbuf_mtod(m, char *));
    return m;
}

/* What can be said without the parser. */
static unsigned stage_guard(struct sip *s, struct datagram *d)
{
    unsigned r = guard_check(s, d);
    if (r)
        return r;
    if (unlikely(d->flow != 0)) /* framed, and handed over */
        return HG_COUNTERS_MAX;
    r = keepalive_check(s, d);
    if (r != HG_COUNTERS_MAX)
        return r;
    if (d->len > (uint64_t)s->ctx->config->sip_message_max)
        return HG_DROP_sip_too_large;
    return HG_COUNTERS_MAX;
}

static void stage_decode(struct sip *s, struct work *w)
{
    if (!validate_decode(s, w))
        return;
    if (w->m->is_request) {
        if (preprocess_request(s, w))
            batch_branch(s, w);
        server_prefetch(s, w);
    } else {
        response_prefetch(s, w);
    }
}

static void stage_index(struct sip *s, struct work *w)
{
    if (unlikely(log_trace_filter(s->ctx) != NULL) && !(w->d->flags & DATAGRAM_HANDED_OVER))
        trace_message(s, slice_of(w->d->data, w->d->len), &w->d->src, &w->d->dst, false);
    w->indexed =
        sip_index_with(s->isa, w->m, w->d->data, w->d->len, true, (unsigned)s->ctx->config->sip_headers_max);
    stage_decode(s, w);
}

static unsigned stage_route(struct sip *s, struct work *w)
{
    s->fenced = false;
    /* counted where the guard passed it: a message handed over is counted once */
    if (w->m->is_request) {
        if (!(w->d->flags & DATAGRAM_HANDED_OVER))
            count_request(s, w->m->method);
        return proxy_request(s, w);
    }
    if (!(w->d->flags & DATAGRAM_HANDED_OVER))
        ctx_count(s->ctx, HG_C_sip_responses);
    return response_input(s, w);
}

static void finish(struct sip *s, struct datagram *d, unsigned disposition)
{
    ctx_count(s->ctx, disposition);
    if (d->m) {
        rte_pktmbuf_free(d->m);
        d->m = NULL;
    }
}

/* Of n messages, indexed and decoded. */
static void stages_behind(struct sip *s, unsigned n)
{
    batch_done(s, n);
    for (unsigned i = 0; i < n; i++)
        if (s->work[i].origin == BRANCH_OURS)
            response_prefetch_more(s, &s->work[i]);
    for (unsigned i = 0; i < n; i++) {
        batch_fetch(s);
        ahead_rest(s->ctx->ahead);
        finish(s, s->work[i].d, stage_route(s, &s->work[i]));
    }
}

static void input_chunk(struct sip *s, struct datagram *d, unsigned n)
{
    unsigned k = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned r;
        r = stage_guard(s, &d[i]);
        if (r != HG_COUNTERS_MAX) {
            finish(s, &d[i], r);
            continue;
        }
        work_init(s, &s->work[k], &d[i], &s->msg[k]);
        k++;
    }
    for (unsigned i = 0; i < k; i++) {
        ahead_step(s->ctx->ahead);
        batch_fetch(s);
        stage_index(s, &s->work[i]);
    }
    stages_behind(s, k);
}

void input_indexed(struct sip *s, struct datagram *d, const enum sip_result *indexed, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct work *w = &s->work[i];
        work_init(s, w, &d[i], &s->msg[i]);
        w->indexed = indexed[i];
        batch_fetch(s);
        stage_decode(s, w);
    }
    stages_behind(s, n);
}

void sip_input(struct sip *s, struct datagram *d, unsigned n)
{
    (void)hg_user_domain_set(&s->domain, slice_str(s->ctx->config->cluster_domain));
    for (unsigned at = 0; at < n; at += SIP_BURST)
        input_chunk(s, d + at, n - at < SIP_BURST ? n - at : SIP_BURST);
}
