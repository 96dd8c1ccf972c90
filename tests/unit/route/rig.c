/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stands for the mailboxes of the other cores; the rig is found by its context. */
bool mail_send(struct ctx *c, unsigned to_core, struct mail mail)
{
    struct rig *rig = (struct rig *)c;
    if (rig->nmails == RIG_MAILS)
        return false;
    rig->to[rig->nmails] = to_core;
    rig->mails[rig->nmails++] = mail;
    return true;
}

struct rig *rig_open(uint16_t core, uint16_t cores)
{
    static const struct hg_hash_secret secret = {{1, 2}};
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->config = hg_config_defaults();
    assert_non_null(rig->config);
    rig->config->dp_users_max = 1000;
    rig->config->dp_contacts_max = 2000;
    rig->config->routes = calloc(RIG_ROUTES, sizeof(*rig->config->routes));
    rig->config->templates = calloc(HG_TEMPLATES_MAX + 1, sizeof(*rig->config->templates));
    snprintf(rig->config->cluster_domain, sizeof(rig->config->cluster_domain), "example.com");
    rig->ctx.core = core;
    rig->ctx.cores = cores;
    rig->ctx.counters = rig->counters;
    rig->ctx.hop_stats = rig->hop_stats;
    rig->ctx.config = rig->config;
    rig->ctx.rng = 88172645463325252ull;
    rig->ctx.ms = 1000000;
    rig->routes = routes_create("test", 4096, 7);
    rig->in.config = rig->config;
    rig->route = route_create(&rig->ctx, rig->config, &secret);
    assert_non_null(rig->route);
    assert_non_null(rig->routes);
    return rig;
}

void rig_close(struct rig *rig)
{
    route_destroy(rig->route);
    routes_destroy(rig->routes);
    hg_config_free(rig->config);
    free(rig->image);
    free(rig);
}

struct hg_static_route *rig_add(struct rig *rig, uint8_t type, const char *pattern, const char *next_hop)
{
    assert_true(rig->config->nroutes < RIG_ROUTES);
    struct hg_static_route *r = &rig->config->routes[rig->config->nroutes];
    hg_static_route_defaults(r);
    snprintf(r->name, sizeof(r->name), "r%u", rig->config->nroutes++);
    snprintf(r->pattern, sizeof(r->pattern), "%s", pattern);
    snprintf(r->next_hop, sizeof(r->next_hop), "%s", next_hop);
    r->type = type;
    r->proto = HG_UDP;
    return r;
}

void rig_template(struct rig *rig, const char *template)
{
    snprintf(rig->config->templates[rig->config->ntemplates++], HG_PATTERN_MAX + 1, "%s", template);
}

void rig_compile(struct rig *rig)
{
    rig->in.nodes = rig->config->nodes;
    rig->in.nnodes = rig->config->nnodes;
    rig->result = routes_compile(rig->routes, &rig->in);
    assert_non_null(rig->result);
    /* A copy, as a core has it: exact in size, so that a sanitizer sees what reads beyond. */
    void *image = aligned_alloc(8, (rig->result->size + 7) & ~7ull);
    memcpy(image, rig->result->image, rig->result->size);
    route_image_set(rig->route, image);
    free(rig->image);
    rig->image = image;
}

enum route_verdict rig_find(struct rig *rig, const char *user, const char *host, uint32_t draw,
                            struct route_targets *out)
{
    return route_static_find(rig->route, slice_str(user), slice_str(host), draw, out);
}

unsigned rig_hop(const struct route_target *t)
{
    return t->ep.ip.b[15];
}

uint16_t rig_slot(struct rig *rig, const char *ip)
{
    struct hg_ip wanted;
    struct hg_endpoint ep;
    assert_true(hg_ip_parse(slice_str(ip), &wanted));
    for (uint32_t i = 0; i < routes_hops_end(rig->routes); i++)
        if (routes_hop(rig->routes, (uint16_t)i, &ep) && hg_ip_eq(&ep.ip, &wanted))
            return (uint16_t)i;
    fail_msg("no next hop %s", ip);
    return 0;
}

const struct routes_status *rig_status(const struct rig *rig, uint32_t i)
{
    return &rig->result->status[i];
}

char *rig_reason(const struct rig *rig, uint32_t i, char *out, size_t size)
{
    return routes_reason(&rig->in, &rig->config->routes[i], rig_status(rig, i), out, size);
}
