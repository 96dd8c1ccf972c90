/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CONTROLPLANE_ADMIN_TRACE_H
#define CONTROLPLANE_ADMIN_TRACE_H

#include "admin/request.h"
#include "hg/records.h"

bool trace_is(const struct admin_request *req);
/* One message for the running trace. May end the request. */
void trace_message(struct admin_request *req, unsigned core, const struct hg_up_trace *trace,
                   struct slice message);
struct admin_request *admin_running_trace(struct admin *admin);
size_t admin_client_queued(const struct admin_client *client);

#endif
