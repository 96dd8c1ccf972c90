/* SPDX-License-Identifier: BSD-2-Clause */
/* From one configuration to another. Elements that have names are compared by name, so that one more at the
 * front is one change; the others by their place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hg/config.h"
#include "impl/config_table.h"

#define PATH_SIZE 400

struct diff {
    hg_config_entry_fn *fn;
    void *arg;
    const char *file;
    uint32_t line;
    bool cluster, reload;
    unsigned told; /* entries of this list or element */
};

/* One list of both sides. */
struct pair {
    const struct config_list *list;
    const void *from, *to;
    uint32_t had, has;
};

static void tell(struct diff *d, const char *path, const char *old, const char *value,
                 const struct config_field *field)
{
    const struct hg_config_entry entry = {
        .path = path,
        .value = value,
        .def = old,
        .file = d->line ? d->file : NULL,
        .line = d->line,
        .unit = field && field->unit ? field->unit : "",
        .doc = field && field->doc ? field->doc : "",
        .cluster = d->cluster,
        .reload = d->reload,
    };
    d->fn(d->arg, &entry);
    d->told++;
}

static void diff_field(struct diff *d, const struct config_field *field, const void *from, const void *to,
                       const char *path)
{
    char value[CONFIG_TEXT_MAX], old[CONFIG_TEXT_MAX];
    if (from && to &&
        memcmp((const char *)from + field->offset, (const char *)to + field->offset, field->size) == 0)
        return;
    if (to)
        config_get_text(field, to, value);
    if (from)
        config_get_text(field, from, old);
    tell(d, path, from ? old : NULL, to ? value : NULL, field);
}

static void diff_element(struct diff *d, const struct config_list *list, const void *from, const void *to,
                         const char *path)
{
    char at[PATH_SIZE];
    if (list->field[0].name == NULL) {
        diff_field(d, list->field, from, to, path);
        return;
    }
    for (uint32_t i = 0; i < list->fields; i++) {
        const struct config_field *field = &list->field[i];
        snprintf(at, sizeof(at), "%.320s.%s", path, field->name);
        if (field->kind != CONFIG_LIST) {
            diff_field(d, field, from, to, at);
            continue;
        }
        uint32_t had = from ? config_count(field->list, from) : 0,
                 has = to ? config_count(field->list, to) : 0;
        for (uint32_t k = 0; k < had || k < has; k++) {
            snprintf(at, sizeof(at), "%.320s.%s[%u]", path, field->name, k);
            diff_element(d, field->list, k < had ? config_element(field->list, from, k) : NULL,
                         k < has ? config_element(field->list, to, k) : NULL, at);
        }
    }
}

static const char *name_of(const struct config_list *list, const void *element)
{
    return (const char *)element + list->field[0].offset;
}

static int by_name(const void *a, const void *b, void *arg)
{
    const struct config_list *list = arg;
    return strcmp(name_of(list, *(void *const *)a), name_of(list, *(void *const *)b));
}

static const void **sorted(const struct config_list *list, const void *base, uint32_t n)
{
    const void **elements = malloc((n ? n : 1) * sizeof(*elements));
    for (uint32_t i = 0; elements && i < n; i++)
        elements[i] = config_element(list, base, i);
    if (elements)
        qsort_r(elements, n, sizeof(*elements), by_name, (void *)(uintptr_t)list);
    return elements;
}

/* Beyond the first ones, changes are only counted. */
static void one_changed(struct diff *d, uint32_t *changed, const struct pair *p, const void *from,
                        const void *to, const char *path)
{
    d->told = 0;
    if (*changed < CONFIG_SHOWN_MAX)
        diff_element(d, p->list, from, to, path);
    else
        d->told = !from || !to || memcmp(from, to, p->list->element) != 0;
    *changed += d->told > 0;
}

static uint32_t diff_by_name(struct diff *d, const struct pair *p, const uint32_t *lines)
{
    char path[PATH_SIZE];
    uint32_t i = 0, k = 0, changed = 0;
    const void **from = sorted(p->list, p->from, p->had), **to = sorted(p->list, p->to, p->has);
    while (from && to && (i < p->had || k < p->has)) {
        int order = i == p->had   ? 1
                    : k == p->has ? -1
                                  : strcmp(name_of(p->list, from[i]), name_of(p->list, to[k]));
        const void *old = order <= 0 ? from[i++] : NULL, *new = order >= 0 ? to[k++] : NULL;
        snprintf(path, sizeof(path), "%.100s[%.200s]", p->list->name, name_of(p->list, new ? new : old));
        size_t place = new ? (size_t)((const char *)new - (const char *)config_element(p->list, p->to, 0)) /
                                 p->list->element
                           : 0;
        d->line = new &&lines ? lines[place] : 0;
        one_changed(d, &changed, p, old, new, path);
    }
    free(from);
    free(to);
    return changed;
}

static uint32_t diff_by_place(struct diff *d, const struct pair *p, const uint32_t *lines)
{
    char path[PATH_SIZE];
    uint32_t changed = 0;
    for (uint32_t k = 0; k < p->had || k < p->has; k++) {
        snprintf(path, sizeof(path), "%.100s[%u]", p->list->name, k);
        d->line = lines && k < p->has ? lines[k] : 0;
        one_changed(d, &changed, p, k < p->had ? config_element(p->list, p->from, k) : NULL,
                    k < p->has ? config_element(p->list, p->to, k) : NULL, path);
    }
    return changed;
}

void hg_config_diff(const struct hg_config *from, const struct hg_config *to, hg_config_entry_fn *fn,
                    void *arg)
{
    struct diff d = {.fn = fn, .arg = arg, .file = to->source->file};
    for (unsigned i = 0; i < config_items_n; i++) {
        d.cluster = config_items[i].cluster;
        d.reload = config_items[i].reload;
        d.line = to->source->item_line[i];
        diff_field(&d, &config_items[i], from, to, config_items[i].name);
    }
    for (unsigned i = 0; i < config_lists_n; i++) {
        const struct config_list *list = &config_lists[i];
        const struct pair p = {list, from, to, config_count(list, from), config_count(list, to)};
        const uint32_t *lines = to->source->list_line[i];
        bool named = list->field[0].name && strcmp(list->field[0].name, "name") == 0;
        d.cluster = list->cluster;
        d.reload = list->reload;
        uint32_t changed = named ? diff_by_name(&d, &p, lines) : diff_by_place(&d, &p, lines);
        if (changed > CONFIG_SHOWN_MAX) {
            char path[PATH_SIZE], value[80];
            snprintf(path, sizeof(path), "%.100s[...]", list->name);
            snprintf(value, sizeof(value), "%u further elements differ", changed - CONFIG_SHOWN_MAX);
            d.line = 0;
            tell(&d, path, NULL, value, NULL);
        }
    }
}
