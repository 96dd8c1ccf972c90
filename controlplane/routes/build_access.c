/* SPDX-License-Identifier: BSD-2-Clause */
/* Our own domains (K06), resolved names, neighbours and networks (K11) into the table. */
#include <stdlib.h>

#include "routes/compile.h"

static const uint8_t kinds[] = {ROUTES_ADDRESSES, ROUTES_SRV};

uint64_t access_entries_max(const struct compile *c, uint64_t *text)
{
    const struct hg_config *g = c->input->config;
    uint64_t names = 2ull + g->naliases + g->nneighbours + c->input->nnodes + c->input->nresolved;
    uint64_t addresses = (uint64_t)c->hops.map.n + g->nneighbours + c->input->nnodes + g->naccess;
    for (uint32_t i = 0; i < g->nneighbours; i++) {
        for (unsigned k = 0; k < 2; k++) {
            const struct routes_resolved *r = resolved_find(c, g->neighbours[i].host, kinds[k]);
            addresses += r ? r->n : 0;
        }
    }
    *text = names * HG_HOST_MAX + addresses * sizeof(struct hg_ip);
    return names + addresses;
}

static void put_local(struct builder *b, const char *domain)
{
    char host[HG_HOST_MAX + 1];
    bool fresh;
    uint32_t len = hg_host_normalise(slice_str(domain), host);
    if (len)
        (void)builder_put(b, host, len, HG_KEY_LOCAL, 0, 0, &fresh);
}

/* The first one that names it decides. */
static void put_name(struct builder *b, const char *name, const struct hg_endpoint *ep)
{
    struct hg_endpoint *hosts = (struct hg_endpoint *)(void *)b->section[HG_SECTION_HOSTS];
    char host[HG_HOST_MAX + 1];
    bool fresh;
    uint32_t len = hg_host_normalise(slice_str(name), host);
    if (len && builder_put(b, host, len, HG_KEY_NAME, 0, (uint32_t)b->n[HG_SECTION_HOSTS], &fresh) && fresh)
        hosts[b->n[HG_SECTION_HOSTS]++] = *ep;
}

static void put_neighbour(struct builder *b, const struct hg_ip *ip, uint32_t number)
{
    bool fresh;
    (void)builder_put(b, ip->b, sizeof(ip->b), HG_KEY_NEIGHBOUR, 0, number, &fresh);
}

static void name_resolved(struct builder *b, const char *name, uint8_t kind, uint16_t port)
{
    const struct routes_resolved *r = resolved_find(b->c, name, kind);
    if (!r || r->n == 0)
        return;
    const struct routes_address *best = &r->address[0];
    for (uint32_t i = 1; i < r->n; i++)
        if (r->address[i].priority < best->priority)
            best = &r->address[i];
    uint16_t chosen = port ? port : best->port;
    struct hg_endpoint ep = {.ip = best->ip, .port = chosen ? chosen : 5060, .proto = HG_UDP};
    put_name(b, name, &ep);
}

static void build_names(struct builder *b)
{
    const struct compile *c = b->c;
    const struct hg_config *g = c->input->config;
    for (uint32_t i = 0; i < c->input->nnodes; i++)
        put_name(b, c->input->nodes[i].name, &c->input->nodes[i].sip);
    for (uint32_t i = 0; i < c->nitems; i++) {
        if (!c->items[i].named)
            continue;
        const struct hg_static_route *r = input_route(c->input, c->items[i].route);
        name_resolved(b, r->next_hop, routes_kind(r), r->port);
    }
    for (uint32_t i = 0; i < g->nneighbours; i++)
        for (unsigned k = 0; k < 2; k++)
            name_resolved(b, g->neighbours[i].host, kinds[k], 0);
}

static bool put_neighbour_names(struct builder *b, const char *host, uint32_t number)
{
    struct hg_ip ip;
    bool found = false;
    if (hg_ip_parse(slice_str(host), &ip)) {
        put_neighbour(b, &ip, number);
        return true;
    }
    for (unsigned k = 0; k < 2; k++) {
        const struct routes_resolved *r = resolved_find(b->c, host, kinds[k]);
        for (uint32_t i = 0; r && i < r->n; i++) {
            put_neighbour(b, &r->address[i].ip, number);
            found = true;
        }
    }
    return found;
}

static uint32_t id_of(const char *name)
{
    char host[HG_HOST_MAX + 1];
    uint32_t len = hg_host_normalise(slice_str(name), host);
    uint64_t h = len;
    for (uint32_t i = 0; i < len; i++)
        h = hg_image_mix(h, (uint8_t)host[i] + 1u);
    return (uint32_t)(h >> 32);
}

/* Configured neighbours have their place in the configuration as number; next hops come after them. */
static void build_neighbours(struct builder *b)
{
    struct compile *c = b->c;
    const struct hg_config *g = c->input->config;
    struct hg_image_neighbour *list = (struct hg_image_neighbour *)(void *)b->section[HG_SECTION_NEIGHBOURS];
    uint32_t n = 0;
    c->neighbours_unresolved = 0;
    for (; n < g->nneighbours && n < UINT16_MAX - HG_HOP_SLOTS; n++) {
        list[n] = (struct hg_image_neighbour){g->neighbours[n].rate, g->neighbours[n].burst,
                                              id_of(g->neighbours[n].host)};
        if (!put_neighbour_names(b, g->neighbours[n].host, n))
            c->neighbours_unresolved++;
    }
    for (uint32_t i = 0; i < c->hops.map.n; i++) {
        uint32_t slot = c->hops.map.items[i].value;
        bool fresh;
        if (slot != SLOTS_NONE &&
            builder_put(b, c->hop[slot].ip.b, sizeof(struct hg_ip), HG_KEY_NEIGHBOUR, 0, n, &fresh))
            n += fresh;
    }
    b->n[HG_SECTION_NEIGHBOURS] = c->neighbours = n;
}

static void mask(struct hg_ip *ip, unsigned bits)
{
    for (unsigned i = 0; i < sizeof(ip->b); i++) {
        unsigned keep = bits > i * 8 ? bits - i * 8 : 0;
        ip->b[i] &= keep >= 8 ? 0xff : (uint8_t)(0xff00 >> keep);
    }
}

static void build_networks(struct builder *b)
{
    const struct hg_config *g = b->c->input->config;
    bool lengths[129] = {false};
    bool fresh;
    for (uint32_t i = 0; i < g->naccess && i < UINT16_MAX; i++) {
        struct hg_net net = g->access[i].net;
        if (net.bits > 128)
            continue;
        mask(&net.ip, net.bits);
        (void)builder_put(b, net.ip.b, sizeof(net.ip.b), HG_KEY_NETWORK, net.bits, i, &fresh);
        lengths[net.bits] = true;
        b->head.networks = i + 1;
    }
    for (int bits = 128; bits >= 0; bits--)
        if (lengths[bits])
            b->head.net_bits[b->head.nnets++] = (uint8_t)bits;
    b->c->networks = b->head.networks;
}

void build_access(struct builder *b)
{
    const struct hg_config *g = b->c->input->config;
    put_local(b, g->cluster_domain);
    put_local(b, g->cluster_srv_name);
    for (uint32_t i = 0; i < g->naliases; i++)
        put_local(b, g->aliases[i]);
    build_names(b);
    build_neighbours(b);
    build_networks(b);
}
