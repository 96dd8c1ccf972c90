/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration as the text of a file: what is not its default, in the syntax that the loader reads.
 * Secrets are written as they are. */
#include <stdlib.h>
#include <string.h>

#include "hg/config.h"
#include "impl/config_table.h"

static void put_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_value(FILE *out, const struct config_field *field, const void *base)
{
    char text[CONFIG_TEXT_MAX];

    if (field->kind == CONFIG_TEXT) {
        put_string(out, (const char *)base + field->offset);
        return;
    }
    config_get_text(field, base, text);
    if (field->kind == CONFIG_INT)
        fprintf(out, "%s%s", text, strlen(text) > 9 ? "L" : ""); /* more than 32 bits, perhaps */
    else if (field->kind == CONFIG_BOOL)
        fputs(text, out);
    else
        put_string(out, text);
}

static void put_list(FILE *out, const struct config_list *list, const void *base, const char *between);

static void put_element(FILE *out, const struct config_list *list, const void *element)
{
    fputs("{", out);
    for (uint32_t i = 0; i < list->fields; i++) {
        const struct config_field *field = &list->field[i];
        if (field->kind == CONFIG_LIST && config_count(field->list, element)) {
            fprintf(out, " %s = ", field->name);
            put_list(out, field->list, element, ", ");
            fputs(";", out);
        } else if (field->kind != CONFIG_LIST && (field->required || !config_is_default(field, element))) {
            fprintf(out, " %s = ", field->name);
            put_value(out, field, element);
            fputs(";", out);
        }
    }
    fputs(" }", out);
}

static void put_list(FILE *out, const struct config_list *list, const void *base, const char *between)
{
    bool plain = list->field[0].name == NULL;
    uint32_t n = config_count(list, base);

    fputs(plain ? "[ " : "( ", out);
    for (uint32_t i = 0; i < n; i++) {
        const void *element = config_element(list, base, i);
        if (plain)
            put_value(out, list->field, element);
        else
            put_element(out, list, element);
        fputs(i + 1 < n ? between : " ", out);
    }
    fputs(plain ? "]" : ")", out);
}

static const char *below(const char *path, const char *prefix)
{
    size_t n = strlen(prefix);

    if (n == 0)
        return path;
    return strncmp(path, prefix, n) == 0 && path[n] == '.' ? path + n + 1 : NULL;
}

static bool is_set(const struct hg_config *c, unsigned item)
{
    return !config_is_default(&config_items[item], c) || c->source->item_line[item];
}

/* Whether a group of that path was written before, as that of an earlier item. */
static bool written_before(const struct hg_config *c, const char *group, unsigned item, bool lists,
                           unsigned list)
{
    for (unsigned i = 0; i < item; i++)
        if (is_set(c, i) && below(config_items[i].name, group))
            return true;
    for (unsigned i = 0; lists && i < list; i++)
        if (config_count(&config_lists[i], c) && below(config_lists[i].name, group))
            return true;
    return false;
}

static void write_group(FILE *out, const struct hg_config *c, const char *prefix, int depth);

static void sub_group(FILE *out, const struct hg_config *c, const char *path, const char *rest, unsigned item,
                      bool lists, unsigned list, int depth)
{
    char group[200];
    size_t len = strcspn(rest, ".");

    snprintf(group, sizeof(group), "%.*s", (int)((size_t)(rest - path) + len), path);
    if (written_before(c, group, item, lists, list))
        return;
    fprintf(out, "%*s%.*s: {\n", depth * 2, "", (int)len, rest);
    write_group(out, c, group, depth + 1);
    fprintf(out, "%*s};\n", depth * 2, "");
}

static void write_group(FILE *out, const struct hg_config *c, const char *prefix, int depth)
{
    for (unsigned i = 0; i < config_items_n; i++) {
        const char *rest = is_set(c, i) ? below(config_items[i].name, prefix) : NULL;
        if (!rest)
            continue;
        if (strchr(rest, '.')) {
            sub_group(out, c, config_items[i].name, rest, i, false, 0, depth);
            continue;
        }
        fprintf(out, "%*s%s = ", depth * 2, "", rest);
        put_value(out, &config_items[i], c);
        fputs(";\n", out);
    }
    for (unsigned i = 0; i < config_lists_n; i++) {
        const char *rest = config_count(&config_lists[i], c) ? below(config_lists[i].name, prefix) : NULL;
        if (!rest)
            continue;
        if (strchr(rest, '.')) {
            sub_group(out, c, config_lists[i].name, rest, config_items_n, true, i, depth);
            continue;
        }
        fprintf(out, "%*s%s = ", depth * 2, "", rest);
        put_list(out, &config_lists[i], c, ",\n    ");
        fputs(";\n", out);
    }
}

void hg_config_write(const struct hg_config *config, FILE *out)
{
    write_group(out, config, "", 0);
}

void hg_config_write_list(const struct hg_config *config, const char *path, FILE *out)
{
    for (unsigned i = 0; i < config_lists_n; i++)
        if (strcmp(config_lists[i].name, path) == 0)
            put_list(out, &config_lists[i], config, ", ");
}

/* The text brought that list and nothing else. */
static bool alone(const struct hg_config *c, unsigned which)
{
    for (unsigned i = 0; i < config_items_n; i++)
        if (c->source->item_line[i])
            return false;
    for (unsigned i = 0; i < config_lists_n; i++)
        if (i != which && config_count(&config_lists[i], c))
            return false;
    return true;
}

bool hg_config_put_list(struct hg_config *config, const char *path, const char *text)
{
    const struct config_list *list = NULL;
    struct hg_config *other = NULL;
    char *file = NULL;
    size_t len = 0;
    void *mine, *theirs;
    unsigned which = 0;

    while (which < config_lists_n && strcmp(config_lists[which].name, path) != 0)
        which++;
    FILE *f = which < config_lists_n && below(path, "cluster") ? open_memstream(&file, &len) : NULL;
    if (f) {
        fprintf(f, "cluster: { %s = %s; };", below(path, "cluster"), text);
        fclose(f);
        other = hg_config_parse(file, len, NULL, NULL);
    }
    free(file);
    if (!other || !alone(other, which)) {
        hg_config_free(other);
        return false;
    }
    list = &config_lists[which];
    memcpy(&mine, (char *)config + list->offset, sizeof(mine));
    memcpy(&theirs, (char *)other + list->offset, sizeof(theirs));
    memcpy((char *)config + list->offset, &theirs, sizeof(theirs));
    memcpy((char *)other + list->offset, &mine, sizeof(mine));
    uint32_t n = config_count(list, other);
    config_set_count(list, other, config_count(list, config));
    config_set_count(list, config, n);
    free(config->source->list_line[which]); /* it stands in no file */
    config->source->list_line[which] = NULL;
    hg_config_free(other);
    return true;
}
