/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose a datagram of a hot flow is, told by its Call-ID before it is parsed. */
#include <emmintrin.h>

#include "sip/guard.h"
#include "sip/mix.h"
#include "sip/proxy.h"

/* line: the line feed before a header; whether its name is Call-ID or i, and where the value begins. */
static const char *call_id_value(const char *line, const char *end)
{
    if (end - line > 10 && line[5] == '-' && line[8] == ':' && (line[1] | 0x20) == 'c' &&
        (line[6] | 0x20) == 'i')
        return line + 9;
    if (end - line > 4 && line[2] == ':' && (line[1] | 0x20) == 'i')
        return line + 3;
    return NULL;
}

/* The line feed that ends a value, which is short as a rule; NULL: none. */
static const char *line_end(const char *v, const char *end)
{
    const __m128i feed = _mm_set1_epi8('\n');
    for (; end - v >= 16; v += 16) {
        unsigned m = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const void *)v), feed));
        if (m)
            return v + __builtin_ctz(m);
    }
    return memchr(v, '\n', (size_t)(end - v));
}

static bool value_of(const char *v, const char *end, struct slice *out)
{
    const char *stop = line_end(v, end);
    if (!stop)
        return false;
    while (v < stop && (*v == ' ' || *v == '\t'))
        v++;
    while (stop > v && (unsigned char)stop[-1] <= ' ')
        stop--;
    *out = slice_of(v, (uint32_t)(stop - v));
    return out->len > 0;
}

/* The Call-ID of a well-formed message without parsing it: enough to spread, never enough to decide. Sixteen
 * bytes at a time: line feeds before a C or an I. */
static bool quick_call_id(const char *p, uint32_t len, struct slice *out)
{
    const __m128i feed = _mm_set1_epi8('\n'), c = _mm_set1_epi8('c'), i = _mm_set1_epi8('i'),
                  lower = _mm_set1_epi8(0x20);
    const char *end = p + len;
    for (; end - p > 16; p += 16) {
        __m128i a = _mm_cmpeq_epi8(_mm_loadu_si128((const void *)p), feed);
        __m128i b = _mm_or_si128(_mm_loadu_si128((const void *)(p + 1)), lower);
        b = _mm_or_si128(_mm_cmpeq_epi8(b, c), _mm_cmpeq_epi8(b, i));
        for (int m = _mm_movemask_epi8(_mm_and_si128(a, b)); m; m &= m - 1) {
            const char *v = call_id_value(p + __builtin_ctz((unsigned)m), end);
            if (v)
                return value_of(v, end, out);
        }
    }
    return false;
}

bool sip_spray(struct sip *s, const char *data, uint32_t len, uint32_t *from, struct sip_call *call)
{
    uint32_t skip = *from < len ? *from : 0;
    struct slice call_id;
    if (!quick_call_id(data + skip, len - skip, &call_id) && !(skip && quick_call_id(data, len, &call_id)))
        return false;
    *from = (uint32_t)(call_id.p - data);
    call->hash = mix_slice(s->seed, call_id);
    call->owner = sip_owner_of(s, call->hash);
    return true;
}

unsigned sip_spray_admit(struct sip *s, const struct hg_ip *src, unsigned n)
{
    return guard_admit(s, src, n);
}

void sip_spray_refund(struct sip *s, const struct hg_ip *src)
{
    guard_refund(s, src);
}
