/* SPDX-License-Identifier: BSD-2-Clause */
/* user.import: rows of a file, some thousand in one request. Each wrong row is named by its line; the good
 * ones are written, unless "all_or_nothing" (C25). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/user_job.h"
#include "admin/user_view.h"
#include "assign/contact.h"
#include "assign/domain.h"
#include "controlplane.h"
#include "node/nodes.h"

#define ERRORS_MAX 1000 /* told by name; the rest is counted */
#define ROWS_MAX   5000 /* judged in one turn of the loop, which heartbeats wait for */

struct row {
    uint32_t line;
    bool good, assign; /* assign: by the mode, or to the target */
    uint32_t len;
    const char *node; /* NULL = none was given */
    char *contacts;   /* NULL = none were given: those of the record stay */
    char name[USERS_NAME_MAX + 1];
};

struct import {
    struct admin_request *req;
    struct bulk *bulk;
    bool dry_run, force, all_or_nothing;
    enum user_target to;
    uint16_t node, subcluster;
    size_t n, at;
    uint64_t good, bad, fresh;
    json_t *errors;
    struct plan plan;
    struct findings findings;
    struct row row[];
};

static void wrong(struct import *im, uint32_t line, const char *name, const char *why)
{
    im->bad++;
    if (json_array_size(im->errors) < ERRORS_MAX)
        json_array_append_new(im->errors, json_pack("{s:i, s:s%, s:s}", "line", (int)line, "user", name,
                                                    strnlen(name, USERS_NAME_MAX), "error", why));
}

static const char *take_contacts(struct row *row, const json_t *value, char *why, size_t size)
{
    const char *text = json_string_value(value);

    if (!value || json_is_null(value) || (text && !*text))
        return NULL;
    if (!text)
        return "contacts must be a text";
    if (contacts_check(slice_str(text), why, size) < 0)
        return why;
    row->contacts = strcmp(text, "-") == 0 ? strdup("") : strdup(text);
    return row->contacts ? NULL : "out of memory";
}

/* NULL: the row is good. */
static const char *take_row(struct import *im, struct row *row, const json_t *o, char *why, size_t size)
{
    struct controlplane *cp = im->req->cp;
    const char *user = json_string_value(json_object_get(o, "user")), *reason;
    const char *node = json_string_value(json_object_get(o, "node"));

    row->line = (uint32_t)json_integer_value(json_object_get(o, "line"));
    if (!user || !*user)
        return "the user is missing";
    if (!user_view_typed(cp, slice_str(user), row->name, &row->len, &reason))
        return reason;
    if (!user_take_home(cp->config, row->name, &row->len)) {
        snprintf(why, size, "not of the domain %s", cp->config->cluster_domain);
        return why;
    }
    if (node && *node && strcmp(node, "-") != 0 && !nodes_find(cp, slice_str(node))) {
        snprintf(why, size, "no node is named %.100s", node);
        return why;
    }
    row->node = node && *node ? node : NULL;
    return take_contacts(row, json_object_get(o, "contacts"), why, size);
}

static int by_name(const void *a, const void *b)
{
    const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
    int c = strcmp(x->name, y->name);

    return c ? c : (x->line > y->line) - (x->line < y->line);
}

/* A user twice in one request: the script could not take it, and nobody knew which one is meant. */
static void refuse_twins(struct import *im)
{
    struct row **sorted = malloc((im->n ? im->n : 1) * sizeof(struct row *));
    size_t n = 0;

    for (size_t i = 0; sorted && i < im->n; i++)
        if (im->row[i].good)
            sorted[n++] = &im->row[i];
    if (n)
        qsort(sorted, n, sizeof(struct row *), by_name);
    for (size_t i = 1; i < n; i++) {
        char why[80];
        if (strcmp(sorted[i]->name, sorted[i - 1]->name) != 0)
            continue;
        snprintf(why, sizeof(why), "stands in line %u already", sorted[i - 1]->line);
        sorted[i]->good = false;
        wrong(im, sorted[i]->line, sorted[i]->name, why);
    }
    free(sorted);
}

/* Loads afterwards, for the rules; and how many are left to the plan. */
static void judge(struct import *im)
{
    struct controlplane *cp = im->req->cp;
    uint64_t after[HG_NODES_MAX], moved = 0, left = 0;
    bool named[HG_NODES_MAX] = {false};
    struct rules_facts w;

    nodes_facts(cp, &w);
    memcpy(after, w.users, sizeof(after));
    for (size_t i = 0; i < im->n; i++) {
        struct row *row = &im->row[i];
        const struct user *old = row->good ? users_find(cp->users, slice_of(row->name, row->len)) : NULL;
        if (!row->good)
            continue;
        im->good++;
        im->fresh += !old;
        row->assign = !row->node && !old && im->to != TO_NOTHING;
        left += row->assign;
        uint16_t from = old ? nodes_of_home(cp, old->home) : 0;
        uint16_t to = row->node ? nodes_find(cp, slice_str(row->node)) : from;
        after[from] -= old != NULL;
        after[to] += !row->assign;
        moved += from && to != from;
        named[to] |= row->node && to != from;
    }
    for (uint16_t i = 0; i < HG_NODES_MAX; i++)
        w.users[i] = i && after[i] > w.users[i] ? w.users[i] : after[i]; /* what is there before the plan */
    if (im->to == TO_NODE)
        plan_begin_node(&im->plan, &w, im->node);
    else
        plan_begin(&im->plan, &w, user_job_mode(cp), im->to == TO_SUBCLUSTER ? im->subcluster : 0);
    for (unsigned i = 0; i < im->plan.n; i++)
        im->plan.node[i].stays = after[im->plan.node[i].node];
    plan_select(&im->plan, 0, left, 0);
    bool placed = left && plan_level(&im->plan);
    if (left && !placed)
        rules_add(&im->findings, RULE_no_availability,
                  "%llu new user%s of this part of the file without a node", (unsigned long long)left,
                  rules_plural(left));
    if (placed)
        for (unsigned i = 0; i < im->plan.n; i++)
            after[im->plan.node[i].node] += im->plan.node[i].quota;
    nodes_facts(cp, &w);
    named[im->node] |= im->to == TO_NODE && left;
    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (named[i])
            rules_target(&w, i, &im->findings); /* C14, as if each had been assigned by hand */
    rules_users(&w, after, moved, &im->findings);
}

/* Good rows whose node was not removed since they were judged. */
static bool to_be_written(struct import *im, struct row *row)
{
    struct controlplane *cp = im->req->cp;

    if (row->good && row->node && strcmp(row->node, "-") != 0 &&
        !nodes_takes_users(cp, nodes_find(cp, slice_str(row->node)))) {
        row->good = false;
        im->good--;
        wrong(im, row->line, row->name, "its node is being removed");
    }
    return row->good;
}

static enum bulk_next next(void *arg, struct bulk_item *out)
{
    struct import *im = arg;
    struct controlplane *cp = im->req->cp;

    while (im->at < im->n && !to_be_written(im, &im->row[im->at]))
        im->at++;
    if (im->at == im->n)
        return BULK_END;
    const struct row *row = &im->row[im->at];
    const struct user *old = users_find(cp->users, slice_of(row->name, row->len));
    const char *node = row->node ? row->node : old ? users_home_name(cp->users, old->home) : "";
    if (row->assign)
        node = nodes_name(cp, plan_take(&im->plan, 0, false));
    if (strcmp(node, "-") == 0)
        node = "";
    const char *contacts = row->contacts ? row->contacts : old && old->contacts ? old->contacts : "";
    out->op = RECORD_SET;
    out->expect = old ? RECORD_SAME : RECORD_ABSENT;
    out->version = old ? old->version : (struct record_version){0, 0};
    out->tag = (uint32_t)im->at++;
    out->name_len = row->len;
    memcpy(out->name, row->name, row->len);
    out->value_len = user_value_put(out->value, sizeof(out->value), slice_str(node), slice_str(contacts));
    return BULK_ITEM;
}

static void refused(void *arg, struct slice name, uint32_t tag, enum record_result result)
{
    struct import *im = arg;

    (void)name;
    (void)result;
    im->good--;
    wrong(im, im->row[tag].line, im->row[tag].name, "another administrator changed the user meanwhile");
}

static json_t *answer(const struct import *im)
{
    return json_pack("{s:I, s:I, s:I, s:b, s:O, s:o}", "good", (json_int_t)im->good, "wrong",
                     (json_int_t)im->bad, "new", (json_int_t)im->fresh, "dry_run", im->dry_run, "errors",
                     im->errors, "warnings", admin_findings(&im->findings));
}

static void done(void *arg, const char *why)
{
    struct import *im = arg;
    uint64_t n = im->bulk ? bulk_done(im->bulk) : 0;

    im->bulk = NULL;
    if (why)
        admin_fail(im->req, ADMIN_UNAVAILABLE, "the same file again does the rest; hgctl status",
                   "%llu rows are done, then: %s", (unsigned long long)n, why);
    else
        admin_ok_when_applied(im->req, answer(im), 0);
}

static void drop(struct admin_request *req)
{
    struct import *im = req->state;

    if (im->bulk)
        bulk_forget(im->bulk);
    json_decref(im->errors);
    for (size_t i = 0; i < im->n; i++)
        free(im->row[i].contacts);
}

static void turn(struct admin_request *req, uint64_t now_ms)
{
    (void)now_ms;
    bulk_turn(((struct import *)req->state)->bulk);
}

static void begin_writing(struct import *im)
{
    const struct bulk_work work = {.arg = im, .next = next, .refused = refused, .done = done};

    im->bulk = bulk_start(im->req->cp->record, &work);
    if (!im->bulk) {
        admin_fail(im->req, ADMIN_INTERNAL, NULL, "out of memory");
        return;
    }
    im->req->poll = turn;
    bulk_turn(im->bulk);
}

static struct import *begin(struct admin_request *req)
{
    const json_t *rows = json_object_get(req->args, "rows");

    if (!json_is_array(rows) || json_array_size(rows) > ROWS_MAX) {
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "rows must be a list of at most %d", ROWS_MAX);
        return NULL;
    }
    struct import *im = calloc(1, sizeof(*im) + json_array_size(rows) * sizeof(struct row));
    req->state = im;
    if (!im) {
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    im->req = req;
    im->n = json_array_size(rows);
    im->errors = json_array();
    req->drop = drop;
    return im;
}

static bool take_options(struct import *im)
{
    struct admin_request *req = im->req;
    const char *to = "all";

    return admin_arg_bool(req, "dry_run", &im->dry_run) && admin_arg_bool(req, "force", &im->force) &&
           admin_arg_bool(req, "all_or_nothing", &im->all_or_nothing) && admin_arg_string(req, "to", &to) &&
           user_job_target(req, to, &im->to, &im->node, &im->subcluster);
}

void admin_user_import(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    const json_t *rows = json_object_get(req->args, "rows");
    struct import *im = begin(req);
    char why[300];

    if (!im || !take_options(im))
        return;
    for (size_t i = 0; i < im->n; i++) {
        struct row *row = &im->row[i];
        const char *reason = take_row(im, row, json_array_get(rows, i), why, sizeof(why));
        row->good = !reason;
        if (reason)
            wrong(im, row->line, row->name, reason);
    }
    refuse_twins(im);
    judge(im);
    if (users_count(cp->users) + im->fresh > (uint64_t)cp->config->dp_users_max)
        admin_fail(req, ADMIN_CONFLICT, "raise dataplane.users_max and restart the dataplane",
                   "the user table has room for %lld users", (long long)cp->config->dp_users_max);
    else if (rules_refusal(&im->findings, im->force))
        admin_fail_findings(req, &im->findings, im->force);
    else if (im->dry_run || (im->all_or_nothing && im->bad)) {
        im->dry_run = true;
        admin_ok(req, answer(im));
    } else
        begin_writing(im);
}
