/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 3261 16.11: forwarded and forgotten. */
#include "lib/mailbox.h"
#include "sip/forward.h"
#include "sip/mix.h"

static uint64_t stateless_id(const struct sip *s, const struct work *w)
{
    const struct sip_via *via = &w->c.via;
    uint64_t h;
    if (via->branch.len > 7 && memcmp(via->branch.p, BRANCH_MAGIC, 7) == 0)
        return mix_slice(mix_slice(s->seed + via->port, via->host), via->branch);
    h = mix_slice(s->seed + w->c.cseq.number, via->whole);
    h = mix_slice(h, w->c.from.tag);
    h = mix_slice(h, w->c.ruri.whole);
    return h ^ w->call_hash;
}

void stateless_branch(const struct sip *s, const struct work *w, uint8_t kind, struct branch *b)
{
    /* 16.11: a retransmission that meets another core must get the same branch */
    *b = (struct branch){.id = stateless_id(s, w),
                         .loop = w->loop_hash,
                         .boot = s->ctx->boot,
                         .kind = kind,
                         .node = s->node,
                         .core = (uint8_t)sip_owner(s, w)};
}

static const struct route_target *pick(struct sip *s, const struct route_targets *t)
{
    for (unsigned i = 0; i < t->n; i++)
        if (t->t[i].hop_slot == SIP_SLOT_NONE || !s->oc_hops || !overload_hop_sheds(s, t->t[i].hop_slot))
            return &t->t[i];
    return NULL;
}

unsigned stateless_forward(struct sip *s, struct work *w, const struct decision *dec)
{
    const struct route_target *t = pick(s, &dec->targets);
    bool ack = w->m->method == SIP_M_ACK;
    struct forward f = {.branch = &w->branch, .breadth = forward_breadth(s, w)};
    struct hg_endpoint dst;
    struct rte_mbuf *m;
    struct edits e;
    if (!t)
        return ack ? HG_DROP_sip_ack_unroutable : answer_status(s, w, 503);
    dst = t->ep;
    f.hop_slot = SIP_SLOT_NONE; /* an answer would not find this hop again: no overload control offered */
    f.out = sip_listener_for(s, t, w->in);
    if (!f.out)
        return ack ? HG_DROP_sip_ack_unroutable
                   : answer_status(s, w, target_is_us(s, &dec->targets) ? 482 : 404);
    f.hop = t->hop;
    if (t->contact)
        f.uri = route_contact_uri(s->route, &w->key, t);
    if (f.breadth == 0 && !ack)
        return answer_status(s, w, 440);
    s->branch_kind = branch_kind(false, s->fenced);
    f.mac = w->branch_mac;
    f.has_mac = w->has_branch && w->branch.kind == s->branch_kind;
    if (!f.has_mac)
        stateless_branch(s, w, s->branch_kind, &w->branch);
    if (!forward_edits(s, w, &f, &e))
        return ack ? HG_DROP_sip_too_large : answer_status(s, w, 513);
    /* a stream may not take it, and then the request is answered */
    m = dst.proto == HG_UDP ? work_edit(s, w, &e) : work_copy(s, w, &e);
    if (!m)
        return HG_DROP_sip_no_memory;
    if (t->route_slot != SIP_ROUTE_NONE)
        s->ctx->route_stats[t->route_slot].requests++;
    if (t->hop_slot != SIP_SLOT_NONE)
        s->ctx->hop_stats[t->hop_slot].requests++;
    count_target(s, t);
    if (!sip_send(s, m, &f.out->ep, &dst, 0))
        return ack ? HG_DROP_sip_ack_unroutable : answer_status(s, w, 503);
    ctx_count(s->ctx, HG_C_sip_stateless);
    return HG_C_sip_forwarded;
}

/* What came by a stream lies where it is not for long. */
static struct rte_mbuf *copy_of(struct sip *s, const struct work *w)
{
    struct rte_mbuf *m = sip_mbuf(s, w->d->len);
    if (!m)
        return NULL;
    memcpy(rte_pktmbuf_mtod(m, char *), w->d->data, w->d->len);
    m->data_len = (uint16_t)w->d->len;
    m->pkt_len = w->d->len;
    return m;
}

unsigned stateless_hand_over(struct sip *s, struct work *w, unsigned core)
{
    struct rte_mbuf *m = w->d->m ? w->d->m : copy_of(s, w);
    if (!m)
        return HG_DROP_sip_no_memory;
    struct mail mail = {.kind = MAIL_SIP_DATAGRAM, .m = m};
    struct datagram *copy = rte_mbuf_to_priv(m);
    *copy = *w->d;
    copy->m = m;
    copy->data = rte_pktmbuf_mtod(m, const char *);
    copy->flags |= DATAGRAM_HANDED_OVER | DATAGRAM_ALLOWED;
    if (!mail_send(s->ctx, core, mail)) {
        if (m != w->d->m)
            rte_pktmbuf_free(m);
        return HG_DROP_sip_mail_full;
    }
    w->d->m = NULL;
    return HG_C_sip_handed_over;
}
