/* SPDX-License-Identifier: BSD-2-Clause */
#include <fnmatch.h>
#include <time.h>

#include "admin/request.h"
#include "controlplane.h"
#include "counters/view.h"

static const char *const kind_words[] = {"drop", "counter", "gauge"};

static json_t *snapshot(struct admin_request *req)
{
    const struct hg_segment *s = feed_segment(req->cp->feed);
    const char *match = json_string_value(json_object_get(req->args, "match"));
    bool per_core = json_is_true(json_object_get(req->args, "per_core"));
    bool zero = json_is_true(json_object_get(req->args, "zero"));
    json_t *list = json_array();
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    for (unsigned id = 0; s && id < HG_COUNTERS_MAX; id++) {
        const struct hg_counter_info *info = &hg_counter_info[id];
        uint64_t value = view_total(s, id);
        if ((!value && !zero) || (match && fnmatch(match, info->name, 0) != 0))
            continue;
        json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:I}", "name", info->name, "layer", info->layer, "kind",
                                kind_words[info->kind], "text", info->text, "value", (json_int_t)value);
        if (per_core) {
            json_t *cores = json_array();
            for (unsigned c = 0; c < s->cores; c++)
                json_array_append_new(cores, json_integer((json_int_t)view_counter(s, c, id)));
            json_object_set_new(one, "cores", cores);
        }
        json_array_append_new(list, one);
    }
    for (unsigned id = 0; id < OWN_COUNTERS; id++) {
        const struct own_info *info = &own_info[id];
        uint64_t value = req->cp->own.v[id];
        if ((value || zero) && (!match || fnmatch(match, info->name, 0) == 0))
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:I}", "name", info->name, "layer",
                                                  info->room, "kind", kind_words[info->gauge ? 2 : 1], "text",
                                                  info->text, "value", (json_int_t)value));
    }
    return json_pack("{s:I, s:o}", "time_ms", (json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
                     "counters", list);
}

static void poll_watch(struct admin_request *req, uint64_t now_ms)
{
    int64_t interval = 1000;
    const json_t *given = json_object_get(req->args, "interval_ms");

    if (now_ms < req->next_at)
        return;
    if (json_is_integer(given))
        interval = json_integer_value(given);
    req->next_at = now_ms + (uint64_t)interval;
    admin_event(req, snapshot(req)); /* what a slow reader cannot take is left out */
}

static void gone(struct admin_request *req)
{
    admin_ok(req, NULL);
}

void admin_counters(struct admin_request *req)
{
    bool per_core = false, zero = false, watch = false;
    int64_t interval = 1000;
    const char *match = NULL;

    if (!admin_arg_string(req, "match", &match) || !admin_arg_bool(req, "per_core", &per_core) ||
        !admin_arg_bool(req, "zero", &zero) || !admin_arg_bool(req, "watch", &watch) ||
        !admin_arg_int(req, "interval_ms", 100, 3600000, &interval))
        return;
    if (!feed_segment(req->cp->feed)) {
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl status", "no dataplane is attached, there are no counters");
        return;
    }
    if (!watch) {
        admin_ok(req, snapshot(req));
        return;
    }
    req->gone = gone;
    req->poll = poll_watch;
}
