/* SPDX-License-Identifier: BSD-2-Clause */
/* The nodes of the cluster and the reloadable settings, from the configuration. */
#include <stdio.h>
#include <string.h>

#include "controlplane.h"
#include "feed/feed.h"
#include "push.h"

/* Indexes follow the order of first mention: this node, then cluster.nodes; names that only the record knows
 * come behind and have no endpoint. */
void push_nodes(struct controlplane *cp)
{
    const struct hg_config *config = cp->config;
    struct hg_endpoint none = {0};
    bool named[HG_NODES_MAX] = {false};

    cp->self = users_node(cp->users, slice_str(config->node_name));
    const struct hg_endpoint *sip = config->nlisteners ? &config->listeners[0].ep : &none;
    feed_node_set(cp->feed, cp->self, config->node_name, sip, true);
    named[cp->self] = true;
    for (uint32_t i = 0; i < config->nnodes; i++) {
        const struct hg_config_node *node = &config->nodes[i];
        uint16_t index = users_node(cp->users, slice_str(node->name));
        if (!index || index == cp->self)
            continue;
        named[index] = true;
        if (!feed_node_set(cp->feed, index, node->name, &node->sip, false))
            log_printf(&cp->log, HG_LOG_WARNING, "node_refused", "node %s cannot be given to the cores",
                       node->name);
    }
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (!named[i] && users_node_name(cp->users, i)[0])
            feed_node_set(cp->feed, i, users_node_name(cp->users, i), NULL, false);
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
