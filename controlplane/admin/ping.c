/* SPDX-License-Identifier: BSD-2-Clause */
/* node.ping (B08): does a node answer, over both networks, and how fast. Heartbeats are the probe: authentic,
 * and by the way that high availability takes. */
#include <stdlib.h>

#include "admin/request.h"
#include "controlplane.h"
#include "ha/run.h"

#define PING_MS 250
#define PINGS   4

struct ping {
    uint16_t node;
    unsigned sent;
};

static json_t *one_way(struct controlplane *cp, uint16_t node, bool service, bool *answers)
{
    struct ha_way w;

    ha_way_to(cp->ha, node, service, &w);
    if (!w.reachable)
        return json_null();
    bool heard = w.heard_ms < PING_MS * (PINGS + 1);
    *answers |= heard;
    json_t *out = json_pack("{s:b}", "answers", heard);
    if (heard)
        json_object_set_new(out, "rtt_ms", json_real((double)w.rtt_us / 1000));
    if (heard && w.kbps)
        json_object_set_new(out, "kbit_s", json_integer((json_int_t)w.kbps));
    return out;
}

static void poll_ping(struct admin_request *req, uint64_t now_ms)
{
    struct ping *p = req->state;
    struct controlplane *cp = req->cp;
    const struct topology_node *n = topology_node(&cp->topology, p->node);

    if (now_ms < req->next_at)
        return;
    if (n && p->sent++ < PINGS) {
        ha_ask_now(cp->ha, p->node);
        req->next_at = now_ms + PING_MS;
        return;
    }
    if (!n) {
        admin_fail(req, ADMIN_NOT_FOUND, "hgctl node list", "the node was removed meanwhile");
        return;
    }
    bool answers = false;
    json_t *management = one_way(cp, p->node, false, &answers),
           *service = one_way(cp, p->node, true, &answers);
    admin_ok(req, json_pack("{s:s, s:b, s:o, s:o}", "node", n->name, "answers", answers, "management",
                            management, "service", service));
}

void admin_node_ping(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    struct ping *p = calloc(1, sizeof(*p));
    const char *name = NULL;

    req->state = p;
    if (!admin_arg_string(req, "name", &name))
        return;
    const struct topology_node *n = name ? topology_find_node(&cp->topology, slice_str(name)) : NULL;
    if (!p)
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
    else if (!n)
        admin_fail(req, name ? ADMIN_NOT_FOUND : ADMIN_BAD_REQUEST, "hgctl node list", "%s%.100s",
                   name ? "no node is named " : "name is missing", name ? name : "");
    else if (n->index == cp->self)
        admin_fail(req, ADMIN_BAD_REQUEST, "hgctl status", "%s is this node", n->name);
    else if (!cp->config->node_address[0])
        admin_fail(req, ADMIN_CONFLICT, "set node.address", "this node has no address for heartbeats");
    else {
        p->node = n->index;
        req->poll = poll_ping;
    }
}
