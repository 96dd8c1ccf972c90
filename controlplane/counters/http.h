/* SPDX-License-Identifier: BSD-2-Clause */
/* GET /metrics for Prometheus and GET /healthz for whoever asks whether this node is ready. */
#ifndef CONTROLPLANE_COUNTERS_HTTP_H
#define CONTROLPLANE_COUNTERS_HTTP_H

struct controlplane;
struct http;

struct http *http_create(struct controlplane *cp, char *why, unsigned size);
void http_close(struct http *http);

#endif
