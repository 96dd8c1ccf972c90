/* SPDX-License-Identifier: BSD-2-Clause */
/* Events in; then one pass over everything that may follow from them. */
#include <stdlib.h>
#include <string.h>

#include "ha/srm_impl.h"

struct srm_action *srm_do(struct srm *srm, enum srm_action_type type)
{
    bool room = srm->out->n < SRM_ACTIONS_MAX;
    struct srm_action *a = room ? &srm->out->a[srm->out->n++] : &srm->spill;

    srm->out->lost += !room;
    memset(a, 0, sizeof(*a));
    a->type = type;
    return a;
}

void srm_wake(struct srm *srm, uint64_t at)
{
    if (at < srm->wake)
        srm->wake = at;
}

bool srm_due(struct srm *srm, uint64_t at)
{
    if (srm->now >= at)
        return true;
    srm_wake(srm, at);
    return false;
}

void srm_adopt(struct srm *srm, const struct srm_entry *entry, bool ours, unsigned fact, unsigned slot)
{
    struct srm_entry was = srm->entry;
    bool known = srm->known;
    if (ours)
        for (unsigned s = 0; s < SRM_SLOTS; s++)
            if (record_version_cmp(srm->lease[s].clear, was.version) == 0 &&
                !record_version_is_none(was.version))
                srm->lease[s].clear = entry->version; /* the peer wrote nothing in between */
    if (!known) /* what we granted before our start, the peer uses no longer than it says there */
        for (unsigned s = 0; s < SRM_SLOTS; s++)
            if (srm->lease[s].granted != 0)
                lease_give(&srm->lease[s], srm->started_at, (uint64_t)entry->lease[srm->slot ^ 1] * SRM_MS);
    srm->entry = *entry;
    srm->known = true;
    srm->ours = srm->confirmed = ours;
    if (!ours) /* our own write stands on the newest of the peer's: it is as old as it was */
        srm->learned = srm->peer.renewed = srm->now;
    if (known && was.row == entry->row && was.flip == entry->flip)
        return;
    srm->row_since = srm->now;
    srm->quiet_since = 0;
    srm_users_row(srm);
    struct srm_action *a = srm_do(srm, SRM_DO_LOG);
    a->u.log.from = known ? was.row : ROW_NONE;
    a->u.log.to = entry->row;
    a->u.log.flip = entry->flip;
    a->u.log.fact = (uint8_t)fact;
    a->u.log.slot = (uint8_t)slot;
    a->u.log.by_us = ours;
}

struct srm *srm_create(const struct srm_params *params, const struct srm_start *start)
{
    struct srm *srm = calloc(1, sizeof(*srm));
    if (srm == NULL)
        return NULL;
    srm_set_params(srm, params);
    srm->slot = start->slot & 1;
    srm->started_at = srm->now = start->now;
    srm->starting = srm->started = srm->first = srm->gap = true;
    srm->entry = (struct srm_entry){.row = ROW_F42, .serves = {0, 1}};
    srm->order = 0;
    for (unsigned s = 0; s < SRM_SLOTS; s++) {
        struct lease *l = &srm->lease[s];
        lease_init(l, start->now, srm->p.lease);
        if ((start->segment_word >> s & 1) == 0)
            continue;
        /* the dataplane acts, or acted, for this slot: we go on where the last control plane stopped. It may
         * be fenced, and still have it in its map. */
        l->mapped = true;
        l->until = start->segment_until;
        if (start->segment_until > start->now) {
            lease_want(l, start->now);
            l->held = true;
            l->granted = 0; /* who held it granted it to nobody */
        }
    }
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        srm->map[s] = SRM_NOBODY;
    return srm;
}

void srm_free(struct srm *srm)
{
    free(srm);
}

void srm_set_params(struct srm *srm, const struct srm_params *params)
{
    srm->p = *params;
    if (srm->p.move_timeout == 0)
        srm->p.move_timeout = 4 * (params->lease + params->guard) + 2 * params->init_timeout;
}

static void entry_seen(struct srm *srm, const struct srm_entry *entry, bool wanted)
{
    struct srm_entry e = *entry;
    srm->missing_entry = wanted && record_version_is_none(e.version);
    if (record_version_is_none(e.version))
        e = (struct srm_entry){.row = ROW_F42, .serves = {0, 1}};
    if (srm->known && record_version_cmp(e.version, srm->entry.version) < 0)
        return;
    srm->gap = srm->broken = false;
    if (srm_write_is(srm, &e)) {
        srm->write.seen = e; /* the acknowledgement says whether it is ours */
        return;
    }
    if (!srm->known || record_version_cmp(e.version, srm->entry.version) > 0)
        srm_adopt_seen(srm, &e);
    for (unsigned s = 0; s < SRM_SLOTS; s++) /* the peer's beat does not carry both */
        if (srm->entry.lease[s] < e.lease[s])
            srm->entry.lease[s] = e.lease[s];
    srm->confirmed = true;
}

/* Another Redis is there than before, and may lack what the peer was acknowledged: that the entry is old
 * there does not say that the peer did not renew it. Not later than the others were fenced, though. */
static void doubt(struct srm *srm, uint64_t term, uint64_t fenced_ago)
{
    static const struct record_version none;
    uint64_t fenced = srm->now > fenced_ago ? srm->now - fenced_ago : 0;
    srm->term = term;
    if (srm->learned < fenced)
        srm->learned = fenced;
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        srm->lease[s].clear = none;
}

/* What the peer wrote while the record was away, and somebody overwrote then, is not known here. */
static void record_state(struct srm *srm, bool up, uint64_t term, uint64_t fenced_ago)
{
    if (up && term != srm->term)
        doubt(srm, term, fenced_ago);
    if (srm->record && !up) {
        srm->broken = false;
        srm->gap_boot = srm->gap ? srm->gap_boot : srm_heard(srm) ? srm->peer.beat.boot : 0;
        srm->gap = true;
    }
    srm->record = up;
}

static void found(struct srm *srm, const struct srm_event *event)
{
    const struct srm_entry *e = &event->u.found.entry;

    if (!srm->broken)
        srm->broken_at = srm->now;
    srm->broken = !event->u.found.readable;
    if (srm->broken || srm->write.busy)
        return;
    if (srm->known && record_version_cmp(e->version, srm->entry.version) < 0)
        srm_regressed(srm, e->version);
    else
        entry_seen(srm, e, event->u.found.wanted);
}

static void command(struct srm *srm, const struct srm_event *event)
{
    srm->commanded = true;
    srm->command = event->u.command.command;
    srm->command_slot = event->u.command.slot & 1;
    srm->commanded_at = srm->now;
}

/* A dataplane that is new to us. A fresh one has no deadline and no map. One that an earlier control plane
 * left behind may act for what its word says. */
static void dataplane(struct srm *srm, uint64_t word)
{
    srm->lease_told = srm->map_told = false;
    for (unsigned s = 0; s < SRM_SLOTS; s++) {
        struct lease *l = &srm->lease[s];
        bool has = (word >> s & 1) != 0;
        if (has && !l->mapped && !l->held)
            l->until = 0;
        l->mapped = has;
    }
}

static void take(struct srm *srm, const struct srm_event *event)
{
    switch (event->type) {
    case SRM_TICK:
        break;
    case SRM_BEAT:
        srm_beat_in(srm, &event->u.beat);
        break;
    case SRM_ENTRY:
        entry_seen(srm, &event->u.entry.entry, event->u.entry.wanted);
        break;
    case SRM_RECORD:
        record_state(srm, event->u.record.up, event->u.record.term, event->u.record.fenced_ago);
        break;
    case SRM_FOUND:
        found(srm, event);
        break;
    case SRM_CAS_DONE:
        srm_write_done(srm, event);
        break;
    case SRM_SERVICE:
        srm->missing &= ~(UINT64_C(1) << (event->u.service.bit & 63));
        if (event->u.service.routes && event->u.service.watched && !event->u.service.up)
            srm->missing |= UINT64_C(1) << (event->u.service.bit & 63);
        outage_set(&srm->outage, event->u.service.bit, event->u.service.watched, event->u.service.up,
                   event->u.service.relative, event->u.service.database, srm->now);
        srm->ask_now = true;
        break;
    case SRM_COMMAND:
        command(srm, event);
        break;
    case SRM_APPLIED:
        if (event->u.map > srm->map_applied)
            srm->map_applied = event->u.map;
        break;
    case SRM_MOVED:
        srm_users_moved(srm, event);
        break;
    case SRM_LEAVE:
        srm->leaving = true;
        srm->ask_now = true;
        break;
    case SRM_DATAPLANE:
        dataplane(srm, event->u.dataplane.word);
        break;
    case SRM_DRAINED:
        srm->drained = event->u.drained;
        break;
    case SRM_UNSEEN:
        srm->unseen = event->u.up;
        srm->ask_now = true;
        break;
    }
}

void srm_handle(struct srm *srm, uint64_t now, const struct srm_event *event, struct srm_actions *out)
{
    out->n = out->lost = 0;
    srm->out = out;
    if (now > srm->now)
        srm->now = now;
    srm->wake = UINT64_MAX;
    take(srm, event);
    srm_watch(srm);
    srm_hold(srm);
    srm_users_step(srm);
    srm_rehome_step(srm);
    srm_write_step(srm);
    srm_hold(srm);
    srm_beat_step(srm);
    srm_alarms_step(srm);
    srm->out = NULL;
}

uint64_t srm_next(const struct srm *srm)
{
    return srm->wake;
}
