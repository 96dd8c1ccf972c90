/* SPDX-License-Identifier: BSD-2-Clause */
#include <fnmatch.h>
#include <string.h>

#include "admin/route_view.h"
#include "controlplane.h"
#include "counters/names.h"
#include "counters/view.h"
#include "routes/json.h"

#define LIST_MAX  10000
#define LINE_ROOM (ADMIN_PAGE_MAX - 65536)

static const char *state_word(const struct hg_static_route *route, const struct routes_status *status)
{
    if (route->block && status->state == ROUTES_ACTIVE)
        return "blocked";
    return status->state == ROUTES_ACTIVE ? "in_service" : "out_of_service";
}

static json_t *hops(struct controlplane *cp, uint32_t index)
{
    const struct hg_segment *s = feed_segment(cp->feed);
    uint16_t slot[32];
    uint32_t n = push_routes_hops(cp, index, slot, 32);
    json_t *list = json_array();

    for (uint32_t i = 0; i < n; i++) {
        struct hg_endpoint ep;
        struct hg_hop_stats st = {0};
        char text[HG_ENDPOINT_STRLEN];
        if (!names_hop(cp, slot[i], &ep))
            continue;
        if (s)
            view_hop(s, slot[i], &st);
        hg_endpoint_format(&ep, text);
        json_array_append_new(list,
                              json_pack("{s:s, s:s}", "endpoint", text, "state", view_hop_state(st.state)));
    }
    return list;
}

json_t *route_view_one(struct controlplane *cp, const struct push_routes_view *view, uint32_t index)
{
    const struct hg_static_route *route = push_routes_at(view, index);
    const struct routes_status *status = &view->status[index];
    const struct hg_segment *s = feed_segment(cp->feed);
    struct hg_route_stats stats = {0};
    char why[512];
    json_t *o = route_json_object(route);

    if (!o)
        return NULL;
    if (s && status->slot)
        view_route(s, status->slot, &stats);
    json_object_set_new(o, "source", json_string(index < view->nfile ? "file" : "admin"));
    json_object_set_new(o, "state", json_string(state_word(route, status)));
    json_object_set_new(o, "reason", json_string(push_routes_reason(cp, view, index, why, sizeof(why))));
    json_object_set_new(o, "hops", hops(cp, index));
    json_object_set_new(o, "requests", json_integer((json_int_t)stats.requests));
    json_object_set_new(o, "answered", json_integer((json_int_t)stats.answered));
    json_object_set_new(o, "failed", json_integer((json_int_t)stats.failed));
    return o;
}

void route_view_finish(struct admin_request *req)
{
    struct push_routes_view view;
    const char *name = json_string_value(json_object_get(json_object_get(req->result, "route"), "name"));

    if (!name || !push_routes_view(req->cp, &view))
        return;
    uint32_t index = push_routes_find(&view, name);
    json_t *shown = index == UINT32_MAX ? NULL : route_view_one(req->cp, &view, index);
    if (shown)
        json_object_set_new(req->result, "route", shown);
}

static size_t rough_size(const struct hg_static_route *r, const json_t *shown)
{
    return 600 + 2 * (strlen(r->name) + strlen(r->pattern) + strlen(r->description) + strlen(r->next_hop)) +
           96 * json_array_size(json_object_get(shown, "hops"));
}

/* Pages by name: the routes behind "after", in the order of the file and then of their making. */
void admin_route_list(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    const char *source = NULL, *state = NULL, *match = NULL, *after = NULL, *last = NULL;
    struct push_routes_view view;
    int64_t limit = LIST_MAX;

    if (!admin_arg_string(req, "source", &source) || !admin_arg_string(req, "state", &state) ||
        !admin_arg_string(req, "match", &match) || !admin_arg_string(req, "after", &after) ||
        !admin_arg_int(req, "limit", 1, LIST_MAX, &limit))
        return;
    if ((source && strcmp(source, "file") != 0 && strcmp(source, "admin") != 0) ||
        (state && strcmp(state, "in_service") != 0 && strcmp(state, "out_of_service") != 0 &&
         strcmp(state, "blocked") != 0)) {
        admin_fail(req, ADMIN_BAD_REQUEST, NULL,
                   "source is file or admin, state is in_service, out_of_service or blocked");
        return;
    }
    push_routes_view(cp, &view);
    uint32_t i = 0;
    if (after) {
        uint32_t at = push_routes_find(&view, after);
        if (at == UINT32_MAX) {
            admin_fail(req, ADMIN_NOT_FOUND, "list from the beginning", "no route is named %.64s any more",
                       after);
            return;
        }
        i = at + 1;
    }
    json_t *list = json_array();
    size_t bytes = 0;
    for (; i < view.n && json_array_size(list) < (size_t)limit && bytes < LINE_ROOM; i++) {
        const struct hg_static_route *route = push_routes_at(&view, i);
        if ((source && strcmp(source, i < view.nfile ? "file" : "admin") != 0) ||
            (state && strcmp(state, state_word(route, &view.status[i])) != 0) ||
            (match && fnmatch(match, route->name, 0) != 0))
            continue;
        json_t *one = route_view_one(cp, &view, i);
        if (!one)
            continue;
        bytes += rough_size(route, one);
        last = route->name;
        json_array_append_new(list, one);
    }
    admin_ok(req, json_pack("{s:o, s:s?, s:I}", "routes", list, "next", i < view.n ? last : NULL, "total",
                            (json_int_t)view.n));
}
