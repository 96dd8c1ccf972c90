/* SPDX-License-Identifier: BSD-2-Clause */
/* subcluster.add, set, remove. */
#include <stdio.h>
#include <string.h>

#include "admin/topology_edit.h"
#include "controlplane.h"

static bool allowed(const struct topology_edit_request *e)
{
    return !rules_refusal(&e->findings, e->force);
}

static void change(const struct topology_edit_request *e, struct topology_subcluster *s)
{
    if (e->set_ha)
        s->ha = e->ha;
    if (e->set_mode)
        s->mode = e->mode;
    for (unsigned k = 0; k < TOPOLOGY_SLOTS; k++) {
        if (!e->set_service[k])
            continue;
        s->nservice[k] = (uint8_t)e->nservice[k];
        memcpy(s->service[k], e->service[k], sizeof(s->service[k]));
    }
}

static void service_rules(struct topology_edit_request *e, const struct rules_facts *w,
                          const struct topology_subcluster *s)
{
    for (unsigned k = 0; k < TOPOLOGY_SLOTS; k++)
        if (e->set_service[k])
            rules_service(w, s, k, &e->findings);
}

static bool make_add(struct topology_edit_request *e, const struct rules_facts *w,
                     struct topology_items *items)
{
    struct topology_subcluster s = {.index = topology_free_subcluster(w->t)};

    rules_subcluster_add(w, slice_str(e->name), &e->findings);
    snprintf(s.name, sizeof(s.name), "%.*s", TOPOLOGY_NAME_MAX, e->name);
    change(e, &s);
    service_rules(e, w, &s);
    if (items && allowed(e))
        topology_items_subcluster(items, &s);
    return true;
}

static const struct topology_subcluster *named(struct topology_edit_request *e, const struct rules_facts *w)
{
    const struct topology_subcluster *s = topology_find_subcluster(w->t, slice_str(e->name));

    e->missing = !s;
    if (!s)
        rules_add(&e->findings, RULE_subcluster_unknown, "no subcluster is named %.100s", e->name);
    return s;
}

static bool make_set(struct topology_edit_request *e, const struct rules_facts *w,
                     struct topology_items *items)
{
    const struct topology_subcluster *old = named(e, w);

    if (!old)
        return false;
    struct topology_subcluster s = *old;
    change(e, &s);
    if (e->set_ha && e->ha && !old->ha)
        rules_ha_on(w, s.index, &e->findings);
    if (e->set_ha && !e->ha && old->ha)
        rules_ha_off(w, s.index, &e->findings);
    service_rules(e, w, &s);
    if (items && allowed(e))
        topology_items_subcluster(items, &s);
    return true;
}

static bool make_remove(struct topology_edit_request *e, const struct rules_facts *w,
                        struct topology_items *items)
{
    const struct topology_subcluster *s = named(e, w);

    if (!s)
        return false;
    rules_subcluster_remove(w, s->index, &e->findings);
    if (items && allowed(e))
        topology_items_remove(items, RECORD_SUBCLUSTERS, s->name);
    return true;
}

/* Addresses with blanks or commas between them; "" = none any more. */
static bool take_service(struct topology_edit_request *e, const char *arg, unsigned slot)
{
    const char *text = NULL;

    if (!admin_arg_string(e->req, arg, &text))
        return false;
    e->set_service[slot] = text != NULL;
    while (text && *text) {
        size_t len = strcspn(text, " ,");
        struct hg_net net;
        if (len && e->nservice[slot] == TOPOLOGY_SERVICE_MAX) {
            admin_fail(e->req, ADMIN_BAD_REQUEST, NULL, "%s: at most %u addresses", arg,
                       TOPOLOGY_SERVICE_MAX);
            return false;
        }
        if (len && !hg_net_parse(slice_of(text, (uint32_t)len), &net)) {
            admin_fail(e->req, ADMIN_BAD_REQUEST, "192.0.2.10/24",
                       "%s: \"%.*s\" is no address with its prefix", arg, (int)(len < 100 ? len : 100), text);
            return false;
        }
        if (len)
            e->service[slot][e->nservice[slot]++] = net;
        text += len + (text[len] != '\0');
    }
    return true;
}

static bool take_mode(struct topology_edit_request *e)
{
    const char *text = NULL;

    if (!admin_arg_string(e->req, "mode", &text))
        return false;
    if (!text)
        return true;
    for (unsigned i = 0; topology_mode_names[i]; i++) {
        if (strcmp(topology_mode_names[i], text) == 0) {
            e->mode = (enum topology_mode)i;
            e->set_mode = true;
            return true;
        }
    }
    admin_fail(e->req, ADMIN_BAD_REQUEST, NULL, "mode must be inherit, balanced, active-standby or none");
    return false;
}

static struct topology_edit_request *begin(struct admin_request *req, topology_edit_make make)
{
    struct topology_edit_request *e = topology_edit_begin(req, "subcluster", make, subcluster_object);

    if (!e)
        return NULL;
    const json_t *ha = json_object_get(req->args, "ha");
    e->set_ha = ha && !json_is_null(ha);
    if (!admin_arg_bool(req, "ha", &e->ha) || !take_mode(e) || !take_service(e, "service_a", 0) ||
        !take_service(e, "service_b", 1))
        return NULL;
    return e;
}

void admin_subcluster_add(struct admin_request *req)
{
    struct topology_edit_request *e = begin(req, make_add);

    if (e && e->set_ha && e->ha)
        admin_fail(req, ADMIN_CONFLICT, rules[RULE_ha_two_nodes].allow,
                   "a new subcluster has no nodes: high availability is switched on later (A20)");
    else if (e)
        topology_edit_run(e);
}

void admin_subcluster_set(struct admin_request *req)
{
    struct topology_edit_request *e = begin(req, make_set);

    if (e && !e->set_ha && !e->set_mode && !e->set_service[0] && !e->set_service[1])
        admin_fail(req, ADMIN_BAD_REQUEST, "hgctl subcluster set SUBCLUSTER --ha true",
                   "nothing is given that shall change");
    else if (e)
        topology_edit_run(e);
}

void admin_subcluster_remove(struct admin_request *req)
{
    struct topology_edit_request *e = begin(req, make_remove);

    if (!e)
        return;
    e->removes = true;
    topology_edit_run(e);
}
