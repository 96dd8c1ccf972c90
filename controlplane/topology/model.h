/* SPDX-License-Identifier: BSD-2-Clause */
/* The cluster in memory, as the record has it: nodes by index, subclusters of at most two. Everything else is
 * derived from these two tables. No I/O, no time: whoever follows the record gives the entries in, in any
 * order. */
#ifndef CONTROLPLANE_TOPOLOGY_MODEL_H
#define CONTROLPLANE_TOPOLOGY_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "hg/limits.h"
#include "hg/slice.h"

#define TOPOLOGY_SLOTS           2            /* nodes of a subcluster (A02) */
#define TOPOLOGY_SUBCLUSTERS_MAX HG_NODES_MAX /* index 0 is never used */
#define TOPOLOGY_SERVICE_MAX     8            /* service addresses of one slot */
#define TOPOLOGY_NAME_MAX        64           /* of a subcluster */
#define TOPOLOGY_PROTOCOL        1            /* major version that this build speaks (D05, ZZ18) */
#define TOPOLOGY_REVISION                                                                                    \
    "topology.revision" /* field of the settings that every change of topology raises                        \
                         */

enum topology_mode { TOPOLOGY_MODE_INHERIT, TOPOLOGY_BALANCED, TOPOLOGY_ACTIVE_STANDBY, TOPOLOGY_NONE };
extern const char *const topology_mode_names[]; /* "inherit", "balanced", "active-standby", "none", NULL */

struct topology_node {
    uint16_t index;      /* in the record: id; 0 = there is none here */
    uint16_t subcluster; /* index, 0 = unassigned (A12); derived */
    uint8_t slot;        /* 0 = A, 1 = B */
    bool publisher;
    bool installed; /* false: a logical node (A10) */
    bool draining;
    bool leaving; /* being removed: takes no users any more */
    bool mark;
    uint32_t protocol;          /* major version, 0 = not installed yet */
    uint32_t capacity;          /* users, 0 = the cluster's default */
    bool capacity_own;          /* the node's own file says it */
    struct hg_endpoint address; /* management: heartbeats; port 0 = not known */
    struct hg_endpoint sip;     /* where it takes SIP; port 0 = not known */
    struct hg_endpoint service; /* heartbeats over the service network; port 0 = not known */
    char name[HG_NODE_NAME_MAX + 1];
    char subcluster_name[TOPOLOGY_NAME_MAX + 1]; /* as the record says, "" = none */
    char version[32];
};

struct topology_subcluster {
    uint16_t index;
    uint16_t node[TOPOLOGY_SLOTS]; /* 0 = empty slot; derived */
    bool ha;
    bool mark;
    uint8_t nservice[TOPOLOGY_SLOTS];
    enum topology_mode mode;
    struct hg_net service[TOPOLOGY_SLOTS]
                         [TOPOLOGY_SERVICE_MAX]; /* address with prefix, of the slot's home node */
    char name[TOPOLOGY_NAME_MAX + 1];
};

/* Entries that cannot be used, where nothing is known in their place: until they are written right, removed,
 * or read anew. */
struct topology_unread {
    uint64_t key[32]; /* of kind and name */
    unsigned n;
    bool more; /* a whole table, or too many */
};

struct topology {
    uint64_t generation; /* another one after each change */
    bool loading;        /* between load_begin and load_end */
    struct topology_unread unread;
    struct topology_node node[HG_NODES_MAX];
    struct topology_subcluster subcluster[TOPOLOGY_SUBCLUSTERS_MAX];
    /* of the load under way: who lost its index to one that was told earlier; "" = nobody */
    char ousted_node[HG_NODES_MAX][HG_NODE_NAME_MAX + 1];
    char ousted_subcluster[TOPOLOGY_SUBCLUSTERS_MAX][TOPOLOGY_NAME_MAX + 1];
};

/* ---- entries of the record (codec.c) ---- */
bool topology_node_parse(struct slice name, struct slice json, struct topology_node *out, char *why,
                         size_t size);
char *topology_node_text(const struct topology_node *node); /* for free() */
bool topology_subcluster_parse(struct slice name, struct slice json, struct topology_subcluster *out,
                               char *why, size_t size);
char *topology_subcluster_text(const struct topology_subcluster *subcluster); /* for free() */

/* ---- changes ---- */
void topology_init(struct topology *t);
/* A new or changed entry of the record. false and why: it cannot be used, the old one stays. true and why:
 * it is used, and another one is not that had its id. */
bool topology_set_node(struct topology *t, struct slice name, struct slice json, char *why, size_t size);
bool topology_set_subcluster(struct topology *t, struct slice name, struct slice json, char *why,
                             size_t size);
bool topology_remove_node(struct topology *t, struct slice name);
bool topology_remove_subcluster(struct topology *t, struct slice name);
/* A load of the record: what was not set between the two goes. true: something went. */
void topology_load_begin(struct topology *t);
bool topology_load_end(struct topology *t);

/* A table that cannot be read at all. */
void topology_table_unread(struct topology *t);

/* ---- questions ---- */
/* There may be nodes or subclusters that are not known here. */
bool topology_is_unread(const struct topology *t);
/* NULL: the record has none of that index or name. */
const struct topology_node *topology_node(const struct topology *t, uint16_t index);
const struct topology_node *topology_find_node(const struct topology *t, struct slice name);
const struct topology_subcluster *topology_find_subcluster(const struct topology *t, struct slice name);
const struct topology_subcluster *topology_subcluster(const struct topology *t, uint16_t index);
/* NULL: unassigned, or no such node */
const struct topology_subcluster *topology_subcluster_of(const struct topology *t, uint16_t node);
/* The other node of the subcluster, 0 = none. */
uint16_t topology_peer(const struct topology *t, uint16_t node);
/* Both have the same subcluster, and it is highly available. */
bool topology_are_pair(const struct topology *t, uint16_t a, uint16_t b);
uint16_t topology_publisher(const struct topology *t); /* 0 = none yet */
unsigned topology_nodes(const struct topology *t);
unsigned topology_subclusters(const struct topology *t);
/* The lowest that nothing has, 0 = none is left. */
uint16_t topology_free_node(const struct topology *t);
uint16_t topology_free_subcluster(const struct topology *t);

#endif
