/* SPDX-License-Identifier: BSD-2-Clause */
/* The entry of the own pair as it stands in the record: looked at each second, as nobody tells what is
 * written there by hand. */
#include "controlplane.h"
#include "ha/run_impl.h"
#include "push/push.h"

static struct record_version known(void *arg)
{
    struct ha *ha = arg;
    struct srm_status s = {0};

    if (ha->srm)
        srm_status(ha->srm, ha_clock_ns(&ha->clock), &s);
    return s.entry.version;
}

/* What is told here was not told by the log. */
static void tell(void *arg, const struct entry_found *found)
{
    struct ha *ha = arg;
    struct slice name = slice_str(ha->subcluster);
    const struct topology_subcluster *s = topology_find_subcluster(&ha->cp->topology, name);
    bool absent = found->readable && record_version_is_none(found->entry.version);
    struct srm_event e = {
        .type = SRM_FOUND,
        .u.found = {.readable = found->readable, .wanted = s && s->ha, .entry = found->entry}};

    if (!ha->srm || ha->writing > 0 || ha->loading)
        return;
    if (absent)
        entries_remove(&ha->entries, name);
    else
        (void)entries_set(&ha->entries, name, found->value, found->entry.version);
    ha_entries_judge(ha);
    ha_give(ha, &e);
    ha_serving_push(ha);
}

void ha_entry_watch(struct ha *ha)
{
    ha->watch.tell = tell;
    ha->watch.known = known;
    ha->watch.arg = ha;
}

void ha_entry_look(struct ha *ha)
{
    if (ha->srm && ha->writing == 0 && !ha->copied)
        entry_watch_look(&ha->watch, ha->cp->record, slice_str(ha->subcluster),
                         ha_is_broken(ha, ha->subcluster));
}

/* Raised and cleared as the entries come; a load counts what else it cannot use. */
void ha_entries_judge(struct ha *ha)
{
    bool broken = entries_first_broken(&ha->entries) != NULL;

    if (broken != ha->broken && !ha->loading)
        push_record_bad(ha->cp);
    ha->broken = broken;
}

const char *ha_broken(const struct ha *ha)
{
    return entries_first_broken(&ha->entries);
}

bool ha_is_broken(const struct ha *ha, const char *subcluster)
{
    return entries_broken(&ha->entries, slice_str(subcluster));
}
