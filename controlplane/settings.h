/* SPDX-License-Identifier: BSD-2-Clause */
/* The cluster{} items of the record (DESIGN 6). The publisher writes what its file says at start and reload;
 * hgctl set changes them at once; every node has the record's value in force, and an alarm when its own file
 * says another. */
#ifndef CONTROLPLANE_SETTINGS_H
#define CONTROLPLANE_SETTINGS_H

#include <stdbool.h>

#include "hg/config.h"
#include "hg/slice.h"
#include "store/version.h"

struct controlplane;

bool settings_create(struct controlplane *cp);
void settings_free(struct controlplane *cp);

/* ---- from the record ---- */
void settings_load_begin(struct controlplane *cp);
void settings_one(struct controlplane *cp, struct slice path, struct slice value,
                  struct record_version version);
void settings_gone(struct controlplane *cp, struct slice path);
void settings_load_end(struct controlplane *cp);

/* A configuration was read from the file: the record's values go over it. */
void settings_apply(struct controlplane *cp, struct hg_config *config);
/* Once a second: publishes what this node's file says, if it is the publisher's. */
void settings_second(struct controlplane *cp);

#endif
