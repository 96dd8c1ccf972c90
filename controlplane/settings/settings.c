/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane.h"
#include "impl/config_table.h"
#include "push/push.h"
#include "settings/reload.h"
#include "settings/settings_impl.h"

bool settings_create(struct controlplane *cp)
{
    struct settings *s = calloc(1, sizeof(*s));

    cp->settings = s;
    if (!s)
        return false;
    s->file = hg_config_copy(cp->config);
    s->publish = true;
    return s->file != NULL;
}

void settings_free(struct controlplane *cp)
{
    struct settings *s = cp->settings;

    if (!s)
        return;
    for (uint32_t i = 0; i < s->n; i++)
        free(s->one[i].path);
    free(s->one);
    if (s->file)
        hg_config_free(s->file);
    free(s);
    cp->settings = NULL;
}

struct setting *settings_find(struct settings *s, struct slice path)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (slice_eq(slice_str(s->one[i].path), path))
            return &s->one[i];
    return NULL;
}

const struct setting *settings_entry(struct settings *s, const char *prefix, const char *path)
{
    char name[400];

    snprintf(name, sizeof(name), "%s%s", prefix, path);
    return settings_find(s, slice_str(name));
}

const char *settings_value(struct settings *s, const char *prefix, const char *path)
{
    const struct setting *one = settings_entry(s, prefix, path);

    return one && !one->unusable ? one->value : NULL;
}

static void drop(struct settings *s, struct setting *one)
{
    free(one->path);
    *one = s->one[--s->n];
    s->dirty = true;
}

void settings_load_begin(struct controlplane *cp)
{
    for (uint32_t i = 0; i < cp->settings->n; i++)
        cp->settings->one[i].mark = false;
    cp->settings->unknown = 0;
}

static struct setting *make(struct settings *s)
{
    struct setting *more = realloc(s->one, (s->n + 1) * sizeof(*more));
    if (!more)
        return NULL;
    s->one = more;
    s->one[s->n] = (struct setting){0};
    return &s->one[s->n++];
}

static void revision(struct controlplane *cp, struct slice value, struct record_version version)
{
    cp->topology_version = version;
    cp->topology_revision = 0;
    for (uint32_t i = 0; i < value.len && value.p[i] >= '0' && value.p[i] <= '9'; i++)
        cp->topology_revision = cp->topology_revision * 10 + (uint64_t)(value.p[i] - '0');
}

/* Of a newer version, or another program's: neither is ours to judge, and however many there are, they take
 * no room from those that are followed. */
static bool is_known(struct controlplane *cp, struct slice path)
{
    static const struct slice published = SLICE_LIT(SETTINGS_PUBLISHED);
    char name[200];
    bool prefixed = path.len > published.len && memcmp(path.p, published.p, published.len) == 0;
    uint32_t skip = prefixed ? published.len : 0;

    if (path.len - skip < sizeof(name) && !memchr(path.p, 0, path.len)) {
        snprintf(name, sizeof(name), SLICE_FMT, (int)(path.len - skip), path.p + skip);
        if (settings_item(name) || settings_is_list(name))
            return true;
    }
    if (cp->settings->unknown++ < 10)
        log_printf(&cp->log, HG_LOG_INFO, "setting_unknown",
                   "\"" SLICE_FMT "\" of the record is no setting of this version",
                   (int)(path.len < 200 ? path.len : 200), path.p);
    return false;
}

/* What a file said when it was published is compared only. */
static bool is_good(const struct setting *one)
{
    bool published = strncmp(one->path, SETTINGS_PUBLISHED, strlen(SETTINGS_PUBLISHED)) == 0;

    return !one->unusable && (published || !settings_check(one->path, one->value));
}

bool settings_one(struct controlplane *cp, struct slice path, struct slice value,
                  struct record_version version)
{
    struct settings *s = cp->settings;

    if (slice_eq(path, SLICE_LIT(TOPOLOGY_REVISION))) {
        revision(cp, value, version);
        return true;
    }
    if (!is_known(cp, path))
        return true;
    struct setting *one = settings_find(s, path);
    bool unusable = memchr(value.p ? value.p : "", 0, value.len) != NULL;
    bool same = one && !one->unusable && slice_eq(slice_str(one->value), value);
    if (one) {
        one->mark = true;
        one->version = version;
    }
    if (same || (unusable && one))
        return !unusable && is_good(one);
    if (unusable)
        value.len = 0;
    char *text = malloc(path.len + value.len + 2);
    if (!text || (!one && !(one = make(s)))) {
        free(text);
        return false;
    }
    memcpy(text, path.p, path.len);
    text[path.len] = '\0';
    if (value.len)
        memcpy(text + path.len + 1, value.p, value.len);
    text[path.len + 1 + value.len] = '\0';
    free(one->path);
    *one = (struct setting){
        .path = text, .value = text + path.len + 1, .version = version, .mark = true, .unusable = unusable};
    s->dirty = true;
    return is_good(one);
}

void settings_gone(struct controlplane *cp, struct slice path)
{
    struct setting *one = settings_find(cp->settings, path);

    if (slice_eq(path, SLICE_LIT(TOPOLOGY_REVISION)))
        cp->topology_version = (struct record_version){0, 0};
    if (one)
        drop(cp->settings, one);
}

void settings_load_end(struct controlplane *cp)
{
    for (uint32_t i = 0; i < cp->settings->n;) {
        if (cp->settings->one[i].mark)
            i++;
        else
            drop(cp->settings, &cp->settings->one[i]);
    }
}

/* The publisher's file says something new, which is on its way into the record. */
static bool superseded(struct controlplane *cp, const char *path)
{
    struct settings *s = cp->settings;
    const char *published = settings_value(s, SETTINGS_PUBLISHED, path), *value = settings_value(s, "", path);

    if (!cp->self || topology_publisher(&cp->topology) != cp->self)
        return false;
    if (!settings_said(s->file, path))
        return published && value && strcmp(published, value) == 0;
    char *text = settings_text(s->file, path);
    bool is_new = text && (!published || strcmp(text, published) != 0);
    free(text);
    return is_new;
}

/* Whether the file says it with these words. */
static bool is_of_file(struct settings *s, const struct setting *one)
{
    char *text = settings_said(s->file, one->path) ? settings_text(s->file, one->path) : NULL;
    bool same = text && strcmp(text, one->value) == 0;

    free(text);
    return same;
}

void settings_overlay(struct controlplane *cp, struct hg_config *config)
{
    struct settings *s = cp->settings;

    for (uint32_t i = 0; i < s->n; i++) {
        struct setting *one = &s->one[i];
        one->foreign = false;
        if (strncmp(one->path, SETTINGS_PUBLISHED, strlen(SETTINGS_PUBLISHED)) == 0 || one->unusable ||
            superseded(cp, one->path))
            continue;
        if (settings_put(config, one->path, one->value))
            one->foreign = !is_of_file(s, one);
        else
            log_printf(&cp->log, HG_LOG_WARNING, "setting_bad",
                       "%.200s of the record: a value that it does not take", one->path);
    }
}

bool settings_of_record(struct controlplane *cp, const char *path)
{
    size_t len = strcspn(path, "["); /* elements of a list come from where the list does */
    const struct setting *one = settings_find(cp->settings, slice_of(path, (uint32_t)len));

    return one && one->foreign;
}

struct hg_config *settings_reloaded(struct controlplane *cp, struct hg_config *file)
{
    struct settings *s = cp->settings;
    struct hg_config *config = hg_config_copy(file);

    if (!config)
        return NULL;
    hg_config_free(s->file);
    s->file = file;
    s->publish = true;
    if (record_was_loaded(cp->record))
        settings_overlay(cp, config);
    return config;
}

bool settings_pending(const struct controlplane *cp)
{
    return cp->settings->dirty;
}

void settings_turn(struct controlplane *cp)
{
    struct settings *s = cp->settings;

    if (!s->dirty || !record_loaded(cp->record) || push_routes_busy(cp))
        return;
    struct hg_config *config = hg_config_copy(s->file);
    if (!config)
        return; /* the next turn tries again */
    s->dirty = false;
    settings_overlay(cp, config);
    reload_take(cp, config);
}
