/* SPDX-License-Identifier: BSD-2-Clause */
/* This node's own entry in the record: a node that starts registers itself (A06, A10). The first one becomes
 * the publisher, one that the record does not know joins unassigned, a logical node becomes installed. Nodes
 * of the file's list cluster.nodes are made known as logical ones, at the start and at each reload. */
#ifndef CONTROLPLANE_NODE_JOIN_H
#define CONTROLPLANE_NODE_JOIN_H

#include <stdbool.h>

struct controlplane;

void join_loaded(struct controlplane *cp); /* the record is in memory */
void join_file(struct controlplane *cp);   /* a file was read: nodes that only it knows */
void join_turn(struct controlplane *cp);   /* what changed of this node since */
bool join_done(const struct controlplane *cp);

#endif
