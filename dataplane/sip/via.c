/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/chars.h"
#include "sip/index_impl.h"
#include "sip/param.h"

static inline struct slice between(const char *p, const char *e)
{
    return slice_of(p, (uint32_t)(e - p));
}

/* token, then SLASH = SWS "/" SWS; returns what follows the slash */
static const char *token_slash(const char *p, const char *e)
{
    const char *end = ch_span(p, e, CH_TOKEN), *slash = ch_skip_ws(end, e);
    return end > p && slash < e && *slash == '/' ? ch_skip_ws(slash + 1, e) : NULL;
}

/* sent-protocol LWS; returns the place of sent-by */
static const char *sent_protocol(const char *p, const char *e, struct sip_via *out)
{
    if (e - p > 8 && memcmp(p, "SIP/2.0/", 8) == 0) {
        p += 8;
    } else {
        p = token_slash(p, e);
        p = p ? token_slash(p, e) : NULL;
        if (!p)
            return NULL;
    }
    p = ch_skip_ws(p, e);
    const char *end = ch_span_short(p, e, CH_TOKEN);
    out->transport = between(p, end);
    if (end == p || end == e || !ch_is(*end, CH_WS))
        return NULL;
    return ch_skip_ws(end, e);
}

static const char *sent_by(const char *p, const char *e, struct sip_via *out)
{
    p = sip_host_read(p, e, &out->host, &out->host_kind, &out->ip);
    if (!p)
        return NULL;
    p = ch_skip_ws(p, e);
    if (p < e && *p == ':') {
        p = sip_port_read(ch_skip_ws(p + 1, e), e, &out->port);
        if (!p)
            return NULL;
        p = ch_skip_ws(p, e);
    }
    return p;
}

/* RFC 5118 4.5: an IPv6 address with and without brackets. A second copy of a parameter is refused. */
static bool address(struct slice value, bool name_allowed, struct slice *out)
{
    struct hg_ip ip;
    struct slice text;
    uint8_t kind;
    const char *e = value.p + value.len;
    if (out->len || value.len == 0)
        return false;
    *out = value;
    if (sip_host_read(value.p, e, &text, &kind, &ip) == e)
        return name_allowed || kind != SIP_HOST_NAME;
    return sip_ip6_read(value.p, e, &ip);
}

#define TTL      CH_WORD8('t', 't', 'l', ' ', ' ', ' ', ' ', ' ')
#define MADDR    CH_WORD8('m', 'a', 'd', 'd', 'r', ' ', ' ', ' ')
#define RPORT    CH_WORD8('r', 'p', 'o', 'r', 't', ' ', ' ', ' ')
#define BRANCH   CH_WORD8('b', 'r', 'a', 'n', 'c', 'h', ' ', ' ')
#define RECEIVED CH_WORD8('r', 'e', 'c', 'e', 'i', 'v', 'e', 'd')

static inline bool known_param(const struct sip_generic_param *param, struct sip_via *out)
{
    struct slice value = param->value;
    uint32_t number;
    switch (param->word) {
    case TTL:
        if (out->ttl.len || value.len > 3 || !sip_digits(value.p, value.len, 255, &number))
            return false;
        out->ttl = value;
        return true;
    case MADDR:
        return address(value, true, &out->maddr);
    case RPORT:
        if (out->has_rport || (param->has_value && !sip_digits(value.p, value.len, 65535, &number)))
            return false;
        out->has_rport = true;
        out->rport = value;
        return true;
    case BRANCH:
        if (out->branch.len || value.len == 0 || !ch_is(*value.p, CH_TOKEN))
            return false;
        out->branch = value;
        return true;
    case RECEIVED:
        return address(value, false, &out->received);
    default:
        return true;
    }
}

/* The value of received and maddr may hold colons, which generic-param does not know. */
static inline const char *one_param(const char *p, const char *e, struct sip_generic_param *param)
{
    const char *end = sip_generic_param_read(p, e, param);
    if (end && (end == e || *end != ':'))
        return end;
    if (param->word != RECEIVED && param->word != MADDR)
        return end;
    if (!param->has_value)
        return NULL;
    const char *start = param->value.p;
    end = ch_span(start, e, CH_IP);
    param->value = between(start, end);
    return end;
}

enum sip_result sip_via_decode(struct slice element, struct sip_via *out)
{
    ch_zero(out, sizeof(*out));
    if (element.len == 0)
        return SIP_BAD;
    const char *e = ch_trim_end(element.p, element.p + element.len), *p = ch_skip_ws(element.p, e);
    out->whole = between(p, e);
    p = sent_protocol(p, e, out);
    p = p ? sent_by(p, e, out) : NULL;
    if (!p)
        return SIP_BAD;
    if (p < e && *p == ';')
        out->params = between(p + 1, e);
    while (p < e) {
        struct sip_generic_param param;
        if (*p != ';')
            return SIP_BAD;
        p = one_param(ch_skip_ws(p + 1, e), e, &param);
        if (!p || !known_param(&param, out))
            return SIP_BAD;
        p = ch_skip_ws(p, e);
    }
    return SIP_DONE;
}
