/* SPDX-License-Identifier: BSD-2-Clause */
/* The compiler: check every route, gather equal patterns, give numbers, order, build, and only then replace.
 */
#include "routes/routes.h"

#include <stdio.h>
#include <stdlib.h>

#include "routes/compile.h"

/* Next hops stay close together, cores look at all numbers up to the highest; and a core starts the counters
 * of a next hop anew. Counters of routes it cannot: those numbers are used again only when there are no
 * others. */
#define HOPS_RESTING 64

struct routes *routes_create(const char *node, uint32_t slots, uint64_t first_generation)
{
    struct routes *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    snprintf(r->node, sizeof(r->node), "%s", node);
    r->generation = first_generation;
    r->published = r->retired = first_generation;
    r->next_seed = first_generation;
    r->serial = 1;
    r->hop_serial = calloc(HG_HOP_SLOTS, sizeof(*r->hop_serial));
    if (!r->hop_serial || !slots_open(&r->names, 1, slots < 1 ? 1 : slots, slots) ||
        !slots_open(&r->hops, 0, HG_HOP_SLOTS, HOPS_RESTING)) {
        routes_destroy(r);
        return NULL;
    }
    return r;
}

void routes_destroy(struct routes *r)
{
    if (!r)
        return;
    slots_close(&r->names);
    slots_close(&r->hops);
    free(r->hop_serial);
    free(r->status);
    free(r->image);
    free(r);
}

static bool text_room(struct compile *c, uint32_t len)
{
    if (c->text && c->ntext + len <= c->text_room)
        return true;
    size_t room = c->text_room ? c->text_room * 2 : 65536;
    char *text = realloc(c->text, room);
    if (!text)
        return false;
    c->text = text;
    c->text_room = room;
    return true;
}

/* Identical means: of one type and the same once taken apart. */
static struct group *find_group(struct compile *c, const struct hg_pattern *p, bool *fresh)
{
    char key[HG_PATTERN_MAX + 4];
    key[0] = (char)(p->type << 1 | p->star);
    memcpy(key + 1, &p->star_at, sizeof(p->star_at));
    memcpy(key + 3, p->c, p->len);
    struct map_item *m = map_put(&c->patterns, key, p->len + 3u, c->ngroups, fresh);
    if (!m)
        return NULL;
    if (*fresh)
        c->groups[c->ngroups++] = (struct group){.rank = hg_pattern_rank(p)};
    return &c->groups[m->value];
}

static bool refuse(struct routes_status *s, enum routes_reason reason)
{
    s->state = ROUTES_REFUSED;
    s->reason = (uint8_t)reason;
    return true;
}

static uint8_t flags_of(const struct hg_static_route *r)
{
    return (uint8_t)((r->in_service ? HG_IMAGE_IN_SERVICE : 0) | (r->block ? HG_IMAGE_BLOCK : 0) |
                     (r->stateful ? HG_IMAGE_STATEFUL : 0) | (r->parallel ? HG_IMAGE_PARALLEL : 0) |
                     (r->less_specific ? HG_IMAGE_LESS_SPECIFIC : 0));
}

/* false: no memory */
static bool add_route(struct compile *c, uint32_t i)
{
    const struct hg_static_route *route = input_route(c->input, i);
    struct routes_status *s = &c->status[i];
    struct hg_pattern p;
    bool fresh;
    uint32_t before = c->names.map.n;
    s->position = UINT32_MAX;
    enum routes_reason reason = check_route(c->template, c->ntemplates, route, &p);
    if (reason == ROUTES_NAME_EMPTY)
        return refuse(s, reason);
    uint32_t slot =
        slots_take(&c->names, &c->routes->names, route->name, (uint32_t)strnlen(route->name, 64), &fresh);
    if (c->names.map.n == before)
        return refuse(s, ROUTES_NAME_TAKEN);
    c->slots_full |= slot == SLOTS_NONE;
    s->slot = slot == SLOTS_NONE ? 0 : slot;
    if (reason != ROUTES_GOOD)
        return refuse(s, reason);
    struct group *g = find_group(c, &p, &fresh);
    if (!g || !text_room(c, p.len))
        return false;
    if (g->n >= HG_SAME_PATTERN_MAX)
        return refuse(s, ROUTES_TOO_MANY);
    struct item *item = &c->items[c->nitems];
    *item = (struct item){.rank = g->rank,
                          .route = i,
                          .group = (uint32_t)(g - c->groups),
                          .text = (uint32_t)c->ntext,
                          .len = p.len,
                          .star_at = p.star_at,
                          .lead = p.lead,
                          .priority = route->priority,
                          .weight = route->weight,
                          .type = p.type,
                          .flags = flags_of(route),
                          .star = p.star,
                          .embedded = p.embedded};
    if (fresh) {
        memcpy(c->text + c->ntext, p.c, p.len);
        c->ntext += p.len;
    } else {
        item->text = c->items[g->item].text;
    }
    if (g->n++ == 0)
        g->item = c->nitems;
    targets_add(c, item);
    c->nitems++;
    return !c->no_memory;
}

static bool begin(struct compile *c)
{
    const struct hg_config *config = c->input->config;
    uint32_t n = c->n = config->nroutes + c->input->nadmin;
    for (uint32_t i = 0; i < config->ntemplates && c->ntemplates < HG_TEMPLATES_MAX; i++)
        if (hg_template_parse(slice_str(config->templates[i]), &c->template[c->ntemplates]) == HG_PATTERN_OK)
            c->ntemplates++;
    c->status = calloc(n + 1ul, sizeof(*c->status));
    c->items = malloc((n + 1ul) * sizeof(*c->items));
    c->groups = malloc((n + 1ul) * sizeof(*c->groups));
    c->hop = calloc(HG_HOP_SLOTS, sizeof(*c->hop));
    c->hop_serial = malloc(HG_HOP_SLOTS * sizeof(*c->hop_serial));
    c->serial = c->routes->serial;
    if (!c->status || !c->items || !c->groups || !c->hop || !c->hop_serial || !map_open(&c->patterns, n))
        return false;
    memcpy(c->hop_serial, c->routes->hop_serial, HG_HOP_SLOTS * sizeof(*c->hop_serial));
    return targets_index(c) && slots_begin(&c->names, &c->routes->names, n) &&
           slots_begin(&c->hops, &c->routes->hops, 64);
}

static void release(struct compile *c)
{
    map_close(&c->resolved);
    map_close(&c->patterns);
    slots_close(&c->names);
    slots_close(&c->hops);
    free(c->hop_serial);
    free(c->status);
    free(c->items);
    free(c->groups);
    free(c->order);
    free(c->text);
    free(c->targets);
    free(c->hop);
    free(c->image);
}

static void swap_slots(struct slots *kept, struct slots *made)
{
    slots_finish(made, kept);
    struct slots old = *kept;
    *kept = *made;
    *made = old;
}

/* From here on nothing can fail. */
static const struct routes_result *commit(struct compile *c)
{
    struct routes *r = c->routes;
    for (uint32_t i = 0; i < c->nitems; i++) {
        const struct group *g = &c->groups[c->items[i].group];
        if (!g->dropped)
            c->status[c->items[i].route].position = g->position;
    }
    r->result = (struct routes_result){.generation = ++r->generation,
                                       .image = c->image,
                                       .size = c->size,
                                       .n = c->n,
                                       .status = c->status,
                                       .patterns = c->ngroups,
                                       .hops = c->hops.map.n,
                                       .neighbours = c->neighbours,
                                       .networks = c->networks,
                                       .neighbours_unresolved = c->neighbours_unresolved,
                                       .slots_full = c->slots_full};
    for (uint32_t i = 0; i < c->n; i++)
        r->result.count[c->status[i].state]++;
    swap_slots(&r->names, &c->names);
    swap_slots(&r->hops, &c->hops);
    memcpy(r->hop_serial, c->hop_serial, HG_HOP_SLOTS * sizeof(*r->hop_serial));
    r->serial = c->serial;
    free(r->status);
    free(r->image);
    r->status = c->status;
    r->image = c->image;
    c->status = NULL;
    c->image = NULL;
    return &r->result;
}

static void forget_seen(struct slots *s)
{
    for (uint32_t i = 0; i < s->map.n; i++)
        s->map.items[i].seen = false;
}

const struct routes_result *routes_compile(struct routes *routes, const struct routes_input *input)
{
    struct compile c = {.routes = routes, .input = input};
    const struct routes_result *result = NULL;
    const char *why = NULL;
    forget_seen(&routes->names);
    forget_seen(&routes->hops);
    bool good = begin(&c);
    for (uint32_t i = 0; good && i < c.n; i++)
        good = add_route(&c, i);
    /* What the cores would refuse never leaves. */
    if (good && order_groups(&c) && build_image(&c) && hg_image_check(c.image, c.size, &why))
        result = commit(&c);
    release(&c);
    return result;
}

bool routes_hop(const struct routes *r, uint16_t slot, struct hg_endpoint *out)
{
    const struct hg_image *image = (const struct hg_image *)(const void *)r->image;
    if (!image || slot >= image->section[HG_SECTION_HOPS].n)
        return false;
    const struct hg_image_hop *hop = HG_IMAGE_AT(image, HG_SECTION_HOPS, struct hg_image_hop) + slot;
    *out = hop->ep;
    return hop->serial != 0;
}

uint32_t routes_hops_end(const struct routes *r)
{
    const struct hg_image *image = (const struct hg_image *)(const void *)r->image;
    return image ? (uint32_t)image->section[HG_SECTION_HOPS].n : 0;
}
