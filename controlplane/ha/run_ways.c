/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways to every other node of the cluster: addresses by the record, a heartbeat a second to those that
 * are not the peer, trains that measure throughput, and the alarms of I15. */
#include <stdio.h>
#include <string.h>

#include "controlplane.h"
#include "ha/run_impl.h"

#define TRAIN_SECONDS 10 /* between two trains to one node: 15 kbit/s */

void ha_ways_set(struct ha *ha)
{
    const struct topology *t = &ha->cp->topology;
    const struct topology_node *self = topology_find_node(t, slice_str(ha->cp->config->node_name));

    if (!ha->beats)
        return;
    beats_self(ha->beats, self ? self->index : 0);
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_node *n = topology_node(t, i);
        if (n && n != self)
            beats_node(ha->beats, i, &n->address, &n->service);
        else
            beats_forget(ha->beats, i);
    }
}

struct slow {
    unsigned n;
    char text[400];
};

static void add(struct slow *slow, const char *name, double value, const char *unit)
{
    size_t at = strlen(slow->text);

    snprintf(slow->text + at, sizeof(slow->text) - at, "%s%.60s %.1f %s", slow->n++ ? ", " : "", name, value,
             unit);
}

static void wan_alarms(struct ha *ha)
{
    const struct hg_config *c = ha->cp->config;
    struct slow far = {0}, narrow = {0};

    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        const struct topology_node *n = topology_node(&ha->cp->topology, i);
        struct beats_view view;
        beats_look(ha->beats, i, BEAT_MANAGEMENT, &view);
        if (!n || !view.heard_ns)
            continue;
        if (view.rtt_ns > (uint64_t)c->ha_wan_rtt_ms * 1000000)
            add(&far, n->name, (double)view.rtt_ns / 1e6, "ms");
        if (view.kbps && view.kbps < (uint64_t)c->ha_wan_kbps)
            add(&narrow, n->name, (double)view.kbps / 1000, "Mbit/s");
    }
    if (far.n)
        alarm_raise(&ha->cp->alarms, ALARM_wan_rtt, "round trip above %d ms (cluster.ha.wan_rtt): %s",
                    (int)c->ha_wan_rtt_ms, far.text);
    else
        alarm_clear(&ha->cp->alarms, ALARM_wan_rtt);
    if (narrow.n)
        alarm_raise(&ha->cp->alarms, ALARM_wan_throughput,
                    "throughput below %g Mbit/s (cluster.ha.wan_throughput): %s",
                    (double)c->ha_wan_kbps / 1000, narrow.text);
    else
        alarm_clear(&ha->cp->alarms, ALARM_wan_throughput);
}

void ha_ways_second(struct ha *ha)
{
    if (!ha->beats)
        return;
    struct beat own = ha_own_content(ha);
    for (uint16_t i = 1; i < HG_NODES_MAX; i++) {
        if (!ha->srm || i != ha->node[1 - ha->slot])
            beats_ask(ha->beats, i, &own);
        if (ha->cp->config->ha_wan_kbps && (ha->seconds + i) % TRAIN_SECONDS == 0)
            beats_train(ha->beats, i, BEAT_MANAGEMENT);
    }
    wan_alarms(ha);
}
