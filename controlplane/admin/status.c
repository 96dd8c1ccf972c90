/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "admin/request.h"
#include "controlplane.h"
#include "log/json_text.h"
#include "counters/names.h"
#include "counters/view.h"
#include "push/push.h"
#include "node/ready.h"
#include "store/record.h"

void admin_version(struct admin_request *req)
{
    const struct hg_segment *s = feed_segment(req->cp->feed);
    char build[41] = "";

    if (s)
        snprintf(build, sizeof(build), "%.40s", s->header->build);
    admin_ok(req, json_pack("{s:s, s:i, s:s?}", "version", HG_VERSION, "protocol", 1, "dataplane",
                            s ? build : NULL));
}

static json_t *dataplane(struct controlplane *cp)
{
    const struct hg_segment *s = feed_segment(cp->feed);
    char build[41] = "";

    if (!s)
        return json_pack("{s:b, s:b, s:b, s:b}", "attached", 0, "runs", 0, "ready", 0, "draining",
                         cp->draining);
    snprintf(build, sizeof(build), "%.40s", s->header->build);
    bool runs = hg_segment_dp_lives(s);
    return json_pack("{s:b, s:b, s:b, s:b, s:i, s:s, s:i}", "attached", 1, "runs", runs, "ready",
                     runs && feed_dp_ready(cp->feed), "draining", cp->draining, "pid", (int)s->header->dp_pid,
                     "version", build, "cores", (int)s->cores);
}

static json_t *redis(struct controlplane *cp)
{
    const struct redis *r = record_redis(cp->record);
    char address[300];
    bool up = redis_is_up(r);

    redis_address(r, address, sizeof(address));
    return json_pack("{s:b, s:s?, s:i, s:s?, s:s, s:b}", "connected", up, "role", up ? "master" : NULL,
                     "replicas", up ? (int)redis_replicas(r) : 0, "address", address[0] ? address : NULL,
                     "state", redis_state(r), "loaded", record_loaded(cp->record));
}

static json_t *routes(struct controlplane *cp)
{
    struct push_routes_view view;
    const struct hg_segment *s = feed_segment(cp->feed);

    push_routes_view(cp, &view);
    return json_pack("{s:i, s:i, s:i, s:i, s:I}", "file", (int)view.nfile, "admin",
                     (int)(view.n - view.nfile), "in_service", (int)view.count[ROUTES_ACTIVE],
                     "out_of_service", (int)(view.n - view.count[ROUTES_ACTIVE]), "generation",
                     (json_int_t)(s ? view_total(s, HG_C_route_generation) : 0));
}

static json_t *hops(struct controlplane *cp)
{
    const struct hg_segment *s = feed_segment(cp->feed);
    int count[3] = {0};

    for (uint32_t slot = 0; slot < HG_HOP_SLOTS; slot++) {
        struct hg_endpoint ep;
        struct hg_hop_stats st = {0};
        if (!names_hop(cp, slot, &ep))
            continue;
        if (s)
            view_hop(s, slot, &st);
        count[st.state < 3 ? st.state : 0]++;
    }
    return json_pack("{s:i, s:i, s:i}", "up", count[1], "down", count[2], "unknown", count[0]);
}

void admin_status(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    char text[READY_TEXT], *save = NULL;
    json_t *reasons = json_array(), *alarms = json_array();
    bool ready = ready_reasons(cp, text, sizeof(text)) == 0;

    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        json_array_append_new(reasons, json_text(line));
    for (unsigned i = 0; i < ALARM_COUNT; i++)
        if (cp->alarms.a[i].standing)
            json_array_append_new(alarms, json_text(cp->alarms.a[i].detail));
    json_t *result =
        json_pack("{s:b, s:o, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:I, s:o, s:o}", "ready", ready,
                  "reasons", reasons, "node", cp->config->node_name, "cluster", cp->config->cluster_id,
                  "domain", cp->config->cluster_domain, "version", HG_VERSION, "uptime_s",
                  (json_int_t)((uv_now(&cp->loop) - cp->started_ms) / 1000), "dataplane", dataplane(cp),
                  "redis", redis(cp), "routes", routes(cp), "users", (json_int_t)users_count(cp->users),
                  "hops", hops(cp), "alarms", alarms);
    admin_ok(req, result);
}
