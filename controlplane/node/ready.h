/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether this node serves, and if not, why: one list for hgctl, /healthz and whoever asks. */
#ifndef CONTROLPLANE_NODE_READY_H
#define CONTROLPLANE_NODE_READY_H

#include <stddef.h>

#define READY_TEXT 1024

struct controlplane;

/* Reasons against, one line each; returns how many. */
unsigned ready_reasons(struct controlplane *cp, char *out, size_t size);

#endif
