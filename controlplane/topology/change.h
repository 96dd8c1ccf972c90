/* SPDX-License-Identifier: BSD-2-Clause */
/* One change of nodes and subclusters, whoever asks for it and on whatever node: it is made from the topology
 * as it is here, raises the revision that it was made from, and is made anew when somebody else was faster.
 * So rules hold although two administrators work at once. */
#ifndef CONTROLPLANE_TOPOLOGY_CHANGE_H
#define CONTROLPLANE_TOPOLOGY_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/record.h"
#include "topology/model.h"

#define TOPOLOGY_ITEMS_MAX (2 * HG_NODES_MAX)

struct controlplane;

struct topology_items {
    uint32_t n;
    bool bad; /* no memory */
    struct record_item item[TOPOLOGY_ITEMS_MAX];
    char *text[TOPOLOGY_ITEMS_MAX]; /* name and value, owned */
};
void topology_items_node(struct topology_items *items, const struct topology_node *node);
void topology_items_subcluster(struct topology_items *items, const struct topology_subcluster *subcluster);
void topology_items_remove(struct topology_items *items, enum record_table table, const char *name);
void topology_items_setting(struct topology_items *items, const char *path, const char *value);

/* Looks at cp->topology and adds what shall be written. false: refused, arg knows why. No item: nothing to
 * do. */
typedef bool (*topology_edit)(struct controlplane *cp, void *arg, struct topology_items *items);
enum topology_result { TOPOLOGY_DONE, TOPOLOGY_REFUSED, TOPOLOGY_BUSY, TOPOLOGY_UNAVAILABLE };
/* done is always called once, perhaps before topology_change() returns; the change is in cp->topology then.
 */
typedef void (*topology_done)(struct controlplane *cp, void *arg, enum topology_result result,
                              const char *why);

void topology_change(struct controlplane *cp, topology_edit edit, topology_done done, void *arg);
/* About every 10 ms: changes that were too slow are tried again. */
void topology_change_turn(struct controlplane *cp, uint64_t now_ms);
void topology_change_stop(struct controlplane *cp);

#endif
