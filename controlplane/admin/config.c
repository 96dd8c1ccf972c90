/* SPDX-License-Identifier: BSD-2-Clause */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/request.h"
#include "controlplane.h"
#include "log/json_text.h"
#include "push/push.h"
#include "settings/reload.h"
#include "settings/settings.h"

struct show {
    struct controlplane *cp;
    json_t *list;
    const char *match;
    bool changed;
};

static json_t *text(const char *s)
{
    return s ? json_text(s) : json_null();
}

static void show_entry(void *arg, const struct hg_config_entry *e)
{
    struct show *show = arg;
    char source[600];

    if (show->match && fnmatch(show->match, e->path, 0) != 0)
        return;
    if (show->changed && e->def && e->value && strcmp(e->def, e->value) == 0)
        return;
    if (settings_of_record(show->cp, e->path))
        snprintf(source, sizeof(source), "record");
    else if (e->file)
        snprintf(source, sizeof(source), "%s:%u", e->file, e->line);
    else
        snprintf(source, sizeof(source), "default");
    json_array_append_new(show->list,
                          json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:b, s:s}", "path", e->path, "value",
                                    text(e->value), "default", text(e->def), "source", source, "unit",
                                    e->unit ? e->unit : "", "scope", e->cluster ? "cluster" : "node",
                                    "reload", e->reload, "text", e->doc ? e->doc : ""));
}

void admin_config_show(struct admin_request *req)
{
    struct show show = {.cp = req->cp};

    if (!admin_arg_string(req, "match", &show.match) || !admin_arg_bool(req, "changed", &show.changed))
        return;
    show.list = json_array();
    hg_config_show(req->cp->config, show_entry, &show);
    admin_ok(req, json_pack("{s:o}", "items", show.list));
}

static json_t *lines(char *all)
{
    json_t *list = json_array();
    char *save = NULL;

    for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        json_array_append_new(list, json_text(line));
    return list;
}

static void refuse(struct admin_request *req, char *all)
{
    json_t *errors = lines(all);
    char error[128];
    size_t n = json_array_size(errors);

    snprintf(error, sizeof(error), "%zu error%s, the running configuration stays", n, n == 1 ? "" : "s");
    free(all);
    admin_fail_list(req, ADMIN_BAD_REQUEST, error, errors);
}

static void diff_entry(void *arg, const struct hg_config_entry *e)
{
    json_array_append_new(arg, json_pack("{s:s, s:o, s:o, s:b}", "path", e->path, "running", text(e->def),
                                         "file", text(e->value), "reload", e->reload));
}

void admin_config_diff(struct admin_request *req)
{
    char *all = NULL;
    size_t len = 0;
    FILE *errors = open_memstream(&all, &len);
    struct hg_config *config = errors ? hg_config_load(req->cp->config_file, errors) : NULL;

    if (errors)
        fclose(errors);
    if (!config) {
        refuse(req, all);
        return;
    }
    free(all);
    json_t *items = json_array();
    hg_config_diff(req->cp->config, config, diff_entry, items);
    hg_config_free(config);
    admin_ok(req, json_pack("{s:s, s:o}", "file", req->cp->config_file, "items", items));
}

struct changes {
    json_t *applied, *restart;
};

static void reload_entry(void *arg, const struct hg_config_entry *e)
{
    struct changes *c = arg;

    json_array_append_new(e->reload ? c->applied : c->restart, json_string(e->path));
}

void admin_config_reload(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    struct changes c = {json_array(), json_array()};
    char *all = NULL;
    size_t len = 0;
    FILE *errors = open_memstream(&all, &len);
    bool good = errors && reload(cp, errors, reload_entry, &c);

    if (errors)
        fclose(errors);
    if (!good) {
        json_decref(c.applied);
        json_decref(c.restart);
        refuse(req, all);
        return;
    }
    free(all);
    admin_ok_when_applied(req, json_pack("{s:o, s:o}", "applied", c.applied, "restart", c.restart),
                          push_routes_wanted(cp));
}
