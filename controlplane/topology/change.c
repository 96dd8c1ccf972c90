/* SPDX-License-Identifier: BSD-2-Clause */
#include "topology/change.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane.h"

#define GIVE_UP_MS 5000 /* of being overtaken again and again */

struct topology_pending {
    struct controlplane *cp;
    topology_edit edit;
    topology_done done;
    void *arg;
    uint64_t deadline;
    bool under_way; /* in the record's hands */
    bool stopped;
    bool waiting;               /* for the log to show who was faster */
    bool torn;                  /* for the log to show what a load did not see at once */
    struct record_version seen; /* what the change was made from */
    struct topology_pending *next;
};

static void add(struct topology_items *items, enum record_table table, enum record_op op, const char *name,
                const char *value)
{
    size_t len = strlen(name), value_len = value ? strlen(value) : 0;
    char *text = items->n < TOPOLOGY_ITEMS_MAX ? malloc(len + value_len + 2) : NULL;

    if (!text) {
        items->bad = true;
        return;
    }
    memcpy(text, name, len + 1);
    memcpy(text + len + 1, value ? value : "", value_len + 1);
    items->item[items->n] = (struct record_item){.table = table,
                                                 .op = op,
                                                 .expect = RECORD_ANY,
                                                 .field = slice_of(text, (uint32_t)len),
                                                 .value = slice_of(text + len + 1, (uint32_t)value_len)};
    items->text[items->n++] = text;
}

static void add_text(struct topology_items *items, enum record_table table, const char *name, char *value)
{
    if (value)
        add(items, table, RECORD_SET, name, value);
    else
        items->bad = true;
    free(value);
}

void topology_items_node(struct topology_items *items, const struct topology_node *node)
{
    add_text(items, RECORD_NODES, node->name, topology_node_text(node));
}

void topology_items_subcluster(struct topology_items *items, const struct topology_subcluster *subcluster)
{
    add_text(items, RECORD_SUBCLUSTERS, subcluster->name, topology_subcluster_text(subcluster));
}

void topology_items_remove(struct topology_items *items, enum record_table table, const char *name)
{
    add(items, table, RECORD_REMOVE, name, NULL);
}

void topology_items_setting(struct topology_items *items, const char *path, const char *value)
{
    add(items, RECORD_SETTINGS, RECORD_SET, path, value);
}

static void finish(struct topology_pending *p, enum topology_result result, const char *why)
{
    struct controlplane *cp = p->cp;

    for (struct topology_pending **at = &cp->topology_pending; *at; at = &(*at)->next) {
        if (*at == p) {
            *at = p->next;
            break;
        }
    }
    p->done(cp, p->arg, result, why);
    if (p->under_way)
        p->stopped = true;
    else
        free(p);
}

static void on_changed(void *arg, const struct record_outcome *outcome)
{
    struct topology_pending *p = arg;

    p->under_way = false;
    if (p->stopped) {
        free(p);
        return;
    }
    switch (outcome->result) {
    case RECORD_OK:
        finish(p, TOPOLOGY_DONE, NULL);
        return;
    case RECORD_UNAVAILABLE:
        finish(p, TOPOLOGY_UNAVAILABLE, outcome->why);
        return;
    case RECORD_EXISTS:
    case RECORD_MISSING:
    case RECORD_CONFLICT:
        p->waiting = true; /* somebody was faster */
        return;
    }
}

static void try_now(struct topology_pending *p)
{
    struct controlplane *cp = p->cp;
    struct topology_items *items = calloc(1, sizeof(*items));
    char revision[24];

    /* Read anew meanwhile: the nodes were read before the revision, and another one's change may lie between
     * them. Once the record is whole it does not, whatever version somebody wrote there by hand. */
    p->waiting = p->torn = !record_loaded(cp->record);
    if (p->torn) {
        free(items);
        return;
    }
    if (!items) {
        finish(p, TOPOLOGY_UNAVAILABLE, "out of memory");
        return;
    }
    bool good = p->edit(cp, p->arg, items);
    bool nothing = items->n == 0;
    if (good && !nothing) {
        snprintf(revision, sizeof(revision), "%" PRIu64, cp->topology_revision + 1);
        p->seen = cp->topology_version;
        topology_items_setting(items, TOPOLOGY_REVISION, revision);
        struct record_item *last = &items->item[items->n - 1];
        last->expect = record_version_is_none(p->seen) ? RECORD_ABSENT : RECORD_SAME;
        last->version = p->seen;
    }
    bool bad = items->bad;
    if (good && !nothing && !bad) {
        p->under_way = true;
        record_change(cp->record, items->item, items->n, on_changed, p); /* p may be gone behind it */
    }
    for (uint32_t i = 0; i < items->n; i++)
        free(items->text[i]);
    free(items);
    if (!good)
        finish(p, TOPOLOGY_REFUSED, NULL);
    else if (bad)
        finish(p, TOPOLOGY_UNAVAILABLE, "out of memory");
    else if (nothing)
        finish(p, TOPOLOGY_DONE, NULL);
}

void topology_change(struct controlplane *cp, topology_edit edit, topology_done done, void *arg)
{
    struct topology_pending *p = calloc(1, sizeof(*p));

    if (!p) {
        done(cp, arg, TOPOLOGY_UNAVAILABLE, "out of memory");
        return;
    }
    *p = (struct topology_pending){.cp = cp,
                                   .edit = edit,
                                   .done = done,
                                   .arg = arg,
                                   .deadline = uv_now(&cp->loop) + GIVE_UP_MS,
                                   .next = cp->topology_pending};
    cp->topology_pending = p;
    if (!record_loaded(cp->record))
        finish(p, TOPOLOGY_UNAVAILABLE, "the record is away, or is being read");
    else
        try_now(p);
}

void topology_change_turn(struct controlplane *cp, uint64_t now_ms)
{
    struct topology_pending *next;

    for (struct topology_pending *p = cp->topology_pending; p; p = next) {
        next = p->next;
        if (!p->waiting)
            continue;
        if (p->torn ? record_loaded(cp->record) : record_version_cmp(p->seen, cp->topology_version) != 0) {
            try_now(p);
            return; /* the list may be another one now */
        }
        if (now_ms >= p->deadline) {
            finish(p, TOPOLOGY_BUSY,
                   p->torn ? "the log of the record does not come" : "other changes were faster each time");
            return;
        }
    }
}

void topology_change_stop(struct controlplane *cp)
{
    while (cp->topology_pending)
        finish(cp->topology_pending, TOPOLOGY_UNAVAILABLE, "the control plane stops");
}
