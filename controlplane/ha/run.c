/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane.h"
#include "ha/run_impl.h"
#include "store/events.h"

#define MS 1000000u

/* ---- events to the manager ---- */

static void on_tick(uv_timer_t *timer)
{
    struct srm_event e = {.type = SRM_TICK};

    ha_give(timer->data, &e);
}

static void arm(struct ha *ha, uint64_t now)
{
    uint64_t next = srm_next(ha->srm), wait = next > now ? (next - now + MS - 1) / MS : 0;

    uv_timer_start(&ha->tick, on_tick, wait < 3600000 ? (wait ? wait : 1) : 3600000, 0);
}

static void handle(struct ha *ha, const struct srm_event *event)
{
    struct srm_actions actions;

    srm_handle(ha->srm, ha_clock_ns(&ha->clock), event, &actions);
    if (actions.lost)
        log_printf(&ha->cp->log, HG_LOG_ERROR, "ha_events", "%u actions of high availability were lost",
                   actions.lost);
    for (unsigned i = 0; i < actions.n && ha->srm; i++)
        ha_act(ha, &actions.a[i]);
}

/* Events that come while the manager works wait for it. */
void ha_give(struct ha *ha, const struct srm_event *event)
{
    if (!ha->srm)
        return;
    if (ha->nevents ==
        HA_EVENTS_MAX) { /* cannot be: an action makes one event at most, and each is handled */
        log_printf(&ha->cp->log, HG_LOG_ERROR, "ha_events", "an event of high availability was lost");
        return;
    }
    ha->event[(ha->first + ha->nevents++) % HA_EVENTS_MAX] = *event;
    if (ha->handling)
        return;
    ha->handling = true;
    while (ha->nevents > 0 && ha->srm) {
        struct srm_event one = ha->event[ha->first];
        ha->first = (ha->first + 1) % HA_EVENTS_MAX;
        ha->nevents--;
        handle(ha, &one);
    }
    ha->handling = false;
    if (ha->srm)
        arm(ha, ha_clock_ns(&ha->clock));
}

/* ---- heartbeats ---- */

static void on_heard(void *arg, const struct beat *beat, uint64_t sent_ns)
{
    struct ha *ha = arg;

    ha_hear_told(ha, beat);
    if (!ha->srm || beat->from != ha->node[1 - ha->slot]) {
        struct beat own = ha_own_content(ha);
        if (beat->train)
            ha_order_heard(ha, beat);
        else if (beat->kind == BEAT_ASK)
            beats_answer(ha->beats, beat, &own);
        return;
    }
    struct srm_event e = {.type = SRM_BEAT};
    ha_beat_in(beat, sent_ns, &e.u.beat);
    if (beat->grants && sent_ns)
        own_count(&ha->cp->own, OWN_ha_grants_taken);
    ha->asked = beat->kind == BEAT_ASK ? beat : NULL;
    ha_give(ha, &e);
    ha->asked = NULL;
}

static void on_met(void *arg, uint16_t index)
{
    struct ha *ha = arg;

    if (ha->srm && index == ha->node[1 - ha->slot] && ha->has_asked)
        beats_ask(ha->beats, index, &ha->last_ask);
}

static bool send_service(void *arg, const struct hg_endpoint *to, const void *data, uint32_t len)
{
    struct ha *ha = arg;

    return feed_datagram_send(ha->cp->feed, to, data, len);
}

void ha_datagram(struct ha *ha, const void *data, uint32_t length)
{
    if (ha->beats)
        beats_datagram(ha->beats, data, length);
}

/* ---- the manager comes and goes ---- */

struct srm_params ha_params(const struct hg_config *c)
{
    return (struct srm_params){
        .interval = (uint64_t)c->ha_heartbeat_interval_ms * MS,
        .timeout = (uint64_t)c->ha_heartbeat_timeout_ms * MS,
        .init_timeout = (uint64_t)c->ha_init_timeout_ms * MS,
        .lease = (uint64_t)c->ha_lease_ms * MS,
        .guard = (uint64_t)c->ha_guard_ms * MS,
        .service_down_delay = (uint64_t)c->ha_service_down_delay_ms * MS,
        .fallback_quiet = (uint64_t)c->ha_fallback_quiet_ms * MS,
        .iteration = (uint64_t)c->ha_iteration_ms * MS,
        .move_timeout = (uint64_t)c->ha_heartbeat_timeout_ms * 10 * MS,
        .users_per_iteration = (uint32_t)c->ha_users_moved,
        .automatic_failover = c->ha_automatic_failover,
        .automatic_fallback = c->ha_automatic_fallback,
    };
}

static void check_params(struct ha *ha)
{
    struct srm_params params = ha_params(ha->cp->config);
    struct srm_warning warning[8];
    unsigned n = srm_params_check(&params, warning, 8);

    if (n)
        alarm_raise(&ha->cp->alarms, ALARM_ha_parameters, "%s: %s%s", warning[0].item, warning[0].text,
                    n > 1 ? "; more: hgctl troubleshoot" : "");
    else
        alarm_clear(&ha->cp->alarms, ALARM_ha_parameters);
}

void ha_tell_entry(struct ha *ha)
{
    const struct srm_entry *entry = entries_find(&ha->entries, slice_str(ha->subcluster));
    struct srm_event e = {.type = SRM_ENTRY};

    ha->entry_waits = ha->writing > 0;
    /* Of an entry that cannot be understood nothing is said: it is not "none". */
    if (ha->entry_waits || entries_broken(&ha->entries, slice_str(ha->subcluster)) ||
        (!entry && !entries_absent(&ha->entries, slice_str(ha->subcluster))))
        return;
    if (ha->copied) /* old: what it says may have been given to the peer since */
        return;
    const struct topology_subcluster *s =
        topology_find_subcluster(&ha->cp->topology, slice_str(ha->subcluster));
    e.u.entry.wanted = s && s->ha;
    if (entry)
        e.u.entry.entry = *entry;
    ha_give(ha, &e);
}

void ha_topology_changed(struct ha *ha)
{
    if (!ha->tables_loaded || ha->loading)
        return;
    ha_ways_set(ha);
    ha_choose(ha);
    ha_serving_push(ha);
}

void ha_tables_loaded(struct ha *ha)
{
    if (!ha->loading)
        return;
    ha->loading = false;
    ha->tables_loaded = true;
    entries_load_end(&ha->entries);
    if (ha->srm)
        ha_tell_entry(ha);
    ha_topology_changed(ha);
}

void ha_load_begin(struct ha *ha)
{
    ha->loading = true;
    if (ha->copied)
        ha_copy_forget(ha);
    entries_load_begin(&ha->entries);
}

void ha_entries_skipped(struct ha *ha)
{
    ha->entries.skipped = true;
}

bool ha_entry(struct ha *ha, enum record_op op, struct slice subcluster, struct slice value,
              struct record_version version)
{
    bool good = true;

    if (op == RECORD_REMOVE)
        entries_remove(&ha->entries, subcluster);
    else
        good = entries_set(&ha->entries, subcluster, value, version);
    ha_entries_judge(ha);
    if (ha->loading || !good)
        return good;
    if (ha->srm && slice_eq(subcluster, slice_str(ha->subcluster)))
        ha_tell_entry(ha);
    ha_serving_push(ha);
    return true;
}

void ha_record_state(struct ha *ha, enum record_state state)
{
    struct srm_event e = {.type = SRM_RECORD,
                          .u.record = {state == RECORD_FOLLOWING, record_term(ha->cp->record),
                                       record_fenced_ago(ha->cp->record)}};

    if (ha->record_up == e.u.record.up)
        return;
    ha->record_up = e.u.record.up;
    ha_give(ha, &e);
    if (ha->record_up && ha->srm) /* it may go on without having been read anew */
        ha_tell_entry(ha);
    ha_watch(ha);
}

void ha_attached(struct ha *ha, const struct hg_segment *segment)
{
    struct srm_event e = {.type = SRM_DATAPLANE};
    uint64_t until;

    ha_lease_read(ha, segment, &until, &e.u.dataplane.word);
    ha_give(ha, &e);
    ha_look_unseen(ha);
    ha_watch(ha);
}

void ha_detached(struct ha *ha)
{
    const struct hg_segment *s = feed_segment(ha->cp->feed);

    /* gone by itself, or replaced, which its successor does only once it has ended */
    if (s && hg_segment_dp_lives(s) && ha->srm)
        ha->fenced_until = ha->lease_until;
    ha_watch(ha);
}

/* A reload or the record may have changed them. */
static void parameters(struct ha *ha)
{
    struct srm_params now = ha_params(ha->cp->config);

    if (memcmp(&now, &ha->params, sizeof(now)) == 0)
        return;
    ha->params = now;
    check_params(ha);
    if (ha->srm)
        srm_set_params(ha->srm, &now);
}

/* The subcluster of the record says what is wanted (hgctl ha enable), its entry what is so. Either node may
 * find out first: the compare-and-set of the manager lets one of them. */
static void reconcile(struct ha *ha)
{
    const struct topology_subcluster *s =
        topology_find_subcluster(&ha->cp->topology, slice_str(ha->subcluster));
    const struct srm_entry *entry = entries_find(&ha->entries, slice_str(ha->subcluster));

    if (ha->srm && s && ha->record_up && s->ha != (entry && entry->ha))
        (void)ha_command(ha, s->ha ? SRM_CMD_HA_ON : SRM_CMD_HA_OFF, 0);
}

/* Leases are deadlines of this counter, and the cores stop by them. */
static void check_clock(struct ha *ha)
{
    int64_t parted = 0;
    bool told = ha_clock_parted_now(&ha->clock, &ha->clock_watch, &parted);

    if (parted > HA_CLOCK_PARTED_PPM || parted < -HA_CLOCK_PARTED_PPM)
        alarm_raise(&ha->cp->alarms, ALARM_ha_clock,
                    "the time stamp counter parts from the kernel's clock by %lld millionths: leases end by "
                    "it, keep high "
                    "availability off on this machine",
                    (long long)parted);
    else if (told && !ha_clock_is_invariant())
        alarm_raise(
            &ha->cp->alarms, ALARM_ha_clock,
            "the processor promises no invariant time stamp counter (nonstop_tsc): leases end by it; let the "
            "hypervisor show it, or keep high availability off");
    else if (told)
        alarm_clear(&ha->cp->alarms, ALARM_ha_clock);
}

static void gauges(struct ha *ha)
{
    struct own_counters *own = &ha->cp->own;
    uint64_t now = ha_clock_ns(&ha->clock);
    const struct srm_entry *entry = ha->srm ? entries_find(&ha->entries, slice_str(ha->subcluster)) : NULL;

    own->v[OWN_ha_row] = entry && entry->ha ? (uint64_t)atoi(srm_row_info[entry->row].name + 1) : 0;
    own->v[OWN_ha_epoch] = entry ? entry->epoch : 0;
    own->v[OWN_ha_lease_ms] =
        ha->lease_until == SRM_NO_DEADLINE || ha->lease_until < now ? 0 : (ha->lease_until - now) / MS;
}

void ha_turn(struct ha *ha)
{
    if (ha->copied && !ha->srm) { /* the dataplane was looked for already: it says what it acts for */
        ha_ways_set(ha);
        ha_choose(ha);
    }
    ha_look_unseen(ha);
    ha_look_drained(ha);
    ha_orders_turn(ha);
    ha_map_turn(ha);
    ha_users_turn(ha);
    ha_watch(ha);
}

void ha_second(struct ha *ha)
{
    ha->seconds++;
    parameters(ha);
    if (ha->tables_loaded && !ha->loading && !ha->srm)
        ha_choose(ha);
    reconcile(ha);
    ha_entry_look(ha);
    ha_ways_second(ha);
    if (ha->beats)
        check_clock(ha);
    ha_hearing_alarm(ha);
    ha_say_services(ha);
    gauges(ha);
    ha_copy_second(ha);
    event_stream_turn(ha->cp->event_stream);
}

/* ---- life ---- */

struct ha *ha_create(struct controlplane *cp, char *why, unsigned size)
{
    struct ha *ha = calloc(1, sizeof(*ha));

    if (!ha) {
        snprintf(why, size, "out of memory");
        return NULL;
    }
    ha->cp = cp;
    cp->facts_of_ha = ha_facts;
    ha_clock_init(&ha->clock, 0);
    services_init(&ha->services);
    ha_entry_watch(ha);
    uv_timer_init(&cp->loop, &ha->tick);
    ha->tick.data = ha;
    /* What an earlier control plane left in the segment holds until the record says who the peer is. */
    feed_serve_always(cp->feed, false);
    if (!cp->config->node_address[0])
        return ha;
    struct beats_options o = {.loop = &cp->loop,
                              .address = cp->config->node_address,
                              .secret = cp->config->cluster_secret,
                              .cluster = cp->config->cluster_id,
                              .own = &cp->own,
                              .clock = &ha->clock,
                              .events = {on_heard, on_met, send_service, ha}};
    ha->fenced_until = ha_clock_ns(&ha->clock) + (uint64_t)cp->config->ha_lease_ms * MS;
    ha->beats = beats_create(&o, why, size);
    if (!ha->beats) {
        uv_close((uv_handle_t *)&ha->tick, NULL);
        uv_run(&cp->loop, UV_RUN_NOWAIT);
        free(ha);
        return NULL;
    }
    ha_copy_load(ha);
    return ha;
}

void ha_stop(struct ha *ha)
{
    struct srm_event e = {.type = SRM_LEAVE};

    if (!ha)
        return;
    /* A control plane that is restarted alone is back before its lease is over, and nobody notices. Where the
     * dataplane has ended before, the node is being shut down. */
    const struct hg_segment *s = feed_segment(ha->cp->feed);
    if (!s || !hg_segment_dp_lives(s))
        ha_give(ha, &e);
    ha->stopping = true;
    srm_free(ha->srm);
    ha->srm = NULL;
    beats_close(ha->beats);
    ha->beats = NULL;
    uv_close((uv_handle_t *)&ha->tick, NULL);
}

void ha_free(struct ha *ha)
{
    if (ha) {
        free(ha->rehome);
        free(ha->copy_text);
        entry_watch_forget(&ha->watch);
    }
    free(ha);
}
