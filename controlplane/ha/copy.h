/* SPDX-License-Identifier: BSD-2-Clause */
/* What a node keeps of the record in its own file, for a start without Redis: nodes, subclusters and who
 * serves whom. Text, with a version, the names of cluster and node, and a sum at its end; anything else is
 * refused whole. Pure. */
#ifndef CONTROLPLANE_HA_COPY_H
#define CONTROLPLANE_HA_COPY_H

#include <stdbool.h>
#include <stddef.h>

#include "ha/entries.h"
#include "topology/model.h"

#define COPY_MAX (1u << 20)

/* For free(); NULL: out of memory. */
char *copy_text(const char *cluster, const char *node, const struct topology *topology,
                const struct entries *entries);
/* Into empty ones. NULL: good. Else why not; what was filled in then is to be thrown away. */
const char *copy_read(const char *text, size_t len, const char *cluster, const char *node,
                      struct topology *topology, struct entries *entries);

#endif
