/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to the room: the entries of struct topology_unread. */
#ifndef CONTROLPLANE_TOPOLOGY_UNREAD_H
#define CONTROLPLANE_TOPOLOGY_UNREAD_H

#include "topology/model.h"

enum topology_kind { TOPOLOGY_NODE, TOPOLOGY_SUBCLUSTER };

void unread_add(struct topology_unread *unread, enum topology_kind kind, struct slice name);
void unread_drop(struct topology_unread *unread, enum topology_kind kind, struct slice name);

#endif
