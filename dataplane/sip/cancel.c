/* SPDX-License-Identifier: BSD-2-Clause */
/* What a client transaction sends besides its request: CANCEL (RFC 3261 9.1) and the ACK of a failure
 * (17.1.1.3), both made from the request as it was sent. */
#include "sip/txn.h"

static void put_field(struct text *t, const struct sip_msg *m, const struct sip_field *f)
{
    if (!f)
        return;
    text_bytes(t, m->buf + f->name, f->value + f->value_len - f->name);
    text_lit(t, "\r\n");
}

/* to: where the To comes from: the request itself, or the response that is acknowledged. */
static struct rte_mbuf *build(struct sip *s, const struct client *c, const char *method,
                              const struct sip_msg *to)
{
    struct sip_msg *m = &s->kept;
    struct sip_cursor cursor;
    struct slice top;
    struct rte_mbuf *b;
    struct text t;
    uint32_t room;
    if (!c->request.p || sip_index(m, c->request.p, c->request.len, true, SIP_HEADERS_MAX) != SIP_DONE)
        return NULL;
    room = m->head_len + (to ? to->head_len : 0u) + 128u;
    b = sip_mbuf(s, room);
    if (!b)
        return NULL;
    t = text_over(rte_pktmbuf_mtod(b, char *), room);
    text_str(&t, method);
    text_lit(&t, " ");
    text_slice(&t, m->ruri);
    text_lit(&t, " SIP/2.0\r\nVia: ");
    sip_cursor_init(&cursor, m, SIP_H_VIA);
    if (sip_cursor_next(&cursor, &top) == SIP_DONE)
        text_slice(&t, top);
    text_lit(&t, "\r\nMax-Forwards: 70\r\n");
    for (const struct sip_field *f = sip_first(m, SIP_H_ROUTE); f; f = sip_next(m, f))
        put_field(&t, m, f);
    put_field(&t, m, sip_first(m, SIP_H_FROM));
    put_field(&t, to ? to : m, sip_first(to ? to : m, SIP_H_TO));
    put_field(&t, m, sip_first(m, SIP_H_CALL_ID));
    text_lit(&t, "CSeq: ");
    {
        struct sip_cseq cseq = {0};
        const struct sip_field *f = sip_first(m, SIP_H_CSEQ);
        if (f)
            sip_cseq_decode(sip_value(m, f), &cseq);
        text_number(&t, cseq.number);
    }
    text_lit(&t, " ");
    text_str(&t, method);
    text_lit(&t, "\r\nContent-Length: 0\r\n\r\n");
    if (t.over) {
        rte_pktmbuf_free(b);
        return NULL;
    }
    b->data_len = (uint16_t)text_done(&t).len;
    b->pkt_len = b->data_len;
    return b;
}

static void cancel_send(struct sip *s, struct client *c)
{
    struct rte_mbuf *b = build(s, c, "CANCEL", NULL);
    if (b)
        (void)sip_send(s, b, &c->out->ep, &c->dst, c->flow);
}

void cancel_client(struct sip *s, struct client *c)
{
    uint64_t now = s->ctx->ms;
    if (!c->invite || c->cancel >= CANCEL_SENT || c->state > CLIENT_PROCEEDING)
        return;
    if (c->state == CLIENT_CALLING) {
        c->cancel = CANCEL_WANTED;
        return;
    }
    c->cancel = CANCEL_SENT;
    ctx_count(s->ctx, HG_C_sip_cancels_sent);
    cancel_send(s, c);
    c->interval_ms = (uint32_t)s->ctx->config->sip_t1_ms;
    if (c->dst.proto == HG_UDP)
        wheel_arm(s->ctx->wheel, &c->again, now + c->interval_ms);
    wheel_arm(s->ctx->wheel, &c->end, now + 64 * (uint64_t)s->ctx->config->sip_t1_ms);
}

void cancel_others(struct sip *s, struct server *sv, const struct client *but)
{
    for (struct client *c = server_client(s, sv->first); c; c = server_client(s, c->sibling))
        if (c != but)
            cancel_client(s, c);
}

void cancel_again(struct sip *s, struct client *c)
{
    uint32_t t2 = (uint32_t)s->ctx->config->sip_t2_ms;
    cancel_send(s, c);
    ctx_count(s->ctx, HG_C_sip_retransmissions_sent);
    c->interval_ms = c->interval_ms * 2 > t2 ? t2 : c->interval_ms * 2;
    wheel_arm(s->ctx->wheel, &c->again, s->ctx->ms + c->interval_ms);
}

void cancel_answered(struct sip *s, struct client *c)
{
    if (c->cancel != CANCEL_SENT)
        return;
    c->cancel = CANCEL_ANSWERED;
    if (c->state == CLIENT_PROCEEDING)
        wheel_cancel(s->ctx->wheel, &c->again);
}

void ack_failure(struct sip *s, struct client *c, const struct work *response)
{
    struct rte_mbuf *b = build(s, c, "ACK", response->m);
    if (!b)
        return;
    ctx_count(s->ctx, HG_C_sip_acks_sent);
    (void)sip_send(s, b, &c->out->ep, &c->dst, c->flow);
}
