/* SPDX-License-Identifier: BSD-2-Clause */
/* heliograph.cfg to struct hg_config: libconfig parses, the tables say what the tree may hold. */
#include "hg/config.h"

#include <libconfig.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "impl/config_load.h"
#include "impl/config_table.h"

#define PATH_MAX_ 600

struct load {
    struct hg_config *config;
    struct config_errors errors;
};

/* what the setting holds, for a message */
static void describe(const config_setting_t *s, char *out, size_t size)
{
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        if (config_setting_get_int64(s) == INT64_MAX)
            snprintf(out, size, "an integer beyond 64 bits");
        else
            snprintf(out, size, "%lld", (long long)config_setting_get_int64(s));
        break;
    case CONFIG_TYPE_FLOAT:
        snprintf(out, size, "%g", config_setting_get_float(s));
        break;
    case CONFIG_TYPE_BOOL:
        snprintf(out, size, "%s", config_setting_get_bool(s) ? "true" : "false");
        break;
    case CONFIG_TYPE_STRING:
        config_quote(config_setting_get_string(s), out, size);
        break;
    case CONFIG_TYPE_GROUP:
        snprintf(out, size, "a group {}");
        break;
    case CONFIG_TYPE_ARRAY:
        snprintf(out, size, "an array []");
        break;
    default:
        snprintf(out, size, "a list ()");
    }
}

/* What the field takes, with its unit and the form of its text. */
static void expectation(const struct config_field *field, char *out, size_t size)
{
    struct config_text_rule rule = config_rule(field);
    if (field->kind == CONFIG_TEXT)
        snprintf(out, size, "a string of at most %lld bytes: %s%s", (long long)field->max,
                 config_form_text(rule.form), rule.empty ? ", or empty" : "");
    else
        snprintf(out, size, "%s%s%s", field->expected, field->unit && *field->unit ? " " : "",
                 field->unit ? field->unit : "");
}

static bool put_scalar(const struct config_field *field, void *base, const config_setting_t *s)
{
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return config_put_int(field, base, config_setting_get_int64(s));
    case CONFIG_TYPE_BOOL:
        return config_put_bool(field, base, config_setting_get_bool(s));
    case CONFIG_TYPE_STRING:
        return config_put_text(field, base, config_setting_get_string(s));
    default:
        return false;
    }
}

static void load_scalar(struct load *l, const struct config_field *field, void *base,
                        const config_setting_t *s, const char *path)
{
    char what[160], expected[400];
    if (put_scalar(field, base, s))
        return;
    if (config_rule(field).secret)
        snprintf(what, sizeof(what), "not a value that it takes");
    else
        describe(s, what, sizeof(what));
    expectation(field, expected, sizeof(expected));
    config_error(&l->errors, config_setting_source_line(s), path, what, expected);
}

static void load_list(struct load *l, const struct config_list *list, void *base, const config_setting_t *s,
                      const char *path, uint32_t *lines);

static const struct config_field *member_named(const struct config_list *list, const char *name)
{
    for (uint32_t i = 0; i < list->fields; i++)
        if (strcmp(list->field[i].name, name) == 0)
            return &list->field[i];
    return NULL;
}

static void unknown_member(struct load *l, const struct config_list *list, const config_setting_t *s,
                           const char *path)
{
    char hint[300];
    const char *nearest = NULL;
    unsigned best = UINT32_MAX;
    for (uint32_t i = 0; i < list->fields; i++)
        config_nearest(config_setting_name(s), list->field[i].name, &nearest, &best);
    snprintf(hint, sizeof(hint), "one of the members of %s%s%s%s", list->name,
             nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
    config_error(&l->errors, config_setting_source_line(s), path, "unknown", hint);
}

static void load_element(struct load *l, const struct config_list *list, void *element,
                         const config_setting_t *s, const char *path)
{
    char at[PATH_MAX_];
    if (list->field[0].name == NULL) {
        load_scalar(l, list->field, element, s, path);
        return;
    }
    if (list->brief != NULL && config_setting_is_scalar(s)) {
        load_scalar(l, list->brief, element, s, path);
        return;
    }
    if (!config_setting_is_group(s)) {
        char what[160];
        describe(s, what, sizeof(what));
        config_error(&l->errors, config_setting_source_line(s), path, what, "a group { ... }");
        return;
    }
    for (int i = 0; i < config_setting_length(s); i++) {
        const config_setting_t *child = config_setting_get_elem(s, (unsigned)i);
        const struct config_field *field = member_named(list, config_setting_name(child));
        snprintf(at, sizeof(at), "%.300s.%.200s", path, config_setting_name(child));
        if (field == NULL)
            unknown_member(l, list, child, at);
        else if (field->kind == CONFIG_LIST)
            load_list(l, field->list, element, child, at, NULL);
        else
            load_scalar(l, field, element, child, at);
    }
    for (uint32_t i = 0; i < list->fields; i++) {
        const struct config_field *field = &list->field[i];
        bool needed = field->required || (field->kind == CONFIG_LIST && field->list->min > 0);
        if (!needed || config_setting_get_member(s, field->name) != NULL)
            continue;
        snprintf(at, sizeof(at), "%.300s.%.200s", path, field->name);
        char expected[400];
        expectation(field, expected, sizeof(expected));
        config_error(&l->errors, config_setting_source_line(s), at, "missing", expected);
    }
}

static void load_list(struct load *l, const struct config_list *list, void *base, const config_setting_t *s,
                      const char *path, uint32_t *lines)
{
    char what[160], at[PATH_MAX_];
    if (!config_setting_is_list(s) && !config_setting_is_array(s)) {
        describe(s, what, sizeof(what));
        config_error(&l->errors, config_setting_source_line(s), path, what,
                     list->field[0].name ? "a list ( { ... }, { ... } )" : "an array [ \"...\", \"...\" ]");
        return;
    }
    uint32_t n = (uint32_t)config_setting_length(s);
    if (n < list->min || n > list->max) {
        char expected[80];
        snprintf(what, sizeof(what), "%u elements", n);
        snprintf(expected, sizeof(expected), "%u to %u of them", list->min, list->max);
        config_error(&l->errors, config_setting_source_line(s), path, what, expected);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const config_setting_t *child = config_setting_get_elem(s, i);
        void *element = config_element(list, base, i);
        if (list->field[0].name != NULL)
            config_field_defaults(list->field, list->fields, element);
        if (lines != NULL)
            lines[i] = config_setting_source_line(child);
        snprintf(at, sizeof(at), "%.300s[%u]", path, i);
        load_element(l, list, element, child, at);
    }
    config_set_count(list, base, n);
}

static void load_top_list(struct load *l, unsigned which, const config_setting_t *s)
{
    const struct config_list *list = &config_lists[which];
    uint32_t n = config_setting_is_aggregate(s) ? (uint32_t)config_setting_length(s) : 0;
    if (n > 0 && n <= list->max) {
        void *elements = calloc(n, list->element);
        uint32_t *lines = calloc(n, sizeof(*lines));
        l->config->source->list_line[which] = lines;
        memcpy((char *)l->config + list->offset, &elements, sizeof(elements));
        if (elements == NULL || lines == NULL) {
            config_error(&l->errors, config_setting_source_line(s), list->name, "out of memory",
                         "fewer elements");
            return;
        }
        load_list(l, list, l->config, s, list->name, lines);
    } else {
        load_list(l, list, l->config, s, list->name, NULL);
    }
}

static bool is_prefix(const char *path)
{
    size_t n = strlen(path);
    for (unsigned i = 0; i < config_items_n; i++)
        if (strncmp(config_items[i].name, path, n) == 0 && config_items[i].name[n] == '.')
            return true;
    for (unsigned i = 0; i < config_lists_n; i++)
        if (strncmp(config_lists[i].name, path, n) == 0 && config_lists[i].name[n] == '.')
            return true;
    return false;
}

static void unknown_item(struct load *l, const config_setting_t *s, const char *path)
{
    char hint[300];
    const char *nearest = NULL;
    unsigned best = UINT32_MAX;
    for (unsigned i = 0; i < config_items_n; i++)
        config_nearest(path, config_items[i].name, &nearest, &best);
    for (unsigned i = 0; i < config_lists_n; i++)
        config_nearest(path, config_lists[i].name, &nearest, &best);
    snprintf(hint, sizeof(hint), "an item of heliograph.cfg(5)%s%s%s", nearest ? "; did you mean " : "",
             nearest ? nearest : "", nearest ? "?" : "");
    config_error(&l->errors, config_setting_source_line(s), path, "unknown", hint);
}

/* The group's children; the tree is as deep as the tables' paths, whatever the file nests. */
static void load_group(struct load *l, const config_setting_t *group, const char *prefix)
{
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
        char path[PATH_MAX_];
        unsigned k = 0;
        snprintf(path, sizeof(path), "%.300s%s%.200s", prefix, *prefix ? "." : "", config_setting_name(s));
        while (k < config_items_n && strcmp(config_items[k].name, path) != 0)
            k++;
        if (k < config_items_n) {
            l->config->source->item_line[k] = config_setting_source_line(s);
            load_scalar(l, &config_items[k], l->config, s, path);
            continue;
        }
        for (k = 0; k < config_lists_n && strcmp(config_lists[k].name, path) != 0;)
            k++;
        if (k < config_lists_n) {
            load_top_list(l, k, s);
        } else if (!is_prefix(path)) {
            unknown_item(l, s, path);
        } else if (config_setting_is_group(s)) {
            load_group(l, s, path);
        } else {
            char what[160];
            describe(s, what, sizeof(what));
            config_error(&l->errors, config_setting_source_line(s), path, what, "a group { ... }");
        }
    }
}

static struct hg_config_source *new_source(const char *name)
{
    struct hg_config_source *source = calloc(1, sizeof(*source));
    if (source == NULL)
        return NULL;
    source->file = name ? strdup(name) : NULL;
    source->item_line = calloc(config_items_n, sizeof(*source->item_line));
    if (source->item_line == NULL || (name && source->file == NULL)) {
        free(source->file);
        free(source->item_line);
        free(source);
        return NULL;
    }
    return source;
}

static struct hg_config *new_config(const char *name)
{
    struct hg_config *config = calloc(1, sizeof(*config));
    if (config == NULL)
        return NULL;
    config_field_defaults(config_items, config_items_n, config);
    config->source = new_source(name);
    if (config->source == NULL) {
        free(config);
        return NULL;
    }
    return config;
}

struct hg_config *hg_config_defaults(void)
{
    return new_config(NULL);
}

void hg_config_free(struct hg_config *config)
{
    if (config == NULL)
        return;
    for (unsigned i = 0; i < config_lists_n; i++) {
        void *elements;
        memcpy(&elements, (char *)config + config_lists[i].offset, sizeof(elements));
        free(elements);
        free(config->source->list_line[i]);
    }
    free(config->source->item_line);
    free(config->source->file);
    free(config->source);
    explicit_bzero(config->redis_password, sizeof(config->redis_password));
    explicit_bzero(config->cluster_secret, sizeof(config->cluster_secret));
    free(config);
}

unsigned hg_config_check(const struct hg_config *config, FILE *errors)
{
    struct config_errors e = {.out = errors, .source = config->source};

    e.file = config->source->file ? config->source->file : "configuration";
    config_check(config, &e);
    return e.n;
}

static void free_text(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text)); /* it may hold passwords */
    free(text);
}

/* What libconfig gets; free_text() it. */
static char *text_of(const char *text, size_t len)
{
    char *copy = strndup(text, len), *wide = copy ? config_text_wide(copy) : NULL;

    free_text(copy);
    return wide;
}

struct hg_config *hg_config_parse(const char *text, size_t len, const char *name, FILE *errors)
{
    struct load l = {.errors = {.out = errors, .file = name}};
    config_t tree;

    if (!config_text_ok(text, len, &l.errors))
        return NULL;
    char *copy = text_of(text, len);
    l.config = new_config(name);
    if (copy == NULL || l.config == NULL) {
        free_text(copy);
        hg_config_free(l.config);
        config_error(&l.errors, 0, NULL, "out of memory", NULL);
        return NULL;
    }
    l.errors.source = l.config->source;
    config_init(&tree);
    if (config_read_string(&tree, copy)) {
        load_group(&l, config_root_setting(&tree), "");
        config_check(l.config, &l.errors);
    } else {
        const char *what = config_error_text(&tree);
        config_error(&l.errors, (uint32_t)config_error_line(&tree), NULL, what ? what : "nested too deeply",
                     "libconfig syntax: name = value; group: { ... }; list: ( ... ); array: [ ... ]");
    }
    config_destroy(&tree);
    free_text(copy);
    if (l.errors.n == 0)
        return l.config;
    hg_config_free(l.config);
    return NULL;
}
