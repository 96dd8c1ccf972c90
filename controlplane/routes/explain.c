/* SPDX-License-Identifier: BSD-2-Clause */
/* What a core does with a request URI, told route by route from the same patterns and order. */
#include <stdio.h>
#include <stdlib.h>

#include "routes/compile.h"

struct match {
    uint32_t index;
    const struct hg_static_route *route;
    const struct routes_status *status;
    bool down; /* each of its next hops */
};

struct explain {
    const struct routes_input *input;
    const struct routes_result *result;
    void (*tell)(void *arg, const struct routes_explained *);
    void *arg;
    struct slice user;
    char host[HG_HOST_MAX + 1];
    struct slice h;
    bool ours;
    struct match *match;
    uint32_t n;
    uint32_t rank;   /* of the last usable one */
    char ended[100]; /* the name of what ended the search */
    const char *how;
    bool found, blocked;
    char text[1200];
};

static bool host_is(const struct explain *e, const char *name)
{
    char other[HG_HOST_MAX + 1];
    uint32_t len = hg_host_normalise(slice_str(name), other);
    return len && slice_eq(e->h, slice_of(other, len));
}

static bool host_is_ours(const struct explain *e)
{
    const struct hg_config *c = e->input->config;
    struct hg_ip ip;
    if (host_is(e, c->cluster_domain) || host_is(e, c->cluster_srv_name))
        return true;
    for (uint32_t i = 0; i < c->naliases; i++)
        if (host_is(e, c->aliases[i]))
            return true;
    if (!hg_ip_parse(e->h, &ip))
        return false;
    for (uint32_t i = 0; i < c->nlisteners; i++)
        if (hg_ip_eq(&c->listeners[i].ep.ip, &ip))
            return true;
    return false;
}

static void say(struct explain *e, uint32_t index, enum routes_explanation what, uint32_t rank)
{
    struct routes_explained x = {.index = index, .what = (uint8_t)what, .rank = rank, .text = e->text};
    e->tell(e->arg, &x);
}

static int by_order(const void *a, const void *b)
{
    const struct match *x = a, *y = b;
    if (x->status->position != y->status->position)
        return x->status->position < y->status->position ? -1 : 1;
    if (x->route->priority != y->route->priority)
        return x->route->priority < y->route->priority ? -1 : 1;
    if (x->route->block != y->route->block)
        return x->route->block ? -1 : 1;
    if (x->route->weight != y->route->weight)
        return x->route->weight > y->route->weight ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static bool matches(const struct explain *e, const struct hg_static_route *r)
{
    struct hg_pattern p;
    if (hg_pattern_parse(r->type, slice_str(r->pattern), &p) != HG_PATTERN_OK)
        return false;
    return r->type == HG_ROUTE_USER ? e->ours && hg_pattern_match(&p, e->user) : hg_pattern_match(&p, e->h);
}

static bool all_down(const struct routes *routes, const struct explain *e, uint32_t index,
                     bool (*hop_down)(void *arg, uint16_t slot))
{
    const struct hg_image *image = e->result->image;
    const struct hg_image_group *g = HG_IMAGE_AT(image, HG_SECTION_GROUPS, struct hg_image_group);
    const struct hg_image_route *r = HG_IMAGE_AT(image, HG_SECTION_ROUTES, struct hg_image_route);
    const struct hg_image_target *t = HG_IMAGE_AT(image, HG_SECTION_TARGETS, struct hg_image_target);
    const struct routes_status *s = &e->result->status[index];
    bool found = false, down = true;
    (void)routes;
    if (!hop_down || s->slot == 0)
        return false; /* shared numbers do not tell the route */
    for (uint32_t i = 0; i < g[s->position].nroutes; i++) {
        const struct hg_image_route *one = &r[g[s->position].route + i];
        if (one->slot != s->slot)
            continue;
        for (uint32_t k = 0; k < one->ntargets; k++) {
            found = true;
            down &= hop_down(e->arg, t[one->target + k].hop);
        }
    }
    return found && down;
}

static void tell_no_match(struct explain *e, uint32_t index)
{
    const struct hg_static_route *r = input_route(e->input, index);
    if (r->type == HG_ROUTE_USER && !e->ours)
        snprintf(e->text, sizeof(e->text), "type user, and %s is neither our domain nor our address",
                 e->host);
    else if (r->type == HG_ROUTE_USER && e->user.len == 0)
        snprintf(e->text, sizeof(e->text), "type user, and the request has no user part");
    else
        snprintf(e->text, sizeof(e->text), "the pattern %s does not match the %s", r->pattern,
                 r->type == HG_ROUTE_USER ? "user part" : "host");
    say(e, index, ROUTES_NO_MATCH, 0);
}

static void end_search(struct explain *e, const struct match *m, const char *how)
{
    if (e->how)
        return;
    snprintf(e->ended, sizeof(e->ended), "%s", m->route->name);
    e->how = how;
}

static bool usable(const struct match *m)
{
    return m->status->state == ROUTES_ACTIVE && !m->route->block && !m->down;
}

static uint32_t weight_of_level(const struct explain *e, uint32_t first, uint32_t end)
{
    uint32_t sum = 0;
    for (uint32_t i = first; i < end; i++)
        sum += usable(&e->match[i]) ? e->match[i].route->weight : 0;
    return sum;
}

static void tell_match(struct explain *e, uint32_t i, uint32_t first, uint32_t end, bool parallel)
{
    const struct match *m = &e->match[i];
    char reason[900];
    if (m->status->state != ROUTES_ACTIVE) {
        snprintf(e->text, sizeof(e->text), "matches, but: %s",
                 routes_reason(e->input, m->route, m->status, reason, sizeof(reason)));
        say(e, m->index, ROUTES_UNUSABLE, 0);
    } else if (e->how) {
        snprintf(e->text, sizeof(e->text), "matches, but route %s ends the search: %s", e->ended, e->how);
        say(e, m->index, ROUTES_HIDDEN, 0);
    } else if (m->down) {
        snprintf(e->text, sizeof(e->text), "matches, but every next hop is down");
        say(e, m->index, ROUTES_UNUSABLE, 0);
    } else {
        uint32_t sum = weight_of_level(e, first, end);
        bool wins = !e->found;
        if (parallel)
            snprintf(reason, sizeof(reason), "together with all of priority %u", m->route->priority);
        else
            snprintf(reason, sizeof(reason), "priority %u, weight %u of %u", m->route->priority,
                     m->route->weight, sum);
        snprintf(e->text, sizeof(e->text),
                 wins ? "wins: the most specific pattern %s, %s"
                      : "pattern %s, %s: tried after those before it failed",
                 m->route->pattern, reason);
        say(e, m->index, wins ? ROUTES_WINS : ROUTES_FOLLOWS, ++e->rank);
    }
}

/* Routes of one pattern and one priority, [first, end). */
static void tell_level(struct explain *e, uint32_t first, uint32_t end)
{
    bool parallel = false, some = false, all_stateless = true;
    const struct match *last = NULL;
    for (uint32_t i = first; i < end; i++) {
        const struct match *m = &e->match[i];
        if (m->route->block && m->status->state == ROUTES_ACTIVE && !e->how) {
            snprintf(e->text, sizeof(e->text),
                     e->found ? "blocks: after the routes before it failed, the request is refused"
                              : "wins and blocks: the request is refused");
            say(e, m->index, e->found ? ROUTES_FOLLOWS : ROUTES_WINS, ++e->rank);
            end_search(e, m, "it blocks");
            e->blocked |= !e->found;
            first++;
        }
        parallel |= usable(m) && m->route->parallel;
    }
    for (uint32_t i = first; i < end; i++) {
        tell_match(e, i, first, end, parallel);
        if (e->how || !usable(&e->match[i]))
            continue;
        some = true;
        last = &e->match[i];
        all_stateless &= !last->route->stateful && last->route->proto == HG_UDP;
    }
    /* A stateless request by UDP has no second try, one whose connection does not come about has; where only
     * some of the first are stateless, the draw decides. */
    if (last && !e->found && all_stateless)
        end_search(e, last, "it is stateless, there is no second try");
    e->found |= some;
}

static void tell_group(struct explain *e, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end;) {
        uint32_t level = i + 1;
        while (level < end && e->match[level].route->priority == e->match[i].route->priority)
            level++;
        tell_level(e, i, level);
        i = level;
    }
    for (uint32_t i = first; i < end; i++)
        if (e->match[i].route->in_service && !e->match[i].route->less_specific)
            end_search(e, &e->match[i], "it allows no less specific route");
}

static bool collect(struct routes *routes, struct explain *e, bool (*hop_down)(void *arg, uint16_t slot))
{
    e->match = malloc((e->result->n + 1ul) * sizeof(*e->match));
    if (!e->match)
        return false;
    for (uint32_t i = 0; i < e->result->n; i++) {
        const struct hg_static_route *r = input_route(e->input, i);
        const struct routes_status *s = &e->result->status[i];
        if (s->state != ROUTES_REFUSED && matches(e, r))
            e->match[e->n++] = (struct match){i, r, s, all_down(routes, e, i, hop_down)};
    }
    qsort(e->match, e->n, sizeof(*e->match), by_order);
    return true;
}

char routes_explain(struct routes *routes, const struct routes_input *input, struct slice user,
                    struct slice host, bool (*hop_down)(void *arg, uint16_t hop_slot),
                    void (*tell)(void *arg, const struct routes_explained *), void *arg)
{
    struct explain e = {.input = input, .result = &routes->result, .tell = tell, .arg = arg, .user = user};
    e.h = slice_of(e.host, hg_host_normalise(host, e.host));
    e.ours = e.h.len && host_is_ours(&e);
    if (!routes->image || e.result->n != input->config->nroutes + input->nadmin ||
        !collect(routes, &e, hop_down))
        return 'n';
    for (uint32_t i = 0; i < e.n;) {
        uint32_t end = i + 1;
        while (end < e.n && e.match[end].status->position == e.match[i].status->position)
            end++;
        tell_group(&e, i, end);
        i = end;
    }
    free(e.match);
    for (uint32_t i = 0; i < e.result->n; i++) {
        const struct hg_static_route *r = input_route(input, i);
        const struct routes_status *s = &e.result->status[i];
        if (s->state == ROUTES_REFUSED) {
            char reason[900];
            snprintf(e.text, sizeof(e.text), "not enabled: %s",
                     routes_reason(input, r, s, reason, sizeof(reason)));
            say(&e, i, ROUTES_LEFT_OUT, 0);
        } else if (!matches(&e, r)) {
            tell_no_match(&e, i);
        }
    }
    return e.found ? 'f' : e.blocked ? 'b' : 'n';
}
