/* SPDX-License-Identifier: BSD-2-Clause */
#include "topology/model.h"

#include <stdio.h>
#include <string.h>

#include "topology/unread.h"

const char *const topology_mode_names[] = {"inherit", "balanced", "active-standby", "none", NULL};

void topology_init(struct topology *t)
{
    memset(t, 0, sizeof(*t));
}

/* Places in subclusters, anew: entries come in any order, and there are few. */
static void derive(struct topology *t)
{
    t->generation++;
    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++)
        memset(t->subcluster[i].node, 0, sizeof(t->subcluster[i].node));
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        struct topology_node *node = &t->node[i];
        node->subcluster = 0;
        if (!node->index || !node->subcluster_name[0])
            continue;
        const struct topology_subcluster *found =
            topology_find_subcluster(t, slice_str(node->subcluster_name));
        if (!found || t->subcluster[found->index].node[node->slot])
            continue;
        node->subcluster = found->index;
        t->subcluster[found->index].node[node->slot] = i;
    }
}

static struct topology_node *node_named(struct topology *t, struct slice name)
{
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (t->node[i].index && slice_eq(slice_str(t->node[i].name), name))
            return &t->node[i];
    return NULL;
}

static struct topology_subcluster *subcluster_named(struct topology *t, struct slice name)
{
    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++)
        if (t->subcluster[i].index && slice_eq(slice_str(t->subcluster[i].name), name))
            return &t->subcluster[i];
    return NULL;
}

/* Whether another one keeps its index. Who has it in memory goes, unless this load brought it: it was removed
 * meanwhile, or has another index now and is told next. Told with the same index after all it gets it back:
 * a stranger's garbage takes nobody's place, in whatever order a load brings the two. */
static bool keeps(const struct topology *t, const char *holder, bool mentioned, char *ousted,
                  struct slice name)
{
    if (!t->loading)
        return false;
    if (mentioned)
        return !slice_eq(slice_str(ousted), name);
    strcpy(ousted, holder);
    return false;
}

static bool refused(struct topology *t, enum topology_kind kind, struct slice name, const void *old)
{
    if (!old)
        unread_add(&t->unread, kind, name);
    return false;
}

/* Who had that index in this load, and loses it to the one that had it before: as refused as if it had come
 * second. */
static void oust(struct topology *t, enum topology_kind kind, const char *stranger, unsigned id, char *why,
                 size_t size)
{
    unread_add(&t->unread, kind, slice_str(stranger));
    snprintf(why, size, "id %u is also that of \"%.100s\", which is not used", id, stranger);
}

bool topology_set_node(struct topology *t, struct slice name, struct slice json, char *why, size_t size)
{
    struct topology_node node, *old = node_named(t, name);

    why[0] = '\0';
    if (old)
        old->mark = true; /* garbage in the record takes nobody out of service */
    if (!topology_node_parse(name, json, &node, why, size))
        return refused(t, TOPOLOGY_NODE, name, old);
    struct topology_node *at = &t->node[node.index];
    bool taken = at->index && at != old, mentioned = at->mark;
    if (taken && keeps(t, at->name, mentioned, t->ousted_node[node.index], name)) {
        snprintf(why, size, "id %u is that of node %.100s", node.index, at->name);
        return refused(t, TOPOLOGY_NODE, name, old);
    }
    if (taken && t->loading && mentioned)
        oust(t, TOPOLOGY_NODE, at->name, node.index, why, size);
    unread_drop(&t->unread, TOPOLOGY_NODE, name);
    if (old && old != at)
        memset(old, 0, sizeof(*old));
    *at = node;
    at->mark = true;
    derive(t);
    return true;
}

bool topology_set_subcluster(struct topology *t, struct slice name, struct slice json, char *why, size_t size)
{
    struct topology_subcluster subcluster, *old = subcluster_named(t, name);

    why[0] = '\0';
    if (old)
        old->mark = true;
    if (!topology_subcluster_parse(name, json, &subcluster, why, size))
        return refused(t, TOPOLOGY_SUBCLUSTER, name, old);
    struct topology_subcluster *at = &t->subcluster[subcluster.index];
    bool taken = at->index && at != old, mentioned = at->mark;
    if (taken && keeps(t, at->name, mentioned, t->ousted_subcluster[subcluster.index], name)) {
        snprintf(why, size, "id %u is that of subcluster %.64s", subcluster.index, at->name);
        return refused(t, TOPOLOGY_SUBCLUSTER, name, old);
    }
    if (taken && t->loading && mentioned)
        oust(t, TOPOLOGY_SUBCLUSTER, at->name, subcluster.index, why, size);
    unread_drop(&t->unread, TOPOLOGY_SUBCLUSTER, name);
    if (old && old != at)
        memset(old, 0, sizeof(*old));
    *at = subcluster;
    at->mark = true;
    derive(t);
    return true;
}

bool topology_remove_node(struct topology *t, struct slice name)
{
    struct topology_node *node = node_named(t, name);

    unread_drop(&t->unread, TOPOLOGY_NODE, name);
    if (!node)
        return false;
    memset(node, 0, sizeof(*node));
    derive(t);
    return true;
}

bool topology_remove_subcluster(struct topology *t, struct slice name)
{
    struct topology_subcluster *subcluster = subcluster_named(t, name);

    unread_drop(&t->unread, TOPOLOGY_SUBCLUSTER, name);
    if (!subcluster)
        return false;
    memset(subcluster, 0, sizeof(*subcluster));
    derive(t);
    return true;
}

void topology_load_begin(struct topology *t)
{
    t->loading = true;
    memset(t->ousted_node, 0, sizeof(t->ousted_node));
    memset(t->ousted_subcluster, 0, sizeof(t->ousted_subcluster));
    memset(&t->unread, 0, sizeof(t->unread));
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        t->node[i].mark = false;
    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++)
        t->subcluster[i].mark = false;
}

bool topology_load_end(struct topology *t)
{
    bool gone = false;

    t->loading = false;
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        if (!t->node[i].index || t->node[i].mark)
            continue;
        memset(&t->node[i], 0, sizeof(t->node[i]));
        gone = true;
    }
    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++) {
        if (!t->subcluster[i].index || t->subcluster[i].mark)
            continue;
        memset(&t->subcluster[i], 0, sizeof(t->subcluster[i]));
        gone = true;
    }
    if (gone)
        derive(t);
    return gone;
}

void topology_table_unread(struct topology *t)
{
    t->unread.more = true;
}

bool topology_is_unread(const struct topology *t)
{
    return t->unread.n > 0 || t->unread.more;
}

const struct topology_node *topology_node(const struct topology *t, uint16_t index)
{
    return index && index < HG_NODES_MAX && t->node[index].index ? &t->node[index] : NULL;
}

const struct topology_subcluster *topology_subcluster(const struct topology *t, uint16_t index)
{
    return index && index < TOPOLOGY_SUBCLUSTERS_MAX && t->subcluster[index].index ? &t->subcluster[index]
                                                                                   : NULL;
}

const struct topology_node *topology_find_node(const struct topology *t, struct slice name)
{
    return node_named((struct topology *)t, name);
}

const struct topology_subcluster *topology_find_subcluster(const struct topology *t, struct slice name)
{
    return subcluster_named((struct topology *)t, name);
}

const struct topology_subcluster *topology_subcluster_of(const struct topology *t, uint16_t index)
{
    const struct topology_node *node = topology_node(t, index);

    return node ? topology_subcluster(t, node->subcluster) : NULL;
}

uint16_t topology_peer(const struct topology *t, uint16_t index)
{
    const struct topology_subcluster *subcluster = topology_subcluster_of(t, index);

    return subcluster ? subcluster->node[!t->node[index].slot] : 0;
}

bool topology_are_pair(const struct topology *t, uint16_t a, uint16_t b)
{
    const struct topology_subcluster *subcluster = topology_subcluster_of(t, a);

    return subcluster && subcluster->ha && b && topology_peer(t, a) == b;
}

uint16_t topology_publisher(const struct topology *t)
{
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (t->node[i].index && t->node[i].publisher)
            return i;
    return 0;
}

unsigned topology_nodes(const struct topology *t)
{
    unsigned n = 0;

    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        n += t->node[i].index != 0;
    return n;
}

unsigned topology_subclusters(const struct topology *t)
{
    unsigned n = 0;

    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++)
        n += t->subcluster[i].index != 0;
    return n;
}

uint16_t topology_free_node(const struct topology *t)
{
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (!t->node[i].index)
            return i;
    return 0;
}

uint16_t topology_free_subcluster(const struct topology *t)
{
    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++)
        if (!t->subcluster[i].index)
            return i;
    return 0;
}
