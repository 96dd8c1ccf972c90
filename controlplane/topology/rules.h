/* SPDX-License-Identifier: BSD-2-Clause */
/* What a command may do and what it has to say beforehand, as pure functions of what is known. Each finding
 * has the id of its rule (rules.def), a sentence with the names in it, and what would allow it. */
#ifndef CONTROLPLANE_TOPOLOGY_RULES_H
#define CONTROLPLANE_TOPOLOGY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "topology/model.h"

enum rule_verdict { RULE_WARN, RULE_FORCE, RULE_REFUSE };

enum rule_id {
#define RULE(id, requirements, verdict, allow) RULE_##id,
#include "topology/rules.def"
#undef RULE
    RULES
};

struct rule {
    const char *name, *requirements, *allow;
    enum rule_verdict verdict;
};
extern const struct rule rules[RULES];

#define FINDINGS_MAX 48

struct finding {
    enum rule_id rule;
    char text[256];
};

struct findings {
    unsigned n;
    struct finding finding[FINDINGS_MAX];
};

/* How a node stands, of the record's table of states (E01-E14). Without high availability a node is in
 * HEALTH_NORMAL. */
enum node_health {
    HEALTH_UNKNOWN,
    HEALTH_NORMAL,
    HEALTH_BACKUP, /* Running in Backup Mode */
    HEALTH_TRANSITION,
    HEALTH_FAILED /* it does not act for its users: idle, failed over, failed */
};

enum rule_resolves { NAME_NOT_ASKED, NAME_RESOLVES, NAME_FAILS };

/* What the rules look at. By index of the node. */
struct rules_facts {
    const struct topology *t;
    uint64_t users[HG_NODES_MAX];     /* homed there */
    uint16_t serving[HG_NODES_MAX];   /* who serves a home now; 0 = not told, itself */
    uint8_t health[HG_NODES_MAX];     /* enum node_health */
    uint8_t resolves[HG_NODES_MAX];   /* enum rule_resolves */
    bool down[HG_NODES_MAX];          /* known not to run */
    bool behind[HG_NODES_MAX];        /* known not to follow the record */
    bool paired[HG_NODES_MAX];        /* its manager acts by high availability still, whatever is wanted */
    uint8_t cpu[HG_NODES_MAX];        /* percent, 0 = not known */
    const char *outage[HG_NODES_MAX]; /* a critical service that does not run there; NULL = none is known */
    uint16_t unresolved_at[HG_NODES_MAX]; /* a node on which the name does not resolve; 0 = none is known */
    uint8_t cpu_max;                      /* percent that a node of a pair may use; 0 = not looked at */
    uint32_t nodes_max, im_only_nodes_max, ha_subclusters_max;
    bool im_only;
    bool secret;            /* the cluster has one */
    uint32_t node_capacity; /* of nodes that say none; 0 = no bound */
    uint32_t large;         /* users in one operation that make it a large one */
    uint32_t heartbeat_interval_ms, heartbeat_timeout_ms, init_timeout_ms;
    const char *domain, *cluster_id;
};

void rules_begin(struct findings *f);
void rules_add(struct findings *f, enum rule_id rule, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The first that forbids; force: those that can be forced do not. NULL: allowed. */
const struct finding *rules_refusal(const struct findings *f, bool force);
/* Of a standing one: something does not work now. The others are advice. */
bool rules_is_bad(enum rule_id rule);
bool rules_has(const struct findings *f, enum rule_id rule);

/* ---- nodes (rules_node.c) ---- */
void rules_node_add(const struct rules_facts *w, struct slice name, enum rule_resolves resolves,
                    struct findings *f);
void rules_node_remove(const struct rules_facts *w, uint16_t node, struct findings *f);
/* slot: -1 = the free one */
void rules_node_assign(const struct rules_facts *w, uint16_t node, uint16_t subcluster, int slot,
                       struct findings *f);
void rules_node_unassign(const struct rules_facts *w, uint16_t node, struct findings *f);
void rules_node_move(const struct rules_facts *w, uint16_t node, uint16_t subcluster, int slot,
                     struct findings *f);
void rules_node_capacity(const struct rules_facts *w, uint16_t node, uint32_t capacity, struct findings *f);

/* The letter behind "1 user", "2 users". */
const char *rules_plural(uint64_t n);

/* ---- subclusters (rules_subcluster.c) ---- */
void rules_subcluster_add(const struct rules_facts *w, struct slice name, struct findings *f);
void rules_subcluster_remove(const struct rules_facts *w, uint16_t subcluster, struct findings *f);
/* The service addresses of one slot of a subcluster that is made or changed; it need not be in the record
 * yet. */
void rules_service(const struct rules_facts *w, const struct topology_subcluster *changed, unsigned slot,
                   struct findings *f);
void rules_ha_on(const struct rules_facts *w, uint16_t subcluster, struct findings *f);
void rules_ha_off(const struct rules_facts *w, uint16_t subcluster, struct findings *f);

/* ---- users (rules_users.c) ---- */
/* after: users by home when it is done. moved: of them those that had another home before. */
void rules_users(const struct rules_facts *w, const uint64_t after[HG_NODES_MAX], uint64_t moved,
                 struct findings *f);
/* An administrator names this node as the new home. */
void rules_target(const struct rules_facts *w, uint16_t node, struct findings *f);
void rules_rebalance(const struct rules_facts *w, const uint64_t after[HG_NODES_MAX], uint64_t moved,
                     struct findings *f);
/* No node is left that automatic assignment could choose, in this mode of the cluster. */
void rules_no_target(const struct rules_facts *w, enum topology_mode mode, struct findings *f);
bool rules_is_loaded(const struct rules_facts *w, uint16_t node);
uint32_t rules_capacity(const struct rules_facts *w, uint16_t node); /* UINT32_MAX = no bound */

/* ---- the cluster as it stands, for troubleshooting (rules_standing.c) ---- */
void rules_standing(const struct rules_facts *w, struct findings *f);

/* Another presence domain (B12). */
void rules_domain(const struct rules_facts *w, const char *domain, struct findings *f);

#endif
