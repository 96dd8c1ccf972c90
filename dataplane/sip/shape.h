/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields in the shape that nearly all of them have, no longer than one window of 64 bytes: read by bitmaps of
 * character classes instead of byte by byte. A shape says true only to what the decoders would accept, and
 * leaves what they would; false means "ask them". The including file gives struct window and its steps. */
#include "sip/check.h"
#include "hg/word.h"
#include "sip/host.h"

#define SHAPE_BITS 64

struct shape {
    const char *p;
    uint32_t n; /* 1 to SHAPE_BITS */
    struct window w;
    uint64_t host, digit;
};

static inline bool shape_open(struct shape *s, struct slice value)
{
    if (value.len - 1 >= SHAPE_BITS)
        return false;
    s->p = value.p;
    s->n = value.len;
    s->w = window_at(value.p, value.len);
    s->host = window_in(&s->w, CH_HOST);
    s->digit = window_in(&s->w, CH_DIGIT);
    return true;
}

/* Place of the first 0 in bits from place from on (from < 64); 64 when there is none. */
static inline uint32_t ends(uint64_t bits, uint32_t from)
{
    return (uint32_t)_tzcnt_u64(~bits & ~0ull << from);
}

static inline struct slice part(const struct shape *s, uint32_t from, uint32_t to)
{
    return slice_of(s->p + from, to - from);
}

static inline bool is(const struct shape *s, uint32_t at, char c)
{
    return at < s->n && s->p[at] == c;
}

/* The rules of name_read() in host.c, over [from, end). */
static inline bool shape_name(const struct shape *s, uint32_t from, uint32_t end)
{
    uint64_t in = _bzhi_u64(~0ull, end) & ~0ull << from, last = 1ull << (end - 1);
    uint64_t dots = window_is(&s->w, '.') & in, hyphens = window_is(&s->w, '-') & in;
    uint64_t begins = (dots & ~last) << 1 | 1ull << from;
    uint64_t stops = (dots & ~last) >> 1 | (dots & last ? last >> 1 : last);
    char top = s->p[63 - (unsigned)_lzcnt_u64(begins)];
    return !(dots & begins) && !(hyphens & (begins | stops)) && ch_is(top, CH_ALPHA);
}

/* Host and port at from; returns the place behind them, 0: another shape. */
static inline uint32_t shape_hostport(const struct shape *s, uint32_t from, struct slice *host, uint8_t *kind,
                                      struct hg_ip *ip, uint16_t *port)
{
    if (from >= s->n)
        return 0;
    uint32_t end = ends(s->host, from);
    if (end == from)
        return 0;
    if (s->digit >> from & 1) {
        *kind = SIP_HOST_IP4;
        if (!sip_ip4_read(s->p + from, s->p + end, ip))
            return 0;
    } else if (!shape_name(s, from, end)) {
        return 0;
    }
    *host = part(s, from, end);
    if (!is(s, end, ':'))
        return end;
    uint32_t stop = end + 1 < s->n ? ends(s->digit, end + 1) : 0, v = 0;
    if (stop < end + 2 || stop > end + 6)
        return 0;
    for (uint32_t i = end + 1; i < stop; i++)
        v = v * 10 + (uint32_t)(s->p[i] - '0');
    *port = (uint16_t)v;
    return v - 1 < 65535 ? stop : 0;
}

/* ;name or ;name=value, one of them, up to the '>' or the end. */
static inline uint32_t shape_uri_param(const struct shape *s, uint32_t from, struct slice *params)
{
    uint64_t in = window_in(&s->w, CH_PARAM);
    uint32_t end = from + 1 < s->n ? ends(in, from + 1) : 0;
    if (end < from + 2)
        return 0;
    if (is(s, end, '=')) {
        uint32_t value = end + 1;
        end = value < s->n ? ends(in, value) : 0;
        if (end <= value)
            return 0;
    }
    *params = part(s, from + 1, end);
    return end;
}

/* sip:user@host, with a port and one parameter if need be; out is zero before. */
static inline uint32_t shape_sip(const struct shape *s, uint32_t from, struct sip_uri *out)
{
    uint32_t scheme;
    if (s->n - from < 8)
        return 0;
    memcpy(&scheme, s->p + from, 4);
    if ((scheme | 0x202020) != ('s' | 'i' << 8 | 'p' << 16 | ':' << 24))
        return 0;
    uint32_t at = ends(window_in(&s->w, CH_USER), from + 4);
    if (at == from + 4 || !is(s, at, '@'))
        return 0;
    uint32_t end = shape_hostport(s, at + 1, &out->host, &out->host_kind, &out->ip, &out->port);
    if (end && is(s, end, ';'))
        end = shape_uri_param(s, end, &out->params);
    if (end == 0)
        return 0;
    out->scheme = SIP_SCHEME_SIP;
    out->scheme_name = part(s, from, from + 3);
    out->has_user = out->plain_user = true;
    out->user = part(s, from + 4, at);
    out->whole = part(s, from, end);
    return end;
}

static inline bool shape_uri(struct slice value, struct sip_uri *out)
{
    struct shape s;
    if (!shape_open(&s, value))
        return false;
    ch_zero(out, sizeof(*out));
    return shape_sip(&s, 0, out) == s.n;
}

/* Place of the '<' behind an optional display name; n: another shape. */
static inline uint32_t shape_display(const struct shape *s, uint64_t token, struct slice *display)
{
    uint64_t space = window_is(&s->w, ' '), inner;
    uint32_t open;
    if (*s->p == '<')
        return 0;
    if (*s->p == '"') {
        uint32_t quote = (uint32_t)_tzcnt_u64(window_is(&s->w, '"') & ~1ull);
        inner = _bzhi_u64(~0ull, quote) & ~1ull;
        if (quote == 64 || inner & ~(token | space | window_high(&s->w)))
            return s->n;
        *display = part(s, 0, quote + 1);
        open = quote + 1;
        open += is(s, open, ' ');
        return is(s, open, '<') ? open : s->n;
    }
    open = (uint32_t)_tzcnt_u64(window_is(&s->w, '<'));
    inner = _bzhi_u64(~0ull, open);
    if (open == 64 || !(token & 1) || inner & ~(token | space))
        return s->n;
    *display = part(s, 0, 64 - (uint32_t)_lzcnt_u64(token & inner));
    return open;
}

#define TAG_EQUALS (CH_WORD8(';', 't', 'a', 'g', '=', 0, 0, 0))

/* [display] <sip:...> [;tag=token] */
static inline bool shape_addr(struct slice value, struct sip_addr *out)
{
    struct shape s;
    if (!shape_open(&s, value))
        return false;
    ch_zero(out, sizeof(*out));
    uint64_t token = window_in(&s.w, CH_TOKEN);
    uint32_t open = shape_display(&s, token, &out->display);
    if (open + 9 >= s.n)
        return false;
    uint32_t close = shape_sip(&s, open + 1, &out->uri);
    if (close == 0 || !is(&s, close, '>'))
        return false;
    uint32_t tag = close + 6;
    if (close + 1 < s.n) {
        if (tag >= s.n || (hg_load64(s.p + tag - 8) >> 24 | 0x20202000) != TAG_EQUALS)
            return false;
        if (ends(token, tag) != s.n)
            return false;
        out->params = part(&s, close + 2, s.n);
        out->tag = part(&s, tag, s.n);
    }
    out->whole = value;
    out->angle = true;
    return true;
}

/* SIP/2.0/TRANSPORT host[:port], then branch=token and a bare rport in any order, each once at most. */
static inline bool shape_via(struct slice value, struct sip_via *out)
{
    struct shape s;
    const uint64_t protocol = CH_WORD8('S', 'I', 'P', '/', '2', '.', '0', '/');
    if (value.len < 16 || hg_load64(value.p) != protocol || !shape_open(&s, value))
        return false;
    ch_zero(out, sizeof(*out));
    uint64_t token = window_in(&s.w, CH_TOKEN);
    uint32_t at = ends(token, 8);
    if (at == 8 || !is(&s, at, ' '))
        return false;
    out->transport = part(&s, 8, at);
    at = shape_hostport(&s, at + 1, &out->host, &out->host_kind, &out->ip, &out->port);
    if (at == 0)
        return false;
    if (at < s.n)
        out->params = part(&s, at + 1, s.n);
    while (at < s.n) {
        if (s.p[at] != ';' || at + 6 > s.n)
            return false;
        uint32_t name = at + 1, end = ends(token, name);
        uint64_t word = end - name <= 8 ? ch_word(s.p + name, end - name) : 0;
        if (word == CH_WORD8('r', 'p', 'o', 'r', 't', ' ', ' ', ' ') && !out->has_rport) {
            out->has_rport = true;
            out->rport = part(&s, end, end);
            at = end;
        } else if (word == CH_WORD8('b', 'r', 'a', 'n', 'c', 'h', ' ', ' ') && is(&s, end, '=') &&
                   end + 1 < s.n && out->branch.len == 0) {
            at = ends(token, end + 1);
            out->branch = part(&s, end + 1, at);
            if (out->branch.len == 0)
                return false;
        } else {
            return false;
        }
    }
    out->whole = value;
    return true;
}

/* Of two texts of one length. */
static inline bool same_text(const char *a, const char *b, uint32_t len)
{
    if (len < 8)
        return hg_tail64(a, len) == hg_tail64(b, len);
    if (len > 16)
        return memcmp(a, b, len) == 0;
    return hg_load64(a) == hg_load64(b) && hg_load64(a + len - 8) == hg_load64(b + len - 8);
}

/* A number of up to nine digits, one space, a method that is the request's. */
static inline bool shape_cseq(struct slice value, struct slice method, uint8_t id, struct sip_cseq *out)
{
    uint32_t number = 0, i = 0;
    if (value.len <= method.len + 1 || value.len > method.len + 10)
        return false;
    for (uint32_t digits = value.len - method.len - 1; i < digits; i++) {
        unsigned d = (uint8_t)value.p[i] - '0';
        if (d > 9)
            return false;
        number = number * 10 + d;
    }
    struct slice name = slice_of(value.p + i + 1, method.len);
    if (value.p[i] != ' ' || !same_text(name.p, method.p, name.len))
        return false;
    out->number = number;
    out->method = id;
    out->method_name = name;
    return true;
}

/* word [ "@" word ] */
static inline bool shape_call_id(struct slice value)
{
    if (value.len - 1 >= SHAPE_BITS)
        return false;
    struct window w = window_at(value.p, value.len);
    uint64_t word = window_in(&w, CH_WORD);
    uint32_t at = ends(word, 0);
    if (at == 0 || at >= value.len)
        return at == value.len;
    return value.p[at] == '@' && at + 1 < value.len && ends(word, at + 1) == value.len;
}
