/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether this node has a manager, for which pair, and what it may do without one. */
#include <stdio.h>
#include <string.h>

#include "controlplane.h"
#include "ha/run_impl.h"

static void forget(struct ha *ha)
{
    srm_free(ha->srm);
    ha->srm = NULL;
    uv_timer_stop(&ha->tick);
    ha->nevents = 0;
    entry_watch_forget(&ha->watch);
    ha->has_asked = false;
    memset(&ha->map, 0, sizeof(ha->map));
    memset(ha->move, 0, sizeof(ha->move));
    ha_users_forget(ha);
    for (enum alarm_id id = ALARM_ha_peer; id <= ALARM_ha_service; id++)
        alarm_clear(&ha->cp->alarms, id);
}

static void tell_services(struct ha *ha)
{
    for (unsigned i = 0; i < ha->services.n; i++)
        ha->services.s[i].known = false;
    ha->hears_at = 0;
    ha->hears_doubtful = false;
    ha_watch(ha);
}

void ha_look_unseen(struct ha *ha)
{
    struct srm_event e = {.type = SRM_UNSEEN, .u.up = feed_unseen(ha->cp->feed)};

    if (ha->unseen == e.u.up)
        return;
    ha->unseen = e.u.up;
    ha_give(ha, &e);
}

/* The peer says so in the record; what this node does itself is known before it stands there. */
static uint8_t drained(const struct ha *ha)
{
    uint8_t set = 0;

    for (unsigned slot = 0; slot < SRM_SLOTS; slot++) {
        const struct topology_node *n = topology_node(&ha->cp->topology, ha->node[slot]);
        bool here = slot == ha->slot;
        set |= (uint8_t)((here ? ha->cp->draining : n && n->draining) << slot);
    }
    return set;
}

void ha_look_drained(struct ha *ha)
{
    struct srm_event e = {.type = SRM_DRAINED, .u.drained = drained(ha)};

    if (!ha->srm || ha->drained == e.u.drained)
        return;
    ha->drained = e.u.drained;
    ha_give(ha, &e);
}

static void begin(struct ha *ha, const struct topology_subcluster *s, unsigned slot)
{
    struct srm_params params = ha_params(ha->cp->config);
    struct srm_start start = {.slot = slot, .now = ha_clock_ns(&ha->clock)};
    struct srm_event record = {.type = SRM_RECORD,
                               .u.record = {.up = ha->record_up, .term = record_term(ha->cp->record)}};

    ha->alone_at = 0;
    feed_serve_always(ha->cp->feed, false);
    ha_lease_read(ha, feed_segment(ha->cp->feed), &start.segment_until, &start.segment_word);
    ha->lease_until = start.segment_until;
    ha->lease_word = start.segment_word;
    ha->srm = srm_create(&params, &start);
    if (!ha->srm) {
        log_printf(&ha->cp->log, HG_LOG_ERROR, "ha", "out of memory: no high availability");
        return;
    }
    ha->slot = slot;
    memcpy(ha->node, s->node, sizeof(ha->node));
    snprintf(ha->subcluster, sizeof(ha->subcluster), "%s", s->name);
    log_printf(&ha->cp->log, HG_LOG_INFO, "ha",
               "the server recovery manager of subcluster %s starts, peer %s", s->name,
               topology_node(&ha->cp->topology, s->node[1 - slot])->name);
    ha->unseen = false;
    ha->drained = 0;
    ha_look_unseen(ha);
    ha_look_drained(ha);
    ha_tell_entry(ha);
    ha_give(ha, &record);
    tell_services(ha);
}

/* When every lease of before is over. */
static uint64_t after_leases(const struct ha *ha)
{
    struct srm_params p = ha_params(ha->cp->config);

    return ha_clock_ns(&ha->clock) + entries_longest(&ha->entries, p.lease) + p.guard;
}

/* A peer of before may act for our users until its lease is over, which nobody extends any more. Rules keep
 * administrators from taking a pair apart that has high availability on; a backup that is restored does not
 * ask them. */
static void leave_pair(struct ha *ha)
{
    struct srm_status s;

    srm_status(ha->srm, ha_clock_ns(&ha->clock), &s);
    if (s.entry.ha) {
        ha->alone_at = after_leases(ha);
        ha_lease_write(ha, 0, 0);
    }
    forget(ha);
}

static bool serves_always(const struct ha *ha)
{
    const struct hg_segment *s = feed_segment(ha->cp->feed);
    uint64_t until, word;

    ha_lease_read(ha, s, &until, &word);
    return until == SRM_NO_DEADLINE;
}

/* Without a peer there is no deadline; where there may have been one before our start, not before its lease
 * is over. */
static void alone(struct ha *ha)
{
    uint64_t now = ha_clock_ns(&ha->clock);

    if (ha->alone_at == 0)
        ha->alone_at =
            entries_dissolved(&ha->entries, &ha->cp->topology) && !serves_always(ha) ? after_leases(ha) : now;
    if (now >= ha->alone_at)
        feed_serve_always(ha->cp->feed, true);
}

/* High availability is on, and without an address of our own we have no part in it: the peer acts for all. */
static void stand_still(struct ha *ha)
{
    ha->alone_at = 0; /* who is alone later waits for the leases of then */
    feed_serve_always(ha->cp->feed, false);
    if (ha->lease_until != 0 || serves_always(ha))
        ha_lease_write(ha, 0, 0);
}

/* An entry of a node or subcluster cannot be read: there may be a peer all the same, which acts for our
 * users. The dataplane goes on with what its segment says, which nobody extends. */
static bool stand_by(struct ha *ha, const struct topology_subcluster *s, bool pair)
{
    bool was = ha->standing_by;

    ha->standing_by = !pair && topology_is_unread(&ha->cp->topology) &&
                      entries_shared(&ha->entries, slice_str(s ? s->name : ""));
    if (ha->standing_by && !was)
        log_printf(
            &ha->cp->log, HG_LOG_ERROR, "ha",
            "the record has nodes or subclusters that cannot be understood, and this node may have a peer "
            "that acts for its users: it serves no longer than it was allowed to before");
    return ha->standing_by;
}

/* Whether this node has a manager follows from topology alone. */
void ha_choose(struct ha *ha)
{
    const struct topology *t = &ha->cp->topology;
    const struct topology_node *self = topology_find_node(t, slice_str(ha->cp->config->node_name));
    const struct topology_subcluster *s = self ? topology_subcluster_of(t, self->index) : NULL;
    bool pair = s && s->node[0] && s->node[1];

    if (pair && !ha->beats)
        alarm_on(&ha->cp->alarms, ALARM_ha_no_address);
    else
        alarm_clear(&ha->cp->alarms, ALARM_ha_no_address);
    pair = pair && ha->beats;
    if (!pair && !ha->tables_loaded)
        return; /* the copy gives nobody an endless deadline */
    bool same = ha->srm && pair && strcmp(s->name, ha->subcluster) == 0 &&
                memcmp(s->node, ha->node, sizeof(ha->node)) == 0 && self->slot == ha->slot;
    if (ha->srm && !same)
        leave_pair(ha);
    const struct srm_entry *entry = s ? entries_find(&ha->entries, slice_str(s->name)) : NULL;
    bool unsure = stand_by(ha, s, pair);
    if (!pair && s && s->node[0] && s->node[1] && entry && entry->ha)
        stand_still(ha);
    else if (unsure)
        feed_serve_always(ha->cp->feed, false);
    else if (!pair)
        alone(ha);
    else if (!ha->srm)
        begin(ha, s, self->slot);
}
