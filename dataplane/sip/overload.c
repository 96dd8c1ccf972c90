/* SPDX-License-Identifier: BSD-2-Clause */
/* Overload control: load is the share of cycles that found work and the fill of the transaction table,
 * whichever is more. Above the mark new requests are refused with 503, far above it they are dropped; what
 * belongs to a dialog or a transaction is never shed. Towards neighbours that understand it, RFC 7339 with
 * the loss algorithm. */
#include "sip/forward.h"
#include "sip/mix.h"
#include "sip/proxy.h"
#include "sip/txn.h"

#define OC_VALIDITY_MS 500

static uint32_t cycles_load(struct sip *s)
{
    struct overload *o = &s->overload;
    uint64_t busy = s->ctx->counters[HG_C_core_busy_cycles], tsc = s->ctx->tsc;
    uint64_t spent = busy - o->busy_cycles, passed = tsc - o->tsc;
    if (o->tsc == 0 || passed == 0) {
        o->tsc = tsc;
        o->busy_cycles = busy;
        return 0;
    }
    o->tsc = tsc;
    o->busy_cycles = busy;
    return spent >= passed ? 100 : (uint32_t)(spent * 100 / passed);
}

void overload_measure(struct sip *s)
{
    struct overload *o = &s->overload;
    uint32_t now, high = (uint32_t)s->ctx->config->sip_overload_high, pool = txns_load(s->txns), level;
    /* a window shorter than this says nothing */
    if (o->tsc && s->ctx->tsc - o->tsc < s->ctx->tsc_hz / 50)
        return;
    now = cycles_load(s);
    o->load = (o->load * 7 + now) / 8;
    level = o->load > pool ? o->load : pool;
    hg_gauge(s->ctx->counters, HG_C_sip_load, level);
    if (level < high || high >= 100) {
        o->shed = level >= 100 && pool >= 100 ? 100 : 0;
        o->drop = 0;
        return;
    }
    /* from nothing at the mark to everything at 100 percent; the last third of that without an answer */
    o->shed = (level - high) * 100 / (100 - high);
    o->drop = o->shed > 66 ? (o->shed - 66) * 3 : 0;
    if (o->shed > 95)
        o->shed = 95;
    if (o->drop > 90)
        o->drop = 90;
}

unsigned overload_shed(struct sip *s, struct work *w)
{
    const struct overload *o = &s->overload;
    struct answer a = {.status = 503, .retry_after = true};
    uint32_t draw;
    if (likely(!o->shed && !s->draining))
        return 0;
    /* OPTIONS to this node must go on telling that it lives, unless it is about to stop */
    if (w->error != SIP_E_NONE || (!s->draining && w->to_self))
        return 0;
    /* by call, so that retransmissions of what was taken are taken too */
    draw = (uint32_t)(mix_fold(w->call_hash, 0x9e3779b97f4a7c15ull) % 100);
    if (!s->draining && draw >= o->shed)
        return 0;
    if (!s->draining && draw < o->drop)
        return HG_DROP_sip_overload;
    ctx_count(s->ctx, HG_C_sip_shed);
    if (s->draining)
        a.reason = "Draining";
    return answer_send(s, w, &a);
}

/* RFC 7339 4.1: who offered oc in its Via gets oc back in the responses that travel by this Via. */
void overload_via_edits(struct sip *s, const struct sip_msg *m, const struct sip_via *via, struct edits *e)
{
    struct slice algo;
    const char *end;
    struct text t;
    if (via->params.len == 0 || !memchr(via->params.p, 'o', via->params.len) ||
        !param_find(via->params, SLICE_LIT("oc"), &end) ||
        (end < via->params.p + via->params.len && *end == '='))
        return;
    if (!sip_param(via->params, SLICE_LIT("oc-algo"), &algo) || !slice_ieq(algo, SLICE_LIT("\"loss\"")))
        return;
    t = edits_text(e);
    text_lit(&t, "=");
    text_number(&t, s->overload.shed);
    edits_add_text(e, (uint32_t)(end - m->buf), 0, &t);
    t = edits_text(e);
    text_lit(&t, ";oc-validity=");
    text_number(&t, s->overload.shed ? OC_VALIDITY_MS : 0);
    text_lit(&t, ";oc-seq=");
    text_number(&t, (uint32_t)(s->ctx->ms / 1000));
    text_lit(&t, ".");
    text_number(&t, (uint32_t)(s->ctx->ms / 100 % 10));
    text_number(&t, (uint32_t)(s->ctx->ms / 10 % 10));
    text_number(&t, (uint32_t)(s->ctx->ms % 10));
    edits_add_text(e, (uint32_t)(via->whole.p + via->whole.len - m->buf), 0, &t);
}

static bool oc_number(struct slice params, struct slice name, uint32_t *out)
{
    struct slice value;
    return sip_param(params, name, &value) && value.len && sip_uint_decode(value, 1000000, out) == SIP_DONE;
}

/* RFC 7339 4.4: digits, one dot, digits; compared by value, in microseconds. 0: none that can be compared. */
static uint64_t oc_order(struct slice seq)
{
    uint64_t order = 0;
    unsigned fraction = 0;
    uint32_t i = 0;
    for (; i < seq.len && i < 12 && seq.p[i] >= '0' && seq.p[i] <= '9'; i++)
        order = order * 10 + (uint64_t)(seq.p[i] - '0');
    if (i < seq.len && seq.p[i] != '.')
        return 0;
    for (i++; fraction < 6; fraction++, i++)
        order =
            order * 10 + (i < seq.len && seq.p[i] >= '0' && seq.p[i] <= '9' ? (uint64_t)(seq.p[i] - '0') : 0);
    return order;
}

void overload_heard(struct sip *s, uint16_t hop_slot, const struct sip_via *ours)
{
    struct hop_oc *oc = &s->oc[hop_slot % HG_HOP_SLOTS];
    uint32_t loss, validity = OC_VALIDITY_MS;
    struct slice seq;
    uint64_t order = 0;
    if (hop_slot == SIP_SLOT_NONE || !oc_number(ours->params, SLICE_LIT("oc"), &loss) || loss > 100)
        return;
    oc_number(ours->params, SLICE_LIT("oc-validity"), &validity);
    if (sip_param(ours->params, SLICE_LIT("oc-seq"), &seq))
        order = oc_order(seq);
    /* a hop that began anew counts anew: what is over cannot be overtaken */
    if (order && order < oc->seq && s->ctx->ms < oc->until_ms)
        return;
    oc->seq = order;
    if (!oc->loss && loss)
        s->oc_hops++;
    if (oc->loss && !loss)
        s->oc_hops--;
    oc->loss = (uint8_t)loss;
    oc->until_ms = s->ctx->ms + validity;
}

bool overload_hop_sheds(struct sip *s, uint16_t hop_slot)
{
    const struct hop_oc *oc = &s->oc[hop_slot % HG_HOP_SLOTS];
    return oc->loss && s->ctx->ms < oc->until_ms && ctx_random(s->ctx) % 100 < oc->loss;
}
