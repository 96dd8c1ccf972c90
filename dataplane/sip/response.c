/* SPDX-License-Identifier: BSD-2-Clause */
/* Responses (RFC 3261 16.7, 16.11, 18.1.2): the top Via must be ours, its branch tells to whom they belong.
 */
#include "sip/edit.h"
#include "sip/flow.h"
#include "sip/forward.h"
#include "sip/txn.h"

static void response_port(const struct sip_via *via, struct hg_endpoint *dst)
{
    uint32_t port;
    dst->port = via->port ? via->port : sip_default_port(dst->proto);
    if (dst->proto == HG_UDP && via->rport.len && sip_uint_decode(via->rport, 65535, &port) == SIP_DONE &&
        port)
        dst->port = (uint16_t)port;
}

void response_destination(const struct sip *s, const struct sip_via *via, const struct hg_endpoint *src,
                          struct hg_endpoint *dst)
{
    struct hg_ip maddr;
    *dst = *src;
    if (!via->has_rport ||
        src->proto != HG_UDP) /* of a stream: where a new one may be opened, if it is gone */
        dst->port = via->port ? via->port : sip_default_port(src->proto);
    /* maddr only where the sender could also have sent from: else anybody could aim answers at others */
    if (via->maddr.len && hg_ip_parse(via->maddr, &maddr) &&
        target_address_allowed((struct sip *)(uintptr_t)s, &maddr)) {
        dst->ip = maddr;
        dst->port = via->port ? via->port : sip_default_port(src->proto);
    }
}

static bool via_proto(const struct sip_via *via, uint8_t *proto)
{
    if (slice_ieq(via->transport, SLICE_LIT("UDP")))
        *proto = HG_UDP;
    else if (slice_ieq(via->transport, SLICE_LIT("TCP")))
        *proto = HG_TCP;
    else if (slice_ieq(via->transport, SLICE_LIT("TLS")))
        *proto = HG_TLS;
    else
        return false;
    return true;
}

/* 18.2.2 for a Via that stood below ours: we wrote received and rport into it when the request passed. */
static bool next_via_endpoint(struct sip *s, const struct sip_via *via, struct hg_endpoint *dst)
{
    struct slice received = via->received;
    memset(dst, 0, sizeof(*dst));
    if (!via_proto(via, &dst->proto))
        return false;
    response_port(via, dst);
    if (via->maddr.len)
        return hg_ip_parse(via->maddr, &dst->ip) && target_address_allowed(s, &dst->ip);
    if (received.len)
        return hg_ip_parse(received, &dst->ip);
    if (via->host_kind != SIP_HOST_NAME) {
        dst->ip = via->ip;
        return true;
    }
    uint8_t proto = dst->proto;
    bool found = route_host_find(s->route, via->host, via->port, dst);
    dst->proto = proto;
    return found;
}

/* The flow that the request came by, which our Via has brought back. */
static uint64_t flow_of_request(const struct sip *s, const struct work *w)
{
    struct slice token;
    if (!w->c.via.params.len || !sip_param(w->c.via.params, SLICE_LIT(FLOW_PARAM), &token))
        return 0;
    return flow_token_read(s, token);
}

/* Our Via, with its comma or its whole line. */
static void cut_top_via(const struct work *w, struct edits *e)
{
    const struct sip_msg *m = w->m;
    const struct sip_field *f = sip_first(m, SIP_H_VIA);
    const char *end = w->c.via.whole.p + w->c.via.whole.len, *stop = m->buf + f->value + f->value_len,
               *comma = NULL;
    uint32_t at, len;
    if (f->comma)
        comma = memchr(end, ',', (size_t)(stop - end));
    if (comma) {
        edits_add(e, f->value, (uint32_t)(comma + 1 - m->buf) - f->value, slice_of("", 0));
        return;
    }
    field_line(m, f, &at, &len);
    edits_add(e, at, len, slice_of("", 0));
}

void response_strip_edits(struct sip *s, struct work *w, struct edits *e)
{
    struct sip_cursor c = w->c.after_via;
    struct slice element;
    struct sip_via via;
    edits_init(e);
    cut_top_via(w, e);
    if (sip_cursor_next(&c, &element) == SIP_DONE && sip_via_decode(element, &via) == SIP_DONE)
        overload_via_edits(s, w->m, &via, e);
}

unsigned response_by_via(struct sip *s, struct work *w, bool check_access)
{
    struct sip_cursor c = w->c.after_via;
    const struct listener *out;
    struct slice element;
    struct sip_via via;
    struct hg_endpoint dst;
    struct rte_mbuf *m;
    struct edits e;
    if (sip_cursor_next(&c, &element) != SIP_DONE || sip_via_decode(element, &via) != SIP_DONE)
        return HG_DROP_sip_response_unroutable;
    if (!next_via_endpoint(s, &via, &dst) || (check_access && !target_address_allowed(s, &dst.ip)))
        return HG_DROP_sip_response_unroutable;
    out = sip_listener_to(s, &dst, w->in);
    if (!out)
        return HG_DROP_sip_response_unroutable;
    uint64_t flow = dst.proto == HG_UDP ? 0 : flow_of_request(s, w);
    edits_init(&e);
    cut_top_via(w, &e);
    overload_via_edits(s, w->m, &via, &e);
    m = work_edit(s, w, &e);
    if (!m)
        return HG_DROP_sip_no_memory;
    return sip_send(s, m, &out->ep, &dst, flow) ? HG_C_sip_forwarded : HG_DROP_sip_response_unroutable;
}

void response_prefetch(struct sip *s, struct work *w)
{
    const struct sip_via *top = &w->c.via;
    w->origin = BRANCH_FOREIGN;
    if (sip_is_us(s, top->host_kind, &top->ip, top->port))
        w->origin = branch_read(&s->secret, s->node, s->ctx->boot, top->branch, &w->branch);
    if (w->origin == BRANCH_OURS && w->branch.core == s->ctx->core)
        client_prefetch(s, &w->branch);
}

void response_prefetch_more(struct sip *s, struct work *w)
{
    if (w->origin == BRANCH_OURS && w->branch.core == s->ctx->core)
        client_prefetch_server(s, &w->branch);
}

unsigned response_input(struct sip *s, struct work *w)
{
    if (w->error != SIP_E_NONE)
        return HG_DROP_sip_bad_response;
    count_response(s, w->m->status);
    switch (w->origin) {
    case BRANCH_FOREIGN:
        return HG_DROP_sip_response_not_ours;
    case BRANCH_FORGED:
        return HG_DROP_sip_branch_forged;
    case BRANCH_OTHER_BOOT:
        /* A request of our former life, or one that a peer sent from this address: nobody here holds its
         * state. Its MAC cannot be checked, so it goes to nobody who is not in the access lists. What was
         * done for a user then is fenced by the lease of now. */
        s->fenced = branch_is_fenced(&w->branch);
        return w->m->status == 100 ? HG_C_sip_absorbed : response_by_via(s, w, true);
    case BRANCH_OURS:
        break;
    }
    s->fenced = branch_is_fenced(&w->branch);
    if (!branch_is_transaction(&w->branch))
        return response_by_via(s, w, false);
    if (w->branch.core != s->ctx->core) {
        if (w->branch.core >= s->ctx->cores)
            return HG_DROP_sip_branch_forged;
        return stateless_hand_over(s, w, w->branch.core);
    }
    return client_response(s, w, &w->branch);
}
