/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/topology_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane.h"
#include "node/nodes.h"

struct topology_edit_request *topology_edit_begin(struct admin_request *req, const char *member,
                                                  topology_edit_make make,
                                                  json_t *(*show)(struct controlplane *cp, const char *name))
{
    struct topology_edit_request *e = calloc(1, sizeof(*e));

    req->state = e;
    if (!e) {
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    e->req = req;
    e->member = member;
    e->make = make;
    e->show = show;
    e->slot = -1;
    if (!admin_arg_bool(req, "force", &e->force) || !admin_arg_bool(req, "dry_run", &e->dry_run) ||
        !topology_edit_text(e, "name", true, e->name, sizeof(e->name)))
        return NULL;
    return e;
}

bool topology_edit_text(struct topology_edit_request *e, const char *arg, bool required, char *out,
                        size_t size)
{
    const char *text = NULL;

    if (!admin_arg_string(e->req, arg, &text))
        return false;
    if (required && (!text || !text[0])) {
        admin_fail(e->req, ADMIN_BAD_REQUEST, NULL, "%s is missing", arg);
        return false;
    }
    if (text && strlen(text) >= size) {
        admin_fail(e->req, ADMIN_BAD_REQUEST, NULL, "%s has at most %zu bytes", arg, size - 1);
        return false;
    }
    if (text)
        strcpy(out, text);
    return true;
}

static json_t *answer(struct topology_edit_request *e, struct controlplane *cp)
{
    json_t *shown = e->removes && !e->dry_run ? NULL : e->show(cp, e->name);

    return json_pack("{s:s, s:o*, s:o, s:b}", e->removes ? "removed" : "name", e->name, e->member, shown,
                     "warnings", admin_findings(&e->findings), "dry_run", e->dry_run);
}

static bool edit(struct controlplane *cp, void *arg, struct topology_items *items)
{
    struct topology_edit_request *e = arg;
    struct rules_facts w;

    nodes_facts(cp, &w);
    rules_begin(&e->findings);
    return e->make(e, &w, items) && !rules_refusal(&e->findings, e->force);
}

static void refused(struct topology_edit_request *e)
{
    if (e->missing)
        admin_fail(e->req, ADMIN_NOT_FOUND, rules[e->findings.finding[0].rule].allow, "no %s is named %.100s",
                   e->member, e->name);
    else
        admin_fail_findings(e->req, &e->findings, e->force);
}

static void done(struct controlplane *cp, void *arg, enum topology_result result, const char *why)
{
    struct topology_edit_request *e = arg;

    switch (result) {
    case TOPOLOGY_DONE:
        if (e->step == EDIT_MARK) {
            e->step = EDIT_REMOVE;
            topology_change(cp, edit, done, e);
            return;
        }
        if (e->step == EDIT_TAKE_BACK) {
            e->findings = e->forbidden;
            refused(e);
            return;
        }
        nodes_turn(cp);
        e->req->rehomes = true;
        admin_ok_when_applied(e->req, answer(e, cp), 0);
        return;
    case TOPOLOGY_REFUSED:
        if (e->step == EDIT_REMOVE && !e->missing) {
            e->forbidden = e->findings;
            e->step = EDIT_TAKE_BACK;
            topology_change(cp, edit, done, e);
            return;
        }
        refused(e);
        return;
    case TOPOLOGY_BUSY:
        admin_fail(e->req, ADMIN_CONFLICT, "try again", "%s", why);
        return;
    case TOPOLOGY_UNAVAILABLE:
        admin_fail(e->req, ADMIN_UNAVAILABLE, "hgctl status shows the state of Redis",
                   "Redis did not confirm the change: %s", why);
        return;
    }
}

void topology_edit_run(struct topology_edit_request *e)
{
    struct controlplane *cp = e->req->cp;

    if (!e->dry_run)
        topology_change(cp, edit, done, e);
    else if (edit(cp, e, NULL))
        admin_ok(e->req, answer(e, cp));
    else
        refused(e);
}
