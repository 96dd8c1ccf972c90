/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/request.h"
#include "controlplane.h"
#include "counters/view.h"

#define PROGRESS_MS 500

static bool dataplane_runs(const struct controlplane *cp)
{
    const struct hg_segment *s = feed_segment(cp->feed);

    return s && hg_segment_dp_lives(s);
}

static uint64_t transactions(struct controlplane *cp)
{
    const struct hg_segment *s = feed_segment(cp->feed);

    if (!dataplane_runs(cp)) /* those of a dead one have ended with it */
        return 0;
    return view_total(s, HG_C_sip_server_transactions) + view_total(s, HG_C_sip_client_transactions);
}

static void poll_empty(struct admin_request *req, uint64_t now_ms)
{
    uint64_t left = transactions(req->cp);
    const uint64_t *most = req->state;

    if (!req->cp->draining) {
        admin_fail(req, ADMIN_CONFLICT, NULL, "the drain was ended by another command");
    } else if (left == 0) {
        admin_ok(req, json_pack("{s:b, s:i}", "draining", 1, "transactions", 0));
    } else if (now_ms >= req->next_at) {
        req->next_at = now_ms + PROGRESS_MS;
        admin_progress(req, *most > left ? *most - left : 0, *most, "transactions");
    }
}

static void poll_refusing(struct admin_request *req, uint64_t now_ms)
{
    struct controlplane *cp = req->cp;
    unsigned lagging = 0;
    bool wait = json_is_true(json_object_get(req->args, "wait"));

    if (dataplane_runs(cp)) {
        enum feed_progress progress = feed_applied(cp->feed, &req->token, &lagging);
        if (progress == FEED_LOST)
            feed_mark(cp->feed, &req->token);
        if ((progress == FEED_PENDING || progress == FEED_LOST) && now_ms < req->deadline)
            return;
        if (progress == FEED_PENDING || progress == FEED_LOST) {
            admin_fail(req, ADMIN_LATE,
                       "it is kept and reaches the core when it turns again: hgctl core list",
                       "core %u has not applied it within %u s", lagging, ADMIN_APPLY_MS / 1000);
            return;
        }
    }
    uint64_t left = transactions(cp), *most = malloc(sizeof(*most));
    if (cp->draining && wait && left && most) {
        *most = left;
        req->state = most;
        req->next_at = 0;
        req->poll = poll_empty;
        return;
    }
    free(most);
    if (cp->draining)
        admin_ok(req, json_pack("{s:b, s:b, s:I}", "draining", 1, "kept", !dataplane_runs(cp), "transactions",
                                (json_int_t)left));
    else
        admin_ok(req, json_pack("{s:b, s:b}", "draining", 0, "kept", !dataplane_runs(cp)));
}

static void drain(struct admin_request *req, bool on)
{
    struct controlplane *cp = req->cp;
    int64_t retry_after = cp->config->sip_retry_after_s;

    if (!admin_arg_int(req, "retry_after_s", 1, 3600, &retry_after))
        return;
    if (!feed_drain(cp->feed, on, (uint32_t)retry_after)) {
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return;
    }
    cp->draining = on;
    cp->drain_said = true;
    cp->retry_after_s = (uint32_t)retry_after;
    log_printf(&cp->log, HG_LOG_INFO, "drain",
               on ? "new requests are refused" : "new requests are taken again");
    feed_mark(cp->feed, &req->token);
    req->deadline = uv_now(&cp->loop) + ADMIN_APPLY_MS;
    req->poll = poll_refusing;
}

void admin_drain(struct admin_request *req)
{
    bool on = true, wait = false;

    if (admin_arg_bool(req, "on", &on) && admin_arg_bool(req, "wait", &wait))
        drain(req, on);
}

void admin_undrain(struct admin_request *req)
{
    drain(req, false);
}
