/* SPDX-License-Identifier: BSD-2-Clause */
#include "assign/contact.h"

#include <stdio.h>
#include <string.h>

#include "hg/names.h"

static bool fail(char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return false;
}

/* "0.5", "1", "0.125": RFC 3261 section 25.1 qvalue */
static bool take_q(struct slice text, uint16_t *out)
{
    uint16_t q = 0;

    if (!text.len || text.len > 5 || (text.p[0] != '0' && text.p[0] != '1') ||
        (text.len > 1 && text.p[1] != '.'))
        return false;
    for (uint32_t i = 2; i < 5; i++) {
        char c = i < text.len ? text.p[i] : '0';
        if (c < '0' || c > '9')
            return false;
        q = (uint16_t)(q * 10 + (c - '0'));
    }
    q = (uint16_t)(q + (text.p[0] - '0') * 1000);
    *out = q;
    return q <= 1000;
}

static bool take_port(struct slice text, uint16_t *out)
{
    uint32_t port = 0;

    if (!text.len || text.len > 5)
        return false;
    for (uint32_t i = 0; i < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text.p[i] - '0');
    }
    *out = (uint16_t)port;
    return port > 0 && port <= 65535;
}

/* "host", "host:port", "[v6]:port" */
static bool take_host(struct slice text, struct contact *out, char *why, size_t size)
{
    struct slice host = text, port = {0};
    const char *end = text.len && text.p[0] == '[' ? memchr(text.p, ']', text.len) : NULL;

    if (end) {
        host = slice_of(text.p + 1, (uint32_t)(end - text.p) - 1);
        port = slice_of(end + 1, text.len - host.len - 2);
        if (port.len && *port.p != ':')
            return fail(why, size, "behind the address stands something else than a port");
    } else if (text.len && text.p[0] == '[') {
        return fail(why, size, "behind its [ there is no ]");
    } else {
        const char *colon = text.len ? memchr(text.p, ':', text.len) : NULL;
        if (colon) {
            host.len = (uint32_t)(colon - text.p);
            port = slice_of(colon, text.len - host.len);
        }
    }
    if (port.len && !take_port(slice_of(port.p + 1, port.len - 1), &out->port))
        return fail(why, size, "its port is no number from 1 to 65535");
    out->host = host;
    out->is_address = hg_ip_parse(host, &out->ip);
    if (!out->is_address && !hg_name_is_host(host))
        return fail(why, size, "its host is neither an address nor a name");
    return true;
}

static bool take_param(struct slice param, struct contact *out, char *why, size_t size)
{
    static const struct slice udp = {"transport=udp", 13}, tcp = {"transport=tcp", 13},
                              tls = {"transport=tls", 13};

    if (slice_ieq(param, udp))
        out->proto = HG_UDP;
    else if (slice_ieq(param, tcp))
        out->proto = HG_TCP;
    else if (slice_ieq(param, tls))
        out->proto = HG_TLS;
    else if (param.len > 10 && slice_ieq(slice_of(param.p, 10), SLICE_LIT("transport=")))
        return fail(why, size, "its transport is none of udp, tcp and tls");
    else if (param.len > 6 && slice_ieq(slice_of(param.p, 6), SLICE_LIT("maddr=")))
        return take_host(slice_of(param.p + 6, param.len - 6), out, why, size);
    return true;
}

static bool take_params(struct slice params, struct contact *out, char *why, size_t size)
{
    uint16_t port = out->port;

    while (params.len) {
        const char *next = memchr(params.p + 1, ';', params.len - 1);
        uint32_t len = next ? (uint32_t)(next - params.p) : params.len;
        struct slice param = slice_of(params.p + 1, len - 1);
        bool last = len == params.len;
        if (last && param.len > 2 && slice_ieq(slice_of(param.p, 2), SLICE_LIT("q="))) {
            if (!take_q(slice_of(param.p + 2, param.len - 2), &out->q))
                return fail(why, size, "its q is not between 0 and 1");
            out->uri.len -= len;
        } else if (!take_param(param, out, why, size)) {
            return false;
        }
        params = slice_of(params.p + len, params.len - len);
    }
    out->port = port;
    return true;
}

bool contact_parse(struct slice text, struct contact *out, char *why, size_t size)
{
    uint32_t scheme = 0;

    memset(out, 0, sizeof(*out));
    out->q = 1000;
    out->uri = text;
    for (uint32_t i = 0; i < text.len; i++)
        if ((unsigned char)text.p[i] <= ' ' || (unsigned char)text.p[i] >= 0x7f ||
            strchr("<>\"\\,?", text.p[i]))
            return fail(why, size, "it has a character that no contact may have");
    if (text.len > 4 && slice_ieq(slice_of(text.p, 4), SLICE_LIT("sip:")))
        scheme = 4;
    else if (text.len > 5 && slice_ieq(slice_of(text.p, 5), SLICE_LIT("sips:")))
        scheme = 5;
    else
        return fail(why, size, "a contact begins with sip: or sips:");
    out->proto = scheme == 5 ? HG_TLS : HG_UDP;
    struct slice rest = slice_of(text.p + scheme, text.len - scheme);
    const char *at = memchr(rest.p, '@', rest.len);
    if (at)
        rest = slice_of(at + 1, rest.len - (uint32_t)(at + 1 - rest.p));
    const char *semi = rest.len ? memchr(rest.p, ';', rest.len) : NULL;
    struct slice params = semi ? slice_of(semi, rest.len - (uint32_t)(semi - rest.p)) : slice_of("", 0);
    rest.len -= params.len;
    if (!take_host(rest, out, why, size) || !take_params(params, out, why, size))
        return false;
    if (out->uri.len > HG_CONTACT_URI_MAX)
        return fail(why, size, "it is longer than 255 bytes");
    return true;
}

bool contact_next(struct slice *list, struct slice *one)
{
    while (list->len && *list->p == ' ')
        *list = slice_of(list->p + 1, list->len - 1);
    if (!list->len)
        return false;
    const char *end = memchr(list->p, ' ', list->len);
    *one = slice_of(list->p, end ? (uint32_t)(end - list->p) : list->len);
    *list = slice_of(list->p + one->len, list->len - one->len);
    return true;
}

int contacts_check(struct slice list, char *why, size_t size)
{
    struct contact seen[HG_CONTACTS_MAX];
    struct slice one;
    char reason[128];
    int n = 0;

    while (contact_next(&list, &one)) {
        if (n == HG_CONTACTS_MAX) {
            snprintf(why, size, "a user has at most %u contacts", HG_CONTACTS_MAX);
            return -1;
        }
        if (!contact_parse(one, &seen[n], reason, sizeof(reason))) {
            snprintf(why, size, "contact %.*s: %s", (int)(one.len < 100 ? one.len : 100), one.p, reason);
            return -1;
        }
        for (int i = 0; i < n; i++) {
            if (slice_eq(seen[i].uri, seen[n].uri)) {
                snprintf(why, size, "contact %.*s stands there twice", (int)(one.len < 100 ? one.len : 100),
                         one.p);
                return -1;
            }
        }
        n++;
    }
    return n;
}

bool user_value_split(struct slice value, struct slice *home, struct slice *contacts)
{
    const char *blank = value.len ? memchr(value.p, ' ', value.len) : NULL;
    uint32_t len = blank ? (uint32_t)(blank - value.p) : value.len;

    *home = slice_of(value.p, len);
    *contacts = blank ? slice_of(blank + 1, value.len - len - 1) : slice_of("", 0);
    if (len == 1 && value.p[0] == '-')
        home->len = 0;
    else if (len == 0)
        return false;
    return true;
}

static bool put(char *out, uint32_t size, uint32_t *len, struct slice text)
{
    if (*len + text.len >= size)
        return false;
    memcpy(out + *len, text.p, text.len);
    *len += text.len;
    return true;
}

uint32_t user_value_put(char *out, uint32_t size, struct slice home, struct slice contacts)
{
    struct slice one;
    uint32_t len = 0;

    if (!put(out, size, &len, home.len ? home : SLICE_LIT("-")))
        return 0;
    while (contact_next(&contacts, &one))
        if (!put(out, size, &len, SLICE_LIT(" ")) || !put(out, size, &len, one))
            return 0;
    out[len] = '\0';
    return len;
}
