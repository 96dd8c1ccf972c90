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
#include "node/nodes.h"
#include "store/events.h"

#define PROGRESS_MS 500
#define SETTLE_MS   3600000 /* an hour: 25 users a second are slow by intention */

struct following {
    enum srm_command command;
    uint16_t index, nodes[SRM_SLOTS];
    unsigned slot;
    bool here;      /* this node is of the pair */
    uint32_t order; /* ... else: passed on to its managers by this number */
    bool begun;     /* the row left that from which the command was given */
    uint8_t row;
    uint64_t most;
    char node[HG_NODE_NAME_MAX + 1], subcluster[TOPOLOGY_NAME_MAX + 1];
};

static const char *const words[] = {
    [SRM_CMD_FAILOVER] = "failover", [SRM_CMD_FALLBACK] = "fallback", [SRM_CMD_RECOVER] = "recover"};

/* Of the row of the pair; out: ROW_TEXT_MAX bytes. */
static const char *with_names(struct admin_request *req, const struct srm_entry *entry, const char *text,
                              char *out)
{
    const struct following *f = req->state;
    const char *const names[] = {nodes_name(req->cp, f->nodes[0]), nodes_name(req->cp, f->nodes[1])};

    return row_text(text, names, entry->flip, out);
}

static json_t *outcome(struct admin_request *req, const struct srm_entry *entry)
{
    const struct following *f = req->state;
    json_t *states = json_array();
    char cause[ROW_TEXT_MAX];

    for (unsigned slot = 0; slot < SRM_SLOTS; slot++)
        json_array_append_new(states,
                              json_pack("{s:s, s:s, s:s}", "name", nodes_name(req->cp, f->nodes[slot]),
                                        "state", srm_state_info[srm_entry_state(entry, slot)].name, "reason",
                                        srm_reason_names[srm_entry_reason(entry, slot)]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "command", words[f->command], "node", f->node,
                     "subcluster", f->subcluster, "row", srm_row_info[entry->row].name, "cause",
                     with_names(req, entry, srm_row_info[entry->row].cause, cause), "nodes", states);
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

/* The pair as its manager here has it, or else the record. NULL: it is none any more. */
static const struct srm_entry *entry_of(struct admin_request *req, struct ha_pair_view *pair)
{
    const struct following *f = req->state;
    const struct topology_subcluster *s =
        topology_find_subcluster(&req->cp->topology, slice_str(f->subcluster));

    ha_look(req->cp->ha, pair);
    if (!s || memcmp(s->node, f->nodes, sizeof(f->nodes)) != 0 || (f->here && !pair->managed))
        return NULL;
    return f->here ? &pair->status.entry : ha_entry_of(req->cp->ha, f->subcluster);
}

static bool of_services(const char *why)
{
    return why == srm_refusal_text(SRM_NO_NODE_SICK) || why == srm_refusal_text(SRM_NO_BACKUP_SICK) ||
           why == srm_refusal_text(SRM_NO_HOME_SICK) || why == srm_refusal_text(SRM_NO_NOT_AWAY);
}

/* Where a refusal may come from critical services: which of them are down, where. */
static void which_services(struct admin_request *req, const char *why, char *out, size_t size)
{
    const struct following *f = req->state;
    char down[400];
    size_t len = 0;

    out[0] = '\0';
    for (unsigned slot = 0; of_services(why) && slot < SRM_SLOTS; slot++)
        if (ha_told_down(req->cp->ha, f->nodes[slot], down, sizeof(down)) && len < size)
            len += (size_t)snprintf(out + len, size - len, "; %.100s lacks %s",
                                    nodes_name(req->cp, f->nodes[slot]), down);
}

static void refused(struct admin_request *req, const char *why)
{
    const struct following *f = req->state;
    char which[1100];

    which_services(req, why, which, sizeof(which));
    admin_fail(req, ADMIN_CONFLICT,
               which[0] ? "hgctl ha status on that node says since when and why"
                        : "hgctl ha status shows what is offered",
               "%s of %.100s is not possible: %s%s", words[f->command], f->node, why, which);
}

/* What the managers of another pair said. true: they refused. */
static bool order_refused(struct admin_request *req)
{
    struct following *f = req->state;
    const char *why = NULL;

    if (!f->order || f->begun || ha_order_state(req->cp->ha, f->order, &why) != ORDER_REFUSED)
        return false;
    refused(req, why);
    return true;
}

static void not_in_time(struct admin_request *req)
{
    const struct following *f = req->state;
    const char *why = NULL;

    if (f->begun)
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl ha status",
                   "the %s of %s goes on, it takes longer than this command waits", words[f->command],
                   f->node);
    else if (f->order && ha_order_state(req->cp->ha, f->order, &why) == ORDER_PENDING)
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl node ping, or the command on one of the two",
                   "the %s of %s was not begun: neither %s nor %s answers this node", words[f->command],
                   f->node, nodes_name(req->cp, f->nodes[0]), nodes_name(req->cp, f->nodes[1]));
    else
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl ha status",
                   "the %s of %s was not begun: neither the peer nor the record answers", words[f->command],
                   f->node);
}

static void progress(struct admin_request *req, const struct ha_pair_view *pair, uint64_t now_ms)
{
    struct following *f = req->state;
    uint64_t left = f->here ? pair->status.move_left[f->slot] : 0;

    f->most = left > f->most ? left : f->most;
    req->next_at = now_ms + PROGRESS_MS;
    if (f->begun)
        req->deadline = now_ms + SETTLE_MS;
    admin_progress(req, f->most - left, f->most, "users moved");
}

static void poll_settled(struct admin_request *req, uint64_t now_ms)
{
    struct following *f = req->state;
    char cause[ROW_TEXT_MAX], advice[ROW_TEXT_MAX];
    struct ha_pair_view pair;
    const struct srm_entry *entry = entry_of(req, &pair);

    if (!entry) {
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl ha status", "the subcluster changed meanwhile");
        return;
    }
    f->begun |= entry->row != f->row;
    if (order_refused(req))
        return;
    if (!unsettled(entry) && f->begun && reached(f, entry))
        admin_ok(req, outcome(req, entry));
    else if (!unsettled(entry) && f->begun && now_ms >= req->next_at)
        admin_fail(req, ADMIN_CONFLICT, with_names(req, entry, srm_row_info[entry->row].advice, advice),
                   "the %s of %s did not come about: %s (%s)", words[f->command], f->node,
                   with_names(req, entry, srm_row_info[entry->row].cause, cause),
                   srm_row_info[entry->row].name);
    else if (now_ms >= req->deadline)
        not_in_time(req);
    else if (now_ms >= req->next_at)
        progress(req, &pair, now_ms);
}

static bool take_node(struct admin_request *req, struct following *f)
{
    const char *name = NULL;
    struct ha_pair_view pair;

    if (!admin_arg_string(req, "node", &name))
        return false;
    const struct topology_node *n = name ? topology_find_node(&req->cp->topology, slice_str(name)) : NULL;
    if (!n) {
        admin_fail(req, name ? ADMIN_NOT_FOUND : ADMIN_BAD_REQUEST, "hgctl node list", "%s%.100s",
                   name ? "no node is named " : "node is missing", name ? name : "");
        return false;
    }
    snprintf(f->node, sizeof(f->node), "%s", n->name);
    const struct topology_subcluster *s = topology_subcluster_of(&req->cp->topology, n->index);
    if (!s || !s->node[0] || !s->node[1]) {
        admin_fail(req, ADMIN_CONFLICT, "hgctl node assign", "%.100s has no peer (D03)", n->name);
        return false;
    }
    snprintf(f->subcluster, sizeof(f->subcluster), "%s", s->name);
    memcpy(f->nodes, s->node, sizeof(f->nodes));
    f->index = n->index;
    f->slot = s->node[1] == n->index;
    f->here = s->node[0] == req->cp->self || s->node[1] == req->cp->self;
    const struct srm_entry *entry = entry_of(req, &pair);
    if (!entry) {
        refused(req,
                f->here ? ha_refusal(req->cp->ha, f->command, f->slot) : srm_refusal_text(SRM_NO_IS_OFF));
        return false;
    }
    f->row = entry->row;
    return true;
}

/* Of another pair the states say what is offered; what else forbids it, its managers know. */
static const char *refusal(struct admin_request *req, const struct following *f)
{
    struct ha_pair_view pair;

    if (f->here)
        return ha_refusal(req->cp->ha, f->command, f->slot);
    const struct srm_entry *entry = entry_of(req, &pair);
    if (!entry || !entry->ha)
        return srm_refusal_text(SRM_NO_IS_OFF);
    enum srm_state state = srm_entry_state(entry, f->slot);
    if (f->command == SRM_CMD_FAILOVER && state != STATE_NORMAL)
        return srm_refusal_text(SRM_NO_NOT_NORMAL);
    if (f->command == SRM_CMD_FALLBACK && state != STATE_IDLE && state != STATE_FAILED_OVER)
        return srm_refusal_text(SRM_NO_NOT_AWAY);
    return f->command == SRM_CMD_RECOVER && !failed(entry) ? srm_refusal_text(SRM_NO_NOT_FAILED) : NULL;
}

static const char *command(struct admin_request *req, struct following *f)
{
    if (f->here)
        return ha_command(req->cp->ha, f->command, f->slot);
    f->order = ha_order(req->cp->ha, f->nodes, f->command, f->index);
    return f->order ? NULL : "this node has no node.address, or passes on too many commands already";
}

static void forget_order(struct admin_request *req)
{
    const struct following *f = req->state;

    ha_order_end(req->cp->ha, f->order);
}

static void run(struct admin_request *req, enum srm_command what)
{
    struct following *f = calloc(1, sizeof(*f));
    bool dry = false;

    req->state = f;
    if (!f) {
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return;
    }
    req->drop = forget_order;
    f->command = what;
    if (!admin_arg_bool(req, "dry_run", &dry) || !take_node(req, f))
        return;
    const char *why = refusal(req, f);
    if (!why && !dry) {
        event_write(req->cp->event_stream, EVENT_COMMAND, "info", words[what], "%s of %s was asked for",
                    words[what], f->node);
        why = command(req, f);
    }
    if (why) {
        refused(req, why);
        return;
    }
    if (dry) {
        json_t *warning = json_pack("{s:s, s:s, s:s}", "rule", words[what], "text",
                                    what == SRM_CMD_RECOVER ? "the managers of both nodes start anew"
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
