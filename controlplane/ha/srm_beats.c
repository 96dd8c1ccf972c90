/* SPDX-License-Identifier: BSD-2-Clause */
/* What beats say: ours, and the peer's. */
#include <string.h>

#include "ha/srm_impl.h"

enum { /* struct beat's flags */
       HOLDS = 0,
       GRANTS = 2,
       SERVES = 4,
       ARMED = 6,
       FLIP = 8,
       HA = 9,
       RECORD = 10,
       WELL = 11,
       SERVICE_OUT = 12,
       DATABASE_OUT = 13,
       LEAVING = 14,
       STARTING = 15,
       BY = 16,
       UNSEEN = 18
};

uint32_t srm_beat_flags(const struct srm_beat *b)
{
    uint32_t serves = (uint32_t)(b->entry.serves[0] & 1) | (uint32_t)(b->entry.serves[1] & 1) << 1;
    return (uint32_t)(b->holds & 3) << HOLDS | (uint32_t)(b->grants & 3) << GRANTS | serves << SERVES |
           (uint32_t)(b->entry.armed & 3) << ARMED | (uint32_t)b->entry.flip << FLIP |
           (uint32_t)b->entry.ha << HA | (uint32_t)b->record << RECORD | (uint32_t)b->well << WELL |
           (uint32_t)b->service_out << SERVICE_OUT | (uint32_t)b->database_out << DATABASE_OUT |
           (uint32_t)b->leaving << LEAVING | (uint32_t)b->starting << STARTING |
           (uint32_t)(b->entry.by & 3) << BY | (uint32_t)b->unseen << UNSEEN;
}

void srm_beat_from_flags(uint32_t flags, struct srm_beat *b)
{
    b->holds = flags >> HOLDS & 3;
    b->grants = flags >> GRANTS & 3;
    b->entry.serves[0] = flags >> SERVES & 1;
    b->entry.serves[1] = flags >> (SERVES + 1) & 1;
    b->entry.armed = flags >> ARMED & 3;
    b->entry.flip = flags >> FLIP & 1;
    b->entry.ha = flags >> HA & 1;
    b->record = flags >> RECORD & 1;
    b->well = flags >> WELL & 1;
    b->service_out = flags >> SERVICE_OUT & 1;
    b->database_out = flags >> DATABASE_OUT & 1;
    b->leaving = flags >> LEAVING & 1;
    b->starting = flags >> STARTING & 1;
    b->entry.by = flags >> BY & 3;
    b->unseen = flags >> UNSEEN & 1;
}

/* Never longer than the entry says of the peer: a start of ours that knows no grant waits for that. */
static uint32_t granted_span(const struct srm *srm)
{
    uint64_t peer = srm_peer_span(srm);
    return (uint32_t)((peer < srm->p.lease ? peer : srm->p.lease) / SRM_MS);
}

static void fill(struct srm *srm, struct srm_beat *b, bool asks)
{
    memset(b, 0, sizeof(*b));
    b->asks = asks;
    b->order = ++srm->order;
    b->holds = srm_has(srm);
    b->record = srm->record;
    b->well = srm->verdict.well;
    b->service_out = srm->verdict.service_out;
    b->database_out = srm->verdict.database_out;
    b->leaving = srm->leaving;
    b->starting = srm->starting;
    b->unseen = srm->unseen;
    b->entry = srm->entry;
    b->lease = srm_told_span(srm);
    b->span = granted_span(srm);
    b->services = outage_up(&srm->outage);
    b->watched = outage_watched(&srm->outage);
}

/* What the peer says it has and we neither have nor are about to have. A peer that does not hear us would not
 * hear this either, and we could never take over from it. */
static uint8_t grants(struct srm *srm, uint8_t asked)
{
    uint8_t ours = srm_has(srm);
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        if (srm->known && !srm->leaving && srm_goal(srm, &srm->entry, s) == (int)srm->slot)
            ours |= (uint8_t)(1u << s);
    return srm_two_way(srm) ? asked & (uint8_t)~ours & 3 : 0;
}

static void newest(struct srm *srm, const struct srm_beat *beat)
{
    if (srm->peer.seen != 0 && srm->now - srm->peer.seen > 2 * srm->p.interval)
        srm->quiet_since = 0;
    srm->peer.beat = *beat;
    /* That it has nothing of a slot is believed of a start that has spoken since we met it. */
    bool proven = srm->peer.met == 0 || beat->echo_sent >= srm->peer.met;
    for (unsigned s = 0; s < SRM_SLOTS; s++) {
        bool has = (beat->holds >> s & 1) != 0;
        if (has || proven)
            lease_on_beat(&srm->lease[s], has, beat->entry.version);
    }
    if (!record_version_is_none(beat->entry.version) && beat->entry.row != ROW_NONE &&
        beat->entry.row < SRM_ROWS &&
        (!srm->known || record_version_cmp(beat->entry.version, srm->entry.version) > 0)) {
        struct srm_entry e = beat->entry;
        memcpy(e.moved, srm->entry.moved, sizeof(e.moved));
        e.lease[srm->slot] = srm->entry.lease[srm->slot];
        e.lease[srm->slot ^ 1] = beat->lease;
        srm_adopt_seen(srm, &e);
    }
}

/* Another start of the peer than the one heard last. It has to echo something younger than all that came back
 * before: what an earlier start said and comes late does not. */
static bool begins(struct srm *srm, const struct srm_beat *beat)
{
    if (srm->peer.seen == 0 || beat->boot == srm->peer.beat.boot)
        return true;
    if (beat->echo_sent <= srm->peer.two_way)
        return false;
    srm->peer.met = srm->now;
    return true;
}

/* May what we know be written over what cannot be understood, although the record was away before? Only the
 * two of us write. Either the peer has been there all the time, and we know what it knows. Or we both know
 * the same, and act by it: then nobody acts by what neither knows. */
static void closes_gap(struct srm *srm, const struct srm_beat *beat)
{
    if (!srm->broken || !srm->gap || !srm->known || beat->echo_sent < srm->broken_at || beat->leaving)
        return;
    bool ours = false;
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        ours = ours || (srm->entry.serves[s] == srm->slot && (beat->holds >> s & 1) != 0);
    bool same = record_version_cmp(beat->entry.version, srm->entry.version) == 0 &&
                beat->entry.ha == srm->entry.ha && !beat->unseen && !srm->unseen && (srm->entry.ha || !ours);
    if (same || (srm->gap_boot != 0 && beat->boot == srm->gap_boot))
        srm->gap = false;
}

void srm_beat_in(struct srm *srm, const struct srm_beat *beat)
{
    if (!begins(srm, beat))
        return;
    bool restarted = srm->peer.seen == 0 || beat->boot != srm->peer.beat.boot;
    if (restarted || beat->order > srm->peer.beat.order)
        newest(srm, beat);
    srm->peer.seen = srm->now;
    closes_gap(srm, beat);
    if (beat->echo_sent != 0) {
        if (beat->echo_sent > srm->peer.two_way) {
            srm->peer.two_way = beat->echo_sent;
            srm->peer.unanswered = 0;
        }
        uint64_t span = beat->span * SRM_MS;
        for (unsigned s = 0; s < SRM_SLOTS; s++)
            if ((beat->grants >> s & 1) != 0)
                lease_on_grant(&srm->lease[s], beat->echo_sent, span < srm_span(srm) ? span : srm_span(srm));
    }
    srm->answer = beat->asks;
}

void srm_beat_step(struct srm *srm)
{
    if (srm->answer) {
        struct srm_action *a = srm_do(srm, SRM_DO_ANSWER);
        fill(srm, &a->u.beat, false);
        a->u.beat.grants = grants(srm, srm->peer.beat.holds);
        for (unsigned s = 0; s < SRM_SLOTS; s++)
            if ((a->u.beat.grants >> s & 1) != 0)
                lease_give(&srm->lease[s], srm->now, a->u.beat.span * SRM_MS);
        srm->answer = false;
    }
    if (!srm->ask_now && !srm_due(srm, srm->ask_at))
        return;
    struct srm_action *a = srm_do(srm, SRM_DO_ASK);
    fill(srm, &a->u.beat, true);
    srm->peer.unanswered++;
    srm->ask_now = false;
    srm->ask_at = srm->now + srm->p.interval;
    srm_wake(srm, srm->ask_at);
}
