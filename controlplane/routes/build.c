/* SPDX-License-Identifier: BSD-2-Clause */
/* From ordered groups to the flat image. */
#include <stdlib.h>

#include "routes/compile.h"

static const uint32_t element_size[HG_SECTIONS] = {
    [HG_SECTION_SLOTS] = sizeof(struct hg_image_slot),
    [HG_SECTION_ENTRIES] = sizeof(struct hg_image_entry),
    [HG_SECTION_PREFIXES] = sizeof(struct hg_image_prefix),
    [HG_SECTION_RULES] = sizeof(struct hg_image_rule),
    [HG_SECTION_SUFFIXES] = sizeof(struct hg_image_suffix),
    [HG_SECTION_FORMS] = 1,
    [HG_SECTION_GROUPS] = sizeof(struct hg_image_group),
    [HG_SECTION_ROUTES] = sizeof(struct hg_image_route),
    [HG_SECTION_TARGETS] = sizeof(struct hg_image_target),
    [HG_SECTION_HOPS] = sizeof(struct hg_image_hop),
    [HG_SECTION_NEIGHBOURS] = sizeof(struct hg_image_neighbour),
    [HG_SECTION_HOSTS] = sizeof(struct hg_endpoint),
    [HG_SECTION_TEXT] = 1,
};

static bool same_key(const struct builder *b, const struct hg_image_entry *e, const char *key, uint32_t len)
{
    uint32_t head = len < HG_IMAGE_HEAD ? len : HG_IMAGE_HEAD;
    return memcmp(e->head, key, head) == 0 &&
           memcmp(b->section[HG_SECTION_TEXT] + e->text, key + head, len - head) == 0;
}

struct hg_image_entry *builder_put(struct builder *b, const void *key, uint32_t len, uint8_t kind,
                                   uint32_t context, uint32_t value, bool *fresh)
{
    struct hg_image_slot *slots = (struct hg_image_slot *)(void *)b->section[HG_SECTION_SLOTS];
    struct hg_image_entry *entries = (struct hg_image_entry *)(void *)b->section[HG_SECTION_ENTRIES];
    uint64_t mask = b->n[HG_SECTION_SLOTS] - 1;
    struct hg_image_text t;
    hg_image_text_set(&t, b->head.seed, key, len);
    uint64_t h = hg_image_hash(&t, len, kind, context);
    *fresh = false;
    for (uint32_t i = 0; i < HG_IMAGE_PROBES; i++) {
        struct hg_image_slot *s = &slots[(h + i) & mask];
        if (s->entry == 0) {
            uint64_t at = b->n[HG_SECTION_ENTRIES]++;
            uint32_t head = len < HG_IMAGE_HEAD ? len : HG_IMAGE_HEAD;
            entries[at] = (struct hg_image_entry){.text = (uint32_t)b->n[HG_SECTION_TEXT],
                                                  .value = value,
                                                  .context = context,
                                                  .len = (uint16_t)len,
                                                  .kind = kind};
            memcpy(entries[at].head, key, head);
            memcpy(b->section[HG_SECTION_TEXT] + b->n[HG_SECTION_TEXT], (const char *)key + head, len - head);
            b->n[HG_SECTION_TEXT] += len - head;
            *s = (struct hg_image_slot){(uint32_t)(h >> 32), (uint32_t)at + 1};
            if (b->head.probes < i + 1)
                b->head.probes = i + 1;
            *fresh = true;
            return &entries[at];
        }
        struct hg_image_entry *e = &entries[s->entry - 1];
        if (s->tag == (uint32_t)(h >> 32) && e->kind == kind && e->len == len && e->context == context &&
            same_key(b, e, key, len))
            return e;
    }
    b->crowded = true;
    return NULL;
}

static bool allocate(struct builder *b, unsigned attempt)
{
    struct compile *c = b->c;
    uint64_t text = 0;
    /* A host pattern makes two entries at most, the others one. */
    uint64_t entries = 2ull * c->ngroups + access_entries_max(c, &text);
    uint64_t slots = 64;
    while (slots < entries * 2)
        slots *= 2;
    const uint64_t room[HG_SECTIONS] = {
        [HG_SECTION_SLOTS] = slots << attempt, [HG_SECTION_ENTRIES] = entries,
        [HG_SECTION_PREFIXES] = c->ngroups,    [HG_SECTION_RULES] = c->ngroups,
        [HG_SECTION_SUFFIXES] = c->ngroups,    [HG_SECTION_FORMS] = c->ngroups,
        [HG_SECTION_GROUPS] = c->ngroups,      [HG_SECTION_ROUTES] = c->nitems,
        [HG_SECTION_TARGETS] = c->ntargets,    [HG_SECTION_HOPS] = HG_HOP_SLOTS,
        [HG_SECTION_NEIGHBOURS] = UINT16_MAX,  [HG_SECTION_HOSTS] = entries,
        [HG_SECTION_TEXT] = c->ntext + text,
    };
    for (unsigned i = 0; i < HG_SECTIONS; i++) {
        b->section[i] = calloc(room[i] + 1, element_size[i]);
        if (!b->section[i])
            return false;
    }
    b->n[HG_SECTION_SLOTS] = room[HG_SECTION_SLOTS];
    return true;
}

static void release(struct builder *b)
{
    for (unsigned i = 0; i < HG_SECTIONS; i++)
        free(b->section[i]);
}

static void build_routes(struct builder *b)
{
    struct compile *c = b->c;
    struct hg_image_group *groups = (struct hg_image_group *)(void *)b->section[HG_SECTION_GROUPS];
    struct hg_image_route *routes = (struct hg_image_route *)(void *)b->section[HG_SECTION_ROUTES];
    struct hg_image_hop *hops = (struct hg_image_hop *)(void *)b->section[HG_SECTION_HOPS];
    for (uint32_t i = 0; i < c->nitems; i++) {
        const struct item *item = &c->items[i];
        routes[i] = (struct hg_image_route){.slot = c->status[item->route].slot,
                                            .target = item->target,
                                            .hop = item->ntargets == 1 ? c->targets[item->target].hop : 0,
                                            .ntargets = (uint8_t)item->ntargets,
                                            .priority = item->priority,
                                            .weight = item->weight,
                                            .flags = item->flags};
    }
    for (uint32_t p = 0; p < c->ngroups; p++) {
        const struct group *g = &c->groups[c->order[p]];
        groups[p] = (struct hg_image_group){g->item, g->n, routes[g->item]};
    }
    if (c->ntargets)
        memcpy(b->section[HG_SECTION_TARGETS], c->targets, c->ntargets * sizeof(*c->targets));
    for (uint32_t i = 0; i < c->hops.map.n; i++) {
        uint32_t slot = c->hops.map.items[i].value;
        if (slot != SLOTS_NONE)
            hops[slot] = (struct hg_image_hop){c->hop[slot], c->hop_serial[slot]};
    }
    b->n[HG_SECTION_GROUPS] = c->ngroups;
    b->n[HG_SECTION_ROUTES] = c->nitems;
    b->n[HG_SECTION_TARGETS] = c->ntargets;
    b->n[HG_SECTION_HOPS] = c->hops.highest;
}

static bool assemble(struct builder *b)
{
    struct hg_image *head = &b->head;
    uint64_t size = sizeof(*head);
    for (unsigned i = 0; i < HG_SECTIONS; i++) {
        head->section[i].offset = size;
        head->section[i].n = b->n[i];
        size += (b->n[i] * element_size[i] + 7) & ~7ull;
    }
    head->magic = HG_IMAGE_MAGIC;
    head->layout = HG_IMAGE_LAYOUT;
    head->header = sizeof(*head);
    head->size = size;
    head->generation = b->c->routes->generation + 1;
    char *image = aligned_alloc(64, (size + 63) & ~63ull);
    if (!image)
        return false;
    memset(image + size, 0, ((size + 63) & ~63ull) - size);
    memcpy(image, head, sizeof(*head));
    for (unsigned i = 0; i < HG_SECTIONS; i++) {
        uint64_t bytes = b->n[i] * element_size[i];
        memcpy(image + head->section[i].offset, b->section[i], bytes);
        memset(image + head->section[i].offset + bytes, 0, -bytes & 7);
    }
    b->c->image = image;
    b->c->size = size;
    return true;
}

/* Whoever writes patterns cannot choose the seed, so a crowded table is chance and another seed helps. */
bool build_image(struct compile *c)
{
    for (unsigned attempt = 0; attempt < 6; attempt++) {
        struct builder b = {.c = c};
        c->routes->next_seed = hg_image_mix(c->routes->next_seed, 0x8ebc6af09c88c6e3ull + attempt);
        b.head.seed = c->routes->next_seed;
        bool room = allocate(&b, attempt > 2 ? attempt - 2 : 0);
        if (room) {
            build_patterns(&b);
            build_access(&b);
        }
        bool done = false;
        if (room && !b.crowded) {
            build_routes(&b);
            done = assemble(&b);
        }
        release(&b);
        if (!room || done)
            return done;
    }
    return false;
}
