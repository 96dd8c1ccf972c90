/* SPDX-License-Identifier: BSD-2-Clause */
/* What the publisher's file says goes into the record; everybody else's file is compared with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane.h"
#include "impl/config_table.h"
#include "node/join.h"
#include "node/nodes.h"
#include "settings/settings.h"
#include "settings/settings_impl.h"
#include "store/record.h"

struct batch {
    struct controlplane *cp;
    uint32_t n;
    const char *too_long; /* path of a list that the record cannot have */
    char *text[RECORD_ITEMS_MAX];
    struct record_item item[RECORD_ITEMS_MAX];
};

/* Made only where nobody else has written meanwhile. */
static void add(struct batch *b, const char *prefix, const char *path, const char *value)
{
    const struct setting *old = settings_entry(b->cp->settings, prefix, path);
    size_t len = strlen(prefix) + strlen(path), value_len = value ? strlen(value) : 0;
    char *text = b->n < RECORD_ITEMS_MAX ? malloc(len + value_len + 2) : NULL;

    if (!text)
        return;
    sprintf(text, "%s%s", prefix, path);
    memcpy(text + len + 1, value ? value : "", value_len + 1);
    b->text[b->n] = text;
    b->item[b->n++] = (struct record_item){.table = RECORD_SETTINGS,
                                           .op = value ? RECORD_SET : RECORD_REMOVE,
                                           .expect = old ? RECORD_SAME : RECORD_ABSENT,
                                           .version = old ? old->version : (struct record_version){0, 0},
                                           .field = slice_of(text, (uint32_t)len),
                                           .value = slice_of(text + len + 1, (uint32_t)value_len)};
}

/* An administrator set it while the file was being published: that word is newer than the file's. */
static bool set_meanwhile(struct settings *s, const char *path)
{
    const struct setting *value = settings_entry(s, "", path),
                         *published = settings_entry(s, SETTINGS_PUBLISHED, path);

    return s->again && value && record_version_cmp(value->version, s->begun) > 0 &&
           (!published || record_version_cmp(value->version, published->version) != 0);
}

/* One item of the file; said: whether the file mentions it. */
static void compare(struct batch *b, const char *path, bool said)
{
    struct settings *s = b->cp->settings;
    const char *published = settings_value(s, SETTINGS_PUBLISHED, path);
    char *text = said ? settings_text(s->file, path) : NULL;

    if (text && strlen(text) > HG_CONFIG_LIST_BYTES)
        b->too_long = path;
    else if (text && (!published || strcmp(published, text) != 0)) {
        if (!set_meanwhile(s, path))
            add(b, "", path, text);
        add(b, SETTINGS_PUBLISHED, path, text);
    } else if (!said && published) { /* no longer in the file */
        const char *value = settings_value(s, "", path);
        if (value && strcmp(value, published) == 0 && !set_meanwhile(s, path))
            add(b, "", path, NULL);
        add(b, SETTINGS_PUBLISHED, path, NULL);
    }
    free(text);
}

static void walk(struct controlplane *cp, void (*fn)(void *arg, const char *path, bool said), void *arg)
{
    const struct hg_config *file = cp->settings->file;

    for (unsigned i = 0; i < config_items_n; i++)
        if (settings_item(config_items[i].name))
            fn(arg, config_items[i].name, settings_said(file, config_items[i].name));
    for (unsigned i = 0; i < config_lists_n; i++)
        if (settings_is_list(config_lists[i].name))
            fn(arg, config_lists[i].name, settings_said(file, config_lists[i].name));
}

static void publish_one(void *arg, const char *path, bool said)
{
    compare(arg, path, said);
}

static void on_published(void *arg, const struct record_outcome *outcome)
{
    struct batch *b = arg;
    struct controlplane *cp = b->cp;

    if (!cp->stopping) {
        cp->settings->publishing = false;
        cp->settings->again = outcome->result != RECORD_OK;
        cp->settings->publish |=
            cp->settings->again; /* a second later; so does a reload that came meanwhile */
        if (outcome->result == RECORD_OK)
            log_printf(&cp->log, HG_LOG_INFO, "published", "%u entries of the file went into the record",
                       b->n);
    }
    for (uint32_t i = 0; i < b->n; i++)
        free(b->text[i]);
    free(b);
}

/* B10: a cluster that nobody gave a domain has that of its first node's name. */
static void publish_domain(struct batch *b)
{
    static const char path[] = "cluster.domain";
    struct controlplane *cp = b->cp;
    const char *dot = strchr(cp->config->node_name, '.');
    struct hg_ip ip;

    if (dot && cp->config->node_name[0] != '_' && !hg_ip_parse(slice_str(cp->config->node_name), &ip) &&
        !settings_said(cp->settings->file, path) && !settings_value(cp->settings, "", path))
        add(b, "", path, dot + 1);
}

static struct record_version newest(const struct settings *s)
{
    struct record_version newest = {0, 0};

    for (uint32_t i = 0; i < s->n; i++)
        if (record_version_cmp(s->one[i].version, newest) > 0)
            newest = s->one[i].version;
    return newest;
}

static void publish(struct controlplane *cp)
{
    struct batch *b = calloc(1, sizeof(*b));

    if (!b)
        return;
    b->cp = cp;
    if (!cp->settings->again)
        cp->settings->begun = newest(cp->settings);
    walk(cp, publish_one, b);
    publish_domain(b);
    cp->settings->publish = cp->settings->again = false;
    if (b->too_long)
        alarm_raise(&cp->alarms, ALARM_config_long,
                    "%s of this node's file is longer than %d bytes and not in the record: other nodes "
                    "keep the list that they have",
                    b->too_long, HG_CONFIG_LIST_BYTES);
    else
        alarm_clear(&cp->alarms, ALARM_config_long);
    if (b->n == 0) {
        free(b);
        return;
    }
    cp->settings->publishing = true;
    record_change(cp->record, b->item, b->n, on_published, b);
}

struct difference {
    struct controlplane *cp;
    unsigned n;
    char first[128];
};

static void differ_one(void *arg, const char *path, bool said)
{
    struct difference *d = arg;
    struct settings *s = d->cp->settings;
    const char *value = settings_value(s, "", path);
    char *text = said && value ? settings_text(s->file, path) : NULL;

    if (text && strcmp(text, value) != 0 && d->n++ == 0)
        snprintf(d->first, sizeof(d->first), "%s", path);
    free(text);
}

void settings_second(struct controlplane *cp)
{
    struct settings *s = cp->settings;
    struct difference d = {.cp = cp};

    if (strcmp(cp->config->cluster_domain, "DOMAIN.NOT.SET") == 0)
        alarm_on(&cp->alarms, ALARM_domain_not_set);
    else
        alarm_clear(&cp->alarms, ALARM_domain_not_set);
    if (!record_loaded(cp->record) || !join_done(cp) || s->publishing)
        return;
    if (cp->self && topology_publisher(&cp->topology) == cp->self) {
        alarm_clear(&cp->alarms, ALARM_config_differs);
        if (s->publish)
            publish(cp);
        return;
    }
    alarm_clear(&cp->alarms, ALARM_config_long);
    s->publish = true; /* for the day when this node becomes the publisher */
    walk(cp, differ_one, &d);
    if (d.n)
        alarm_raise(&cp->alarms, ALARM_config_differs,
                    "%u items of cluster{} in this node's file are others than the record's, such as %s", d.n,
                    d.first);
    else
        alarm_clear(&cp->alarms, ALARM_config_differs);
}
