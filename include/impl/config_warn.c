/* SPDX-License-Identifier: BSD-2-Clause */
/* What a file may say and its author may not mean. The file may be another machine's, so this refuses
 * nothing. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hg/config.h"
#include "hg/route_pattern.h"
#include "impl/config_table.h"

struct warn {
    const struct hg_config *config;
    FILE *out;
};

static void at_item(void *arg, const char *item, const char *text)
{
    const struct warn *w = arg;
    char where[600];

    hg_config_where(w->config, item, where, sizeof(where));
    if (strcmp(where, item) == 0 && w->config->source->file) /* it says nothing of it */
        fprintf(w->out, "%s: ", w->config->source->file);
    fprintf(w->out, "%s: warning: %s\n", where, text);
}

/* The element of a list; name: of the element, may be NULL. */
static void at_element(const struct warn *w, unsigned list, uint32_t index, const char *name,
                       const char *text)
{
    const struct hg_config_source *source = w->config->source;

    if (source->file)
        fprintf(w->out, "%s:", source->file);
    if (source->list_line[list])
        fprintf(w->out, "%u:", source->list_line[list][index]);
    fprintf(w->out, "%s%s", source->file ? " " : "", config_lists[list].name);
    fprintf(w->out, name ? "[%s]: warning: %s\n" : "%s: warning: %s\n", name ? name : "", text);
}

static void cores(struct warn *w)
{
    uint16_t cpu[HG_CORES_MAX];
    char text[100];
    long there = sysconf(_SC_NPROCESSORS_CONF);
    int n = hg_config_cpus(w->config->dp_cores, cpu);

    for (int i = 0; i < n; i++)
        if (cpu[i] >= there) {
            snprintf(text, sizeof(text), "CPU %u is not there: this machine has %ld, from 0 on", cpu[i],
                     there);
            at_item(w, "dataplane.cores", text);
            return;
        }
}

static void routes(struct warn *w)
{
    static const char *const protocols[] = {"UDP", "TCP", "TLS"};
    const struct hg_config *c = w->config;
    char why[300], text[400];

    for (uint32_t i = 0; i < c->nroutes; i++) {
        const struct hg_static_route *route = &c->routes[i];
        if (route->in_service && route->proto != HG_UDP) {
            snprintf(text, sizeof(text), "stays out of service: no transport %s yet",
                     protocols[route->proto]);
            at_element(w, CONFIG_ROUTES, i, route->name, text);
        }
        if (hg_route_pattern_check(route->type, route->pattern,
                                   (const char(*)[HG_PATTERN_MAX + 1]) c->templates, c->ntemplates, why,
                                   sizeof(why)) != NULL) {
            snprintf(text, sizeof(text), "stays out of service: %s", why);
            at_element(w, CONFIG_ROUTES, i, route->name, text);
        }
    }
}

/* The publisher could not put them into the record, and the other nodes would never learn of them. */
static void long_lists(struct warn *w)
{
    for (unsigned i = 0; i < config_lists_n; i++) {
        char *text = NULL, said[300];
        size_t len = 0;
        FILE *f = config_lists[i].cluster && config_count(&config_lists[i], w->config)
                      ? open_memstream(&text, &len)
                      : NULL;
        if (!f)
            continue;
        hg_config_write_list(w->config, config_lists[i].name, f);
        fclose(f);
        free(text);
        if (len <= HG_CONFIG_LIST_BYTES)
            continue;
        snprintf(said, sizeof(said),
                 "%zu bytes, and the cluster's record takes lists of %d: it is in force on nodes whose own "
                 "file has it, "
                 "and nowhere else; give every node the same file%s",
                 len, HG_CONFIG_LIST_BYTES,
                 i == CONFIG_ROUTES ? ", or keep routes in the record: hgctl route add" : "");
        at_element(w, i, 0, NULL, said);
    }
}

static void nothing_to_do(struct warn *w)
{
    const struct hg_config *c = w->config;

    if (c->nlisteners == 0)
        at_item(w, "dataplane.listeners", "empty: no SIP is taken");
    if (c->naccess + c->nneighbours == 0)
        at_item(w, "cluster.access", "empty, and so is cluster.neighbours: only next hops may send");
    if (strcmp(c->cluster_domain, "DOMAIN.NOT.SET") == 0)
        at_item(w, "cluster.domain",
                "not set: unless the record or the name of the first node gives one, no user is served");
}

void hg_ha_times_check(const struct hg_ha_times *t, hg_ha_times_fn *fn, void *arg)
{
    if (t->timeout < 2 * t->interval)
        fn(arg, "cluster.ha.heartbeat_timeout",
           "D35: should be at least twice cluster.ha.heartbeat_interval");
    if (t->init_timeout < 2 * t->timeout)
        fn(arg, "cluster.ha.init_timeout", "D35: should be at least twice cluster.ha.heartbeat_timeout");
    if (t->lease < 3 * t->interval)
        fn(arg, "cluster.ha.lease",
           "should be at least three heartbeat intervals: else two lost heartbeats end it");
    if (t->lease < t->timeout)
        fn(arg, "cluster.ha.lease",
           "should be no shorter than cluster.ha.heartbeat_timeout: else users are without service before "
           "anybody takes "
           "them over");
    if (t->guard < t->lease / 1000)
        fn(arg, "cluster.ha.guard",
           "should be at least a thousandth of the lease: clocks of two machines drift apart");
}

static void redis_files(struct warn *w)
{
    const struct hg_config *c = w->config;
    const struct {
        const char *item, *file;
    } files[] = {{"node.redis.tls_ca", c->redis_tls_ca},
                 {"node.redis.tls_cert", c->redis_tls_cert},
                 {"node.redis.tls_key", c->redis_tls_key}};

    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (!files[i].file[0])
            continue;
        if (!c->redis_tls)
            at_item(w, files[i].item, "not used: node.redis.tls is false");
        else if (access(files[i].file, R_OK) != 0)
            at_item(w, files[i].item, "this file cannot be read: hg-controlplane does not start");
    }
    if (c->redis_tls && !c->redis_tls_server_name[0] && c->nsentinels)
        at_item(w, "node.redis.tls_server_name",
                "empty: the certificate of each Redis server and Sentinel must name its address");
}

static void tls_files(struct warn *w)
{
    const struct hg_config *c = w->config;
    static const char text[] = "this file cannot be read: hg-dataplane does not start";

    if (c->tls_trust[0] && access(c->tls_trust, R_OK) != 0)
        at_item(w, "dataplane.tls.trust", text);
    for (uint32_t i = 0; i < c->ncertificates; i++) {
        const char *const file[] = {c->certificates[i].chain, c->certificates[i].key};
        for (unsigned k = 0; k < 2; k++)
            if (access(file[k], R_OK) != 0)
                at_element(w, CONFIG_CERTIFICATES, i, file[k], text);
    }
}

void hg_config_warn(const struct hg_config *config, FILE *out)
{
    struct warn w = {config, out};
    const struct hg_ha_times times = {
        .interval = (uint64_t)config->ha_heartbeat_interval_ms,
        .timeout = (uint64_t)config->ha_heartbeat_timeout_ms,
        .init_timeout = (uint64_t)config->ha_init_timeout_ms,
        .lease = (uint64_t)config->ha_lease_ms,
        .guard = (uint64_t)config->ha_guard_ms,
    };

    cores(&w);
    nothing_to_do(&w);
    redis_files(&w);
    tls_files(&w);
    hg_ha_times_check(&times, at_item, &w);
    routes(&w);
    long_lists(&w);
}
