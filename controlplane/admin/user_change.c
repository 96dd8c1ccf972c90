/* SPDX-License-Identifier: BSD-2-Clause */
/* user.add, user.set, user.remove: one user. */
#include <stdlib.h>
#include <string.h>

#include "admin/user_job.h"
#include "admin/user_view.h"
#include "assign/contact.h"
#include "controlplane.h"
#include "node/nodes.h"

#define TRIES 3 /* against another administrator who changes the same user */

struct change {
    uint32_t len, value_len;
    unsigned tries;
    bool add, force;
    bool node_given, contacts_given;
    struct findings findings;
    char name[USERS_NAME_MAX + 1];
    char node[HG_NODE_NAME_MAX + 1]; /* "" = unassigned */
    char contacts[USER_VALUE_MAX];
    char value[USER_VALUE_MAX];
};

static void store(struct admin_request *req);

static struct change *begin(struct admin_request *req)
{
    struct change *c = calloc(1, sizeof(*c));
    bool wait = true;

    req->state = c;
    if (!c) {
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    return user_view_name(req, c->name, &c->len) && admin_arg_bool(req, "wait", &wait) ? c : NULL;
}

static void on_set(void *arg, const struct record_outcome *outcome)
{
    struct admin_request *req = arg;
    struct change *c = req->state;

    switch (outcome->result) {
    case RECORD_UNAVAILABLE:
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl status shows the state of Redis",
                   "Redis did not confirm the change: %s", outcome->why);
        return;
    case RECORD_EXISTS:
    case RECORD_MISSING:
    case RECORD_CONFLICT:
        if (c->add && outcome->result == RECORD_EXISTS)
            admin_fail(req, ADMIN_CONFLICT, "hgctl user set changes one", "the record has a user %s",
                       c->name);
        else if (++c->tries < TRIES)
            store(req);
        else
            admin_fail(req, ADMIN_CONFLICT, "try again", "somebody else changes %s as well", c->name);
        return;
    case RECORD_OK:
        break;
    }
    const struct user *u = users_find(req->cp->users, slice_of(c->name, c->len));
    json_t *result = u ? user_view(req->cp, u) : json_object();
    json_object_set_new(result, "warnings", admin_findings(&c->findings));
    admin_ok_when_applied(req, result, 0);
}

/* C10: it may be so, but who adds a user expects to reach it. */
static void warn_unassigned(struct controlplane *cp, struct change *c)
{
    const char *why = c->node_given                        ? "it has no node"
                      : user_job_mode(cp) == TOPOLOGY_NONE ? "the mode of assignment is none"
                      : topology_subclusters(&cp->topology) == 0
                          ? "no node may take users now"
                          : "no node of a subcluster may take users now";

    rules_add(&c->findings, RULE_no_availability, "%s is not served: %s", c->name, why);
}

/* The rules of the new home; false: answered. */
static bool judge(struct admin_request *req, const struct user *old)
{
    struct controlplane *cp = req->cp;
    struct change *c = req->state;
    uint16_t to = c->node[0] ? nodes_find(cp, slice_str(c->node)) : 0,
             from = old ? nodes_of_home(cp, old->home) : 0;
    uint64_t after[HG_NODES_MAX];
    struct rules_facts w;

    rules_begin(&c->findings);
    if (!c->node[0])
        warn_unassigned(cp, c);
    if (to == from || !topology_node(&cp->topology, to))
        return true;
    nodes_facts(cp, &w);
    memcpy(after, w.users, sizeof(after));
    after[from] -= from || old ? 1 : 0;
    after[to]++;
    rules_target(&w, to, &c->findings);
    rules_users(&w, after, from != 0, &c->findings);
    if (!rules_refusal(&c->findings, c->force))
        return true;
    admin_fail_findings(req, &c->findings, c->force);
    return false;
}

/* Where a new user goes by the mode of the cluster (C01-C05); "" = nowhere. */
static void choose(struct controlplane *cp, char *out)
{
    struct rules_facts w;
    struct plan p;

    nodes_facts(cp, &w);
    plan_begin(&p, &w, user_job_mode(cp), 0);
    plan_select(&p, 0, 1, 0);
    if (plan_level(&p))
        strcpy(out, nodes_name(cp, plan_take(&p, 0, false)));
}

static void store(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    struct change *c = req->state;
    const struct user *old = users_find(cp->users, slice_of(c->name, c->len));

    if (c->add && old) {
        admin_fail(req, ADMIN_CONFLICT, "hgctl user set changes one", "the record has a user %s", c->name);
        return;
    }
    if (!c->node_given && old)
        strcpy(c->node, users_home_name(cp->users, old->home));
    else if (!c->node_given)
        choose(cp, c->node);
    if (!c->contacts_given && old)
        snprintf(c->contacts, sizeof(c->contacts), "%s", old->contacts ? old->contacts : "");
    if (!judge(req, old))
        return;
    c->value_len = user_value_put(c->value, sizeof(c->value), slice_str(c->node), slice_str(c->contacts));
    struct record_item item = {.table = RECORD_USERS,
                               .op = RECORD_SET,
                               .expect = old ? RECORD_SAME : RECORD_ABSENT,
                               .version = old ? old->version : (struct record_version){0, 0},
                               .field = slice_of(c->name, c->len),
                               .value = slice_of(c->value, c->value_len)};
    record_change(cp->record, &item, 1, on_set, req);
}

static bool take_contacts(struct admin_request *req, struct change *c)
{
    const json_t *list = json_object_get(req->args, "contacts");
    char why[300];
    size_t len = 0;

    if (!list || json_is_null(list))
        return true;
    c->contacts_given = true;
    for (size_t i = 0; json_is_array(list) && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || strchr(text, ' ') || len + strlen(text) + 2 > sizeof(c->contacts)) {
            admin_fail(req, ADMIN_BAD_REQUEST, "sip:bob@192.0.2.7:5060", "contacts must be a list of URIs");
            return false;
        }
        len += (size_t)snprintf(c->contacts + len, sizeof(c->contacts) - len, "%s%s", len ? " " : "", text);
    }
    if (!json_is_array(list))
        snprintf(why, sizeof(why), "contacts must be a list of URIs");
    else if (contacts_check(slice_str(c->contacts), why, sizeof(why)) >= 0)
        return true;
    admin_fail(req, ADMIN_BAD_REQUEST, "sip:bob@192.0.2.7:5060;q=0.5", "%s", why);
    return false;
}

static bool take_node(struct admin_request *req, struct change *c)
{
    const char *node = NULL;

    if (!admin_arg_string(req, "node", &node))
        return false;
    if (!node || (c->add && strcmp(node, "all") == 0))
        return true;
    c->node_given = true;
    if (strcmp(node, "-") == 0 || strcmp(node, "nothing") == 0)
        return true;
    if (!nodes_find(req->cp, slice_str(node))) {
        admin_fail(req, ADMIN_NOT_FOUND, "hgctl node list shows the names", "no node is named %.100s", node);
        return false;
    }
    strcpy(c->node, node);
    return true;
}

static void change(struct admin_request *req, bool add)
{
    struct controlplane *cp = req->cp; /* a refusal ends the request */
    struct change *c = begin(req);

    if (!c || !take_node(req, c) || !take_contacts(req, c) || !admin_arg_bool(req, "force", &c->force))
        return;
    c->add = add;
    if (!add && !c->node_given && !c->contacts_given) {
        admin_fail(req, ADMIN_BAD_REQUEST, "hgctl user set USER NODE", "node is missing, or contacts");
        return;
    }
    if (!user_view_is_ours(req, c->name, &c->len))
        return;
    /* "applied" must mean that the cores have it */
    if (users_count(cp->users) >= cp->config->dp_users_max &&
        !users_find(cp->users, slice_of(c->name, c->len))) {
        admin_fail(req, ADMIN_CONFLICT, "raise dataplane.users_max and restart the dataplane",
                   "the user table is full with %u users", users_count(cp->users));
        return;
    }
    store(req);
}

void admin_user_add(struct admin_request *req)
{
    change(req, true);
}

void admin_user_set(struct admin_request *req)
{
    change(req, false);
}

static void on_removed(void *arg, const struct record_outcome *outcome)
{
    struct admin_request *req = arg;
    struct change *c = req->state;

    if (outcome->result == RECORD_UNAVAILABLE)
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl status shows the state of Redis",
                   "Redis did not confirm the change: %s", outcome->why);
    else if (outcome->result == RECORD_MISSING)
        admin_fail(req, ADMIN_NOT_FOUND, NULL, "the record has no user %s", c->name);
    else
        admin_ok_when_applied(req, json_pack("{s:s}", "removed", c->name), 0);
}

void admin_user_remove(struct admin_request *req)
{
    struct change *c = begin(req);

    if (c)
        record_change_one(req->cp->record, RECORD_USERS, RECORD_REMOVE, RECORD_PRESENT,
                          slice_of(c->name, c->len), slice_of("", 0), on_removed, req);
}
