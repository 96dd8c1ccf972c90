/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/chars.h"
#include "sip/param.h"

static inline struct slice between(const char *p, const char *e)
{
    return slice_of(p, (uint32_t)(e - p));
}

static const char *angle(const char *p, const char *e, struct sip_addr *out)
{
    out->angle = true;
    p = sip_uri_read(p + 1, e, SIP_URI_ANGLE, &out->uri);
    return p && p < e && *p == '>' ? p + 1 : NULL;
}

/* display-name of tokens, or the scheme of a bare addr-spec: the colon tells. */
static const char *tokens_or_uri(const char *p, const char *e, struct sip_addr *out)
{
    const char *start = p, *end = p;
    while (p < e && ch_is(*p, CH_TOKEN)) {
        end = ch_span(p, e, CH_TOKEN);
        p = ch_skip_ws(end, e);
    }
    if (p < e && *p == '<' && end > start) {
        out->display = between(start, end);
        return angle(p, e, out);
    }
    return sip_uri_read(start, e, SIP_URI_BARE, &out->uri);
}

static bool params(const char *p, const char *e, struct sip_addr *out)
{
    p = ch_skip_ws(p, e);
    if (p == e)
        return true;
    if (*p != ';')
        return false;
    out->params = between(p + 1, e);
    while (p < e) {
        if (*p != ';')
            return false;
        struct sip_generic_param param;
        p = sip_generic_param_read(ch_skip_ws(p + 1, e), e, &param);
        if (!p)
            return false;
        p = ch_skip_ws(p, e);
        if (param.word == CH_WORD8('t', 'a', 'g', ' ', ' ', ' ', ' ', ' ')) {
            /* tag-param = "tag" EQUAL token */
            if (!param.has_value || !ch_is(*param.value.p, CH_TOKEN) || out->tag.len)
                return false;
            out->tag = param.value;
        }
    }
    return true;
}

enum sip_result sip_addr_decode(struct slice element, struct sip_addr *out)
{
    ch_zero(out, offsetof(struct sip_addr, uri));
    ch_zero(&out->angle, sizeof(*out) - offsetof(struct sip_addr, angle));
    if (element.len == 0)
        element = SLICE_LIT(" ");
    const char *e = ch_trim_end(element.p, element.p + element.len), *p = ch_skip_ws(element.p, e);
    out->whole = between(p, e);
    if (p == e) {
        p = NULL;
    } else if (*p == '<') {
        p = angle(p, e, out);
    } else if (*p == '"') {
        const char *end = ch_quoted(p, e);
        const char *open = end ? ch_skip_ws(end, e) : NULL;
        out->display = end ? between(p, end) : out->display;
        p = open && open < e && *open == '<' ? angle(open, e, out) : NULL;
    } else if (*p == '*' && e == p + 1) {
        ch_zero(&out->uri, sizeof(out->uri));
        out->star = true;
        return SIP_DONE;
    } else {
        p = tokens_or_uri(p, e, out);
    }
    if (p && params(p, e, out))
        return SIP_DONE;
    ch_zero(&out->uri, sizeof(out->uri));
    return SIP_BAD;
}
