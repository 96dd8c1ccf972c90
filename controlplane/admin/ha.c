/* SPDX-License-Identifier: BSD-2-Clause */
/* ha.status: one screen with every pair, its states and reasons, the actions that are offered (A23, A24), and
 * what this node's manager sees. */
#include <stdio.h>
#include <string.h>

#include "admin/request.h"
#include "assign/users.h"
#include "controlplane.h"
#include "ha/row_text.h"
#include "ha/run.h"
#include "log/json_text.h"
#include "node/nodes.h"

static json_t *text_or_null(const char *text)
{
    return text && text[0] ? json_text(text) : json_null();
}

static uint64_t homed(struct controlplane *cp, const char *node)
{
    uint16_t at = users_home_find(cp->users, slice_str(node));

    return at ? users_count_at(cp->users, at) : 0;
}

/* G01, G06, G10: what the states allow, for the pairs that other nodes manage. */
static const char *offered(const struct topology *t, const struct topology_subcluster *s,
                           const struct srm_entry *entry, unsigned slot)
{
    enum srm_state state = srm_entry_state(entry, slot), other = srm_entry_state(entry, 1 - slot);
    const struct topology_node *home = topology_node(t, s->node[slot]),
                               *backup = topology_node(t, s->node[1 - slot]);

    if (!entry->ha)
        return NULL;
    if (state == STATE_NORMAL)
        return backup && backup->draining ? NULL : "failover";
    if (state == STATE_IDLE || state == STATE_FAILED_OVER)
        return home && home->draining ? NULL : "fallback";
    return state == STATE_FAILED_MODE && other == STATE_FAILED_MODE ? "recover" : NULL;
}

static json_t *one_node(struct controlplane *cp, const struct topology_subcluster *s, unsigned slot,
                        const struct srm_entry *entry, const struct ha_pair_view *own)
{
    const struct topology_node *n = topology_node(&cp->topology, s->node[slot]);
    bool managed = own->managed && strcmp(own->subcluster, s->name) == 0;
    bool on = entry && entry->ha;
    const char *action = managed ? own->status.action[slot]
                         : entry ? offered(&cp->topology, s, entry, slot)
                                 : NULL;
    struct ha_way way;

    if (!n)
        return json_null();
    json_t *node = json_pack(
        "{s:s, s:b, s:b, s:o, s:o, s:o, s:I, s:s}", "name", n->name, "self", n->index == cp->self, "draining",
        n->draining, "state", text_or_null(on ? srm_state_info[srm_entry_state(entry, slot)].name : NULL),
        "reason", text_or_null(on ? srm_reason_names[srm_entry_reason(entry, slot)] : NULL), "action",
        text_or_null(on ? action : NULL), "users", (json_int_t)homed(cp, n->name), "served_by",
        nodes_name(cp, ha_serving(cp->ha, n->index)));
    if (n->index != cp->self && ha_way_to(cp->ha, n->index, false, &way) && way.heard_ms != UINT64_MAX)
        json_object_set_new(node, "heard_ms", json_integer((json_int_t)way.heard_ms));
    return node;
}

static json_t *one_pair(struct controlplane *cp, const struct topology_subcluster *s,
                        const struct ha_pair_view *own)
{
    const struct srm_entry *entry = ha_entry_of(cp->ha, s->name);
    bool managed = own->managed && strcmp(own->subcluster, s->name) == 0;
    json_t *nodes = json_array();

    if (managed)
        entry = &own->status.entry;
    for (unsigned slot = 0; slot < SRM_SLOTS; slot++)
        json_array_append_new(nodes, one_node(cp, s, slot, entry, own));
    const struct srm_row_info *row = entry ? &srm_row_info[entry->row] : NULL;
    const char *const names[] = {nodes_name(cp, s->node[0]), nodes_name(cp, s->node[1])};
    char cause[ROW_TEXT_MAX], advice[ROW_TEXT_MAX];
    const char *why = row ? row_text(row->cause, names, entry->flip, cause) : NULL;
    const char *todo = row ? row_text(row->advice, names, entry->flip, advice) : NULL;
    if (ha_is_broken(cp->ha, s->name)) {
        why = "The entry in the record cannot be understood; this is what it was before.";
        todo = "See the alarm record_bad (hgctl alarm list).";
    }
    return json_pack("{s:s, s:b, s:b, s:o, s:o, s:o, s:I, s:o}", "subcluster", s->name, "wanted", s->ha, "ha",
                     entry && entry->ha, "row", text_or_null(row ? row->name : NULL), "cause",
                     text_or_null(why), "advice", text_or_null(todo), "epoch",
                     (json_int_t)(entry ? entry->epoch : 0), "nodes", nodes);
}

static json_t *services(struct controlplane *cp, const struct ha_pair_view *own)
{
    const struct services *list = ha_services(cp->ha);
    uint64_t now = ha_now(cp->ha);
    json_t *out = json_array();

    for (unsigned i = 0; i < list->n; i++) {
        const struct service *s = &list->s[i];
        bool peer = own->managed && own->status.peer_heard && own->status.peer.services & 1ull << i;
        json_array_append_new(
            out, json_pack("{s:s, s:b, s:b, s:b, s:I, s:I, s:o, s:s}", "service", s->name, "monitored",
                           s->watched, "runs", s->known && s->up, "peer_has", peer, "since_s",
                           (json_int_t)(s->known && now > s->since ? (now - s->since) / 1000000000 : 0),
                           "stops", (json_int_t)s->stops, "why", text_or_null(s->why), "text", s->text));
    }
    return out;
}

static json_t *way(struct controlplane *cp, uint16_t node, bool service)
{
    struct ha_way w;

    if (!ha_way_to(cp->ha, node, service, &w) || !w.reachable)
        return json_null();
    json_t *out = json_pack("{s:f}", "rtt_ms", (double)w.rtt_us / 1000);
    if (w.heard_ms != UINT64_MAX)
        json_object_set_new(out, "heard_ms", json_integer((json_int_t)w.heard_ms));
    if (w.kbps)
        json_object_set_new(out, "kbit_s", json_integer((json_int_t)w.kbps));
    return out;
}

static json_t *ways(struct controlplane *cp)
{
    json_t *out = json_array();

    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_node *n = topology_node(&cp->topology, i);
        if (n && i != cp->self)
            json_array_append_new(out, json_pack("{s:s, s:o, s:o}", "node", n->name, "management",
                                                 way(cp, i, false), "service", way(cp, i, true)));
    }
    return out;
}

static json_t *moves(struct controlplane *cp, const struct ha_pair_view *own)
{
    const struct srm_entry *entry = &own->status.entry;
    bool under_way =
        srm_in_transition(srm_entry_state(entry, 0)) || srm_in_transition(srm_entry_state(entry, 1));
    json_t *out = json_array();

    for (unsigned i = 0; i < SRM_SLOTS; i++)
        if (own->status.move_left[i] || (under_way && own->status.move_done[i]))
            json_array_append_new(out, json_pack("{s:s, s:I, s:I}", "users_of", nodes_name(cp, own->node[i]),
                                                 "done", (json_int_t)own->status.move_done[i], "left",
                                                 (json_int_t)own->status.move_left[i]));
    return out;
}

static json_t *manager(struct controlplane *cp)
{
    struct ha_pair_view own;
    json_t *holds = json_array();

    ha_look(cp->ha, &own);
    if (!own.managed) {
        json_decref(holds);
        return json_null();
    }
    for (unsigned i = 0; i < SRM_SLOTS; i++)
        if (own.status.holds & 1u << i)
            json_array_append_new(holds, json_string(nodes_name(cp, own.node[i])));
    return json_pack("{s:s, s:o, s:o, s:b, s:b, s:b, s:o}", "subcluster", own.subcluster, "lease_ms",
                     own.lease_left_ns == UINT64_MAX
                         ? json_null()
                         : json_integer((json_int_t)(own.lease_left_ns / 1000000)),
                     "serves", holds, "record", own.status.record, "peer_heard", own.status.peer_heard,
                     "starting", own.status.starting, "moves", moves(cp, &own));
}

void admin_ha_status(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    json_t *pairs = json_array();
    struct ha_pair_view own;

    ha_look(cp->ha, &own);
    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++) {
        const struct topology_subcluster *s = topology_subcluster(&cp->topology, i);
        if (s)
            json_array_append_new(pairs, one_pair(cp, s, &own));
    }
    admin_ok(req, json_pack("{s:s, s:o, s:o, s:o, s:o, s:{s:I, s:I}}", "node", cp->config->node_name, "pairs",
                            pairs, "manager", manager(cp), "services", services(cp, &own), "ways", ways(cp),
                            "relogin", "lower_s", (json_int_t)cp->config->ha_relogin_lower_s, "upper_s",
                            (json_int_t)cp->config->ha_relogin_upper_s));
}
