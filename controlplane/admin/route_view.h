/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes as they are shown: what was written, and what became of it. */
#ifndef CONTROLPLANE_ADMIN_ROUTE_VIEW_H
#define CONTROLPLANE_ADMIN_ROUTE_VIEW_H

#include "admin/request.h"
#include "push/push.h"

json_t *route_view_one(struct controlplane *cp, const struct push_routes_view *view, uint32_t index);
/* For admin_request.finish: result.route is shown again, as it was compiled now. */
void route_view_finish(struct admin_request *req);

#endif
