/* SPDX-License-Identifier: BSD-2-Clause */
/* Destination patterns of static routes and route embed templates (L02-L09, L21-L27), pure. The rules that
 * the seeds leave open are decided in docs/decisions/0004-route-patterns.md. user    .  one character, at the
 * end freely, embedded only by a template    *  any number, only at the end domain  .  itself *  any number,
 * once, anywhere both    \*  the asterisk itself    \\  the backslash    user also  \.  the dot itself */
#ifndef HG_ROUTE_PATTERN_H
#define HG_ROUTE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hg/limits.h"
#include "hg/slice.h"
#include "hg/static_route.h"

enum hg_pattern_error {
    HG_PATTERN_OK = 0,
    HG_PATTERN_EMPTY,
    HG_PATTERN_TOO_LONG,
    HG_PATTERN_CHARACTER,   /* a character that cannot occur there */
    HG_PATTERN_ESCAPE,      /* a backslash before something else */
    HG_PATTERN_STAR_INSIDE, /* user: something follows the asterisk */
    HG_PATTERN_TWO_STARS,
    HG_PATTERN_LABEL,       /* domain: an empty label */
    HG_PATTERN_TYPE,        /* no such route type */
    HG_PATTERN_NO_WILDCARD, /* template: no embedded wildcard */
};

/* A pattern taken apart. c holds the fixed characters, escapes resolved, domains in lower case; HG_ANY_CHAR
 * stands for a single wildcard. */
#define HG_ANY_CHAR  '\0'
#define HG_ANY_DIGIT '\1' /* templates only: x */
struct hg_pattern {
    uint8_t type; /* enum hg_route_type */
    bool star;
    bool embedded;    /* a single wildcard stands before a fixed character: a template is needed */
    uint16_t len;     /* of c */
    uint16_t star_at; /* the asterisk stands before c[star_at]; == len at the end */
    uint16_t literals;
    uint16_t lead; /* literals before the first wildcard of any kind */
    char c[HG_PATTERN_MAX + 1];
};

enum hg_pattern_error hg_pattern_parse(uint8_t type, struct slice text, struct hg_pattern *out);
enum hg_pattern_error hg_template_parse(struct slice text, struct hg_pattern *out);
const char *hg_pattern_error_text(enum hg_pattern_error error);

/* subject: the unescaped user part as it is, or the host as hg_host_normalise leaves it. */
bool hg_pattern_match(const struct hg_pattern *p, struct slice subject);
/* Lower case, one trailing dot and brackets gone, addresses in their canonical form. out: HG_HOST_MAX + 1
 * bytes. Returns the length, 0 when host is empty or too long. */
uint32_t hg_host_normalise(struct slice host, char *out);

/* The order of specificity as a number, smaller first; equal ones are ordered by their characters. User
 * patterns come before domain patterns; then patterns without any wildcard; then more literals, more fixed
 * characters, no asterisk before an asterisk, more leading literals. */
uint64_t hg_pattern_rank(const struct hg_pattern *p);
int hg_pattern_compare(const struct hg_pattern *a, const struct hg_pattern *b); /* 0: identical (L03) */

/* In what a pattern differs from a template; 0: it matches. */
enum hg_template_difference {
    HG_TEMPLATE_LEAD = 1,      /* the initial string */
    HG_TEMPLATE_LENGTH = 2,    /* the number of characters */
    HG_TEMPLATE_WILDCARDS = 4, /* the number of single wildcards */
    HG_TEMPLATE_LOCATION = 8,  /* ... or where they stand */
    HG_TEMPLATE_DIGITS = 16,   /* a character after the wildcards */
    HG_TEMPLATE_STAR = 32,     /* asterisk at the end in one of them only */
};
unsigned hg_template_differs(const struct hg_pattern *template, const struct hg_pattern *p);
/* As a sentence; returns out. */
char *hg_template_explain(const struct hg_pattern *template, const struct hg_pattern *p, char *out,
                          size_t size);

/* What the configuration loader asks: NULL when the pattern is good (templates: also template by template),
 * else a message that says what is wrong and the expected form, written into why. */
const char *hg_route_pattern_check(uint8_t type, const char *pattern,
                                   const char (*templates)[HG_PATTERN_MAX + 1], uint32_t ntemplates,
                                   char *why, size_t size);
const char *hg_route_template_check(const char *template, char *why, size_t size);

/* B02, B09, L11: what may stand as a next hop or neighbour. */
enum hg_host_kind { HG_HOST_BAD, HG_HOST_NAME, HG_HOST_ADDRESS };
/* BAD: why (may be NULL) says it, for example "5.6.7.8.9 is not an IPv4 address" (ZZ04). */
enum hg_host_kind hg_host_check(const char *host, char *why, size_t size);

#endif
