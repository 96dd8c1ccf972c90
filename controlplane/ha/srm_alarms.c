/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/srm_impl.h"

static void level(struct srm *srm, enum srm_alarm alarm, bool on)
{
    uint32_t bit = 1u << alarm;
    if (((srm->alarms & bit) != 0) == on)
        return;
    srm->alarms ^= bit;
    struct srm_action *a = srm_do(srm, SRM_DO_ALARM);
    a->u.alarm.alarm = alarm;
    a->u.alarm.on = on;
}

void srm_alarms_step(struct srm *srm)
{
    bool ha = srm_ha(srm);
    uint64_t until = lease_deadline(srm->lease, SRM_SLOTS);
    bool wants = srm->lease[0].want || srm->lease[1].want;
    bool away = srm->entry.serves[0] != 0 || srm->entry.serves[1] != 1;
    if (ha && wants && until > srm->now)
        srm_wake(srm, until);
    if (ha && srm_heard(srm))
        srm_wake(srm, srm->peer.seen + srm->p.timeout);
    level(srm, SRM_ALARM_PEER, ha && !srm_heard(srm) && srm_due(srm, srm->started_at + srm->p.init_timeout));
    level(srm, SRM_ALARM_LEASE,
          ha && wants && until <= srm->now && srm_due(srm, srm->started_at + srm->p.init_timeout));
    level(srm, SRM_ALARM_FAILED, srm_entry_state(&srm->entry, srm->slot) == STATE_FAILED_MODE);
    level(srm, SRM_ALARM_FAILED_OVER, ha && away);
    level(srm, SRM_ALARM_REGRESSED, srm->write.back);
    level(srm, SRM_ALARM_SERVICE, !srm->verdict.well && srm_due(srm, srm->started_at + srm->p.init_timeout));
}
