/* SPDX-License-Identifier: BSD-2-Clause */
/* ha.failover, ha.fallback, ha.recover (G01-G12): asked of the manager, followed until the pair has settled.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/request.h"
#include "controlplane.h"
#include "ha/row_text.h"
#include "ha/run.h"
#include "nodes.h"
#include "store/events.h"

#define PROGRESS_MS 500
#define SETTLE_MS   3600000 /* an hour: 25 users a second are slow by intention */

struct following {
    enum srm_command command;
    unsigned slot;
    bool begun; /* the row left that from which the command was given */
    uint8_t row;
    uint64_t most;
    char node[HG_NODE_NAME_MAX + 1];
};

static const char *const words[] = {
    [SRM_CMD_FAILOVER] = "failover", [SRM_CMD_FALLBACK] = "fallback", [SRM_CMD_RECOVER] = "recover"};

/* Of the row of the pair; out: ROW_TEXT_MAX bytes. */
static const char *with_names(struct admin_request *req, const struct ha_pair_view *pair, const char *text,
                              char *out)
{
    const char *const names[] = {nodes_name(req->cp, pair->node[0]), nodes_name(req->cp, pair->node[1])};

    return row_text(text, names, pair->status.entry.flip, out);
}

static json_t *outcome(struct admin_request *req, const struct ha_pair_view *pair)
{
    const struct following *f = req->state;
    json_t *states = json_array();
    char cause[ROW_TEXT_MAX];

    for (unsigned slot = 0; slot < SRM_SLOTS; slot++)
        json_array_append_new(
            states, json_pack("{s:s, s:s, s:s}", "name", nodes_name(req->cp, pair->node[slot]), "state",
                              srm_state_info[srm_entry_state(&pair->status.entry, slot)].name, "reason",
                              srm_reason_names[srm_entry_reason(&pair->status.entry, slot)]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "command", words[f->command], "node", f->node,
                     "subcluster", pair->subcluster, "row", srm_row_info[pair->status.entry.row].name,
                     "cause", with_names(req, pair, srm_row_info[pair->status.entry.row].cause, cause),
                     "nodes", states);
}

static bool unsettled(const struct srm_entry *entry)
{
    return srm_in_transition(srm_entry_state(entry, 0)) || srm_in_transition(srm_entry_state(entry, 1));
}

static bool failed(const struct srm_entry *entry)
{
    return srm_entry_state(entry, 0) == STATE_FAILED_MODE && srm_entry_state(entry, 1) == STATE_FAILED_MODE;
}

static bool reached(const struct following *f, const struct srm_entry *entry)
{
    enum srm_state state = srm_entry_state(entry, f->slot);

    switch (f->command) {
    case SRM_CMD_FAILOVER:
        return state == STATE_IDLE || state == STATE_FAILED_OVER || state == STATE_FAILED_SERVICES;
    case SRM_CMD_FALLBACK:
        return state == STATE_NORMAL;
    default:
        return !failed(entry);
    }
}

static void poll_settled(struct admin_request *req, uint64_t now_ms)
{
    struct following *f = req->state;
    char cause[ROW_TEXT_MAX], advice[ROW_TEXT_MAX];
    struct ha_pair_view pair;

    ha_look(req->cp->ha, &pair);
    if (!pair.managed) {
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl ha status", "the subcluster changed meanwhile");
        return;
    }
    const struct srm_entry *entry = &pair.status.entry;
    f->begun |= entry->row != f->row;
    if (!unsettled(entry) && f->begun && reached(f, entry)) {
        admin_ok(req, outcome(req, &pair));
    } else if (!unsettled(entry) && f->begun && now_ms >= req->next_at) {
        admin_fail(req, ADMIN_CONFLICT, with_names(req, &pair, srm_row_info[entry->row].advice, advice),
                   "the %s of %s did not come about: %s (%s)", words[f->command], f->node,
                   with_names(req, &pair, srm_row_info[entry->row].cause, cause),
                   srm_row_info[entry->row].name);
    } else if (now_ms >= req->deadline) {
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl ha status", "the %s of %s %s", words[f->command], f->node,
                   f->begun ? "goes on, it takes longer than this command waits"
                            : "was not begun: neither the peer nor the record answers");
    } else if (now_ms >= req->next_at) {
        uint64_t left = pair.status.move_left[f->slot];
        f->most = left > f->most ? left : f->most;
        req->next_at = now_ms + PROGRESS_MS;
        if (f->begun)
            req->deadline = now_ms + SETTLE_MS;
        admin_progress(req, f->most - left, f->most, "users moved");
    }
}

static bool take_node(struct admin_request *req, struct following *f)
{
    struct ha_pair_view pair;
    const char *name = NULL;

    if (!admin_arg_string(req, "node", &name))
        return false;
    ha_look(req->cp->ha, &pair);
    const struct topology_node *n = name ? topology_find_node(&req->cp->topology, slice_str(name)) : NULL;
    if (!n) {
        admin_fail(req, name ? ADMIN_NOT_FOUND : ADMIN_BAD_REQUEST, "hgctl node list", "%s%.100s",
                   name ? "no node is named " : "node is missing", name ? name : "");
        return false;
    }
    snprintf(f->node, sizeof(f->node), "%s", n->name);
    if (!pair.managed || (pair.node[0] != n->index && pair.node[1] != n->index)) {
        uint16_t peer = topology_peer(&req->cp->topology, n->index);
        admin_fail(req, ADMIN_CONFLICT, peer ? "run it there" : "a subcluster needs two nodes (D03)",
                   "the manager of %.100s runs on %.100s%s%.100s", n->name, n->name,
                   peer ? " and " : " alone", peer ? nodes_name(req->cp, peer) : "");
        return false;
    }
    f->slot = pair.node[1] == n->index;
    f->row = pair.status.entry.row;
    return true;
}

static void run(struct admin_request *req, enum srm_command command)
{
    struct following *f = calloc(1, sizeof(*f));
    bool dry = false;

    req->state = f;
    if (!f) {
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return;
    }
    f->command = command;
    if (!admin_arg_bool(req, "dry_run", &dry) || !take_node(req, f))
        return;
    const char *why = ha_refusal(req->cp->ha, command, f->slot);
    if (!why && !dry) {
        event_write(req->cp->event_stream, EVENT_COMMAND, "info", words[command], "%s of %s was asked for",
                    words[command], f->node);
        why = ha_command(req->cp->ha, command, f->slot);
    }
    if (why) {
        admin_fail(req, ADMIN_CONFLICT, "hgctl ha status shows what is offered",
                   "%s of %.100s is not possible: %s", words[command], f->node, why);
        return;
    }
    if (dry) {
        json_t *warning = json_pack("{s:s, s:s, s:s}", "rule", words[command], "text",
                                    command == SRM_CMD_RECOVER ? "the managers of both nodes start anew"
                                                               : "the users of the node move to another node",
                                    "allow", "a quiet hour (A30)");
        admin_ok(req, json_pack("{s:b, s:s, s:[o]}", "dry_run", 1, "node", f->node, "warnings", warning));
        return;
    }
    req->deadline = uv_now(&req->cp->loop) + ADMIN_APPLY_MS;
    req->next_at = uv_now(&req->cp->loop) + PROGRESS_MS;
    req->poll = poll_settled;
}

void admin_ha_failover(struct admin_request *req)
{
    run(req, SRM_CMD_FAILOVER);
}

void admin_ha_fallback(struct admin_request *req)
{
    run(req, SRM_CMD_FALLBACK);
}

void admin_ha_recover(struct admin_request *req)
{
    run(req, SRM_CMD_RECOVER);
}
