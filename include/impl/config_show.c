/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration as entries, for people; and changes of single items. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hg/config.h"
#include "impl/config_table.h"

#define PATH_SIZE 200

struct walk {
    hg_config_entry_fn *fn;
    void *arg;
    const char *file;
    uint32_t line;
    bool cluster, reload;
};

static void show_field(const struct walk *w, const struct config_field *field, const void *base,
                       const char *path)
{
    char value[CONFIG_TEXT_MAX], def[CONFIG_TEXT_MAX];
    config_get_text(field, base, value);
    config_default_text(field, def);
    const struct hg_config_entry entry = {
        .path = path,
        .value = value,
        .def = def,
        .file = w->line ? w->file : NULL,
        .line = w->line,
        .unit = field->unit ? field->unit : "",
        .doc = field->doc,
        .cluster = w->cluster,
        .reload = w->reload,
    };
    w->fn(w->arg, &entry);
}

static void show_element(const struct walk *w, const struct config_list *list, const void *element,
                         const char *path)
{
    char at[PATH_SIZE];
    if (list->field[0].name == NULL) {
        show_field(w, list->field, element, path);
        return;
    }
    for (uint32_t i = 0; i < list->fields; i++) {
        const struct config_field *field = &list->field[i];
        if (field->kind != CONFIG_LIST) {
            snprintf(at, sizeof(at), "%.150s.%s", path, field->name);
            show_field(w, field, element, at);
            continue;
        }
        for (uint32_t k = 0; k < config_count(field->list, element); k++) {
            snprintf(at, sizeof(at), "%.150s.%s[%u]", path, field->name, k);
            show_element(w, field->list, config_element(field->list, element, k), at);
        }
    }
}

static void show_rest(const struct walk *w, const struct config_list *list, uint32_t n)
{
    char path[PATH_SIZE], value[80];
    snprintf(path, sizeof(path), "%.150s[...]", list->name);
    snprintf(value, sizeof(value), "%u further elements", n);
    const struct hg_config_entry entry = {.path = path,
                                          .value = value,
                                          .def = "",
                                          .unit = "",
                                          .doc = list->doc,
                                          .cluster = w->cluster,
                                          .reload = w->reload};
    w->fn(w->arg, &entry);
}

void hg_config_show(const struct hg_config *config, hg_config_entry_fn *fn, void *arg)
{
    struct walk w = {.fn = fn, .arg = arg, .file = config->source->file};
    char path[PATH_SIZE];
    for (unsigned i = 0; i < config_items_n; i++) {
        w.cluster = config_items[i].cluster;
        w.reload = config_items[i].reload;
        w.line = config->source->item_line[i];
        show_field(&w, &config_items[i], config, config_items[i].name);
    }
    for (unsigned i = 0; i < config_lists_n; i++) {
        const struct config_list *list = &config_lists[i];
        w.cluster = list->cluster;
        w.reload = list->reload;
        uint32_t n = config_count(list, config), most = n < CONFIG_SHOWN_MAX ? n : CONFIG_SHOWN_MAX;
        for (uint32_t k = 0; k < most; k++) {
            w.line = config->source->list_line[i] ? config->source->list_line[i][k] : 0;
            snprintf(path, sizeof(path), "%s[%u]", list->name, k);
            show_element(&w, list, config_element(list, config, k), path);
        }
        if (most < n)
            show_rest(&w, list, n - most);
    }
}

const char *hg_config_set(struct hg_config *config, const char *path, const char *value)
{
    for (unsigned i = 0; i < config_items_n; i++) {
        const struct config_field *field = &config_items[i];
        if (strcmp(field->name, path) != 0)
            continue;
        if (!field->reload)
            return "an item that a reload applies; this one takes a restart";
        if (config_put_any(field, config, value))
            return NULL;
        struct config_text_rule rule = config_rule(field);
        return rule.form == FORM_ANY ? field->expected : config_form_text(rule.form);
    }
    return "an item of heliograph.cfg(5)";
}

void hg_config_where(const struct hg_config *config, const char *path, char *out, size_t size)
{
    const struct hg_config_source *source = config->source;
    for (unsigned i = 0; source && source->file && i < config_items_n; i++)
        if (strcmp(config_items[i].name, path) == 0 && source->item_line[i]) {
            snprintf(out, size, "%s:%u: %s", source->file, source->item_line[i], path);
            return;
        }
    snprintf(out, size, "%s", path);
}
