/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/version.h"

#include <inttypes.h>
#include <stdio.h>

/* Digits only, no more than fit; false otherwise. */
static bool take_number(struct slice *text, uint64_t *out)
{
    uint32_t i = 0;
    uint64_t n = 0;

    while (i < text->len && text->p[i] >= '0' && text->p[i] <= '9') {
        unsigned digit = (unsigned)(text->p[i++] - '0');
        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    text->p += i;
    text->len -= i;
    return i > 0;
}

static bool take_version(struct slice *text, struct record_version *out)
{
    if (!take_number(text, &out->term) || text->len == 0 || text->p[0] != '-')
        return false;
    text->p++;
    text->len--;
    return take_number(text, &out->seq);
}

bool record_version_parse(struct slice text, struct record_version *out)
{
    struct record_version v;

    if (!take_version(&text, &v) || text.len != 0)
        return false;
    *out = v;
    return true;
}

void record_version_format(struct record_version v, char out[RECORD_VERSION_STRLEN])
{
    snprintf(out, RECORD_VERSION_STRLEN, "%" PRIu64 "-%" PRIu64, v.term, v.seq);
}

void record_value_split(struct slice raw, struct record_version *version, struct slice *payload)
{
    struct slice rest = raw;

    if (take_version(&rest, version) && rest.len > 0 && rest.p[0] == ' ') {
        *payload = slice_of(rest.p + 1, rest.len - 1);
        return;
    }
    *version = (struct record_version){0, 0};
    *payload = raw;
}
