/* SPDX-License-Identifier: BSD-2-Clause */
/* From the patterns that match to the list of what to try (L15-L20, M08, AE06). */
#include "hg/route_pattern.h"
#include "route/state.h"

#define PREFETCH_USER     62 /* longer names are rare */
#define PREFETCH_PREFIXES 4

struct walk {
    struct route *r;
    const struct hg_image_hop *hops;
    const struct hg_image_target *targets;
    struct route_targets *out;
    uint32_t draw;
    uint32_t drawn; /* draws so far: each gets its own number out of draw */
    uint8_t set;
    bool blocked, out_of_service, no_transport, down;
};

/* A number below n (n <= 2^24) that depends on the request and on how many were drawn before. */
static uint32_t draw_below(struct walk *w, uint32_t n)
{
    uint64_t x = hg_image_mix(w->draw ^ (uint64_t)++w->drawn << 32, 0xd6e8feb86659fd93ull);
    return (uint32_t)((x >> 32) * n >> 32);
}

/* Takes one of n candidates by weight and removes it; the order of the others is kept. */
static uint32_t take_weighted(struct walk *w, uint32_t *candidate, uint32_t *weight, uint32_t n,
                              uint32_t *sum)
{
    uint32_t at = 0;
    if (n > 1) {
        uint32_t x = draw_below(w, *sum);
        while (at + 1 < n && x >= weight[at])
            x -= weight[at++];
    }
    uint32_t taken = candidate[at];
    *sum -= weight[at];
    for (; at + 1 < n; at++) {
        candidate[at] = candidate[at + 1];
        weight[at] = weight[at + 1];
    }
    return taken;
}

static bool hop_usable(const struct walk *w, uint16_t hop)
{
    return w->r->hops[hop].state != HOP_DOWN;
}

static bool route_usable(const struct walk *w, const struct hg_image_route *route)
{
    if (route->ntargets == 1)
        return hop_usable(w, route->hop);
    for (uint32_t i = 0; i < route->ntargets; i++)
        if (hop_usable(w, w->targets[route->target + i].hop))
            return true;
    return false;
}

/* RFC 2782: an SRV record of weight 0 gets a very small share beside others. */
static uint32_t srv_weight(uint16_t weight)
{
    return weight ? (uint32_t)weight * 64 : 1;
}

/* The endpoints of one route in the order in which to try them; targets stand sorted by priority. Returns how
 * many. */
static uint32_t order_targets(struct walk *w, const struct hg_image_route *route, uint16_t *hops)
{
    const struct hg_image_target *t = w->targets + route->target;
    uint32_t n = 0;
    if (route->ntargets == 1) {
        hops[0] = route->hop;
        return 1;
    }
    for (uint32_t i = 0; i < route->ntargets && n < HG_TARGETS_MAX;) {
        uint32_t candidate[HG_IMAGE_TARGETS], weight[HG_IMAGE_TARGETS], k = 0, sum = 0;
        uint16_t priority = t[i].priority;
        for (; i < route->ntargets && t[i].priority == priority; i++) {
            if (!hop_usable(w, t[i].hop))
                continue;
            candidate[k] = t[i].hop;
            sum += weight[k++] = srv_weight(t[i].weight);
        }
        for (; k > 0 && n < HG_TARGETS_MAX; k--)
            hops[n++] = (uint16_t)take_weighted(w, candidate, weight, k, &sum);
    }
    return n;
}

static void emit(struct walk *w, const struct hg_image_route *route, uint16_t hop)
{
    struct route_targets *out = w->out;
    if (out->n == HG_TARGETS_MAX)
        return;
    for (unsigned i = 0; i < out->n; i++)
        if (out->t[i].hop_slot == hop)
            return; /* it is tried already */
    out->t[out->n++] = (struct route_target){
        .ep = w->hops[hop].ep,
        .route_slot = route->slot < w->r->route_slots ? route->slot : 0,
        .hop_slot = hop,
        .set = w->set,
        .stateful = (route->flags & HG_IMAGE_STATEFUL) != 0,
    };
}

static bool full(const struct walk *w)
{
    const struct route_targets *out = w->out;
    /* a connection may not come about, and then others are asked for */
    return out->n == HG_TARGETS_MAX || (out->n > 0 && !out->t[0].stateful && out->t[0].ep.proto == HG_UDP);
}

static void emit_serial(struct walk *w, const struct hg_image_route *route)
{
    uint16_t hops[HG_TARGETS_MAX];
    uint32_t n = order_targets(w, route, hops);
    for (uint32_t i = 0; i < n && !full(w); i++, w->set++)
        emit(w, route, hops[i]);
}

/* First the first choice of every route, in one set; what else a route's name resolved to makes further sets.
 */
static void emit_parallel(struct walk *w, const struct hg_image_route *const *route, uint32_t n)
{
    uint16_t hops[HG_TARGETS_MAX][HG_TARGETS_MAX];
    uint32_t count[HG_TARGETS_MAX];
    if (n > HG_TARGETS_MAX)
        n = HG_TARGETS_MAX;
    for (uint32_t k = 0; k < n; k++)
        count[k] = order_targets(w, route[k], hops[k]);
    for (uint32_t i = 0; i < HG_TARGETS_MAX && w->out->n < HG_TARGETS_MAX; i++, w->set++)
        for (uint32_t k = 0; k < n; k++)
            if (i < count[k])
                emit(w, route[k], hops[k][i]);
}

/* Routes of one priority. */
static void walk_priority(struct walk *w, const struct hg_image_route *route, uint32_t n)
{
    uint32_t candidate[HG_SAME_PATTERN_MAX], weight[HG_SAME_PATTERN_MAX], k = 0, sum = 0;
    const struct hg_image_route *picked[HG_TARGETS_MAX];
    bool parallel = false;
    for (uint32_t i = 0; i < n; i++) {
        if (!(route[i].flags & HG_IMAGE_IN_SERVICE))
            w->out_of_service = true;
        else if (route[i].flags & HG_IMAGE_BLOCK)
            w->blocked = true;
        else if (route[i].flags & HG_IMAGE_NO_TRANSPORT)
            w->no_transport = true;
        else if (!route_usable(w, &route[i]))
            w->down = true;
        else {
            candidate[k] = i;
            sum += weight[k++] = route[i].weight;
            parallel |= (route[i].flags & HG_IMAGE_PARALLEL) != 0;
        }
    }
    if (w->blocked)
        return;
    uint32_t npicked = 0;
    for (; k > 0 && npicked < HG_TARGETS_MAX && !full(w); k--) {
        const struct hg_image_route *one = &route[take_weighted(w, candidate, weight, k, &sum)];
        if (!parallel)
            emit_serial(w, one);
        else
            picked[npicked++] = one;
    }
    if (npicked)
        emit_parallel(w, picked, npicked);
}

/* Returns whether a less specific pattern may follow (L18). */
static bool walk_group(struct walk *w, const struct hg_image_route *route, uint32_t n)
{
    bool less_specific = true;
    for (uint32_t i = 0; i < n && !full(w) && !w->blocked;) {
        uint32_t end = i + 1;
        while (end < n && route[end].priority == route[i].priority)
            end++;
        walk_priority(w, route + i, end - i);
        i = end;
    }
    for (uint32_t i = 0; i < n; i++)
        if ((route[i].flags & (HG_IMAGE_IN_SERVICE | HG_IMAGE_LESS_SPECIFIC)) == HG_IMAGE_IN_SERVICE)
            less_specific = false;
    return less_specific && !w->blocked && !full(w);
}

static enum route_verdict verdict(const struct walk *w)
{
    struct ctx *c = w->r->ctx;
    if (w->out->n) {
        ctx_count(c, HG_C_static_found);
        return ROUTE_FOUND;
    }
    if (w->blocked) {
        ctx_count(c, HG_C_static_blocked);
        return ROUTE_BLOCKED;
    }
    ctx_count(c, HG_C_static_missing);
    if (w->down)
        return ROUTE_ALL_DOWN;
    if (w->no_transport)
        return ROUTE_NO_TRANSPORT;
    return w->out_of_service ? ROUTE_OUT_OF_SERVICE : ROUTE_NONE;
}

/* The slot of the whole name, and of the longest beginnings that patterns have. */
void route_static_prefetch(const struct route *r, struct slice user)
{
    const struct hg_image *image = r->image;
    struct hg_image_text u;
    if (!image || user.len > PREFETCH_USER || image->section[HG_SECTION_GROUPS].n == 0)
        return;
    const struct hg_image_slot *slots = HG_IMAGE_AT(image, HG_SECTION_SLOTS, struct hg_image_slot);
    uint64_t mask = image->section[HG_SECTION_SLOTS].n - 1;
    uint64_t set = image->prefix_lens[0] & ((2ull << user.len) - 1);
    hg_image_text_set(&u, image->seed, user.p, user.len);
    __builtin_prefetch(&slots[hg_image_hash(&u, user.len, HG_KEY_USER, 0) & mask]);
    for (unsigned n = 0; set && n < PREFETCH_PREFIXES; n++) {
        unsigned len = 63 - (unsigned)__builtin_clzll(set);
        set &= ~(1ull << len);
        __builtin_prefetch(&slots[hg_image_hash(&u, len, HG_KEY_PREFIX, 0) & mask]);
    }
}

enum route_verdict route_static_find(struct route *r, struct slice user, struct slice host, uint32_t draw,
                                     struct route_targets *out)
{
    const struct hg_image *image = r->image;
    struct walk w = {.r = r, .out = out, .draw = draw};
    struct hg_image_text u;
    uint32_t groups[MATCH_MAX];
    out->n = 0;
    if (!image || image->section[HG_SECTION_GROUPS].n == 0)
        return verdict(&w);
    w.hops = HG_IMAGE_AT(image, HG_SECTION_HOPS, struct hg_image_hop);
    w.targets = HG_IMAGE_AT(image, HG_SECTION_TARGETS, struct hg_image_target);
    const struct route_host *ready = route_host_ready(r, host);
    bool ours = user.len && ready->ours;
    if (ours)
        hg_image_text_set(&u, image->seed, user.p, user.len);
    unsigned n = image_match(image, ours ? &u : NULL, ready, groups);
    const struct hg_image_group *group = HG_IMAGE_AT(image, HG_SECTION_GROUPS, struct hg_image_group);
    const struct hg_image_route *routes = HG_IMAGE_AT(image, HG_SECTION_ROUTES, struct hg_image_route);
    for (unsigned i = 0; i < n; i++) {
        const struct hg_image_group *g = &group[groups[i]];
        if (!walk_group(&w, g->nroutes == 1 ? &g->only : routes + g->route, g->nroutes))
            break;
    }
    return verdict(&w);
}
