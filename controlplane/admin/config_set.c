/* SPDX-License-Identifier: BSD-2-Clause */
/* config.set and config.save: the record's cluster{} items, and the file that they came from. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/request.h"
#include "controlplane.h"
#include "ha/run.h"
#include "log/json_text.h"
#include "node/nodes.h"
#include "push/push.h"
#include "settings/settings.h"
#include "store/record.h"

struct set {
    struct findings findings;
    char path[200];
};

static json_t *value_of(const struct controlplane *cp, const char *path)
{
    char *text = settings_text(cp->config, path);
    json_t *value = text ? json_text(text) : json_null();

    free(text);
    return value;
}

/* Once more when it is in force: while routes are compiled it waits, and the old one is shown. */
static void finish_value(struct admin_request *req)
{
    const struct set *s = req->state;

    json_object_set_new(req->result, "value", value_of(req->cp, s->path));
}

static void on_set(void *arg, const struct record_outcome *outcome)
{
    struct admin_request *req = arg;
    struct controlplane *cp = req->cp;
    struct set *s = req->state;

    if (outcome->result != RECORD_OK) {
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl status shows the state of Redis",
                   "Redis did not confirm the change: %s", outcome->why);
        return;
    }
    settings_turn(cp);
    json_t *result = json_pack("{s:s, s:o, s:o}", "path", s->path, "value", value_of(cp, s->path), "warnings",
                               admin_findings(&s->findings));
    req->finish = finish_value;
    /* while routes are compiled it waits: whatever takes it wants them compiled once more */
    admin_ok_when_applied(req, result, push_routes_wanted(cp) + settings_pending(cp));
}

/* D35: what would be unwise of high availability's parameters with this value. */
static void parameters(const struct controlplane *cp, struct set *s, const char *value)
{
    struct hg_config *config = hg_config_copy(cp->config);
    struct srm_warning warning[8];

    if (config && strncmp(s->path, "cluster.ha.", strlen("cluster.ha.")) == 0 &&
        !hg_config_set(config, s->path, value)) {
        struct srm_params params = ha_params(config);
        unsigned n = srm_params_check(&params, warning, 8);
        for (unsigned i = 0; i < n; i++)
            rules_add(&s->findings, RULE_ha_parameters, "%s %s", warning[i].item, warning[i].text);
    }
    if (config)
        hg_config_free(config);
}

void admin_config_set(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    const char *path = NULL, *value = NULL;
    struct set *s = calloc(1, sizeof(*s));
    struct rules_facts w;
    bool force = false;

    req->state = s;
    if (!s || !admin_arg_string(req, "path", &path) || !admin_arg_string(req, "value", &value) ||
        !admin_arg_bool(req, "force", &force))
        return;
    if (!path || !value || strlen(path) >= sizeof(s->path)) {
        admin_fail(req, ADMIN_BAD_REQUEST, "hgctl set cluster.sip.t1 400", "path and value are needed");
        return;
    }
    const char *expected = settings_check(path, value);
    if (expected) {
        admin_fail(req, ADMIN_BAD_REQUEST, "hgctl config show lists the items", "%.150s: expected %s", path,
                   expected);
        return;
    }
    char *conflict = settings_conflict(cp->config, path, value);
    if (conflict) {
        admin_fail(req, ADMIN_BAD_REQUEST, "the other item first, where both are to change", "%s", conflict);
        free(conflict);
        return;
    }
    strcpy(s->path, path);
    if (strcmp(path, "cluster.domain") == 0) {
        nodes_facts(cp, &w);
        rules_domain(&w, value, &s->findings);
    }
    parameters(cp, s, value);
    if (rules_refusal(&s->findings, force)) {
        admin_fail_findings(req, &s->findings, force);
        return;
    }
    record_change_one(cp->record, RECORD_SETTINGS, RECORD_SET, RECORD_ANY, slice_str(path), slice_str(value),
                      on_set, req);
}

/* Beside it first: a full disk leaves the old one. NULL: written. */
static const char *write_file(const struct hg_config *config, const char *path, char *step, size_t size)
{
    struct stat st;
    char beside[4200], before[4200];
    FILE *f;

    snprintf(beside, sizeof(beside), "%s.new", path);
    snprintf(before, sizeof(before), "%s.before", path);
    snprintf(step, size, "%s", beside);
    if (stat(path, &st) != 0 || !(f = fopen(beside, "w")))
        return strerror(errno);
    fchmod(fileno(f), st.st_mode & 0777); /* it may hold passwords */
    if (fchown(fileno(f), st.st_uid, st.st_gid) != 0)
        errno = 0;
    fprintf(f, "# Written by hgctl config save; what was here before stands in %s.\n", before);
    hg_config_write(config, f);
    bool good = fflush(f) == 0 && fsync(fileno(f)) == 0;
    good = fclose(f) == 0 && good;
    unlink(before);
    if (good && link(path, before) == 0 && rename(beside, path) == 0)
        return NULL;
    const char *why = strerror(errno);
    unlink(beside);
    return why;
}

void admin_config_save(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    char step[4200], before[4200];
    const char *why = write_file(cp->config, cp->config_file, step, sizeof(step));

    snprintf(before, sizeof(before), "%s.before", cp->config_file);
    if (why)
        admin_fail(req, ADMIN_UNAVAILABLE,
                   "the control plane writes beside its file: its folder must be writable", "%.1000s: %s",
                   step, why);
    else
        admin_ok(req, json_pack("{s:s, s:s}", "file", cp->config_file, "before", before));
}
