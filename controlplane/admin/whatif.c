/* SPDX-License-Identifier: BSD-2-Clause */
/* whatif.fail: what would become of everybody if a node failed now (C20, C22, C23). */
#include <string.h>

#include "admin/user_job.h"
#include "controlplane.h"
#include "node/nodes.h"

static bool acts(const struct rules_facts *w, uint16_t node)
{
    return topology_node(w->t, node)->installed && !w->down[node] &&
           (w->health[node] == HEALTH_NORMAL || w->health[node] == HEALTH_BACKUP);
}

/* Who serves the users of a home now. */
static uint16_t serving(const struct rules_facts *w, uint16_t home)
{
    return w->serving[home] ? w->serving[home] : home;
}

struct outcome {
    uint64_t before[HG_NODES_MAX], after[HG_NODES_MAX]; /* users served, by node */
    uint64_t moved, lost;
};

static void fail_node(const struct rules_facts *w, uint16_t failed, struct outcome *o)
{
    memset(o, 0, sizeof(*o));
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        if (!topology_node(w->t, i))
            continue;
        uint16_t now = serving(w, i), peer = topology_peer(w->t, failed);
        o->before[now] += w->users[i];
        if (now != failed) {
            o->after[now] += w->users[i];
        } else if (topology_are_pair(w->t, failed, peer) && acts(w, peer)) {
            o->after[peer] += w->users[i];
            o->moved += w->users[i];
        } else {
            o->lost += w->users[i];
        }
    }
}

void admin_whatif_fail(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    const char *name = NULL;
    struct rules_facts w;
    struct findings f;
    struct outcome o;

    if (!admin_arg_string(req, "node", &name))
        return;
    uint16_t node = name ? nodes_find(cp, slice_str(name)) : 0;
    if (!topology_node(&cp->topology, node)) {
        admin_fail(req, name ? ADMIN_NOT_FOUND : ADMIN_BAD_REQUEST, "hgctl node list shows the names",
                   name ? "no node is named %.100s" : "node is missing%s", name ? name : "");
        return;
    }
    nodes_facts(cp, &w);
    rules_begin(&f);
    fail_node(&w, node, &o);
    uint16_t peer = topology_peer(&cp->topology, node);
    if (o.lost && !topology_are_pair(&cp->topology, node, peer))
        rules_add(&f, RULE_no_protection, "%llu user%s without service: nobody takes over from %.100s",
                  (unsigned long long)o.lost, rules_plural(o.lost), name);
    else if (o.lost)
        rules_add(&f, RULE_target_state, "%llu user%s without service: %.100s could not take over",
                  (unsigned long long)o.lost, rules_plural(o.lost), nodes_name(cp, peer));
    if (o.moved && o.after[peer] > rules_capacity(&w, peer))
        rules_add(&f, RULE_capacity_peer, "%.100s would serve %llu users and carries %u",
                  nodes_name(cp, peer), (unsigned long long)o.after[peer], rules_capacity(&w, peer));
    uint64_t pace = (uint64_t)cp->config->ha_users_moved * 1000, per = (uint64_t)cp->config->ha_iteration_ms;
    json_int_t seconds =
        pace ? (json_int_t)((o.moved * per + pace - 1) / pace) : 0; /* silent users (D32, Y10) */
    admin_ok(req, json_pack("{s:s, s:s?, s:I, s:I, s:I, s:o, s:o}", "fails", name, "backup",
                            o.moved ? nodes_name(cp, peer) : NULL, "moved", (json_int_t)o.moved,
                            "without_service", (json_int_t)o.lost, "silent_users_s", seconds, "nodes",
                            user_job_loads(cp, o.before, o.after), "warnings", admin_findings(&f)));
}
