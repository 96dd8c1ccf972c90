/* SPDX-License-Identifier: BSD-2-Clause */
/* Which home slots this node wants to act for, which it holds, and what the cores are told about it. */
#include "ha/srm_impl.h"

int srm_goal(const struct srm *srm, const struct srm_entry *entry, unsigned home)
{
    (void)srm;
    return srm_goal_slot((enum srm_row)entry->row, entry->flip, home);
}

bool srm_ha(const struct srm *srm)
{
    return srm->known && srm->entry.row != ROW_F42;
}

uint8_t srm_holds(const struct srm *srm)
{
    uint8_t bits = 0;
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        bits |= (uint8_t)((srm->lease[s].held && srm->lease[s].until > srm->now) << s);
    return bits;
}

static uint8_t mapped(const struct srm *srm)
{
    uint8_t bits = 0;
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        bits |= (uint8_t)(srm->lease[s].mapped << s);
    return bits;
}

uint8_t srm_has(const struct srm *srm)
{
    uint8_t bits = srm->unseen ? 3 : srm->write.busy ? srm->write.claims : 0;
    bool live = lease_deadline(srm->lease, SRM_SLOTS) > srm->now;
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        bits |= (uint8_t)((srm->lease[s].want || (srm->lease[s].mapped && live)) << s);
    return bits;
}

uint64_t srm_claim_at(const struct srm *srm, unsigned home)
{
    return lease_claim_at(&srm->lease[home], srm->entry.version, srm->learned, srm_peer_span(srm),
                          srm->p.guard);
}

uint64_t srm_peer_span(const struct srm *srm)
{
    uint32_t said = srm->entry.lease[srm->slot ^ 1];
    return said != 0 ? said * SRM_MS : srm->p.lease;
}

uint64_t srm_span(const struct srm *srm)
{
    uint32_t said = srm->entry.lease[srm->slot];
    return said != 0 && said * SRM_MS < srm->p.lease ? said * SRM_MS : srm->p.lease;
}

static bool wanted(const struct srm *srm, unsigned home)
{
    if (srm->leaving)
        return false;
    if (!srm->known)
        return srm->lease[home].want; /* what the segment said */
    if (srm->commanded && srm->command == SRM_CMD_REHOMED && home == srm->command_slot && home != srm->slot)
        return false;
    int goal = srm_goal(srm, &srm->entry, home);
    return srm->entry.serves[home] == srm->slot && (goal < 0 || goal == (int)srm->slot);
}

static void want(struct srm *srm, unsigned home)
{
    struct lease *l = &srm->lease[home];
    bool w = wanted(srm, home);
    if (w && !l->want) {
        lease_want(l, srm->now);
        srm->ask_now = true;
    } else if (!w && l->want) {
        lease_unwant(l);
        srm->ask_now = true;
    }
}

/* High availability off: no deadline, once that is durable. On again: at once a bounded one, before anybody
 * may rely on it. So with a lease that became shorter: the entry says it only after. */
static void bound(struct srm *srm, unsigned home)
{
    struct lease *l = &srm->lease[home];
    if (!srm->known)
        return;
    if (!srm_ha(srm) && srm->confirmed && l->want && (l->held || (srm->first && !srm->missing_entry))) {
        l->held = true;
        l->until = LEASE_FOREVER;
    } else if (srm_ha(srm)) {
        lease_bound(l, srm->now + srm->p.lease);
    }
}

static void tell_map(struct srm *srm)
{
    int map[SRM_SLOTS];
    for (unsigned s = 0; s < SRM_SLOTS; s++) {
        struct lease *l = &srm->lease[s];
        /* as long as nothing else is known, whom it says that it acts for is sent there */
        bool peer = srm->known ? srm->entry.serves[s] != srm->slot
                               : srm_heard(srm) && (srm->peer.beat.holds >> s & 1) != 0;
        map[s] = l->held ? (int)srm->slot : peer ? (int)(srm->slot ^ 1) : SRM_NOBODY;
    }
    if (srm->map_told && map[0] == srm->map[0] && map[1] == srm->map[1] && srm->map_epoch == srm->entry.epoch)
        return;
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        srm->map[s] = map[s];
    srm->map_told = true;
    srm->map_epoch = srm->entry.epoch;
    struct srm_action *a = srm_do(srm, SRM_DO_MAP);
    a->u.map.id = ++srm->map_id;
    a->u.map.epoch = srm->entry.epoch;
    a->u.map.serving[0] = map[0];
    a->u.map.serving[1] = map[1];
}

static void tell_lease(struct srm *srm)
{
    uint64_t until = lease_deadline(srm->lease, SRM_SLOTS);
    uint64_t word = srm_lease_word(srm->entry.epoch, mapped(srm));
    if (srm->lease_told && until == srm->told_until && word == srm->told_word)
        return;
    srm->lease_told = true;
    srm->told_until = until;
    srm->told_word = word;
    struct srm_action *a = srm_do(srm, SRM_DO_LEASE);
    a->u.lease.until = until;
    a->u.lease.word = word;
}

void srm_hold(struct srm *srm)
{
    bool held = false;
    for (unsigned s = 0; s < SRM_SLOTS; s++) {
        want(srm, s);
        bound(srm, s);
        held = held || srm->lease[s].held;
    }
    if (srm->known)
        srm->first = false;
    if (srm->map_told && srm->map_applied == srm->map_id)
        for (unsigned s = 0; s < SRM_SLOTS; s++)
            if (!srm->lease[s].held && srm->map[s] != (int)srm->slot && srm->lease[s].mapped) {
                srm->lease[s].mapped = false;
                srm->ask_now = true;
            }
    /* Nothing left: one store fences everything, no core has to be waited for. */
    for (unsigned s = 0; s < SRM_SLOTS && !held; s++)
        srm->lease[s].until = 0;
    /* the segment says that a slot may be in a map before it is: whoever starts after us has to know */
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        srm->lease[s].mapped = srm->lease[s].mapped || srm->lease[s].held;
    tell_lease(srm);
    tell_map(srm);
}

bool srm_settled(const struct srm *srm)
{
    if (srm->map_applied != srm->map_id)
        return false;
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        if (srm_goal(srm, &srm->entry, s) == (int)srm->slot && !srm->lease[s].held)
            return false;
    return true;
}
