/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 3261 19.1.4, and RFC 3966 section 4 for tel as far as it needs no numbering plan. */
#include "sip/chars.h"
#include "sip/decode.h"

static inline unsigned hex(char c)
{
    return ch_is(c, CH_DIGIT) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* Next byte with its escape undone; -1 at the end. */
static int next_byte(struct slice *s)
{
    if (s->len == 0)
        return -1;
    if (*s->p == '%' && s->len >= 3 && ch_is(s->p[1], CH_HEX) && ch_is(s->p[2], CH_HEX)) {
        int c = (int)(hex(s->p[1]) << 4 | hex(s->p[2]));
        s->p += 3;
        s->len -= 3;
        return c;
    }
    int c = (uint8_t)*s->p;
    s->p++;
    s->len--;
    return c;
}

static bool same(struct slice a, struct slice b, bool fold)
{
    for (;;) {
        int x = next_byte(&a), y = next_byte(&b);
        if (fold && x > 0)
            x = ascii_lower((char)x) & 0xff;
        if (fold && y > 0)
            y = ascii_lower((char)y) & 0xff;
        if (x != y)
            return false;
        if (x < 0)
            return true;
    }
}

/* Takes name and value of the first item off the list; false when it is empty. */
static bool item(struct slice *list, char sep, struct slice *name, struct slice *value)
{
    if (list->len == 0)
        return false;
    const char *p = list->p, *e = p + list->len, *start = p;
    while (p < e && *p != sep && *p != '=')
        p++;
    *name = slice_of(start, (uint32_t)(p - start));
    *value = slice_of(p, 0);
    if (p < e && *p == '=') {
        start = ++p;
        while (p < e && *p != sep)
            p++;
        *value = slice_of(start, (uint32_t)(p - start));
    }
    p += p < e;
    *list = slice_of(p, (uint32_t)(e - p));
    return true;
}

/* A list longer than this is nobody's address; comparing every item with every other must stay short. */
#define ITEMS_MAX 64

enum found { ABSENT, DIFFERS, EQUAL };

static enum found find(struct slice list, char sep, struct slice name, struct slice value, bool fold)
{
    struct slice n, v;
    enum found r = ABSENT;
    while (r != EQUAL && item(&list, sep, &n, &v))
        if (same(n, name, true))
            r = same(v, value, fold) ? EQUAL : DIFFERS;
    return r;
}

/* These make a difference even when only one of the two has them; transport stands in the examples of 19.1.4.
 */
static bool decisive(struct slice name)
{
    return same(name, SLICE_LIT("user"), true) || same(name, SLICE_LIT("ttl"), true) ||
           same(name, SLICE_LIT("method"), true) || same(name, SLICE_LIT("maddr"), true) ||
           same(name, SLICE_LIT("transport"), true);
}

static bool params_match(struct slice a, struct slice b)
{
    struct slice rest = a, name, value;
    for (unsigned n = 0; item(&rest, ';', &name, &value); n++) {
        enum found f = n < ITEMS_MAX ? find(b, ';', name, value, true) : DIFFERS;
        if (f == DIFFERS || (f == ABSENT && decisive(name)))
            return false;
    }
    return true;
}

static bool headers_match(struct slice a, struct slice b)
{
    struct slice rest = a, name, value;
    for (unsigned n = 0; item(&rest, '&', &name, &value); n++)
        if (n == ITEMS_MAX || find(b, '&', name, value, false) != EQUAL)
            return false;
    return true;
}

/* Visual separators of a telephone number do not count. */
static bool same_number(struct slice a, struct slice b)
{
    uint32_t i = 0, j = 0;
    for (;;) {
        while (i < a.len && strchr("-.()", a.p[i]))
            i++;
        while (j < b.len && strchr("-.()", b.p[j]))
            j++;
        if (i == a.len || j == b.len)
            return i == a.len && j == b.len;
        if (ascii_lower(a.p[i++]) != ascii_lower(b.p[j++]))
            return false;
    }
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
    if (slice_eq(a->whole, b->whole))
        return true;
    if (a->scheme != b->scheme)
        return false;
    if (a->scheme == SIP_SCHEME_OTHER)
        return slice_ieq(a->scheme_name, b->scheme_name) && slice_eq(a->rest, b->rest);
    if (!params_match(a->params, b->params) || !params_match(b->params, a->params))
        return false;
    if (a->scheme == SIP_SCHEME_TEL)
        return same_number(a->user, b->user);
    if (a->has_user != b->has_user || !same(a->user, b->user, false) ||
        !same(a->password, b->password, false))
        return false;
    if (a->host_kind != b->host_kind || a->port != b->port)
        return false;
    if (a->host_kind == SIP_HOST_NAME ? !slice_ieq(a->host, b->host) : !hg_ip_eq(&a->ip, &b->ip))
        return false;
    return headers_match(a->headers, b->headers) && headers_match(b->headers, a->headers);
}
