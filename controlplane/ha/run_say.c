/* SPDX-License-Identifier: BSD-2-Clause */
/* Each change with its row, and alarms: to the journal, to hgctl, to the stream of events. */
#include <stdio.h>

#include "controlplane.h"
#include "ha/row_text.h"
#include "ha/run_impl.h"
#include "store/events.h"

static const char *name_of(const struct ha *ha, unsigned slot)
{
    const struct topology_node *n = topology_node(&ha->cp->topology, ha->node[slot]);

    return n ? n->name : "?";
}

static void one_node(const struct ha *ha, uint8_t row, unsigned role, bool flip, char *out, size_t size)
{
    const struct srm_row_info *info = &srm_row_info[row];
    unsigned slot = flip ? 1 - role : role;

    snprintf(out, size, "%s %s (%s)", name_of(ha, slot), srm_state_info[info->state[role]].name,
             srm_reason_names[info->reason[role]]);
}

static void pair_text(const struct ha *ha, uint8_t row, bool flip, char *out, size_t size)
{
    const char *const names[] = {name_of(ha, 0), name_of(ha, 1)};
    char node[2][360], cause[ROW_TEXT_MAX];

    for (unsigned role = 0; role < 2; role++)
        one_node(ha, row, role, flip, node[role], sizeof(node[role]));
    snprintf(out, size, "%s, %s. %s", node[0], node[1],
             row_text(srm_row_info[row].cause, names, flip, cause));
}

static const char *row_name(uint8_t row)
{
    return row == ROW_NONE || row >= SRM_ROWS ? "none" : srm_row_info[row].name;
}

void ha_say_row(struct ha *ha, uint8_t from, uint8_t to, bool flip, uint8_t fact, uint8_t slot)
{
    char text[1100], what[400] = "the record says so";

    own_count(&ha->cp->own, OWN_ha_transitions);
    pair_text(ha, to, flip, text, sizeof(text));
    if (fact < SRM_FACTS)
        snprintf(what, sizeof(what), "%s of %s", srm_fact_info[fact].name, name_of(ha, slot & 1));
    log_printf(&ha->cp->log, HG_LOG_INFO, "ha_row", "subcluster %s: %s -> %s by %s: %s", ha->subcluster,
               row_name(from), row_name(to), what, text);
}

/* By whose write the record changed: so each change stands in the stream once. */
void ha_say_written(struct ha *ha, uint8_t from, uint8_t to, bool flip)
{
    char text[1100];

    if (from == to)
        return;
    pair_text(ha, to, flip, text, sizeof(text));
    event_write(ha->cp->event_stream, EVENT_STATE, "info", row_name(to), "subcluster %s: %s -> %s: %s",
                ha->subcluster, row_name(from), row_name(to), text);
    enum srm_state now = srm_row_info[to].state[flip ? 1 - ha->slot : ha->slot];
    if (now == STATE_BACKUP && from != ROW_NONE && srm_in_transition(srm_row_info[from].state[1]))
        own_count(&ha->cp->own, OWN_ha_failovers);
    if (to == ROW_F01 && from != ROW_NONE && srm_row_info[from].state[0] == STATE_TAKING_BACK)
        own_count(&ha->cp->own, OWN_ha_fallbacks);
}

static void service_down(struct ha *ha)
{
    char down[400];

    if (ha_told_down(ha, ha->cp->self, down, sizeof(down)))
        alarm_raise(&ha->cp->alarms, ALARM_ha_service, "critical services of this node are down: %s", down);
    else
        alarm_on(&ha->cp->alarms, ALARM_ha_service);
}

/* Which of them, may change while the alarm stands. */
void ha_say_services(struct ha *ha)
{
    if (ha->cp->alarms.a[ALARM_ha_service].standing)
        service_down(ha);
}

static void say_failed_over(struct ha *ha)
{
    struct srm_status now;

    srm_status(ha->srm, ha_now(ha), &now);
    unsigned home = now.entry.serves[0] != 0 ? 0 : 1; /* never both: one of them serves */
    alarm_raise(&ha->cp->alarms, ALARM_ha_failed_over, "users of %s are served by its peer %s",
                name_of(ha, home), name_of(ha, 1 - home));
}

void ha_say_alarm(struct ha *ha, enum srm_alarm alarm, bool on)
{
    static const enum alarm_id ids[SRM_ALARMS] = {
        [SRM_ALARM_PEER] = ALARM_ha_peer,           [SRM_ALARM_LEASE] = ALARM_ha_lease,
        [SRM_ALARM_FAILED] = ALARM_ha_failed,       [SRM_ALARM_FAILED_OVER] = ALARM_ha_failed_over,
        [SRM_ALARM_REGRESSED] = ALARM_ha_regressed, [SRM_ALARM_SERVICE] = ALARM_ha_service,
    };

    struct alarms *alarms = &ha->cp->alarms;

    if (!on)
        alarm_clear(alarms, ids[alarm]);
    else if (alarm == SRM_ALARM_PEER)
        alarm_raise(alarms, ALARM_ha_peer, "the peer %s is not heard", name_of(ha, 1 - ha->slot));
    else if (alarm == SRM_ALARM_FAILED_OVER)
        say_failed_over(ha);
    else if (alarm == SRM_ALARM_SERVICE)
        service_down(ha);
    else
        alarm_on(alarms, ids[alarm]);
}
