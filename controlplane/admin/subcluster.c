/* SPDX-License-Identifier: BSD-2-Clause */
/* subcluster.list and subcluster.show (A24). */
#include <string.h>

#include "admin/topology_edit.h"
#include "controlplane.h"
#include "node/nodes.h"

static json_t *service(const struct topology_subcluster *s, unsigned slot)
{
    json_t *list = json_array();
    char text[HG_IP_STRLEN + 4];

    for (unsigned i = 0; i < s->nservice[slot]; i++) {
        hg_net_format(&s->service[slot][i], text);
        json_array_append_new(list, json_string(text));
    }
    return list;
}

static json_t *object(struct controlplane *cp, const struct rules_facts *w,
                      const struct topology_subcluster *s)
{
    json_t *nodes = json_array(), *addresses = json_array();
    uint64_t users = 0;

    for (unsigned k = 0; k < TOPOLOGY_SLOTS; k++) {
        json_array_append_new(nodes,
                              s->node[k] ? json_string(cp->topology.node[s->node[k]].name) : json_null());
        json_array_append_new(addresses, service(s, k));
        users += s->node[k] ? w->users[s->node[k]] : 0;
    }
    return json_pack("{s:s, s:b, s:s, s:o, s:o, s:I}", "name", s->name, "ha", s->ha, "mode",
                     topology_mode_names[s->mode], "nodes", nodes, "service", addresses, "users",
                     (json_int_t)users);
}

json_t *subcluster_object(struct controlplane *cp, const char *name)
{
    const struct topology_subcluster *s = topology_find_subcluster(&cp->topology, slice_str(name));
    struct rules_facts w;

    nodes_facts(cp, &w);
    return s ? object(cp, &w, s) : json_null();
}

void admin_subcluster_list(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    json_t *list = json_array();
    struct rules_facts w;

    nodes_facts(cp, &w);
    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++)
        if (topology_subcluster(&cp->topology, i))
            json_array_append_new(list, object(cp, &w, &cp->topology.subcluster[i]));
    admin_ok(req, json_pack("{s:o, s:s}", "subclusters", list, "mode",
                            topology_mode_names[cp->config->assign_mode + TOPOLOGY_BALANCED]));
}

void admin_subcluster_show(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    const char *name = NULL;
    struct rules_facts w;
    struct findings f;

    if (!admin_arg_string(req, "name", &name))
        return;
    const struct topology_subcluster *s =
        name ? topology_find_subcluster(&cp->topology, slice_str(name)) : NULL;
    if (!s) {
        admin_fail(req, name ? ADMIN_NOT_FOUND : ADMIN_BAD_REQUEST, rules[RULE_subcluster_unknown].allow,
                   name ? "no subcluster is named %.100s" : "name is missing%s", name ? name : "");
        return;
    }
    json_t *nodes = json_array();
    for (unsigned k = 0; k < TOPOLOGY_SLOTS; k++)
        if (s->node[k])
            json_array_append_new(nodes, node_object(cp, cp->topology.node[s->node[k]].name));
    nodes_facts(cp, &w);
    rules_begin(&f);
    (s->ha ? rules_ha_off : rules_ha_on)(&w, s->index, &f);
    admin_ok(req, json_pack("{s:o, s:o, s:{s:o}}", "subcluster", object(cp, &w, s), "nodes", nodes,
                            "findings", s->ha ? "ha off" : "ha on", admin_findings(&f)));
}
