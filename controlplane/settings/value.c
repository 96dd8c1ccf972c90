/* SPDX-License-Identifier: BSD-2-Clause */
/* One item or list of cluster{} as text: what the record may have, and what a configuration says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/config_table.h"
#include "settings/settings.h"
#include "settings/settings_impl.h"

const struct config_field *settings_item(const char *path)
{
    for (unsigned i = 0; i < config_items_n; i++)
        if (strcmp(config_items[i].name, path) == 0)
            return config_items[i].cluster && config_items[i].reload && !config_rule(&config_items[i]).secret
                       ? &config_items[i]
                       : NULL;
    return NULL;
}

/* Nodes have entries of their own. */
bool settings_is_list(const char *path)
{
    for (unsigned i = 0; i < config_lists_n; i++)
        if (strcmp(config_lists[i].name, path) == 0)
            return config_lists[i].cluster && config_lists[i].reload && i != CONFIG_NODES;
    return false;
}

bool settings_put(struct hg_config *config, const char *path, const char *value)
{
    if (settings_is_list(path))
        return hg_config_put_list(config, path, value);
    return settings_item(path) && hg_config_set(config, path, value) == NULL;
}

const char *settings_check(const char *path, const char *value)
{
    const struct config_field *field = settings_item(path);
    struct hg_config *config;
    const char *why = NULL;

    if (!field && !settings_is_list(path))
        return "an item or list of cluster{} that a reload applies, and no secret: hgctl config show "
               "'cluster.*'";
    config = hg_config_defaults();
    if (!config)
        return "memory: there is none left";
    if (field)
        why = hg_config_set(config, path, value);
    else if (!hg_config_put_list(config, path, value))
        why = "the list as it would stand in the file: [ \"...\" ] or ( { ... } )";
    hg_config_free(config);
    return why;
}

bool settings_said(const struct hg_config *file, const char *path)
{
    for (unsigned i = 0; i < config_items_n; i++)
        if (strcmp(config_items[i].name, path) == 0)
            return file->source->item_line[i] != 0;
    for (unsigned i = 0; i < config_lists_n; i++)
        if (strcmp(config_lists[i].name, path) == 0)
            return config_count(&config_lists[i], file) != 0;
    return false;
}

char *settings_text(const struct hg_config *config, const char *path)
{
    const struct config_field *field = settings_item(path);
    char text[CONFIG_TEXT_MAX], *out = NULL;
    size_t len = 0;

    if (field) {
        config_get_text(field, config, text);
        return strdup(text);
    }
    FILE *f = open_memstream(&out, &len);
    if (!f)
        return NULL;
    hg_config_write_list(config, path, f);
    fclose(f);
    return out;
}

char *settings_conflict(const struct hg_config *config, const char *path, const char *value)
{
    struct hg_config *with = hg_config_copy(config);
    char *said = NULL;
    size_t len = 0;
    FILE *f = with && settings_put(with, path, value) ? open_memstream(&said, &len) : NULL;

    if (!f) {
        hg_config_free(with);
        return NULL;
    }
    unsigned now = hg_config_check(config, NULL), then = hg_config_check(with, f);
    fclose(f);
    hg_config_free(with);
    if (then > now && len > 0) {
        said[strcspn(said, "\n")] = '\0';
        return said;
    }
    free(said);
    return NULL;
}
