/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of everything: groups by specificity, routes of a group by priority. */
#include <stdlib.h>

#include "routes/compile.h"

struct key {
    uint64_t rank;
    const char *text;
    uint32_t group;
    uint16_t len, star_at;
};

static int by_rank(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->star_at != y->star_at)
        return x->star_at > y->star_at ? -1 : 1;
    return memcmp(x->text, y->text, x->len);
}

/* What decides between routes of one pattern, in one number: smaller first. */
static uint64_t route_key(const struct item *item)
{
    bool block = item->flags & HG_IMAGE_BLOCK;
    return (uint64_t)item->priority << 48 | (uint64_t)!block << 47 |
           (uint64_t)(UINT16_MAX - item->weight) << 31;
}

static void sort_small(struct item *item, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        struct item moved = item[i];
        uint64_t key = route_key(&moved);
        uint32_t at = i;
        for (; at > 0 && route_key(&item[at - 1]) > key; at--)
            item[at] = item[at - 1];
        item[at] = moved;
    }
}

/* Items of one group next to each other, groups in the order of their positions; equal routes keep their
 * order. */
static bool gather(struct compile *c)
{
    struct item *sorted = malloc((c->nitems + 1) * sizeof(*sorted));
    uint32_t *start = malloc((c->ngroups + 1) * sizeof(*start));
    if (sorted && start) {
        uint32_t at = 0;
        for (uint32_t p = 0; p < c->ngroups; p++) {
            start[c->order[p]] = at;
            at += c->groups[c->order[p]].n;
        }
        for (uint32_t i = 0; i < c->nitems; i++)
            sorted[start[c->items[i].group]++] = c->items[i];
        at = 0;
        for (uint32_t p = 0; p < c->ngroups; p++) {
            struct group *g = &c->groups[c->order[p]];
            sort_small(sorted + at, g->n);
            g->item = at;
            at += g->n;
        }
        free(c->items);
        c->items = sorted;
        sorted = NULL;
    }
    bool done = start && !sorted;
    free(sorted);
    free(start);
    return done;
}

bool order_groups(struct compile *c)
{
    struct key *keys = malloc((c->ngroups + 1) * sizeof(*keys));
    c->order = malloc((c->ngroups + 1) * sizeof(*c->order));
    if (!keys || !c->order) {
        free(keys);
        return false;
    }
    for (uint32_t i = 0; i < c->ngroups; i++) {
        const struct item *item = &c->items[c->groups[i].item];
        keys[i] = (struct key){item->rank, c->text + item->text, i, item->len, item->star_at};
    }
    qsort(keys, c->ngroups, sizeof(*keys), by_rank);
    for (uint32_t p = 0; p < c->ngroups; p++) {
        c->order[p] = keys[p].group;
        c->groups[keys[p].group].position = p;
    }
    free(keys);
    return gather(c);
}
