/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes of both sources -> names resolved -> compiled on a thread of libuv's pool -> published -> feed. One
 * compilation at a time; what changes meanwhile goes into the next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "controlplane.h"
#include "dns/resolver.h"
#include "feed/feed.h"
#include "node/nodes.h"
#include "push/push.h"
#include "push/routes_impl.h"
#include "impl/segment.h"
#include "routes/book.h"

#define RESOLVE_MS 100
#define FIRST_MS   300 /* a first compilation waits that long for names */

static void on_names_changed(void *arg)
{
    push_routes_dirty(arg);
}

bool push_routes_create(struct controlplane *cp)
{
    struct timespec now;
    struct route_push *p = calloc(1, sizeof(*p));

    if (!p)
        return false;
    cp->route_push = p;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t generation = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    routes_clean(cp->config->node_name, NULL);
    p->routes = routes_create(cp->config->node_name, (uint32_t)cp->config->dp_routes_max, generation);
    p->resolver = resolver_create(cp->dns, &cp->loop, on_names_changed, cp);
    p->first = true;
    p->created_ms = uv_now(&cp->loop);
    push_routes_dirty(cp);
    return p->routes && p->resolver;
}

void push_routes_stop(struct controlplane *cp)
{
    struct route_push *p = cp->route_push;

    if (!p)
        return;
    resolver_close(p->resolver);
    p->resolver = NULL;
    const struct hg_segment *segment = feed_segment(cp->feed);
    /* what cores have mapped stays theirs; a dataplane that starts waits for the next control plane anyway */
    if (p->routes &&
        (!segment || !hg_segment_dp_lives(segment) || !p->retire || feed_image_served(cp->feed, p->retire)))
        routes_clean(cp->config->node_name, NULL);
}

void push_routes_free(struct controlplane *cp)
{
    struct route_push *p = cp->route_push;

    if (!p)
        return;
    route_job_free(p->running);
    route_job_free(p->last);
    if (p->routes)
        routes_destroy(p->routes);
    for (unsigned i = 0; i < p->nold; i++)
        hg_config_free(p->old[i]);
    free(p->hops);
    free(p);
    cp->route_push = NULL;
}

uint64_t push_routes_dirty(struct controlplane *cp)
{
    struct route_push *p = cp->route_push;

    p->names_dirty = true;
    return ++p->wanted;
}

uint64_t push_routes_wanted(const struct controlplane *cp)
{
    return cp->route_push->wanted;
}

uint64_t push_routes_version(const struct controlplane *cp)
{
    return cp->route_push->done;
}

bool push_routes_busy(const struct controlplane *cp)
{
    return cp->route_push->running != NULL;
}

static void tell_refused(struct controlplane *cp, const struct route_job *job)
{
    uint32_t refused = job->result->count[ROUTES_REFUSED];

    if (!refused) {
        alarm_clear(&cp->alarms, ALARM_routes_refused);
        return;
    }
    char why[256] = "";
    const struct hg_static_route *route = NULL;
    for (uint32_t i = 0; i < job->result->n && !route; i++) {
        if (job->status[i].state != ROUTES_REFUSED)
            continue;
        uint32_t nfile = job->input.config->nroutes;
        route = i < nfile ? &job->input.config->routes[i] : &job->input.admin[i - nfile];
        routes_reason(&job->input, route, &job->status[i], why, sizeof(why));
    }
    alarm_raise(&cp->alarms, ALARM_routes_refused, "%u static routes cannot be used; \"%s\": %s", refused,
                route ? route->name : "", why);
}

static void tell_names(struct controlplane *cp)
{
    bool no_server;
    const char *example;
    uint32_t failed = resolver_failed(cp->route_push->resolver, &no_server, &example);

    if (!failed)
        alarm_clear(&cp->alarms, ALARM_dns_failed);
    else if (no_server)
        alarm_raise(
            &cp->alarms, ALARM_dns_failed,
            "no DNS server answers, %u names such as %s have no address; without DNS give IP addresses",
            failed, example);
    else
        alarm_raise(&cp->alarms, ALARM_dns_failed, "%u names have no address, such as %s", failed, example);
}

/* At most two old ones can still be read: by the compilation that runs and by the one that is shown. */
static void free_old_configs(struct controlplane *cp)
{
    struct route_push *p = cp->route_push;
    unsigned kept = 0;

    for (unsigned i = 0; i < p->nold; i++) {
        struct hg_config *old = p->old[i];
        if ((p->running && p->running->input.config == old) || (p->last && p->last->input.config == old))
            p->old[kept++] = old;
        else
            hg_config_free(old);
    }
    p->nold = kept;
}

static void take_hops(struct route_push *p)
{
    uint32_t n = routes_hops_end(p->routes);
    struct hg_endpoint *hops = calloc(n + 1, sizeof(hops[0]));

    if (!hops)
        return;
    for (uint32_t i = 0; i < n; i++)
        routes_hop(p->routes, (uint16_t)i, &hops[i]);
    free(p->hops);
    p->hops = hops;
    p->nhops = n;
}

static void compiled(uv_work_t *work, int status)
{
    struct route_job *job = work->data;
    struct controlplane *cp = job->cp;
    struct route_push *p = cp->route_push;

    p->running = NULL;
    if (status == UV_ECANCELED || cp->stopping) {
        if (status == 0 && job->published)
            (void)shm_unlink(job->name); /* nobody heard of it */
        route_job_free(job);
        return;
    }
    if (!job->result || !job->published) {
        log_printf(&cp->log, HG_LOG_ERROR, "routes_failed", "the routes could not be compiled: %s", job->why);
        p->retry_at = uv_now(&cp->loop) + 1000;
        route_job_free(job);
        return;
    }
    feed_image_set(cp->feed, job->result->generation, job->result->size, job->name);
    p->retire = job->result->generation;
    take_hops(p);
    route_job_free(p->last);
    p->last = job;
    p->done = job->version;
    p->first = false;
    log_printf(&cp->log, HG_LOG_DEBUG, "routes_compiled",
               "generation %llu, %u routes, %u active, %u next hops",
               (unsigned long long)job->result->generation, job->result->n, job->result->count[ROUTES_ACTIVE],
               job->result->hops);
    tell_refused(cp, job);
    tell_names(cp);
    free_old_configs(cp);
}

static void start(struct controlplane *cp)
{
    struct route_push *p = cp->route_push;
    struct route_job *job = calloc(1, sizeof(*job));

    if (!job)
        return;
    job->work.data = job;
    job->cp = cp;
    job->routes = p->routes;
    job->version = p->wanted;
    job->pages = book_hold(cp->routes, &job->input.admin, &job->input.nadmin);
    job->input.config = cp->config;
    job->nodes = nodes_list(cp, &job->input.nnodes);
    job->input.nodes = job->nodes;
    int64_t n = resolver_results(p->resolver, &job->resolved);
    if (n < 0 || !job->nodes) {
        route_job_free(job);
        return;
    }
    job->input.resolved = job->resolved;
    job->input.nresolved = (uint32_t)n;
    p->running = job;
    uv_queue_work(&cp->loop, &job->work, route_job_compile, compiled);
}

static void want_names(struct controlplane *cp)
{
    struct route_push *p = cp->route_push;
    struct routes_input input = {.config = cp->config};
    struct routes_name *names = NULL;
    struct route_pages *pages = book_hold(cp->routes, &input.admin, &input.nadmin);
    int64_t n = routes_names(&input, &names);

    if (n >= 0 && resolver_want(p->resolver, names, (uint32_t)n))
        p->names_dirty = false;
    free(names);
    book_release(pages);
}

static bool names_pending(const struct route_push *p)
{
    struct routes_resolved *list;
    int64_t n = resolver_results(p->resolver, &list);
    bool pending = false;

    for (int64_t i = 0; i < n && !pending; i++)
        pending = list[i].pending;
    free(list);
    return pending;
}

/* Routes without those of the record would take away what a serving dataplane has: it keeps its own until the
 * record is here, however long Redis is away. A fresh one gets what there is after a moment. */
static bool hold_for_record(struct controlplane *cp, uint64_t now_ms)
{
    if (record_was_loaded(cp->record))
        return false;
    if (feed_segment(cp->feed) && cp->push_users.served)
        return true;
    return now_ms - cp->route_push->created_ms < RECORD_WAIT_MS;
}

void push_routes_turn(struct controlplane *cp, uint64_t now_ms)
{
    struct route_push *p = cp->route_push;

    if (p->names_dirty && !p->running) {
        want_names(cp);
        p->resolve_at = 0;
    }
    if (now_ms >= p->resolve_at) {
        p->resolve_at = now_ms + RESOLVE_MS;
        resolver_turn(p->resolver, now_ms);
    }
    if (p->running)
        return;
    if (p->retire && feed_image_served(cp->feed, p->retire)) {
        routes_retire(p->routes, p->retire);
        p->retire = 0;
    }
    if (p->first && hold_for_record(cp, now_ms))
        return;
    /* a dataplane without tables is better served a moment later, with next hops that lead somewhere */
    if (p->first && now_ms - p->created_ms < FIRST_MS && names_pending(p))
        return;
    if (p->wanted > p->done && now_ms >= p->retry_at)
        start(cp);
    else
        free_old_configs(cp);
}

void push_routes_retire_config(struct controlplane *cp, struct hg_config *old)
{
    struct route_push *p = cp->route_push;

    free_old_configs(cp);
    p->old[p->nold++] = old;
}
