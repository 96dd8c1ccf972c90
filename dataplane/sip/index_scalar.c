/* SPDX-License-Identifier: BSD-2-Clause */
/* The reference index pass. On an error it keeps the first one and goes on with the next line, so that an
 * answer finds Via, From, To, Call-ID and CSeq even when the line before them was broken. */
#include "sip/chars.h"
#include "sip/index_impl.h"
#include "sip/names.h"

#define HEAD_MAX 65535u

struct scan {
    struct sip_msg *m;
    const char *p, *e;
};

static void fail(struct sip_msg *m, enum sip_error error)
{
    if (!m->error)
        m->error = error;
}

/* A control byte is fine only as a quoted-pair inside a quoted string; CR and LF only in a fold, where the
 * caller saw white space behind them. HTAB is white space. */
static bool bytes_ok(const char *p, const char *e)
{
    bool quoted = false;
    for (; p < e; p++) {
        uint8_t c = (uint8_t)*p;
        if (c == '"') {
            quoted = !quoted;
        } else if (c == '\\' && quoted && p + 1 < e && p[1] != '\r' && p[1] != '\n' && (uint8_t)p[1] < 0x80) {
            p++;
        } else if (c == '\r') {
            if (p + 2 >= e || p[1] != '\n' || (p[2] != ' ' && p[2] != '\t'))
                return false;
            p += 2;
        } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

/* One line from s->p, with its folds when these are allowed; the end is without the line break. Returns 0
 * when the bytes end before it does; *bare tells a line that ended in LF alone. */
static const char *line(struct scan *s, bool folds, bool *bare)
{
    const char *p = s->p;
    *bare = false;
    for (;;) {
        const char *lf = memchr(p, '\n', (size_t)(s->e - p));
        if (!lf)
            return NULL;
        bool cr = lf > s->p && lf[-1] == '\r';
        const char *end = cr ? lf - 1 : lf;
        *bare = *bare || !cr;
        bool fold = folds && end > s->p && lf + 1 < s->e && (lf[1] == ' ' || lf[1] == '\t');
        if (!fold) {
            s->p = lf + 1;
            return end;
        }
        s->m->folded = true;
        p = lf + 1;
    }
}

static bool version_is_2(const char *p)
{
    return (p[0] | 0x20) == 's' && (p[1] | 0x20) == 'i' && (p[2] | 0x20) == 'p' &&
           memcmp(p + 3, "/2.0", 4) == 0;
}

static bool looks_like_version(const char *p, const char *e)
{
    return e - p > 4 && (p[0] | 0x20) == 's' && (p[1] | 0x20) == 'i' && (p[2] | 0x20) == 'p' && p[3] == '/';
}

static void status_line(struct sip_msg *m, const char *p, const char *e)
{
    m->is_request = false;
    if (e - p < 7 || !version_is_2(p) || (e - p > 7 && p[7] != ' ')) {
        fail(m, SIP_E_VERSION);
        return;
    }
    uint32_t status = 0;
    if (e - p < 11 || !sip_digits(p + 8, 3, 699, &status) || status < 100 || (e - p > 11 && p[11] != ' ')) {
        fail(m, SIP_E_START_LINE);
        return;
    }
    m->status = (uint16_t)status;
    m->reason = e - p > 12 ? slice_of(p + 12, (uint32_t)(e - p - 12)) : slice_of(e, 0);
}

/* Words are set even when the line is wrong, for the answer. */
static bool request_line(struct sip_msg *m, const char *p, const char *e)
{
    const char *end = ch_trim_end(p, e), *last = end;
    while (last > p && !ch_is(last[-1], CH_WS))
        last--;
    if (!looks_like_version(last, end))
        return false;
    m->is_request = true;
    const char *method_end = ch_span(p, last, CH_TOKEN);
    m->method_name = slice_of(p, (uint32_t)(method_end - p));
    m->method = sip_method_by_name(m->method_name);
    const char *uri = ch_skip_ws(method_end, last), *uri_end = ch_trim_end(uri, last);
    m->ruri = slice_of(uri, (uint32_t)(uri_end - uri));
    if (m->method_name.len == 0 || m->ruri.len == 0)
        fail(m, SIP_E_START_LINE);
    else if (end != e || *method_end != ' ' || uri != method_end + 1 || last != uri_end + 1 ||
             *uri_end != ' ')
        fail(m, SIP_E_START_LINE);
    else if (end - last != 7 || !version_is_2(last))
        fail(m, SIP_E_VERSION);
    for (const char *q = uri; q < uri_end; q++)
        if (ch_is(*q, CH_WS))
            fail(m, SIP_E_START_LINE);
    return true;
}

static enum sip_result start_line(struct scan *s)
{
    struct sip_msg *m = s->m;
    const char *p = s->p;
    bool bare;
    const char *e = line(s, false, &bare);
    if (!e)
        return SIP_MORE;
    if (looks_like_version(p, e))
        status_line(m, p, e);
    else if (!request_line(m, p, e))
        return SIP_BAD;
    if (bare || !bytes_ok(p, e))
        fail(m, SIP_E_START_LINE);
    return SIP_DONE;
}

static void header_line(struct sip_msg *m, const char *p, const char *e, bool bare)
{
    const char *name_end = ch_span(p, e, CH_TOKEN), *colon = name_end;
    while (colon < e && (*colon == ' ' || *colon == '\t'))
        colon++;
    if (name_end == p || colon == e || *colon != ':') {
        fail(m, SIP_E_HEADER_NAME);
        return;
    }
    const char *v = ch_skip_ws(colon + 1, e);
    const char *v_end = ch_trim_end(v, e);
    if (bare || !bytes_ok(colon + 1, e))
        fail(m, SIP_E_HEADER_VALUE);
    uint32_t name_len = (uint32_t)(name_end - p);
    uint8_t id = sip_header_by_name(slice_of(p, name_len));
    struct sip_field *f = &m->f[m->n++];
    f->name = (uint16_t)(p - m->buf);
    f->value = (uint16_t)(v - m->buf);
    f->value_len = (uint16_t)(v_end - v);
    f->name_len = name_len < 127 ? name_len : 127;
    f->comma = memchr(colon + 1, ',', (size_t)(e - colon - 1)) != NULL;
    f->id = id;
    m->count[id]++;
    if (!m->first[id])
        m->first[id] = (uint8_t)m->n;
}

static enum sip_result headers(struct scan *s, unsigned headers_max)
{
    struct sip_msg *m = s->m;
    for (;;) {
        const char *p = s->p;
        bool bare;
        const char *e = line(s, true, &bare);
        if (!e)
            return SIP_MORE;
        if (s->p - m->buf > HEAD_MAX) {
            fail(m, SIP_E_TOO_MANY_HEADERS);
            return SIP_BAD;
        }
        m->head_len = (uint16_t)(s->p - m->buf);
        if (e == p) {
            if (bare)
                fail(m, SIP_E_HEADER_VALUE);
            return SIP_DONE;
        }
        if (m->n >= headers_max) {
            fail(m, SIP_E_TOO_MANY_HEADERS);
            return SIP_BAD;
        }
        header_line(m, p, e, bare);
    }
}

/* A second Content-Length is refused even when equal: what one element takes for the body another may take
 * for a request. */
static enum sip_result body(struct scan *s, bool datagram)
{
    struct sip_msg *m = s->m;
    uint32_t have = (uint32_t)(s->e - s->p), want = have;
    const struct sip_field *f = sip_first(m, SIP_H_CONTENT_LENGTH);
    bool known = f && m->count[SIP_H_CONTENT_LENGTH] == 1 &&
                 sip_digits(m->buf + f->value, f->value_len, UINT32_MAX - HEAD_MAX, &want);
    if ((f || !datagram) && !known) {
        fail(m, SIP_E_CONTENT_LENGTH);
        want = have;
    }
    if (want > have && !datagram)
        return m->error ? SIP_BAD : SIP_MORE;
    if (want > have) {
        fail(m, SIP_E_SHORT_BODY);
        want = have;
    }
    m->body = slice_of(s->p, want);
    m->len = m->head_len + want;
    return m->error ? SIP_BAD : SIP_DONE;
}

static enum sip_result cut_short(struct sip_msg *m, bool datagram)
{
    if (!datagram && m->len <= HEAD_MAX)
        return m->error ? SIP_BAD : SIP_MORE;
    fail(m, datagram ? SIP_E_NO_END : SIP_E_TOO_MANY_HEADERS);
    return SIP_BAD;
}

enum sip_result sip_index_scalar(struct sip_msg *m, const char *buf, uint32_t len, bool datagram,
                                 unsigned headers_max)
{
    memset(m, 0, offsetof(struct sip_msg, f));
    const char *e = buf + len;
    while (e - buf >= 2 && buf[0] == '\r' && buf[1] == '\n')
        buf += 2;
    m->buf = buf;
    m->len = (uint32_t)(e - buf);
    if (headers_max > SIP_HEADERS_MAX)
        headers_max = SIP_HEADERS_MAX;
    struct scan s = {m, buf, e};
    enum sip_result r = start_line(&s);
    if (r == SIP_BAD || (r == SIP_MORE && datagram)) {
        fail(m, SIP_E_NOT_SIP);
        return SIP_BAD;
    }
    if (r == SIP_DONE) {
        m->head_len = s.p - buf <= HEAD_MAX ? (uint16_t)(s.p - buf) : HEAD_MAX;
        r = headers(&s, headers_max);
    }
    if (r == SIP_MORE)
        return cut_short(m, datagram);
    if (r == SIP_BAD)
        return r;
    return body(&s, datagram);
}
