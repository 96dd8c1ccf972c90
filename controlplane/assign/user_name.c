/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of users as people and files write them. The user part of a request is looked up with its %-escapes
 * undone (RFC 3261 section 19.1.4), so they are undone here as well; blanks and characters that nobody sees
 * are in no address that anybody means, and in none of XMPP (RFC 7622 section 3.3), whose users these are
 * too. */
#include <string.h>

#include "assign/users.h"
#include "hg/word.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_escape(const char *p, const char *end)
{
    return end - p >= 3 && *p == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0;
}

/* Returns the new length. */
static uint32_t undo_escapes(char *user, uint32_t len)
{
    const char *end = user + len;
    char *to = user;

    for (const char *p = user; p < end; p++) {
        bool escape = is_escape(p, end);
        *to++ = escape ? (char)(hex(p[1]) << 4 | hex(p[2])) : *p;
        p += escape ? 2 : 0;
    }
    return (uint32_t)(to - user);
}

/* The next character of UTF-8 (RFC 3629); 0: it is none. */
static uint32_t next_character(const char **at, const char *end)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)*at;
    unsigned n = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
    uint32_t c = n <= 1 ? *p : *p & (0x7fu >> n);

    if (n == 0 || end - *at < (long)n)
        return 0;
    for (unsigned i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    *at += n;
    return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : c;
}

struct range {
    uint32_t first, last;
};

/* Controls, blanks, and what has no width: of Unicode's categories Cc, Zs, Zl, Zp, and the Cf and fillers
 * that are in use. */
static bool is_unseen(uint32_t c)
{
    static const struct range unseen[] = {
        {0x00, 0x20},     {0x7f, 0xa0},     {0xad, 0xad},     {0x34f, 0x34f},     {0x61c, 0x61c},
        {0x115f, 0x1160}, {0x1680, 0x1680}, {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x2000, 0x200f},
        {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},
        {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
    };

    for (unsigned i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
        if (c >= unseen[i].first && c <= unseen[i].last)
            return true;
    return false;
}

static const char *wrong_user(const char *user, uint32_t len)
{
    const char *end = user + len;

    for (const char *p = user; p < end; p++)
        if (is_escape(p, end))
            return "a user must not have a %-escape in it once its own are undone";
    for (const char *p = user; p < end;) {
        uint32_t c = next_character(&p, end);
        if (c == 0)
            return "a user is UTF-8 without control characters, also behind its %-escapes";
        if (is_unseen(c))
            return "a user must not have blanks, control characters or characters that nobody sees";
    }
    return NULL;
}

bool users_typed(struct slice name, char *out, uint32_t *len, const char **why)
{
    char plain[3 * USERS_NAME_MAX + 1];
    const char *at = name.len ? memrchr(name.p, '@', name.len) : NULL;

    if (!at || name.len >= sizeof(plain))
        return users_canonical(name, out, len, why); /* which says what is wrong */
    memcpy(plain, name.p, name.len);
    uint32_t typed = (uint32_t)(at - name.p), user = undo_escapes(plain, typed);
    memmove(plain + user, plain + typed, name.len - typed);
    *why = wrong_user(plain, user);
    return !*why && users_canonical(slice_of(plain, user + name.len - typed), out, len, why);
}
