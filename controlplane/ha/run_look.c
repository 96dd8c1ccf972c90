/* SPDX-License-Identifier: BSD-2-Clause */
/* What administrators see and ask for. */
#include <string.h>

#include "controlplane.h"
#include "ha/run_impl.h"

void ha_look(const struct ha *ha, struct ha_pair_view *out)
{
    uint64_t now = ha_clock_ns(&ha->clock);

    memset(out, 0, sizeof(*out));
    out->lease_left_ns = UINT64_MAX;
    if (!ha->srm)
        return;
    out->managed = true;
    out->subcluster = ha->subcluster;
    memcpy(out->node, ha->node, sizeof(out->node));
    srm_status(ha->srm, now, &out->status);
    if (ha->lease_until != SRM_NO_DEADLINE)
        out->lease_left_ns = ha->lease_until > now ? ha->lease_until - now : 0;
}

const struct services *ha_services(const struct ha *ha)
{
    return &ha->services;
}

uint64_t ha_now(const struct ha *ha)
{
    return ha_clock_ns(&ha->clock);
}

const struct srm_entry *ha_entry_of(const struct ha *ha, const char *subcluster)
{
    return entries_find(&ha->entries, slice_str(subcluster));
}

enum srm_state ha_state_of(const struct ha *ha, uint16_t node, enum srm_reason *reason)
{
    const struct topology_subcluster *s = topology_subcluster_of(&ha->cp->topology, node);
    const struct srm_entry *entry = s ? entries_find(&ha->entries, slice_str(s->name)) : NULL;
    unsigned slot = s && s->node[1] == node;

    if (reason)
        *reason = entry ? srm_entry_reason(entry, slot) : REASON_UNKNOWN;
    return entry ? srm_entry_state(entry, slot) : STATE_UNKNOWN;
}

uint16_t ha_serving(const struct ha *ha, uint16_t home)
{
    return ha->serving_given && home < HG_NODES_MAX ? ha->serving[home] : home;
}

const char *ha_refusal(struct ha *ha, enum srm_command command, unsigned slot)
{
    if (!ha->srm)
        return srm_refusal_text(SRM_NO_NO_MANAGER);
    if (ha_is_broken(ha, ha->subcluster)) /* the manager is told when it has stood for a moment */
        return srm_refusal_text(SRM_NO_BROKEN);
    return srm_refusal(ha->srm, ha_clock_ns(&ha->clock), command, slot);
}

const char *ha_command(struct ha *ha, enum srm_command command, unsigned slot)
{
    const char *why = ha_refusal(ha, command, slot);
    struct srm_event e = {.type = SRM_COMMAND, .u.command = {.command = command, .slot = (uint8_t)slot}};

    if (!why)
        ha_give(ha, &e);
    return why;
}

bool ha_way_to(const struct ha *ha, uint16_t node, bool service, struct ha_way *out)
{
    struct beats_view view;
    uint64_t now = ha_clock_ns(&ha->clock);

    *out = (struct ha_way){.heard_ms = UINT64_MAX};
    if (!ha->beats || node >= HG_NODES_MAX)
        return false;
    beats_look(ha->beats, node, service ? BEAT_SERVICE : BEAT_MANAGEMENT, &view);
    out->reachable = view.reachable;
    out->rtt_us = view.rtt_ns / 1000;
    out->kbps = view.kbps;
    if (view.heard_ns)
        out->heard_ms = now > view.heard_ns ? (now - view.heard_ns) / 1000000 : 0;
    return true;
}

bool ha_ask_now(struct ha *ha, uint16_t node)
{
    if (!ha->beats || !topology_node(&ha->cp->topology, node))
        return false;
    struct beat own = ha_own_content(ha);
    beats_ask(ha->beats, node,
              ha->srm && node == ha->node[1 - ha->slot] && ha->has_asked ? &ha->last_ask : &own);
    return true;
}
