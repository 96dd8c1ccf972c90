/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/uri.h"

#include <string.h>
#include <strings.h>

#include "hg/endpoint.h"
#include "hg/names.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool take_user(const char *p, const char *end, struct uri *out)
{
    size_t n = 0;

    for (; p < end && *p != ':'; p++) {
        char c = *p;
        if (c == '%') {
            if (end - p < 3 || hex(p[1]) < 0 || hex(p[2]) < 0)
                return false;
            c = (char)(hex(p[1]) << 4 | hex(p[2]));
            p += 2;
        }
        if (n == HG_USER_MAX || c == '\0')
            return false;
        out->user[n++] = c;
    }
    out->user[n] = '\0';
    return true;
}

/* RFC 3966: the digits without their visual separators. */
static bool take_number(const char *text, struct uri *out)
{
    size_t n = 0;

    for (; *text && !strchr(";>", *text); text++) {
        if (strchr("-.()", *text))
            continue;
        if (n == HG_USER_MAX || !(hex(*text) >= 0 || strchr("*#", *text) || (*text == '+' && n == 0)))
            return false;
        out->user[n++] = *text;
    }
    return n > (out->user[0] == '+');
}

static bool is_host(const char *text, size_t len, bool of_scheme)
{
    struct slice host = slice_of(text, (uint32_t)len);
    struct hg_ip ip;

    if (len > 2 && *text == '[')
        return hg_ip_parse(slice_of(text + 1, (uint32_t)len - 2), &ip);
    if (hg_ip_parse(host, &ip))
        return true;
    return hg_name_is_host(host) && (of_scheme || memchr(text, '.', len)); /* a word alone is no address */
}

static bool is_port(const char *text)
{
    unsigned long port = 0;
    size_t n = 0;

    for (; text[n] >= '0' && text[n] <= '9' && n < 6; n++)
        port = port * 10 + (unsigned long)(text[n] - '0');
    return n && port && port <= 65535 && (!text[n] || strchr(";?>", text[n]));
}

bool uri_parse(const char *text, struct uri *out)
{
    const char *start;

    memset(out, 0, sizeof(*out));
    if (*text == '<')
        text++;
    start = text;
    if (strncasecmp(text, "tel:", 4) == 0)
        return take_number(text + 4, out);
    if (strncasecmp(text, "sip:", 4) == 0)
        text += 4;
    else if (strncasecmp(text, "sips:", 5) == 0)
        text += 5;
    /* a user part may have ';' and '?' (RFC 3261 section 25.1): what ends the host stands behind the '@' */
    const char *at = strchr(text, '@'), *host = at ? at + 1 : text;
    if (at && !take_user(text, at, out))
        return false;
    size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":;?>");
    if (len == 0 || len > HG_HOST_MAX || len > strlen(host) || !is_host(host, len, at || text > start) ||
        (host[len] == ':' && !is_port(host + len + 1)))
        return false;
    memcpy(out->host, host, len);
    return true;
}
