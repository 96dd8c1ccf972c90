/* SPDX-License-Identifier: BSD-2-Clause */
/* Which core a datagram of a hot flow goes to, told by its Call-ID before it is parsed. */
#include "sip/mix.h"
#include "sip/proxy.h"

/* Handing over costs the receiving core about a tenth of a message's work: the more cores there are to feed,
 * the less of its own share is left to it. Percent of that share. */
static unsigned share_kept(unsigned cores)
{
    return cores < 3 ? 100 : cores < 13 ? 116 - 9 * cores : 0;
}

/* The Call-ID of a well-formed message without parsing it: enough to spread, never enough to decide. */
static bool quick_call_id(const char *p, uint32_t len, struct slice *out)
{
    const char *end = p + len, *line = memchr(p, '\n', len);
    while (line && end - line > 10) {
        const char *v = NULL, *next;
        if ((line[1] == 'C' || line[1] == 'c') && line[5] == '-' && line[8] == ':')
            v = line + 9;
        else if ((line[1] == 'i' || line[1] == 'I') && line[2] == ':')
            v = line + 3;
        else if (line[1] == '\r')
            return false;
        next = memchr(line + 1, '\n', (size_t)(end - line - 1));
        if (v && next && v <= next) { /* the line may end inside what looks like the name */
            while (v < next && (*v == ' ' || *v == '\t'))
                v++;
            *out = slice_of(v, (uint32_t)(next - v));
            while (out->len && (unsigned char)out->p[out->len - 1] <= ' ')
                out->len--;
            return out->len > 0;
        }
        line = next;
    }
    return false;
}

bool sip_spray(struct sip *s, const struct hg_ip *src, const char *data, uint32_t len, unsigned *core)
{
    unsigned self = s->ctx->core, cores = s->ctx->cores, to;
    struct slice call_id;
    if (!quick_call_id(data, len, &call_id))
        return false;
    uint64_t hash = mix_slice(s->seed, call_id);
    to = sip_owner_of(s, hash);
    if (to == self && (uint32_t)hash % 100 >= share_kept(cores))
        to = (self + 1 + (unsigned)(hash >> 8) % (cores - 1)) % cores;
    if (to != self && guard_source(s, src) != 0)
        return false; /* the usual way says why */
    *core = to;
    return true;
}
