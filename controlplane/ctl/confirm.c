/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that have something to say first: a dry run shows the warnings, and who sits at a terminal is
 * asked (G12). */
#include <string.h>
#include <unistd.h>

#include "ctl/show.h"
#include "ctl/table.h"

bool show_terminal(const struct ctl *ctl)
{
    return !ctl->quiet && !ctl->json && isatty(fileno(ctl->err));
}

void show_warnings(struct ctl *ctl, json_t *findings)
{
    size_t i;
    json_t *one;

    if (ctl->json)
        return;
    json_array_foreach(findings, i, one)
    {
        char text[400], allow[400], rule[64];
        table_text(table_member(one, "text"), text, sizeof(text));
        table_text(table_member(one, "allow"), allow, sizeof(allow));
        table_text(table_member(one, "rule"), rule, sizeof(rule));
        fprintf(ctl->err, "warning: %s (%s)\n  hint: %s\n", text, rule, allow);
    }
}

bool show_agreed(struct ctl *ctl)
{
    char line[16];

    fprintf(ctl->err, "Go on? [y/N] ");
    fflush(ctl->err);
    return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

int run_decided(struct ctl *ctl)
{
    bool dry = json_is_true(json_object_get(ctl->args, "dry_run"));
    bool can_ask = !ctl->json && isatty(STDIN_FILENO);

    if (dry || can_ask || json_is_true(json_object_get(ctl->local, "yes")))
        return run_confirmed(ctl);
    fprintf(ctl->err,
            "hgctl: %s is not done unasked: say --yes where nobody can be asked (--dry-run shows what "
            "would happen)\n",
            ctl->command->name);
    return CTL_REFUSED;
}

int run_confirmed(struct ctl *ctl)
{
    json_t *result;
    bool dry = json_is_true(json_object_get(ctl->args, "dry_run"));
    bool ask =
        !dry && !ctl->json && !json_is_true(json_object_get(ctl->local, "yes")) && isatty(STDIN_FILENO);

    if (ask) {
        json_t *args = json_deep_copy(ctl->args);
        json_object_set_new(args, "dry_run", json_true());
        int status = ctl_request(ctl, ctl->command->cmd, args, &result);
        json_decref(args);
        if (status != CTL_DONE)
            return status;
        json_t *warnings = table_member(result, "warnings");
        show_warnings(ctl, warnings);
        bool go = json_array_size(warnings) == 0 || show_agreed(ctl);
        json_decref(result);
        if (!go)
            return CTL_REFUSED;
    }
    int status = ctl_request(ctl, ctl->command->cmd, ctl->args, &result);
    if (status != CTL_DONE)
        return status;
    if (ctl->json) {
        json_dumpf(result ? result : json_null(), ctl->out, JSON_COMPACT | JSON_ENCODE_ANY);
        fputc('\n', ctl->out);
    } else if (!ask) {
        show_warnings(ctl, table_member(result, "warnings"));
    }
    if (ctl->command->show)
        status = ctl->command->show(ctl, result);
    json_decref(result);
    return status;
}
