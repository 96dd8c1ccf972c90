/* SPDX-License-Identifier: BSD-2-Clause */
/* Users on the move. They are served from the moment that their slot is held (ZZ16); the iterations pace only
 * what the host does for those who are silent (D32, D39-D41). */
#include <string.h>

#include "ha/srm_impl.h"

/* A new row: what it makes us take and we have to account for. Slots that are taken by a write are added
 * there. */
void srm_users_row(struct srm *srm)
{
    srm->to_move = 0;
    if (!srm_taker(&srm->entry, srm->slot))
        return;
    for (unsigned s = 0; s < SRM_SLOTS; s++) {
        bool home = srm_row_info[srm->entry.row].goal == GOAL_HOME;
        if (srm_goal(srm, &srm->entry, s) != (int)srm->slot || (s == srm->slot) != home)
            continue;
        srm->to_move |= (uint8_t)(1u << s);
        srm->move_done[s] = srm->move_left[s] = 0;
    }
    srm->move_at = srm->now;
}

void srm_users_moved(struct srm *srm, const struct srm_event *event)
{
    unsigned home = event->u.moved.home & 1;
    srm->moving = false;
    srm->move_done[home] += event->u.moved.moved;
    srm->move_left[home] = event->u.moved.left;
    if (event->u.moved.left == 0)
        srm->to_move &= (uint8_t) ~(1u << home);
}

void srm_users_step(struct srm *srm)
{
    unsigned home = (srm->to_move & 1) != 0 ? 0 : 1;
    if (srm->to_move == 0 || srm->moving || !srm_settled(srm) || !srm_due(srm, srm->move_at))
        return;
    srm->moving = true;
    srm->move_at = srm->now + srm->p.iteration;
    struct srm_action *a = srm_do(srm, SRM_DO_MOVE);
    a->u.move.home = (uint8_t)home;
    a->u.move.to = (uint8_t)srm->slot;
    a->u.move.back = srm_row_info[srm->entry.row].goal == GOAL_HOME;
    a->u.move.max = srm->p.users_per_iteration;
}

/* High availability went off, and we act for the users of our peer: they stay, and become at home here (D09).
 */
void srm_rehome_step(struct srm *srm)
{
    unsigned home = srm->slot ^ 1;
    bool away = srm->known && srm->confirmed && !srm_ha(srm) && srm->entry.serves[home] == srm->slot;
    if (away && !srm->rehoming) {
        struct srm_action *a = srm_do(srm, SRM_DO_REHOME);
        a->u.rehome.home = (uint8_t)home;
        a->u.rehome.to = (uint8_t)srm->slot;
    }
    srm->rehoming = away;
}
