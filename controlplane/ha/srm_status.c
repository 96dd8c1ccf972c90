/* SPDX-License-Identifier: BSD-2-Clause */
/* What administrators may do now (G01, G06, G10, D02-D08), and what they see. */
#include <string.h>

#include "ha/srm_impl.h"

static bool slot_well(const struct srm *srm, unsigned slot)
{
    return slot == srm->slot ? srm->verdict.well : srm->peer.beat.well;
}

static const char *const texts[SRM_REFUSALS] = {
    NULL,
#define SRM_REFUSAL(id, text) text,
#include "ha/refusals.def"
};

const char *srm_refusal_text(unsigned refusal)
{
    return refusal < SRM_REFUSALS ? texts[refusal] : "that node speaks of a rule that this one does not know";
}

static enum srm_refusal failover(const struct srm *srm, unsigned slot)
{
    if (srm_entry_state(&srm->entry, slot) != STATE_NORMAL)
        return SRM_NO_NOT_NORMAL;
    if (!srm_heard(srm))
        return SRM_NO_NOT_HEARD;
    if (!slot_well(srm, slot) || (slot == srm->slot && srm->missing != 0))
        return SRM_NO_NODE_SICK;
    if (!slot_well(srm, slot ^ 1))
        return SRM_NO_BACKUP_SICK;
    return srm->drained >> (slot ^ 1) & 1 ? SRM_NO_BACKUP_DRAINED : SRM_OFFERED;
}

static enum srm_refusal fallback(const struct srm *srm, unsigned slot)
{
    enum srm_state state = srm_entry_state(&srm->entry, slot);
    if (state != STATE_IDLE && state != STATE_FAILED_OVER)
        return SRM_NO_NOT_AWAY;
    if (!srm_heard(srm))
        return SRM_NO_NOT_HEARD_BACK;
    if (!slot_well(srm, slot))
        return SRM_NO_HOME_SICK;
    return srm->drained >> slot & 1 ? SRM_NO_HOME_DRAINED : SRM_OFFERED;
}

static enum srm_refusal recovery(const struct srm *srm)
{
    bool both = srm_entry_state(&srm->entry, 0) == STATE_FAILED_MODE &&
                srm_entry_state(&srm->entry, 1) == STATE_FAILED_MODE;
    return both ? SRM_OFFERED : SRM_NO_NOT_FAILED;
}

static enum srm_refusal switching(const struct srm *srm, bool on)
{
    if (on)
        return srm_ha(srm) ? SRM_NO_ON_ALREADY : SRM_OFFERED;
    if (!srm_ha(srm))
        return SRM_NO_OFF_ALREADY;
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        if (srm_in_transition(srm_entry_state(&srm->entry, s)))
            return SRM_NO_MOVING;
    return SRM_OFFERED;
}

enum srm_refusal srm_refuses(const struct srm *srm, enum srm_command command, unsigned slot)
{
    if (srm->record && srm->broken)
        return SRM_NO_BROKEN;
    if (!srm->record || !srm->known)
        return SRM_NO_RECORD;
    if (srm->commanded && command != SRM_CMD_REHOMED)
        return SRM_NO_BUSY;
    if (!srm_ha(srm) && command <= SRM_CMD_RECOVER)
        return SRM_NO_IS_OFF;
    switch (command) {
    case SRM_CMD_FAILOVER:
        return failover(srm, slot & 1);
    case SRM_CMD_FALLBACK:
        return fallback(srm, slot & 1);
    case SRM_CMD_RECOVER:
        return recovery(srm);
    case SRM_CMD_HA_ON:
    case SRM_CMD_HA_OFF:
        return switching(srm, command == SRM_CMD_HA_ON);
    default:
        return srm_ha(srm) ? SRM_NO_STILL_ON : SRM_OFFERED;
    }
}

const char *srm_refusal(const struct srm *srm, uint64_t now, enum srm_command command, unsigned slot)
{
    (void)now;
    return srm_refusal_text(srm_refuses(srm, command, slot));
}

void srm_status(const struct srm *srm, uint64_t now, struct srm_status *out)
{
    memset(out, 0, sizeof(*out));
    out->entry = srm->entry;
    out->slot = srm->slot;
    out->holds = srm_holds(srm);
    out->until = lease_deadline(srm->lease, SRM_SLOTS);
    out->record = srm->record;
    out->broken = srm->broken;
    out->peer_heard = srm_heard(srm);
    out->starting = srm->starting;
    out->peer_seen = srm->peer.seen;
    out->quiet_since = srm->p.automatic_fallback ? srm->quiet_since : 0;
    out->peer = srm->peer.beat;
    out->well = srm->verdict.well;
    out->map_id = srm->map_id;
    for (unsigned s = 0; s < SRM_SLOTS; s++) {
        out->move_left[s] = srm->move_left[s];
        out->move_done[s] = srm->move_done[s];
        out->action[s] = srm_refusal(srm, now, SRM_CMD_FAILOVER, s) == NULL   ? "failover"
                         : srm_refusal(srm, now, SRM_CMD_FALLBACK, s) == NULL ? "fallback"
                         : srm_refusal(srm, now, SRM_CMD_RECOVER, s) == NULL  ? "recover"
                                                                              : NULL;
    }
}
