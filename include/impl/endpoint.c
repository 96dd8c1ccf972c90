/* SPDX-License-Identifier: BSD-2-Clause */
#include "hg/endpoint.h"

#include <stdio.h>

static const char *const proto_names[] = {[HG_UDP] = "udp", [HG_TCP] = "tcp", [HG_TLS] = "tls"};

/* A decimal number without sign, blanks or leading zeros, at most max. */
static bool number(struct slice s, uint32_t max, uint32_t *out)
{
    uint32_t v = 0;
    if (s.len == 0 || s.len > 5 || (s.len > 1 && s.p[0] == '0'))
        return false;
    for (uint32_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (uint32_t)(s.p[i] - '0');
    }
    *out = v;
    return v <= max;
}

static bool parse4(struct slice s, uint8_t out[4])
{
    uint32_t i = 0;
    for (int part = 0; part < 4; part++) {
        uint32_t start = i, v = 0;
        while (i < s.len && i - start < 3 && s.p[i] >= '0' && s.p[i] <= '9')
            v = v * 10 + (uint32_t)(s.p[i++] - '0');
        if (i == start || v > 255 || (i - start > 1 && s.p[start] == '0'))
            return false;
        out[part] = (uint8_t)v;
        if (part < 3 && (i == s.len || s.p[i++] != '.'))
            return false;
    }
    return i == s.len;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 4291 section 2.2, all three forms. */
static bool parse6(struct slice s, uint8_t out[16])
{
    uint8_t b[16] = {0};
    int at = 0, gap = -1;
    uint32_t i = 0;

    if (s.len >= 2 && s.p[0] == ':' && s.p[1] == ':') {
        gap = 0;
        i = 2;
    }
    while (i < s.len) {
        uint32_t start = i, v = 0;
        int digit;
        if (at == 16)
            return false;
        while (i < s.len && i - start < 4 && (digit = hex_digit(s.p[i])) >= 0) {
            v = v << 4 | (uint32_t)digit;
            i++;
        }
        if (i < s.len && s.p[i] == '.') { /* the last 32 bits in dotted form */
            if (at > 12 || !parse4(slice_of(s.p + start, s.len - start), b + at))
                return false;
            at += 4;
            break;
        }
        if (i == start)
            return false;
        b[at++] = (uint8_t)(v >> 8);
        b[at++] = (uint8_t)v;
        if (i == s.len)
            break;
        if (s.p[i++] != ':' || i == s.len)
            return false;
        if (s.p[i] == ':') {
            if (gap >= 0)
                return false;
            gap = at;
            i++;
        }
    }
    if (gap < 0 ? at != 16 : at > 14)
        return false;
    if (gap >= 0) {
        memmove(b + gap + 16 - at, b + gap, (size_t)(at - gap));
        memset(b + gap, 0, (size_t)(16 - at));
    }
    memcpy(out, b, 16);
    return true;
}

static bool has_colon(struct slice s)
{
    return s.len > 0 && memchr(s.p, ':', s.len) != NULL;
}

bool hg_ip_parse(struct slice text, struct hg_ip *out)
{
    uint8_t v4[4];
    if (text.len >= 2 && text.p[0] == '[' && text.p[text.len - 1] == ']')
        return parse6(slice_of(text.p + 1, text.len - 2), out->b);
    if (has_colon(text))
        return parse6(text, out->b);
    if (!parse4(text, v4))
        return false;
    uint32_t be;
    memcpy(&be, v4, 4);
    *out = hg_ip_from4(be);
    return true;
}

static char *put_number(char *p, uint32_t v)
{
    char digits[10];
    int n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    while (n > 0)
        *p++ = digits[--n];
    return p;
}

static char *put_hex(char *p, uint16_t v)
{
    int shift = 12;
    while (shift > 0 && (v >> shift) == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *p++ = "0123456789abcdef"[v >> shift & 15];
    return p;
}

static char *put6(char *p, const uint8_t *b)
{
    uint16_t group[8];
    int best = -1, best_len = 1; /* RFC 5952 section 4.2.2: one group alone is not shortened */
    for (int i = 0; i < 8; i++)
        group[i] = (uint16_t)(b[2 * i] << 8 | b[2 * i + 1]);
    for (int i = 0; i < 8;) {
        int n = 0;
        while (i + n < 8 && group[i + n] == 0)
            n++;
        if (n > best_len) {
            best = i;
            best_len = n;
        }
        i += n ? n : 1;
    }
    for (int i = 0; i < 8;) {
        if (i == best) {
            *p++ = ':';
            *p++ = ':';
            i += best_len;
            continue;
        }
        if (i > 0 && i != best + best_len)
            *p++ = ':';
        else if (i > 0 && best < 0)
            *p++ = ':';
        p = put_hex(p, group[i++]);
    }
    return p;
}

int hg_ip_format(const struct hg_ip *ip, char *out)
{
    char *p = out;
    if (hg_ip_is4(ip)) {
        for (int i = 12; i < 16; i++) {
            p = put_number(p, ip->b[i]);
            if (i < 15)
                *p++ = '.';
        }
    } else {
        p = put6(p, ip->b);
    }
    *p = 0;
    return (int)(p - out);
}

/* "/udp" at the end, if any, sets the protocol. */
static bool take_proto(struct slice *s, uint8_t *proto)
{
    if (s->len < 4 || s->p[s->len - 4] != '/')
        return true;
    for (uint8_t i = 0; i < sizeof(proto_names) / sizeof(proto_names[0]); i++)
        if (slice_ieq(slice_of(s->p + s->len - 3, 3), slice_str(proto_names[i]))) {
            *proto = i;
            s->len -= 4;
            return true;
        }
    return false;
}

bool hg_endpoint_parse(struct slice text, uint16_t default_port, struct hg_endpoint *out)
{
    struct hg_endpoint e = {.port = default_port, .proto = HG_UDP};
    struct slice host = text, port = {0};
    uint32_t v;

    if (!take_proto(&host, &e.proto) || host.len == 0)
        return false;
    if (host.p[0] == '[') {
        const char *end = memchr(host.p, ']', host.len);
        if (end == NULL)
            return false;
        uint32_t n = (uint32_t)(end - host.p) + 1;
        if (n < host.len) {
            if (host.p[n] != ':')
                return false;
            port = slice_of(host.p + n + 1, host.len - n - 1);
        }
        host.len = n;
    } else {
        const char *colon = memchr(host.p, ':', host.len);
        const char *last = memrchr(host.p, ':', host.len);
        if (colon != NULL && colon == last) {
            port = slice_of(colon + 1, (uint32_t)(host.p + host.len - colon - 1));
            host.len = (uint32_t)(colon - host.p);
        }
    }
    if (!hg_ip_parse(host, &e.ip))
        return false;
    if (port.p != NULL) {
        if (!number(port, 65535, &v) || v == 0)
            return false;
        e.port = (uint16_t)v;
    }
    *out = e;
    return true;
}

int hg_endpoint_format(const struct hg_endpoint *e, char *out)
{
    char *p = out;
    bool v6 = !hg_ip_is4(&e->ip);
    if (v6)
        *p++ = '[';
    p += hg_ip_format(&e->ip, p);
    if (v6)
        *p++ = ']';
    *p++ = ':';
    p = put_number(p, e->port);
    *p++ = '/';
    memcpy(p, proto_names[e->proto <= HG_TLS ? e->proto : HG_UDP], 4);
    return (int)(p + 3 - out);
}

bool hg_net_parse(struct slice text, struct hg_net *out)
{
    struct hg_net net = {.bits = 128};
    struct slice host = text;
    uint32_t v;
    const char *slash = text.len ? memchr(text.p, '/', text.len) : NULL;

    if (slash != NULL)
        host.len = (uint32_t)(slash - text.p);
    if (!hg_ip_parse(host, &net.ip))
        return false;
    if (slash != NULL) {
        /* a v4-mapped address counts its bits as it was written */
        bool v4 = !has_colon(host);
        if (!number(slice_of(slash + 1, text.len - host.len - 1), v4 ? 32 : 128, &v))
            return false;
        net.bits = (uint8_t)(v4 ? 96 + v : v);
    }
    *out = net;
    return true;
}

bool hg_net_contains(const struct hg_net *net, const struct hg_ip *ip)
{
    unsigned bytes = net->bits / 8, rest = net->bits % 8;
    if (memcmp(net->ip.b, ip->b, bytes) != 0)
        return false;
    return rest == 0 || ((net->ip.b[bytes] ^ ip->b[bytes]) & (0xff00 >> rest) & 0xff) == 0;
}

int hg_net_format(const struct hg_net *net, char *out)
{
    bool v4 = hg_ip_is4(&net->ip) && net->bits >= 96;
    int n = hg_ip_format(&net->ip, out);
    if (net->bits == 128)
        return n;
    char *p = out + n;
    *p++ = '/';
    p = put_number(p, v4 ? net->bits - 96u : net->bits);
    *p = 0;
    return (int)(p - out);
}
