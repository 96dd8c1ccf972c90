/* SPDX-License-Identifier: BSD-2-Clause */
/* route.add, route.set, route.remove: first the record, then memory, then every core. */
#include <stdlib.h>
#include <string.h>

#include "admin/request.h"
#include "admin/route_view.h"
#include "controlplane.h"
#include "push/push.h"
#include "routes/book.h"
#include "routes/json.h"

struct change {
    struct hg_static_route route;
    bool remove;
    char *text;
};

static bool in_file(const struct controlplane *cp, const char *name)
{
    for (uint32_t i = 0; i < cp->config->nroutes; i++)
        if (strcmp(cp->config->routes[i].name, name) == 0)
            return true;
    return false;
}

/* The request waits for the compilation, and is then shown as compiled. */
static void on_stored(void *arg, const struct record_outcome *outcome)
{
    struct admin_request *req = arg;
    struct controlplane *cp = req->cp;
    struct change *c = req->state;
    const char *name = c->route.name;

    switch (outcome->result) {
    case RECORD_UNAVAILABLE:
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl status shows the state of Redis",
                   "Redis did not confirm the change: %s", outcome->why);
        return;
    case RECORD_EXISTS:
        admin_fail(req, ADMIN_CONFLICT, "hgctl route set changes it", "the record has a route named %s",
                   name);
        return;
    case RECORD_MISSING:
    case RECORD_CONFLICT:
        admin_fail(req, ADMIN_NOT_FOUND, "hgctl route list shows the names",
                   "the record has no route named %s", name);
        return;
    case RECORD_OK:
        break;
    }
    uint64_t version = push_routes_wanted(cp); /* memory has it already, by the record's events */
    if (c->remove) {
        admin_ok_when_applied(req, json_pack("{s:s}", "removed", name), version);
        return;
    }
    json_t *result_object = json_pack("{s:o}", "route", route_json_object(&c->route));
    req->finish = route_view_finish;
    admin_ok_when_applied(req, result_object, version);
}

static void refuse(struct admin_request *req, const char *name, json_t *errors)
{
    char error[256];
    size_t n = json_array_size(errors);

    snprintf(error, sizeof(error), "route %.64s: %s", name,
             n == 1 ? json_string_value(json_array_get(errors, 0))
                    : "several things are wrong, nothing was changed");
    admin_fail_list(req, ADMIN_BAD_REQUEST, error, errors);
}

/* Checks the route as it would become, and stores it. */
static void store(struct admin_request *req, struct change *c, enum record_expect expect, json_t *errors)
{
    struct controlplane *cp = req->cp;
    const struct hg_config *config = cp->config;

    c->route.source = HG_ROUTE_FROM_ADMIN;
    route_json_check(&c->route, (const char(*)[HG_PATTERN_MAX + 1]) config->templates, config->ntemplates,
                     errors);
    if (json_array_size(errors)) {
        refuse(req, c->route.name, errors);
        return;
    }
    json_decref(errors);
    c->text = route_json_text(&c->route);
    if (!c->text) {
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "the route's texts are not UTF-8");
        return;
    }
    struct slice value = slice_str(c->text);
    char *text = c->text; /* the request may be over when record_change returns */
    record_change_one(cp->record, RECORD_ROUTES, RECORD_SET, expect, slice_str(c->route.name), value,
                      on_stored, req);
    free(text);
}

static struct change *begin(struct admin_request *req)
{
    struct change *c = calloc(1, sizeof(*c));
    bool wait = true;

    req->state = c;
    if (!c) {
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    return admin_arg_bool(req, "wait", &wait) ? c : NULL;
}

void admin_route_add(struct admin_request *req)
{
    struct change *c = begin(req);

    if (!c)
        return; /* the request is over, and gone */
    const json_t *object = json_object_get(req->args, "route");
    if (!json_is_object(object)) {
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "route is missing, or is not an object");
        return;
    }
    json_t *errors = json_array();
    hg_static_route_defaults(&c->route);
    route_json_apply(object, &c->route, errors);
    if (json_array_size(errors) == 0 &&
        (in_file(req->cp, c->route.name) || book_find(req->cp->routes, c->route.name))) {
        json_decref(errors);
        admin_fail(req, ADMIN_CONFLICT, "hgctl route set changes one", "a route named %s exists already",
                   c->route.name);
        return;
    }
    if (book_is_full(req->cp->routes, c->route.name)) {
        json_decref(errors);
        admin_fail(req, ADMIN_CONFLICT, "hgctl route remove makes room",
                   "the record has %u routes, no more are kept", book_count(req->cp->routes));
        return;
    }
    store(req, c, RECORD_ABSENT, errors);
}

/* The administrator's route of that name; answers the request when there is none. */
static const struct hg_static_route *named(struct admin_request *req)
{
    const char *name = NULL;

    if (!admin_arg_string(req, "name", &name))
        return NULL;
    const struct hg_static_route *route = name ? book_find(req->cp->routes, name) : NULL;
    if (!name)
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "name is missing");
    else if (!route && in_file(req->cp, name))
        admin_fail(req, ADMIN_CONFLICT, "change it in the file, then hgctl config reload",
                   "route %s stands in the configuration file", name);
    else if (!route)
        admin_fail(req, ADMIN_NOT_FOUND, "hgctl route list shows the names", "no route is named %.64s", name);
    return route;
}

void admin_route_set(struct admin_request *req)
{
    struct change *c = begin(req);
    const struct hg_static_route *route = c ? named(req) : NULL;

    if (!route)
        return;
    const json_t *object = json_object_get(req->args, "route");
    if (!json_is_object(object)) {
        admin_fail(req, ADMIN_BAD_REQUEST, "hgctl route set NAME --weight 20", "nothing is given to change");
        return;
    }
    c->route = *route;
    json_t *errors = json_array();
    route_json_apply(object, &c->route, errors);
    if (strcmp(c->route.name, route->name) != 0)
        json_array_append_new(errors, json_string("name: a route keeps its name; remove it and add another"));
    store(req, c, RECORD_PRESENT, errors);
}

void admin_route_remove(struct admin_request *req)
{
    struct change *c = begin(req);
    const struct hg_static_route *route = c ? named(req) : NULL;

    if (!route)
        return;
    c->route = *route;
    c->remove = true;
    record_change_one(req->cp->record, RECORD_ROUTES, RECORD_REMOVE, RECORD_PRESENT, slice_str(route->name),
                      slice_of("", 0), on_stored, req);
}
