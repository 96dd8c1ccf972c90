/* SPDX-License-Identifier: BSD-2-Clause */
/* troubleshoot (Z10): one list of checks, each with what to do when it is not ok. What the rules find in the
 * cluster as it stands (A27 among them), what this node sees, and its alarms. BAD is what does not work, or
 * may be lost; advice is what works, and could be better. */
#include <stdio.h>
#include <string.h>

#include "admin/request.h"
#include "controlplane.h"
#include "ha/row_text.h"
#include "ha/run.h"
#include "log/json_text.h"
#include "node/nodes.h"
#include "node/ready.h"
#include "store/record.h"
#include "topology/rules.h"

enum verdict { OK, ADVICE, BAD, VERDICTS };

struct checks {
    json_t *list;
    unsigned n[VERDICTS];
};

static void check(struct checks *c, const char *name, enum verdict verdict, const char *text,
                  const char *advice)
{
    static const char *const words[VERDICTS] = {"ok", "advice", "bad"};

    c->n[verdict]++;
    json_array_append_new(c->list, json_pack("{s:s, s:s, s:o, s:o}", "check", name, "verdict", words[verdict],
                                             "text", json_text(text), "advice",
                                             verdict == OK || !advice ? json_null() : json_text(advice)));
}

static void ready(struct checks *c, struct controlplane *cp)
{
    char text[READY_TEXT];
    unsigned reasons = ready_reasons(cp, text, sizeof(text));
    bool asked = reasons == 1 && cp->draining; /* an administrator took it out of service */
    char *end = strchr(text, '\n');

    if (end)
        *end = '\0';
    check(c, "dataplane",
          reasons == 0 ? OK
          : asked      ? ADVICE
                       : BAD,
          reasons ? text : "this node takes traffic", "hgctl status; the log of hg-dataplane");
}

static void record(struct checks *c, struct controlplane *cp)
{
    bool good = record_loaded(cp->record);

    check(c, "record", good ? OK : BAD, good ? "the record is followed" : "the record cannot be read",
          "start Redis or repair the way to it; node.redis says where it is expected");
}

static void rules_of(struct checks *c, struct controlplane *cp)
{
    struct rules_facts w;
    struct findings f;

    nodes_facts(cp, &w);
    w.outage[cp->self] = NULL; /* other checks say it */
    w.behind[cp->self] = false;
    rules_begin(&f);
    rules_standing(&w, &f);
    for (unsigned i = 0; i < f.n; i++) {
        enum rule_id rule = f.finding[i].rule;
        check(c, rules[rule].name, rules_is_bad(rule) ? BAD : ADVICE, f.finding[i].text, rules[rule].allow);
    }
    if (f.n == 0)
        check(c, "topology", OK, "nodes, subclusters, names and high availability are as they should be",
              NULL);
}

/* While users move, waiting is all there is to do. */
static bool is_moving(const struct srm_row_info *row)
{
    for (unsigned k = 0; k < 2; k++)
        if (srm_in_transition(row->state[k]) && row->state[k] != STATE_BACKUP_ACTIVATED &&
            row->state[k] != STATE_AFFECTED_SERVICES)
            return true;
    return false;
}

static void pairs(struct checks *c, struct controlplane *cp)
{
    for (uint16_t i = 1; i < TOPOLOGY_SUBCLUSTERS_MAX; i++) {
        const struct topology_subcluster *s = topology_subcluster(&cp->topology, i);
        const struct srm_entry *entry = s ? ha_entry_of(cp->ha, s->name) : NULL;
        char cause[ROW_TEXT_MAX], advice[ROW_TEXT_MAX], text[ROW_TEXT_MAX + 2 * TOPOLOGY_NAME_MAX];
        if (!entry || !entry->ha)
            continue;
        const struct srm_row_info *row = &srm_row_info[entry->row];
        const char *const names[] = {nodes_name(cp, s->node[0]), nodes_name(cp, s->node[1])};
        snprintf(text, sizeof(text), "subcluster %s, %s: %s", s->name, row->name,
                 row_text(row->cause, names, entry->flip, cause));
        check(c, "high availability",
              entry->row == ROW_F01 ? OK
              : is_moving(row)      ? ADVICE
                                    : BAD,
              text, row_text(row->advice, names, entry->flip, advice));
    }
}

static void services(struct checks *c, struct controlplane *cp)
{
    const struct services *list = ha_services(cp->ha);
    char text[300];

    for (unsigned i = 0; i < list->n; i++) {
        const struct service *s = &list->s[i];
        if (!s->watched || !s->known)
            continue;
        snprintf(text, sizeof(text), "critical service %s %s%s", s->name,
                 s->up ? "runs" : "is down: ", s->why);
        check(c, "critical service", s->up ? OK : BAD, text, s->text);
    }
}

static void reachable(struct checks *c, struct controlplane *cp)
{
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_node *n = topology_node(&cp->topology, i);
        struct ha_way w;
        char text[400];
        for (int service = 0; n && n->installed && i != cp->self && service < 2; service++) {
            if (!ha_way_to(cp->ha, i, service, &w) || !w.reachable)
                continue;
            bool good = w.heard_ms < (uint64_t)cp->config->ha_heartbeat_timeout_ms + 2000;
            snprintf(text, sizeof(text), "node %s %s over the %s network", n->name,
                     good ? "answers" : "does not answer", service ? "service" : "management");
            check(c, "node", good ? OK : BAD, text, "hgctl node ping; start the node, or repair the network");
        }
    }
}

/* Those that the checks above do not say. */
static void alarms(struct checks *c, struct controlplane *cp)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ALARM_COUNT; i++) {
        if (!cp->alarms.a[i].standing)
            continue;
        n++;
        check(c, alarm_names[i], alarm_is_bad(i) ? BAD : ADVICE, cp->alarms.a[i].detail,
              "docs/operations.md, reading an alarm");
    }
    if (n == 0)
        check(c, "alarms", OK, "no alarm stands", NULL);
}

void admin_troubleshoot(struct admin_request *req)
{
    struct controlplane *cp = req->cp;
    struct checks c = {.list = json_array()};

    ready(&c, cp);
    record(&c, cp);
    rules_of(&c, cp);
    pairs(&c, cp);
    services(&c, cp);
    reachable(&c, cp);
    alarms(&c, cp);
    admin_ok(req, json_pack("{s:s, s:i, s:i, s:o}", "node", cp->config->node_name, "bad", (int)c.n[BAD],
                            "advised", (int)c.n[ADVICE], "checks", c.list));
}
