/* SPDX-License-Identifier: BSD-2-Clause */
/* Section C: where users may go, and whether the peer could carry them too. */
#include <inttypes.h>

#include "topology/rules.h"

uint32_t rules_capacity(const struct rules_facts *w, uint16_t node)
{
    const struct topology_node *n = topology_node(w->t, node);
    uint32_t capacity = n && n->capacity ? n->capacity : w->node_capacity;

    return capacity ? capacity : UINT32_MAX;
}

bool rules_is_loaded(const struct rules_facts *w, uint16_t node)
{
    return w->cpu_max && w->cpu[node] > w->cpu_max;
}

void rules_target(const struct rules_facts *w, uint16_t node, struct findings *f)
{
    const struct topology_node *n = topology_node(w->t, node);
    const struct topology_subcluster *s = topology_subcluster_of(w->t, node);

    if (!n) {
        rules_add(f, RULE_node_unknown, "the cluster has no such node");
        return;
    }
    if (n->leaving)
        rules_add(f, RULE_target_leaving, "%.100s is being removed", n->name);
    if (!n->installed)
        rules_add(f, RULE_node_not_installed, "%.100s is not installed yet", n->name);
    if (!s) {
        if (topology_subclusters(w->t)) /* a cluster without any is one of nodes that stand alone */
            rules_add(f, RULE_target_unassigned, "%.100s is in no subcluster", n->name);
        return;
    }
    if (s->ha && w->health[node] != HEALTH_NORMAL && w->health[node] != HEALTH_BACKUP)
        rules_add(f, RULE_target_state, "%.100s is neither in Normal nor in Running in Backup Mode", n->name);
    if (s->node[0] && s->node[1] && !s->ha)
        rules_add(f, RULE_no_protection, "high availability is off in subcluster %s", s->name);
}

/* Told only where the change makes it worse: it must always be possible to take users away. */
static void capacity_alone(const struct rules_facts *w, const uint64_t after[], uint16_t node,
                           struct findings *f)
{
    uint32_t capacity = rules_capacity(w, node);

    if (after[node] > capacity && after[node] > w->users[node])
        rules_add(f, RULE_capacity_node, "%.100s would have %" PRIu64 " users and carries %u",
                  w->t->node[node].name, after[node], capacity);
}

static void capacity_pair(const struct rules_facts *w, const uint64_t after[],
                          const struct topology_subcluster *s, struct findings *f)
{
    uint16_t a = s->node[0], b = s->node[1];
    uint32_t ca = rules_capacity(w, a), cb = rules_capacity(w, b), least = ca < cb ? ca : cb;
    uint64_t sum = after[a] + after[b];

    if (sum > least && sum > w->users[a] + w->users[b])
        rules_add(f, RULE_capacity_peer,
                  "subcluster %s would have %" PRIu64 " users, and one node alone carries %u of them",
                  s->name, sum, least);
    for (unsigned k = 0; k < TOPOLOGY_SLOTS; k++)
        if (rules_is_loaded(w, s->node[k]) && after[s->node[k]] > w->users[s->node[k]])
            rules_add(f, RULE_cpu_pair, "the cores of %.100s are busy for %u%%, at most %u%% are allowed",
                      w->t->node[s->node[k]].name, w->cpu[s->node[k]], w->cpu_max);
}

void rules_users(const struct rules_facts *w, const uint64_t after[HG_NODES_MAX], uint64_t moved,
                 struct findings *f)
{
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (topology_node(w->t, i) && !(topology_peer(w->t, i) && topology_subcluster_of(w->t, i)->ha))
            capacity_alone(w, after, i, f);
    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++) {
        const struct topology_subcluster *s = topology_subcluster(w->t, i);
        if (s && s->ha && s->node[0] && s->node[1])
            capacity_pair(w, after, s, f);
    }
    if (moved)
        rules_add(f, RULE_sessions_end, "another node for %" PRIu64 " user%s", moved, rules_plural(moved));
    if (w->large && moved >= w->large)
        rules_add(f, RULE_large_move, "%" PRIu64 " users at once cost performance", moved);
    for (uint16_t i = 1; moved && i < HG_NODES_MAX; i++)
        if (topology_node(w->t, i) && w->t->node[i].installed && (w->down[i] || w->outage[i]))
            rules_add(f, RULE_not_all_running, "%.100s is not in service", w->t->node[i].name);
}

void rules_rebalance(const struct rules_facts *w, const uint64_t after[HG_NODES_MAX], uint64_t moved,
                     struct findings *f)
{
    rules_users(w, after, moved, f);
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_subcluster *s = topology_subcluster_of(w->t, i);
        if (s && s->ha && w->health[i] != HEALTH_NORMAL && w->health[i] != HEALTH_BACKUP && w->users[i])
            rules_add(f, RULE_users_in_failover, "%" PRIu64 " user%s of %.100s will stay", w->users[i],
                      rules_plural(w->users[i]), w->t->node[i].name);
    }
    if (moved)
        rules_add(f, RULE_relogin_limits, "the number of users of a node changes");
}

void rules_no_target(const struct rules_facts *w, enum topology_mode mode, struct findings *f)
{
    if (mode == TOPOLOGY_NONE)
        rules_add(f, RULE_no_target, "users are not assigned automatically, the mode is none");
    else
        rules_add(f, RULE_no_target, "none of the %u nodes may take users now", topology_nodes(w->t));
}
