/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CONTROLPLANE_ASSIGN_DOMAIN_H
#define CONTROLPLANE_ASSIGN_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

struct hg_config;

/* The cores know a user by cluster.domain, whichever of the cluster's names a request carries. name,
 * canonical, gets that domain when it has another name of the cluster. false: its domain is not the
 * cluster's, no request would find it. name: USERS_NAME_MAX + 1 bytes. */
bool user_take_home(const struct hg_config *config, char *name, uint32_t *len);

#endif
