/* SPDX-License-Identifier: BSD-2-Clause */
/* The places of flows, and the table by which requests find one. */
#include "sip/flow.h"

#include <stdlib.h>

#include <rte_mbuf.h>

#include "sip/mix.h"

struct flows *flows_create(const struct hg_config *config)
{
    struct flows *f = calloc(1, sizeof(*f));
    uint32_t size = 256;

    if (!f)
        return NULL;
    f->max = (uint32_t)config->tcp_connections_max;
    if (f->max > FLOW_INDEX_MASK)
        f->max = FLOW_INDEX_MASK;
    while (size < f->max)
        size *= 2;
    f->mask = size - 1;
    f->first_more = f->last_more = FLOW_NONE;
    f->slab = slab_create(sizeof(struct flow), f->max);
    f->generation = calloc(f->max, sizeof(*f->generation));
    f->bucket = malloc(size * sizeof(*f->bucket));
    f->arena = malloc(FLOW_ARENA + SIP_HEAD_MAX);
    if (!f->slab || !f->generation || !f->bucket || !f->arena) {
        flows_destroy(f);
        return NULL;
    }
    memset(f->bucket, 0xff, size * sizeof(*f->bucket));
    return f;
}

static void queue_free(struct flow *f)
{
    for (struct rte_mbuf *m = f->first, *next; m; m = next) {
        next = m->next;
        m->next = NULL;
        rte_pktmbuf_free(m);
    }
    f->first = f->last = NULL;
    f->queued = 0;
    f->queued_bytes = 0;
}

void flows_destroy(struct flows *f)
{
    if (!f)
        return;
    for (uint32_t i = 0; f->slab && f->generation && i < f->max; i++)
        if (f->generation[i] & 1)
            queue_free(slab_at(f->slab, i));
    slab_destroy(f->slab);
    free(f->generation);
    free(f->bucket);
    free(f->arena);
    free(f);
}

struct flow *flow_at(const struct sip *s, uint32_t index)
{
    const struct flows *f = s->flows;
    return index < f->max && (f->generation[index] & 1) ? slab_at(f->slab, index) : NULL;
}

/* 8 bits of the core, 28 of the generation, 28 of the index; never 0, for the generation is odd. */
uint64_t flow_id(const struct sip *s, const struct flow *f)
{
    uint32_t i = slab_index(s->flows->slab, f);
    return (uint64_t)s->ctx->core << 56 | (uint64_t)(s->flows->generation[i] & FLOW_INDEX_MASK) << 28 | i;
}

struct flow *flow_of(const struct sip *s, uint64_t id)
{
    struct flow *f =
        id != 0 && flow_core(id) == s->ctx->core ? flow_at(s, (uint32_t)id & FLOW_INDEX_MASK) : NULL;
    return f && flow_id(s, f) == id ? f : NULL;
}

/* ---- by where they lead ---- */

static uint32_t *bucket_of(const struct sip *s, const struct hg_endpoint *dst)
{
    uint64_t where = (uint64_t)dst->port << 8 | dst->proto;
    uint64_t h = mix_fold(s->seed ^ hg_load64(dst->ip.b) ^ where << 16, hg_load64(dst->ip.b + 8) ^ MIX_WORD);
    return &s->flows->bucket[(h ^ h >> 32) & s->flows->mask];
}

struct flow *flow_to(const struct sip *s, const struct hg_endpoint *dst)
{
    for (uint32_t i = *bucket_of(s, dst); i != FLOW_NONE;) {
        struct flow *f = slab_at(s->flows->slab, i);
        if (hg_endpoint_eq(&f->remote, dst))
            return f;
        i = f->next;
    }
    return NULL;
}

void flow_list(struct sip *s, struct flow *f)
{
    uint32_t *bucket = bucket_of(s, &f->remote);

    if (f->listed)
        return;
    f->next = *bucket;
    *bucket = slab_index(s->flows->slab, f);
    f->listed = true;
}

static void unlist(struct sip *s, struct flow *f)
{
    uint32_t i = slab_index(s->flows->slab, f), *link = bucket_of(s, &f->remote);

    if (!f->listed)
        return;
    while (*link != i)
        link = &((struct flow *)slab_at(s->flows->slab, *link))->next;
    *link = f->next;
    f->listed = false;
}

/* ---- places ---- */

struct flow *flow_new(struct sip *s, const struct hg_endpoint *local, const struct hg_endpoint *remote)
{
    struct flow *f = slab_get(s->flows->slab);
    if (!f) {
        ctx_count(s->ctx, HG_C_sip_flows_refused);
        return NULL;
    }
    uint32_t i = slab_index(s->flows->slab, f);
    *f = (struct flow){.local = *local,
                       .remote = *remote,
                       .next = FLOW_NONE,
                       .timer.kind = WHEEL_KIND(WHEEL_SIP, TIMER_FLOW)};
    s->flows->generation[i]++;
    return f;
}

void flow_free(struct sip *s, struct flow *f)
{
    uint32_t i = slab_index(s->flows->slab, f);

    wheel_cancel(s->ctx->wheel, &f->timer);
    unlist(s, f);
    queue_free(f);
    flow_more(s, f, false);
    s->flows->generation[i]++;
    slab_put(s->flows->slab, f);
}

void flow_more(struct sip *s, struct flow *f, bool more)
{
    struct flows *all = s->flows;
    uint32_t i = slab_index(all->slab, f);

    if (f->more == more)
        return;
    f->more = more;
    if (more) {
        f->next_more = FLOW_NONE;
        f->prev_more = all->last_more;
        *(f->prev_more == FLOW_NONE ? &all->first_more : &flow_at(s, f->prev_more)->next_more) = i;
        all->last_more = i;
    } else {
        *(f->prev_more == FLOW_NONE ? &all->first_more : &flow_at(s, f->prev_more)->next_more) = f->next_more;
        *(f->next_more == FLOW_NONE ? &all->last_more : &flow_at(s, f->next_more)->prev_more) = f->prev_more;
    }
}

void flow_touch(struct sip *s, struct flow *f)
{
    const struct hg_config *c = s->ctx->config;
    uint64_t idle = f->deaf ? 64 * (uint64_t)c->sip_t1_ms : (uint64_t)c->sip_stream_idle_s * 1000;
    if (idle != 0)
        wheel_arm(s->ctx->wheel, &f->timer, s->ctx->ms + idle);
    else
        wheel_cancel(s->ctx->wheel, &f->timer); /* that of connecting */
}
