/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/show.h"
#include "ctl/table.h"
#include "hg/config.h"
#include "hg/route_pattern.h"

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

/* The file may be another machine's, so this refuses nothing. */
static void warn_cores(struct ctl *ctl, const struct hg_config *config)
{
    uint16_t cpu[HG_CORES_MAX];
    char where[400];
    long there = sysconf(_SC_NPROCESSORS_CONF);
    int n = hg_config_cpus(config->dp_cores, cpu);
    hg_config_where(config, "dataplane.cores", where, sizeof(where));
    for (int i = 0; i < n; i++)
        if (cpu[i] >= there) {
            fprintf(ctl->err, "%s: warning: CPU %u is not there: this machine has %ld, from 0 on\n", where,
                    cpu[i], there);
            return;
        }
}

/* What is valid, and yet does not do what its author may hope. */
static void print_warnings(struct ctl *ctl, const struct hg_config *config, const char *file)
{
    static const char *const protocols[] = {"UDP", "TCP", "TLS"};
    char why[300];
    for (uint32_t i = 0; i < config->nroutes; i++) {
        const struct hg_static_route *route = &config->routes[i];
        if (route->in_service && route->proto != HG_UDP)
            fprintf(ctl->err, "%s: warning: route %s stays out of service: no transport %s yet\n", file,
                    route->name, protocols[route->proto]);
        if (hg_route_pattern_check(route->type, route->pattern,
                                   (const char(*)[HG_PATTERN_MAX + 1]) config->templates, config->ntemplates,
                                   why, sizeof(why)) != NULL)
            fprintf(ctl->err, "%s: warning: route %s stays out of service: %s\n", file, route->name, why);
    }
    warn_cores(ctl, config);
    if (config->nlisteners == 0)
        fprintf(ctl->err, "%s: warning: dataplane.listeners is empty: no SIP is taken\n", file);
    if (config->naccess + config->nneighbours == 0)
        fprintf(ctl->err,
                "%s: warning: cluster.access and cluster.neighbours are empty: only next hops may send\n",
                file);
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
    fclose(errors);
    if (ctl->json) {
        json_t *list = json_array();
        char *save = NULL;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
            json_array_append_new(list, json_string(line));
        json_t *result = json_pack("{s:b, s:s, s:o}", "valid", config != NULL, "file", file, "errors", list);
        json_dumpf(result, ctl->out, JSON_COMPACT);
        fputc('\n', ctl->out);
        json_decref(result);
    } else if (config != NULL) {
        fprintf(ctl->out, "%s: valid: %u ports, %u listeners, %u routes\n", file, config->nports,
                config->nlisteners, config->nroutes);
        print_warnings(ctl, config, file);
    } else {
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
