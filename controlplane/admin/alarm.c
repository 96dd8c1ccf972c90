/* SPDX-License-Identifier: BSD-2-Clause */
/* alarm.list: what stands. event.list: what happened, of all nodes; with "follow" a stream. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/request.h"
#include "controlplane.h"
#include "log/json_text.h"
#include "store/events.h"

#define FOLLOW_MS 300

void admin_alarm_list(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    json_t *list = json_array();
    json_int_t now = (json_int_t)time(NULL);

    for (unsigned i = 0; i < ALARM_COUNT; i++) {
        const struct alarm *a = &cp->alarms.a[i];
        if (a->standing)
            json_array_append_new(list, json_pack("{s:s, s:o, s:I, s:I}", "alarm", alarm_names[i], "text",
                                                  json_text(a->detail), "since", (json_int_t)a->since,
                                                  "for_s", now - (json_int_t)a->since));
    }
    admin_ok(req, json_pack("{s:s, s:o}", "node", cp->config->node_name, "alarms", list));
}

/* ---- events ---- */

/* Outlives the request: the client may go while Redis is asked. */
struct reading {
    struct admin_request *req; /* NULL: gone */
    bool busy, follow;
    char last[64];
};

struct holder { /* freed with the request */
    struct reading *reading;
};

static struct reading *reading_of(struct admin_request *req)
{
    return ((struct holder *)req->state)->reading;
}

/* The request ends with the next line. */
static struct admin_request *let_go(struct reading *r)
{
    struct admin_request *req = r->req;

    r->req = NULL;
    if (!r->busy)
        free(r);
    return req;
}

static void on_events(void *arg, json_t *events, const char *why)
{
    struct reading *r = arg;
    size_t i;
    json_t *one;

    r->busy = false;
    if (!r->req) {
        json_decref(events);
        free(r);
        return;
    }
    if (!events && !r->follow) {
        admin_fail(let_go(r), ADMIN_UNAVAILABLE, "hgctl status shows the state of Redis", "no events: %s",
                   why);
        return;
    }
    if (events && !r->follow) {
        admin_ok(let_go(r), json_pack("{s:o}", "events", events));
        return;
    }
    json_array_foreach(events, i, one)
    {
        const char *id = json_string_value(json_object_get(one, "id"));
        if (!id || strlen(id) >= sizeof(r->last) || !admin_event(r->req, json_incref(one)))
            break; /* it does not read: what is left comes with the next reading */
        strcpy(r->last, id);
    }
    json_decref(events);
}

static void poll_events(struct admin_request *req, uint64_t now_ms)
{
    struct reading *r = reading_of(req);

    if (r->busy || now_ms < req->next_at)
        return;
    req->next_at = now_ms + FOLLOW_MS;
    r->busy = true;
    event_stream_read(req->cp->event_stream, r->last[0] ? r->last : "0-0", 100, on_events, r);
}

static void gone(struct admin_request *req)
{
    struct reading *r = reading_of(req);

    let_go(r);
    admin_ok(req, NULL);
}

/* As Redis gives them: milliseconds, or milliseconds-number. */
static bool is_id(const char *text)
{
    const char *rest = text + strspn(text, "0123456789");

    if (rest == text || strlen(text) >= sizeof(((struct reading *)NULL)->last))
        return false;
    return *rest == '\0' || (rest[0] == '-' && rest[1] && rest[1 + strspn(rest + 1, "0123456789")] == '\0');
}

void admin_event_list(struct admin_request *req)
{
    struct holder *holder = calloc(1, sizeof(*holder));
    int64_t count = 50;
    bool follow = false;
    const char *after = NULL;

    req->state = holder;
    if (!admin_arg_bool(req, "follow", &follow) || !admin_arg_int(req, "count", 1, 1000, &count) ||
        !admin_arg_string(req, "after", &after))
        return;
    struct reading *r = holder ? calloc(1, sizeof(*r)) : NULL;
    if (after && !is_id(after)) {
        free(r);
        admin_fail(req, ADMIN_BAD_REQUEST, "hgctl event --json shows the id of each",
                   "after is not the id of an event");
        return;
    }
    if (!r) {
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return;
    }
    holder->reading = r;
    r->req = req;
    r->follow = follow;
    if (after)
        strcpy(r->last, after);
    req->gone = gone;
    if (follow) { /* from now on, unless told from where */
        if (!after)
            snprintf(r->last, sizeof(r->last), "%lld-0", (long long)time(NULL) * 1000);
        req->poll = poll_events;
        return;
    }
    r->busy = true;
    event_stream_read(req->cp->event_stream, r->last, (unsigned)count, on_events, r);
}
