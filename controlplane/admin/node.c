/* SPDX-License-Identifier: BSD-2-Clause */
/* node.list and node.show: what the cluster knows of its nodes (A23). */
#include <string.h>

#include "admin/topology_edit.h"
#include "controlplane.h"
#include "ha/run.h"
#include "log/json_text.h"
#include "node/nodes.h"

const char *const node_health_names[] = {"unknown", "normal", "backup", "transition", "failed"};

static void put_endpoint(json_t *o, const char *name, const struct hg_endpoint *ep)
{
    char text[HG_ENDPOINT_STRLEN];

    if (!ep->port)
        return;
    hg_endpoint_format(ep, text);
    json_object_set_new(o, name, json_string(text));
}

static uint64_t signed_in(struct controlplane *cp, uint16_t node)
{
    uint64_t n = 0;

    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (nodes_of_home(cp, i) == node)
            n += users_signed_in_at(cp->users, i);
    return n;
}

static json_t *object(struct controlplane *cp, const struct rules_facts *w, const struct topology_node *n)
{
    const struct topology_subcluster *s = topology_subcluster_of(&cp->topology, n->index);
    uint16_t peer = topology_peer(&cp->topology, n->index), serving = w->serving[n->index];
    json_t *o =
        json_pack("{s:s, s:i, s:s?, s:b, s:b, s:b, s:b, s:s, s:I, s:I, s:s?}", "name", n->name, "index",
                  n->index, "subcluster", s ? s->name : NULL, "self", n->index == cp->self, "publisher",
                  n->publisher, "installed", n->installed, "draining", n->draining, "health",
                  !n->installed       ? "not-installed"
                  : w->down[n->index] ? "down"
                                      : node_health_names[w->health[n->index]],
                  "users", (json_int_t)w->users[n->index], "signed_in", (json_int_t)signed_in(cp, n->index),
                  "peer", peer ? cp->topology.node[peer].name : NULL);

    if (s)
        json_object_set_new(o, "slot", json_integer(n->slot));
    if (serving && serving != n->index)
        json_object_set_new(o, "served_by", json_string(nodes_name(cp, serving)));
    if (rules_capacity(w, n->index) != UINT32_MAX)
        json_object_set_new(o, "capacity", json_integer(rules_capacity(w, n->index)));
    if (w->cpu[n->index])
        json_object_set_new(o, "cpu", json_integer(w->cpu[n->index]));
    if (n->leaving)
        json_object_set_new(o, "leaving", json_true());
    put_endpoint(o, "sip", &n->sip);
    put_endpoint(o, "address", &n->address);
    put_endpoint(o, "service", &n->service);
    if (n->protocol)
        json_object_set_new(o, "protocol", json_integer(n->protocol));
    if (n->version[0])
        json_object_set_new(o, "version", json_string(n->version));
    return o;
}

json_t *node_object(struct controlplane *cp, const char *name)
{
    const struct topology_node *n = topology_find_node(&cp->topology, slice_str(name));
    struct rules_facts w;

    nodes_facts(cp, &w);
    return n ? object(cp, &w, n) : json_null();
}

void admin_node_list(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    json_t *list = json_array();
    struct rules_facts w;
    struct findings f;

    nodes_facts(cp, &w);
    rules_begin(&f);
    rules_standing(&w, &f);
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (topology_node(&cp->topology, i))
            json_array_append_new(list, object(cp, &w, &cp->topology.node[i]));
    json_t *findings = admin_findings(&f);
    for (unsigned i = 0; i < f.n; i++)
        json_object_set_new(json_array_get(findings, i), "bad",
                            json_boolean(rules_is_bad(f.finding[i].rule)));
    admin_ok(req, json_pack("{s:o, s:I, s:o}", "nodes", list, "unassigned_users", (json_int_t)w.users[0],
                            "findings", findings));
}

/* A23: the critical services with the mark of those that are watched, as the node itself tells. */
static json_t *services(const struct ha *ha, uint16_t node)
{
    const struct services *list = ha_services(ha);
    json_t *out = json_array();
    struct ha_told told;

    for (unsigned i = 0; ha_told_by(ha, node, &told) && i < list->n; i++)
        json_array_append_new(out,
                              json_pack("{s:s, s:b, s:b}", "service", list->s[i].name, "monitored",
                                        (int)(told.watched >> i & 1), "runs", (int)(told.services >> i & 1)));
    return out;
}

/* E16: state and reason only where high availability is on. */
static void put_detail(struct controlplane *cp, const struct rules_facts *w, const struct topology_node *n,
                       json_t *o)
{
    const struct topology_subcluster *s = topology_subcluster_of(&cp->topology, n->index);
    const struct srm_entry *entry = s ? ha_entry_of(cp->ha, s->name) : NULL;
    uint16_t serving = w->serving[n->index];
    enum srm_reason reason;

    if (entry && entry->ha) {
        enum srm_state state = ha_state_of(cp->ha, n->index, &reason);
        json_object_set_new(o, "state", json_text(srm_state_info[state].name));
        json_object_set_new(o, "reason", json_text(srm_reason_names[reason]));
    }
    json_object_set_new(
        o, "failed_over",
        json_integer(serving && serving != n->index ? (json_int_t)w->users[n->index] : 0)); /* D50 */
    json_object_set_new(o, "services", services(cp->ha, n->index));
}

/* What a command would say now, without doing it: what is offered, and what forbids the rest. */
static json_t *offers(const struct rules_facts *w, const struct topology_node *n)
{
    static const struct {
        const char *name;
        void (*rule)(const struct rules_facts *w, uint16_t node, struct findings *f);
    } commands[] = {{"unassign", rules_node_unassign}, {"remove", rules_node_remove}};
    json_t *o = json_object();
    struct findings f;

    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        rules_begin(&f);
        commands[i].rule(w, n->index, &f);
        json_object_set_new(o, commands[i].name, admin_findings(&f));
    }
    return o;
}

void admin_node_show(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    const char *name = NULL;
    struct rules_facts w;

    if (!admin_arg_string(req, "name", &name))
        return;
    const struct topology_node *n = name ? topology_find_node(&cp->topology, slice_str(name)) : NULL;
    if (!n) {
        admin_fail(req, name ? ADMIN_NOT_FOUND : ADMIN_BAD_REQUEST, rules[RULE_node_unknown].allow,
                   name ? "no node is named %.100s" : "name is missing%s", name ? name : "");
        return;
    }
    nodes_facts(cp, &w);
    json_t *node = object(cp, &w, n);
    put_detail(cp, &w, n, node);
    admin_ok(req, json_pack("{s:o, s:o}", "node", node, "findings", offers(&w, n)));
}
