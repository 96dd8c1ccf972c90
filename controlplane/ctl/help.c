/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "ctl/show.h"

static bool first_word_is(const char *name, const char *word)
{
    size_t n = strcspn(name, " ");
    return strlen(word) == n && memcmp(name, word, n) == 0;
}

/* The command that argv begins with; *used words of it. */
const struct ctl_command *ctl_find(int argc, char **argv, int *used)
{
    for (unsigned i = 0; i < ctl_commands_n; i++) {
        const char *name = ctl_commands[i].name, *second = strchr(name, ' ');
        if (argc < 1 || !first_word_is(name, argv[0]))
            continue;
        if (second == NULL || (argc > 1 && strcmp(second + 1, argv[1]) == 0)) {
            *used = second ? 2 : 1;
            return &ctl_commands[i];
        }
    }
    return NULL;
}

bool ctl_help_group(const char *word, FILE *out)
{
    bool found = false;
    for (unsigned i = 0; i < ctl_commands_n; i++) {
        const char *name = ctl_commands[i].name, *second = strchr(name, ' ');
        if (second == NULL || !first_word_is(name, word))
            continue;
        fprintf(out, "%s%s", found ? ", " : "which command? ", name);
        found = true;
    }
    if (found)
        fprintf(out, "; `hgctl %s COMMAND --help` says more\n", word);
    return found;
}

void ctl_usage(const struct ctl_command *command, FILE *out)
{
    bool options = false;
    fprintf(out, "usage: hgctl %s", command->name);
    for (const struct ctl_param *p = command->params; p && p->name; p++) {
        if (p->name[0] == '-')
            options = true;
        else
            fprintf(out, p->required ? " %s" : " [%s]", p->name);
    }
    fprintf(out, "%s\n", options ? " [OPTION...]" : "");
}

static void print_param(FILE *out, const struct ctl_param *p)
{
    char left[64];
    snprintf(left, sizeof(left), "%s%s%s", p->name, p->value ? " " : "", p->value ? p->value : "");
    if (strlen(left) > 26)
        fprintf(out, "  %s\n  %-26s  %s\n", left, "", p->doc);
    else
        fprintf(out, "  %-26s  %s\n", left, p->doc);
}

void ctl_help_command(const struct ctl_command *command, FILE *out)
{
    ctl_usage(command, out);
    fprintf(out, "%s.\n", command->summary);
    if (command->text != NULL)
        fprintf(out, "%s\n", command->text);
    if (command->params != NULL)
        fputc('\n', out);
    for (const struct ctl_param *p = command->params; p && p->name; p++)
        print_param(out, p);
}

void ctl_help(FILE *out)
{
    fprintf(out, "usage: hgctl [OPTION...] COMMAND [ARGUMENT...]\nRuns a Heliograph node through its control "
                 "plane.\n\nCommands:\n");
    for (unsigned i = 0; i < ctl_commands_n; i++)
        fprintf(out, "  %-17s  %s\n", ctl_commands[i].name, ctl_commands[i].summary);
    fprintf(out, "\nOptions:\n");
    for (const struct ctl_param *p = ctl_global_params; p->name; p++)
        print_param(out, p);
    fprintf(out, "\nExit status:\n");
#define CTL_EXIT(name, status, text) fprintf(out, "  %d  %s\n", status, text);
    CTL_EXITS(CTL_EXIT)
#undef CTL_EXIT
    fprintf(out, "`hgctl help COMMAND` says more.\n");
}

int run_help(struct ctl *ctl)
{
    const char *word = json_string_value(json_object_get(ctl->local, "command"));
    const char *second = json_string_value(json_object_get(ctl->local, "subcommand"));
    unsigned found = 0;
    if (word == NULL) {
        ctl_help(ctl->out);
        return CTL_DONE;
    }
    for (unsigned i = 0; i < ctl_commands_n; i++) {
        const char *space = strchr(ctl_commands[i].name, ' ');
        if (!first_word_is(ctl_commands[i].name, word) ||
            (second && (!space || strcmp(space + 1, second) != 0)))
            continue;
        if (found++ > 0)
            fputc('\n', ctl->out);
        ctl_help_command(&ctl_commands[i], ctl->out);
    }
    if (found > 0)
        return CTL_DONE;
    fprintf(ctl->err, "hgctl: no command %s%s%s; `hgctl --help` lists them\n", word, second ? " " : "",
            second ? second : "");
    return CTL_USAGE;
}
