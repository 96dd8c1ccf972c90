/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands on nodes and subclusters have in common: the rules decide, the record is changed, the answer
 * shows what it is now and every warning. With "dry_run" nothing is changed; "force" overrides rules that can
 * be. */
#ifndef CONTROLPLANE_ADMIN_TOPOLOGY_EDIT_H
#define CONTROLPLANE_ADMIN_TOPOLOGY_EDIT_H

#include "admin/request.h"
#include "dns/dns.h"
#include "topology/rules.h"
#include "topology/change.h"

struct topology_edit_request;
/* Runs the rules into e->findings and, when they allow it, adds to items (NULL: dry run). false: the object
 * is not there, e->missing says so. */
typedef bool (*topology_edit_make)(struct topology_edit_request *e, const struct rules_facts *w,
                                   struct topology_items *items);

struct topology_edit_request { /* state of the request */
    struct admin_request *req;
    topology_edit_make make;
    json_t *(*show)(struct controlplane *cp, const char *name);
    const char *member; /* of the result: "node" or "subcluster" */
    bool force, dry_run, removes;
    bool missing; /* the answer is not_found */
    /* A node that goes is marked first, so that nobody assigns users to it while it is judged once more. */
    enum { EDIT_ONLY, EDIT_MARK, EDIT_REMOVE, EDIT_TAKE_BACK } step;
    struct findings forbidden; /* why it was taken back */
    enum rule_resolves resolves;
    struct findings findings;
    char name[HG_NODE_NAME_MAX + 1];
    char subcluster[TOPOLOGY_NAME_MAX + 1];
    int slot; /* -1: the free one */
    /* what node.set and subcluster.set change */
    bool set_capacity, set_publisher, set_ha, set_mode, ha, set_service[TOPOLOGY_SLOTS];
    uint32_t capacity;
    enum topology_mode mode;
    unsigned nservice[TOPOLOGY_SLOTS];
    struct hg_net service[TOPOLOGY_SLOTS][TOPOLOGY_SERVICE_MAX];
};

/* Takes "name", "force" and "dry_run". NULL: the request is answered. */
struct topology_edit_request *topology_edit_begin(struct admin_request *req, const char *member,
                                                  topology_edit_make make,
                                                  json_t *(*show)(struct controlplane *cp, const char *name));
/* Takes a further text argument; false: answered. */
bool topology_edit_text(struct topology_edit_request *e, const char *arg, bool required, char *out,
                        size_t size);
void topology_edit_run(struct topology_edit_request *e);

json_t *node_object(struct controlplane *cp, const char *name);
json_t *subcluster_object(struct controlplane *cp, const char *name);
extern const char *const node_health_names[];

#endif
