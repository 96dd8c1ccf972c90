/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 3261 16.3: what a request must pass before it is routed. */
#include "hg/word.h"
#include "sip/mix.h"
#include "sip/proxy.h"

bool validate_decode(struct sip *s, struct work *w)
{
    const struct sip_field *f;
    uint32_t breadth;
    if (w->indexed == SIP_DONE)
        w->error = w->m->is_request ? sip_check_request_with(s->isa, w->m, &w->c)
                                    : sip_check_response_with(s->isa, w->m, &w->c);
    else
        w->error = sip_check_broken(w->m, &w->c);
    if (w->error == SIP_E_NONE && w->indexed != SIP_DONE)
        w->error = SIP_E_NOT_SIP;
    w->call_hash = mix_slice(s->seed, w->c.call_id);
    w->max_breadth = -1;
    f = sip_first(w->m, SIP_H_MAX_BREADTH);
    if (f && sip_uint_decode(sip_value(w->m, f), INT32_MAX, &breadth) == SIP_DONE)
        w->max_breadth = (int32_t)breadth;
    return w->error == SIP_E_NONE;
}

/* RFC 5393 4.2: everything that decides where the request goes, and nothing that a spiral leaves as it was.
 * No method and no To tag: a CANCEL and the ACK of a failure carry the branch of their INVITE. */
uint32_t validate_loop_hash(const struct sip *s, const struct work *w)
{
    const struct sip_msg *m = w->m;
    uint64_t h = mix_slice(s->seed + w->c.cseq.number, w->c.ruri.whole) ^ w->call_hash;
    h = mix_slice(h, w->c.from.tag);
    for (const struct sip_field *f = sip_first(m, SIP_H_ROUTE); f; f = sip_next(m, f))
        h = mix_slice(h, sip_value(m, f));
    for (const struct sip_field *f = sip_first(m, SIP_H_PROXY_REQUIRE); f; f = sip_next(m, f))
        h = mix_slice(h, sip_value(m, f));
    return (uint32_t)(h ^ h >> 32);
}

/* A Via that stands alone in its field, written the usual way, with another host: not ours, without decoding
 * it. */
static bool via_field_is_foreign(const struct sip *s, const struct sip_msg *m, const struct sip_field *f)
{
    static const char start[] = "SIP/2.0/UDP ";
    struct slice v = sip_value(m, f);
    if (f->comma || v.len < 32 || memcmp(v.p, start, sizeof(start) - 1) != 0)
        return false;
    uint64_t word = hg_load64(v.p + sizeof(start) - 1);
    for (unsigned i = 0; i < s->nlisteners; i++) {
        const struct listener *l = &s->listener[i];
        uint32_t n = l->host_len;
        if (((word ^ l->host_word) & l->host_mask) == 0 && v.len > sizeof(start) + n &&
            memcmp(v.p + sizeof(start) - 1, l->hostport, n) == 0)
            return false;
    }
    return v.p[sizeof(start) - 1] == '[' ? !s->has_v6 : v.p[sizeof(start) - 1] > ' ';
}

static bool via_field_loops(const struct sip *s, const struct work *w, const struct sip_field *f)
{
    struct sip_cursor c = {.m = w->m, .f = f, .at = 0};
    struct slice element;
    struct sip_via via;
    struct branch b;
    const char *end = w->m->buf + f->value + f->value_len;
    while (sip_cursor_next(&c, &element) == SIP_DONE && element.p <= end) {
        if (sip_via_decode(element, &via) != SIP_DONE || !sip_is_us(s, via.host_kind, &via.ip, via.port))
            continue;
        if (branch_read(&s->secret, s->node, s->ctx->boot, via.branch, &b) == BRANCH_OURS &&
            b.loop == w->loop_hash)
            return true;
    }
    return false;
}

static bool loops(const struct sip *s, const struct work *w)
{
    const struct sip_field *f = sip_first(w->m, SIP_H_VIA);
    /* counted, so that nobody looks for one behind the last */
    for (unsigned left = w->m->count[SIP_H_VIA]; left > 0; left--) {
        if (!via_field_is_foreign(s, w->m, f) && via_field_loops(s, w, f))
            return true;
        f = left > 1 ? sip_next(w->m, f) : f;
    }
    return false;
}

static unsigned refuse_extensions(struct sip *s, struct work *w)
{
    char buf[1024];
    struct text t = text_over(buf, sizeof(buf));
    struct answer a = {.status = 420};
    text_lit(&t, "Unsupported: ");
    for (const struct sip_field *f = sip_first(w->m, SIP_H_PROXY_REQUIRE); f; f = sip_next(w->m, f)) {
        if (t.p[-1] != ' ')
            text_lit(&t, ", ");
        text_slice(&t, sip_value(w->m, f));
    }
    text_lit(&t, "\r\n");
    if (!t.over)
        a.extra = text_done(&t);
    return answer_send(s, w, &a);
}

static unsigned refuse_broken(struct sip *s, struct work *w)
{
    uint16_t status = sip_error_status(w->error);
    struct slice phrase = sip_error_phrase(w->error);
    char reason[80];
    struct answer a = {.status = status, .reason = reason};
    if (status == 0 || !w->m->is_request || w->m->method == SIP_M_ACK || w->c.via.whole.len == 0)
        return HG_DROP_sip_unparseable;
    if (phrase.len >= sizeof(reason))
        phrase.len = sizeof(reason) - 1;
    memcpy(reason, phrase.p, phrase.len);
    reason[phrase.len] = 0;
    return answer_send(s, w, &a);
}

/* RFC 3261 10.3 step 5: an address of record of our domain is a SIP or SIPS URI; a telephone number is one of
 * our users, too (preprocess.c). */
static bool registers_nobody(const struct work *w)
{
    return w->m->method == SIP_M_REGISTER && w->own_domain && w->c.to.uri.scheme == SIP_SCHEME_OTHER;
}

unsigned validate_request(struct sip *s, struct work *w)
{
    bool ack = w->m->method == SIP_M_ACK;
    if (w->error == SIP_E_NONE && registers_nobody(w))
        w->error = SIP_E_TO;
    if (w->error != SIP_E_NONE)
        return refuse_broken(s, w);
    /* M19: a ping that must not travel is refused, unless it is us that it pings, by way of nobody else */
    if (w->c.has_max_forwards && w->c.max_forwards == 0 &&
        !(w->m->method == SIP_M_OPTIONS && w->to_self && w->route_element.len == 0))
        return ack ? HG_DROP_sip_ack_unroutable : answer_status(s, w, 483);
    if (!w->has_branch)
        w->loop_hash = validate_loop_hash(s, w);
    /* While users move, a node may send back what it got: it says how often, and that is bounded (serve.c).
     */
    if (loops(s, w) && serve_hops(s, w) == 0) {
        ctx_count(s->ctx, HG_C_sip_loops);
        return ack ? HG_DROP_sip_ack_unroutable : answer_status(s, w, 482);
    }
    if (w->m->count[SIP_H_PROXY_REQUIRE] && !ack && w->m->method != SIP_M_CANCEL)
        return refuse_extensions(s, w);
    return HG_COUNTERS_MAX;
}
