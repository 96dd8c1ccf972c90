/* SPDX-License-Identifier: BSD-2-Clause */
/* user.find and user.list. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "admin/user_view.h"
#include "assign/contact.h"
#include "assign/domain.h"
#include "controlplane.h"
#include "ha/run.h"
#include "node/nodes.h"

#define LIST_DEFAULT 100
#define LIST_MAX     10000
#define LOOKED_MAX   20000 /* a page looks at no more than a bounded part of the table */

bool user_view_typed(struct controlplane *cp, struct slice text, char *name, uint32_t *len, const char **why)
{
    if (users_canonical(text, name, len, why) && users_find(cp->users, slice_of(name, *len)))
        return true;
    return users_typed(text, name, len, why);
}

bool user_view_name(struct admin_request *req, char *name, uint32_t *len)
{
    const char *user = NULL, *why;

    if (!admin_arg_string(req, "user", &user))
        return false;
    if (!user || !user_view_typed(req->cp, slice_str(user), name, len, &why)) {
        admin_fail(req, ADMIN_BAD_REQUEST, "bob@example.com", "%s", user ? why : "user is missing");
        return false;
    }
    /* What another writer put into the record under any domain can be seen and removed under it. */
    if (!users_find(req->cp->users, slice_of(name, *len)))
        (void)user_take_home(req->cp->config, name, len);
    return true;
}

bool user_view_is_ours(struct admin_request *req, char *name, uint32_t *len)
{
    if (user_take_home(req->cp->config, name, len))
        return true;
    admin_fail(req, ADMIN_BAD_REQUEST, "a further name of the cluster is an item of cluster.domain_aliases",
               "%.300s is not of the domain %s: no request would find the user", name,
               req->cp->config->cluster_domain);
    return false;
}

static json_t *contacts(const struct user *u)
{
    json_t *list = json_array();
    struct slice rest = slice_str(u->contacts ? u->contacts : ""), one;

    while (contact_next(&rest, &one))
        json_array_append_new(list, json_stringn(one.p, one.len));
    return list;
}

/* D50: the mark of a user that another node than the home serves now. */
static void put_failed_over(struct controlplane *cp, const struct user *u, json_t *o)
{
    uint16_t node = nodes_of_home(cp, u->home), serving = node ? ha_serving(cp->ha, node) : 0;

    if (!serving || serving == node)
        return;
    json_object_set_new(o, "failed_over", json_true());
    json_object_set_new(o, "served_by", json_string(nodes_name(cp, serving)));
}

json_t *user_view(struct controlplane *cp, const struct user *u)
{
    uint16_t node = nodes_of_home(cp, u->home), peer = topology_peer(&cp->topology, node);
    char text[HG_ENDPOINT_STRLEN] = "";
    struct hg_endpoint sip;

    if (node && nodes_sip(cp, node, &sip))
        hg_endpoint_format(&sip, text);
    json_t *o = json_pack("{s:s, s:s?, s:s?, s:b, s:s?, s:o}", "user", u->name, "node",
                          u->home ? users_home_name(cp->users, u->home) : NULL, "endpoint",
                          text[0] ? text : NULL, "self", node && node == cp->self, "backup",
                          topology_are_pair(&cp->topology, node, peer) ? nodes_name(cp, peer) : NULL,
                          "contacts", contacts(u));
    put_failed_over(cp, u, o);
    return o;
}

void admin_user_find(struct admin_request *req)
{
    char name[USERS_NAME_MAX + 1];
    uint32_t len;

    if (!user_view_name(req, name, &len))
        return;
    const struct user *u = users_find(req->cp->users, slice_of(name, len));
    if (!u)
        admin_fail(req, ADMIN_NOT_FOUND, "hgctl user list PATTERN", "the record has no user %s", name);
    else
        admin_ok(req, user_view(req->cp, u));
}

struct list {
    const char *after, *node, *match;
    int64_t limit;
    uint16_t only; /* HG_NODES_MAX: a node that is nobody's home */
};

static bool take_list(struct admin_request *req, struct list *l)
{
    struct controlplane *cp = req->cp;

    *l = (struct list){.after = "", .limit = LIST_DEFAULT};
    if (!admin_arg_string(req, "after", &l->after) || !admin_arg_string(req, "node", &l->node) ||
        !admin_arg_string(req, "match", &l->match) || !admin_arg_int(req, "limit", 1, LIST_MAX, &l->limit))
        return false;
    if (!l->node || strcmp(l->node, "-") == 0)
        return true;
    l->only = users_home_find(cp->users, slice_str(l->node));
    if (!l->only && nodes_find(cp, slice_str(l->node)))
        l->only = HG_NODES_MAX;
    if (l->only)
        return true;
    admin_fail(req, ADMIN_NOT_FOUND, "hgctl node list shows the names", "no node is named %.100s", l->node);
    return false;
}

static json_t *row(struct controlplane *cp, const struct user *u, size_t *bytes)
{
    const char *home = users_home_name(cp->users, u->home);
    json_t *o = json_pack("{s:s, s:s?}", "user", u->name, "node", u->home ? home : NULL);

    if (o && u->contacts)
        json_object_set_new(o, "contacts", contacts(u));
    if (o)
        put_failed_over(cp, u, o);
    *bytes +=
        48 + HG_NODE_NAME_MAX + 2u * u->len + strlen(home) + (u->contacts ? 2 * strlen(u->contacts) : 0);
    return o;
}

void admin_user_list(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    struct list l;

    if (!take_list(req, &l))
        return;
    uint64_t at = users_position_after(cp->users, slice_str(l.after)), looked = 0;
    const struct user *u = NULL;
    json_t *list = json_array();
    size_t bytes = 0;
    bool end = false;
    while (json_array_size(list) < (size_t)l.limit && looked++ < LOOKED_MAX &&
           bytes < ADMIN_PAGE_MAX - 16384) {
        const struct user *one = users_walk(cp->users, &at);
        if (!one) {
            end = true;
            break;
        }
        u = one;
        if ((l.node && (l.only ? u->home != l.only : nodes_of_home(cp, u->home) != 0)) ||
            (l.match && fnmatch(l.match, u->name, 0) != 0))
            continue;
        json_t *o = row(cp, u, &bytes);
        if (o)
            json_array_append_new(list, o);
    }
    admin_ok(req, json_pack("{s:o, s:s?, s:I}", "users", list, "next", !end && u ? u->name : NULL, "total",
                            (json_int_t)users_count(cp->users)));
}
