/* SPDX-License-Identifier: BSD-2-Clause */
/* route.explain: the compiler's own words, and the user table behind them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/request.h"
#include "admin/uri.h"
#include "assign/domain.h"
#include "controlplane.h"
#include "counters/names.h"
#include "counters/view.h"
#include "push/push.h"

#define ROWS_MAX 1000

struct explain {
    struct controlplane *cp;
    struct push_routes_view view;
    json_t *list;
    uint64_t weights; /* of the winners */
    unsigned unusable, no_transport;
    char winner[64], why[512];
};

static bool hop_down(void *arg, uint16_t slot)
{
    struct explain *e = arg;
    const struct hg_segment *s = feed_segment(e->cp->feed);
    struct hg_hop_stats st = {0};

    if (s)
        view_hop(s, slot, &st);
    return st.state == 2;
}

static void tell(void *arg, const struct routes_explained *x)
{
    struct explain *e = arg;
    const struct hg_static_route *route = push_routes_at(&e->view, x->index);

    if (x->what == ROUTES_WINS) {
        e->weights += route->weight;
        if (!e->winner[0])
            snprintf(e->winner, sizeof(e->winner), "%s", route->name);
    }
    if (x->what == ROUTES_UNUSABLE) {
        e->unusable++;
        e->no_transport += e->view.status[x->index].state == ROUTES_NO_TRANSPORT;
        if (!e->why[0])
            snprintf(e->why, sizeof(e->why), "%s: %s", route->name, x->text);
    }
    if (json_array_size(e->list) >= ROWS_MAX)
        return;
    json_t *row = json_pack("{s:s, s:s, s:b, s:i, s:s}", "name", route->name, "pattern", route->pattern,
                            "wins", x->what == ROUTES_WINS, "set", (int)x->rank, "text", x->text);
    if (!row)
        return;
    if (x->what == ROUTES_WINS)
        json_object_set_new(row, "share", json_integer(route->weight)); /* made a share below */
    json_array_append_new(e->list, row);
}

static void shares(struct explain *e)
{
    size_t i;
    json_t *row;

    json_array_foreach(e->list, i, row)
    {
        const json_t *weight = json_object_get(row, "share");
        if (weight)
            json_object_set_new(row, "share",
                                json_real(100.0 * (double)json_integer_value(weight) / (double)e->weights));
    }
}

/* An address of ours in the place of the domain means the same user. */
static void take_address(const struct hg_config *config, struct uri *uri)
{
    struct slice host = slice_str(uri->host);
    struct hg_ip ip;

    if (host.len > 2 && host.p[0] == '[')
        host = slice_of(host.p + 1, host.len - 2);
    for (uint32_t i = 0; hg_ip_parse(host, &ip) && i < config->nlisteners; i++)
        if (hg_ip_eq(&config->listeners[i].ep.ip, &ip)) {
            snprintf(uri->host, sizeof(uri->host), "%s", config->cluster_domain);
            return;
        }
}

static const char *user_node(struct controlplane *cp, const struct uri *typed)
{
    struct uri uri = *typed;
    char name[USERS_NAME_MAX + 1], canonical[USERS_NAME_MAX + 1];
    uint32_t len;
    const char *why;

    take_address(cp->config, &uri);
    snprintf(name, sizeof(name), "%s@%s", uri.user, uri.host);
    if (!users_canonical(slice_str(name), canonical, &len, &why))
        return NULL;
    (void)user_take_home(cp->config, canonical, &len);
    const struct user *u = users_find(cp->users, slice_of(canonical, len));
    return u && u->home ? users_home_name(cp->users, u->home) : NULL;
}

static void explain(struct admin_request *req, struct uri *uri, const char *text)
{
    struct controlplane *cp = req->cp;
    struct explain e = {.cp = cp, .list = json_array()};
    const char *node, *verdict;
    char sentence[900];

    push_routes_view(cp, &e.view);
    if (!uri->host[0]) /* a telephone number is a user of ours */
        snprintf(uri->host, sizeof(uri->host), "%s", cp->config->cluster_domain);
    char found = routes_explain(push_routes_book(cp), push_routes_input(cp), slice_str(uri->user),
                                slice_str(uri->host), hop_down, tell, &e);
    shares(&e);
    node = user_node(cp, uri);
    if (found == 'f') {
        verdict = "static";
        snprintf(sentence, sizeof(sentence), "the static route %s is tried first", e.winner);
    } else if (found == 'b') {
        verdict = "blocked";
        snprintf(sentence, sizeof(sentence), "a static route blocks this destination");
    } else if (e.unusable) {
        verdict = e.no_transport == e.unusable ? "no_transport" : "down";
        snprintf(sentence, sizeof(sentence), "%u static route%s, none can be used; %s", e.unusable,
                 e.unusable == 1 ? " matches" : "s match", e.why);
    } else if (node) {
        verdict = "user";
        snprintf(sentence, sizeof(sentence), "no static route matches; the user is served by node %s", node);
    } else {
        verdict = "none";
        snprintf(sentence, sizeof(sentence), "no static route matches, and no node serves this user");
    }
    admin_ok(req, json_pack("{s:s, s:s, s:s, s:s?, s:o}", "uri", text, "verdict", verdict, "text", sentence,
                            "user_node", node, "routes", e.list));
}

static void poll_idle(struct admin_request *req, uint64_t now_ms)
{
    struct controlplane *cp = req->cp;

    if ((push_routes_busy(cp) || !push_routes_input(cp)) && now_ms < req->deadline)
        return;
    if (push_routes_busy(cp) || !push_routes_input(cp))
        admin_fail(req, ADMIN_UNAVAILABLE, "try again", "the routes are being compiled");
    else
        explain(req, req->state, json_string_value(json_object_get(req->args, "uri")));
}

void admin_route_explain(struct admin_request *req)
{
    const char *text = NULL;
    struct uri *uri = calloc(1, sizeof(*uri));

    req->state = uri;
    if (!admin_arg_string(req, "uri", &text))
        return;
    if (!uri || !text || !uri_parse(text, uri)) {
        admin_fail(req, ADMIN_BAD_REQUEST, "sip:19194762030@example.com",
                   text ? "\"%.200s\" is no SIP URI" : "uri is missing%s", text ? text : "");
        return;
    }
    req->deadline = uv_now(&req->cp->loop) + ADMIN_APPLY_MS;
    req->poll = poll_idle;
    poll_idle(req, uv_now(&req->cp->loop));
}
