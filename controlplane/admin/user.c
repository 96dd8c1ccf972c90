/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "admin/request.h"
#include "assign/contact.h"
#include "assign/domain.h"
#include "controlplane.h"
#include "nodes.h"
#include "push.h"

static json_t *user_contacts(const struct user *u)
{
    json_t *list = json_array();
    struct slice rest = slice_str(u->contacts ? u->contacts : ""), one;

    while (contact_next(&rest, &one))
        json_array_append_new(list, json_stringn(one.p, one.len));
    return list;
}

#define LIST_DEFAULT 100
#define LIST_MAX     10000

struct change {
    uint16_t node;
    uint32_t len;
    char name[USERS_NAME_MAX + 1];
};

static bool take_user(struct admin_request *req, struct change *c)
{
    const char *user = NULL, *why;

    if (!admin_arg_string(req, "user", &user))
        return false;
    if (!user || !users_canonical(slice_str(user), c->name, &c->len, &why)) {
        admin_fail(req, ADMIN_BAD_REQUEST, "bob@example.com", "%s", user ? why : "user is missing");
        return false;
    }
    /* What another writer put into the record under any domain can be seen and removed under it. */
    if (!users_find(req->cp->users, slice_of(c->name, c->len)))
        (void)user_take_home(req->cp->config, c->name, &c->len);
    return true;
}

static json_t *one_user(struct controlplane *cp, const struct user *u)
{
    uint16_t node = nodes_of_home(cp, u->home);
    char text[HG_ENDPOINT_STRLEN] = "";
    struct hg_endpoint sip;

    if (node && nodes_sip(cp, node, &sip))
        hg_endpoint_format(&sip, text);
    return json_pack("{s:s, s:s?, s:s?, s:b, s:o}", "user", u->name, "node",
                     u->home ? users_home_name(cp->users, u->home) : NULL, "endpoint", text[0] ? text : NULL,
                     "self", node && node == cp->self, "contacts", user_contacts(u));
}

void admin_user_find(struct admin_request *req)
{
    struct change c = {0};

    if (!take_user(req, &c))
        return;
    const struct user *u = users_find(req->cp->users, slice_of(c.name, c.len));
    if (!u)
        admin_fail(req, ADMIN_NOT_FOUND, NULL, "nobody serves %s", c.name);
    else
        admin_ok(req, one_user(req->cp, u));
}

void admin_user_list(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    const char *after = "", *node = NULL, *next = NULL;
    int64_t limit = LIST_DEFAULT;
    uint16_t only = 0;
    json_t *list = json_array();

    if (!admin_arg_string(req, "after", &after) || !admin_arg_string(req, "node", &node) ||
        !admin_arg_int(req, "limit", 1, LIST_MAX, &limit)) {
        json_decref(list);
        return;
    }
    if (node && !(only = users_home_find(cp->users, slice_str(node)))) {
        json_decref(list);
        admin_fail(req, ADMIN_NOT_FOUND, "hgctl config show 'cluster.nodes*'", "no node is named %.100s",
                   node);
        return;
    }
    /* a page of one node looks at no more than a bounded part of the table */
    uint64_t at = users_position_after(cp->users, slice_str(after)), looked = 0;
    const struct user *u = NULL;
    size_t bytes = 0;
    bool end = false;
    while (json_array_size(list) < (size_t)limit && looked++ < 100000 && bytes < ADMIN_LINE_MAX - 4096) {
        const struct user *one = users_walk(cp->users, &at);
        if (!one) {
            end = true;
            break;
        }
        u = one;
        if (only && u->home != only)
            continue;
        const char *name = users_home_name(cp->users, u->home);
        json_t *o = json_pack("{s:s, s:s?}", "user", u->name, "node", u->home ? name : NULL);
        if (o)
            json_array_append_new(list, o);
        bytes += 32 + 2u * u->len + strlen(name);
    }
    if (!end && u)
        next = u->name;
    json_t *result = json_pack("{s:o, s:s?, s:I}", "users", list, "next", next, "total",
                               (json_int_t)users_count(cp->users));
    admin_ok(req, result);
}

static void on_set(void *arg, const struct record_outcome *outcome)
{
    struct admin_request *req = arg;
    struct controlplane *cp = req->cp;
    struct change *c = req->state;

    if (outcome->result != RECORD_OK) {
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl status shows the state of Redis",
                   "Redis did not confirm the change: %s", outcome->why);
        return;
    }
    const struct user *u = users_find(cp->users, slice_of(c->name, c->len));
    admin_ok_when_applied(req, u ? one_user(cp, u) : json_object(), 0);
}

static void on_removed(void *arg, const struct record_outcome *outcome)
{
    struct admin_request *req = arg;
    struct change *c = req->state;

    if (outcome->result == RECORD_UNAVAILABLE) {
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl status shows the state of Redis",
                   "Redis did not confirm the change: %s", outcome->why);
        return;
    }
    if (outcome->result == RECORD_MISSING)
        admin_fail(req, ADMIN_NOT_FOUND, NULL, "the record has no user %s", c->name);
    else
        admin_ok_when_applied(req, json_pack("{s:s}", "removed", c->name), 0);
}

static struct change *new_change(struct admin_request *req)
{
    struct change *c = calloc(1, sizeof(*c));
    bool wait = true;

    req->state = c;
    if (!c) {
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    return take_user(req, c) && admin_arg_bool(req, "wait", &wait) ? c : NULL;
}

void admin_user_set(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    struct change *c = new_change(req);
    const char *node = NULL;

    if (!c || !admin_arg_string(req, "node", &node))
        return;
    c->node = node ? nodes_find(cp, slice_str(node)) : 0;
    if (!c->node) {
        admin_fail(req, node ? ADMIN_NOT_FOUND : ADMIN_BAD_REQUEST,
                   "nodes stand in cluster.nodes of the configuration",
                   node ? "no node is named %.100s" : "node is missing%s", node ? node : "");
        return;
    }
    if (!user_take_home(cp->config, c->name, &c->len)) {
        admin_fail(req, ADMIN_BAD_REQUEST,
                   "a further name of the cluster is an item of cluster.domain_aliases",
                   "%.300s is not of the domain %s: no request would find the user", c->name,
                   cp->config->cluster_domain);
        return;
    }
    /* "applied" must mean that the cores have it */
    if (users_count(cp->users) >= cp->config->dp_users_max &&
        !users_find(cp->users, slice_of(c->name, c->len))) {
        admin_fail(req, ADMIN_CONFLICT, "raise dataplane.users_max and restart the dataplane",
                   "the user table is full with %u users", users_count(cp->users));
        return;
    }
    record_change_one(cp->record, RECORD_USERS, RECORD_SET, RECORD_ANY, slice_of(c->name, c->len),
                      slice_str(node), on_set, req);
}

void admin_user_remove(struct admin_request *req)
{
    struct change *c = new_change(req);

    if (c)
        record_change_one(req->cp->record, RECORD_USERS, RECORD_REMOVE, RECORD_PRESENT,
                          slice_of(c->name, c->len), slice_of("", 0), on_removed, req);
}
