/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "hg/endpoint.h"
#include "hg/route_pattern.h"

/* What a keypad and RFC 3966 (phonedigit-hex) know. */
static bool telephony_digit(char c)
{
    return (c >= '0' && c <= '9') || c == '*' || c == '#' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'd');
}

static bool place_fits(char t, char c)
{
    return t == HG_ANY_DIGIT ? telephony_digit(c) : t == c;
}

static unsigned wildcards(const struct hg_pattern *p)
{
    return p->len - p->literals;
}

unsigned hg_template_differs(const struct hg_pattern *template, const struct hg_pattern *p)
{
    unsigned d = 0;
    if (p->len != template->len)
        d |= HG_TEMPLATE_LENGTH;
    if (p->star != template->star)
        d |= HG_TEMPLATE_STAR;
    if (wildcards(p) != wildcards(template))
        d |= HG_TEMPLATE_WILDCARDS;
    for (uint16_t i = 0; i < template->lead; i++)
        if (i >= p->len || !place_fits(template->c[i], p->c[i]))
            d |= HG_TEMPLATE_LEAD;
    for (uint16_t i = template->lead; i < template->len && i < p->len; i++) {
        if ((template->c[i] == HG_ANY_CHAR) != (p->c[i] == HG_ANY_CHAR))
            d |= HG_TEMPLATE_LOCATION;
        else if (!place_fits(template->c[i], p->c[i]))
            d |= HG_TEMPLATE_DIGITS;
    }
    return d;
}

static void add(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add(char *out, size_t size, const char *format, ...)
{
    size_t used = strlen(out);
    va_list ap;
    va_start(ap, format);
    if (used + 3 < size) {
        if (used) {
            memcpy(out + used, ", ", 3);
            used += 2;
        }
        vsnprintf(out + used, size - used, format, ap);
    }
    va_end(ap);
}

char *hg_template_explain(const struct hg_pattern *template, const struct hg_pattern *p, char *out,
                          size_t size)
{
    unsigned d = hg_template_differs(template, p);
    char lead[HG_PATTERN_MAX + 1];
    if (size == 0)
        return out;
    out[0] = 0;
    for (uint16_t i = 0; i < template->lead; i++)
        lead[i] = template->c[i] == HG_ANY_DIGIT ? 'x' : template->c[i];
    lead[template->lead] = 0;
    if (d & HG_TEMPLATE_LEAD)
        add(out, size, "the initial string is not '%s'", lead);
    if (d & HG_TEMPLATE_LENGTH)
        add(out, size, "the length is %u, not %u", p->len, template->len);
    if (d & HG_TEMPLATE_WILDCARDS)
        add(out, size, "%u wildcards, not %u", wildcards(p), wildcards(template));
    if ((d & HG_TEMPLATE_LOCATION) && !(d & (HG_TEMPLATE_LENGTH | HG_TEMPLATE_WILDCARDS)))
        add(out, size, "the wildcards stand elsewhere");
    if (d & HG_TEMPLATE_DIGITS)
        add(out, size, "a character after the wildcards does not fit");
    if (d & HG_TEMPLATE_STAR)
        add(out, size, template->star ? "no * at the end" : "a * at the end");
    if (d == 0)
        add(out, size, "it matches");
    return out;
}

static bool any_template_fits(const struct hg_pattern *p, const char (*templates)[HG_PATTERN_MAX + 1],
                              uint32_t n)
{
    struct hg_pattern t;
    for (uint32_t i = 0; i < n; i++)
        if (hg_template_parse(slice_str(templates[i]), &t) == HG_PATTERN_OK &&
            hg_template_differs(&t, p) == 0)
            return true;
    return false;
}

const char *hg_route_pattern_check(uint8_t type, const char *pattern,
                                   const char (*templates)[HG_PATTERN_MAX + 1], uint32_t ntemplates,
                                   char *why, size_t size)
{
    struct hg_pattern p, t;
    enum hg_pattern_error error = hg_pattern_parse(type, slice_str(pattern), &p);
    if (error) {
        snprintf(why, size, "%s", hg_pattern_error_text(error));
        return why;
    }
    if (type != HG_ROUTE_USER || !p.embedded || any_template_fits(&p, templates, ntemplates))
        return NULL;
    if (ntemplates == 0) {
        snprintf(why, size, "the pattern has an embedded wildcard and there is no route embed template");
        return why;
    }
    int n = snprintf(why, size, "the pattern matches no route embed template");
    for (uint32_t i = 0; i < ntemplates && n > 0 && (size_t)n < size; i++) {
        char text[512];
        if (hg_template_parse(slice_str(templates[i]), &t) != HG_PATTERN_OK)
            continue;
        n += snprintf(why + n, size - (size_t)n, "; %s: %s", templates[i],
                      hg_template_explain(&t, &p, text, sizeof(text)));
    }
    return why;
}

const char *hg_route_template_check(const char *template, char *why, size_t size)
{
    struct hg_pattern t;
    enum hg_pattern_error error = hg_template_parse(slice_str(template), &t);
    if (error == HG_PATTERN_OK)
        return NULL;
    snprintf(why, size, "%s", hg_pattern_error_text(error));
    return why;
}

static bool label_ok(const char *label, size_t len)
{
    if (len == 0 || len > 63 || label[0] == '-' || label[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = ascii_lower(label[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return true;
}

/* No top-level domain is a number (RFC 3696 section 2): what ends in one was meant as an address. */
static bool meant_as_address(const char *last, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (last[i] < '0' || last[i] > '9')
            return false;
    return len > 0;
}

enum hg_host_kind hg_host_check(const char *host, char *why, size_t size)
{
    struct hg_ip ip;
    size_t len = strnlen(host, HG_HOST_MAX + 1);
    char none[1];
    if (!why) {
        why = none;
        size = 1;
    }
    if (len == 0 || len > HG_HOST_MAX) {
        snprintf(why, size, len ? "a host name has at most 255 characters" : "no host name or address");
        return HG_HOST_BAD;
    }
    if (hg_ip_parse(slice_of(host, (uint32_t)len), &ip))
        return HG_HOST_ADDRESS;
    if (strchr(host, ':') || strchr(host, '[')) {
        snprintf(why, size, "%s is not an IPv6 address; ports stand apart", host);
        return HG_HOST_BAD;
    }
    size_t end = host[len - 1] == '.' ? len - 1 : len, start = 0;
    for (size_t i = 0; i <= end; i++) {
        if (i != end && host[i] != '.')
            continue;
        if (!label_ok(host + start, i - start)) {
            snprintf(why, size, "%s is neither a host name nor an address", host);
            return HG_HOST_BAD;
        }
        if (i == end && meant_as_address(host + start, i - start)) {
            snprintf(why, size, "%s is not an IPv4 address", host);
            return HG_HOST_BAD;
        }
        start = i + 1;
    }
    return HG_HOST_NAME;
}
