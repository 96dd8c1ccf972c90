/* SPDX-License-Identifier: BSD-2-Clause */
/* The watchers of the critical services (D12-D23): what the cores show in the segment, and the record. What
 * heartbeats show is run_hears.c. */
#include <stdio.h>

#include "controlplane.h"
#include "ha/run_impl.h"
#include "store/events.h"

#define GATEWAY_NS 10000000000u /* silence of a gateway that the cores ask all the time */

void ha_service_tell(struct ha *ha, unsigned bit, bool watched, bool up)
{
    const struct service *s = &ha->services.s[bit];
    struct srm_event e = {.type = SRM_SERVICE,
                          .u.service = {.bit = (uint8_t)bit,
                                        .watched = watched,
                                        .up = up,
                                        .relative = s->relative,
                                        .database = s->database,
                                        .routes = s->routes}};

    ha_give(ha, &e);
}

void ha_service_set(struct ha *ha, unsigned bit, bool watched, bool up, const char *why)
{
    struct service *s = &ha->services.s[bit];
    bool was_watched = s->known && s->watched, was_up = s->up;

    if (!services_set(&ha->services, bit, watched, up, ha_clock_ns(&ha->clock), why))
        return;
    if (watched && was_watched && was_up != up) { /* D14: each stop and start is told, a rolling outage too */
        log_printf(&ha->cp->log, up ? HG_LOG_INFO : HG_LOG_WARNING, "service", "critical service %s %s%s%s",
                   s->name, up ? "runs again" : "is down", up ? "" : ": ", s->why);
        event_write(ha->cp->event_stream, EVENT_SERVICE, up ? "info" : "warning", s->name, "%s%s%s",
                    up ? "runs again" : "is down", up ? "" : ": ", s->why);
    }
    ha_service_tell(ha, bit, watched, up);
}

static void cores(struct ha *ha, const struct hg_segment *s)
{
    char why[100];

    if (!s || !hg_segment_dp_lives(s)) {
        ha_service_set(ha, SERVICE_cores, true, false,
                       s ? "the dataplane is not running" : "no dataplane is attached");
        return;
    }
    for (unsigned c = 0; c < s->cores; c++) {
        struct feed_core_status st;
        if (!feed_core_status(ha->cp->feed, c, &st) || st.alive)
            continue;
        snprintf(why, sizeof(why), "core %u has not turned for some seconds", c);
        ha_service_set(ha, SERVICE_cores, true, false, why);
        return;
    }
    bool ready = feed_dp_ready(ha->cp->feed);
    ha_service_set(ha, SERVICE_cores, true, ready, ready ? NULL : "the dataplane is loading its tables");
}

static void links(struct ha *ha, const struct hg_segment *s)
{
    uint32_t ports = ha->cp->config->nports;
    uint64_t all = ports < 64 ? (1ull << ports) - 1 : UINT64_MAX;
    char why[100];

    if (!s)
        return; /* "cores" says it */
    uint64_t up = atomic_load_explicit(&s->core[0].area->links, memory_order_acquire) & all;
    unsigned down = 0;
    while (down < ports && up & 1ull << down)
        down++;
    snprintf(why, sizeof(why), "the link of port %u is down", down);
    ha_service_set(ha, SERVICE_link, ports > 0, up == all, why);
}

/* Any core that heard the gateway is enough: they share the wire. */
static void gateways(struct ha *ha, const struct hg_segment *s)
{
    uint64_t has = 0, silent = 0, now = ha_clock_tsc();
    char why[100];

    if (!s)
        return;
    for (unsigned c = 0; c < s->cores; c++)
        has |= atomic_load_explicit(&s->core[c].area->gateways, memory_order_acquire);
    for (unsigned i = 0; i < HG_IFACES_MAX; i++) {
        uint64_t seen = 0;
        if (!(has & 1ull << i))
            continue;
        for (unsigned c = 0; c < s->cores; c++) {
            uint64_t v = atomic_load_explicit(&s->core[c].area->gateway_seen[i], memory_order_acquire);
            seen = v > seen ? v : seen;
        }
        if (seen == 0 || (now > seen && ha_clock_ns_of(&ha->clock, now - seen) > GATEWAY_NS))
            silent |= 1ull << i;
    }
    snprintf(why, sizeof(why), "the gateway of interface %d does not answer",
             silent ? __builtin_ctzll(silent) : 0);
    ha_service_set(ha, SERVICE_gateway, has != 0, silent == 0, why);
}

static void record(struct ha *ha)
{
    ha_service_set(ha, SERVICE_record, true, ha->record_up,
                   "Redis cannot be reached, or the record is not whole");
}

void ha_watch(struct ha *ha)
{
    const struct hg_segment *s = feed_segment(ha->cp->feed);

    cores(ha, s);
    links(ha, s);
    gateways(ha, s);
    ha_watch_hearing(ha, s);
    record(ha);
}
