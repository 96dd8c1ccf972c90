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
        for (uint32_t k = 0; k < config_count(list, config); k++) {
            w.line = config->source->list_line[i] ? config->source->list_line[i][k] : 0;
            snprintf(path, sizeof(path), "%s[%u]", list->name, k);
            show_element(&w, list, config_element(list, config, k), path);
        }
    }
}

/* Both walks give the same fields in the same order as long as the lists are as long: one compares entry by
 * entry. */
struct diff {
    hg_config_entry_fn *fn;
    void *arg;
};

static void diff_field(const struct diff *d, const struct walk *w, const struct config_field *field,
                       const void *from, const void *to, const char *path)
{
    char value[CONFIG_TEXT_MAX], old[CONFIG_TEXT_MAX];
    if (from && to &&
        memcmp((const char *)from + field->offset, (const char *)to + field->offset, field->size) == 0)
        return;
    if (to)
        config_get_text(field, to, value);
    if (from)
        config_get_text(field, from, old);
    const struct hg_config_entry entry = {
        .path = path,
        .value = to ? value : NULL,
        .def = from ? old : NULL,
        .file = w->line ? w->file : NULL,
        .line = w->line,
        .unit = field->unit ? field->unit : "",
        .doc = field->doc,
        .cluster = w->cluster,
        .reload = w->reload,
    };
    d->fn(d->arg, &entry);
}

static void diff_list(const struct diff *d, struct walk *w, const struct config_list *list, const void *from,
                      const void *to, const char *path, const uint32_t *lines);

static void diff_element(const struct diff *d, struct walk *w, const struct config_list *list,
                         const void *from, const void *to, const char *path)
{
    char at[PATH_SIZE];
    if (list->field[0].name == NULL) {
        diff_field(d, w, list->field, from, to, path);
        return;
    }
    for (uint32_t i = 0; i < list->fields; i++) {
        const struct config_field *field = &list->field[i];
        snprintf(at, sizeof(at), "%.150s.%s", path, field->name);
        if (field->kind == CONFIG_LIST)
            diff_list(d, w, field->list, from, to, at, NULL);
        else
            diff_field(d, w, field, from, to, at);
    }
}

static void diff_list(const struct diff *d, struct walk *w, const struct config_list *list, const void *from,
                      const void *to, const char *path, const uint32_t *lines)
{
    char at[PATH_SIZE];
    uint32_t had = from ? config_count(list, from) : 0, has = to ? config_count(list, to) : 0;
    for (uint32_t k = 0; k < had || k < has; k++) {
        if (!list->inner)
            w->line = lines && k < has ? lines[k] : 0;
        snprintf(at, sizeof(at), "%.150s[%u]", path, k);
        diff_element(d, w, list, k < had ? config_element(list, from, k) : NULL,
                     k < has ? config_element(list, to, k) : NULL, at);
    }
}

void hg_config_diff(const struct hg_config *from, const struct hg_config *to, hg_config_entry_fn *fn,
                    void *arg)
{
    const struct diff d = {fn, arg};
    struct walk w = {.file = to->source->file};
    for (unsigned i = 0; i < config_items_n; i++) {
        w.cluster = config_items[i].cluster;
        w.reload = config_items[i].reload;
        w.line = to->source->item_line[i];
        diff_field(&d, &w, &config_items[i], from, to, config_items[i].name);
    }
    for (unsigned i = 0; i < config_lists_n; i++) {
        w.cluster = config_lists[i].cluster;
        w.reload = config_lists[i].reload;
        diff_list(&d, &w, &config_lists[i], from, to, config_lists[i].name, to->source->list_line[i]);
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
