/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/join.h"

#include <stdio.h>
#include <string.h>

#include "controlplane.h"
#include "node/nodes.h"
#include "topology/change.h"

#define AGAIN_MS 2000

/* What the file and the software say of this node. */
static void describe(const struct controlplane *cp, struct topology_node *n)
{
    const struct hg_config *c = cp->config;

    n->installed = true;
    n->protocol = TOPOLOGY_PROTOCOL;
    /* a file that says nothing leaves it to the administrator */
    if (c->node_capacity || n->capacity_own)
        n->capacity = (uint32_t)c->node_capacity;
    n->capacity_own = c->node_capacity != 0;
    n->draining = cp->draining;
    snprintf(n->version, sizeof(n->version), "%s", HG_VERSION);
    memset(&n->address, 0, sizeof(n->address));
    if (c->node_address[0] && !hg_endpoint_parse(slice_str(c->node_address), 0, &n->address))
        n->address.port = 0;
    memset(&n->sip, 0, sizeof(n->sip));
    memset(&n->service, 0, sizeof(n->service));
    const struct hg_endpoint *sip = hg_config_first_sip(c);
    if (sip) {
        n->sip = *sip;
        n->service = (struct hg_endpoint){.ip = n->sip.ip, .port = (uint16_t)c->ha_service_port};
    }
}

static bool same(const struct topology_node *a, const struct topology_node *b)
{
    return a->installed == b->installed && a->protocol == b->protocol && a->capacity == b->capacity &&
           a->capacity_own == b->capacity_own && a->draining == b->draining && a->leaving == b->leaving &&
           strcmp(a->version, b->version) == 0 && hg_endpoint_eq(&a->address, &b->address) &&
           hg_endpoint_eq(&a->sip, &b->sip) && hg_endpoint_eq(&a->service, &b->service);
}

/* The index after those of the record and of this change. */
static uint16_t next_index(const struct controlplane *cp, uint64_t *taken)
{
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        if (topology_node(&cp->topology, i) || (*taken >> i & 1))
            continue;
        *taken |= 1ull << i;
        return i;
    }
    return 0;
}

/* Nodes that only the file knows: they are there as soon as they start themselves. nodes: of the record, and
 * of this change so far. */
static void seed(struct controlplane *cp, unsigned nodes, uint64_t *taken, struct topology_items *items)
{
    const struct hg_config *c = cp->config;

    for (uint32_t i = 0; i < c->nnodes; i++) {
        struct topology_node n = {.sip = c->nodes[i].sip};
        if (strcmp(c->nodes[i].name, c->node_name) == 0 ||
            topology_find_node(&cp->topology, slice_str(c->nodes[i].name)))
            continue;
        if (nodes >= (unsigned)c->limit_nodes) {
            log_printf(&cp->log, HG_LOG_WARNING, "node_not_seeded",
                       "node %s of the file's cluster.nodes is not added: cluster.limits.nodes = %u",
                       c->nodes[i].name, (unsigned)c->limit_nodes);
            continue;
        }
        n.index = next_index(cp, taken);
        snprintf(n.name, sizeof(n.name), "%s", c->nodes[i].name);
        if (n.index) {
            topology_items_node(items, &n);
            nodes++;
        }
    }
}

static bool edit(struct controlplane *cp, void *arg, struct topology_items *items)
{
    const struct topology_node *mine = topology_find_node(&cp->topology, slice_str(cp->config->node_name));
    struct topology_node n = {0};
    uint64_t taken = 0;

    (void)arg;
    if (mine)
        n = *mine;
    describe(cp, &n);
    n.leaving = false;
    if (!mine) {
        snprintf(n.name, sizeof(n.name), "%s", cp->config->node_name);
        n.index = next_index(cp, &taken);
        if (!n.index || topology_nodes(&cp->topology) >= (unsigned)cp->config->limit_nodes)
            return false;
    }
    if (!topology_publisher(&cp->topology))
        n.publisher = true;
    if (!mine || !same(mine, &n) || mine->publisher != n.publisher)
        topology_items_node(items, &n);
    if (cp->files_seeded != cp->files_read)
        seed(cp, topology_nodes(&cp->topology) + !mine, &taken, items);
    return true;
}

static void done(struct controlplane *cp, void *arg, enum topology_result result, const char *why)
{
    (void)arg;
    cp->joining = false;
    if (result == TOPOLOGY_DONE)
        cp->files_seeded = cp->files_joining;
    cp->join_at = uv_now(&cp->loop) + AGAIN_MS;
    if (result == TOPOLOGY_REFUSED) {
        alarm_raise(
            &cp->alarms, ALARM_node_not_joined,
            "the cluster has %u nodes, at most %u are allowed: raise cluster.limits.nodes, or remove one",
            topology_nodes(&cp->topology), (unsigned)cp->config->limit_nodes);
        return;
    }
    if (result != TOPOLOGY_DONE) {
        log_printf(&cp->log, HG_LOG_INFO, "join_later", "this node's entry in the record: %s", why);
        return;
    }
    alarm_clear(&cp->alarms, ALARM_node_not_joined);
    if (!cp->joined)
        log_printf(&cp->log, HG_LOG_INFO, "joined", "node %s has index %u in the cluster",
                   cp->config->node_name, nodes_find(cp, slice_str(cp->config->node_name)));
    cp->joined = true;
}

static void start(struct controlplane *cp)
{
    if (cp->joining || cp->stopping)
        return;
    cp->joining = true;
    cp->files_joining = cp->files_read;
    topology_change(cp, edit, done, NULL);
}

void join_loaded(struct controlplane *cp)
{
    cp->join_at = 0; /* the record is not to be changed from inside of its load */
}

void join_file(struct controlplane *cp)
{
    cp->files_read++;
    cp->join_at = 0;
}

void join_turn(struct controlplane *cp)
{
    const struct topology_node *mine = topology_find_node(&cp->topology, slice_str(cp->config->node_name));

    if (!record_loaded(cp->record) || uv_now(&cp->loop) < cp->join_at)
        return;
    if (cp->joined && !mine) { /* it was removed while it runs */
        alarm_raise(&cp->alarms, ALARM_node_not_joined,
                    "this node was removed from the cluster: stop it; hgctl node add, or a restart of "
                    "hg-controlplane, "
                    "takes it in again");
        return;
    }
    if (cp->joined) /* its entry may have come back as it was, by a backup */
        alarm_clear(&cp->alarms, ALARM_node_not_joined);
    struct topology_node n = mine ? *mine : (struct topology_node){0};
    describe(cp, &n);
    if (!cp->joined || !same(mine, &n) || cp->files_seeded != cp->files_read)
        start(cp);
}

bool join_done(const struct controlplane *cp)
{
    return cp->joined;
}
