/* SPDX-License-Identifier: BSD-2-Clause */
/* What the rules of topology and assignment have to know of high availability (C14, D08): states, who serves
 * whom, who is not heard. */
#include "controlplane.h"
#include "ha/run_impl.h"
#include "topology/rules.h"

static uint8_t health(enum srm_state state)
{
    switch (state) {
    case STATE_NORMAL:
        return HEALTH_NORMAL;
    case STATE_BACKUP:
        return HEALTH_BACKUP;
    case STATE_UNKNOWN:
        return HEALTH_UNKNOWN;
    case STATE_IDLE:
    case STATE_FAILED_OVER:
    case STATE_FAILED_SERVICES:
    case STATE_FAILED_MODE:
        return HEALTH_FAILED;
    default:
        return HEALTH_TRANSITION;
    }
}

/* Of each node by its own word (A19, B03, C22). */
static void told(const struct ha *ha, uint16_t node, struct rules_facts *out)
{
    struct ha_told told;

    if (!ha_told_by(ha, node, &told))
        return;
    out->behind[node] = !told.record;
    out->outage[node] = ha_told_outage(ha, node, &told);
    out->cpu[node] = told.load;
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (told.unresolved >> i & 1)
            out->unresolved_at[i] = node;
}

void ha_facts(struct controlplane *cp, struct rules_facts *out)
{
    struct ha *ha = cp->ha;
    uint64_t silent = (uint64_t)cp->config->ha_heartbeat_timeout_ms + 2000;

    for (uint16_t i = 1; ha && i < HG_NODES_MAX; i++) {
        const struct topology_subcluster *s = topology_subcluster_of(&cp->topology, i);
        const struct srm_entry *entry = s ? entries_find(&ha->entries, slice_str(s->name)) : NULL;
        const struct topology_node *n = topology_node(&cp->topology, i);
        struct ha_way way;
        out->paired[i] = entry && entry->ha;
        if (entry && entry->ha)
            out->health[i] = health(srm_entry_state(entry, s->node[1] == i));
        out->serving[i] = ha->serving_given ? ha->serving[i] : 0;
        if (n && i != cp->self && ha_way_to(ha, i, false, &way) && way.reachable)
            out->down[i] = n->installed && ha->seconds * 1000 > silent && way.heard_ms > silent;
        if (n)
            told(ha, i, out);
    }
}
