/* SPDX-License-Identifier: BSD-2-Clause */
/* One compilation of the routes, on a thread of libuv's pool. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hg/route_image.h"
#include "push/routes_impl.h"
#include "routes/book.h"

void route_job_free(struct route_job *job)
{
    if (!job)
        return;
    book_release(job->pages);
    free(job->resolved);
    free(job->nodes);
    free(job->status);
    free(job->by_slot);
    free(job->hop_at);
    free(job->hop);
    free(job);
}

/* Which hops a route leads to is said by the image alone, by the route's slot. */
static bool map_hops(struct route_job *job)
{
    const struct hg_image *image = job->result->image;
    const struct hg_image_route *route = HG_IMAGE_AT(image, HG_SECTION_ROUTES, struct hg_image_route);
    const struct hg_image_target *target = HG_IMAGE_AT(image, HG_SECTION_TARGETS, struct hg_image_target);
    uint64_t nroutes = image->section[HG_SECTION_ROUTES].n, ntargets = image->section[HG_SECTION_TARGETS].n;

    job->hop_at = calloc((size_t)job->nslots + 2, sizeof(job->hop_at[0]));
    job->hop = calloc(ntargets + 1, sizeof(job->hop[0]));
    if (!job->hop_at || !job->hop)
        return false;
    for (uint64_t i = 0; i < nroutes; i++)
        if (route[i].slot && route[i].slot < job->nslots)
            job->hop_at[route[i].slot + 1] += route[i].ntargets;
    for (uint32_t slot = 0; slot < job->nslots; slot++)
        job->hop_at[slot + 1] += job->hop_at[slot];
    for (uint64_t i = 0; i < nroutes; i++) {
        if (!route[i].slot || route[i].slot >= job->nslots)
            continue;
        uint32_t at = job->hop_at[route[i].slot];
        for (uint32_t k = 0; k < route[i].ntargets && at + k < ntargets && route[i].target + k < ntargets;
             k++)
            job->hop[at + k] = target[route[i].target + k].hop;
    }
    return true;
}

void route_job_compile(uv_work_t *work)
{
    struct route_job *job = work->data;

    job->result = routes_compile(job->routes, &job->input);
    if (!job->result) {
        snprintf(job->why, sizeof(job->why), "out of memory");
        return;
    }
    uint32_t n = job->result->n;
    for (uint32_t i = 0; i < n; i++)
        if (job->result->status[i].slot >= job->nslots)
            job->nslots = job->result->status[i].slot + 1;
    job->status = malloc((n + 1) * sizeof(job->status[0]));
    job->by_slot = calloc(job->nslots + 1, sizeof(job->by_slot[0]));
    if (!job->status || !job->by_slot || !map_hops(job)) {
        snprintf(job->why, sizeof(job->why), "out of memory");
        job->result = NULL;
        return;
    }
    memcpy(job->status, job->result->status, n * sizeof(job->status[0]));
    for (uint32_t i = 0; i < n; i++)
        if (job->status[i].slot)
            job->by_slot[job->status[i].slot] = i + 1;
    job->published = routes_publish(job->routes, job->name, job->why, sizeof(job->why));
}
