/* SPDX-License-Identifier: BSD-2-Clause */
/* What administrators and counters see of the routes: those of the last compilation. */
#include <string.h>

#include "controlplane.h"
#include "counters/names.h"
#include "push/push.h"
#include "push/routes_impl.h"

bool push_routes_view(const struct controlplane *cp, struct push_routes_view *out)
{
    const struct route_job *job = cp->route_push->last;

    memset(out, 0, sizeof(*out));
    if (!job)
        return false;
    out->nfile = job->input.config->nroutes;
    out->n = out->nfile + job->input.nadmin;
    out->file = job->input.config->routes;
    out->admin = job->input.admin;
    out->status = job->status;
    for (uint32_t i = 0; i < out->n; i++)
        if (job->status[i].state < ROUTES_STATES)
            out->count[job->status[i].state]++;
    out->generation = cp->route_push->done;
    return true;
}

const struct hg_static_route *push_routes_at(const struct push_routes_view *view, uint32_t index)
{
    return index < view->nfile ? &view->file[index] : &view->admin[index - view->nfile];
}

uint32_t push_routes_find(const struct push_routes_view *view, const char *name)
{
    for (uint32_t i = 0; i < view->n; i++)
        if (strcmp(push_routes_at(view, i)->name, name) == 0)
            return i;
    return UINT32_MAX;
}

const char *push_routes_reason(struct controlplane *cp, const struct push_routes_view *view, uint32_t index,
                               char *out, size_t size)
{
    const struct route_job *job = cp->route_push->last;

    out[0] = '\0';
    if (view->status[index].state == ROUTES_ACTIVE)
        return out;
    return routes_reason(&job->input, push_routes_at(view, index), &view->status[index], out, size);
}

uint32_t push_routes_hops(const struct controlplane *cp, uint32_t index, uint16_t *out, uint32_t max)
{
    const struct route_job *job = cp->route_push->last;
    uint32_t slot = job ? job->status[index].slot : 0, n = 0;

    if (!slot || slot >= job->nslots)
        return 0;
    for (uint32_t i = job->hop_at[slot]; i < job->hop_at[slot + 1] && n < max; i++)
        out[n++] = job->hop[i];
    return n;
}

struct routes *push_routes_book(const struct controlplane *cp)
{
    return cp->route_push->routes;
}

const struct routes_input *push_routes_input(const struct controlplane *cp)
{
    return cp->route_push->last ? &cp->route_push->last->input : NULL;
}

uint32_t names_route_slots(const struct controlplane *cp)
{
    return cp->route_push->last ? cp->route_push->last->nslots : 0;
}

const char *names_route(const struct controlplane *cp, uint32_t slot)
{
    const struct route_job *job = cp->route_push->last;

    if (!job || slot >= job->nslots)
        return NULL;
    if (slot == 0)
        return "_shared";
    uint32_t i = job->by_slot[slot];
    if (i == 0)
        return NULL;
    uint32_t nfile = job->input.config->nroutes;
    return i - 1 < nfile ? job->input.config->routes[i - 1].name : job->input.admin[i - 1 - nfile].name;
}

bool names_hop(const struct controlplane *cp, uint32_t slot, struct hg_endpoint *out)
{
    static const struct hg_endpoint none;
    const struct route_push *p = cp->route_push;

    if (slot >= p->nhops || hg_endpoint_eq(&p->hops[slot], &none))
        return false;
    *out = p->hops[slot];
    return true;
}
