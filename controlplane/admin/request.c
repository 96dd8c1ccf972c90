/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/request.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane.h"
#include "log/json_text.h"
#include "push/push.h"
#include "store/record.h"
#include "topology/rules.h"

static const char *const code_words[] = {"bad_request", "not_found", "conflict",
                                         "unavailable", "late",      "internal"};

static void end(struct admin_request *req, json_t *line)
{
    struct admin_client *client = req->client;

    *req->prev = req->next;
    if (req->next)
        req->next->prev = req->prev;
    if (req->drop)
        req->drop(req);
    if (client)
        admin_client_line(client, line);
    json_decref(line);
    json_decref(req->args);
    json_decref(req->result);
    free(req->state);
    free(req);
    if (client)
        admin_client_done(client);
}

void admin_ok(struct admin_request *req, json_t *result)
{
    if (!result)
        result = json_object();
    end(req, json_pack("{s:b, s:o}", "ok", 1, "result", result));
}

static void fail(struct admin_request *req, enum admin_code code, const char *hint, const char *error,
                 json_t *errors)
{
    json_t *line = json_pack("{s:b, s:s, s:o}", "ok", 0, "code", code_words[code], "error", json_text(error));

    if (hint)
        json_object_set_new(line, "hint", json_string(hint));
    if (errors)
        json_object_set_new(line, "errors", errors);
    end(req, line);
}

void admin_fail(struct admin_request *req, enum admin_code code, const char *hint, const char *fmt, ...)
{
    char error[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(error, sizeof(error), fmt, ap);
    va_end(ap);
    fail(req, code, hint, error, NULL);
}

void admin_fail_list(struct admin_request *req, enum admin_code code, const char *error, json_t *errors)
{
    fail(req, code, NULL, error, errors);
}

json_t *admin_findings(const struct findings *f)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < f->n; i++) {
        const struct rule *rule = &rules[f->finding[i].rule];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:s, s:b}", "rule", rule->name, "requirements",
                                              rule->requirements, "text", json_text(f->finding[i].text),
                                              "allow", rule->allow, "warning", rule->verdict == RULE_WARN));
    }
    return list;
}

void admin_fail_findings(struct admin_request *req, const struct findings *f, bool force)
{
    const struct finding *first = rules_refusal(f, force);
    const struct rule *rule = &rules[first->rule];
    json_t *line = json_pack("{s:b, s:s, s:o, s:s, s:s, s:o}", "ok", 0, "code", "conflict", "error",
                             json_text(first->text), "hint", rule->allow, "rule", rule->name, "findings",
                             admin_findings(f));

    end(req, line);
}

bool admin_event(struct admin_request *req, json_t *event)
{
    json_t *line = json_pack("{s:o}", "event", event);
    bool sent = req->client && line && admin_client_line(req->client, line);

    json_decref(line);
    return sent;
}

void admin_progress(struct admin_request *req, uint64_t done, uint64_t total, const char *what)
{
    json_t *line = json_pack("{s:{s:I, s:I, s:s}}", "progress", "done", (json_int_t)done, "total",
                             (json_int_t)total, "what", what);

    if (req->client && line)
        admin_client_line(req->client, line);
    json_decref(line);
}

static void poll_applied(struct admin_request *req, uint64_t now_ms)
{
    struct controlplane *cp = req->cp;
    unsigned lagging = 0;

    if (req->routes_version) {
        if (push_routes_version(cp) < req->routes_version) {
            if (now_ms >= req->deadline)
                admin_fail(req, ADMIN_LATE, "hgctl status",
                           record_was_loaded(cp->record)
                               ? "the change is kept, but the routes could not be compiled yet"
                               : "the change is kept, but a serving dataplane gets no routes before the "
                                 "record was read");
            return;
        }
        req->routes_version = 0;
        req->marked = false;
    }
    if (req->rehomes && cp->push_users.walking && feed_segment(cp->feed)) {
        if (now_ms >= req->deadline)
            admin_fail(req, ADMIN_LATE, "hgctl status",
                       "the change is kept, and the users are still being told to the cores");
        return;
    }
    if (!req->marked) {
        feed_mark(cp->feed, &req->token);
        req->marked = true;
    }
    enum feed_progress progress = FEED_APPLIED;
    if (feed_segment(
            cp->feed)) /* a dataplane that starts later gets everything before it opens its listeners */
        progress = feed_applied(cp->feed, &req->token, &lagging);
    switch (progress) {
    case FEED_APPLIED: {
        if (req->finish)
            req->finish(req);
        json_t *result = req->result;
        req->result = NULL;
        if (!feed_segment(cp->feed))
            json_object_set_new(result, "note",
                                json_string("no dataplane is attached; it gets this when it starts"));
        if (admin_wants_cluster(req))
            admin_ok_when_cluster_applied(req, result);
        else
            admin_ok(req, result);
        return;
    }
    case FEED_REFUSED:
        admin_fail(req, ADMIN_INTERNAL, "see the log of the node", "core %u refused the compiled routes",
                   lagging);
        return;
    case FEED_LOST:
        req->marked = false;
        break;
    case FEED_PENDING:
        break;
    }
    if (now_ms >= req->deadline)
        admin_fail(req, ADMIN_LATE,
                   "the change is kept and reaches the core when it turns again: hgctl core list",
                   "core %u has not applied it within %u s", lagging, ADMIN_APPLY_MS / 1000);
}

void admin_ok_when_applied(struct admin_request *req, json_t *result, uint64_t routes_version)
{
    bool wait = true;
    const json_t *value = json_object_get(req->args, "wait");

    if (json_is_boolean(value))
        wait = json_is_true(value);
    if (!wait) {
        admin_ok(req, result);
        return;
    }
    req->result = result;
    req->routes_version = routes_version;
    req->marked = false;
    req->deadline = uv_now(&req->cp->loop) + ADMIN_APPLY_MS;
    req->poll = poll_applied;
}

bool admin_arg_string(struct admin_request *req, const char *name, const char **out)
{
    const json_t *value = json_object_get(req->args, name);

    if (!value || json_is_null(value))
        return true;
    /* an embedded NUL would cut the text behind our back */
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) {
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "%s must be a text", name);
        return false;
    }
    *out = json_string_value(value);
    return true;
}

bool admin_arg_int(struct admin_request *req, const char *name, int64_t min, int64_t max, int64_t *out)
{
    const json_t *value = json_object_get(req->args, name);

    if (!value || json_is_null(value))
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max) {
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "%s must be a number from %" PRId64 " to %" PRId64, name,
                   min, max);
        return false;
    }
    *out = json_integer_value(value);
    return true;
}

bool admin_arg_bool(struct admin_request *req, const char *name, bool *out)
{
    const json_t *value = json_object_get(req->args, name);

    if (!value || json_is_null(value))
        return true;
    if (!json_is_boolean(value)) {
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "%s must be true or false", name);
        return false;
    }
    *out = json_is_true(value);
    return true;
}

static void dispatch(struct admin_request *req, const json_t *line, const json_error_t *error)
{
    const json_t *v = json_object_get(line, "v"), *cmd = json_object_get(line, "cmd"),
                 *args = json_object_get(line, "args");

    if (!json_is_object(line)) {
        admin_fail(req, ADMIN_BAD_REQUEST, "{\"v\":1,\"cmd\":\"status\",\"args\":{}}",
                   "not a JSON object: %s at byte %d", error->text, error->position);
        return;
    }
    if (!json_is_integer(v) || json_integer_value(v) != 1) {
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "this node speaks version 1 of the protocol");
        return;
    }
    if (!json_is_string(cmd) || (args && !json_is_object(args) && !json_is_null(args))) {
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "cmd must be a text and args an object");
        return;
    }
    req->args = json_is_object(args) ? json_deep_copy(args) : json_object();
    for (const struct admin_command *c = admin_commands; c->name; c++) {
        if (strcmp(c->name, json_string_value(cmd)) == 0) {
            c->handle(req);
            return;
        }
    }
    admin_fail(req, ADMIN_BAD_REQUEST, "hgctl help lists the commands", "unknown command \"%.64s\"",
               json_string_value(cmd));
}

void admin_request_start(struct admin *admin, struct admin_client *client, struct controlplane *cp,
                         const char *text, size_t len, struct admin_request **list)
{
    json_error_t error = {0};
    struct admin_request *req = calloc(1, sizeof(*req));

    if (!req) {
        admin_client_done(client);
        return;
    }
    req->admin = admin;
    req->client = client;
    req->cp = cp;
    req->next = *list;
    req->prev = list;
    if (req->next)
        req->next->prev = &req->next;
    *list = req;
    json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    dispatch(req, line, &error);
    json_decref(line);
}
