/* SPDX-License-Identifier: BSD-2-Clause */
/* What the heartbeats over the service network show of this node itself, and the alarm about it. */
#include <stdio.h>

#include "controlplane.h"
#include "counters/view.h"
#include "ha/run_impl.h"

#define EVERY_NS  100000000u   /* judged that often */
#define ANSWER_NS 2000000000u  /* beyond the time-out: nodes that are no peers speak once a second */
#define ALARM_NS  10000000000u /* what is shorter is a start, or a dataplane that is restarted */

static bool recent(uint64_t heard, uint64_t now, uint64_t limit)
{
    return heard && (now < heard || now - heard < limit);
}

/* A peer that is not heard at all is no fault of our service network. One that is heard by the management
 * network for as long as its silence may last, and not by the service network, is. */
static void peer_probe(struct ha *ha)
{
    struct beats_view management = {0}, service = {0};
    uint64_t now = ha_clock_ns(&ha->clock);
    uint64_t limit = (uint64_t)ha->cp->config->ha_heartbeat_timeout_ms * 1000000;

    if (ha->srm) {
        beats_look(ha->beats, ha->node[1 - ha->slot], BEAT_MANAGEMENT, &management);
        beats_look(ha->beats, ha->node[1 - ha->slot], BEAT_SERVICE, &service);
    }
    if (!recent(management.heard_ns, now, limit) || recent(service.heard_ns, now, limit))
        ha->alone_since = now;
    bool down = now - ha->alone_since > limit;
    ha_service_set(ha, SERVICE_peer, service.reachable, !down,
                   "the peer is heard by the management network only");
}

static unsigned others(const struct ha *ha, struct hears_node *out)
{
    unsigned n = 0;

    for (uint16_t i = 1; ha->beats && i < HG_NODES_MAX; i++) {
        struct beats_view management, service;
        if (!topology_node(&ha->cp->topology, i) || i == ha->cp->self)
            continue;
        beats_look(ha->beats, i, BEAT_MANAGEMENT, &management);
        beats_look(ha->beats, i, BEAT_SERVICE, &service);
        out[n++] = (struct hears_node){.asked = service.reachable,
                                       .peer = ha->srm && i == ha->node[1 - ha->slot],
                                       .management = management.heard_ns,
                                       .service = service.heard_ns};
    }
    return n;
}

/* The manager claims nothing then, to the peer neither, and counts nothing against this node. */
static void doubt(struct ha *ha)
{
    if (!ha->hears_doubtful)
        ha_service_tell(ha, SERVICE_network, false, false);
    ha->hears_doubtful = true;
}

static void decide(struct ha *ha, enum hears_verdict verdict)
{
    bool watched = verdict != HEARS_ALONE, up = verdict == HEARS_ALONE || verdict == HEARS_WELL;

    ha_service_set(ha, SERVICE_network, watched, up,
                   verdict == HEARS_UNKNOWN ? "no other node has been heard yet"
                                            : "other nodes are heard by the management network only");
    if (ha->hears_doubtful)
        ha_service_tell(ha, SERVICE_network, watched, up);
    ha->hears_doubtful = false;
}

static void network(struct ha *ha, const struct hg_segment *s)
{
    uint64_t now = ha_clock_ns(&ha->clock);
    uint64_t limit = (uint64_t)ha->cp->config->ha_heartbeat_timeout_ms * 1000000 + ANSWER_NS;
    struct hears_node nodes[HG_NODES_MAX];

    if (now - ha->hears_at < EVERY_NS)
        return;
    ha->hears_at = now;
    if (s)
        hears_frames(&ha->hears, view_total(s, HG_C_rx_frames), now);
    enum hears_verdict verdict = hears_judge(&ha->hears, nodes, others(ha, nodes), now, limit);
    if (verdict == HEARS_DOUBT)
        doubt(ha);
    else
        decide(ha, verdict);
}

void ha_watch_hearing(struct ha *ha, const struct hg_segment *s)
{
    peer_probe(ha);
    network(ha, s);
}

/* A node that stands alone has nobody to take over for it, and two deaf ones do not count against each
 * other: but somebody should look. */
void ha_hearing_alarm(struct ha *ha)
{
    static const enum service_id watched[] = {SERVICE_link, SERVICE_gateway, SERVICE_network};
    const struct service *list = ha->services.s;
    uint64_t now = ha_clock_ns(&ha->clock);

    for (unsigned i = 0; i < sizeof(watched) / sizeof(watched[0]); i++) {
        const struct service *s = &list[watched[i]];
        if (!s->watched || !s->known || s->up || now - s->since < ALARM_NS || !list[SERVICE_cores].up)
            continue;
        alarm_raise(
            &ha->cp->alarms, ALARM_service_network,
            "%s%s: look at the cable, the switch port and its VLAN, the address of the gateway, and whether "
            "another program took the port (rx_frames of hgctl counters); then restart hg-dataplane",
            hears_silence(&ha->hears, now, ALARM_NS) ? "the ports receive nothing; " : "", s->why);
        return;
    }
    alarm_clear(&ha->cp->alarms, ALARM_service_network);
}
