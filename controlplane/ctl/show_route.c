/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "ctl/show.h"
#include "ctl/table.h"

static void print_routes(struct ctl *ctl, json_t *routes)
{
    static const struct column columns[] = {
        {"NAME", "name", false},         {"PATTERN", "pattern", false},  {"TYPE", "type", false},
        {"NEXT HOP", "next_hop", false}, {"PORT", "port", true},         {"PROTO", "protocol", false},
        {"PRIO", "priority", true},      {"WEIGHT", "weight", true},     {"SOURCE", "source", false},
        {"STATE", "state", false},       {"REQUESTS", "requests", true}, {"ANSWERED", "answered", true},
        {"FAILED", "failed", true},      {"WHY", "reason", false},
    };
    if (ctl->json) {
        json_t *result = json_pack("{s:O}", "routes", routes);
        json_dumpf(result, ctl->out, JSON_COMPACT);
        fputc('\n', ctl->out);
        json_decref(result);
    } else {
        table_print(ctl->out, routes, columns, sizeof(columns) / sizeof(columns[0]));
    }
}

/* The server answers page by page; people and programs get one list. */
int run_route_list(struct ctl *ctl)
{
    json_t *routes = json_array();
    bool more = false;
    int status;
    do {
        json_t *result;
        status = ctl_request(ctl, ctl->command->cmd, ctl->args, &result);
        json_t *next = json_object_get(result, "next");
        json_array_extend(routes, json_object_get(result, "routes"));
        more = status == CTL_DONE && json_is_string(next);
        if (more)
            json_object_set(ctl->args, "after", next);
        json_decref(result);
    } while (more);
    if (status == CTL_DONE)
        print_routes(ctl, routes);
    json_decref(routes);
    return status;
}

/* It was stored as it was wanted; that nothing goes there yet may be a surprise. */
static void warn_out_of_service(struct ctl *ctl, json_t *route)
{
    const char *state = json_string_value(table_member(route, "state"));
    char name[300], reason[400];

    if (!state || strcmp(state, "out_of_service") != 0 || !json_is_true(table_member(route, "in_service")))
        return;
    table_text(table_member(route, "name"), name, sizeof(name));
    table_text(table_member(route, "reason"), reason, sizeof(reason));
    fprintf(ctl->err, "warning: no request takes route %s: %s\n", name, reason);
}

int show_route(struct ctl *ctl, json_t *result)
{
    const char *name;
    json_t *value;
    if (ctl->json)
        return CTL_DONE;
    json_object_foreach(table_member(result, "route"), name, value)
    {
        char title[40];
        snprintf(title, sizeof(title), "%s", name);
        table_clean(title);
        if (!(json_is_string(value) && json_string_length(value) == 0))
            table_line(ctl->out, title, value);
    }
    warn_out_of_service(ctl, table_member(result, "route"));
    return CTL_DONE;
}

int show_removed(struct ctl *ctl, json_t *result)
{
    char text[300];
    if (ctl->json)
        return CTL_DONE;
    table_text(table_member(result, "removed"), text, sizeof(text));
    fprintf(ctl->out, "removed %s\n", text);
    return CTL_DONE;
}

int show_explain(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {
        {"ROUTE", "name", false}, {"PATTERN", "pattern", false}, {"WINS", "wins", false},
        {"SET", "set", true},     {"SHARE", "share", true},      {"BECAUSE", "text", false},
    };
    char text[400];
    if (ctl->json)
        return CTL_DONE;
    table_text(table_member(result, "text"), text, sizeof(text));
    fprintf(ctl->out, "%s\n", text);
    if (json_is_string(table_member(result, "user_node"))) {
        table_text(table_member(result, "user_node"), text, sizeof(text));
        fprintf(ctl->out, "the user is served by %s\n", text);
    }
    if (json_array_size(table_member(result, "routes")) > 0) {
        fputc('\n', ctl->out);
        table_print(ctl->out, table_member(result, "routes"), columns, sizeof(columns) / sizeof(columns[0]));
    }
    return CTL_DONE;
}
