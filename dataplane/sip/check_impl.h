/* SPDX-License-Identifier: BSD-2-Clause */
/* The check of a message's core fields, compiled once per instruction set. The including file gives the
 * shape_ functions, which read a field that has a usual shape and say false to anything else, SHAPE_BITS with
 * them, and the names SIP_CHECK_REQUEST and SIP_CHECK_RESPONSE; without SHAPE_BITS the decoders read
 * everything. */
#include "sip/check.h"

#include "sip/chars.h"
#include "sip/index_impl.h"

#ifndef SHAPE_BITS
static inline bool shape_addr(struct slice value, struct sip_addr *out)
{
    (void)value, (void)out;
    return false;
}

static inline bool shape_via(struct slice value, struct sip_via *out)
{
    (void)value, (void)out;
    return false;
}

static inline bool shape_uri(struct slice value, struct sip_uri *out)
{
    (void)value, (void)out;
    return false;
}

static inline bool shape_call_id(struct slice value)
{
    (void)value;
    return false;
}

static inline bool shape_cseq(struct slice value, struct slice method, uint8_t id, struct sip_cseq *out)
{
    (void)value, (void)method, (void)id, (void)out;
    return false;
}
#endif

static inline bool call_id_ok(struct slice v)
{
    if (shape_call_id(v))
        return true;
    const char *e = v.p + v.len, *p = ch_span(v.p, e, CH_WORD);
    if (p == v.p)
        return false;
    if (p == e)
        return true;
    return *p == '@' && p + 1 < e && ch_span(p + 1, e, CH_WORD) == e;
}

static inline bool addr_ok(struct slice value, struct sip_addr *out)
{
    return shape_addr(value, out) || (sip_addr_decode(value, out) == SIP_DONE && !out->star);
}

static inline enum sip_error first_via(const struct sip_msg *m, struct sip_core_fields *out)
{
    struct slice element;
    if (!m->count[SIP_H_VIA])
        return SIP_E_MISSING_HEADER;
    sip_cursor_init(&out->after_via, m, SIP_H_VIA);
    if (sip_cursor_next(&out->after_via, &element) != SIP_DONE)
        return SIP_E_VIA;
    if (shape_via(element, &out->via) || sip_via_decode(element, &out->via) == SIP_DONE)
        return SIP_E_NONE;
    return SIP_E_VIA;
}

static inline enum sip_error once(const struct sip_msg *m, enum sip_header_id id)
{
    if (m->count[id] == 1)
        return SIP_E_NONE;
    return m->count[id] ? SIP_E_DUPLICATE_HEADER : SIP_E_MISSING_HEADER;
}

static inline void note(enum sip_error *first, enum sip_error e)
{
    if (*first == SIP_E_NONE)
        *first = e;
}

static inline bool cseq_ok(const struct sip_msg *m, struct slice value, struct sip_cseq *out)
{
    return (m->is_request && shape_cseq(value, m->method_name, m->method, out)) ||
           sip_cseq_decode(value, out) == SIP_DONE;
}

/* Everything both kinds of message must have: Via, From, To, Call-ID, CSeq. Goes on after an error: what is
 * well-formed serves the answer. */
static inline enum sip_error common(const struct sip_msg *m, struct sip_core_fields *out)
{
    enum sip_error e = first_via(m, out);
    note(&e, once(m, SIP_H_FROM));
    note(&e, once(m, SIP_H_TO));
    note(&e, once(m, SIP_H_CALL_ID));
    note(&e, once(m, SIP_H_CSEQ));
    const struct sip_field *f = sip_first(m, SIP_H_FROM);
    if (f && !addr_ok(sip_value(m, f), &out->from))
        note(&e, SIP_E_FROM);
    f = sip_first(m, SIP_H_TO);
    if (f && !addr_ok(sip_value(m, f), &out->to))
        note(&e, SIP_E_TO);
    f = sip_first(m, SIP_H_CALL_ID);
    if (f && call_id_ok(sip_value(m, f)))
        out->call_id = sip_value(m, f);
    else if (f)
        note(&e, SIP_E_CALL_ID);
    f = sip_first(m, SIP_H_CSEQ);
    if (f && !cseq_ok(m, sip_value(m, f), &out->cseq))
        note(&e, SIP_E_CSEQ);
    return e;
}

static inline enum sip_error max_forwards(const struct sip_msg *m, struct sip_core_fields *out)
{
    if (m->count[SIP_H_MAX_FORWARDS] > 1)
        return SIP_E_DUPLICATE_HEADER;
    const struct sip_field *f = sip_first(m, SIP_H_MAX_FORWARDS);
    if (!f)
        return SIP_E_NONE;
    out->has_max_forwards = sip_uint_decode(sip_value(m, f), UINT32_MAX, &out->max_forwards) == SIP_DONE;
    return out->has_max_forwards ? SIP_E_NONE : SIP_E_MAX_FORWARDS;
}

static inline void clear(struct sip_core_fields *out)
{
    ch_zero(&out->ruri, offsetof(struct sip_uri, scheme_name));
    ch_zero(&out->via.whole, sizeof(out->via.whole));
    ch_zero(&out->via.branch, sizeof(out->via.branch));
    ch_zero(&out->from.whole, sizeof(out->from.whole));
    ch_zero(&out->from.tag, sizeof(out->from.tag));
    ch_zero(&out->to.whole, sizeof(out->to.whole));
    ch_zero(&out->to.tag, sizeof(out->to.tag));
    ch_zero(&out->call_id, sizeof(*out) - offsetof(struct sip_core_fields, call_id));
}

/* Methods that have an id have one spelling. */
static inline bool same_method(const struct sip_msg *m, const struct sip_core_fields *out)
{
    return m->method != SIP_M_OTHER ? out->cseq.method == m->method
                                    : slice_eq(out->cseq.method_name, m->method_name);
}

enum sip_error SIP_CHECK_REQUEST(const struct sip_msg *m, struct sip_core_fields *out)
{
    clear(out);
    enum sip_error e = common(m, out);
    /* headers in a Request-URI must not be forwarded (RFC 3261 19.1.1, RFC 4475 3.1.2.11) */
    if (!shape_uri(m->ruri, &out->ruri) &&
        (sip_uri_decode(m->ruri, &out->ruri) != SIP_DONE || out->ruri.headers.len))
        note(&e, SIP_E_RURI);
    note(&e, max_forwards(m, out));
    if (e == SIP_E_NONE && !same_method(m, out))
        e = SIP_E_CSEQ_METHOD;
    if (e == SIP_E_NONE && out->ruri.scheme == SIP_SCHEME_OTHER)
        e = SIP_E_SCHEME;
    return e;
}

enum sip_error SIP_CHECK_RESPONSE(const struct sip_msg *m, struct sip_core_fields *out)
{
    clear(out);
    return common(m, out);
}
