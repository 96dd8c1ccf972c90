/* SPDX-License-Identifier: BSD-2-Clause */
/* From next hops as written to endpoints with numbers (L11, L12, L28, M08). */
#include <stdlib.h>

#include "routes/compile.h"

/* kind and normalised name. out: HG_HOST_MAX + 2 bytes. */
static uint32_t name_key(const char *name, uint8_t kind, char *out)
{
    out[0] = (char)('a' + kind);
    return 1 + hg_host_normalise(slice_str(name), out + 1);
}

bool targets_index(struct compile *c)
{
    const struct routes_input *in = c->input;
    char key[HG_HOST_MAX + 2];
    bool fresh;
    if (!map_open(&c->resolved, in->nresolved))
        return false;
    for (uint32_t i = 0; i < in->nresolved; i++) {
        uint32_t len = name_key(in->resolved[i].name, in->resolved[i].kind, key);
        if (!map_put(&c->resolved, key, len, i, &fresh))
            return false;
    }
    return true;
}

const struct routes_resolved *resolved_find(const struct compile *c, const char *name, uint8_t kind)
{
    char key[HG_HOST_MAX + 2];
    const struct map_item *i = map_find(&c->resolved, key, name_key(name, kind, key));
    return i ? &c->input->resolved[i->value] : NULL;
}

static bool target_room(struct compile *c)
{
    if (c->ntargets < c->targets_room)
        return true;
    uint32_t room = c->targets_room ? c->targets_room * 2 : 1024;
    struct hg_image_target *targets = realloc(c->targets, room * sizeof(*targets));
    if (!targets) {
        c->no_memory = true;
        return false;
    }
    c->targets = targets;
    c->targets_room = room;
    return true;
}

/* false: no number left for this endpoint. */
static bool add_endpoint(struct compile *c, struct item *item, const struct hg_endpoint *ep,
                         uint16_t priority, uint16_t weight)
{
    bool fresh;
    uint32_t slot = slots_take(&c->hops, &c->routes->hops, ep, sizeof(*ep), &fresh);
    if (slot == SLOTS_NONE)
        return false;
    if (fresh)
        c->hop_serial[slot] = c->serial++;
    c->hop[slot] = *ep;
    for (uint32_t i = 0; i < item->ntargets; i++)
        if (c->targets[item->target + i].hop == slot)
            return true;
    if (!target_room(c))
        return false;
    c->targets[c->ntargets++] = (struct hg_image_target){(uint16_t)slot, priority, weight, 0};
    item->ntargets++;
    return true;
}

static int by_priority(const void *a, const void *b)
{
    const struct hg_image_target *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return x->hop < y->hop ? -1 : x->hop > y->hop;
}

static enum routes_reason add_named(struct compile *c, struct item *item, const struct hg_static_route *route)
{
    const struct routes_resolved *r = resolved_find(c, route->next_hop, routes_kind(route));
    if (!r || (r->n == 0 && r->pending))
        return ROUTES_RESOLVING;
    bool room = true;
    for (uint32_t i = 0; i < r->n && item->ntargets < HG_IMAGE_TARGETS; i++) {
        const struct routes_address *a = &r->address[i];
        uint16_t port = route->port ? route->port : a->port;
        struct hg_endpoint ep = {.ip = a->ip, .port = port, .proto = route->proto};
        if (port != 0)
            room &= add_endpoint(c, item, &ep, a->priority, a->weight);
    }
    if (item->ntargets == 0)
        return room ? ROUTES_NO_ADDRESS : ROUTES_HOPS_FULL;
    item->named = true;
    qsort(c->targets + item->target, item->ntargets, sizeof(*c->targets), by_priority);
    return ROUTES_GOOD;
}

void targets_add(struct compile *c, struct item *item)
{
    const struct hg_static_route *route = input_route(c->input, item->route);
    struct routes_status *s = &c->status[item->route];
    enum routes_reason reason = ROUTES_GOOD;
    struct hg_endpoint ep = {.port = route->port, .proto = route->proto};
    item->target = c->ntargets;
    if (!route->in_service) {
        s->state = ROUTES_OUT_OF_SERVICE;
        s->reason = ROUTES_SWITCHED_OFF;
        return;
    }
    if (route->block)
        return;
    if (route->proto == HG_TLS) {
        s->state = ROUTES_NO_TRANSPORT;
        s->reason = ROUTES_TRANSPORT;
        item->flags |= HG_IMAGE_NO_TRANSPORT;
        return;
    }
    if (!hg_ip_parse(slice_str(route->next_hop), &ep.ip))
        reason = add_named(c, item, route);
    else if (!add_endpoint(c, item, &ep, 0, 1))
        reason = ROUTES_HOPS_FULL;
    s->nhops = (uint8_t)item->ntargets;
    if (reason != ROUTES_GOOD) {
        s->state = ROUTES_UNRESOLVED;
        s->reason = (uint8_t)reason;
    }
}
