/* SPDX-License-Identifier: BSD-2-Clause */
/* Next-hop health (AE07). The owner of a hop (slot modulo cores) probes it, counts what all cores saw and
 * decides; the others are told of its decisions, and tell it what they saw. */
#include "hg/config.h"
#include "lib/mailbox.h"
#include "route/state.h"

/* Contents of MAIL_HOP_HEALTH: the owner's decision is an enum hop_state, a report is one of these. */
#define REPORT_FAILED   16
#define REPORT_ANSWERED 17

#define PROBE_SCAN 256 /* slots looked at in one housekeeping */

static unsigned owner_of(const struct route *r, uint32_t slot)
{
    return slot % r->ctx->cores;
}

static bool known(const struct route *r, uint32_t slot)
{
    return slot < r->nhops && r->hops[slot].serial != 0;
}

static const struct hg_endpoint *endpoint_of(const struct route *r, uint32_t slot)
{
    return &HG_IMAGE_AT(r->image, HG_SECTION_HOPS, struct hg_image_hop)[slot].ep;
}

static void show_state(struct route *r, uint32_t slot)
{
    if (r->ctx->hop_stats)
        hg_gauge(&r->ctx->hop_stats[slot].state, 0, r->hops[slot].state);
}

static void enter(struct route *r, uint32_t slot, uint8_t state)
{
    struct route_hop *hop = &r->hops[slot];
    if (hop->state == state)
        return;
    r->ndown += (state == HOP_DOWN) - (hop->state == HOP_DOWN);
    hop->state = state;
    show_state(r, slot);
    hg_gauge(r->ctx->counters, HG_C_hops_down, r->ndown);
}

/* A full mailbox loses nothing for good: decisions are told again with the next probe's result. */
static void tell_others(struct route *r, uint32_t slot)
{
    for (unsigned core = 0; core < r->ctx->cores; core++)
        if (core != r->ctx->core)
            (void)mail_send(
                r->ctx, core,
                (struct mail){.kind = MAIL_HOP_HEALTH, .a = (uint16_t)slot, .b = r->hops[slot].state});
}

static void decide(struct route *r, uint32_t slot, uint8_t state)
{
    struct route_hop *hop = &r->hops[slot];
    if (hop->state == state)
        return;
    enter(r, slot, state);
    if (!hop->event) {
        hop->event = true;
        r->events[r->nevents++] = (uint16_t)slot;
    }
    tell_others(r, slot);
}

static void owner_answered(struct route *r, uint32_t slot)
{
    const struct hg_config *config = r->ctx->config;
    struct route_hop *hop = &r->hops[slot];
    if (hop->failures)
        hop->failures = hop->probes = 0;
    if (hop->state == HOP_UP)
        return;
    if (hop->answers < UINT8_MAX)
        hop->answers++;
    if (hop->state == HOP_UNKNOWN || hop->answers >= config->probe_up)
        decide(r, slot, HOP_UP);
}

static void owner_failed(struct route *r, uint32_t slot, bool probe)
{
    const struct hg_config *config = r->ctx->config;
    struct route_hop *hop = &r->hops[slot];
    hop->answers = 0;
    if (hop->failures < UINT8_MAX) {
        hop->failures++;
        hop->probes = (uint8_t)(hop->probes + probe);
    }
    if (hop->failures < config->probe_down || hop->state == HOP_DOWN)
        return;
    decide(r, slot, HOP_DOWN);
    if (!config->probe_enabled)
        hop->due_ms = r->ctx->ms + (uint64_t)config->probe_interval_ms;
}

static void report(struct route *r, uint32_t slot, uint32_t what)
{
    (void)mail_send(r->ctx, owner_of(r, slot),
                    (struct mail){.kind = MAIL_HOP_HEALTH, .a = (uint16_t)slot, .b = what});
}

void route_hop_answered(struct route *r, uint16_t slot, bool probe)
{
    (void)probe;
    if (!known(r, slot))
        return;
    if (owner_of(r, slot) == r->ctx->core) {
        owner_answered(r, slot);
    } else if (r->hops[slot].doubted || r->hops[slot].state != HOP_UP) {
        /* Only news is worth a mail: the answers of a healthy hop are many. */
        r->hops[slot].doubted = false;
        report(r, slot, REPORT_ANSWERED);
    }
}

void route_hop_failed(struct route *r, uint16_t slot, bool probe)
{
    if (!known(r, slot))
        return;
    if (probe && r->ctx->hop_stats)
        hg_count(&r->ctx->hop_stats[slot].probes_failed, 0, 1);
    if (owner_of(r, slot) == r->ctx->core) {
        owner_failed(r, slot, probe);
    } else {
        r->hops[slot].doubted = true;
        report(r, slot, REPORT_FAILED);
    }
}

void route_hop_mail(struct route *r, uint16_t slot, uint32_t what)
{
    bool owner = known(r, slot) && owner_of(r, slot) == r->ctx->core;
    if (!known(r, slot))
        return;
    if (owner && what == REPORT_ANSWERED)
        owner_answered(r, slot);
    else if (owner && what == REPORT_FAILED)
        owner_failed(r, slot, false); /* probes are the owner's own */
    else if (!owner && what <= HOP_DOWN)
        enter(r, slot, (uint8_t)what);
}

enum hop_state route_hop_state(const struct route *r, uint16_t slot)
{
    return known(r, slot) ? (enum hop_state)r->hops[slot].state : HOP_UNKNOWN;
}

unsigned route_probes_due(struct route *r, struct route_target *out, unsigned max)
{
    const struct hg_config *config = r->ctx->config;
    unsigned n = 0;
    for (unsigned seen = 0; seen < PROBE_SCAN && seen < r->nhops && n < max; seen++) {
        uint32_t slot = r->probe_at < r->nhops ? r->probe_at : 0;
        struct route_hop *hop = &r->hops[slot];
        r->probe_at = slot + 1;
        if (hop->serial == 0 || owner_of(r, slot) != r->ctx->core || r->ctx->ms < hop->due_ms)
            continue;
        if (!config->probe_enabled) {
            if (hop->state == HOP_DOWN) /* nobody asks it: the traffic has to find out */
                decide(r, slot, HOP_UNKNOWN);
            hop->failures = hop->probes = 0;
            hop->due_ms = r->ctx->ms + (uint64_t)config->probe_interval_ms;
            continue;
        }
        if (hop->state != HOP_UNKNOWN)
            tell_others(r, slot);
        /* A tenth of jitter keeps the probes of many hops apart. */
        hop->due_ms = r->ctx->ms + (uint64_t)config->probe_interval_ms * 9 / 10 +
                      ctx_random(r->ctx) % ((uint64_t)config->probe_interval_ms / 5 + 1);
        if (r->ctx->hop_stats)
            hg_count(&r->ctx->hop_stats[slot].probes, 0, 1);
        out[n++] = (struct route_target){.ep = *endpoint_of(r, slot), .hop_slot = (uint16_t)slot};
    }
    return n;
}

unsigned route_take_events(struct route *r, struct route_event *out, unsigned max)
{
    unsigned n = 0;
    while (n < max && r->nevents) {
        uint32_t slot = r->events[--r->nevents];
        struct route_hop *hop = &r->hops[slot];
        hop->event = false;
        if (!known(r, slot))
            continue;
        out[n++] = (struct route_event){.ep = *endpoint_of(r, slot),
                                        .hop_slot = (uint16_t)slot,
                                        .state = hop->state,
                                        .failures = hop->failures,
                                        .probes = hop->probes};
    }
    return n;
}

/* The number has another endpoint now: what was counted was not its own. */
static void restart_stats(struct route *r, uint32_t slot)
{
    uint64_t *stats = r->ctx->hop_stats ? (uint64_t *)&r->ctx->hop_stats[slot] : NULL;
    for (unsigned i = 0; stats && i < sizeof(*r->ctx->hop_stats) / sizeof(*stats); i++)
        hg_gauge(stats, i, 0);
}

/* A slot whose endpoint stayed keeps its state; any other begins unknown, its first probe within one
 * interval. */
void health_image(struct route *r, const struct hg_image *image)
{
    uint32_t n = image ? (uint32_t)image->section[HG_SECTION_HOPS].n : 0;
    const struct hg_image_hop *hops = image ? HG_IMAGE_AT(image, HG_SECTION_HOPS, struct hg_image_hop) : NULL;
    for (uint32_t slot = 0; slot < n || slot < r->nhops; slot++) {
        uint32_t serial = slot < n ? hops[slot].serial : 0;
        struct route_hop *hop = &r->hops[slot];
        if (hop->serial == serial)
            continue;
        enter(r, slot, HOP_UNKNOWN);
        if (serial != 0)
            restart_stats(r, slot);
        hop->serial = serial;
        hop->failures = hop->probes = hop->answers = 0;
        hop->doubted = false;
        hop->due_ms = r->ctx->ms + ctx_random(r->ctx) % 100;
    }
    r->nhops = n;
}
