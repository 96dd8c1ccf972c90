/* SPDX-License-Identifier: BSD-2-Clause */
/* user.assign and user.rebalance (C07-C09, C14-C19, C25). */
#include "admin/user_job.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "admin/user_view.h"
#include "assign/domain.h"
#include "controlplane.h"
#include "node/nodes.h"

#define PIECE       30000 /* users that one turn of the loop looks at */
#define PROGRESS_MS 200

static const struct user *named(struct user_job *j, size_t i)
{
    struct controlplane *cp = j->req->cp;
    char name[USERS_NAME_MAX + 1];
    uint32_t len;
    const char *why, *text = json_string_value(json_array_get(j->names, i));

    if (!text || !user_view_typed(cp, slice_str(text), name, &len, &why))
        return NULL;
    const struct user *u = users_find(cp->users, slice_of(name, len));
    if (!u && user_take_home(cp->config, name, &len))
        u = users_find(cp->users, slice_of(name, len));
    return u;
}

/* Unassigned are also those whose home is no node any more. */
static bool is_from(const struct user_job *j, uint16_t home)
{
    return j->from ? home == j->from : nodes_of_home(j->req->cp, home) == 0;
}

static bool matches(const struct user_job *j, const struct user *u)
{
    if (j->from_given && !is_from(j, u->home))
        return false;
    if (j->rebalance && !j->plan.at[nodes_of_home(j->req->cp, u->home)])
        return false; /* unassigned, or parked outside of all subclusters */
    return !j->match || fnmatch(j->match, u->name, 0) == 0;
}

/* The next user of the selection; NULL: *end, or the piece is over. */
static const struct user *next_user(struct user_job *j, bool *end)
{
    struct controlplane *cp = j->req->cp;

    *end = false;
    if (j->names) {
        while (j->budget && j->at_name < json_array_size(j->names)) {
            j->budget--;
            const struct user *u = named(j, j->at_name++);
            if (u && matches(j, u))
                return u;
            j->unknown += j->counting && !u;
        }
        *end = j->at_name == json_array_size(j->names);
        return NULL;
    }
    uint64_t at = users_position_after(cp->users, slice_of(j->at, j->at_len));
    const struct user *u = NULL, *last = NULL;
    while (j->budget && (u = users_walk(cp->users, &at))) {
        j->budget--;
        last = u;
        if (matches(j, u))
            break;
        u = NULL;
    }
    if (last) {
        memcpy(j->at, last->name, last->len);
        j->at_len = last->len;
    }
    *end = !u && j->budget;
    return u;
}

static void rewind_walk(struct user_job *j)
{
    j->at_len = 0;
    j->at_name = 0;
}

/* ---- writing ---- */

/* The user's new home; false: it stays as it is. */
static bool decide(struct user_job *j, const struct user *u, struct slice *home)
{
    struct controlplane *cp = j->req->cp;
    uint16_t node = nodes_of_home(cp, u->home);

    *home = slice_of("", 0);
    if (j->to == TO_NOTHING)
        return u->home != 0;
    if (node && j->plan.at[node] && j->plan.node[j->plan.at[node] - 1].frozen)
        return false;
    uint16_t to = plan_take(&j->plan, node, u->contacts != NULL);
    if (!to || to == node)
        return false;
    if (!nodes_takes_users(cp, to)) { /* it is being removed since this was planned */
        j->gone++;
        return false;
    }
    *home = slice_str(nodes_name(cp, to));
    return true;
}

static enum bulk_next next(void *arg, struct bulk_item *out)
{
    struct user_job *j = arg;
    const struct user *u;
    bool end;

    while ((u = next_user(j, &end))) {
        struct slice home;
        if (!decide(j, u, &home))
            continue;
        out->op = RECORD_SET;
        out->expect = RECORD_SAME;
        out->version = u->version;
        out->name_len = u->len;
        memcpy(out->name, u->name, u->len);
        out->value_len = users_value(u, home, out->value);
        j->written++;
        return BULK_ITEM;
    }
    return end ? BULK_END : BULK_LATER;
}

static void refused(void *arg, struct slice name, uint32_t tag, enum record_result result)
{
    struct user_job *j = arg;

    (void)name;
    (void)tag;
    (void)result;
    j->conflicts++; /* another administrator was faster: that one's word stands */
}

static uint64_t count_moves(const struct user_job *j)
{
    return j->to == TO_NOTHING ? j->selected : j->plan.moved;
}

static void target_gone(struct user_job *j)
{
    rules_add(&j->findings, RULE_target_leaving, "%llu user%s not moved: the new home is being removed",
              (unsigned long long)j->gone, rules_plural(j->gone));
}

json_t *user_job_loads(struct controlplane *cp, const uint64_t before[], const uint64_t after[])
{
    json_t *list = json_array();

    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_subcluster *s = topology_subcluster_of(&cp->topology, i);
        if (!topology_node(&cp->topology, i))
            continue;
        json_array_append_new(list, json_pack("{s:s, s:s?, s:I, s:I}", "node", nodes_name(cp, i),
                                              "subcluster", s ? s->name : NULL, "before",
                                              (json_int_t)before[i], "after", (json_int_t)after[i]));
    }
    return list;
}

static json_t *answer(const struct user_job *j)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o}", "selected", (json_int_t)j->selected,
                     "moved", (json_int_t)count_moves(j), "written", (json_int_t)(j->written - j->conflicts),
                     "conflicts", (json_int_t)j->conflicts, "in_failover", (json_int_t)j->frozen, "unknown",
                     (json_int_t)j->unknown, "dry_run", j->dry_run, "nodes",
                     user_job_loads(j->req->cp, j->before, j->after), "warnings",
                     admin_findings(&j->findings));
}

static void done(void *arg, const char *why)
{
    struct user_job *j = arg;
    uint64_t n = j->bulk ? bulk_done(j->bulk) : 0;

    j->bulk = NULL;
    j->req->drop = NULL;
    if (j->gone)
        target_gone(j);
    if (why)
        admin_fail(j->req, ADMIN_UNAVAILABLE, "the same command again does the rest; hgctl status",
                   "%llu users are done, then: %s", (unsigned long long)n, why);
    else
        admin_ok_when_applied(j->req, answer(j), 0);
}

static void drop(struct admin_request *req)
{
    struct user_job *j = req->state;

    bulk_forget(j->bulk);
    j->bulk = NULL;
}

static void write_turn(struct admin_request *req, uint64_t now_ms)
{
    struct user_job *j = req->state;

    if (now_ms >= j->told_ms) {
        j->told_ms = now_ms + PROGRESS_MS;
        admin_progress(req, bulk_done(j->bulk), count_moves(j) + j->taken[0], "users");
    }
    j->budget = PIECE; /* what follows on answers of Redis before the next turn lives on the rest of it */
    bulk_turn(j->bulk);
}

static void begin_writing(struct user_job *j)
{
    const struct bulk_work work = {.arg = j, .next = next, .refused = refused, .done = done};

    j->counting = false;
    rewind_walk(j);
    j->bulk = bulk_start(j->req->cp->record, &work);
    if (!j->bulk) {
        admin_fail(j->req, ADMIN_INTERNAL, NULL, "out of memory");
        return;
    }
    j->req->drop = drop;
    j->req->poll = write_turn;
}

/* ---- judging ---- */

static void judge(struct user_job *j, const struct rules_facts *w)
{
    memcpy(j->before, w->users, sizeof(j->before));
    memcpy(j->after, w->users, sizeof(j->after));
    if (j->to == TO_NOTHING) {
        for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
            j->after[i] -= j->taken[i];
            j->after[0] += j->taken[i];
        }
        if (j->selected)
            rules_add(&j->findings, RULE_no_availability, "%llu user%s without service from then on",
                      (unsigned long long)j->selected, rules_plural(j->selected));
        if (w->large && j->selected >= w->large)
            rules_add(&j->findings, RULE_large_move, "%llu users at once cost performance",
                      (unsigned long long)j->selected);
        return;
    }
    if (!plan_level(&j->plan)) {
        if (j->plan.selected)
            rules_no_target(w, user_job_mode(j->req->cp), &j->findings);
        return;
    }
    plan_after(&j->plan, w, j->after);
    j->after[0] -= j->taken[0];
    if (j->to == TO_NODE)
        rules_target(w, j->node, &j->findings);
    if (j->rebalance)
        rules_rebalance(w, j->after, j->plan.moved, &j->findings);
    else
        rules_users(w, j->after, j->plan.moved, &j->findings);
}

static void decide_all(struct user_job *j)
{
    struct controlplane *cp = j->req->cp;
    struct rules_facts w;

    nodes_facts(cp, &w);
    judge(j, &w);
    if (rules_refusal(&j->findings, j->force))
        admin_fail_findings(j->req, &j->findings, j->force);
    else if (j->dry_run)
        admin_ok(j->req, answer(j));
    else
        begin_writing(j);
}

static void count_home(struct user_job *j, uint16_t home, uint32_t users, uint32_t signed_in)
{
    uint16_t node = nodes_of_home(j->req->cp, home);

    if (!users)
        return;
    if (j->to == TO_NOTHING ? !home : !plan_select(&j->plan, node, users, signed_in)) {
        j->frozen += j->to != TO_NOTHING ? users : 0;
        return;
    }
    j->selected += users;
    j->taken[node] += users;
}

static void count_turn(struct admin_request *req, uint64_t now_ms)
{
    struct user_job *j = req->state;
    const struct user *u;
    bool end = false;

    (void)now_ms;
    j->budget = PIECE;
    while ((u = next_user(j, &end)))
        count_home(j, u->home, 1, u->contacts != NULL);
    if (end) {
        req->poll = NULL;
        decide_all(j);
    }
}

static void count(struct user_job *j)
{
    struct controlplane *cp = j->req->cp;
    struct rules_facts w;

    nodes_facts(cp, &w);
    if (j->to == TO_NODE)
        plan_begin_node(&j->plan, &w, j->node);
    else if (j->to != TO_NOTHING)
        plan_begin(&j->plan, &w, user_job_mode(cp), j->to == TO_SUBCLUSTER ? j->subcluster : 0);
    j->counting = true;
    if (j->names || j->match) {
        j->req->poll = count_turn;
        return;
    }
    for (uint16_t i = 0; i < HG_NODES_MAX; i++)
        if ((!j->from_given || is_from(j, i)) && (!j->rebalance || j->plan.at[nodes_of_home(cp, i)]))
            count_home(j, i, users_count_at(cp->users, i), users_signed_in_at(cp->users, i));
    decide_all(j);
}

/* ---- the requests ---- */

enum topology_mode user_job_mode(const struct controlplane *cp)
{
    return (enum topology_mode)(cp->config->assign_mode + TOPOLOGY_BALANCED);
}

bool user_job_target(struct admin_request *req, const char *to, enum user_target *target, uint16_t *node,
                     uint16_t *subcluster)
{
    struct controlplane *cp = req->cp;

    *target = strcmp(to, "all") == 0 ? TO_ALL : TO_NOTHING;
    if (*target == TO_ALL || strcmp(to, "nothing") == 0 || strcmp(to, "-") == 0)
        return true;
    *node = nodes_find(cp, slice_str(to));
    if (*node) {
        *target = TO_NODE;
        return true;
    }
    const struct topology_subcluster *s = topology_find_subcluster(&cp->topology, slice_str(to));
    if (s) {
        *subcluster = s->index;
        *target = TO_SUBCLUSTER;
        return true;
    }
    admin_fail(req, ADMIN_NOT_FOUND,
               "a node, a subcluster, all or nothing: hgctl node list, hgctl subcluster list",
               "no node and no subcluster is named %.100s", to);
    return false;
}

static struct user_job *begin(struct admin_request *req)
{
    struct user_job *j = calloc(1, sizeof(*j));

    req->state = j;
    if (!j) {
        admin_fail(req, ADMIN_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    j->req = req;
    if (!admin_arg_bool(req, "force", &j->force) || !admin_arg_bool(req, "dry_run", &j->dry_run))
        return NULL;
    if (!record_loaded(req->cp->record)) {
        admin_fail(req, ADMIN_UNAVAILABLE, "hgctl status shows the state of Redis",
                   "Redis is away, or the record is being read");
        return NULL;
    }
    return j;
}

static bool take_from(struct user_job *j)
{
    const char *from = NULL;

    if (!admin_arg_string(j->req, "from", &from))
        return false;
    if (!from)
        return true;
    j->from_given = true;
    if (strcmp(from, "nothing") == 0 || strcmp(from, "-") == 0)
        return true;
    j->from = users_home_find(j->req->cp->users, slice_str(from));
    if (j->from || nodes_find(j->req->cp, slice_str(from))) {
        if (!j->from)
            j->from = HG_NODES_MAX; /* a node that is nobody's home */
        return true;
    }
    admin_fail(j->req, ADMIN_NOT_FOUND, "hgctl node list shows the names", "no node is named %.100s", from);
    return false;
}

void admin_user_assign(struct admin_request *req)
{
    struct user_job *j = begin(req);
    const char *to = NULL;

    if (!j || !take_from(j) || !admin_arg_string(req, "to", &to) ||
        !admin_arg_string(req, "match", &j->match) || !admin_arg_bool(req, "all", &j->all))
        return;
    j->names = json_object_get(req->args, "users");
    if (j->names && !json_is_array(j->names)) {
        admin_fail(req, ADMIN_BAD_REQUEST, NULL, "users must be a list of names");
        return;
    }
    if (!to || (!j->names && !j->match && !j->from_given && !j->all)) {
        admin_fail(req, ADMIN_BAD_REQUEST, "hgctl user assign --from NODE --to TARGET",
                   to ? "nothing is selected: a pattern, --from or --all" : "--to is missing");
        return;
    }
    if (user_job_target(req, to, &j->to, &j->node, &j->subcluster))
        count(j);
}

void admin_user_rebalance(struct admin_request *req)
{
    struct user_job *j = begin(req);

    if (!j)
        return;
    j->to = TO_ALL;
    j->rebalance = true;
    count(j);
}
