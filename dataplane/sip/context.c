/* SPDX-License-Identifier: BSD-2-Clause */
/* The response context (RFC 3261 16.6 and 16.7): targets in parallel and in series, and which of the answers
 * goes back. The next set is tried after silence or a 5xx of the whole set; other failures are answers of the
 * callee. */
#include "sip/edit.h"
#include "sip/forward.h"
#include "sip/txn.h"

#define AUTH_MAX 2048 /* collected challenges (16.7 step 7) */

/* Lower is better. A 6xx wins always; within 4xx those that tell how to ask again come first (16.7 step 6).
 */
uint8_t context_rank(unsigned status)
{
    if (status >= 600)
        return 0;
    if (status < 400)
        return 10;
    if (status < 500) {
        if (status == 401 || status == 407)
            return 20;
        if (status == 415 || status == 420 || status == 484)
            return 21;
        return status == 408 ? 23 : 22;
    }
    return status == 503 ? 31 : 30;
}

static bool goes_on(unsigned status)
{
    return status == 408 || (status >= 500 && status < 600);
}

bool context_more(const struct server *sv)
{
    const struct route_targets *t = (const struct route_targets *)sv->targets.p;
    return t && !sv->no_more && sv->next_target < t->n;
}

bool context_next(struct sip *s, struct server *sv, struct work *w)
{
    const struct route_targets *t = (const struct route_targets *)sv->targets.p;
    unsigned started = 0, first = sv->next_target, width = 0, share;
    while (t && !sv->no_more && sv->next_target < t->n && !started) {
        uint8_t set = t->t[sv->next_target].set;
        width = 0;
        first = sv->next_target;
        /* RFC 5393 5.3.3: no more branches at once than the breadth allows; the rest is tried afterwards */
        while (first + width < t->n && t->t[first + width].set == set && width < sv->breadth)
            width++;
        sv->next_target = (uint8_t)(first + width);
        for (unsigned i = 0; i < width; i++) {
            const struct route_target *one = &t->t[first + i];
            share = sv->breadth / width + (i < sv->breadth % width ? 1 : 0);
            if (one->hop_slot != SIP_SLOT_NONE && s->oc_hops && overload_hop_sheds(s, one->hop_slot))
                continue;
            if (client_start(s, sv, w, one, share, sv->next_target < t->n))
                started++;
        }
    }
    if (started > 1)
        ctx_count(s->ctx, HG_C_sip_forks);
    return started > 0;
}

/* The response in w without our Via, in its own mbuf or a new one. */
static struct rte_mbuf *strip(struct sip *s, struct work *w)
{
    struct rte_mbuf *m;
    struct edits e;
    response_strip_edits(s, w, &e);
    m = e.bad ? NULL : work_edit(s, w, &e);
    return m;
}

static void collect_challenges(struct sip *s, struct server *sv, const struct sip_msg *m)
{
    static const uint8_t ids[] = {SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE};
    char buf[AUTH_MAX];
    struct text t = text_over(buf, sizeof(buf));
    if (sv->auth.p)
        text_bytes(&t, sv->auth.p, sv->auth.len);
    for (unsigned i = 0; i < sizeof(ids); i++)
        for (const struct sip_field *f = sip_first(m, ids[i]); f; f = sip_next(m, f)) {
            uint32_t at, len;
            field_line(m, f, &at, &len);
            text_bytes(&t, m->buf + at, len);
        }
    if (text_done(&t).len && !t.over)
        message_keep(s, &sv->auth, buf, text_done(&t).len);
}

/* Sends what was chosen: a kept answer of a branch, or one made here. false: nobody is told. */
static bool context_finish(struct sip *s, struct server *sv)
{
    unsigned status = sv->best_status;
    struct rte_mbuf *m;
    if (sv->cancelled && (status == 408 || status == 0)) {
        server_answer(s, sv, 487);
        return true;
    }
    if (!sv->invite && (status == 408 || status == 0)) {
        server_free(s, sv); /* RFC 4320 4.2: nobody is helped by a late 408 */
        return false;
    }
    if (!sv->best.p || status == 503 || sv->auth_branches > 1) {
        /* a 503 speaks of the next hop, not of us (16.7 step 6) */
        server_answer(s, sv, status == 503 ? 500 : status ? status : 408);
        return true;
    }
    m = sip_mbuf(s, sv->best.len);
    if (!m) {
        server_free(s, sv);
        return false;
    }
    memcpy(rte_pktmbuf_mtod(m, char *), sv->best.p, sv->best.len);
    m->data_len = (uint16_t)sv->best.len;
    m->pkt_len = sv->best.len;
    server_respond(s, sv, m, status);
    return true;
}

/* All branches of the set have ended: on to the next, or back. true: an answer went back. sv may be gone. */
static bool context_set_done(struct sip *s, struct server *sv)
{
    struct kept k;
    if (sv->pending || sv->final_sent)
        return false;
    if (context_more(sv) && goes_on(sv->best_status) && kept_work(s, &k, sv)) {
        ctx_count(s->ctx, HG_C_sip_failovers);
        if (context_next(s, sv, &k.w))
            return false;
    }
    return context_finish(s, sv);
}

static void better(struct sip *s, struct server *sv, struct work *w, unsigned status)
{
    uint8_t rank = context_rank(status);
    struct rte_mbuf *m;
    if (sv->best_status && rank >= sv->best_rank)
        return;
    message_drop(s, &sv->best);
    sv->best_status = (uint16_t)status;
    sv->best_rank = rank;
    m = w ? strip(s, w) : NULL;
    if (!m)
        return;
    message_keep(s, &sv->best, rte_pktmbuf_mtod(m, char *), m->data_len);
    rte_pktmbuf_free(m);
}

static void branch_done(struct server *sv, struct client *c)
{
    if (!c->finished) {
        c->finished = true;
        sv->pending--;
    }
}

void context_failed(struct sip *s, struct server *sv, struct client *c, unsigned status)
{
    branch_done(sv, c);
    better(s, sv, NULL, status);
    context_set_done(s, sv);
}

static unsigned relay(struct sip *s, struct server *sv, struct work *w)
{
    unsigned status = w->m->status;
    struct rte_mbuf *m = strip(s, w);
    if (!m)
        return HG_DROP_sip_no_memory;
    server_respond(s, sv, m, status);
    return HG_C_sip_forwarded;
}

unsigned context_response(struct sip *s, struct server *sv, struct client *c, struct work *w)
{
    unsigned status = w->m->status;
    if (status < 200) {
        /* RFC 4320 4.1: of what is not INVITE only the 100 is hop by hop, and nothing else may be sent */
        if (status == 100 || !sv->invite || sv->final_sent)
            return HG_C_sip_absorbed;
        return relay(s, sv, w);
    }
    branch_done(sv, c);
    if (status < 300) {
        if (sv->final_sent && !sv->invite)
            return HG_C_sip_absorbed;
        if (sv->final_sent &&
            sv->state != SERVER_ACCEPTED) /* 16.7 step 5: a 2xx to INVITE always goes back */
            return response_by_via(s, w, false);
        sv->no_more = true;
        if (!sv->final_sent)
            cancel_others(s, sv, c);
        return relay(s, sv, w);
    }
    if (sv->final_sent)
        return HG_C_sip_absorbed;
    if (status == 401 || status == 407) {
        collect_challenges(s, sv, w->m);
        sv->auth_branches++;
    }
    better(s, sv, w, status);
    if (status >= 600) {
        sv->no_more = true;
        cancel_others(s, sv, c);
    }
    return context_set_done(s, sv) ? HG_C_sip_forwarded : HG_C_sip_absorbed;
}
