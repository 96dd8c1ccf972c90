/* SPDX-License-Identifier: BSD-2-Clause */
#include "hg/route_image.h"

/* Largest number of elements of one section: keeps every index in 32 bits with room to add. */
#define SECTION_MAX (1u << 30)

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

static uint64_t count(const struct hg_image *image, unsigned section)
{
    return image->section[section].n;
}

/* first .. first + n - 1 stand in the section; no sum overflows, n and first are 32 bits wide. */
static bool range(const struct hg_image *image, unsigned section, uint64_t first, uint64_t n)
{
    return first + n <= count(image, section);
}

static const char *check_header(const struct hg_image *image, uint64_t size)
{
    if (image->magic != HG_IMAGE_MAGIC)
        return "not a route image";
    if (image->layout != HG_IMAGE_LAYOUT || image->header != sizeof(*image))
        return "a route image of another version; run the same build on both sides";
    if (image->size != size)
        return "size differs from its header";
    if (image->probes > HG_IMAGE_PROBES)
        return "too many probes";
    if (image->nshapes > HG_TEMPLATES_MAX || image->nnets > 129)
        return "too many shapes or network lengths";
    for (uint32_t i = 0; i < image->nnets; i++)
        if (image->net_bits[i] > 128)
            return "network length out of range";
    for (uint32_t i = 0; i < image->nshapes; i++)
        if (image->shape[i].len > HG_PATTERN_MAX)
            return "shape too long";
    return NULL;
}

static const char *check_sections(const struct hg_image *image, uint64_t size)
{
    for (unsigned i = 0; i < HG_SECTIONS; i++) {
        uint64_t offset = image->section[i].offset, n = image->section[i].n;
        if (n > SECTION_MAX || offset % 8 || offset < sizeof(*image) || offset > size ||
            n * element_size[i] > size - offset)
            return "section outside of the image";
    }
    uint64_t slots = count(image, HG_SECTION_SLOTS);
    if (slots == 0 || (slots & (slots - 1)))
        return "number of slots is not a power of two";
    if (count(image, HG_SECTION_HOPS) > HG_HOP_SLOTS || count(image, HG_SECTION_NEIGHBOURS) > UINT16_MAX ||
        image->networks > UINT16_MAX)
        return "more next hops, neighbours or networks than numbers";
    return NULL;
}

static const char *check_table(const struct hg_image *image)
{
    static const uint8_t value_in[HG_KEY_KINDS] = {
        [HG_KEY_USER] = HG_SECTION_GROUPS,
        [HG_KEY_PREFIX] = HG_SECTION_PREFIXES,
        [HG_KEY_SHAPE] = HG_SECTION_GROUPS,
        [HG_KEY_HOST] = HG_SECTION_GROUPS,
        [HG_KEY_SUFFIX] = HG_SECTION_SUFFIXES,
        [HG_KEY_BOTH] = HG_SECTION_GROUPS,
        [HG_KEY_LOCAL] = HG_SECTIONS,
        [HG_KEY_NAME] = HG_SECTION_HOSTS,
        [HG_KEY_NEIGHBOUR] = HG_SECTION_NEIGHBOURS,
        [HG_KEY_NETWORK] = HG_SECTIONS,
    };
    const struct hg_image_slot *slots = HG_IMAGE_AT(image, HG_SECTION_SLOTS, struct hg_image_slot);
    const struct hg_image_entry *e = HG_IMAGE_AT(image, HG_SECTION_ENTRIES, struct hg_image_entry);
    uint64_t nslots = count(image, HG_SECTION_SLOTS), nentries = count(image, HG_SECTION_ENTRIES);
    for (uint64_t i = 0; i < nslots; i++)
        if (slots[i].entry > nentries)
            return "slot without an entry";
    for (uint64_t i = 0; i < nentries; i++, e++) {
        if (e->kind == 0 || e->kind >= HG_KEY_KINDS)
            return "entry of an unknown kind";
        uint32_t rest = e->len > HG_IMAGE_HEAD ? e->len - HG_IMAGE_HEAD : 0;
        if (e->len > HG_IMAGE_TEXT_MAX || !range(image, HG_SECTION_TEXT, e->text, rest))
            return "entry without its text";
        if (value_in[e->kind] != HG_SECTIONS && !range(image, value_in[e->kind], e->value, 1))
            return "entry with a value out of range";
        if (e->kind == HG_KEY_NETWORK && e->value >= image->networks)
            return "network with a number out of range";
    }
    return NULL;
}

static const char *check_patterns(const struct hg_image *image)
{
    const struct hg_image_prefix *p = HG_IMAGE_AT(image, HG_SECTION_PREFIXES, struct hg_image_prefix);
    const struct hg_image_rule *r = HG_IMAGE_AT(image, HG_SECTION_RULES, struct hg_image_rule);
    const struct hg_image_suffix *s = HG_IMAGE_AT(image, HG_SECTION_SUFFIXES, struct hg_image_suffix);
    for (uint64_t i = 0; i < count(image, HG_SECTION_PREFIXES); i++, p++)
        if (!range(image, HG_SECTION_RULES, p->rule, (uint64_t)p->nexact + p->nstar) ||
            p->nexact > HG_IMAGE_TEXT_MAX || p->nstar > HG_IMAGE_TEXT_MAX ||
            (p->nexact + p->nstar == 1 && !range(image, HG_SECTION_GROUPS, p->group, 1)))
            return "prefix without its rules";
    for (uint64_t i = 0; i < count(image, HG_SECTION_RULES); i++)
        if (!range(image, HG_SECTION_GROUPS, r[i].group, 1))
            return "rule without a group";
    for (uint64_t i = 0; i < count(image, HG_SECTION_SUFFIXES); i++, s++) {
        if (s->group != HG_IMAGE_NONE && !range(image, HG_SECTION_GROUPS, s->group, 1))
            return "suffix without a group";
        if (s->nforms > HG_IMAGE_TEXT_MAX || !range(image, HG_SECTION_FORMS, s->form, s->nforms))
            return "suffix without its forms";
    }
    return NULL;
}

static bool route_good(const struct hg_image *image, const struct hg_image_route *r)
{
    const struct hg_image_hop *hops = HG_IMAGE_AT(image, HG_SECTION_HOPS, struct hg_image_hop);
    if (r->ntargets > HG_IMAGE_TARGETS || !range(image, HG_SECTION_TARGETS, r->target, r->ntargets) ||
        r->slot >= HG_ROUTE_SLOTS)
        return false;
    return r->ntargets != 1 || (range(image, HG_SECTION_HOPS, r->hop, 1) && hops[r->hop].serial != 0);
}

static const char *check_routes(const struct hg_image *image)
{
    const struct hg_image_group *g = HG_IMAGE_AT(image, HG_SECTION_GROUPS, struct hg_image_group);
    const struct hg_image_route *r = HG_IMAGE_AT(image, HG_SECTION_ROUTES, struct hg_image_route);
    const struct hg_image_target *t = HG_IMAGE_AT(image, HG_SECTION_TARGETS, struct hg_image_target);
    const struct hg_image_hop *hops = HG_IMAGE_AT(image, HG_SECTION_HOPS, struct hg_image_hop);
    for (uint64_t i = 0; i < count(image, HG_SECTION_GROUPS); i++, g++)
        if (g->nroutes > HG_SAME_PATTERN_MAX || !range(image, HG_SECTION_ROUTES, g->route, g->nroutes) ||
            (g->nroutes == 1 && !route_good(image, &g->only)))
            return "group without its routes";
    for (uint64_t i = 0; i < count(image, HG_SECTION_ROUTES); i++, r++)
        if (!route_good(image, r))
            return "route without its targets";
    for (uint64_t i = 0; i < count(image, HG_SECTION_TARGETS); i++, t++)
        if (!range(image, HG_SECTION_HOPS, t->hop, 1) || hops[t->hop].serial == 0)
            return "target without a next hop";
    return NULL;
}

bool hg_image_check(const void *data, uint64_t size, const char **why)
{
    const struct hg_image *image = data;
    *why = NULL;
    if (size < sizeof(*image) || (uintptr_t)data % 8)
        *why = "too short or not aligned";
    if (!*why)
        *why = check_header(image, size);
    if (!*why)
        *why = check_sections(image, size);
    if (!*why)
        *why = check_table(image);
    if (!*why)
        *why = check_patterns(image);
    if (!*why)
        *why = check_routes(image);
    return !*why;
}
