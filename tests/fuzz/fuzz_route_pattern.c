/* SPDX-License-Identifier: BSD-2-Clause */
/* A type, a pattern, a template and a subject, separated by newlines: the rules must hold for any bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "hg/route_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice next(const char **p, const char *end)
{
    const char *start = *p;
    const char *stop = memchr(start, '\n', (size_t)(end - start));
    *p = stop ? stop + 1 : end;
    return slice_of(start, (uint32_t)((stop ? stop : end) - start));
}

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_pattern(const struct hg_pattern *p, struct slice subject)
{
    must(p->len <= HG_PATTERN_MAX && p->star_at <= p->len && p->literals <= p->len && p->lead <= p->len);
    must(hg_pattern_compare(p, p) == 0);
    bool matched = hg_pattern_match(p, subject);
    must(!matched || subject.len >= p->len);
    must(!matched || p->star || subject.len == p->len);
    if (p->len && !p->star && p->literals == p->len) /* a literal matches itself */
        must(hg_pattern_match(p, slice_of(p->c, p->len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data, *end = p + size;
    struct hg_pattern pattern, template;
    char text[HG_PATTERN_MAX + 1], templates[1][HG_PATTERN_MAX + 1], host[HG_HOST_MAX + 1], why[97];
    if (size < 1)
        return 0;
    uint8_t type = *p++ & 3;
    struct slice a = next(&p, end), b = next(&p, end), subject = next(&p, end);
    if (hg_pattern_parse(type, a, &pattern) == HG_PATTERN_OK)
        check_pattern(&pattern, subject);
    if (hg_template_parse(b, &template) == HG_PATTERN_OK) {
        must(template.embedded);
        must(hg_template_differs(&template, &template) == 0 ||
             memchr(template.c, HG_ANY_DIGIT, template.len));
        must(hg_template_explain(&template, &pattern, why, sizeof(why)) == why);
        must(memchr(why, 0, sizeof(why)) != NULL);
    }
    uint32_t n = hg_host_normalise(subject, host);
    must(n <= HG_HOST_MAX);
    snprintf(text, sizeof(text), "%.*s", (int)a.len, a.p);
    snprintf(templates[0], sizeof(templates[0]), "%.*s", (int)b.len, b.p);
    const char *said = hg_route_pattern_check(type, text, (const char(*)[HG_PATTERN_MAX + 1]) templates, 1,
                                              why, sizeof(why));
    must(!said || memchr(said, 0, sizeof(why)) != NULL);
    (void)hg_route_template_check(templates[0], why, sizeof(why));
    (void)hg_host_check(text, why, sizeof(why));
    return 0;
}
