/* SPDX-License-Identifier: BSD-2-Clause */
/* What every node tells every other one with its heartbeats, peer or not: its critical services, whether it
 * follows the record, its load, and the names of nodes that do not resolve there (A19, B03, C22). */
#include <stdio.h>

#include "controlplane.h"
#include "ha/run_impl.h"
#include "topology/rules.h"

static uint64_t unresolved(const struct controlplane *cp)
{
    uint64_t set = 0;

    for (uint16_t i = 1; i < HG_NODES_MAX; i++)
        if (topology_node(&cp->topology, i) && cp->resolves[i] == NAME_FAILS)
            set |= 1ull << i;
    return set;
}

void ha_say_own(const struct ha *ha, struct beat *content)
{
    content->load = ha->cp->load_percent;
    content->unresolved = unresolved(ha->cp);
    content->applied_term = ha->cp->applied.done.term;
    content->applied_seq = ha->cp->applied.done.seq;
}

struct beat ha_own_content(const struct ha *ha)
{
    const struct srm_beat told = {.record = ha->record_up};
    struct beat content = {.flags = srm_beat_flags(&told),
                           .services = services_up(&ha->services),
                           .watched = services_watched(&ha->services)};

    ha_say_own(ha, &content);
    return content;
}

static struct ha_told of(const struct beat *beat)
{
    struct srm_beat said = {0};

    srm_beat_from_flags(beat->flags, &said);
    return (struct ha_told){.record = said.record,
                            .services = beat->services,
                            .watched = beat->watched,
                            .unresolved = beat->unresolved,
                            .applied = {beat->applied_term, beat->applied_seq},
                            .load = beat->load};
}

void ha_hear_told(struct ha *ha, const struct beat *beat)
{
    ha->told[beat->from] = of(beat);
    ha->told_ns[beat->from] = ha_clock_ns(&ha->clock);
}

bool ha_told_by(const struct ha *ha, uint16_t node, struct ha_told *out)
{
    uint64_t limit = (uint64_t)ha->cp->config->ha_heartbeat_timeout_ms + 2000;

    if (node == ha->cp->self) {
        struct beat own = ha_own_content(ha);
        *out = of(&own);
        return node != 0;
    }
    *out = ha->told[node];
    return ha->told_ns[node] && ha_clock_ns(&ha->clock) - ha->told_ns[node] < limit * 1000000;
}

/* A relative service is down only if the peer still has it. */
static bool is_out(const struct ha *ha, uint16_t node, const struct ha_told *told, unsigned bit)
{
    struct ha_told peer;
    uint64_t mask = 1ull << bit;

    if ((told->watched & ~told->services & mask) == 0)
        return false;
    if (!ha->services.s[bit].relative)
        return true;
    uint16_t other = topology_peer(&ha->cp->topology, node);
    return other && ha_told_by(ha, other, &peer) && (peer.services & mask);
}

const char *ha_told_outage(const struct ha *ha, uint16_t node, const struct ha_told *told)
{
    for (unsigned i = 0; i < ha->services.n; i++)
        if (!ha->services.s[i].database && is_out(ha, node, told, i))
            return ha->services.s[i].name;
    return NULL;
}

bool ha_told_down(const struct ha *ha, uint16_t node, char *out, size_t size)
{
    struct ha_told told;
    size_t len = 0;

    out[0] = '\0';
    for (unsigned i = 0; ha_told_by(ha, node, &told) && i < ha->services.n; i++) {
        const struct service *s = &ha->services.s[i];
        if (is_out(ha, node, &told, i) && len < size)
            len += (size_t)snprintf(out + len, size - len, "%s%s (%s)", len ? ", " : "", s->name,
                                    node == ha->cp->self && s->why[0] ? s->why : s->text);
    }
    return len > 0;
}
