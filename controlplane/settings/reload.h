/* SPDX-License-Identifier: BSD-2-Clause */
/* A reload reads the file again. A bad file changes nothing; items that only a restart applies are told. */
#ifndef CONTROLPLANE_SETTINGS_RELOAD_H
#define CONTROLPLANE_SETTINGS_RELOAD_H

#include <stdbool.h>
#include <stdio.h>

#include "hg/config.h"

struct controlplane;

/* errors: what was wrong, one line each. told is called for each item that differs, before the new one is in
 * force. */
/* Another configuration comes into force; what only a restart applies stays. The old one is freed in time. */
void reload_take(struct controlplane *cp, struct hg_config *config);
bool reload(struct controlplane *cp, FILE *errors, hg_config_entry_fn *told, void *arg);
/* The same for SIGHUP: the outcome goes to the log. */
void reload_logged(struct controlplane *cp);
/* Log format and level, deadlines: what the control plane itself takes from the configuration. */
void reload_own(struct controlplane *cp);

#endif
