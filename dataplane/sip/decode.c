/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/decode.h"

#include "sip/chars.h"
#include "sip/host.h"
#include "sip/index_impl.h"
#include "sip/names.h"

static inline struct slice between(const char *p, const char *e)
{
    return slice_of(p, (uint32_t)(e - p));
}

/* In two whole words: the slice is read as such at once, and must not wait for its length to leave the core.
 */
static inline void put(struct slice *out, const char *p, const char *e)
{
    uint64_t len = (uint32_t)(e - p);
    memcpy(&out->p, &p, sizeof(p));
    memcpy((char *)out + offsetof(struct slice, len), &len, sizeof(len));
}

void sip_cursor_init(struct sip_cursor *c, const struct sip_msg *m, enum sip_header_id id)
{
    c->m = m;
    c->f = sip_first(m, id);
    c->at = 0;
}

/* p at the first byte of an element; returns the comma or e, 0 when a quote or bracket stays open. */
static const char *element_end(const char *p, const char *e)
{
    for (; p < e; p++) {
        if (*p == ',')
            return p;
        if (*p == '"') {
            p = ch_quoted(p, e);
            if (!p)
                return NULL;
            p--;
        } else if (*p == '<') {
            p = memchr(p, '>', (size_t)(e - p));
            if (!p)
                return NULL;
        }
    }
    return p;
}

enum sip_result sip_cursor_next(struct sip_cursor *c, struct slice *element)
{
    while (c->f && c->at == 0 && c->f->value_len == 0)
        c->f = sip_next(c->m, c->f);
    if (!c->f)
        return SIP_MORE;
    const struct sip_field *f = c->f;
    const char *v = c->m->buf + f->value, *e = v + f->value_len, *p = v + c->at;
    if (!f->comma) {
        put(element, v, e);
        c->f = sip_next(c->m, f);
        return SIP_DONE;
    }
    p = ch_skip_ws(p, e);
    const char *end = element_end(p, e);
    if (!end || end == p)
        return SIP_BAD;
    put(element, p, ch_trim_end(p, end));
    if (end == e) {
        c->f = sip_next(c->m, f);
        c->at = 0;
        return SIP_DONE;
    }
    c->at = (uint32_t)(end + 1 - v);
    /* "a," has an empty element at its end: refuse it here, where the caller still sees a whole field */
    return ch_skip_ws(end + 1, e) == e ? SIP_BAD : SIP_DONE;
}

enum sip_result sip_cseq_decode(struct slice value, struct sip_cseq *out)
{
    ch_zero(out, sizeof(*out));
    if (value.len == 0)
        return SIP_BAD;
    const char *digits = value.p, *e = digits + value.len;
    uint64_t number = 0;
    for (; digits < e && ch_is(*digits, CH_DIGIT); digits++) {
        number = number * 10 + (uint64_t)(*digits - '0');
        if (number > UINT32_MAX)
            return SIP_BAD;
    }
    if (digits == value.p)
        return SIP_BAD;
    out->number = (uint32_t)number;
    const char *method = ch_skip_ws(digits, e), *end = ch_span_short(method, e, CH_TOKEN);
    if (method == digits || end == method || end != e)
        return SIP_BAD;
    out->method_name = between(method, end);
    out->method = sip_method_by_name(out->method_name);
    return SIP_DONE;
}

enum sip_result sip_uint_decode(struct slice value, uint32_t max, uint32_t *out)
{
    return sip_digits(value.p, value.len, max, out) ? SIP_DONE : SIP_BAD;
}

/* Both kinds of list: URI parameters (no white space, no quotes) and generic ones. */
bool sip_param(struct slice params, struct slice name, struct slice *value)
{
    *value = slice_of(params.p, 0);
    if (params.len == 0)
        return false;
    const char *p = params.p, *e = p + params.len;
    while (p < e) {
        p = ch_skip_ws(p, e);
        const char *start = p;
        while (p < e && *p != '=' && *p != ';')
            p++;
        bool found = slice_ieq(between(start, ch_trim_end(start, p)), name);
        *value = slice_of(p, 0);
        if (p < e && *p == '=') {
            start = p = ch_skip_ws(p + 1, e);
            if (p < e && *p == '"') {
                p = ch_quoted(p, e);
                p = p ? p : e;
            }
            while (p < e && *p != ';')
                p++;
            *value = between(start, ch_trim_end(start, p));
        }
        if (found)
            return true;
        p++;
    }
    *value = slice_of(e, 0);
    return false;
}

static inline unsigned hex(char c)
{
    return ch_is(c, CH_DIGIT) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

bool sip_unescape(struct slice text, char *out, uint32_t max, uint32_t *len)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == '%' && text.len - i > 2 && ch_is(text.p[i + 1], CH_HEX) && ch_is(text.p[i + 2], CH_HEX)) {
            c = (char)(hex(text.p[i + 1]) << 4 | hex(text.p[i + 2]));
            i += 2;
        }
        if (n == max)
            return false;
        out[n++] = c;
    }
    *len = n;
    return true;
}
