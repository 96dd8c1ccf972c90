/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/show.h"
#include "ctl/table.h"

int show_user(struct ctl *ctl, json_t *result)
{
    if (ctl->json)
        return CTL_DONE;
    table_line(ctl->out, "user", table_member(result, "user"));
    table_line(ctl->out, "node", table_member(result, "node"));
    table_line(ctl->out, "endpoint", table_member(result, "endpoint"));
    return CTL_DONE;
}

/* Page after page when --all is given; people see one table per page. */
int run_user_list(struct ctl *ctl)
{
    static const struct column columns[] = {{"USER", "user", false}, {"NODE", "node", false}};
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
            table_print(ctl->out, json_object_get(result, "users"), columns, 2);
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
