/* SPDX-License-Identifier: BSD-2-Clause */
/* The nodes of the cluster, their pairs and service addresses, and the reloadable settings. */
#include <stdio.h>
#include <string.h>

#include "controlplane.h"
#include "feed/feed.h"
#include "node/nodes.h"
#include "push/push.h"

static void service_addresses(struct controlplane *cp)
{
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_subcluster *s = topology_subcluster_of(&cp->topology, i);
        bool ours = s && nodes_serve_here(cp, i);
        unsigned slot = ours ? cp->topology.node[i].slot : 0, n = ours ? s->nservice[slot] : 0;
        if (!feed_service_addresses(cp->feed, i, n ? s->service[slot] : NULL, n) && n)
            log_printf(&cp->log, HG_LOG_WARNING, "node_refused",
                       "service addresses of node %s cannot be given to the cores", nodes_name(cp, i));
    }
}

void push_nodes(struct controlplane *cp)
{
    static const struct hg_endpoint none;
    uint16_t self = nodes_find(cp, slice_str(cp->config->node_name));

    /* A node that was removed goes on under its last index, until that is another one's: whoever is served by
     * that index then is not ours. */
    if (self || !cp->joined || nodes_name(cp, cp->self)[0])
        cp->self = self;
    if (!nodes_may_tell(cp)) {
        nodes_changed(cp);
        return;
    }
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        struct hg_endpoint sip = none;
        const char *name = nodes_name(cp, i);
        bool known = nodes_sip(cp, i, &sip);
        if (!name[0] && i != cp->self) {
            feed_node_set(cp->feed, i, "", NULL, false);
            continue;
        }
        if (!feed_node_set(cp->feed, i, name[0] ? name : cp->config->node_name,
                           known || i == cp->self ? &sip : NULL, i == cp->self))
            log_printf(&cp->log, HG_LOG_WARNING, "node_refused", "node %s cannot be given to the cores",
                       name);
        feed_node_pair(cp->feed, i, i != cp->self && topology_are_pair(&cp->topology, cp->self, i));
    }
    service_addresses(cp);
}

static void one_setting(void *arg, const struct hg_config_entry *entry)
{
    struct controlplane *cp = arg;

    if (!entry->reload || strchr(entry->path, '[') || strncmp(entry->path, "node.", 5) == 0)
        return;
    if (!feed_setting(cp->feed, entry->path, entry->value))
        log_printf(&cp->log, HG_LOG_WARNING, "setting_refused", "%s cannot be given to the cores",
                   entry->path);
}

void push_settings(struct controlplane *cp)
{
    hg_config_show(cp->config, one_setting, cp);
}
