/* SPDX-License-Identifier: BSD-2-Clause */
/* The map home node -> serving node that every core has. Of other subclusters the record says it; of this one
 * the manager, which gives up a home before the record says so and takes one after. The manager hears when
 * every core has its map in force: only then is a home really given up. */
#include <string.h>

#include "controlplane.h"
#include "ha/run_impl.h"

/* Nothing may be said of this node's own homes before its manager has spoken: a dataplane that serves goes on
 * with the map that it has. Without the record it speaks once the peer has told it the entry. */
static bool may_push(const struct ha *ha)
{
    struct srm_status status;

    if (ha->srm ? !ha->map.given : !ha->tables_loaded || ha->standing_by)
        return false;
    if (ha->tables_loaded)
        return true;
    srm_status(ha->srm, ha_clock_ns(&ha->clock), &status);
    return !record_version_is_none(status.entry.version);
}

static void build(const struct ha *ha, uint16_t serving[HG_NODES_MAX])
{
    entries_serving(&ha->entries, &ha->cp->topology, serving);
    for (unsigned slot = 0; ha->srm && slot < SRM_SLOTS; slot++) {
        int by = ha->map.serving[slot];
        if (ha->node[slot])
            serving[ha->node[slot]] = by == SRM_NOBODY ? 0 : ha->node[by & 1];
    }
}

void ha_serving_push(struct ha *ha)
{
    uint16_t serving[HG_NODES_MAX];
    uint64_t epoch = ha->srm ? ha->map.epoch : 0;

    if (!may_push(ha))
        return;
    build(ha, serving);
    if (ha->serving_given && epoch == ha->serving_epoch && memcmp(serving, ha->serving, sizeof(serving)) == 0)
        return;
    memcpy(ha->serving, serving, sizeof(serving));
    ha->serving_epoch = epoch;
    ha->serving_given = true;
    if (!feed_serving_set(ha->cp->feed, serving, epoch))
        log_printf(&ha->cp->log, HG_LOG_ERROR, "serving_refused",
                   "the serving map cannot be given to the cores");
}

static void mark(struct ha *ha)
{
    feed_serving_mark(ha->cp->feed, &ha->map.token);
    ha->map.marked = true;
}

void ha_map_set(struct ha *ha, uint64_t id, const int serving[SRM_SLOTS], uint64_t epoch)
{
    ha->map.given = ha->map.pending = true;
    ha->map.id = id;
    ha->map.epoch = epoch;
    memcpy(ha->map.serving, serving, sizeof(ha->map.serving));
    ha->map.marked = false;
    if (!may_push(ha))
        return;
    ha_serving_push(ha);
    mark(ha);
}

/* What a dataplane that lives but cannot be reached (another build, say) acts for is not known. */
static bool nobody_else(const struct ha *ha)
{
    const struct hg_segment *s = feed_segment(ha->cp->feed);

    return s ? !hg_segment_dp_lives(s) : !ha->unseen && ha_clock_ns(&ha->clock) >= ha->fenced_until;
}

void ha_map_turn(struct ha *ha)
{
    struct srm_event event = {.type = SRM_APPLIED, .u.map = ha->map.id};

    if (!ha->srm || !ha->map.pending || !may_push(ha))
        return;
    if (!ha->map.marked) {
        ha_serving_push(ha);
        mark(ha);
    }
    enum feed_progress progress = FEED_APPLIED;
    if (!nobody_else(ha))
        progress = feed_serving_applied(ha->cp->feed, &ha->map.token);
    if (progress == FEED_LOST)
        mark(ha);
    if (progress != FEED_APPLIED)
        return;
    ha->map.pending = false;
    ha_give(ha, &event);
}
