/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections A and B: what may be done with nodes. */
#include <inttypes.h>

#include "hg/names.h"
#include "hg/route_pattern.h"
#include "topology/rules.h"

static const char *name_of(const struct rules_facts *w, uint16_t node)
{
    const struct topology_node *n = topology_node(w->t, node);

    return n ? n->name : "?";
}

static bool is_address(struct slice name)
{
    struct hg_ip ip;

    return hg_ip_parse(name, &ip);
}

static void name_rules(struct slice name, enum rule_resolves resolves, struct findings *f)
{
    int len = (int)(name.len < 100 ? name.len : 100);

    if (is_address(name)) {
        rules_add(f, RULE_node_name_address, "%.*s is an address, not a name", len, name.p);
        return;
    }
    if (!memchr(name.p, '.', name.len))
        rules_add(f, RULE_node_name_short, "%.*s is a host name without its DNS domain", len, name.p);
    if (resolves == NAME_FAILS)
        rules_add(f, RULE_node_name_unresolved, "%.*s does not resolve on this node", len, name.p);
}

void rules_node_add(const struct rules_facts *w, struct slice name, enum rule_resolves resolves,
                    struct findings *f)
{
    int len = (int)(name.len < 100 ? name.len : 100);
    unsigned n = topology_nodes(w->t);

    if (!hg_name_is_node(name)) {
        rules_add(f, RULE_node_name_form, "\"%.*s\" is no name of a node", len, name.p);
        return;
    }
    if (topology_find_node(w->t, name)) {
        rules_add(f, RULE_node_name_taken, "the cluster has a node %.*s already", len, name.p);
        return;
    }
    if (!topology_free_node(w->t))
        rules_add(f, RULE_nodes_wall, "the cluster has %u nodes", n);
    else if (n >= w->nodes_max)
        rules_add(f, RULE_nodes_limit, "the cluster has %u nodes, and at most %u are allowed", n,
                  w->nodes_max);
    else if (w->im_only && n >= w->im_only_nodes_max)
        rules_add(f, RULE_nodes_limit_im_only, "a cluster for instant messages only has at most %u nodes",
                  w->im_only_nodes_max);
    name_rules(name, resolves, f);
}

static void no_users(const struct rules_facts *w, uint16_t node, struct findings *f)
{
    if (w->users[node])
        rules_add(f, RULE_node_has_users, "%" PRIu64 " user%s at home on %.100s", w->users[node],
                  rules_plural(w->users[node]), name_of(w, node));
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (i != node && w->serving[i] == node && topology_node(w->t, i))
            rules_add(f, RULE_node_has_users_of_peer, "%.100s serves the users of %.100s now",
                      name_of(w, node), name_of(w, i));
    if (w->serving[node] && w->serving[node] != node)
        rules_add(f, RULE_node_has_users_of_peer, "%.100s acts for %.100s now", name_of(w, w->serving[node]),
                  name_of(w, node));
}

static void no_ha(const struct rules_facts *w, uint16_t subcluster, struct findings *f)
{
    const struct topology_subcluster *s = topology_subcluster(w->t, subcluster);

    if (!s)
        return;
    bool still = w->paired[s->node[0]] || w->paired[s->node[1]];
    if (s->ha || still)
        rules_add(f, RULE_node_ha_on, "high availability is %s in subcluster %s",
                  s->ha ? "on" : "not yet off", s->name);
}

static bool known(const struct rules_facts *w, uint16_t node, struct findings *f)
{
    if (!topology_node(w->t, node))
        rules_add(f, RULE_node_unknown, "the cluster has no such node");
    return topology_node(w->t, node) != NULL;
}

void rules_node_remove(const struct rules_facts *w, uint16_t node, struct findings *f)
{
    if (!known(w, node, f))
        return;
    const struct topology_node *n = topology_node(w->t, node);
    if (n->publisher)
        rules_add(f, RULE_node_publisher, "%.100s is the publisher", n->name);
    no_users(w, node, f);
    no_ha(w, n->subcluster, f);
    if (n->installed && !w->down[node])
        rules_add(f, RULE_node_alive, "%.100s seems to run", n->name);
}

void rules_node_unassign(const struct rules_facts *w, uint16_t node, struct findings *f)
{
    if (!known(w, node, f))
        return;
    const struct topology_node *n = topology_node(w->t, node);
    if (!n->subcluster)
        rules_add(f, RULE_node_not_assigned, "%.100s is in no subcluster", n->name);
    no_users(w, node, f);
    no_ha(w, n->subcluster, f);
}

/* The place where it shall stand. */
static void place(const struct rules_facts *w, uint16_t node, uint16_t subcluster, int slot,
                  struct findings *f)
{
    const struct topology_subcluster *s = topology_subcluster(w->t, subcluster);

    if (!s) {
        rules_add(f, RULE_subcluster_unknown, "the cluster has no such subcluster");
        return;
    }
    no_ha(w, subcluster, f);
    uint16_t a = s->node[0], b = s->node[1];
    if (a && b && a != node && b != node)
        rules_add(f, RULE_subcluster_full, "subcluster %s has two nodes, %.80s and %.80s", s->name,
                  name_of(w, a), name_of(w, b));
    else if (slot >= 0 && s->node[slot] && s->node[slot] != node)
        rules_add(f, RULE_slot_taken, "slot %d of subcluster %s is that of %.100s", slot, s->name,
                  name_of(w, s->node[slot]));
    const struct topology_node *n = topology_node(w->t, node), *peer = topology_node(w->t, a && a != node ? a
                                                                                           : b != node    ? b
                                                                                                       : 0);
    if (!n || !peer)
        return;
    if (n->protocol && peer->protocol && n->protocol != peer->protocol)
        rules_add(f, RULE_node_version, "%.80s speaks protocol %u, %.80s speaks %u", n->name, n->protocol,
                  peer->name, peer->protocol);
    if (n->installed && peer->installed && rules_capacity(w, node) != rules_capacity(w, peer->index))
        rules_add(f, RULE_node_hardware, "%.80s and %.80s are not of equal capacity", n->name, peer->name);
}

/* A19: the record is followed everywhere, and what is joined is in service. */
static void services(const struct rules_facts *w, uint16_t node, struct findings *f)
{
    const struct topology_node *n = topology_node(w->t, node);

    if (!n->installed)
        rules_add(f, RULE_node_not_installed, "%.100s is not installed yet", n->name);
    else if (w->down[node])
        rules_add(f, RULE_node_services_down, "%.100s is not in service", n->name);
    else if (w->outage[node])
        rules_add(f, RULE_node_service_out, "critical service %s of %.100s is down", w->outage[node],
                  n->name);
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (topology_node(w->t, i) && w->behind[i])
            rules_add(f, RULE_node_record_behind, "%.100s does not follow the record", name_of(w, i));
}

void rules_node_assign(const struct rules_facts *w, uint16_t node, uint16_t subcluster, int slot,
                       struct findings *f)
{
    if (!known(w, node, f))
        return;
    const struct topology_node *n = topology_node(w->t, node);
    const struct topology_subcluster *s = topology_subcluster_of(w->t, node);
    if (s)
        rules_add(f, RULE_node_already_assigned, "%.100s is in subcluster %s", n->name, s->name);
    if (n->leaving)
        rules_add(f, RULE_node_leaving, "%.100s is being removed", n->name);
    services(w, node, f);
    place(w, node, subcluster, slot, f);
}

void rules_node_move(const struct rules_facts *w, uint16_t node, uint16_t subcluster, int slot,
                     struct findings *f)
{
    if (!known(w, node, f))
        return;
    rules_node_unassign(w, node, f);
    if (topology_node(w->t, node)->leaving)
        rules_add(f, RULE_node_leaving, "%.100s is being removed", name_of(w, node));
    if (topology_node(w->t, node)->subcluster == subcluster)
        return; /* to the other slot */
    place(w, node, subcluster, slot, f);
}

/* What a node says of itself, from its file, comes back as soon as it looks. */
void rules_node_capacity(const struct rules_facts *w, uint16_t node, uint32_t capacity, struct findings *f)
{
    const struct topology_node *n = topology_node(w->t, node);

    if (n && n->capacity_own && n->capacity != capacity)
        rules_add(f, RULE_node_capacity_own, "the file of %.100s itself says node.capacity = %u", n->name,
                  n->capacity);
}
