/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CONTROLPLANE_ADMIN_CONNECTIONS_H
#define CONTROLPLANE_ADMIN_CONNECTIONS_H

#include "admin/request.h"
#include "hg/records.h"

/* The request has asked this question. */
bool connections_wants(const struct admin_request *req, uint32_t id);
/* A page of the answer of one core. */
void connections_page(struct admin_request *req, unsigned core, const struct hg_up_connections *page);

#endif
