/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/forward.h"

#include "sip/flow.h"

static uint32_t offset(const struct sip_msg *m, const char *p)
{
    return (uint32_t)(p - m->buf);
}

void field_line(const struct sip_msg *m, const struct sip_field *f, uint32_t *at, uint32_t *len)
{
    unsigned i = (unsigned)(f - m->f) + 1;
    uint32_t end = i < m->n ? m->f[i].name : m->head_len - 2u;
    *at = f->name;
    *len = end - f->name;
}

const char *param_find(struct slice params, struct slice name, const char **end)
{
    const char *p = params.p, *stop = params.p + params.len;
    bool quoted = false;
    while (p < stop) {
        while (p < stop && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
            p++;
        if ((uint32_t)(stop - p) >= name.len && slice_ieq(slice_of(p, name.len), name)) {
            const char *e = p + name.len;
            if (e == stop || *e == ';' || *e == '=' || *e == ' ' || *e == '\t' || *e == '\r') {
                *end = e;
                return p;
            }
        }
        for (; p < stop && (quoted || *p != ';'); p++) {
            if (*p == '\\' && quoted)
                p++;
            else if (*p == '"')
                quoted = !quoted;
        }
        p++;
    }
    return NULL;
}

static char *write_ip(char *p, const struct hg_ip *ip)
{
    /* IPv6 without brackets, as the grammar has it (RFC 5118 4.5) */
    return p + (hg_ip_is4(ip) ? ip4_write(p, ip) : (uint32_t)hg_ip_format(ip, p));
}

void forward_received(const struct sip_msg *m, const struct sip_via *via, const struct hg_endpoint *src,
                      struct edits *e)
{
    static const char name[] = ";received=";
    bool same = via->host_kind != SIP_HOST_NAME && hg_ip_eq(&via->ip, &src->ip);
    const char *end = via->whole.p + via->whole.len, *from = end;
    char *start = edits_room(e, 1 + DECIMAL_MAX + sizeof(name) + HG_IP_STRLEN), *p = start;
    uint32_t cut = 0;
    if (!start || (same && !via->has_rport && via->received.len == 0))
        return;
    if (via->has_rport) {
        if (via->rport.len == 0)
            *p++ = '=';
        p = decimal_write(p, src->port);
        from = via->rport.p;
        cut = via->rport.len;
    }
    if (via->has_rport && (from + cut != end || via->received.len)) {
        edits_put(e, offset(m, from), cut, start, p);
        start = p;
        from = end;
        cut = 0;
    }
    if (via->received.len) { /* never believe what the sender says about itself */
        from = via->received.p;
        cut = via->received.len;
    } else {
        memcpy(p, name, sizeof(name) - 1);
        p += sizeof(name) - 1;
    }
    edits_put(e, offset(m, from), cut, start, write_ip(p, &src->ip));
}

uint32_t forward_breadth(const struct sip *s, const struct work *w)
{
    uint32_t most = (uint32_t)s->ctx->config->sip_max_breadth;
    return w->max_breadth < 0 || (uint32_t)w->max_breadth > most ? most : (uint32_t)w->max_breadth;
}

static void limits(struct sip *s, struct work *w, const struct forward *f, struct edits *e)
{
    static const char forwards[] = "Max-Forwards: ", breadth[] = "\r\nMax-Breadth: ";
    const struct sip_msg *m = w->m;
    const struct sip_field *mf = sip_first(m, SIP_H_MAX_FORWARDS), *mb = sip_first(m, SIP_H_MAX_BREADTH);
    uint32_t hops = (uint32_t)s->ctx->config->sip_max_forwards, at = m->head_len - 2u, cut = 0;
    char *start = edits_room(e, sizeof(forwards) + sizeof(breadth) + 3 * DECIMAL_MAX), *p = start;
    if (!start)
        return;
    if (mf) {
        at = mf->value;
        cut = mf->value_len;
        hops = w->c.max_forwards > 255 ? 254 : w->c.max_forwards - 1;
    } else {
        memcpy(p, forwards, sizeof(forwards) - 1);
        p += sizeof(forwards) - 1;
    }
    p = decimal_write(p, hops);
    if (!mb) {
        memcpy(p, breadth, sizeof(breadth) - 1);
        p = decimal_write(p + sizeof(breadth) - 1, f->breadth);
    }
    if (!mf) {
        memcpy(p, "\r\n", 2);
        p += 2;
    }
    edits_put(e, at, cut, start, p);
    if (mb)
        edits_put(e, mb->value, mb->value_len, p, decimal_write(p, f->breadth));
}

static void push_via(struct sip *s, struct work *w, const struct forward *f, struct edits *e)
{
    static const char oc[] = ";oc;oc-algo=\"loss\"", hop[] = ";" SIP_HOP_PARAM "=";
    const struct sip_field *top = sip_first(w->m, SIP_H_VIA);
    static const char flow[] = ";" FLOW_PARAM "=";
    char *p, *start = edits_room(e, sizeof(f->out->via) + BRANCH_LEN + sizeof(oc) + sizeof(hop) +
                                        sizeof(flow) + FLOW_TOKEN + 2);
    p = start;
    if (!start)
        return;
    memcpy(p, f->out->via, sizeof(f->out->via)); /* all of it: a copy of constant length is the shorter one */
    p += f->out->via_len;
    if (f->has_mac)
        branch_write_with(f->branch, f->mac, p);
    else
        branch_write(&s->secret, f->branch, p);
    p += BRANCH_LEN;
    if (s->ctx->config->sip_overload_offer && f->hop_slot != SIP_SLOT_NONE) {
        memcpy(p, oc, sizeof(oc) - 1);
        p += sizeof(oc) - 1;
    }
    if (f->hop) {
        memcpy(p, hop, sizeof(hop) - 1);
        p += sizeof(hop) - 1;
        *p++ = (char)('0' + f->hop); /* serve.c lets no more than two pass */
    }
    if (unlikely(w->d->flow != 0) && !branch_is_transaction(f->branch)) { /* the answer finds its way by it */
        memcpy(p, flow, sizeof(flow) - 1);
        flow_token_write(s, w->d->flow, p + sizeof(flow) - 1);
        p += sizeof(flow) - 1 + FLOW_TOKEN;
    }
    memcpy(p, "\r\n", 2);
    edits_put(e, top->name, 0, start, p + 2);
}

/* Cuts one element of a list header out, with its comma, or the whole line if it stood alone. */
static void cut_element(const struct sip_msg *m, const struct sip_field *f, struct slice element,
                        struct edits *e)
{
    struct slice value = sip_value(m, f);
    uint32_t at, len, start = offset(m, element.p), end = start + element.len;
    uint32_t value_end = f->value + f->value_len;
    const char *comma;
    if (element.p == value.p && element.len == value.len) {
        field_line(m, f, &at, &len);
        edits_add(e, at, len, slice_of("", 0));
        return;
    }
    comma = memchr(m->buf + end, ',', value_end - end);
    if (comma) {
        uint32_t next = offset(m, comma) + 1;
        while (next < value_end && strchr(" \t\r\n", m->buf[next]))
            next++;
        edits_add(e, start, next - start, slice_of("", 0));
        return;
    }
    while (start > f->value && m->buf[start] != ',')
        start--;
    edits_add(e, start, value_end - start, slice_of("", 0));
}

/* Several values of one field may go at once; what remains of it decides whether the line stays. */
static void cut_routes(struct work *w, struct edits *e)
{
    struct sip_cursor c;
    struct slice element;
    unsigned i = 0, cuts = w->pops + (w->strict ? 1u : 0u);
    if (w->routes == (w->strict ? 1u : 0u)) { /* nothing stays: all lines go */
        for (const struct sip_field *f = sip_first(w->m, SIP_H_ROUTE); f; f = sip_next(w->m, f)) {
            uint32_t at, len;
            field_line(w->m, f, &at, &len);
            edits_add(e, at, len, slice_of("", 0));
        }
        return;
    }
    sip_cursor_init(&c, w->m, SIP_H_ROUTE);
    while (sip_cursor_next(&c, &element) == SIP_DONE) {
        bool last = w->ruri_is_last && element.p == w->route_last.p;
        /* the cursor may have moved to the next field already: find the one that holds the element */
        const struct sip_field *f = sip_first(w->m, SIP_H_ROUTE);
        while (f && !(element.p >= w->m->buf + f->value && element.p < w->m->buf + f->value + f->value_len))
            f = sip_next(w->m, f);
        if (f && (i < cuts || last))
            cut_element(w->m, f, element, e);
        i++;
    }
}

static void edit_routes(struct sip *s, struct work *w, struct edits *e)
{
    struct text t;
    (void)s;
    if (w->pops || w->ruri_is_last || w->strict)
        cut_routes(w, e);
    if (!w->strict)
        return;
    /* 16.6 step 6: the Request-URI goes to the end of the Route, the strict router takes its place */
    t = edits_text(e);
    text_lit(&t, "Route: <");
    text_slice(&t, w->uri.whole);
    text_lit(&t, ">\r\n");
    edits_add_text(e, w->m->head_len - 2u, 0, &t);
}

static void edit_ruri(struct work *w, const struct forward *f, struct edits *e)
{
    struct slice now = f->uri.len ? f->uri : w->strict ? w->route.uri.whole : w->new_ruri;
    struct text t;
    if (now.len == 0)
        return;
    t = edits_text(e);
    text_slice(&t, now);
    edits_add_text(e, offset(w->m, w->m->ruri.p), w->m->ruri.len, &t);
}

static bool option_listed(const struct sip_msg *m, enum sip_header_id id, struct slice option)
{
    struct sip_cursor c;
    struct slice element;
    sip_cursor_init(&c, m, id);
    while (sip_cursor_next(&c, &element) == SIP_DONE)
        if (slice_ieq(element, option))
            return true;
    return false;
}

static void put_own_route(struct text *t, const char *name, const struct listener *l)
{
    text_str(t, name);
    text_bytes(t, l->hostport, l->hostport_len);
    if (l->ep.proto != HG_UDP)
        text_str(t, l->ep.proto == HG_TCP ? ";transport=tcp" : ";transport=tls");
    text_lit(t, ";lr>\r\n");
}

/* Record-Route on what may open a dialog; Path on registrations of those who understand it (RFC 3327).
 * Between two networks both of our addresses, so that each side finds one that it can reach (RFC 5658 4.2).
 */
static void stay_in_path(struct sip *s, struct work *w, const struct forward *f, struct edits *e)
{
    const char *name;
    struct text t;
    uint8_t m = w->m->method;
    if (!s->ctx->config->sip_record_route)
        return;
    if (m == SIP_M_INVITE || m == SIP_M_SUBSCRIBE || m == SIP_M_REFER || m == SIP_M_NOTIFY ||
        m == SIP_M_UPDATE)
        name = "Record-Route: <sip:";
    else if (m == SIP_M_REGISTER && option_listed(w->m, SIP_H_SUPPORTED, SLICE_LIT("path")))
        name = "Path: <sip:";
    else
        return;
    t = edits_text(e);
    put_own_route(&t, name, f->out);
    if (w->in != f->out)
        put_own_route(&t, name, w->in);
    edits_add_text(e, sip_first(w->m, SIP_H_VIA)->name, 0, &t);
}

bool forward_edits(struct sip *s, struct work *w, const struct forward *f, struct edits *e)
{
    edits_init(e);
    edit_ruri(w, f, e);
    push_via(s, w, f, e);
    stay_in_path(s, w, f, e);
    forward_received(w->m, &w->c.via, &w->d->src, e);
    limits(s, w, f, e);
    if (w->m->count[SIP_H_ROUTE])
        edit_routes(s, w, e);
    return !e->bad && (int64_t)w->m->len + e->grow <= SIP_PAYLOAD_MAX;
}
