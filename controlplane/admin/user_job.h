/* SPDX-License-Identifier: BSD-2-Clause */
/* Assignment of many users: the selection is counted, planned and judged by the rules first; then the record
 * is written with progress shown. */
#ifndef CONTROLPLANE_ADMIN_USER_JOB_H
#define CONTROLPLANE_ADMIN_USER_JOB_H

#include "admin/request.h"
#include "assign/plan.h"
#include "assign/users.h"
#include "assign/bulk.h"
#include "topology/rules.h"

enum user_target { TO_NOTHING, TO_NODE, TO_SUBCLUSTER, TO_ALL };

struct user_job { /* state of the request */
    struct admin_request *req;
    struct bulk *bulk;
    /* what was asked for */
    enum user_target to;
    uint16_t node, subcluster;
    bool force, dry_run, rebalance;
    bool all, from_given;
    uint16_t from; /* home; 0 = unassigned */
    const char *match;
    json_t *names; /* a list, or NULL */
    /* the walk */
    bool counting;
    unsigned budget;
    uint32_t at_len;
    size_t at_name;
    char at[USERS_NAME_MAX + 1];
    /* what came out */
    struct plan plan;
    struct findings findings;
    uint64_t before[HG_NODES_MAX], after[HG_NODES_MAX];
    uint64_t taken[HG_NODES_MAX]; /* of the selection, by node; 0: unassigned */
    uint64_t selected, written, conflicts, frozen, unknown, gone;
    uint64_t told_ms;
};

/* Where "to" leads: a node, a subcluster, "all" or "nothing". false: answered. */
bool user_job_target(struct admin_request *req, const char *to, enum user_target *target, uint16_t *node,
                     uint16_t *subcluster);
enum topology_mode user_job_mode(const struct controlplane *cp);
/* users by node before and after, for the answer */
json_t *user_job_loads(struct controlplane *cp, const uint64_t before[], const uint64_t after[]);

#endif
