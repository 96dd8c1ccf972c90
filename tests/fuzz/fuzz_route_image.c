/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile image: what passes the check must be safe to look up in. Input: two bytes choose, then either a
 * whole image, or edits (offset, value) of a good one, which get deeper than bytes that must first look like
 * an image. */
#include <stdio.h>
#include <stdlib.h>

#include "hg/config.h"
#include "hg/route_image.h"
#include "hg/static_route.h"
#include "lib/mailbox.h"
#include "route/route.h"
#include "routes/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct ctx ctx;
    uint64_t counters[HG_COUNTERS_MAX];
    struct hg_hop_stats hop_stats[HG_HOP_SLOTS];
    struct hg_config *config;
    const struct routes_result *good;
    struct route *route;
};

bool mail_send(struct ctx *c, unsigned to_core, struct mail mail)
{
    (void)c;
    (void)to_core;
    (void)mail;
    return true;
}

static void add(struct hg_config *c, uint8_t type, const char *pattern, const char *hop)
{
    struct hg_static_route *r = &c->routes[c->nroutes++];
    hg_static_route_defaults(r);
    snprintf(r->name, sizeof(r->name), "r%u", c->nroutes);
    snprintf(r->pattern, sizeof(r->pattern), "%s", pattern);
    snprintf(r->next_hop, sizeof(r->next_hop), "%s", hop);
    r->type = type;
    r->proto = HG_UDP;
    r->weight = (uint16_t)c->nroutes;
    r->parallel = c->nroutes % 3 == 0;
}

/* Every kind of look-up: exact, prefixes with and without dots, a template, hosts and their endings. */
static const struct {
    uint8_t type;
    const char *pattern, *next_hop;
} routes[] = {
    {HG_ROUTE_USER, "12", "192.0.2.1"},
    {HG_ROUTE_USER, "12*", "192.0.2.2"},
    {HG_ROUTE_USER, "12*", "192.0.2.3"},
    {HG_ROUTE_USER, "12..", "192.0.2.3"},
    {HG_ROUTE_USER, "1.3*", "192.0.2.4"},
    {HG_ROUTE_USER, "*", "192.0.2.5"},
    {HG_ROUTE_DOMAIN, "*.example.com", "192.0.2.6"},
    {HG_ROUTE_DOMAIN, "a*.com", "192.0.2.7"},
    {HG_ROUTE_DOMAIN, "a.example.com", "192.0.2.8"},
};

static struct world *world_open(void)
{
    static const struct hg_hash_secret secret;
    struct world *w = calloc(1, sizeof(*w));
    struct hg_config *c = w->config = hg_config_defaults();
    c->routes = calloc(32, sizeof(*c->routes));
    c->templates = calloc(1, sizeof(*c->templates));
    c->ntemplates = 1;
    snprintf(c->templates[0], sizeof(c->templates[0]), "1.x*");
    c->access = calloc(2, sizeof(*c->access));
    c->naccess = 2;
    hg_net_parse(SLICE_LIT("10.0.0.0/8"), &c->access[0].net);
    hg_net_parse(SLICE_LIT("10.1.0.0/16"), &c->access[1].net);
    for (unsigned i = 0; i < sizeof(routes) / sizeof(*routes); i++)
        add(c, routes[i].type, routes[i].pattern, routes[i].next_hop);
    snprintf(c->cluster_domain, sizeof(c->cluster_domain), "a.example.com");
    c->dp_users_max = 1000;
    struct routes_input in = {.config = c};
    w->good = routes_compile(routes_create("fuzz", 100, 1), &in);
    w->ctx.cores = 1;
    w->ctx.counters = w->counters;
    w->ctx.hop_stats = w->hop_stats;
    w->ctx.config = c;
    w->ctx.rng = 1;
    w->route = route_create(&w->ctx, c, &secret);
    if (!w->good || !w->route)
        abort();
    return w;
}

static void use(struct world *w, const char *image, uint64_t size)
{
    static const char *const users[] = {"12", "1234", "193", "x", ""};
    static const char *const hosts[] = {"a.example.com", "ab.com", "z.org", "10.0.0.1"};
    const char *why;
    struct route_targets t;
    struct route_target probes[16];
    struct route_event events[16];
    struct hg_endpoint ep;
    uint32_t rate, burst, id;
    uint16_t index;
    if (!hg_image_check(image, size, &why))
        return;
    route_image_set(w->route, (const struct hg_image *)(const void *)image);
    for (unsigned i = 0; i < 20; i++) {
        (void)route_static_find(w->route, slice_str(users[i % 5]), slice_str(hosts[i / 5]), i, &t);
        for (unsigned k = 0; k < t.n; k++)
            route_hop_failed(w->route, t.t[k].hop_slot, true);
    }
    for (unsigned i = 0; i < 3; i++) {
        struct hg_ip ip = hg_ip_from4(i == 0 ? 0x0100000a : i == 1 ? 0x020200c0 : 0x0100010a);
        (void)route_access(w->route, &ip, &index);
        (void)route_neighbour_limit(w->route, index, &rate, &burst, &id);
    }
    (void)route_host_find(w->route, SLICE_LIT("a.example.com"), 0, &ep);
    w->ctx.ms += 10000;
    (void)route_probes_due(w->route, probes, 16);
    (void)route_take_events(w->route, events, 16);
    route_image_set(w->route, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world *w; /* one for the whole run: the harness is called again and again */
    if (!w)
        w = world_open();
    if (size < 2)
        return 0;
    bool edits = data[0] & 1;
    data += 2;
    size -= 2;
    uint64_t n = edits ? w->good->size : size;
    char *image = aligned_alloc(8, (n + 7) & ~7ull ? (n + 7) & ~7ull : 8);
    if (!image)
        abort();
    memcpy(image, edits ? (const void *)w->good->image : (const void *)data, n);
    if (edits) {
        for (; size >= 6; data += 6, size -= 6) {
            uint32_t at = (uint32_t)data[0] << 8 | data[1], value;
            memcpy(&value, data + 2, 4);
            if (at % n + 4 <= n)
                memcpy(image + at % n, &value, 4);
        }
    }
    use(w, image, n);
    free(image);
    return 0;
}
