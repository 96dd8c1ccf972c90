/* SPDX-License-Identifier: BSD-2-Clause */
#include "hg/route_pattern.h"

#include "hg/endpoint.h"

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* User parts are any UTF-8 once unescaped; only what cannot be seen or typed is refused. */
static bool user_char(unsigned char c)
{
    return c > ' ' && c != 0x7f;
}

/* Host names (with the underscore that SRV names have) and IPv6 addresses. */
static bool host_char(unsigned char c)
{
    return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == ':';
}

static void count(struct hg_pattern *p)
{
    uint16_t first_wild = p->star ? p->star_at : p->len;
    uint16_t last_literal = 0;
    for (uint16_t i = 0; i < p->len; i++) {
        if (p->c[i] == HG_ANY_CHAR) {
            if (i < first_wild)
                first_wild = i;
        } else {
            p->literals++;
            last_literal = i + 1;
        }
    }
    p->lead = first_wild;
    for (uint16_t i = 0; i < last_literal; i++)
        if (p->c[i] == HG_ANY_CHAR)
            p->embedded = true;
}

static enum hg_pattern_error add_escape(uint8_t type, char c, struct hg_pattern *out)
{
    if (c != '*' && c != '\\' && !(c == '.' && type == HG_ROUTE_USER))
        return HG_PATTERN_ESCAPE;
    out->c[out->len++] = c;
    return HG_PATTERN_OK;
}

static enum hg_pattern_error add_star(uint8_t type, bool last, struct hg_pattern *out)
{
    if (out->star)
        return HG_PATTERN_TWO_STARS;
    if (type == HG_ROUTE_USER && !last)
        return HG_PATTERN_STAR_INSIDE;
    out->star = true;
    out->star_at = out->len;
    return HG_PATTERN_OK;
}

static enum hg_pattern_error add_char(uint8_t type, char c, bool template, struct hg_pattern *out)
{
    if (type == HG_ROUTE_DOMAIN) {
        if (!host_char((unsigned char)c))
            return HG_PATTERN_CHARACTER;
        c = ascii_lower(c);
    } else if (c == '.') {
        c = HG_ANY_CHAR;
    } else if (template && ascii_lower(c) == 'x') {
        c = HG_ANY_DIGIT;
    } else if (!user_char((unsigned char)c)) {
        return HG_PATTERN_CHARACTER;
    }
    out->c[out->len++] = c;
    return HG_PATTERN_OK;
}

static enum hg_pattern_error parse(uint8_t type, struct slice text, bool template, struct hg_pattern *out)
{
    memset(out, 0, sizeof(*out));
    out->type = type;
    if (text.len == 0)
        return HG_PATTERN_EMPTY;
    if (text.len > HG_PATTERN_MAX)
        return HG_PATTERN_TOO_LONG;
    for (uint32_t i = 0; i < text.len; i++) {
        enum hg_pattern_error error;
        if (text.p[i] == '\\')
            error = ++i < text.len ? add_escape(type, text.p[i], out) : HG_PATTERN_ESCAPE;
        else if (text.p[i] == '*')
            error = add_star(type, i + 1 == text.len, out);
        else
            error = add_char(type, text.p[i], template, out);
        if (error)
            return error;
    }
    if (!out->star)
        out->star_at = out->len;
    return HG_PATTERN_OK;
}

/* The parts of a host pattern around its asterisk are label fragments: a dot may stand beside the asterisk,
 * but not beside another dot nor at the very beginning. */
static enum hg_pattern_error check_labels(struct hg_pattern *p)
{
    if (p->len && p->c[p->len - 1] == '.' && !(p->star && p->star_at == p->len)) {
        p->len--; /* the root's dot */
        if (!p->star)
            p->star_at = p->len;
    }
    if (p->len == 0 && !p->star)
        return HG_PATTERN_LABEL;
    for (uint16_t i = 0; i < p->len; i++) {
        bool after_star = p->star && p->star_at == i;
        if (p->c[i] != '.' || after_star)
            continue;
        if (i == 0 || p->c[i - 1] == '.')
            return HG_PATTERN_LABEL;
    }
    return HG_PATTERN_OK;
}

enum hg_pattern_error hg_pattern_parse(uint8_t type, struct slice text, struct hg_pattern *out)
{
    char host[HG_HOST_MAX + 1];
    if (type != HG_ROUTE_USER && type != HG_ROUTE_DOMAIN) {
        memset(out, 0, sizeof(*out));
        return HG_PATTERN_TYPE;
    }
    /* An address is one name however it is written. */
    struct hg_ip ip;
    struct slice canonical = text;
    if (type == HG_ROUTE_DOMAIN && text.len <= HG_PATTERN_MAX && hg_ip_parse(text, &ip))
        canonical = slice_of(host, hg_host_normalise(text, host));
    enum hg_pattern_error error = parse(type, canonical, false, out);
    if (!error && type == HG_ROUTE_DOMAIN)
        error = check_labels(out);
    if (!error)
        count(out);
    return error;
}

enum hg_pattern_error hg_template_parse(struct slice text, struct hg_pattern *out)
{
    enum hg_pattern_error error = parse(HG_ROUTE_USER, text, true, out);
    if (error)
        return error;
    count(out);
    return out->embedded ? HG_PATTERN_OK : HG_PATTERN_NO_WILDCARD;
}

const char *hg_pattern_error_text(enum hg_pattern_error error)
{
    switch (error) {
    case HG_PATTERN_OK:
        return "good";
    case HG_PATTERN_EMPTY:
        return "the pattern is empty; write * for everything";
    case HG_PATTERN_TOO_LONG:
        return "the pattern has more than 255 characters";
    case HG_PATTERN_CHARACTER:
        return "a character that cannot stand there; users: no blanks or control characters, "
               "domains: letters, digits, - _ . : and *";
    case HG_PATTERN_ESCAPE:
        return "a backslash may stand only in \\* and \\\\ (users also \\.)";
    case HG_PATTERN_STAR_INSIDE:
        return "* may stand only at the end of a user pattern; write \\* for the character itself";
    case HG_PATTERN_TWO_STARS:
        return "more than one *; write \\* for the character itself";
    case HG_PATTERN_LABEL:
        return "an empty label in the host name";
    case HG_PATTERN_TYPE:
        return "the type is neither user nor domain";
    case HG_PATTERN_NO_WILDCARD:
        return "a template needs an embedded wildcard, for example 74..78xxxxx*";
    }
    return "unknown error";
}

bool hg_pattern_match(const struct hg_pattern *p, struct slice subject)
{
    if (subject.len < p->len || (!p->star && subject.len != p->len))
        return false;
    if (p->type == HG_ROUTE_USER && subject.len == 0)
        return false;
    uint32_t skip = subject.len - p->len;
    for (uint32_t i = 0; i < p->len; i++) {
        char c = subject.p[i < p->star_at ? i : i + skip];
        if (p->c[i] != HG_ANY_CHAR && p->c[i] != c)
            return false;
    }
    return true;
}

uint32_t hg_host_normalise(struct slice host, char *out)
{
    struct hg_ip ip;
    if (host.len && host.p[host.len - 1] == '.')
        host.len--;
    if (host.len == 0 || host.len > HG_HOST_MAX)
        return 0;
    /* Only what may be an IPv6 address can be written in several ways. */
    if (memchr(host.p, ':', host.len) && hg_ip_parse(host, &ip))
        return (uint32_t)hg_ip_format(&ip, out);
    for (uint32_t i = 0; i < host.len; i++)
        out[i] = ascii_lower(host.p[i]);
    out[host.len] = 0;
    return host.len;
}

uint64_t hg_pattern_rank(const struct hg_pattern *p)
{
    bool wild = p->star || p->literals != p->len;
    return (uint64_t)(p->type == HG_ROUTE_DOMAIN) << 40 | (uint64_t)wild << 32 |
           (uint64_t)(255 - p->literals) << 24 | (uint64_t)(255 - p->len) << 16 | (uint64_t)p->star << 8 |
           (uint64_t)(255 - p->lead);
}

int hg_pattern_compare(const struct hg_pattern *a, const struct hg_pattern *b)
{
    uint64_t ra = hg_pattern_rank(a), rb = hg_pattern_rank(b);
    if (ra != rb)
        return ra < rb ? -1 : 1;
    if (a->star_at != b->star_at)
        return a->star_at > b->star_at ? -1 : 1;
    return memcmp(a->c, b->c, a->len);
}
