/* SPDX-License-Identifier: BSD-2-Clause */
/* What the manager asks for, done. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane.h"
#include "ha/run_impl.h"
#include "store/record.h"

/* ---- heartbeats ---- */

struct beat ha_content(const struct srm_beat *b)
{
    return (struct beat){.grants = b->grants,
                         .order = b->order,
                         .term = b->entry.version.term,
                         .rev = b->entry.version.seq,
                         .epoch = b->entry.epoch,
                         .row = b->entry.row,
                         .lease = b->lease,
                         .span = b->span,
                         .flags = srm_beat_flags(b),
                         .services = b->services,
                         .watched = b->watched};
}

void ha_beat_in(const struct beat *b, uint64_t sent_ns, struct srm_beat *out)
{
    memset(out, 0, sizeof(*out));
    srm_beat_from_flags(b->flags, out);
    out->grants = b->grants;
    out->asks = b->kind == BEAT_ASK;
    out->boot = b->boot;
    out->order = b->order;
    out->echo_sent = sent_ns;
    out->entry.version = (struct record_version){b->term, b->rev};
    out->entry.epoch = b->epoch;
    out->entry.row = b->row < SRM_ROWS ? (uint8_t)b->row : ROW_NONE;
    out->lease = b->lease;
    out->span = b->span;
    out->services = b->services;
    out->watched = b->watched;
}

static uint16_t peer(const struct ha *ha)
{
    return ha->node[1 - ha->slot];
}

static void ask(struct ha *ha, const struct srm_beat *beat)
{
    ha->last_ask = ha_content(beat);
    ha_say_own(ha, &ha->last_ask);
    ha->has_asked = true;
    beats_ask(ha->beats, peer(ha), &ha->last_ask);
}

static void answer(struct ha *ha, const struct srm_beat *beat)
{
    struct beat content = ha_content(beat);

    if (!ha->asked)
        return;
    ha_say_own(ha, &content);
    if (content.grants)
        own_count(&ha->cp->own, OWN_ha_grants_given);
    beats_answer(ha->beats, ha->asked, &content);
}

/* ---- the record ---- */

static void on_cas(void *arg, const struct record_outcome *outcome)
{
    struct ha_cas *cas = arg;
    struct ha *ha = cas->ha;
    struct srm_event e = {.type = SRM_CAS_DONE, .u.cas = {.id = cas->id, .result = SRM_CAS_UNKNOWN}};

    switch (outcome->result) {
    case RECORD_OK:
        e.u.cas.result = SRM_CAS_OK;
        ha_say_written(ha, cas->from, cas->to, cas->flip);
        break;
    case RECORD_EXISTS:
    case RECORD_MISSING:
    case RECORD_CONFLICT:
        own_count(&ha->cp->own, OWN_ha_record_conflicts);
        e.u.cas.result = SRM_CAS_CONFLICT;
        if (outcome->result != RECORD_MISSING &&
            !entry_readable(outcome->value, outcome->version, &e.u.cas.entry))
            e.u.cas.result = SRM_CAS_BROKEN;
        break;
    case RECORD_UNAVAILABLE:
        break;
    }
    e.u.cas.entry.version = outcome->version;
    ha->writing--;
    if (ha->srm && strcmp(cas->subcluster, ha->subcluster) == 0)
        ha_give(ha, &e);
    if (ha->srm && ha->writing == 0 && ha->entry_waits)
        ha_tell_entry(ha);
    if (e.u.cas.result == SRM_CAS_BROKEN)
        ha_entry_look(ha);
    free(cas);
}

static void write_entry(struct ha *ha, const struct srm_action *a, struct slice text, struct ha_cas *cas)
{
    struct slice name = slice_str(ha->subcluster), raw;

    if (!a->u.cas.exact) {
        record_cas(ha->cp->record, RECORD_HA, name, a->u.cas.expected, text, on_cas, cas);
        return;
    }
    if (!entry_watch_raw(&ha->watch, &raw)) { /* others stand there by now: looked at again */
        on_cas(cas, &(struct record_outcome){.result = RECORD_CONFLICT, .value = slice_of("", 0)});
        return;
    }
    log_printf(
        &ha->cp->log, HG_LOG_WARNING, "ha_entry",
        "somebody wrote over the ownership of subcluster %s in the record: it is written again as it was",
        ha->subcluster);
    record_cas_exact(ha->cp->record, RECORD_HA, name, raw, text, on_cas, cas);
}

static void compare_and_set(struct ha *ha, const struct srm_action *a)
{
    struct ha_cas *cas = calloc(1, sizeof(*cas));
    char text[SRM_ENTRY_TEXT];
    struct srm_entry entry = a->u.cas.entry;
    const struct srm_entry *known = entries_find(&ha->entries, slice_str(ha->subcluster));

    entry.since = (uint64_t)time(NULL); /* for people */
    size_t len = srm_entry_text(&entry, text);

    if (!cas) {
        struct srm_event e = {.type = SRM_CAS_DONE, .u.cas = {.id = a->u.cas.id, .result = SRM_CAS_UNKNOWN}};
        ha_give(ha, &e);
        return;
    }
    cas->ha = ha;
    ha->writing++;
    cas->id = a->u.cas.id;
    cas->from = known ? known->row : ROW_NONE;
    cas->to = entry.row;
    cas->flip = entry.flip;
    memcpy(cas->subcluster, ha->subcluster, sizeof(cas->subcluster));
    if (a->u.cas.urgent)
        own_count(&ha->cp->own, OWN_ha_record_renewals);
    write_entry(ha, a, slice_of(text, (uint32_t)len), cas);
}

void ha_act(struct ha *ha, const struct srm_action *a)
{
    switch (a->type) {
    case SRM_DO_ASK:
        ask(ha, &a->u.beat);
        break;
    case SRM_DO_ANSWER:
        answer(ha, &a->u.beat);
        break;
    case SRM_DO_CAS:
        compare_and_set(ha, a);
        break;
    case SRM_DO_LEASE:
        ha_lease_write(ha, a->u.lease.until, a->u.lease.word);
        break;
    case SRM_DO_MAP:
        ha_map_set(ha, a->u.map.id, a->u.map.serving, a->u.map.epoch);
        break;
    case SRM_DO_MOVE:
        ha_users_move(ha, a->u.move.home, a->u.move.to, a->u.move.back, a->u.move.max);
        break;
    case SRM_DO_LOG:
        ha_say_row(ha, a->u.log.from, a->u.log.to, a->u.log.flip, a->u.log.fact, a->u.log.slot);
        break;
    case SRM_DO_ALARM:
        ha_say_alarm(ha, a->u.alarm.alarm, a->u.alarm.on);
        break;
    case SRM_DO_REHOME:
        ha_users_rehome(ha, a->u.rehome.home, a->u.rehome.to);
        break;
    }
}
