/* SPDX-License-Identifier: BSD-2-Clause */
/* The nodes of the cluster as this process speaks of them: by the index that the record gave them. Until the
 * record was read once, the file's: this node is 1, cluster.nodes follow. */
#ifndef CONTROLPLANE_NODE_NODES_H
#define CONTROLPLANE_NODE_NODES_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/config.h"
#include "hg/slice.h"
#include "topology/rules.h"

struct controlplane;

/* 0: no node of that name */
uint16_t nodes_find(const struct controlplane *cp, struct slice name);
const char *nodes_name(const struct controlplane *cp, uint16_t node); /* "" */
/* Where it takes SIP; false: not known. */
bool nodes_sip(const struct controlplane *cp, uint16_t node, struct hg_endpoint *out);
/* The node that is home of the users of this home (assign/users.h); 0: they are unassigned, or no node has
 * the name. */
uint16_t nodes_of_home(struct controlplane *cp, uint16_t home);
/* There is such a node, and it is not being removed. */
bool nodes_takes_users(const struct controlplane *cp, uint16_t node);
/* This node is one of the two that may serve users of that home node: they get the contacts. */
bool nodes_serve_here(const struct controlplane *cp, uint16_t node);
/* All with an endpoint, for access lists and names. For free(). */
struct hg_config_node *nodes_list(const struct controlplane *cp, uint32_t *n);

/* Topology changed: on the next turn the cores are told, and users whose home is another node now. */
void nodes_changed(struct controlplane *cp);
/* The record has named every node and subcluster. */
void nodes_whole(struct controlplane *cp);
bool nodes_may_tell(const struct controlplane *cp);
void nodes_turn(struct controlplane *cp);

/* What the rules look at. */
void nodes_facts(struct controlplane *cp, struct rules_facts *out);

#endif
