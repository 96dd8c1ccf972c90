/* SPDX-License-Identifier: BSD-2-Clause */
/* `hgctl trace`: which messages match the filter; copying and rates are log_out's. */
#include "lib/log_out.h"
#include "sip/proxy.h"

static bool peer_matches(const struct hg_net *net, const struct hg_endpoint *a, const struct hg_endpoint *b)
{
    return net->bits == 0 || hg_net_contains(net, &a->ip) || hg_net_contains(net, &b->ip);
}

static bool holds(struct slice text, const char *part, uint32_t len)
{
    return len == 0 || (text.len >= len && memmem(text.p, text.len, part, len) != NULL);
}

static struct slice value(const struct sip_msg *m, enum sip_header_id id)
{
    const struct sip_field *f = sip_first(m, id);
    return f ? sip_value(m, f) : slice_of("", 0);
}

/* The method of a request, or that of a response's CSeq. */
static bool method_matches(const struct sip_msg *m, struct slice method)
{
    struct slice v = value(m, SIP_H_CSEQ);
    if (method.len == 0)
        return true;
    if (m->is_request)
        return slice_eq(m->method_name, method);
    return v.len > method.len && memcmp(v.p + v.len - method.len, method.p, method.len) == 0;
}

void trace_message(struct sip *s, struct slice message, const struct hg_endpoint *src,
                   const struct hg_endpoint *dst, bool outgoing)
{
    const struct hg_down_trace *f = log_trace_filter(s->ctx);
    struct sip_msg *m = &s->traced;
    if (!f || !peer_matches(&f->peer, src, dst))
        return;
    if (f->method_len || f->from_len || f->to_len || f->uri_len || f->call_id_len) {
        if (sip_index(m, message.p, message.len, true, SIP_HEADERS_MAX) != SIP_DONE ||
            !method_matches(m, slice_of(f->method, f->method_len)) ||
            !holds(value(m, SIP_H_FROM), f->from, f->from_len) ||
            !holds(value(m, SIP_H_TO), f->to, f->to_len) || !holds(m->ruri, f->uri, f->uri_len) ||
            !holds(value(m, SIP_H_CALL_ID), f->call_id, f->call_id_len))
            return;
    }
    log_trace(s->ctx, src, dst, outgoing, message);
}
