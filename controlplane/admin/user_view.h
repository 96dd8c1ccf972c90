/* SPDX-License-Identifier: BSD-2-Clause */
/* Users as requests name them and as answers show them. */
#ifndef CONTROLPLANE_ADMIN_USER_VIEW_H
#define CONTROLPLANE_ADMIN_USER_VIEW_H

#include "admin/request.h"
#include "assign/users.h"

/* Takes "user", as the record has it where it is there. name: USERS_NAME_MAX + 1. false: answered. */
bool user_view_name(struct admin_request *req, char *name, uint32_t *len);
/* The name under cluster.domain; false: of a foreign domain, answered. */
bool user_view_is_ours(struct admin_request *req, char *name, uint32_t *len);
json_t *user_view(struct controlplane *cp, const struct user *u);

#endif
