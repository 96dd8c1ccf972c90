/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/request.h"
#include "controlplane.h"
#include "counters/view.h"

void admin_core_list(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    const struct hg_segment *s = feed_segment(cp->feed);
    json_t *list = json_array();

    for (unsigned c = 0; s && c < s->cores; c++) {
        struct feed_core_status st;
        if (!feed_core_status(cp->feed, c, &st))
            continue;
        uint64_t transactions = view_counter(s, c, HG_C_sip_server_transactions) +
                                view_counter(s, c, HG_C_sip_client_transactions);
        json_array_append_new(
            list,
            json_pack("{s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "core",
                      (int)c, "alive", st.alive, "heartbeat_age_ms", (json_int_t)st.heartbeat_age_ms,
                      "applied_seq", (json_int_t)st.applied_seq, "sent_seq", (json_int_t)st.sent_seq,
                      "generation", (json_int_t)st.applied_generation, "image_generation",
                      (json_int_t)st.image_generation, "busy", c < HG_CORES_MAX ? cp->busy_share[c] : 0.0,
                      "rx_frames", (json_int_t)view_counter(s, c, HG_C_rx_frames), "tx_frames",
                      (json_int_t)view_counter(s, c, HG_C_tx_frames), "users",
                      (json_int_t)view_counter(s, c, HG_C_users), "transactions", (json_int_t)transactions,
                      "mbuf_free", (json_int_t)view_counter(s, c, HG_C_mbuf_free), "down_depth",
                      (json_int_t)st.down_cells, "resyncing", st.resyncing));
    }
    admin_ok(req, json_pack("{s:o}", "cores", list));
}
