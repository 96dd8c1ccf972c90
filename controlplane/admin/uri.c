/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/uri.h"

#include <string.h>
#include <strings.h>

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

bool uri_parse(const char *text, struct uri *out)
{
    memset(out, 0, sizeof(*out));
    if (*text == '<')
        text++;
    if (strncasecmp(text, "sip:", 4) == 0)
        text += 4;
    else if (strncasecmp(text, "sips:", 5) == 0)
        text += 5;
    /* a user part may have ';' and '?' (RFC 3261 section 25.1): what ends the host stands behind the '@' */
    const char *at = strchr(text, '@'), *host = at ? at + 1 : text;
    if (at && !take_user(text, at, out))
        return false;
    size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":;?>");
    if (len == 0 || len > HG_HOST_MAX || len > strlen(host))
        return false;
    memcpy(out->host, host, len);
    return true;
}
