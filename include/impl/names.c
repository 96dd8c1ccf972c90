/* SPDX-License-Identifier: BSD-2-Clause */
#include "hg/names.h"

#include "hg/endpoint.h"
#include "hg/limits.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    c = ascii_lower(c);
    return is_digit(c) || (c >= 'a' && c <= 'z');
}

/* RFC 1123 section 2.1 */
static bool is_label(struct slice s)
{
    if (s.len == 0 || s.len > 63 || !is_alnum(s.p[0]) || !is_alnum(s.p[s.len - 1]))
        return false;
    for (uint32_t i = 0; i < s.len; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

static struct slice take_label(struct slice *rest)
{
    const char *dot = rest->len ? memchr(rest->p, '.', rest->len) : NULL;
    struct slice label = *rest;
    if (dot != NULL)
        label.len = (uint32_t)(dot - rest->p);
    uint32_t skip = label.len + (dot != NULL);
    *rest = slice_of(rest->p + skip, rest->len - skip);
    return label;
}

bool hg_name_is_host(struct slice s)
{
    if (s.len == 0 || s.len > HG_HOST_MAX || s.p[s.len - 1] == '.')
        return false;
    bool numeric = false;
    while (s.len > 0) {
        struct slice label = take_label(&s);
        if (!is_label(label))
            return false;
        numeric = true;
        for (uint32_t i = 0; i < label.len; i++)
            numeric = numeric && is_digit(label.p[i]);
    }
    return !numeric;
}

bool hg_name_is_srv(struct slice s)
{
    if (s.len > HG_HOST_MAX)
        return false;
    for (int i = 0; i < 2; i++) {
        struct slice label = take_label(&s);
        if (label.len < 2 || label.p[0] != '_' || !is_label(slice_of(label.p + 1, label.len - 1)))
            return false;
    }
    return hg_name_is_host(s);
}

static bool is_ip4(struct slice s)
{
    struct hg_ip ip;
    return hg_ip_parse(s, &ip) && memchr(s.p, ':', s.len) == NULL;
}

bool hg_name_is_node(struct slice s)
{
    return hg_name_is_host(s) || hg_name_is_srv(s) || is_ip4(s);
}

bool hg_name_is_next_hop(struct slice s)
{
    struct hg_ip ip;
    return hg_name_is_host(s) || hg_name_is_srv(s) || (s.len <= HG_HOST_MAX && hg_ip_parse(s, &ip));
}

bool hg_name_is_cluster(struct slice s)
{
    if (s.len == 0 || s.len > 64)
        return false;
    for (uint32_t i = 0; i < s.len; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '.')
            return false;
    return is_alnum(s.p[0]);
}

bool hg_name_is_token(struct slice s)
{
    if (s.len == 0)
        return false;
    for (uint32_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '\\')
            return false;
    return true;
}
