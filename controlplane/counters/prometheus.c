/* SPDX-License-Identifier: BSD-2-Clause */
#include "counters/prometheus.h"

#include <inttypes.h>
#include <string.h>

#include "controlplane.h"
#include "counters/export.h"
#include "counters/names.h"
#include "counters/view.h"
#include "feed/feed.h"
#include "hg/stages.h"
#include "store/record.h"

void prometheus_label(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\\' || *p == '"')
            fputc('\\', out);
        if (*p == '\n')
            fputs("\\n", out);
        else
            fputc(*p, out);
    }
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void drops(const struct hg_segment *s, FILE *out)
{
    head(out, "hg_drop_total", "counter", "arrivals dropped, by reason");
    for (unsigned id = 0; id < HG_DROP_COUNT; id++)
        for (unsigned c = 0; c < s->cores; c++)
            fprintf(out, "hg_drop_total{layer=\"%s\",reason=\"%s\",core=\"%u\"} %" PRIu64 "\n",
                    hg_counter_info[id].layer, hg_counter_info[id].name + strlen("drop_"), c,
                    view_counter(s, c, id));
}

static void counters(const struct hg_segment *s, FILE *out)
{
    for (unsigned id = HG_DROP_COUNT; id < HG_COUNTERS_MAX; id++) {
        const struct hg_counter_info *info = &hg_counter_info[id];
        bool gauge = info->kind == HG_KIND_GAUGE;
        char name[128];
        if (!info->name)
            continue;
        snprintf(name, sizeof(name), "hg_%s%s", info->name, gauge ? "" : "_total");
        head(out, name, gauge ? "gauge" : "counter", info->text);
        for (unsigned c = 0; c < s->cores; c++)
            fprintf(out, "%s{core=\"%u\"} %" PRIu64 "\n", name, c, view_counter(s, c, id));
    }
}

/* Buckets are powers of two of TSC cycles; the sum is taken at their middle, as cycles are not summed one by
 * one. */
static void histograms(const struct hg_segment *s, FILE *out)
{
    double hz = s->tsc_hz ? (double)s->tsc_hz : 1e9;

    head(out, "hg_stage_seconds", "histogram",
         "time of one unit of work in a stage of a core's turn, sampled");
    for (unsigned stage = 0; stage < HG_STAGE_COUNT; stage++) {
        for (unsigned c = 0; c < s->cores; c++) {
            const char *name = hg_stage_info[stage].name;
            uint64_t count = 0;
            double sum = 0;
            for (unsigned b = 0; b < HG_HISTOGRAM; b++) {
                uint64_t n = view_load(&s->core[c].area->histogram[stage][b]);
                double top = (double)((uint64_t)2 << b);
                count += n;
                sum += (double)n * 0.75 * top;
                fprintf(out, "hg_stage_seconds_bucket{stage=\"%s\",core=\"%u\",le=\"%.9g\"} %" PRIu64 "\n",
                        name, c, top / hz, count);
            }
            fprintf(out, "hg_stage_seconds_bucket{stage=\"%s\",core=\"%u\",le=\"+Inf\"} %" PRIu64 "\n", name,
                    c, count);
            fprintf(out, "hg_stage_seconds_sum{stage=\"%s\",core=\"%u\"} %.9g\n", name, c, sum / hz);
            fprintf(out, "hg_stage_seconds_count{stage=\"%s\",core=\"%u\"} %" PRIu64 "\n", name, c, count);
        }
    }
}

void prometheus_segment(const struct hg_segment *s, FILE *out)
{
    drops(s, out);
    counters(s, out);
    histograms(s, out);
}

static void cores(struct controlplane *cp, const struct hg_segment *s, FILE *out)
{
    struct feed_core_status st;

    head(out, "hg_core_alive", "gauge", "1 while the core turns");
    for (unsigned c = 0; c < s->cores; c++)
        if (feed_core_status(cp->feed, c, &st))
            fprintf(out, "hg_core_alive{core=\"%u\"} %d\n", c, st.alive);
    head(out, "hg_core_heartbeat_age_seconds", "gauge", "time since the core turned last");
    for (unsigned c = 0; c < s->cores; c++)
        if (feed_core_status(cp->feed, c, &st))
            fprintf(out, "hg_core_heartbeat_age_seconds{core=\"%u\"} %.3f\n", c,
                    (double)st.heartbeat_age_ms / 1000);
    head(out, "hg_ring_cells", "gauge", "cells in use in the rings between the processes");
    for (unsigned c = 0; c < s->cores; c++)
        if (feed_core_status(cp->feed, c, &st))
            fprintf(
                out,
                "hg_ring_cells{ring=\"down\",core=\"%u\"} %u\nhg_ring_cells{ring=\"up\",core=\"%u\"} %u\n", c,
                st.down_cells, c, st.up_cells);
}

static void routes(struct controlplane *cp, const struct hg_segment *s, FILE *out)
{
    static const char *const what[] = {"requests", "answered", "failed"};
    static const char *const text[] = {"requests sent by the route", "final answers but 5xx",
                                       "5xx, time-outs and unreachable next hops"};

    for (unsigned i = 0; i < 3; i++) {
        char name[64];
        unsigned series = 0;
        snprintf(name, sizeof(name), "hg_route_%s_total", what[i]);
        head(out, name, "counter", text[i]);
        for (uint32_t slot = 0; slot < names_route_slots(cp) && series < PROMETHEUS_ROUTES; slot++) {
            struct hg_route_stats st;
            const char *route = names_route(cp, slot);
            view_route(s, slot, &st);
            if (!route || !(st.requests | st.answered | st.failed))
                continue;
            series++;
            fprintf(out, "%s{route=\"", name);
            prometheus_label(out, route);
            fprintf(out, "\"} %" PRIu64 "\n", i == 0 ? st.requests : i == 1 ? st.answered : st.failed);
        }
    }
}

static void hops(struct controlplane *cp, const struct hg_segment *s, FILE *out)
{
    static const char *const what[] = {"requests_total",
                                       "answered_total",
                                       "failed_total",
                                       "retransmissions_total",
                                       "probes_total",
                                       "probes_failed_total",
                                       "up"};

    for (unsigned i = 0; i < 7; i++) {
        char name[64], ep_text[HG_ENDPOINT_STRLEN];
        snprintf(name, sizeof(name), "hg_hop_%s", what[i]);
        head(out, name, i == 6 ? "gauge" : "counter",
             i == 6 ? "1 up, 0 down, -1 not known" : "of the next hop");
        for (uint32_t slot = 0; slot < s->hop_slots; slot++) {
            struct hg_endpoint ep;
            struct hg_hop_stats st;
            if (!names_hop(cp, slot, &ep))
                continue;
            view_hop(s, slot, &st);
            hg_endpoint_format(&ep, ep_text);
            const uint64_t v[] = {st.requests,        st.answered, st.failed,
                                  st.retransmissions, st.probes,   st.probes_failed};
            if (i == 6)
                fprintf(out, "%s{hop=\"%s\"} %d\n", name, ep_text,
                        st.state == 1   ? 1
                        : st.state == 2 ? 0
                                        : -1);
            else
                fprintf(out, "%s{hop=\"%s\"} %" PRIu64 "\n", name, ep_text, v[i]);
        }
    }
}

static void process(struct controlplane *cp, FILE *out)
{
    head(out, "hg_build_info", "gauge", "version of the control plane");
    fprintf(out, "hg_build_info{version=\"%s\",node=\"", HG_VERSION);
    prometheus_label(out, cp->config->node_name);
    fprintf(out, "\"} 1\n");
    head(out, "hg_ready", "gauge", "1 while every core has its tables and its listeners open");
    fprintf(out, "hg_ready %d\n", feed_dp_ready(cp->feed));
    head(out, "hg_dataplane_attached", "gauge", "1 while a dataplane is attached");
    fprintf(out, "hg_dataplane_attached %d\n", feed_segment(cp->feed) != NULL);
    head(out, "hg_draining", "gauge", "1 while new requests are refused");
    fprintf(out, "hg_draining %d\n", cp->draining);
    head(out, "hg_redis_up", "gauge", "1 while the record can be changed");
    fprintf(out, "hg_redis_up %d\n", redis_is_up(record_redis(cp->record)));
    head(out, "hg_exports_total", "counter", "exports to Redis that were confirmed");
    fprintf(out, "hg_exports_total %" PRIu64 "\n", export_done(cp->export));
    head(out, "hg_exports_skipped_total", "counter", "exports left out because Redis was slow");
    fprintf(out, "hg_exports_skipped_total %" PRIu64 "\n", export_skipped(cp->export));
    head(out, "hg_record_users", "gauge", "users that the control plane knows");
    fprintf(out, "hg_record_users %u\n", users_count(cp->users));
    for (unsigned i = 0; i < OWN_COUNTERS; i++) {
        char name[80];
        snprintf(name, sizeof(name), "hg_%s%s", own_info[i].name, own_info[i].gauge ? "" : "_total");
        head(out, name, own_info[i].gauge ? "gauge" : "counter", own_info[i].text);
        fprintf(out, "%s %" PRIu64 "\n", name, cp->own.v[i]);
    }
    head(out, "hg_alarm", "gauge", "1 while the alarm stands");
    for (unsigned i = 0; i < ALARM_COUNT; i++)
        fprintf(out, "hg_alarm{alarm=\"%s\"} %d\n", alarm_names[i], cp->alarms.a[i].standing);
}

void prometheus_write(struct controlplane *cp, FILE *out)
{
    const struct hg_segment *s = feed_segment(cp->feed);

    process(cp, out);
    if (!s)
        return;
    prometheus_segment(s, out);
    cores(cp, s, out);
    routes(cp, s, out);
    hops(cp, s, out);
}
