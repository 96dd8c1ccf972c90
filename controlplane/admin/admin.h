/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket that hgctl talks to: docs/admin-protocol.md. */
#ifndef CONTROLPLANE_ADMIN_ADMIN_H
#define CONTROLPLANE_ADMIN_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "feed/feed.h"

struct admin;
struct controlplane;

/* NULL with a message in why when the socket cannot be made. */
struct admin *admin_create(struct controlplane *cp, const char *path, char *why, unsigned size);
void admin_close(struct admin *admin);

/* About every 10 ms: requests that wait for cores or time. */
void admin_poll(struct admin *admin, uint64_t now_ms);
/* A page of connections from the feed. */
void admin_connections(struct admin *admin, unsigned core, const struct hg_up_connections *page);
/* A traced message from the feed. */
void admin_trace(struct admin *admin, unsigned core, const struct hg_up_trace *trace, struct slice message);

#endif
