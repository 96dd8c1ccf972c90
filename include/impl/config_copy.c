/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "hg/config.h"
#include "impl/config_table.h"

static void *copy_of(const void *from, size_t size)
{
    void *to = malloc(size ? size : 1);

    return to ? memcpy(to, from, size) : NULL;
}

static bool copy_list(struct hg_config *to, const struct hg_config *from, unsigned which)
{
    const struct config_list *list = &config_lists[which];
    uint32_t n = config_count(list, from);
    void *elements = NULL;

    if (n) {
        elements = copy_of(config_element(list, from, 0), (size_t)n * list->element);
        if (!elements)
            return false;
    }
    memcpy((char *)to + list->offset, &elements, sizeof(elements));
    if (from->source->list_line[which] && n) {
        to->source->list_line[which] =
            copy_of(from->source->list_line[which], n * sizeof(*from->source->list_line[which]));
        return to->source->list_line[which] != NULL;
    }
    return true;
}

struct hg_config *hg_config_copy(const struct hg_config *from)
{
    struct hg_config *to = hg_config_defaults();

    if (!to)
        return NULL;
    struct hg_config_source *source = to->source;
    *to = *from;
    to->source = source;
    for (unsigned i = 0; i < config_lists_n; i++)
        memset((char *)to + config_lists[i].offset, 0, sizeof(void *));
    memcpy(source->item_line, from->source->item_line, config_items_n * sizeof(*source->item_line));
    if (from->source->file)
        source->file = strdup(from->source->file);
    bool good = !from->source->file || source->file;
    for (unsigned i = 0; good && i < config_lists_n; i++)
        good = copy_list(to, from, i);
    if (good)
        return to;
    hg_config_free(to);
    return NULL;
}
