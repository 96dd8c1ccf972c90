/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a file before libconfig sees it: what it would choke on or act upon is refused, and numbers
 * that it would cut to 32 bits in silence get the form that it reads whole. */
#include <stdlib.h>
#include <string.h>

#include "impl/config_load.h"

enum part { PLAIN, STRING, LINE_COMMENT, BLOCK_COMMENT };

/* The part that the byte behind p is in, when p stands in `in`; *p moves onto the second byte of a pair. */
static enum part part_after(enum part in, const char **p, const char *end)
{
    char now = **p, next = *p + 1 < end ? (*p)[1] : 0;

    switch (in) {
    case PLAIN:
        if (now == '"')
            return STRING;
        if (now == '#' || (now == '/' && next == '/'))
            return LINE_COMMENT;
        if (now != '/' || next != '*')
            return PLAIN;
        ++*p;
        return BLOCK_COMMENT;
    case STRING:
        if (now == '\\' && next != 0 && next != '\n')
            ++*p;
        return now == '"' ? PLAIN : STRING;
    case LINE_COMMENT:
        return now == '\n' ? PLAIN : LINE_COMMENT;
    case BLOCK_COMMENT:
        break;
    }
    if (now != '*' || next != '/')
        return BLOCK_COMMENT;
    ++*p;
    return PLAIN;
}

/* libconfig would read another file, and ends the process if that is a directory: one file is one file. */
static bool is_include(const char *p, const char *end)
{
    static const char word[] = "@include";
    return (size_t)(end - p) >= sizeof(word) - 1 && memcmp(p, word, sizeof(word) - 1) == 0;
}

bool config_text_ok(const char *text, size_t len, struct config_errors *errors)
{
    enum part in = PLAIN;
    const char *end = text + len;
    uint32_t line = 1;
    for (const char *p = text; p < end; p++) {
        if (*p == 0) {
            config_error(errors, line, NULL, "a NUL byte", "text");
            return false;
        }
        line += *p == '\n';
        if (in == PLAIN && is_include(p, end)) {
            config_error(errors, line, NULL, "@include", "everything in this one file");
            return false;
        }
        in = part_after(in, &p, end);
    }
    return true;
}

#define DIGITS   "0123456789"
#define HEX      DIGITS "abcdefABCDEF"
#define NAME     HEX "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ*_-"
#define FRACTION DIGITS "eE.+-"

/* One number of the text, which ends in a NUL: its length, and whether it is an integer that needs 64 bits or
 * more. */
struct number {
    size_t len, digits; /* digits: with sign and base, without a suffix */
    enum { FITS, LONG, TOO_LONG } needs;
};

static struct number number_at(const char *p)
{
    bool sign = *p == '-' || *p == '+', hex = !sign && p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
    const char *digits = p + sign + (hex ? 2 : 0);
    struct number n = {.digits = (size_t)(digits - p) + strspn(digits, hex ? HEX : DIGITS)};
    uint64_t value = 0, base = hex ? 16 : 10;
    bool over = false;

    if (!hex && p[n.digits] != 0 && strchr(".eE", p[n.digits]) != NULL)
        return (struct number){.len = strspn(p, FRACTION)};
    for (const char *d = digits; d < p + n.digits; d++) {
        uint64_t digit = *d <= '9' ? (uint64_t)(*d - '0') : (uint64_t)((*d | 0x20) - 'a' + 10);
        over = over || value > (INT64_MAX - digit) / base;
        value = over ? value : value * base + digit;
    }
    n.len = n.digits + strspn(p + n.digits, "L");
    n.needs = over ? TOO_LONG : value > INT32_MAX && n.len == n.digits ? LONG : FITS;
    return n;
}

/* Past a name, whose digits are no number, or a number. */
static const char *copy_word(const char *p, char **out)
{
    size_t name = strchr(DIGITS "-", *p) ? 0 : strspn(p, NAME);
    bool fraction = p[0] == '.' && p[1] != 0 && strchr(DIGITS, p[1]) != NULL;
    const char *digit = p + (*p == '-' || *p == '+');
    struct number n = {.len = name ? name : fraction ? strspn(p, FRACTION) : 1};
    const char *suffix = "";

    if (!name && *digit != 0 && strchr(DIGITS, *digit) != NULL)
        n = number_at(p);
    if (n.needs == TOO_LONG) {
        n.digits = 0;
        suffix = "9223372036854775807L"; /* as libconfig does with decimal ones: no item takes it */
    } else if (n.needs == LONG) {
        suffix = "L";
    } else {
        n.digits = n.len;
    }
    memcpy(*out, p, n.digits);
    *out = stpcpy(*out + n.digits, suffix);
    return p + n.len;
}

char *config_text_wide(const char *text)
{
    size_t len = strlen(text);
    /* the shortest number that is replaced has 10 bytes, and 20 take the place of 18 */
    char *copy = malloc(len + len / 4 + 32), *out = copy;
    const char *end = text + len;
    enum part in = PLAIN;

    if (copy == NULL)
        return NULL;
    for (const char *p = text; p < end;) {
        if (in == PLAIN && strchr(NAME "+.", *p) != NULL) {
            p = copy_word(p, &out);
            continue;
        }
        const char *from = p;
        in = part_after(in, &p, end);
        p++;
        out = mempcpy(out, from, (size_t)(p - from));
    }
    *out = 0;
    return copy;
}
