/* SPDX-License-Identifier: BSD-2-Clause */
/* Subclusters (A02, A03, A08) and their high availability (D03-D10). */
#include <inttypes.h>

#include "hg/names.h"
#include "topology/rules.h"

void rules_subcluster_add(const struct rules_facts *w, struct slice name, struct findings *f)
{
    int len = (int)(name.len < 100 ? name.len : 100);

    if (name.len > TOPOLOGY_NAME_MAX || !hg_name_is_token(name))
        rules_add(f, RULE_subcluster_name_form, "\"%.*s\" is no name of a subcluster", len, name.p);
    else if (topology_find_subcluster(w->t, name))
        rules_add(f, RULE_subcluster_name_taken, "the cluster has a subcluster %.*s already", len, name.p);
    else if (!topology_free_subcluster(w->t))
        rules_add(f, RULE_subclusters_wall, "the cluster has %u subclusters", topology_subclusters(w->t));
}

static const struct topology_subcluster *known(const struct rules_facts *w, uint16_t subcluster,
                                               struct findings *f)
{
    const struct topology_subcluster *s = topology_subcluster(w->t, subcluster);

    if (!s)
        rules_add(f, RULE_subcluster_unknown, "the cluster has no such subcluster");
    return s;
}

void rules_subcluster_remove(const struct rules_facts *w, uint16_t subcluster, struct findings *f)
{
    const struct topology_subcluster *s = known(w, subcluster, f);

    if (!s)
        return;
    for (unsigned k = 0; k < TOPOLOGY_SLOTS; k++)
        if (s->node[k])
            rules_add(f, RULE_subcluster_not_empty, "%.100s is in subcluster %s", w->t->node[s->node[k]].name,
                      s->name);
}

/* Whether another slot of the cluster, or a node itself, has the address. What is changed need not stand
 * there yet. */
static const char *address_of(const struct rules_facts *w, const struct topology_subcluster *changed,
                              unsigned slot, const struct hg_ip *ip)
{
    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++) {
        const struct topology_subcluster *s = i == changed->index ? changed : topology_subcluster(w->t, i);
        for (unsigned k = 0; s && k < TOPOLOGY_SLOTS; k++)
            for (unsigned a = 0; (s != changed || k != slot) && a < s->nservice[k]; a++)
                if (hg_ip_eq(&s->service[k][a].ip, ip))
                    return s->name;
    }
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_node *n = topology_node(w->t, i);
        if (n &&
            ((n->sip.port && hg_ip_eq(&n->sip.ip, ip)) || (n->address.port && hg_ip_eq(&n->address.ip, ip))))
            return n->name;
    }
    return NULL;
}

void rules_service(const struct rules_facts *w, const struct topology_subcluster *changed, unsigned slot,
                   struct findings *f)
{
    const struct hg_net *net = changed->service[slot];
    char text[HG_IP_STRLEN];

    for (unsigned i = 0; i < changed->nservice[slot]; i++) {
        const char *user = address_of(w, changed, slot, &net[i].ip);
        for (unsigned k = 0; k < i && !user; k++)
            if (hg_ip_eq(&net[i].ip, &net[k].ip))
                user = "this slot";
        hg_ip_format(&net[i].ip, text);
        if (user)
            rules_add(f, RULE_service_address_used, "%s is used by %.100s already", text, user);
    }
}

static unsigned ha_subclusters(const struct topology *t)
{
    unsigned n = 0;

    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++)
        n += topology_subcluster(t, i) && topology_subcluster(t, i)->ha;
    return n;
}

static void parameters(const struct rules_facts *w, struct findings *f)
{
    if (w->heartbeat_timeout_ms < 2 * w->heartbeat_interval_ms)
        rules_add(f, RULE_ha_parameters,
                  "cluster.ha.heartbeat_timeout (%u ms) is less than two heartbeat_interval (%u ms)",
                  w->heartbeat_timeout_ms, w->heartbeat_interval_ms);
    if (w->init_timeout_ms < 2 * w->heartbeat_timeout_ms)
        rules_add(f, RULE_ha_parameters,
                  "cluster.ha.init_timeout (%u ms) is less than two heartbeat_timeout (%u ms)",
                  w->init_timeout_ms, w->heartbeat_timeout_ms);
}

void rules_ha_on(const struct rules_facts *w, uint16_t subcluster, struct findings *f)
{
    const struct topology_subcluster *s = known(w, subcluster, f);

    if (!s)
        return;
    if (!s->node[0] || !s->node[1]) {
        rules_add(f, RULE_ha_two_nodes, "subcluster %s has %s", s->name,
                  s->node[0] || s->node[1] ? "one node" : "no node");
        return;
    }
    uint32_t least = UINT32_MAX;
    uint64_t users = 0;
    for (unsigned k = 0; k < TOPOLOGY_SLOTS; k++) {
        const struct topology_node *n = topology_node(w->t, s->node[k]);
        if (w->resolves[n->index] == NAME_FAILS && !n->address.port)
            rules_add(f, RULE_ha_unresolved, "%.100s does not resolve, and told no address", n->name);
        else if (w->resolves[n->index] == NAME_FAILS) /* its own word is enough for its peer */
            rules_add(f, RULE_node_name_unresolved, "%.100s does not resolve on this node", n->name);
        else if (topology_node(w->t, w->unresolved_at[n->index]))
            rules_add(f, RULE_node_name_unresolved, "%.100s does not resolve on %.100s", n->name,
                      w->t->node[w->unresolved_at[n->index]].name);
        if (!n->installed)
            rules_add(f, RULE_ha_version, "%.100s is not installed yet", n->name);
        if (n->installed && !n->address.port)
            rules_add(f, RULE_ha_no_address, "%.100s has no management address", n->name);
        if (w->down[n->index])
            rules_add(f, RULE_ha_dead_service, "%.100s is not in service", n->name);
        else if (w->outage[n->index])
            rules_add(f, RULE_ha_dead_service, "critical service %s of %.100s is down", w->outage[n->index],
                      n->name);
        uint32_t capacity = rules_capacity(w, n->index);
        least = capacity < least ? capacity : least;
        users += w->users[n->index];
    }
    const struct topology_node *a = topology_node(w->t, s->node[0]), *b = topology_node(w->t, s->node[1]);
    if (a->installed && b->installed && a->protocol != b->protocol)
        rules_add(f, RULE_ha_version, "%.80s speaks protocol %u, %.80s speaks %u", a->name, a->protocol,
                  b->name, b->protocol);
    if (!s->ha && ha_subclusters(w->t) >= w->ha_subclusters_max)
        rules_add(f, RULE_ha_limit, "%u subclusters have high availability, and at most %u are allowed",
                  ha_subclusters(w->t), w->ha_subclusters_max);
    if (!w->secret)
        rules_add(f, RULE_ha_no_secret, "cluster.secret is empty");
    if (users > least)
        rules_add(f, RULE_capacity_peer, "the pair has %" PRIu64 " users, and one node of %s carries %u",
                  users, s->name, least);
    parameters(w, f);
}

void rules_ha_off(const struct rules_facts *w, uint16_t subcluster, struct findings *f)
{
    const struct topology_subcluster *s = known(w, subcluster, f);

    if (!s)
        return;
    for (unsigned k = 0; k < TOPOLOGY_SLOTS; k++) {
        const struct topology_node *n = topology_node(w->t, s->node[k]);
        if (!n)
            continue;
        if (w->health[n->index] == HEALTH_TRANSITION)
            rules_add(f, RULE_ha_transition, "%.100s is failing over or falling back now", n->name);
        uint16_t serving = w->serving[n->index];
        if (serving && serving != n->index)
            rules_add(f, RULE_ha_off_homes,
                      "the %" PRIu64 " users of %.80s get their home on %.80s and stay there",
                      w->users[n->index], n->name, w->t->node[serving].name);
    }
    rules_add(f, RULE_ha_off_standalone, "the nodes of %s stand alone then", s->name);
}
