/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers made here (RFC 3261 8.2.6, 16.3): Vias, From, To, Call-ID and CSeq as they came, with a To tag that
 * is a function of the request, so that a retransmission gets the same one without any state. */
#include "sip/forward.h"

#define ANSWER_EXTRA 512 /* status line, tag, received, rport, oc, Retry-After, Server, lengths */

static const struct {
    uint16_t status;
    const char *phrase;
} phrases[] = {
    {100, "Trying"},
    {200, "OK"},
    {302, "Moved Temporarily"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {416, "Unsupported URI Scheme"},
    {420, "Bad Extension"},
    {440, "Max-Breadth Exceeded"},
    {480, "Temporarily Unavailable"},
    {481, "Call/Transaction Does Not Exist"},
    {482, "Loop Detected"},
    {483, "Too Many Hops"},
    {487, "Request Terminated"},
    {500, "Server Internal Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Server Time-out"},
    {505, "Version Not Supported"},
    {513, "Message Too Large"},
};

const char *answer_phrase(unsigned status)
{
    for (unsigned i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Unknown";
}

void answer_tag(const struct sip *s, const struct work *w, char tag[16])
{
    /* Not the branch: the ACK of a 2xx would differ. The ACK of our own failure carries it unchanged. */
    const struct slice parts[] = {w->c.call_id, w->c.from.tag, slice_of((const char *)&w->c.cseq.number, 4)};
    char buf[512];
    struct text t = text_over(buf, sizeof(buf));
    for (unsigned i = 0; i < 3; i++) {
        struct slice p = parts[i];
        if (p.len > 200)
            p.len = 200;
        text_slice(&t, p);
        text_lit(&t, "\0");
    }
    hex_write(tag, hg_siphash64(&s->secret, buf, text_done(&t).len), 16);
}

static void put_line(struct text *t, const struct sip_msg *m, const struct sip_field *f)
{
    text_bytes(t, m->buf + f->name, f->value + f->value_len - f->name);
    text_lit(t, "\r\n");
}

/* The top Via with what we learned about the sender; the others as they are. */
static void put_vias(struct sip *s, struct text *t, struct work *w)
{
    const struct sip_msg *m = w->m;
    const struct sip_field *f = sip_first(m, SIP_H_VIA);
    struct edits e;
    uint32_t at = f->name, end = f->value + f->value_len;
    edits_init(&e);
    forward_received(m, &w->c.via, &w->d->src, &e);
    overload_via_edits(s, m, &w->c.via, &e);
    for (unsigned i = 0; i < e.n; i++) {
        text_bytes(t, m->buf + at, e.e[i].at - at);
        text_slice(t, e.e[i].ins);
        at = e.e[i].at + e.e[i].cut;
    }
    text_bytes(t, m->buf + at, end - at);
    text_lit(t, "\r\n");
    for (f = sip_next(m, f); f; f = sip_next(m, f))
        put_line(t, m, f);
}

static void put_to(struct sip *s, struct text *t, struct work *w, unsigned status)
{
    const struct sip_field *f = sip_first(w->m, SIP_H_TO);
    char tag[16];
    if (!f)
        return;
    text_bytes(t, w->m->buf + f->name, f->value + f->value_len - f->name);
    if (status != 100 && w->c.to.whole.len && w->c.to.tag.len == 0) {
        answer_tag(s, w, tag);
        text_lit(t, ";tag=");
        text_bytes(t, tag, sizeof(tag));
    }
    text_lit(t, "\r\n");
}

static uint32_t answer_room(const struct work *w, const struct answer *a)
{
    static const uint8_t ids[] = {SIP_H_VIA,     SIP_H_FROM, SIP_H_TO,
                                  SIP_H_CALL_ID, SIP_H_CSEQ, SIP_H_TIMESTAMP};
    uint32_t n = ANSWER_EXTRA + a->extra.len;
    for (unsigned i = 0; i < sizeof(ids); i++)
        for (const struct sip_field *f = sip_first(w->m, ids[i]); f; f = sip_next(w->m, f))
            n += f->value + f->value_len - f->name + 2u;
    return n;
}

static void put_retry_after(struct sip *s, struct text *t)
{
    uint32_t base = (uint32_t)s->ctx->config->sip_retry_after_s;
    if (s->draining && s->drain_retry_s)
        base = s->drain_retry_s;
    /* varied by a quarter, so that those who were sent away do not come back together */
    text_lit(t, "Retry-After: ");
    text_number(t, base + (uint32_t)(ctx_random(s->ctx) % (base / 4 + 1)));
    text_lit(t, "\r\n");
}

struct rte_mbuf *answer_build(struct sip *s, struct work *w, const struct answer *a)
{
    static const uint8_t copied[] = {SIP_H_CALL_ID, SIP_H_CSEQ, SIP_H_TIMESTAMP};
    uint32_t room = answer_room(w, a);
    struct rte_mbuf *m = sip_mbuf(s, room);
    const struct sip_field *f;
    struct text t;
    if (!m)
        return NULL;
    t = text_over(rte_pktmbuf_mtod(m, char *), room);
    text_lit(&t, "SIP/2.0 ");
    text_number(&t, a->status);
    text_lit(&t, " ");
    text_str(&t, a->reason ? a->reason : answer_phrase(a->status));
    text_lit(&t, "\r\n");
    put_vias(s, &t, w);
    f = sip_first(w->m, SIP_H_FROM);
    if (f)
        put_line(&t, w->m, f);
    put_to(s, &t, w, a->status);
    for (unsigned i = 0; i < sizeof(copied); i++) {
        f = sip_first(w->m, copied[i]);
        if (f && (copied[i] != SIP_H_TIMESTAMP || a->status == 100))
            put_line(&t, w->m, f);
    }
    if (a->status == 405)
        text_lit(&t, "Allow: OPTIONS\r\n");
    if (a->retry_after || a->status == 503)
        put_retry_after(s, &t);
    text_slice(&t, a->extra);
    text_lit(&t, "Content-Length: 0\r\n\r\n");
    if (t.over) {
        rte_pktmbuf_free(m);
        return NULL;
    }
    m->data_len = (uint16_t)text_done(&t).len;
    m->pkt_len = m->data_len;
    return m;
}

unsigned answer_send(struct sip *s, struct work *w, const struct answer *a)
{
    struct hg_endpoint dst;
    struct rte_mbuf *m = answer_build(s, w, a);
    if (!m)
        return HG_DROP_sip_no_memory;
    response_destination(s, &w->c.via, &w->d->src, &dst);
    count_answer(s, a->status);
    (void)sip_send(s, m, &w->d->dst, &dst, w->d->flow);
    return HG_C_sip_answered;
}

unsigned answer_status(struct sip *s, struct work *w, unsigned status)
{
    struct answer a = {.status = (uint16_t)status};
    return answer_send(s, w, &a);
}
