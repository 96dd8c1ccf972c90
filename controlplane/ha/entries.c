/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/entries.h"

#include "ha/entry_watch.h"

#include <string.h>

static int find(const struct entries *entries, struct slice name)
{
    for (unsigned i = 0; i < entries->n; i++)
        if (slice_eq(name, slice_str(entries->e[i].name)))
            return (int)i;
    return -1;
}

static int find_or_add(struct entries *entries, struct slice name)
{
    int at = find(entries, name);

    if (at >= 0 || name.len > TOPOLOGY_NAME_MAX || entries->n == TOPOLOGY_SUBCLUSTERS_MAX)
        return at;
    at = (int)entries->n++;
    memset(&entries->e[at], 0, sizeof(entries->e[at]));
    memcpy(entries->e[at].name, name.p, name.len);
    return at;
}

bool entries_set(struct entries *entries, struct slice name, struct slice value,
                 struct record_version version)
{
    struct srm_entry fresh = {0};
    int at = find_or_add(entries, name);

    if (at < 0)
        return false;
    entries->e[at].mark = true;
    entries->e[at].broken = !entry_readable(value, version, &fresh);
    if (entries->e[at].broken)
        return false;
    entries->e[at].readable = true;
    if (record_version_cmp(version, entries->e[at].entry.version) >= 0)
        entries->e[at].entry = fresh;
    return true;
}

static void remove_at(struct entries *entries, unsigned at)
{
    entries->e[at] = entries->e[--entries->n];
}

void entries_remove(struct entries *entries, struct slice name)
{
    int at = find(entries, name);

    if (at >= 0)
        remove_at(entries, (unsigned)at);
}

void entries_load_begin(struct entries *entries)
{
    entries->skipped = false;
    for (unsigned i = 0; i < entries->n; i++)
        entries->e[i].mark = false;
}

void entries_load_end(struct entries *entries)
{
    for (unsigned i = entries->n; i-- > 0;)
        if (!entries->e[i].mark)
            remove_at(entries, i);
}

const struct srm_entry *entries_find(const struct entries *entries, struct slice name)
{
    int at = find(entries, name);

    return at < 0 || !entries->e[at].readable ? NULL : &entries->e[at].entry;
}

bool entries_broken(const struct entries *entries, struct slice name)
{
    int at = find(entries, name);

    return at >= 0 && entries->e[at].broken;
}

const char *entries_first_broken(const struct entries *entries)
{
    for (unsigned i = 0; i < entries->n; i++)
        if (entries->e[i].broken)
            return entries->e[i].name;
    return NULL;
}

bool entries_absent(const struct entries *entries, struct slice name)
{
    return find(entries, name) < 0 && !entries->skipped;
}

bool entries_shared(const struct entries *entries, struct slice name)
{
    for (unsigned i = 0; i < entries->n; i++) {
        const struct srm_entry *e = &entries->e[i].entry;
        if (name.len && !slice_eq(name, slice_str(entries->e[i].name)))
            continue;
        if (!entries->e[i].readable || e->ha || e->serves[0] != 0 || e->serves[1] != 1)
            return true;
    }
    return entries->skipped;
}

bool entries_dissolved(const struct entries *entries, const struct topology *topology)
{
    for (unsigned i = 0; i < entries->n; i++) {
        const struct topology_subcluster *s =
            topology_find_subcluster(topology, slice_str(entries->e[i].name));
        if (entries->e[i].entry.ha && (!s || !s->node[0] || !s->node[1]))
            return true;
    }
    return false;
}

uint64_t entries_longest(const struct entries *entries, uint64_t least)
{
    for (unsigned i = 0; i < entries->n; i++)
        for (unsigned slot = 0; slot < SRM_SLOTS; slot++) {
            uint64_t lease = entries->e[i].entry.lease[slot] * SRM_MS;
            least = lease > least ? lease : least;
        }
    return least;
}

void entries_serving(const struct entries *entries, const struct topology *topology,
                     uint16_t serving[HG_NODES_MAX])
{
    memset(serving, 0, HG_NODES_MAX * sizeof(serving[0]));
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (topology_node(topology, i))
            serving[i] = i;
    for (uint16_t k = 1; k < TOPOLOGY_SUBCLUSTERS_MAX; k++) {
        const struct topology_subcluster *s = topology_subcluster(topology, k);
        const struct srm_entry *entry = s ? entries_find(entries, slice_str(s->name)) : NULL;
        for (unsigned slot = 0; entry && slot < SRM_SLOTS; slot++) {
            uint16_t home = s->node[slot];
            if (home)
                serving[home] = s->node[entry->serves[slot] & 1];
        }
    }
}
