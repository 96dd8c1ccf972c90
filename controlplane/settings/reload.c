/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings/reload.h"

#include <stdlib.h>
#include <string.h>

#include "controlplane.h"
#include "node/join.h"
#include "push/push.h"
#include "settings/settings.h"
#include "store/record.h"
#include "store/redis.h"

struct tally {
    hg_config_entry_fn *told;
    void *arg;
    unsigned applied, restart;
    char first[128];
};

void reload_own(struct controlplane *cp)
{
    cp->log.json = cp->config->log_format != 0;
    cp->log.level = (enum hg_log_level)cp->config->log_level;
    if (cp->record)
        record_set_timeout(cp->record, (unsigned)cp->config->redis_timeout_ms);
    if (cp->exports)
        redis_set_timeout(cp->exports, (unsigned)cp->config->redis_timeout_ms);
}

static void count_entry(void *arg, const struct hg_config_entry *entry)
{
    struct tally *t = arg;

    if (entry->reload) {
        t->applied++;
    } else {
        if (t->restart++ == 0)
            snprintf(t->first, sizeof(t->first), "%s", entry->path);
    }
    if (t->told)
        t->told(t->arg, entry);
}

/* What only a restart applies stays as it runs: the name of this node is in keys and mappings, and the next
 * diff still has to tell what differs. */
static void keep_restart_items(struct hg_config *to, const struct hg_config *from)
{
#define KEEP_RELOAD(field)
#define KEEP_RESTART(field)                                          memcpy(&to->field, &from->field, sizeof(to->field));
#define HG_INT(field, path, def, min, max, unit, scope, reload, doc) KEEP_##reload(field)
#define HG_BOOL(field, path, def, scope, reload, doc)                KEEP_##reload(field)
#define HG_STR(field, path, def, max, scope, reload, doc)            KEEP_##reload(field)
#define HG_ENUM(field, path, def, words, scope, reload, doc)         KEEP_##reload(field)
#include "hg/config_items.def"
#undef HG_INT
#undef HG_BOOL
#undef HG_STR
#undef HG_ENUM
#undef KEEP_RELOAD
#undef KEEP_RESTART
}

void reload_take(struct controlplane *cp, struct hg_config *config)
{
    struct hg_config *old = cp->config;

    keep_restart_items(config, old);
    cp->config = config;
    push_routes_retire_config(cp, old);
    reload_own(cp);
    push_nodes(cp);
    push_settings(cp);
    push_routes_dirty(cp);
}

bool reload(struct controlplane *cp, FILE *errors, hg_config_entry_fn *told, void *arg)
{
    struct tally t = {.told = told, .arg = arg};
    struct hg_config *config = hg_config_load(cp->config_file, errors);

    if (!config) {
        alarm_on(&cp->alarms, ALARM_config_refused);
        return false;
    }
    alarm_clear(&cp->alarms, ALARM_config_refused);
    hg_config_diff(cp->config, config, count_entry, &t);
    if (t.restart)
        alarm_raise(&cp->alarms, ALARM_config_restart, "%u changed items take a restart, such as %s",
                    t.restart, t.first);
    else
        alarm_clear(&cp->alarms, ALARM_config_restart);
    struct hg_config *whole = settings_reloaded(cp, config);
    if (!whole) {
        hg_config_free(config);
        return false;
    }
    reload_take(cp, whole);
    join_file(cp);
    log_printf(&cp->log, HG_LOG_INFO, "config_reloaded", "%s: %u items applied, %u take a restart",
               cp->config_file, t.applied, t.restart);
    return true;
}

void reload_logged(struct controlplane *cp)
{
    char *text = NULL, *save = NULL;
    size_t len = 0;
    FILE *errors = open_memstream(&text, &len);

    if (!errors)
        return;
    bool good = reload(cp, errors, NULL, NULL);
    fclose(errors);
    if (!good) {
        unsigned n = 0;
        for (char *line = strtok_r(text, "\n", &save); line && n < 50;
             line = strtok_r(NULL, "\n", &save), n++)
            log_printf(&cp->log, HG_LOG_ERROR, "config_error", "%s", line);
    }
    free(text);
}
