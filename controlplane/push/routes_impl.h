/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to routes*.c. */
#ifndef CONTROLPLANE_PUSH_ROUTES_IMPL_H
#define CONTROLPLANE_PUSH_ROUTES_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "hg/config.h"
#include "hg/endpoint.h"
#include "routes/routes.h"

struct controlplane;
struct resolver;
struct route_pages;

/* One compilation, and what it gave. */
struct route_job {
    uv_work_t work;
    struct controlplane *cp;
    struct routes *routes;
    struct routes_input input;
    struct routes_resolved *resolved;
    struct hg_config_node *nodes;
    struct route_pages *pages;
    uint64_t version;
    /* what came out */
    const struct routes_result *result;
    bool published;
    char name[64], why[256];
    /* copies that stay readable while the next one runs */
    struct routes_status *status;
    uint32_t *by_slot; /* index + 1 */
    uint32_t *hop_at;  /* by slot: first of its hops in hop[], hop_at[slot + 1] the end */
    uint16_t *hop;
    uint32_t nslots;
};

struct route_push {
    struct routes *routes;
    struct resolver *resolver;
    uint64_t wanted, done; /* versions */
    struct route_job *running, *last;
    uint64_t retire; /* generation that is waited for */
    uint64_t resolve_at, retry_at;
    bool names_dirty, first;
    uint64_t created_ms;
    struct hg_config *old[4]; /* configurations that a job may still read */
    unsigned nold;
    struct hg_endpoint *hops; /* by slot, of the last result */
    uint32_t nhops;
};

/* routes_job.c: on a thread of the pool, where nothing of struct controlplane may be touched. */
void route_job_compile(uv_work_t *work);
void route_job_free(struct route_job *job);

#endif
