/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may speak at all, before the parser: the access lists (K11), closed by default, then a token bucket.
 * Neighbours are exempt or have a bucket of their own; the others have one per source address, in a table of
 * fixed size. */
#include <rte_malloc.h>

#include "lib/log_out.h"
#include "sip/guard.h"
#include "sip/mix.h"
#include "sip/proxy.h"

#define GUARD_SETS       1024
#define GUARD_WAYS       4
#define GUARD_NEIGHBOURS 1024
#define TOKEN            1000 /* a datagram costs 1000, so that a rate of 1/s works with milliseconds */

struct bucket {
    struct hg_ip ip;
    uint64_t ms;     /* last look, 0 = free */
    uint64_t tokens; /* thousandths of a datagram */
};

struct neighbour_bucket {
    struct bucket b;
    uint32_t id; /* whose: a reload may give the number to another neighbour */
};

struct guard {
    struct hg_ip last_ip; /* most traffic of a burst has one source */
    uint64_t last_ms;
    struct bucket *last_bucket; /* of that address, when it has one of its own */
    enum route_access last_access;
    uint16_t last_index;
    struct neighbour_bucket neighbour[GUARD_NEIGHBOURS];
    struct bucket source[GUARD_SETS][GUARD_WAYS];
};

struct guard *guard_create(void)
{
    return rte_zmalloc("sip guard", sizeof(struct guard), 64);
}

void guard_destroy(struct guard *g)
{
    rte_free(g);
}

/* How many of n datagrams have a token. */
static unsigned bucket_take(struct bucket *b, uint64_t ms, uint64_t rate, uint64_t burst, unsigned n)
{
    uint64_t full = burst * TOKEN, gain = (ms - b->ms) * rate;
    b->tokens = gain >= full || b->tokens + gain >= full ? full : b->tokens + gain;
    b->ms = ms;
    if (unlikely(b->tokens < (uint64_t)n * TOKEN))
        n = (unsigned)(b->tokens / TOKEN);
    b->tokens -= (uint64_t)n * TOKEN;
    return n;
}

/* A new source takes the entry that was quiet longest: under a spoofed flood honest entries are young. */
static struct bucket *source_bucket(struct sip *s, const struct hg_ip *ip, uint64_t ms)
{
    uint64_t h = mix_bytes(s->seed, (const char *)ip->b, 16);
    struct bucket *set = s->guard->source[h % GUARD_SETS], *oldest = set;
    for (unsigned i = 0; i < GUARD_WAYS; i++) {
        if (set[i].ms && hg_ip_eq(&set[i].ip, ip))
            return &set[i];
        if (set[i].ms < oldest->ms)
            oldest = &set[i];
    }
    oldest->ip = *ip;
    oldest->ms = ms;
    oldest->tokens = (uint64_t)s->ctx->config->sip_source_burst * TOKEN;
    return oldest;
}

static struct bucket *neighbour_bucket(struct guard *g, uint16_t index, uint32_t id)
{
    struct neighbour_bucket *n = &g->neighbour[index];
    if (n->id != id)
        *n = (struct neighbour_bucket){.id = id}; /* full, as ms says */
    return &n->b;
}

struct limit {
    struct bucket *bucket; /* NULL: none */
    uint64_t rate, burst;
};

/* Beyond the table a neighbour's rate counts for each of its addresses. */
static struct limit neighbour_limit(struct sip *s, const struct hg_ip *ip, uint16_t index, uint64_t ms)
{
    uint32_t rate = 0, burst = 0, id = 0;
    struct limit limit = {0};
    if (!route_neighbour_limit(s->route, index, &rate, &burst, &id) || rate == 0)
        return limit;
    limit.bucket =
        index < GUARD_NEIGHBOURS ? neighbour_bucket(s->guard, index, id) : source_bucket(s, ip, ms);
    limit.rate = rate;
    limit.burst = burst ? burst : rate;
    return limit;
}

/* false: it may not speak at all. */
static bool limit_of(struct sip *s, const struct hg_ip *src, uint64_t ms, struct limit *out)
{
    struct guard *g = s->guard;
    if (g->last_ms != ms || !hg_ip_eq(&g->last_ip, src)) {
        g->last_access = route_access(s->route, src, &g->last_index);
        g->last_ip = *src;
        g->last_ms = ms;
        g->last_bucket = g->last_access == ACCESS_NETWORK ? source_bucket(s, src, ms) : NULL;
    }
    if (g->last_access == ACCESS_DENIED)
        return false;
    if (g->last_access == ACCESS_NEIGHBOUR)
        *out = neighbour_limit(s, src, g->last_index, ms);
    else
        *out = (struct limit){.bucket = g->last_bucket,
                              .rate = (uint64_t)s->ctx->config->sip_source_rate,
                              .burst = (uint64_t)s->ctx->config->sip_source_burst};
    return true;
}

unsigned guard_admit(struct sip *s, const struct hg_ip *src, unsigned n)
{
    uint64_t ms = s->ctx->ms + 1;
    struct limit limit;
    if (!limit_of(s, src, ms, &limit))
        return 0;
    return limit.bucket ? bucket_take(limit.bucket, ms, limit.rate, limit.burst, n) : n;
}

void guard_refund(struct sip *s, const struct hg_ip *src)
{
    struct limit limit;
    if (limit_of(s, src, s->ctx->ms + 1, &limit) && limit.bucket)
        limit.bucket->tokens += TOKEN;
}

unsigned guard_check(struct sip *s, struct datagram *d)
{
    bool denied;
    if (d->flags & (DATAGRAM_ALLOWED | DATAGRAM_HANDED_OVER))
        return 0;
    if (guard_admit(s, &d->src.ip, 1) == 1) {
        d->flags |= DATAGRAM_ALLOWED;
        return 0;
    }
    denied = s->guard->last_access == ACCESS_DENIED;
    log_ip(s->ctx, denied ? HG_LOGID_acl_denied : HG_LOGID_source_rate, &d->src.ip);
    return denied ? HG_DROP_acl_denied : HG_DROP_source_rate;
}
