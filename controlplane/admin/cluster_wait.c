/* SPDX-License-Identifier: BSD-2-Clause */
/* --wait-cluster: the command returns when the cores of every node have applied it. Each node tells with its
 * heartbeats how far its cores are in the record's history (applied.h). */
#include <stdio.h>
#include <string.h>

#include "admin/request.h"
#include "controlplane.h"
#include "ha/run.h"
#include "topology/model.h"

#define CLUSTER_MS  20000 /* who has not applied it by then is named */
#define PROGRESS_MS 1000

bool admin_wants_cluster(const struct admin_request *req)
{
    return json_is_true(json_object_get(req->args, "wait_cluster"));
}

static bool has_it(const struct admin_request *req, uint16_t node)
{
    struct ha_told told;

    return ha_told_by(req->cp->ha, node, &told) && record_version_cmp(told.applied, req->wanted) >= 0;
}

/* Of the nodes that are installed; missing: the names of those that do not have it. */
static unsigned count(const struct admin_request *req, unsigned *all, char *missing, size_t size)
{
    const struct topology *t = &req->cp->topology;
    unsigned n = 0;
    size_t fill = 0;

    *all = 0;
    missing[0] = '\0';
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_node *node = topology_node(t, i);
        if (!node || !node->installed)
            continue;
        (*all)++;
        if (has_it(req, i))
            n++;
        else if (fill < size)
            fill += (size_t)snprintf(missing + fill, size - fill, "%s%s", fill ? ", " : "", node->name);
    }
    return n;
}

static void poll_cluster(struct admin_request *req, uint64_t now_ms)
{
    unsigned all;
    char missing[512];
    unsigned n = count(req, &all, missing, sizeof(missing));

    if (n == all) {
        json_t *result = req->result;
        req->result = NULL;
        json_object_set_new(result, "nodes", json_integer((json_int_t)all));
        admin_ok(req, result);
    } else if (now_ms >= req->deadline) {
        admin_fail(req, ADMIN_LATE, "the change is kept and reaches them when they are back: hgctl node list",
                   "not applied within %u s: %s", CLUSTER_MS / 1000, missing);
    } else if (now_ms >= req->next_at) {
        req->next_at = now_ms + PROGRESS_MS;
        admin_progress(req, n, all, "nodes have applied it");
    }
}

void admin_ok_when_cluster_applied(struct admin_request *req, json_t *result)
{
    uint64_t now = uv_now(&req->cp->loop);

    req->result = result;
    req->wanted = record_position(req->cp->record);
    req->deadline = now + CLUSTER_MS;
    req->next_at = now + PROGRESS_MS;
    req->poll = poll_cluster;
}
