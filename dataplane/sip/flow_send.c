/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages out, by connections: whole or not at all. */
#include <rte_mbuf.h>

#include "lib/lease.h"
#include "lib/mailbox.h"
#include "sip/flow.h"
#include "sip/txn.h"

#define BACKOFF_FIRST 500 /* ms before a connection that failed is tried again; doubles */
#define BACKOFF_STEPS 2
#define SPENT_KEPT    60000 /* how long it is remembered that one failed */

/* What a message on its way to another core's connection takes along, in the mbuf's private area. */
struct parcel {
    struct hg_endpoint src, dst;
    uint64_t flow;
    bool fenced;
};
static_assert(sizeof(struct parcel) <= DATAGRAM_PRIV_SIZE, "fits the mbuf's private area");

static bool refuse(struct sip *s, struct rte_mbuf *m, unsigned counter)
{
    ctx_count(s->ctx, counter);
    rte_pktmbuf_free(m);
    return false;
}

static bool hand_over(struct sip *s, struct rte_mbuf *m, const struct hg_endpoint *src,
                      const struct hg_endpoint *dst, uint64_t flow)
{
    struct parcel *p = rte_mbuf_to_priv(m);

    *p = (struct parcel){.src = *src, .dst = *dst, .flow = flow, .fenced = s->fenced};
    if (flow_core(flow) >= s->ctx->cores ||
        !mail_send(s->ctx, flow_core(flow), (struct mail){.kind = MAIL_SIP_SEND, .m = m}))
        return refuse(s, m, HG_C_sip_stream_mail_full);
    return true;
}

static bool queue(struct sip *s, struct flow *f, struct rte_mbuf *m)
{
    if (f->queued >= (uint64_t)s->ctx->config->sip_stream_queue)
        return refuse(s, m, HG_C_sip_stream_queue_full);
    m->next = NULL;
    if (f->last)
        f->last->next = m;
    else
        f->first = m;
    f->last = m;
    f->queued++;
    f->queued_bytes += m->data_len;
    return true;
}

static bool put(struct sip *s, struct flow *f, struct rte_mbuf *m)
{
    struct slice text = slice_of(rte_pktmbuf_mtod(m, const char *), m->data_len);

    if (stream_room(s->stream, f->stream) < text.len)
        return refuse(s, m, HG_C_sip_stream_full);
    if (unlikely(stream_write(s->stream, f->stream, &text, 1) <
                 text.len)) { /* no memory: it breaks off here */
        stream_abort(s->stream, f->stream);
        flow_lost(s, f);
        return refuse(s, m, HG_C_sip_stream_full);
    }
    rte_pktmbuf_free(m);
    flow_touch(s, f);
    return true;
}

static struct flow *open_flow(struct sip *s, const struct hg_endpoint *src, const struct hg_endpoint *dst)
{
    struct hg_endpoint from = {.ip = src->ip, .proto = dst->proto};
    struct flow *f = flow_to(s, dst);

    if (!s->stream || (f && f->state == FLOW_REFUSED)) /* not yet again */
        return NULL;
    if (!f)
        f = flow_new(s, src, dst);
    if (!f)
        return NULL;
    f->state = FLOW_OPENING;
    uint32_t index = (uint32_t)flow_id(s, f) & FLOW_INDEX_MASK;
    f->stream = stream_connect(s->stream, HG_SERVICE_SIP, &from, dst, NULL, index);
    if (!f->stream) {
        flow_free(s, f);
        return NULL;
    }
    ctx_count(s->ctx, HG_C_sip_flows_opened);
    flow_list(s, f);
    wheel_arm(s->ctx->wheel, &f->timer, s->ctx->ms + (uint64_t)s->ctx->config->sip_connect_timeout_ms);
    return f;
}

static struct flow *usable(struct sip *s, const struct hg_endpoint *src, const struct hg_endpoint *dst,
                           uint64_t flow)
{
    struct flow *f = flow ? flow_of(s, flow) : NULL;

    if (!f)
        f = flow_to(s, dst);
    return f && f->state <= FLOW_OPEN ? f : open_flow(s, src, dst);
}

bool flow_send(struct sip *s, struct rte_mbuf *m, const struct hg_endpoint *src,
               const struct hg_endpoint *dst, uint64_t flow)
{
    if (s->fenced && lease_over_now(s->ctx))
        return refuse(s, m, HG_C_lease_over);
    if (flow != 0 && flow_core(flow) != s->ctx->core)
        return hand_over(s, m, src, dst, flow);
    struct flow *f = usable(s, src, dst, flow);
    if (!f)
        return refuse(s, m, HG_C_sip_no_connection);
    return f->state == FLOW_OPEN ? put(s, f, m) : queue(s, f, m);
}

void sip_send_parcel(struct sip *s, struct rte_mbuf *m)
{
    const struct parcel p = *(const struct parcel *)rte_mbuf_to_priv(m);
    bool fenced = s->fenced;

    s->fenced = p.fenced;
    (void)flow_send(s, m, &p.src, &p.dst, p.flow);
    s->fenced = fenced;
}

bool flow_is_open(const struct sip *s, const struct hg_endpoint *dst)
{
    const struct flow *f = flow_to(s, dst);
    return f && f->state == FLOW_OPEN;
}

/* ---- how it went ---- */

static struct rte_mbuf *unqueue(struct flow *f)
{
    struct rte_mbuf *m = f->first;

    if (!m)
        return NULL;
    f->first = m->next;
    if (!f->first)
        f->last = NULL;
    f->queued--;
    f->queued_bytes -= m->data_len;
    m->next = NULL;
    return m;
}

void flow_opened(struct sip *s, struct flow *f)
{
    uint64_t id = flow_id(s, f);
    struct rte_mbuf *m;

    f->state = FLOW_OPEN;
    f->failures = 0;
    flow_touch(s, f);
    while (f && (m = unqueue(f))) {
        (void)put(s, f, m);
        f = flow_of(s, id); /* it may have broken off */
    }
}

/* Forwarded without state: what the next hop would say is said in its place, and finds its way back by our
 * Via. */
static void answer_for(struct sip *s, const struct flow *f, const struct rte_mbuf *m)
{
    struct datagram d = {.data = rte_pktmbuf_mtod(m, const char *),
                         .len = m->data_len,
                         .src = f->local, /* as our Via says: nothing is added to that */
                         .dst = f->local};
    const struct answer a = {.status = 503, .retry_after = true};
    struct work *w = &s->work[0];

    work_init(s, w, &d, &s->flows->scratch);
    w->indexed = sip_index(w->m, d.data, d.len, true, SIP_HEADERS_MAX);
    if (!validate_decode(s, w))
        return;
    struct rte_mbuf *b = answer_build(s, w, &a);
    if (!b)
        return;
    ctx_count(s->ctx, HG_C_sip_stream_messages); /* as if it had come */
    d = (struct datagram){.m = b,
                          .data = rte_pktmbuf_mtod(b, const char *),
                          .len = b->data_len,
                          .src = f->remote,
                          .dst = f->local,
                          .flags = DATAGRAM_ALLOWED};
    sip_input(s, &d, 1);
}

/* Whoever sent a request hears of it at once: its transaction, or the one before us. */
static void unsent(struct sip *s, const struct flow *f, struct rte_mbuf *m)
{
    struct sip_msg *msg = &s->flows->scratch;
    struct sip_cursor c;
    struct slice top;
    struct sip_via via;
    struct branch b;

    ctx_count(s->ctx, HG_C_sip_stream_unsent);
    sip_index(msg, rte_pktmbuf_mtod(m, const char *), m->data_len, true, SIP_HEADERS_MAX);
    sip_cursor_init(&c, msg, SIP_H_VIA);
    bool ours = msg->is_request && msg->method != SIP_M_ACK && sip_cursor_next(&c, &top) == SIP_DONE &&
                sip_via_decode(top, &via) == SIP_DONE &&
                branch_read(&s->secret, s->node, s->ctx->boot, via.branch, &b) == BRANCH_OURS &&
                b.core < s->ctx->cores;
    struct client *client =
        ours && branch_is_transaction(&b) && msg->method != SIP_M_CANCEL && b.core == s->ctx->core
            ? client_by_id(s, b.id)
            : NULL;
    if (client)
        client_unsent(s, client);
    else if (ours && !branch_is_transaction(&b))
        answer_for(s, f, m);
    rte_pktmbuf_free(m);
}

/* A flow that never opened stays for a while, so that nobody tries again and again. What waited is told last:
 * the next try of a transaction may well want this very endpoint. */
void flow_lost(struct sip *s, struct flow *f)
{
    const struct flow gone = *f;
    struct rte_mbuf *all = f->first;
    bool keep = f->state == FLOW_OPENING;

    f->first = f->last = NULL;
    f->queued = 0;
    f->queued_bytes = 0;
    f->stream = 0;
    if (keep) {
        uint32_t steps = f->failures < BACKOFF_STEPS ? f->failures++ : BACKOFF_STEPS;
        ctx_count(s->ctx, HG_C_sip_flows_failed);
        f->state = FLOW_REFUSED;
        wheel_arm(s->ctx->wheel, &f->timer, s->ctx->ms + ((uint64_t)BACKOFF_FIRST << steps));
    } else {
        flow_free(s, f);
    }
    for (struct rte_mbuf *next; all; all = next) {
        next = all->next;
        all->next = NULL;
        unsent(s, &gone, all);
    }
}

void flow_timer(struct sip *s, struct flow *f)
{
    stream_id stream = f->stream;

    if (f->state == FLOW_REFUSED) {
        f->state = FLOW_SPENT;
        wheel_arm(s->ctx->wheel, &f->timer, s->ctx->ms + SPENT_KEPT);
        return;
    }
    if (f->state == FLOW_SPENT) {
        flow_free(s, f);
        return;
    }
    ctx_count(s->ctx, f->state == FLOW_OPEN ? HG_C_sip_flows_idle : HG_C_sip_connect_timeouts);
    if (f->state == FLOW_OPEN)
        stream_close(s->stream, stream);
    else
        stream_abort(s->stream, stream);
    flow_lost(s, f);
}
