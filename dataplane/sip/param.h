/* SPDX-License-Identifier: BSD-2-Clause */
/* generic-param = token [ EQUAL gen-value ], as headers have it: white space around '=', quotes and IPv6
 * references. */
#ifndef SIP_PARAM_H
#define SIP_PARAM_H

#include "sip/chars.h"
#include "sip/host.h"

struct sip_generic_param {
    uint64_t word; /* ch_word of the name, 0 when it is longer than eight bytes */
    struct slice value;
    bool has_value;
};

/* p at the value; "..." and [...] */
const char *sip_param_value_read(const char *p, const char *e);

/* p at the name; returns the byte after the parameter, 0 when it is none. */
static inline const char *sip_generic_param_read(const char *p, const char *e, struct sip_generic_param *out)
{
    const char *end = ch_span_short(p, e, CH_TOKEN);
    size_t len = (size_t)(end - p);
    out->word = len <= 8 ? ch_word(p, len) : 0;
    out->value = slice_of(end, 0);
    out->has_value = false;
    if (len == 0)
        return NULL;
    p = ch_skip_ws(end, e);
    if (p == e || *p != '=')
        return end;
    p = ch_skip_ws(p + 1, e);
    if (p == e)
        return NULL;
    out->has_value = true;
    out->value = slice_of(p, 0);
    end = ch_span(p, e, CH_TOKEN);
    if (end == p) {
        end = sip_param_value_read(p, e);
        if (!end)
            return NULL;
    }
    out->value.len = (uint32_t)(end - p);
    return end;
}

#endif
