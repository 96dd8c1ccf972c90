/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/host.h"

#include "sip/chars.h"
#include "sip/param.h"

static inline struct slice between(const char *p, const char *e)
{
    return slice_of(p, (uint32_t)(e - p));
}

/* Four numbers up to 255; returns the byte after them. */
static const char *ip4(const char *p, const char *e, struct hg_ip *ip)
{
    uint32_t be = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned v, d;
        if (p == e || (v = (uint8_t)*p - '0') > 9)
            return NULL;
        p++;
        if (p < e && (d = (uint8_t)*p - '0') <= 9) {
            v = v * 10 + d;
            p++;
            if (p < e && (d = (uint8_t)*p - '0') <= 9) {
                v = v * 10 + d;
                p++;
            }
        }
        if (v > 255 || (i < 3 && (p == e || *p++ != '.')))
            return NULL;
        be |= v << i * 8;
    }
    /* the mapped form in one piece: hg_ip_from4 would be read back before its parts have arrived */
    __m128i mapped = _mm_set_epi64x((long long)(0xffff0000u | (uint64_t)be << 32), 0);
    _mm_storeu_si128((__m128i *)(void *)ip->b, mapped);
    return p;
}

bool sip_ip4_read(const char *p, const char *e, struct hg_ip *ip)
{
    return ip4(p, e, ip) == e;
}

/* RFC 3986 and RFC 5954: at most one "::", which stands for at least one group; an IPv4 address as the last
 * two. */
bool sip_ip6_read(const char *p, const char *e, struct hg_ip *ip)
{
    uint8_t b[16] = {0};
    unsigned n = 0;
    int gap = -1;
    if (e - p >= 2 && p[0] == ':' && p[1] == ':') {
        gap = 0;
        p += 2;
    }
    while (p < e) {
        const char *q = p;
        unsigned v = 0;
        for (; q < e && ch_is(*q, CH_HEX) && q - p < 5; q++)
            v = v << 4 | (unsigned)(ch_is(*q, CH_DIGIT) ? *q - '0' : (*q | 0x20) - 'a' + 10);
        if (q < e && *q == '.') {
            struct hg_ip four;
            if (n > 12 || !sip_ip4_read(p, e, &four))
                return false;
            memcpy(b + n, four.b + 12, 4);
            n += 4;
            break;
        }
        if (q == p || q - p > 4 || n > 14)
            return false;
        b[n++] = (uint8_t)(v >> 8);
        b[n++] = (uint8_t)v;
        p = q;
        if (p == e)
            break;
        if (*p++ != ':' || p == e)
            return false;
        if (*p == ':') {
            if (gap >= 0)
                return false;
            gap = (int)n;
            p++;
        }
    }
    if (gap < 0 ? n != 16 : n > 14)
        return false;
    *ip = (struct hg_ip){{0}};
    unsigned head = gap < 0 ? n : (unsigned)gap;
    memcpy(ip->b, b, head);
    memcpy(ip->b + 16 - (n - head), b + head, n - head);
    return true;
}

/* hostname = *( domainlabel "." ) toplabel [ "." ]; a label neither begins nor ends with '-', the last one
 * begins with a letter. */
static const char *name_slow(const char *p, const char *e)
{
    for (;;) {
        const char *label = p;
        while (p < e && (ch_is(*p, CH_ALNUM) || *p == '-'))
            p++;
        if (p == label || *label == '-' || p[-1] == '-')
            return NULL;
        if (e - p < 2 || *p != '.' || !ch_is(p[1], CH_HOST)) {
            if (!ch_is(*label, CH_ALPHA))
                return NULL;
            return p < e && *p == '.' ? p + 1 : p;
        }
        p++;
    }
}

/* The same for names shorter than 32 bytes, on bitmaps. */
static const char *name_read(const char *p, const char *e)
{
    uint64_t stops = 0, dots = 0, hyphens = 0;
    for (unsigned i = 0; i < 32; i += 16) {
        if (!ch_wide(p + i, e))
            return name_slow(p, e);
        __m128i v = ch_load16(p + i);
        stops |= (uint64_t)ch_stops16(v, CH_HOST) << i;
        dots |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('.'))) << i;
        hyphens |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('-'))) << i;
        if (e - p - i <= 16)
            stops |= (uint64_t)1 << (e - p);
        if (stops)
            break;
    }
    if (!stops)
        return name_slow(p, e);
    unsigned n = (unsigned)__builtin_ctzll(stops);
    uint64_t in = ((uint64_t)1 << n) - 1, last = n ? (uint64_t)1 << (n - 1) : 0;
    dots &= in;
    hyphens &= in;
    uint64_t inner = dots & ~last; /* a dot at the very end is the root */
    uint64_t begins = inner << 1 | 1, ends = inner >> 1 | (dots & last ? last >> 1 : last);
    if (n == 0 || (dots & begins) || (hyphens & (begins | ends)))
        return NULL;
    unsigned top = 63 - (unsigned)__builtin_clzll(begins);
    return ch_is(p[top], CH_ALPHA) ? p + n : NULL;
}

const char *sip_host_read(const char *p, const char *e, struct slice *text, uint8_t *kind, struct hg_ip *ip)
{
    if (p == e)
        return NULL;
    if (*p == '[') {
        const char *end = ch_span(p + 1, e, CH_IP);
        if (end == e || *end != ']' || !sip_ip6_read(p + 1, end, ip))
            return NULL;
        *text = between(p + 1, end);
        *kind = SIP_HOST_IP6;
        return end + 1;
    }
    const char *end;
    if (ch_is(*p, CH_DIGIT)) {
        end = ip4(p, e, ip);
        if (end && (end == e || !ch_is(*end, CH_HOST))) {
            *text = between(p, end);
            *kind = SIP_HOST_IP4;
            return end;
        }
        *ip = (struct hg_ip){{0}};
    }
    end = name_read(p, e);
    if (!end)
        return NULL;
    *text = between(p, end);
    *kind = SIP_HOST_NAME;
    return end;
}

const char *sip_port_read(const char *p, const char *e, uint16_t *port)
{
    uint32_t v = 0;
    const char *q = p;
    for (; q < e && ch_is(*q, CH_DIGIT); q++) {
        v = v * 10 + (uint32_t)(*q - '0');
        if (v > 65535)
            return NULL;
    }
    if (q == p || v == 0)
        return NULL;
    *port = (uint16_t)v;
    return q;
}

/* First byte that ends plain quoted text: a quote, a backslash, a control byte. */
static const char *plain(const char *p, const char *e)
{
    while (ch_wide(p, e)) {
        __m128i v = ch_load16(p);
        __m128i stop =
            _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        stop = _mm_or_si128(stop, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
        stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
        ptrdiff_t left = e - p;
        unsigned n =
            (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(stop) | 1u << (left < 16 ? left : 16));
        p += n;
        if (n < 16)
            return p;
    }
    while (p < e && *p != '"' && *p != '\\' && *p != 0x7f && (uint8_t)*p > 0x1f)
        p++;
    return p;
}

const char *ch_quoted(const char *p, const char *e)
{
    for (p++;; p++) {
        p = plain(p, e);
        if (p == e)
            return NULL;
        if (*p == '"')
            return p + 1;
        if (*p == '\\') {
            if (++p == e || *p == '\r' || *p == '\n' || (uint8_t)*p >= 0x80)
                return NULL;
        } else if (!ch_is(*p, CH_WS)) {
            return NULL;
        }
    }
}

const char *sip_param_value_read(const char *p, const char *e)
{
    struct slice text;
    struct hg_ip ip;
    uint8_t kind;
    if (*p == '"')
        return ch_quoted(p, e);
    return *p == '[' ? sip_host_read(p, e, &text, &kind, &ip) : NULL;
}
