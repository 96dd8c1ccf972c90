/* SPDX-License-Identifier: BSD-2-Clause */
/* node.add, set, remove, assign, unassign, move. */
#include <stdio.h>
#include <string.h>

#include "admin/topology_edit.h"
#include "controlplane.h"
#include "dns/dns.h"

/* A copy to change, or 0 with a finding. */
static bool named(struct topology_edit_request *e, const struct rules_facts *w, struct topology_node *out)
{
    const struct topology_node *n = topology_find_node(w->t, slice_str(e->name));

    e->missing = !n;
    if (n)
        *out = *n;
    else
        rules_add(&e->findings, RULE_node_unknown, "no node is named %.100s", e->name);
    return n != NULL;
}

static uint16_t subcluster_named(struct topology_edit_request *e, const struct rules_facts *w)
{
    const struct topology_subcluster *s = topology_find_subcluster(w->t, slice_str(e->subcluster));

    if (!s)
        rules_add(&e->findings, RULE_subcluster_unknown, "no subcluster is named %s", e->subcluster);
    return s ? s->index : 0;
}

static bool allowed(const struct topology_edit_request *e)
{
    return !rules_refusal(&e->findings, e->force);
}

static bool make_add(struct topology_edit_request *e, const struct rules_facts *w,
                     struct topology_items *items)
{
    struct topology_node n = {.index = topology_free_node(w->t), .capacity = e->capacity};

    rules_node_add(w, slice_str(e->name), e->resolves, &e->findings);
    if (e->subcluster[0] && !subcluster_named(e, w))
        return true;
    snprintf(n.name, sizeof(n.name), "%s", e->name);
    if (items && allowed(e))
        topology_items_node(items, &n);
    return true;
}

static void stop_asking(struct admin_request *req)
{
    dns_forget(req->cp->dns, req->state);
}

static void on_resolved(void *arg, const struct dns_answer *answer)
{
    struct topology_edit_request *e = arg;

    if (answer->n)
        e->resolves = NAME_RESOLVES;
    else
        e->resolves = answer->no_server ? NAME_NOT_ASKED : NAME_FAILS;
    topology_edit_run(e);
}

void admin_node_add(struct admin_request *req)
{
    struct topology_edit_request *e = topology_edit_begin(req, "node", make_add, node_object);
    int64_t capacity = 0;

    if (!e || !admin_arg_int(req, "capacity", 0, UINT32_MAX, &capacity))
        return;
    e->capacity = (uint32_t)capacity;
    req->drop = stop_asking;
    dns_addresses(req->cp->dns, e->name, on_resolved, e);
}

static bool make_set(struct topology_edit_request *e, const struct rules_facts *w,
                     struct topology_items *items)
{
    struct topology_node n;
    uint16_t publisher = topology_publisher(w->t);

    if (!named(e, w, &n))
        return false;
    if (e->set_capacity) {
        rules_node_capacity(w, n.index, e->capacity, &e->findings);
        n.capacity = e->capacity;
    }
    if (e->set_publisher && publisher != n.index) {
        struct topology_node old = publisher ? *topology_node(w->t, publisher) : (struct topology_node){0};
        old.publisher = false;
        if (items && publisher)
            topology_items_node(items, &old);
        n.publisher = true;
    }
    if (items)
        topology_items_node(items, &n);
    return true;
}

void admin_node_set(struct admin_request *req)
{
    struct topology_edit_request *e = topology_edit_begin(req, "node", make_set, node_object);
    int64_t capacity = -1;

    if (!e || !admin_arg_int(req, "capacity", 0, UINT32_MAX, &capacity) ||
        !admin_arg_bool(req, "publisher", &e->set_publisher))
        return;
    e->set_capacity = capacity >= 0;
    e->capacity = (uint32_t)capacity;
    if (!e->set_capacity && !e->set_publisher)
        admin_fail(req, ADMIN_BAD_REQUEST, "hgctl node set NODE --capacity N",
                   "nothing is given that shall change");
    else
        topology_edit_run(e);
}

static bool make_remove(struct topology_edit_request *e, const struct rules_facts *w,
                        struct topology_items *items)
{
    struct topology_node n;

    if (!named(e, w, &n))
        return false;
    n.leaving = e->step == EDIT_MARK;
    if (e->step != EDIT_TAKE_BACK)
        rules_node_remove(w, n.index, &e->findings);
    if (!items || !allowed(e))
        return true;
    if (e->step == EDIT_REMOVE)
        topology_items_remove(items, RECORD_NODES, n.name);
    else
        topology_items_node(items, &n);
    return true;
}

void admin_node_remove(struct admin_request *req)
{
    struct topology_edit_request *e = topology_edit_begin(req, "node", make_remove, node_object);

    if (!e)
        return;
    e->removes = true;
    e->step = EDIT_MARK;
    topology_edit_run(e);
}

/* The place that e->slot means: the free one, else the first. */
static uint8_t slot_of(const struct topology_edit_request *e, const struct rules_facts *w,
                       uint16_t subcluster, uint16_t node)
{
    const struct topology_subcluster *s = topology_subcluster(w->t, subcluster);

    if (e->slot >= 0)
        return (uint8_t)e->slot;
    return s && s->node[0] && s->node[0] != node ? 1 : 0;
}

static void put_in(struct topology_edit_request *e, const struct rules_facts *w, struct topology_items *items,
                   struct topology_node *n, uint16_t subcluster)
{
    snprintf(n->subcluster_name, sizeof(n->subcluster_name), "%s", e->subcluster);
    n->slot = slot_of(e, w, subcluster, n->index);
    if (items && allowed(e))
        topology_items_node(items, n);
}

static bool make_assign(struct topology_edit_request *e, const struct rules_facts *w,
                        struct topology_items *items)
{
    struct topology_node n;

    if (!named(e, w, &n))
        return false;
    uint16_t subcluster = subcluster_named(e, w);
    if (subcluster)
        rules_node_assign(w, n.index, subcluster, e->slot, &e->findings);
    put_in(e, w, items, &n, subcluster);
    return true;
}

static bool make_move(struct topology_edit_request *e, const struct rules_facts *w,
                      struct topology_items *items)
{
    struct topology_node n;

    if (!named(e, w, &n))
        return false;
    uint16_t subcluster = subcluster_named(e, w);
    if (subcluster)
        rules_node_move(w, n.index, subcluster, e->slot, &e->findings);
    put_in(e, w, items, &n, subcluster);
    return true;
}

static void place(struct admin_request *req, topology_edit_make make)
{
    struct topology_edit_request *e = topology_edit_begin(req, "node", make, node_object);
    int64_t slot = -1;

    if (!e || !topology_edit_text(e, "subcluster", true, e->subcluster, sizeof(e->subcluster)) ||
        !admin_arg_int(req, "slot", 0, TOPOLOGY_SLOTS - 1, &slot))
        return;
    e->slot = (int)slot;
    topology_edit_run(e);
}

void admin_node_assign(struct admin_request *req)
{
    place(req, make_assign);
}

void admin_node_move(struct admin_request *req)
{
    place(req, make_move);
}

static bool make_unassign(struct topology_edit_request *e, const struct rules_facts *w,
                          struct topology_items *items)
{
    struct topology_node n;

    if (!named(e, w, &n))
        return false;
    rules_node_unassign(w, n.index, &e->findings);
    n.subcluster_name[0] = '\0';
    if (items && allowed(e))
        topology_items_node(items, &n);
    return true;
}

void admin_node_unassign(struct admin_request *req)
{
    struct topology_edit_request *e = topology_edit_begin(req, "node", make_unassign, node_object);

    if (e)
        topology_edit_run(e);
}
