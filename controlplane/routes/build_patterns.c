/* SPDX-License-Identifier: BSD-2-Clause */
/* Patterns into the table: whole texts, literals before trailing wildcards, forms of embedded wildcards,
 * endings and beginnings of host names. */
#include <stdlib.h>

#include "routes/compile.h"

enum pattern_kind { WHOLE, PREFIX, SHAPE, HOST, HOST_STAR };

static enum pattern_kind kind_of(const struct item *i)
{
    if (i->type == HG_ROUTE_DOMAIN)
        return i->star ? HOST_STAR : HOST;
    if (i->embedded)
        return SHAPE;
    return i->star || i->lead != i->len ? PREFIX : WHOLE;
}

static uint32_t shape_of(struct hg_image *head, const struct item *item, const char *text)
{
    struct hg_image_shape s = {.len = item->len, .star = item->star};
    for (uint16_t i = 0; i < item->len; i++)
        if (text[i] == HG_ANY_CHAR)
            s.any[i / 64] |= 1ull << (i % 64);
    for (uint32_t i = 0; i < head->nshapes; i++)
        if (memcmp(&head->shape[i], &s, sizeof(s)) == 0)
            return i;
    head->shape[head->nshapes] = s; /* there are no more than templates: each pattern matches one */
    return head->nshapes++;
}

static void set_length(uint64_t set[4], uint32_t n)
{
    set[n / 64] |= 1ull << (n % 64);
}

static void put_prefix(struct builder *b, struct group *g, const struct item *item, const char *text)
{
    struct hg_image_prefix *prefixes = (struct hg_image_prefix *)(void *)b->section[HG_SECTION_PREFIXES];
    bool fresh;
    const struct hg_image_entry *e =
        builder_put(b, text, item->lead, HG_KEY_PREFIX, 0, (uint32_t)b->n[HG_SECTION_PREFIXES], &fresh);
    if (!e)
        return;
    b->n[HG_SECTION_PREFIXES] += fresh;
    g->part = e->value;
    prefixes[e->value].nexact += !item->star;
    prefixes[e->value].nstar += item->star;
    set_length(b->head.prefix_lens, item->lead);
}

static void put_suffix(struct builder *b, struct group *g, const struct item *item, const char *text)
{
    struct hg_image_suffix *suffixes = (struct hg_image_suffix *)(void *)b->section[HG_SECTION_SUFFIXES];
    char reversed[HG_PATTERN_MAX];
    uint32_t n = item->len - item->star_at;
    bool fresh;
    for (uint32_t i = 0; i < n; i++)
        reversed[i] = text[item->len - 1 - i];
    const struct hg_image_entry *e =
        builder_put(b, reversed, n, HG_KEY_SUFFIX, 0, (uint32_t)b->n[HG_SECTION_SUFFIXES], &fresh);
    if (!e)
        return;
    if (fresh)
        suffixes[b->n[HG_SECTION_SUFFIXES]++].group = HG_IMAGE_NONE;
    g->part = e->value;
    if (item->star_at == 0)
        suffixes[e->value].group = g->position;
    set_length(b->head.suffix_lens, n);
}

static void put_group(struct builder *b, uint32_t position)
{
    struct compile *c = b->c;
    struct group *g = &c->groups[c->order[position]];
    const struct item *item = &c->items[g->item];
    const char *text = c->text + item->text;
    bool fresh;
    switch (kind_of(item)) {
    case WHOLE:
        (void)builder_put(b, text, item->len, HG_KEY_USER, 0, position, &fresh);
        break;
    case HOST:
        (void)builder_put(b, text, item->len, HG_KEY_HOST, 0, position, &fresh);
        break;
    case SHAPE:
        (void)builder_put(b, text, item->len, HG_KEY_SHAPE, shape_of(&b->head, item, text), position, &fresh);
        break;
    case PREFIX:
        put_prefix(b, g, item, text);
        break;
    case HOST_STAR:
        put_suffix(b, g, item, text);
        break;
    }
}

static int by_length(const void *a, const void *b)
{
    const struct hg_image_rule *x = a, *y = b;
    return (int)x->len - (int)y->len;
}

static void fill_rules(struct builder *b)
{
    struct compile *c = b->c;
    struct hg_image_prefix *prefixes = (struct hg_image_prefix *)(void *)b->section[HG_SECTION_PREFIXES];
    struct hg_image_rule *rules = (struct hg_image_rule *)(void *)b->section[HG_SECTION_RULES];
    uint32_t at = 0;
    for (uint64_t i = 0; i < b->n[HG_SECTION_PREFIXES]; i++) {
        prefixes[i].rule = at;
        at += prefixes[i].nexact + prefixes[i].nstar;
        prefixes[i].nexact = prefixes[i].nstar = 0;
    }
    b->n[HG_SECTION_RULES] = at;
    /* Rules without asterisk fill their prefix from the front; the others, next, follow them. */
    for (int star = 0; star <= 1; star++) {
        for (uint32_t p = 0; p < c->ngroups; p++) {
            const struct group *g = &c->groups[c->order[p]];
            const struct item *item = &c->items[g->item];
            if (kind_of(item) != PREFIX || item->star != star)
                continue;
            struct hg_image_prefix *x = &prefixes[g->part];
            rules[x->rule + x->nexact + x->nstar] = (struct hg_image_rule){p, item->len, 0};
            if (star)
                x->nstar++;
            else
                x->nexact++;
        }
    }
    for (uint64_t i = 0; i < b->n[HG_SECTION_PREFIXES]; i++) {
        if (prefixes[i].nexact + prefixes[i].nstar == 1) {
            prefixes[i].group = rules[prefixes[i].rule].group;
            prefixes[i].len = rules[prefixes[i].rule].len;
            continue;
        }
        qsort(rules + prefixes[i].rule, prefixes[i].nexact, sizeof(*rules), by_length);
        qsort(rules + prefixes[i].rule + prefixes[i].nexact, prefixes[i].nstar, sizeof(*rules), by_length);
    }
}

/* More forms than a look-up may try: the routes of that pattern are refused, the rest stands. */
static void drop_group(struct compile *c, struct group *g)
{
    g->dropped = true;
    for (uint32_t i = g->item; i < g->item + g->n; i++) {
        struct routes_status *s = &c->status[c->items[i].route];
        s->state = ROUTES_REFUSED;
        s->reason = ROUTES_FORMS;
    }
}

/* Host patterns with something before the asterisk: lengths per ending, then the beginnings themselves. */
static bool fill_forms(struct builder *b)
{
    struct compile *c = b->c;
    struct hg_image_suffix *suffixes = (struct hg_image_suffix *)(void *)b->section[HG_SECTION_SUFFIXES];
    uint8_t *forms = (uint8_t *)b->section[HG_SECTION_FORMS];
    uint64_t(*sets)[4] = calloc(b->n[HG_SECTION_SUFFIXES] + 1, sizeof(*sets));
    bool fresh;
    if (!sets)
        return false;
    for (uint32_t p = 0; p < c->ngroups; p++) {
        struct group *g = &c->groups[c->order[p]];
        const struct item *item = &c->items[g->item];
        if (kind_of(item) != HOST_STAR || item->star_at == 0)
            continue;
        uint64_t *set = sets[g->part];
        bool has = set[item->star_at / 64] >> (item->star_at % 64) & 1;
        if (!has && item->len != item->star_at && suffixes[g->part].nforms == HG_IMAGE_SUFFIX_FORMS) {
            drop_group(c, g);
            continue;
        }
        suffixes[g->part].nforms += !has;
        set_length(set, item->star_at);
        (void)builder_put(b, c->text + item->text, item->star_at, HG_KEY_BOTH, g->part, p, &fresh);
    }
    for (uint64_t i = 0; i < b->n[HG_SECTION_SUFFIXES]; i++) {
        suffixes[i].form = (uint32_t)b->n[HG_SECTION_FORMS];
        for (unsigned n = HG_PATTERN_MAX; n > 0; n--)
            if (sets[i][n / 64] >> (n % 64) & 1)
                forms[b->n[HG_SECTION_FORMS]++] = (uint8_t)n;
    }
    free(sets);
    return true;
}

void build_patterns(struct builder *b)
{
    for (uint32_t p = 0; p < b->c->ngroups && !b->crowded; p++)
        put_group(b, p);
    if (b->crowded)
        return;
    fill_rules(b);
    if (!fill_forms(b))
        b->crowded = true;
}
