/* SPDX-License-Identifier: BSD-2-Clause */
/* What administrators may do now (G01, G06, G10, D02-D08), and what they see. */
#include <string.h>

#include "ha/srm_impl.h"

static bool slot_well(const struct srm *srm, unsigned slot)
{
    return slot == srm->slot ? srm->verdict.well : srm->peer.beat.well;
}

static const char *failover(const struct srm *srm, unsigned slot)
{
    if (srm_entry_state(&srm->entry, slot) != STATE_NORMAL)
        return "G01: failover is offered only for a node in Normal; `hgctl ha status` shows the state";
    if (!srm_heard(srm))
        return "G01: the peer is not heard; repair the network between the nodes first";
    if (!slot_well(srm, slot) || (slot == srm->slot && srm->missing != 0))
        return "G02: critical services of the node do not all run; start them first";
    if (!slot_well(srm, slot ^ 1))
        return "G04: critical services of the backup do not all run; start them first";
    return NULL;
}

static const char *fallback(const struct srm *srm, unsigned slot)
{
    enum srm_state state = srm_entry_state(&srm->entry, slot);
    if (state != STATE_IDLE && state != STATE_FAILED_OVER)
        return "G06: fallback is offered only for a node that is Idle or Failed Over; start its services, or "
               "reboot it";
    if (!srm_heard(srm))
        return "G06: the peer is not heard; repair the network between the nodes first";
    if (!slot_well(srm, slot))
        return "G07: critical services of the node do not all run; start them first";
    return NULL;
}

static const char *recovery(const struct srm *srm)
{
    if (srm_entry_state(&srm->entry, 0) == STATE_FAILED_MODE &&
        srm_entry_state(&srm->entry, 1) == STATE_FAILED_MODE)
        return NULL;
    return "G10: recovery is offered only when both nodes are failed; else use failover or fallback";
}

static const char *switching(const struct srm *srm, bool on)
{
    if (on)
        return srm_ha(srm) ? "D02: high availability is on already" : NULL;
    if (!srm_ha(srm))
        return "D08: high availability is off already";
    for (unsigned s = 0; s < SRM_SLOTS; s++)
        if (srm_in_transition(srm_entry_state(&srm->entry, s)))
            return "D08: not while users move; wait until the failover or fallback is complete";
    return NULL;
}

const char *srm_refusal(const struct srm *srm, uint64_t now, enum srm_command command, unsigned slot)
{
    (void)now;
    if (!srm->record || !srm->known)
        return "the record is not available; see `hgctl troubleshoot`";
    if (srm->commanded && command != SRM_CMD_REHOMED)
        return "another command is under way; wait for it";
    if (!srm_ha(srm) && command <= SRM_CMD_RECOVER)
        return "D10: high availability is off in this subcluster; `hgctl ha enable` switches it on";
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
        return srm_ha(srm) ? "D09: high availability is on" : NULL;
    }
}

void srm_status(const struct srm *srm, uint64_t now, struct srm_status *out)
{
    memset(out, 0, sizeof(*out));
    out->entry = srm->entry;
    out->slot = srm->slot;
    out->holds = srm_holds(srm);
    out->until = lease_deadline(srm->lease, SRM_SLOTS);
    out->record = srm->record;
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
