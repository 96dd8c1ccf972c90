/* SPDX-License-Identifier: BSD-2-Clause */
/* Users as requests name them and as answers show them. */
#ifndef CONTROLPLANE_ADMIN_USER_VIEW_H
#define CONTROLPLANE_ADMIN_USER_VIEW_H

#include "admin/request.h"
#include "assign/users.h"

/* The name that a person means: of a user that the record has, as it stands there, else as requests are
 * looked up. name: USERS_NAME_MAX + 1. */
bool user_view_typed(struct controlplane *cp, struct slice text, char *name, uint32_t *len, const char **why);
/* Takes "user", as the record has it where it is there. false: answered. */
bool user_view_name(struct admin_request *req, char *name, uint32_t *len);
/* The name under cluster.domain; false: of a foreign domain, answered. */
bool user_view_is_ours(struct admin_request *req, char *name, uint32_t *len);
json_t *user_view(struct controlplane *cp, const struct user *u);

#endif
