/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/chars.h"
#include "sip/host.h"

static inline struct slice between(const char *p, const char *e)
{
    return slice_of(p, (uint32_t)(e - p));
}

/* userinfo is there when an '@' follows what may be user and password; neither may hold an '@' itself. */
static const char *userinfo(const char *p, const char *e, unsigned user_class, struct sip_uri *out)
{
    const char *user_end = ch_span_escaped(p, e, user_class), *q = user_end;
    struct slice password = {0};
    if (q < e && *q == ':') {
        const char *end = ch_span_escaped(q + 1, e, CH_PASSWORD);
        password = between(q + 1, end);
        q = end;
    }
    if (q == e || *q != '@')
        return p;
    if (user_end == p)
        return NULL;
    out->has_user = true;
    out->user = between(p, user_end);
    out->password = password;
    return q + 1;
}

static const char *params(const char *p, const char *e, struct slice *out)
{
    const char *start = p + 1;
    while (p < e && *p == ';') {
        const char *end = ch_span_escaped(p + 1, e, CH_PARAM);
        if (end == p + 1)
            return NULL;
        p = end;
        if (p < e && *p == '=') {
            end = ch_span_escaped(p + 1, e, CH_PARAM);
            if (end == p + 1)
                return NULL;
            p = end;
        }
    }
    *out = between(start, p);
    return p;
}

static const char *headers(const char *p, const char *e, struct slice *out)
{
    const char *start = p + 1;
    do {
        const char *end = ch_span_escaped(p + 1, e, CH_HEADER);
        if (end == p + 1 || end == e || *end != '=')
            return NULL;
        p = ch_span_escaped(end + 1, e, CH_HEADER);
    } while (p < e && *p == '&');
    *out = between(start, p);
    return p;
}

static const char *sip_rest(const char *p, const char *e, enum sip_uri_place place, struct sip_uri *out)
{
    p = userinfo(p, e, place == SIP_URI_BARE ? CH_USER_BARE : CH_USER, out);
    if (!p)
        return NULL;
    p = sip_host_read(p, e, &out->host, &out->host_kind, &out->ip);
    if (!p)
        return NULL;
    if (p < e && *p == ':') {
        p = sip_port_read(p + 1, e, &out->port);
        if (!p)
            return NULL;
    }
    if (place == SIP_URI_BARE)
        return p;
    if (p < e && *p == ';') {
        p = params(p, e, &out->params);
        if (!p)
            return NULL;
    }
    return p < e && *p == '?' ? headers(p, e, &out->headers) : p;
}

/* RFC 3966: digits with separators, "+" before a global number. */
static const char *tel_rest(const char *p, const char *e, enum sip_uri_place place, struct sip_uri *out)
{
    const char *start = p, *digits = p;
    if (p < e && *p == '+')
        digits = ++p;
    p = ch_span(p, e, CH_PHONE);
    bool any = false;
    for (const char *q = digits; q < p; q++)
        any |= ch_is(*q, CH_HEX) || *q == '*' || *q == '#';
    if (!any)
        return NULL;
    out->user = between(start, p);
    if (place != SIP_URI_BARE && p < e && *p == ';')
        p = params(p, e, &out->params);
    if (p)
        out->rest = between(start, p);
    return p;
}

/* absoluteURI of a scheme that is not ours: characters only; brackets for IPv6 as RFC 2732 adds them. */
static const char *other_rest(const char *p, const char *e, enum sip_uri_place place, struct sip_uri *out)
{
    unsigned class_bits = place == SIP_URI_BARE ? CH_OPAQUE_BARE : CH_OPAQUE;
    const char *q = ch_span_escaped(p, e, class_bits);
    if (q == p)
        return NULL;
    out->rest = between(p, q);
    return q;
}

const char *sip_uri_read(const char *p, const char *e, enum sip_uri_place place, struct sip_uri *out)
{
    ch_zero(out, sizeof(*out));
    if (p == e || !ch_is(*p, CH_ALPHA))
        return NULL;
    const char *colon = ch_span_short(p, e, CH_SCHEME), *end;
    if (colon == e || *colon != ':')
        return NULL;
    out->scheme_name = between(p, colon);
    switch (colon - p <= 8 ? ch_word(p, (size_t)(colon - p)) : 0) {
    case CH_WORD8('s', 'i', 'p', ' ', ' ', ' ', ' ', ' '):
        out->scheme = SIP_SCHEME_SIP;
        break;
    case CH_WORD8('s', 'i', 'p', 's', ' ', ' ', ' ', ' '):
        out->scheme = SIP_SCHEME_SIPS;
        break;
    case CH_WORD8('t', 'e', 'l', ' ', ' ', ' ', ' ', ' '):
        out->scheme = SIP_SCHEME_TEL;
        break;
    default:
        break;
    }
    switch (out->scheme) {
    case SIP_SCHEME_SIP:
    case SIP_SCHEME_SIPS:
        end = sip_rest(colon + 1, e, place, out);
        break;
    case SIP_SCHEME_TEL:
        end = tel_rest(colon + 1, e, place, out);
        break;
    default:
        end = other_rest(colon + 1, e, place, out);
    }
    if (end)
        out->whole = between(p, end);
    return end;
}

enum sip_result sip_uri_decode(struct slice text, struct sip_uri *out)
{
    if (text.len == 0) {
        ch_zero(out, sizeof(*out));
        return SIP_BAD;
    }
    if (sip_uri_read(text.p, text.p + text.len, SIP_URI_ALONE, out) == text.p + text.len)
        return SIP_DONE;
    return SIP_BAD;
}
