/* SPDX-License-Identifier: BSD-2-Clause */
/* What is not as it should be, without any command. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "topology/rules.h"

static void subcluster(const struct rules_facts *w, const struct topology_subcluster *s, struct findings *f)
{
    uint16_t a = s->node[0], b = s->node[1];

    if (!a || !b)
        return;
    if (!s->ha) {
        rules_add(f, RULE_ha_is_off, "subcluster %s has two nodes, and high availability is off", s->name);
        return;
    }
    uint32_t ca = rules_capacity(w, a), cb = rules_capacity(w, b), least = ca < cb ? ca : cb;
    if (w->users[a] + w->users[b] > least)
        rules_add(f, RULE_capacity_peer, "subcluster %s has %" PRIu64 " users, and one node alone carries %u",
                  s->name, w->users[a] + w->users[b], least);
    for (unsigned k = 0; k < TOPOLOGY_SLOTS; k++)
        if (rules_is_loaded(w, s->node[k]))
            rules_add(f, RULE_cpu_pair, "the cores of %.100s are busy for %u%%, at most %u%% are allowed",
                      w->t->node[s->node[k]].name, w->cpu[s->node[k]], w->cpu_max);
}

static bool is_address(const struct topology_node *n)
{
    struct hg_ip ip;

    return hg_ip_parse(slice_str(n->name), &ip);
}

static void names(const struct rules_facts *w, const struct topology_node *n, struct findings *f)
{
    const struct topology_node *at = topology_node(w->t, w->unresolved_at[n->index]);

    if (is_address(n))
        rules_add(f, RULE_node_name_address, "%.100s is an address, not a name", n->name);
    else if (w->resolves[n->index] == NAME_FAILS)
        rules_add(f, RULE_node_name_unresolved, "%.100s does not resolve on this node", n->name);
    else if (at)
        rules_add(f, RULE_node_name_unresolved, "%.100s does not resolve on %.100s", n->name, at->name);
}

/* B04: beside a bare host name all names have to be of one DNS domain. */
static void domains(const struct rules_facts *w, struct findings *f)
{
    const char *bare = NULL, *first = NULL, *other = NULL;

    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_node *n = topology_node(w->t, i);
        if (!n || is_address(n))
            continue;
        const char *dot = strchr(n->name, '.');
        if (!dot)
            bare = n->name;
        else if (!first)
            first = dot + 1;
        else if (strcasecmp(first, dot + 1) != 0)
            other = dot + 1;
    }
    if (bare && other)
        rules_add(f, RULE_node_name_short, "%.64s is a host name only, and nodes are of %.80s and of %.80s",
                  bare, first, other);
}

/* What its heartbeats say. */
static void services(const struct rules_facts *w, const struct topology_node *n, struct findings *f)
{
    if (!n->installed || w->down[n->index])
        return; /* node list shows it */
    if (n->draining)
        rules_add(f, RULE_node_drained, "%.100s is drained", n->name);
    if (w->outage[n->index])
        rules_add(f, RULE_node_service_out, "critical service %s of %.100s is down", w->outage[n->index],
                  n->name);
    if (w->behind[n->index])
        rules_add(f, RULE_node_record_behind, "%.100s does not follow the record", n->name);
}

void rules_standing(const struct rules_facts *w, struct findings *f)
{
    unsigned installed = 0;

    if (w->domain && strcmp(w->domain, "DOMAIN.NOT.SET") == 0)
        rules_add(f, RULE_domain_not_set, "cluster.domain is not set");
    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++)
        if (topology_subcluster(w->t, i))
            subcluster(w, topology_subcluster(w->t, i), f);
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_node *n = topology_node(w->t, i);
        if (!n)
            continue;
        installed += n->installed;
        names(w, n, f);
        services(w, n, f);
        if (n->subcluster && !n->installed)
            rules_add(f, RULE_node_not_installed, "%.100s is in a subcluster and not installed yet", n->name);
    }
    domains(w, f);
    if (installed > 1 && w->cluster_id && strcmp(w->cluster_id, "StandaloneCluster") == 0)
        rules_add(f, RULE_cluster_id_default, "cluster.id is the default, and the cluster has %u nodes",
                  installed);
    if (w->users[0])
        rules_add(f, RULE_no_availability, "%" PRIu64 " user%s without a node", w->users[0],
                  rules_plural(w->users[0]));
}

bool rules_is_bad(enum rule_id rule)
{
    return rule == RULE_domain_not_set || rule == RULE_node_name_unresolved ||
           rule == RULE_node_service_out || rule == RULE_node_record_behind;
}

void rules_domain(const struct rules_facts *w, const char *domain, struct findings *f)
{
    uint64_t users = 0;
    bool drained = true;

    if (strcmp(domain, "DOMAIN.NOT.SET") == 0)
        rules_add(f, RULE_domain_not_set, "DOMAIN.NOT.SET is no domain");
    if (w->domain && strcasecmp(domain, w->domain) == 0)
        return;
    for (uint16_t i = 0; i < HG_NODES_MAX; i++) {
        users += w->users[i];
        if (topology_node(w->t, i) && w->t->node[i].installed && !w->t->node[i].draining)
            drained = false;
    }
    if (users && !drained)
        rules_add(f, RULE_domain_changes,
                  "%" PRIu64 " users are known by the domain %.100s, and nodes are in service", users,
                  w->domain ? w->domain : "");
}
