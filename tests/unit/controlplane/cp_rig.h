/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole control plane in one process, in a folder of its own, without a dataplane. */
#ifndef TESTS_CP_RIG_H
#define TESTS_CP_RIG_H

#include <stdint.h>

#include "controlplane.h"

struct cp_rig {
    struct controlplane *cp;
    char dir[64], file[96];
    char name[32];
    unsigned redis_port; /* 1: there is none */
};

/* what: names the folder and the node. more: the group cluster of its file. */
void cp_rig_start(struct cp_rig *rig, const char *what, unsigned redis_port, const char *more);
/* Writes the file anew. */
void cp_rig_config(const struct cp_rig *rig, const char *more);
/* After life_stop(): nothing is left but the file. */
void cp_rig_clear(struct cp_rig *rig);
int cp_rig_dial(struct cp_rig *rig, int flags); /* the admin socket */

#endif
