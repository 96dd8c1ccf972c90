/* SPDX-License-Identifier: BSD-2-Clause */
/* A trunk is often one flow, and a flow is one core's by RSS. When one source sends so much that a core would
 * drown, its datagrams are spread by Call-ID over all cores, before they are parsed: the core that receives
 * for all keeps a smaller share of the parsing. */
#include <rte_malloc.h>

#include "lib/mailbox.h"
#include "sip/mix.h"
#include "sip/proxy.h"

#define SPRAY_FLOWS  256
#define SPRAY_WINDOW 8   /* ms */
#define SPRAY_HOT    512 /* datagrams of one source in a window: 64,000/s */
#define SPRAY_KEEP   75  /* percent of its own share that the receiving core keeps for itself */

struct flow {
    uint64_t window;
    uint32_t now, before;
};

struct spray {
    struct flow flow[SPRAY_FLOWS];
};

struct spray *spray_create(void)
{
    return rte_zmalloc("sip spray", sizeof(struct spray), 64);
}

void spray_destroy(struct spray *p)
{
    rte_free(p);
}

static bool flow_is_hot(struct sip *s, const struct hg_endpoint *src)
{
    struct flow *f = &s->spray->flow[mix_bytes(s->seed, (const char *)src, sizeof(*src)) % SPRAY_FLOWS];
    uint64_t window = s->ctx->ms / SPRAY_WINDOW + 1;
    if (f->window != window) {
        f->before = f->window + 1 == window ? f->now : 0;
        f->now = 0;
        f->window = window;
    }
    f->now++;
    return f->now > SPRAY_HOT || f->before > SPRAY_HOT;
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

bool spray_away(struct sip *s, struct work *w)
{
    struct slice call_id;
    unsigned to;
    if (w->d->flags & DATAGRAM_HANDED_OVER || !flow_is_hot(s, &w->d->src) ||
        !quick_call_id(w->d->data, w->d->len, &call_id))
        return false;
    w->call_hash = mix_slice(s->seed, call_id);
    to = sip_owner(s, w);
    if (to == s->ctx->core && (uint32_t)w->call_hash % 100 >= SPRAY_KEEP)
        to = (s->ctx->core + 1 + (unsigned)(w->call_hash >> 8) % (s->ctx->cores - 1u)) % s->ctx->cores;
    if (to == s->ctx->core)
        return false;
    w->done = stateless_hand_over(s, w, to);
    if (w->done != HG_C_sip_handed_over)
        return false; /* the other core is behind: this one does it, or finds a core for it after routing */
    ctx_count(s->ctx, HG_C_sip_sprayed);
    return true;
}
