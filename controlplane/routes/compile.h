/* SPDX-License-Identifier: BSD-2-Clause */
/* One compilation, private to controlplane/routes. */
#ifndef ROUTES_COMPILE_H
#define ROUTES_COMPILE_H

#include "hg/route_image.h"
#include "hg/route_pattern.h"
#include "routes/map.h"
#include "routes/routes.h"
#include "routes/slots.h"

struct routes {
    char node[HG_NODE_NAME_MAX + 1];
    uint64_t generation;
    uint64_t next_seed;
    struct slots names; /* route name -> slot of route_stats, 0 is shared */
    struct slots hops;  /* endpoint -> hop slot */
    uint32_t serial;    /* of the next hop */
    uint32_t *hop_serial;
    struct routes_status *status;
    char *image;
    struct routes_result result;
    uint64_t published, retired; /* newest and oldest generation with a name */
};

struct item { /* a route that was not refused */
    uint64_t rank;
    uint32_t route; /* index of input and status */
    uint32_t text;  /* offset of the pattern's characters */
    uint32_t group;
    uint32_t target; /* first */
    uint16_t ntargets;
    uint16_t len, star_at, lead;
    uint16_t priority, weight;
    uint8_t type, flags; /* enum hg_image_route_flags */
    bool star, embedded;
    bool named; /* its next hop was resolved */
};

struct group {
    uint64_t rank;
    uint32_t item; /* one of its items: they have the same pattern */
    uint32_t n;
    uint32_t position;
    uint32_t part; /* prefix or suffix */
    bool dropped;  /* ROUTES_FORMS */
};

struct compile {
    struct routes *routes;
    const struct routes_input *input;
    uint32_t n; /* routes of both sources */
    struct routes_status *status;
    struct hg_pattern template[HG_TEMPLATES_MAX];
    uint32_t ntemplates;
    struct map resolved; /* kind and name -> index of input->resolved */
    struct map patterns; /* -> group */
    struct slots names, hops;
    uint32_t serial;
    uint32_t *hop_serial; /* a copy */
    struct item *items;
    uint32_t nitems;
    struct group *groups; /* by number; order gives their positions */
    uint32_t ngroups;
    uint32_t *order; /* group at each position */
    char *text;
    size_t ntext, text_room;
    struct hg_image_target *targets;
    uint32_t ntargets, targets_room;
    struct hg_endpoint *hop; /* by slot, HG_HOP_SLOTS */
    bool slots_full, no_memory;
    uint32_t neighbours, networks, neighbours_unresolved;
    char *image;
    uint64_t size;
};

static inline const struct hg_static_route *input_route(const struct routes_input *in, uint32_t i)
{
    return i < in->config->nroutes ? &in->config->routes[i] : &in->admin[i - in->config->nroutes];
}

/* check.c: everything that a route can be refused for by itself; the pattern is taken apart. */
enum routes_reason check_route(const struct hg_pattern *templates, uint32_t ntemplates,
                               const struct hg_static_route *route, struct hg_pattern *pattern);
bool route_needs_name(const struct hg_static_route *route, uint8_t *kind);
/* targets.c */
bool targets_index(struct compile *c);
void targets_add(struct compile *c, struct item *item);
const struct routes_resolved *resolved_find(const struct compile *c, const char *name, uint8_t kind);
/* order.c: positions of groups, order of routes in a group */
bool order_groups(struct compile *c);
/* build.c */
bool build_image(struct compile *c);

/* The image under construction. Sections have room for the worst case, so nothing can fail on the way but the
 * hash. */
struct builder {
    struct compile *c;
    struct hg_image head;
    char *section[HG_SECTIONS];
    uint64_t n[HG_SECTIONS];
    bool crowded; /* a key found no slot within HG_IMAGE_PROBES: another seed is needed */
};
/* The entry with this key, made with value if there was none. NULL when crowded. */
struct hg_image_entry *builder_put(struct builder *b, const void *key, uint32_t len, uint8_t kind,
                                   uint32_t context, uint32_t value, bool *fresh);
/* build_patterns.c */
void build_patterns(struct builder *b);
/* build_access.c: domains, names, neighbours, networks */
uint64_t access_entries_max(const struct compile *c, uint64_t *text);
void build_access(struct builder *b);

#endif
