/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/show.h"
#include "ctl/table.h"

int show_user(struct ctl *ctl, json_t *result)
{
    size_t i;
    json_t *one;

    if (ctl->json)
        return CTL_DONE;
    table_line(ctl->out, "user", table_member(result, "user"));
    table_line(ctl->out, "node", table_member(result, "node"));
    table_line(ctl->out, "failed over to", table_member(result, "served_by"));
    table_line(ctl->out, "backup", table_member(result, "backup"));
    table_line(ctl->out, "endpoint", table_member(result, "endpoint"));
    json_array_foreach(table_member(result, "contacts"), i, one) table_line(ctl->out, "contact", one);
    show_warnings(ctl, table_member(result, "warnings"));
    return CTL_DONE;
}

/* Page after page when --all is given; people see one table per page. */
int run_user_list(struct ctl *ctl)
{
    static const struct column columns[] = {{"USER", "user", false},
                                            {"NODE", "node", false},
                                            {"FAILED OVER TO", "served_by", false},
                                            {"CONTACTS", "contacts", false}};
    bool all = json_is_true(json_object_get(ctl->local, "all"));
    int status;
    if (all && json_object_get(ctl->args, "limit") == NULL)
        json_object_set_new(ctl->args, "limit", json_integer(10000));
    for (;;) {
        json_t *result;
        status = ctl_request(ctl, ctl->command->cmd, ctl->args, &result);
        if (status != CTL_DONE)
            break;
        json_t *next = json_object_get(result, "next");
        bool more = json_is_string(next);
        if (ctl->json) {
            json_dumpf(result, ctl->out, JSON_COMPACT);
            fputc('\n', ctl->out);
        } else {
            table_print(ctl->out, json_object_get(result, "users"), columns,
                        sizeof(columns) / sizeof(columns[0]));
            if (more && !all) {
                char text[400];
                table_text(next, text, sizeof(text));
                fprintf(ctl->out, "... of %lld; the next page: --after %s\n",
                        (long long)json_integer_value(json_object_get(result, "total")), text);
            }
        }
        if (more)
            json_object_set(ctl->args, "after", next);
        json_decref(result);
        if (!more || !all)
            break;
    }
    return status;
}

static void loads(struct ctl *ctl, json_t *nodes)
{
    static const struct column columns[] = {{"NODE", "node", false},
                                            {"SUBCLUSTER", "subcluster", false},
                                            {"BEFORE", "before", true},
                                            {"AFTER", "after", true}};

    table_print(ctl->out, nodes, columns, sizeof(columns) / sizeof(columns[0]));
}

static void number(struct ctl *ctl, const char *title, json_t *value)
{
    if (json_integer_value(value))
        table_line(ctl->out, title, value);
}

int show_assigned(struct ctl *ctl, json_t *result)
{
    if (ctl->json)
        return CTL_DONE;
    if (json_is_true(table_member(result, "dry_run")))
        fprintf(ctl->out, "nothing was changed\n");
    loads(ctl, table_member(result, "nodes"));
    table_line(ctl->out, "selected", table_member(result, "selected"));
    table_line(ctl->out, "moves", table_member(result, "moved"));
    number(ctl, "changed by others", table_member(result, "conflicts"));
    number(ctl, "stay, in failover", table_member(result, "in_failover"));
    number(ctl, "not in the record", table_member(result, "unknown"));
    return CTL_DONE;
}

int show_whatif_fail(struct ctl *ctl, json_t *result)
{
    if (ctl->json)
        return CTL_DONE;
    loads(ctl, table_member(result, "nodes"));
    table_line(ctl->out, "taken over by", table_member(result, "backup"));
    table_line(ctl->out, "users moved", table_member(result, "moved"));
    table_line(ctl->out, "without service", table_member(result, "without_service"));
    number(ctl, "last silent user after, s", table_member(result, "silent_users_s"));
    show_warnings(ctl, table_member(result, "warnings"));
    return CTL_DONE;
}

/* The same as a rebalance, without doing it. */
int run_whatif_rebalance(struct ctl *ctl)
{
    json_object_set_new(ctl->args, "dry_run", json_true());
    json_object_set_new(ctl->args, "force", json_true());
    return run_confirmed(ctl);
}
