/* SPDX-License-Identifier: BSD-2-Clause */
/* The wire: frames on their way, and what befalls them. */
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "two_impl.h"

uint64_t two_random(struct two *w)
{
    uint64_t x = w->seed;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    w->seed = x;
    return x * 0x2545f4914f6cdd1dull;
}

static bool chance(struct two *w, double p)
{
    return p > 0 && (double)(two_random(w) >> 11) * 0x1p-53 < p;
}

void wire_add(struct two *w, struct wire_rule rule)
{
    REQUIRE(w->nrules < TWO_RULES);
    w->rule[w->nrules++] = rule;
}

void wire_clear(struct two *w)
{
    w->nrules = 0;
}

static void fly(struct two *w, enum side to, const uint8_t *b, uint32_t len, uint64_t at_us)
{
    struct flying *f = malloc(sizeof(*f) + len), **p = &w->flying;
    REQUIRE(f);
    *f = (struct flying){.at_us = at_us, .to = to, .len = len};
    memcpy(f->b, b, len);
    while (*p && (*p)->at_us <= at_us)
        p = &(*p)->next;
    f->next = *p;
    *p = f;
    w->flown++;
}

void wire_deliver(struct two *w, enum side to, const uint8_t *frame, uint32_t len, uint64_t delay_us)
{
    fly(w, to, frame, len, w->us + delay_us);
}

static bool fits(const struct wire_rule *r, enum side from, const struct seen *s)
{
    uint32_t end = s->seq + s->len + !!(s->flags & SEEN_SYN) + !!(s->flags & SEEN_FIN);
    if (r->from != from || (s->flags & r->flags) != r->flags || (s->flags & r->no_flags) != 0)
        return false;
    if ((r->data && s->len == 0) || (r->pure && (s->len || s->flags & (SEEN_SYN | SEEN_FIN | SEEN_RST))))
        return false;
    return !r->has_seq || (r->seq - s->seq < end - s->seq);
}

static const struct wire_rule *rule_for(struct two *w, enum side from, const struct seen *s)
{
    const struct wire_rule *met = NULL;
    for (unsigned i = 0; i < w->nrules; i++) {
        struct wire_rule *r = &w->rule[i];
        if (!fits(r, from, s) || r->fitted++ < r->first || (r->count && r->done >= r->count))
            continue;
        if (r->chance > 0 && !chance(w, r->chance))
            continue;
        r->done++;
        if (!met)
            met = r;
    }
    return met;
}

/* When the frame has passed the narrow place; 0: no room in front of it. */
static uint64_t passed(struct two *w, enum side from, uint32_t len)
{
    const struct link *l = &w->link[from];
    uint64_t *busy = &w->busy_until[from];
    if (!l->bytes_per_s)
        return w->us;
    if (*busy < w->us)
        *busy = w->us;
    uint64_t waiting = (*busy - w->us) * l->bytes_per_s / 1000000;
    if (l->queue_bytes && waiting + len > l->queue_bytes)
        return 0;
    *busy += (uint64_t)len * 1000000 / l->bytes_per_s;
    return *busy;
}

static void change(uint8_t *b, uint32_t *len, uint32_t tcp, const struct wire_rule *r)
{
    if (r->action == WIRE_CORRUPT && tcp + r->arg < *len)
        b[tcp + r->arg] ^= 0x10;
    if (r->action == WIRE_TRUNCATE && tcp + r->arg < *len)
        *len = tcp + r->arg;
}

/* The random side of the link. Returns what befell the frame. */
static uint8_t weather(struct two *w, enum side from, uint8_t *b, uint32_t len, uint32_t tcp, uint64_t *at)
{
    const struct link *l = &w->link[from];
    if (chance(w, l->loss))
        return WIRE_DROP;
    if (l->jitter_us)
        *at += two_random(w) % l->jitter_us;
    if (chance(w, l->duplicate)) {
        fly(w, !from, b, len, *at + two_random(w) % 20000);
        return WIRE_DUPLICATE;
    }
    if (chance(w, l->reorder)) {
        *at += 1 + two_random(w) % (l->reorder_us ? l->reorder_us : 5000);
        return WIRE_DELAY;
    }
    if (len > tcp && chance(w, l->corrupt)) {
        b[tcp + two_random(w) % (len - tcp)] ^= (uint8_t)(1u << two_random(w) % 8);
        return WIRE_CORRUPT;
    }
    return 0;
}

void wire_put(struct two *w, enum side from, const uint8_t *frame, uint32_t len)
{
    uint8_t b[66000];
    struct seen s;
    uint32_t tcp = 0;
    REQUIRE(len <= sizeof(b));
    memcpy(b, frame, len);
    bool is_tcp = look(w, from, b, len, &s, &tcp);
    if (w->lone && answer_neighbour(w, b, len))
        return;
    uint64_t at = passed(w, from, len) + w->link[from].delay_us;
    const struct wire_rule *r = is_tcp ? rule_for(w, from, &s) : NULL;
    if (r)
        s.fate = (uint8_t)r->action;
    if (at == w->link[from].delay_us)
        s.fate = WIRE_DROP;
    else if (is_tcp && !r)
        s.fate = weather(w, from, b, len, tcp, &at);
    if (is_tcp)
        remember(w, &s, b, len);
    if ((is_tcp && s.fate == WIRE_DROP) || w->lone)
        return;
    if (r && r->action == WIRE_DUPLICATE)
        fly(w, !from, b, len, at + r->arg);
    if (r && r->action == WIRE_DELAY)
        at += r->arg;
    if (r)
        change(b, &len, tcp, r);
    fly(w, !from, b, len, at);
}

/* What has arrived joins the queues of the ends. */
void wire_arrive(struct two *w)
{
    while (w->flying && w->flying->at_us <= w->us) {
        struct flying *f = w->flying;
        struct end *e = &w->end[f->to];
        if (e->in == sizeof(e->queue) / sizeof(e->queue[0]))
            two_turn(w, f->to);
        w->flying = f->next;
        struct rte_mbuf *m = rte_pktmbuf_alloc(f->len > 2048 ? e->pool_big : e->pool);
        if (m) {
            memcpy(rte_pktmbuf_append(m, (uint16_t)f->len), f->b, f->len);
            e->queue[e->in++] = m;
        }
        free(f);
    }
}
