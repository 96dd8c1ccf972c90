/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "ctl/show.h"
#include "ctl/table.h"
#include "hg/config.h"

int show_config(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {
        {"ITEM", "path", false},       {"VALUE", "value", false}, {"UNIT", "unit", false},
        {"DEFAULT", "default", false}, {"SCOPE", "scope", false}, {"RELOAD", "reload", false},
        {"SOURCE", "source", false},
    };
    if (!ctl->json)
        table_print(ctl->out, table_member(result, "items"), columns, sizeof(columns) / sizeof(columns[0]));
    return CTL_DONE;
}

int show_config_diff(struct ctl *ctl, json_t *result)
{
    static const struct column columns[] = {{"ITEM", "path", false},
                                            {"RUNNING", "running", false},
                                            {"FILE", "file", false},
                                            {"RELOAD APPLIES IT", "reload", false}};
    if (ctl->json)
        return CTL_DONE;
    if (json_array_size(table_member(result, "items")) == 0)
        fprintf(ctl->out, "the file is what runs\n");
    else
        table_print(ctl->out, table_member(result, "items"), columns, sizeof(columns) / sizeof(columns[0]));
    return CTL_DONE;
}

static void print_paths(FILE *out, const char *what, json_t *paths)
{
    size_t i;
    json_t *path;
    json_array_foreach(paths, i, path)
    {
        char text[300];
        table_text(path, text, sizeof(text));
        fprintf(out, "%s %s\n", what, text);
    }
}

int show_reload(struct ctl *ctl, json_t *result)
{
    json_t *applied = table_member(result, "applied"), *restart = table_member(result, "restart");
    if (ctl->json)
        return CTL_DONE;
    print_paths(ctl->out, "applied", applied);
    print_paths(ctl->out, "takes a restart:", restart);
    if (json_array_size(applied) + json_array_size(restart) == 0)
        fprintf(ctl->out, "nothing has changed\n");
    return CTL_DONE;
}

static json_t *lines(char *text)
{
    json_t *list = json_array();
    char *save = NULL;

    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        json_array_append_new(list, json_string(line));
    return list;
}

int run_config_check(struct ctl *ctl)
{
    const char *file = json_string_value(json_object_get(ctl->local, "file"));
    if (file == NULL)
        file = CTL_CONFIG;
    char *text = NULL;
    size_t size = 0;
    FILE *errors = open_memstream(&text, &size);
    if (errors == NULL)
        return CTL_REFUSED;
    struct hg_config *config = hg_config_load(file, errors);
    if (config != NULL)
        hg_config_warn(config, errors);
    fclose(errors);
    if (ctl->json) {
        json_t *result =
            json_pack("{s:b, s:s, s:o, s:o}", "valid", config != NULL, "file", file, "errors",
                      config ? json_array() : lines(text), "warnings", config ? lines(text) : json_array());
        json_dumpf(result, ctl->out, JSON_COMPACT);
        fputc('\n', ctl->out);
        json_decref(result);
    } else {
        if (config != NULL)
            fprintf(ctl->out, "%s: valid: %u port%s, %u listener%s, %u route%s\n", file, config->nports,
                    table_plural(config->nports), config->nlisteners, table_plural(config->nlisteners),
                    config->nroutes, table_plural(config->nroutes));
        fputs(text, ctl->err);
    }
    free(text);
    bool valid = config != NULL;
    hg_config_free(config);
    return valid ? CTL_DONE : CTL_REFUSED;
}

int show_set(struct ctl *ctl, json_t *result)
{
    if (ctl->json)
        return CTL_DONE;
    table_line(ctl->out, "path", table_member(result, "path"));
    table_line(ctl->out, "value", table_member(result, "value"));
    show_warnings(ctl, table_member(result, "warnings"));
    return CTL_DONE;
}

int show_saved(struct ctl *ctl, json_t *result)
{
    if (ctl->json)
        return CTL_DONE;
    table_line(ctl->out, "file", table_member(result, "file"));
    table_line(ctl->out, "before", table_member(result, "before"));
    return CTL_DONE;
}
