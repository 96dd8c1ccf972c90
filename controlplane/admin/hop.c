/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "admin/request.h"
#include "controlplane.h"
#include "counters/names.h"
#include "counters/view.h"
#include "push/push.h"

#define ROUTES_SHOWN 20 /* names beside one hop */

/* Which routes lead to a hop is not kept by index: ask the compiled targets by name of the next hop. */
static json_t *routes_of(struct controlplane *cp, uint32_t slot)
{
    struct push_routes_view view;
    json_t *names = json_array();

    if (!push_routes_view(cp, &view))
        return names;
    for (uint32_t i = 0; i < view.n && json_array_size(names) < ROUTES_SHOWN; i++) {
        uint16_t hops[16];
        uint32_t n = push_routes_hops(cp, i, hops, 16);
        for (uint32_t k = 0; k < n; k++)
            if (hops[k] == slot)
                json_array_append_new(names, json_string(push_routes_at(&view, i)->name));
    }
    return names;
}

void admin_hop_list(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    const struct hg_segment *s = feed_segment(cp->feed);
    json_t *list = json_array();

    for (uint32_t slot = 0; slot < HG_HOP_SLOTS; slot++) {
        struct hg_endpoint ep;
        struct hg_hop_stats st = {0};
        char text[HG_ENDPOINT_STRLEN];
        if (!names_hop(cp, slot, &ep))
            continue;
        if (s)
            view_hop(s, slot, &st);
        hg_endpoint_format(&ep, text);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "endpoint", text, "state",
                            view_hop_state(st.state), "routes", routes_of(cp, slot), "requests",
                            (json_int_t)st.requests, "answered", (json_int_t)st.answered, "failed",
                            (json_int_t)st.failed, "retransmissions", (json_int_t)st.retransmissions,
                            "probes", (json_int_t)st.probes, "probes_failed", (json_int_t)st.probes_failed));
    }
    admin_ok(req, json_pack("{s:o}", "hops", list));
}
