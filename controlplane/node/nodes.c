/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/nodes.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "assign/users.h"
#include "controlplane.h"
#include "feed/feed.h"
#include "ha/run.h"
#include "impl/segment.h"
#include "push/push.h"

static bool from_file(const struct controlplane *cp)
{
    return topology_nodes(&cp->topology) == 0;
}

static uint16_t file_find(const struct controlplane *cp, struct slice name)
{
    const struct hg_config *config = cp->config;

    if (slice_eq(name, slice_str(config->node_name)))
        return 1;
    for (uint32_t i = 0; i < config->nnodes && i + 2 < HG_NODES_MAX; i++)
        if (slice_eq(name, slice_str(config->nodes[i].name)))
            return (uint16_t)(i + 2);
    return 0;
}

uint16_t nodes_find(const struct controlplane *cp, struct slice name)
{
    if (from_file(cp))
        return file_find(cp, name);
    const struct topology_node *node = topology_find_node(&cp->topology, name);
    return node ? node->index : 0;
}

const char *nodes_name(const struct controlplane *cp, uint16_t index)
{
    const struct topology_node *node = topology_node(&cp->topology, index);

    if (!from_file(cp))
        return node ? node->name : "";
    if (index == 1)
        return cp->config->node_name;
    return index >= 2 && index - 2u < cp->config->nnodes ? cp->config->nodes[index - 2].name : "";
}

bool nodes_sip(const struct controlplane *cp, uint16_t index, struct hg_endpoint *out)
{
    const struct topology_node *node = topology_node(&cp->topology, index);
    const struct hg_config *config = cp->config;

    if (index && index == cp->self) {
        const struct hg_endpoint *sip = hg_config_first_sip(config);
        if (sip)
            *out = *sip;
        return sip != NULL;
    }
    if (!from_file(cp)) {
        if (node && node->sip.port)
            *out = node->sip;
        return node && node->sip.port;
    }
    if (index < 2 || index - 2u >= config->nnodes)
        return false;
    *out = config->nodes[index - 2].sip;
    return true;
}

uint16_t nodes_of_home(struct controlplane *cp, uint16_t home)
{
    struct homes *h = &cp->homes;

    if (h->topology != cp->topology.generation || h->names != users_homes_generation(cp->users)) {
        h->topology = cp->topology.generation;
        h->names = users_homes_generation(cp->users);
        for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
            const char *name = users_home_name(cp->users, i);
            h->node[i] = name[0] ? nodes_find(cp, slice_str(name)) : 0;
        }
    }
    return home < HG_NODES_MAX ? h->node[home] : 0;
}

bool nodes_takes_users(const struct controlplane *cp, uint16_t index)
{
    const struct topology_node *node = topology_node(&cp->topology, index);

    return nodes_name(cp, index)[0] && !(node && node->leaving);
}

bool nodes_serve_here(const struct controlplane *cp, uint16_t node)
{
    return node && cp->self && (node == cp->self || topology_peer(&cp->topology, node) == cp->self);
}

struct hg_config_node *nodes_list(const struct controlplane *cp, uint32_t *n)
{
    struct hg_config_node *list = calloc(HG_NODES_MAX, sizeof(*list));

    *n = 0;
    for (uint16_t i = 1; list && i < HG_NODES_MAX; i++) {
        struct hg_config_node *to = &list[*n];
        if (i == cp->self || !nodes_name(cp, i)[0] || !nodes_sip(cp, i, &to->sip))
            continue;
        strcpy(to->name, nodes_name(cp, i));
        ++*n;
    }
    return list;
}

void nodes_changed(struct controlplane *cp)
{
    cp->homes.dirty = true;
}

/* What the users' tables in the cores were made from. */
static bool other_homes(struct controlplane *cp)
{
    uint16_t told[HG_NODES_MAX];
    bool here[HG_NODES_MAX], other = false;

    for (uint16_t i = 0; i < HG_NODES_MAX; i++) {
        told[i] = nodes_of_home(cp, i);
        here[i] = nodes_serve_here(cp, told[i]);
        if (users_count_at(cp->users, i) && (told[i] != cp->homes.told[i] || here[i] != cp->homes.here[i]))
            other = true;
    }
    memcpy(cp->homes.told, told, sizeof(told));
    memcpy(cp->homes.here, here, sizeof(here));
    return other;
}

void nodes_whole(struct controlplane *cp)
{
    if (cp->homes.whole)
        return;
    cp->homes.whole = true;
    push_nodes(cp); /* the users that follow are told by what this node is */
    nodes_changed(cp);
}

/* Cores that serve keep what they have until the record has told everything: a node that does not know its
 * own index yet would be a stranger to them. Others begin with what the file says. */
bool nodes_may_tell(const struct controlplane *cp)
{
    const struct hg_segment *s = feed_segment(cp->feed);

    return cp->homes.whole || (s && atomic_load_explicit(&s->header->dp_ready, memory_order_acquire) == 0);
}

void nodes_turn(struct controlplane *cp)
{
    if (!cp->homes.dirty || !nodes_may_tell(cp))
        return;
    cp->homes.dirty = false;
    push_nodes(cp);
    if (other_homes(cp))
        push_users_again(cp);
    ha_topology_changed(cp->ha);
    push_routes_dirty(cp); /* access lists and names of nodes */
}

static void user_counts(struct controlplane *cp, struct rules_facts *out)
{
    for (uint16_t i = 0; i < HG_NODES_MAX; i++)
        out->users[nodes_of_home(cp, i)] += users_count_at(cp->users, i);
}

void nodes_facts(struct controlplane *cp, struct rules_facts *out)
{
    const struct hg_config *c = cp->config;

    *out = (struct rules_facts){
        .t = &cp->topology,
        .nodes_max = (uint32_t)c->limit_nodes,
        .im_only_nodes_max = (uint32_t)c->limit_im_only_nodes,
        .ha_subclusters_max = (uint32_t)c->limit_ha_subclusters,
        .im_only = c->cluster_im_only,
        .secret = c->cluster_secret[0] != '\0',
        .node_capacity = (uint32_t)c->assign_node_capacity,
        .large = (uint32_t)c->assign_large_move,
        .cpu_max = (uint8_t)c->assign_cpu_max,
        .heartbeat_interval_ms = (uint32_t)c->ha_heartbeat_interval_ms,
        .heartbeat_timeout_ms = (uint32_t)c->ha_heartbeat_timeout_ms,
        .init_timeout_ms = (uint32_t)c->ha_init_timeout_ms,
        .domain = c->cluster_domain,
        .cluster_id = c->cluster_id,
    };
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        out->health[i] = HEALTH_NORMAL;
    user_counts(cp, out);
    memcpy(out->resolves, cp->resolves, sizeof(out->resolves));
    out->behind[cp->self] = !record_loaded(cp->record);
    if (cp->facts_of_ha)
        cp->facts_of_ha(cp, out);
}
