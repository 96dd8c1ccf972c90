/* SPDX-License-Identifier: BSD-2-Clause */
/* What this node writes to the entry: one compare-and-set at a time. In this order: what a lost record needs,
 * a row that facts lead to, a slot that the row gives us, that we are bounded, and our lease where the peer
 * does not extend it. */
#include <string.h>

#include "ha/srm_impl.h"

/* A dataplane that cannot be reached keeps the longer lease that it was given. */
uint32_t srm_told_span(const struct srm *srm)
{
    uint32_t span = (uint32_t)(srm->p.lease / SRM_MS), said = srm->entry.lease[srm->slot];
    return srm->unseen && said > span ? said : span;
}

/* Restores: it says what was known and makes nobody hold anything (srm_write_done). */
static void send_as(struct srm *srm, struct srm_entry *entry, bool urgent, bool restores)
{
    struct srm_write *w = &srm->write;
    if (entry->serves[0] != srm->entry.serves[0] || entry->serves[1] != srm->entry.serves[1])
        entry->epoch++;
    w->claims = w->may_gain = 0;
    for (unsigned s = 0; s < SRM_SLOTS; s++) {
        if (entry->serves[s] != srm->slot)
            continue;
        if (srm->entry.serves[s] != srm->slot)
            w->claims |= (uint8_t)(1u << s);
        if (!restores && srm_claim_at(srm, s) <= srm->now)
            w->may_gain |= (uint8_t)(1u << s);
    }
    entry->by = (uint8_t)(srm->slot + 1);
    entry->lease[srm->slot] = srm_told_span(srm);
    w->expected = srm->entry.version;
    w->busy = true;
    w->back = false;
    w->restores = restores;
    w->exact = restores && srm->broken;
    w->seen.version = (struct record_version){0, 0};
    w->sent = srm->now;
    w->entry = *entry;
    struct srm_action *a = srm_do(srm, SRM_DO_CAS);
    a->u.cas.id = ++w->id;
    a->u.cas.expected = srm->entry.version;
    a->u.cas.entry = *entry;
    a->u.cas.urgent = urgent;
    a->u.cas.exact = w->exact;
}

static void send(struct srm *srm, struct srm_entry *entry, bool urgent)
{
    send_as(srm, entry, urgent, false);
}

/* The peer cannot be acting for it any more, nor begin to before it reads what we write. A peer that has not
 * said since high availability is on that it serves by lease may act without end, and need no word to begin.
 */
static bool claimable(struct srm *srm, unsigned home)
{
    bool bounded = (srm->entry.armed >> (srm->slot ^ 1) & 1) != 0;
    return bounded && srm_due(srm, srm_claim_at(srm, home));
}

/* Gives the entry every slot that its row wants us to have; false: one of them cannot be had yet. */
static bool claim(struct srm *srm, struct srm_entry *entry)
{
    for (unsigned s = 0; s < SRM_SLOTS; s++) {
        if (srm_goal(srm, entry, s) != (int)srm->slot || entry->serves[s] == srm->slot)
            continue;
        if (!claimable(srm, s))
            return false;
        entry->serves[s] = (uint8_t)srm->slot;
    }
    return true;
}

static bool takes_all(enum srm_fact fact)
{
    return fact == FACT_PEER_REBOOT || fact == FACT_PEER_DOWN_INIT || fact == FACT_PEER_DOWN;
}

static bool by_command(enum srm_fact fact)
{
    return fact == FACT_FAILOVER || fact == FACT_FALLBACK || fact == FACT_RECOVERY || fact == FACT_HA_ON ||
           fact == FACT_HA_OFF;
}

static bool by_start(enum srm_fact fact)
{
    return fact == FACT_START || fact == FACT_START_WELL;
}

/* It holds, and the table says that nothing follows: a command is refused, a start needs no row. */
static void nothing_follows(struct srm *srm, enum srm_fact fact)
{
    if (by_command(fact))
        srm->commanded = false;
    else if (by_start(fact) && !srm_taker(&srm->entry, srm->slot) && !srm_taker(&srm->entry, srm->slot ^ 1))
        srm->started = false;
}

static bool follow(struct srm *srm, enum srm_fact fact, unsigned slot)
{
    struct srm_move m = srm_move((enum srm_row)srm->entry.row, fact, srm_role(&srm->entry, slot));
    bool changes = m.next != srm->entry.row || m.flip;
    if (!changes && !by_command(fact) && !by_start(fact))
        return false;
    if (!srm_fact(srm, fact, slot))
        return false;
    if (!changes) {
        nothing_follows(srm, fact);
        return false;
    }
    struct srm_entry e = srm->entry;
    e.row = m.next;
    e.flip = e.flip != m.flip;
    e.ha = e.row != ROW_F42;
    e.since = 0;
    if (fact == FACT_HA_ON || fact == FACT_HA_OFF)
        e.armed = 0;
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        e.moved[s] = srm->move_done[s];
    if (takes_all(fact) && !claim(srm, &e))
        return false;
    send(srm, &e, takes_all(fact));
    srm->write.by_fact = true;
    srm->write.fact = (uint8_t)fact;
    srm->write.slot = (uint8_t)slot;
    return true;
}

static bool facts(struct srm *srm)
{
    for (unsigned f = 0; f < SRM_FACTS; f++)
        for (unsigned k = 0; k < SRM_SLOTS; k++)
            if (follow(srm, (enum srm_fact)f, srm->slot ^ k))
                return true;
    return false;
}

/* The users of a home slot that we keep for good were given another home (D09): the slot itself goes back. */
static bool rehomed(struct srm *srm)
{
    unsigned home = srm->command_slot;
    if (!srm->commanded || srm->command != SRM_CMD_REHOMED || srm_ha(srm))
        return false;
    if (home == srm->slot || srm->entry.serves[home] != srm->slot) {
        srm->commanded = false;
        return false;
    }
    if (srm->lease[home].mapped)
        return false;
    struct srm_entry e = srm->entry;
    e.serves[home] = (uint8_t)home;
    send(srm, &e, false);
    return true;
}

static bool claims(struct srm *srm)
{
    struct srm_entry e = srm->entry;
    bool any = false;
    for (unsigned s = 0; s < SRM_SLOTS && !srm->leaving; s++)
        if (srm_goal(srm, &e, s) == (int)srm->slot && e.serves[s] != srm->slot && claimable(srm, s)) {
            e.serves[s] = (uint8_t)srm->slot;
            any = true;
        }
    if (any)
        send(srm, &e, true);
    return any;
}

static bool renewal(struct srm *srm, unsigned home)
{
    const struct lease *l = &srm->lease[home];
    if (!l->want)
        return false;
    if (l->held)
        return srm_due(srm, l->until - srm->p.lease / 2);
    /* the peer's grant comes first where it can be had */
    uint64_t patience = srm_ha(srm) && srm_heard(srm) ? 2 * srm->p.interval : 0;
    return srm_due(srm, l->want_since + patience) && srm_due(srm, srm_claim_at(srm, home));
}

static bool upkeep(struct srm *srm)
{
    struct srm_entry e = srm->entry;
    bool armed = (e.armed >> srm->slot & 1) != 0 && e.lease[srm->slot] == srm->p.lease / SRM_MS;
    bool arm = srm_ha(srm) && !armed && !srm->unseen;
    bool renew = renewal(srm, 0);
    renew = renewal(srm, 1) || renew;
    if (!arm && !renew)
        return false;
    if (srm_ha(srm) && !srm->unseen)
        e.armed |= (uint8_t)(1u << srm->slot);
    send(srm, &e, renew);
    return true;
}

/* There may have been a newer entry than the one that we know, and the peer, which could say so, does not.
 * What we hold without a break nobody else can have: that much is written. The rest is the peer's, and it is
 * not said that the peer serves by lease, so that nobody takes anything over before it has spoken. */
static void keep_own(struct srm *srm)
{
    struct srm_entry e = srm->entry;
    const struct lease *own = &srm->lease[srm->slot];
    if (!srm_ha(srm) || !own->held || own->until <= srm->now || !srm_due(srm, own->until - srm->p.lease / 2))
        return;
    for (unsigned s = 0; s < SRM_SLOTS; s++) {
        bool ours = srm->lease[s].held && srm->lease[s].until > srm->now;
        e.serves[s] = (uint8_t)(ours ? srm->slot : srm->slot ^ 1);
        if (srm_goal(srm, &e, s) != e.serves[s])
            e.row = ROW_F24;
    }
    if (e.row == ROW_F24) {
        e.flip = false;
        e.serves[srm->slot ^ 1] = (uint8_t)(srm->slot ^ 1);
    }
    e.armed = srm->unseen ? 0 : (uint8_t)(1u << srm->slot);
    send_as(srm, &e, true, true);
}

static void restore(struct srm *srm)
{
    struct srm_entry e = srm->entry;
    if (srm->broken && srm->gap)
        keep_own(srm);
    else
        send_as(srm, &e, true, true);
}

void srm_write_step(struct srm *srm)
{
    struct srm_write *w = &srm->write;
    if (w->busy || !srm->record || !srm->known || !srm_due(srm, w->retry_at))
        return;
    w->by_fact = false;
    if (w->back || srm->broken) {
        restore(srm);
        return;
    }
    if (facts(srm) || rehomed(srm) || claims(srm))
        return;
    upkeep(srm);
}

bool srm_write_is(const struct srm *srm, const struct srm_entry *e)
{
    const struct srm_entry *w = &srm->write.entry;
    return srm->write.busy && w->by == e->by && w->epoch == e->epoch && w->row == e->row &&
           w->flip == e->flip && w->ha == e->ha && w->armed == e->armed && w->serves[0] == e->serves[0] &&
           w->serves[1] == e->serves[1];
}

/* It says what was known before. The peer may have taken, and lost again, what our deadline had passed for
 * when it was written; and may hold what it renewed before. So nothing is extended, what ran out has to be
 * gained anew, and whoever takes over waits from now on. */
static void restored(struct srm *srm)
{
    static const struct record_version none;
    for (unsigned s = 0; s < SRM_SLOTS; s++) {
        struct lease *l = &srm->lease[s];
        l->clear = none;
        l->held = l->held && l->until > srm->now;
    }
    srm->learned = srm->now;
    srm->broken = srm->gap = false;
}

static void written(struct srm *srm, struct record_version version)
{
    struct srm_write *w = &srm->write;
    if (record_version_cmp(version, srm->entry.version) <= 0)
        return; /* somebody has already written after us */
    w->entry.version = version;
    if (w->by_fact && by_start((enum srm_fact)w->fact) && w->slot == srm->slot)
        srm->started = false;
    if (w->by_fact && by_command((enum srm_fact)w->fact))
        srm->commanded = false;
    srm_adopt(srm, &w->entry, true, w->by_fact ? w->fact : SRM_FACTS, w->slot);
    srm->gap = false;
    if (w->restores) {
        restored(srm);
        return;
    }
    uint64_t span = w->entry.lease[srm->slot] * SRM_MS;
    for (unsigned s = 0; s < SRM_SLOTS; s++) {
        struct lease *l = &srm->lease[s];
        int goal = srm_goal(srm, &srm->entry, s);
        if ((w->claims >> s & 1) != 0 && goal == (int)srm->slot && !srm->leaving) {
            lease_want(l, srm->now);
            srm->to_move |= (uint8_t)(1u << s);
        }
        lease_on_write(l, w->sent, span < srm->p.lease ? span : srm->p.lease, (w->may_gain >> s & 1) != 0);
    }
    srm->ask_now = true;
}

/* Something older than what we know stands there: a Redis was promoted that did not have it. Never below what
 * was known: it is written again. Nobody holds a slot by that alone, whoever gains one waits from now on. */
void srm_regressed(struct srm *srm, struct record_version there)
{
    static const struct record_version none;
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        srm->lease[s].clear = none;
    srm->entry.version = there;
    srm->confirmed = false;
    srm->learned = srm->now;
    srm->write.back = true;
}

/* Our own word, whose acknowledgement was lost, is no sign of life of the peer: it stands on what we knew, so
 * the peer wrote nothing in between. Nothing is held by it, as its sending is not known any more. */
void srm_adopt_seen(struct srm *srm, const struct srm_entry *entry)
{
    struct srm_write *w = &srm->write;
    bool ours =
        w->lost && entry->by == srm->slot + 1 && record_version_cmp(w->lost_on, srm->entry.version) == 0;

    w->lost = false;
    srm_adopt(srm, entry, ours, SRM_FACTS, 0);
    srm->confirmed = false;
}

/* What came meanwhile was not our write. */
static void seen(struct srm *srm)
{
    struct srm_entry e = srm->write.seen;
    srm_adopt_seen(srm, &e);
    srm->confirmed = true;
}

void srm_write_done(struct srm *srm, const struct srm_event *event)
{
    struct srm_write *w = &srm->write;
    if (!w->busy || event->u.cas.id != w->id)
        return;
    w->busy = false;
    const struct srm_entry *there = &event->u.cas.entry;
    if (event->u.cas.result == SRM_CAS_OK) {
        written(srm, there->version);
    } else if (event->u.cas.result == SRM_CAS_BROKEN) {
        w->retry_at = srm->now + srm->p.interval / 4;
        srm->broken = false; /* until it is told which bytes those are */
    } else if (event->u.cas.result == SRM_CAS_UNKNOWN) {
        w->retry_at = srm->now + srm->p.interval / 4;
        w->lost = !w->exact; /* what it replaced is not known: as if another had written it */
        w->lost_on = w->expected;
    } else if (record_version_cmp(there->version, srm->entry.version) > 0 ||
               there->epoch > srm->entry.epoch) {
        srm_adopt_seen(srm,
                       there); /* a Redis that went back has low versions: what moved since is believed */
    } else if (record_version_cmp(there->version, srm->entry.version) < 0) {
        srm_regressed(srm, there->version);
    }
    if (record_version_cmp(w->seen.version, srm->entry.version) > 0)
        seen(srm);
    if (event->u.cas.result == SRM_CAS_CONFLICT)
        srm->broken = false;
    if (event->u.cas.result == SRM_CAS_CONFLICT)
        srm_wake(srm, srm->now);
}
