/* SPDX-License-Identifier: BSD-2-Clause */
/* Which facts of facts.def hold, for this node and for its peer as far as its beats tell. */
#include "ha/srm_impl.h"

bool srm_heard(const struct srm *srm)
{
    return srm->peer.seen != 0 && srm->now - srm->peer.seen < srm->p.timeout && !srm->peer.beat.leaving;
}

bool srm_two_way(const struct srm *srm)
{
    return srm_heard(srm) && srm->peer.two_way != 0 && srm->now - srm->peer.two_way < srm->p.timeout;
}

/* It is heard, and hears nothing: no grant has come to it for a whole lease. Asked again and again it did not
 * answer; a node that stood still itself has asked once since. */
static bool deaf(struct srm *srm)
{
    bool long_ago =
        srm->peer.two_way != 0 && srm_due(srm, srm->peer.two_way + srm->p.timeout + srm_peer_span(srm));
    return long_ago && srm->peer.unanswered * srm->p.interval >= srm->p.timeout;
}

unsigned srm_role(const struct srm_entry *entry, unsigned slot)
{
    return (slot ^ entry->flip) & 1;
}

bool srm_taker(const struct srm_entry *entry, unsigned slot)
{
    enum srm_row row = (enum srm_row)entry->row;
    struct srm_move m = srm_move(row, FACT_MOVED, srm_role(entry, slot));
    return m.next != row || m.flip;
}

static bool silent(struct srm *srm)
{
    if (srm->peer.seen == 0)
        return srm_due(srm, srm->started_at + srm->p.init_timeout);
    if (srm->peer.beat.leaving)
        return true;
    return deaf(srm) ||
           srm_due(srm, srm->peer.seen + (srm->peer.beat.starting ? srm->p.init_timeout : srm->p.timeout));
}

static bool peer_renews(struct srm *srm)
{
    uint64_t contact = deaf(srm) ? srm->peer.two_way : srm->peer.seen;
    return srm->peer.renewed > srm->started_at && srm->peer.renewed > contact &&
           srm->now - srm->peer.renewed < srm_peer_span(srm);
}

static enum srm_fact why_silent(const struct srm *srm)
{
    if (srm->peer.seen == 0)
        return FACT_PEER_DOWN_INIT;
    return srm->peer.beat.leaving ? FACT_PEER_REBOOT : FACT_PEER_DOWN;
}

/* One of the three kinds of loss. That nothing extends the peer's lease is seen to where its slots are
 * claimed. */
static bool lost(struct srm *srm, enum srm_fact fact)
{
    return fact == why_silent(srm) && srm->p.automatic_failover && srm->verdict.well && !srm->leaving &&
           silent(srm);
}

static bool well(const struct srm *srm, unsigned slot)
{
    return slot == srm->slot ? srm->verdict.well : srm_heard(srm) && srm->peer.beat.well;
}

static bool out_of(const struct srm *srm, unsigned slot, bool database)
{
    const struct outage_verdict *v = &srm->verdict;
    if (slot == srm->slot)
        return database ? v->database_out : v->service_out;
    return srm_heard(srm) && (database ? srm->peer.beat.database_out : srm->peer.beat.service_out);
}

static bool start(struct srm *srm, bool is_well)
{
    if (!srm->started)
        return false;
    if (srm->verdict.well)
        return is_well;
    return !is_well && srm_due(srm, srm->started_at + srm->p.init_timeout);
}

/* Then it writes itself that it is there. */
static bool is_starting(const struct srm *srm, unsigned slot)
{
    return slot == srm->slot ? srm->started : srm->peer.beat.starting;
}

static bool state_is(const struct srm *srm, unsigned slot, enum srm_state state)
{
    return srm_entry_state(&srm->entry, slot) == state;
}

static bool ready(struct srm *srm, unsigned slot, bool away)
{
    unsigned serving = srm->entry.serves[slot];
    if (away)
        return serving != slot && srm->entry.serves[slot ^ 1] == serving && srm_heard(srm);
    bool armed = (srm->entry.armed >> slot & 1) != 0;
    return slot == srm->slot && state_is(srm, slot, STATE_INITIALIZING) && srm->verdict.well && armed &&
           srm_two_way(srm) && serving == slot && srm->lease[slot].held && srm->map_applied == srm->map_id;
}

static bool commanded(const struct srm *srm, enum srm_command command, unsigned slot)
{
    return srm->commanded && srm->command == command && srm->command_slot == slot;
}

static bool quiet(struct srm *srm)
{
    bool drained = (srm->drained >> (srm->slot ^ 1) & 1) != 0; /* it would refuse its users */
    return !drained && srm->p.automatic_fallback && srm->quiet_since != 0 &&
           srm_due(srm, srm->quiet_since + srm->p.fallback_quiet);
}

static bool take_fact(struct srm *srm, enum srm_fact fact, unsigned slot)
{
    bool me = slot == srm->slot;
    switch (fact) {
    case FACT_START_FAILED:
        return me && state_is(srm, slot, STATE_TAKING_BACK) && !srm->verdict.well &&
               srm_due(srm, srm->row_since + srm->p.init_timeout);
    case FACT_MOVE_FAILED:
        return me && srm_taker(&srm->entry, slot) && !srm_settled(srm) &&
               srm_due(srm, srm->row_since + srm->p.move_timeout);
    case FACT_MOVED:
        return me && srm_taker(&srm->entry, slot) && srm_settled(srm) && srm->to_move == 0;
    case FACT_QUIET:
        return !me && quiet(srm);
    case FACT_WELL:
        return me && srm->well_since != 0 && srm_due(srm, srm->well_since + srm->p.init_timeout) &&
               srm_due(srm, srm->row_since + srm->p.init_timeout);
    default:
        return false;
    }
}

static bool service_fact(struct srm *srm, enum srm_fact fact, unsigned slot)
{
    bool out = out_of(srm, slot, false), database = out_of(srm, slot, true);
    bool peer_well = well(srm, slot ^ 1);
    bool may = srm->p.automatic_failover && srm_two_way(srm); /* nothing goes to a peer that is deaf */
    switch (fact) {
    case FACT_SERVICE_DOWN:
        return may && out && peer_well;
    case FACT_DATABASE_DOWN:
        return may && database && peer_well;
    case FACT_BOTH_DOWN:
        return may && (out || database) && (out_of(srm, slot ^ 1, false) || out_of(srm, slot ^ 1, true));
    default:
        return well(srm, slot);
    }
}

bool srm_fact(struct srm *srm, enum srm_fact fact, unsigned slot)
{
    bool me = slot == srm->slot;
    switch (fact) {
    case FACT_HA_OFF:
        return me && srm->commanded && srm->command == SRM_CMD_HA_OFF;
    case FACT_HA_ON:
        return me && srm->commanded && srm->command == SRM_CMD_HA_ON;
    case FACT_START_WELL:
    case FACT_START:
        return me && start(srm, fact == FACT_START_WELL);
    case FACT_PEER_REBOOT:
    case FACT_PEER_DOWN_INIT:
    case FACT_PEER_DOWN:
        return me && lost(srm, fact);
    case FACT_PEER_APART:
        return me && silent(srm) && peer_renews(srm);
    case FACT_HEARD:
        return me && srm_two_way(srm);
    case FACT_BACK_WELL:
        return srm_two_way(srm) && well(srm, slot) && !is_starting(srm, slot);
    case FACT_BACK:
        return srm_two_way(srm) && !well(srm, slot) && !is_starting(srm, slot);
    case FACT_READY:
    case FACT_READY_AWAY:
        return ready(srm, slot, fact == FACT_READY_AWAY);
    case FACT_SERVICE_DOWN:
    case FACT_DATABASE_DOWN:
    case FACT_BOTH_DOWN:
    case FACT_SERVICES_UP:
        return service_fact(srm, fact, slot);
    case FACT_FAILOVER:
        return commanded(srm, SRM_CMD_FAILOVER, slot);
    case FACT_FALLBACK:
        return commanded(srm, SRM_CMD_FALLBACK, slot);
    case FACT_RECOVERY:
        return me && srm->commanded && srm->command == SRM_CMD_RECOVER;
    default:
        return take_fact(srm, fact, slot);
    }
}

/* What the peer has, of the services that are down only then. What a deaf peer has is of no use: it could not
 * take over. One that was not met yet, and serves our users, may have what we lack: who starts does not claim
 * to be well before it knows. */
static uint64_t peer_has(struct srm *srm)
{
    bool away = srm->known && srm->entry.serves[srm->slot] != srm->slot;
    if (away && srm->peer.two_way == 0 && !srm_due(srm, srm->started_at + srm->p.init_timeout))
        return UINT64_MAX;
    return srm_two_way(srm) ? srm->peer.beat.services : 0;
}

/* Since when both were well, and since when a failed over peer has been steady (D43): no heartbeat missed, no
 * change. */
void srm_watch(struct srm *srm)
{
    srm->verdict = outage_judge(&srm->outage, peer_has(srm), srm->now, srm->p.service_down_delay);
    srm_wake(srm, srm->verdict.next);
    if (srm->peer.seen != 0 && srm_heard(srm))
        srm_wake(srm, srm->peer.seen + srm->p.timeout);
    bool both = srm_two_way(srm) && srm->verdict.well && srm->peer.beat.well;
    if (!both)
        srm->well_since = 0;
    else if (srm->well_since == 0)
        srm->well_since = srm->now;
    bool steady = both && srm->now - srm->peer.seen <= 2 * srm->p.interval &&
                  srm_entry_state(&srm->entry, srm->slot) == STATE_BACKUP;
    if (!steady)
        srm->quiet_since = 0;
    else if (srm->quiet_since == 0)
        srm->quiet_since = srm->now;
    if (steady && srm->p.automatic_fallback)
        srm_wake(srm, srm->peer.seen + 2 * srm->p.interval + 1);
    bool initialising = state_is(srm, srm->slot, STATE_INITIALIZING);
    srm->starting = srm->starting && (!srm->known || srm->started || (srm_ha(srm) && initialising));
    if (srm->commanded && srm->now - srm->commanded_at > srm->p.move_timeout &&
        srm->command != SRM_CMD_REHOMED)
        srm->commanded = false;
}
