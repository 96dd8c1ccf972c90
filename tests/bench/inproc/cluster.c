/* SPDX-License-Identifier: BSD-2-Clause */
/* What the control plane would tell of the cluster, applied to the tables of every core. */
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness_impl.h"
#include "hg/contacts.h"
#include "net/stage.h"
#include "route/apply.h"
#include "route/route.h"
#include "sip/sip.h"

static bool apply_node(struct harness *h, uint16_t node, const char *endpoint, bool self, bool pair)
{
    struct hg_down_node rec = {.r = {.type = HG_DOWN_NODE, .version = 1, .length = sizeof(rec)},
                               .node = node,
                               .present = 1,
                               .self = self,
                               .pair = pair};
    if (!hg_endpoint_parse(slice_str(endpoint), 5060, &rec.sip))
        return false;
    snprintf(rec.name, sizeof(rec.name), "node%u", node);
    for (unsigned i = 0; i < h->cores; i++)
        if (!route_apply_node(h->core[i]->route, &rec.r, sizeof(rec)))
            return false;
    return true;
}

bool harness_node(struct harness *h, uint16_t node, const char *endpoint, bool self)
{
    return apply_node(h, node, endpoint, self, false);
}

bool harness_pair(struct harness *h, uint16_t node, const char *endpoint)
{
    return apply_node(h, node, endpoint, false, true);
}

static void tell_service(struct harness *h, unsigned core)
{
    struct route_service_address a[ROUTE_SERVICE_MAX];
    struct net_service_address to[ROUTE_SERVICE_MAX];
    struct hg_ip ip[ROUTE_SERVICE_MAX];
    unsigned n = route_service_addresses(h->core[core]->route, a);
    for (unsigned i = 0; i < n; i++) {
        to[i] = (struct net_service_address){.ip = a[i].net.ip, .held = a[i].held};
        ip[i] = a[i].net.ip;
    }
    sip_service_set(h->core[core]->sip, ip, n);
    net_service_set(h->core[core]->net, to, n);
}

bool harness_serving(struct harness *h, uint16_t home, uint16_t serving)
{
    uint32_t length = sizeof(struct hg_down_serving) + (HG_NODES_MAX - 1) * sizeof(struct hg_down_serves);
    struct hg_down_serving *rec = calloc(1, length);
    bool good = rec != NULL;
    for (unsigned i = 0; good && i < h->cores; i++) {
        rec->n = HG_NODES_MAX - 1;
        for (uint16_t k = 1; k < HG_NODES_MAX; k++)
            rec->map[k - 1] = (struct hg_down_serves){
                .home = k, .serving = k == home ? serving : route_serving(h->core[i]->route, k)};
        good = route_apply_serving(h->core[i]->route, &rec->r, length);
        tell_service(h, i);
    }
    free(rec);
    return good;
}

bool harness_contacts(struct harness *h, const char *user, unsigned n, const struct harness_contact *contact)
{
    struct {
        struct hg_down_contacts head;
        struct hg_down_contacts_user user;
        char bytes[HG_CONTACTS_BYTES];
    } rec = {.head = {.r.type = HG_DOWN_CONTACTS, .n = 1}, .user = {.n = (uint16_t)n}};
    const char *at = strrchr(user, '@');
    if (at == NULL)
        return false;
    rec.user.key = hg_user_key(&h->secret, slice_of(user, (uint32_t)(at - user)), slice_str(at + 1));
    uint32_t length = 0;
    for (unsigned i = 0; i < n; i++) {
        struct hg_endpoint ep;
        if (!hg_endpoint_parse(slice_str(contact[i].endpoint), 5060, &ep) ||
            !(length = hg_contact_put(rec.bytes, sizeof(rec.bytes), length, &ep, contact[i].q,
                                      slice_str(contact[i].uri))))
            return false;
    }
    rec.user.length = length;
    for (unsigned i = 0; i < h->cores; i++)
        if (!route_apply_contacts(h->core[i]->route, &rec.head.r,
                                  (uint32_t)(sizeof(rec.head) + sizeof(rec.user)) + ((length + 7u) & ~7u)))
            return false;
    return true;
}

bool harness_service(struct harness *h, uint16_t home, const char *net)
{
    alignas(8) char room[sizeof(struct hg_down_service) + sizeof(struct hg_net)];
    struct hg_down_service *rec = (void *)room;
    *rec = (struct hg_down_service){.home = home, .n = net ? 1 : 0};
    if (net && !hg_net_parse(slice_str(net), &rec->net[0]))
        return false;
    /* hg_net_parse() gives the network; the address with its last bits is what is meant */
    struct hg_endpoint ep;
    const char *slash = net ? strchr(net, '/') : NULL;
    if (slash && hg_endpoint_parse(slice_of(net, (uint32_t)(slash - net)), 5060, &ep))
        rec->net[0].ip = ep.ip;
    for (unsigned i = 0; i < h->cores; i++) {
        if (!route_apply_service(h->core[i]->route, &rec->r,
                                 (uint32_t)(sizeof(*rec) + (net ? sizeof(rec->net[0]) : 0))))
            return false;
        tell_service(h, i);
    }
    return true;
}

void harness_lease(struct harness *h, const _Atomic uint64_t *serve_until)
{
    for (unsigned i = 0; i < h->cores; i++)
        h->core[i]->ctx.serve_until = serve_until;
}
