/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes and subclusters for people (A23, A24). */
#include <string.h>

#include "ctl/show.h"
#include "ctl/table.h"

/* What does not work, each with what to do; of the advice only that there is some. */
static void findings(struct ctl *ctl, json_t *all)
{
    json_t *bad = json_array(), *one;
    size_t i, advice = 0;

    json_array_foreach(all, i, one)
    {
        if (json_is_true(json_object_get(one, "bad")))
            json_array_append(bad, one);
        else
            advice++;
    }
    show_warnings(ctl, bad);
    json_decref(bad);
    if (advice)
        fprintf(ctl->out, "advice: %zu; hgctl troubleshoot has it\n", advice);
}

int show_nodes(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {
        {"NODE", "name", false},
        {"SUBCLUSTER", "subcluster", false},
        {"SLOT", "slot", true},
        {"HEALTH", "health", false},
        {"DRAINED", "draining", false},
        {"INSTALLED", "installed", false},
        {"PUBLISHER", "publisher", false},
        {"USERS", "users", true},
        {"SIGNED IN", "signed_in", true},
        {"CAPACITY", "capacity", true},
        {"CPU %", "cpu", true},
        {"SERVED BY", "served_by", false},
        {"SIP", "sip", false},
        {"ADDRESS", "address", false},
    };

    if (ctl->json)
        return CTL_DONE;
    table_print(ctl->out, table_member(result, "nodes"), columns, sizeof(columns) / sizeof(columns[0]));
    if (json_integer_value(table_member(result, "unassigned_users")))
        table_line(ctl->out, "unassigned users", table_member(result, "unassigned_users"));
    findings(ctl, table_member(result, "findings"));
    return CTL_DONE;
}

static void lines(struct ctl *ctl, json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        if (json_is_object(json_array_get(value, 0)))
            continue; /* a table of its own */
        if (!json_is_null(value) && !(json_is_array(value) && json_array_size(value) == 0))
            table_line(ctl->out, name, value);
    }
}

/* What a command would meet: "not now" when something forbids it. */
static void offers(struct ctl *ctl, json_t *findings)
{
    const char *name;
    json_t *list, *one;
    size_t i;

    json_object_foreach(findings, name, list)
    {
        json_array_foreach(list, i, one)
        {
            char text[400], allow[400];
            table_text(table_member(one, "text"), text, sizeof(text));
            table_text(table_member(one, "allow"), allow, sizeof(allow));
            fprintf(ctl->out, "%s%s: %s (%s)\n", name,
                    json_is_true(table_member(one, "warning")) ? "" : " not now", text, allow);
        }
        if (json_array_size(list) == 0)
            fprintf(ctl->out, "%s: possible\n", name);
    }
}

int show_node(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {
        {"SERVICE", "service", false}, {"MONITORED", "monitored", false}, {"RUNS", "runs", false}};

    if (ctl->json)
        return CTL_DONE;
    if (json_is_true(table_member(result, "dry_run")))
        fprintf(ctl->out, "nothing was changed\n");
    lines(ctl, table_member(result, "node"));
    json_t *services = table_member(result, "node/services");
    if (json_array_size(services))
        table_print(ctl->out, services, columns, sizeof(columns) / sizeof(columns[0]));
    offers(ctl, table_member(result, "findings"));
    table_line(ctl->out, "removed", table_member(result, "removed"));
    return CTL_DONE;
}

int show_subclusters(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {
        {"SUBCLUSTER", "name", false}, {"HA", "ha", false},      {"MODE", "mode", false},
        {"NODES", "nodes", false},     {"USERS", "users", true}, {"SERVICE ADDRESSES", "service", false},
    };

    if (ctl->json)
        return CTL_DONE;
    table_print(ctl->out, table_member(result, "subclusters"), columns, sizeof(columns) / sizeof(columns[0]));
    table_line(ctl->out, "mode of the cluster", table_member(result, "mode"));
    return CTL_DONE;
}

int show_subcluster(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {
        {"NODE", "name", false},           {"SLOT", "slot", true},
        {"HEALTH", "health", false},       {"USERS", "users", true},
        {"SERVED BY", "served_by", false}, {"CAPACITY", "capacity", true},
    };

    if (ctl->json)
        return CTL_DONE;
    if (json_is_true(table_member(result, "dry_run")))
        fprintf(ctl->out, "nothing was changed\n");
    lines(ctl, table_member(result, "subcluster"));
    if (json_array_size(table_member(result, "nodes")))
        table_print(ctl->out, table_member(result, "nodes"), columns, sizeof(columns) / sizeof(columns[0]));
    offers(ctl, table_member(result, "findings"));
    table_line(ctl->out, "removed", table_member(result, "removed"));
    return CTL_DONE;
}
