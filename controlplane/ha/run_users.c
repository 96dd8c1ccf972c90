/* SPDX-License-Identifier: BSD-2-Clause */
/* Users and their moves. The map moves all of them at once (ZZ16), so what is paced (D32, D41) is the account
 * of the silent ones: those with a contact count as signed in, and come first in a failover, last in a
 * fallback (D39, D40). Rehoming (D09) rewrites their home in the record. */
#include <stdlib.h>
#include <string.h>

#include "assign/contact.h"
#include "assign/users.h"
#include "controlplane.h"
#include "ha/run_impl.h"
#include "store/record.h"

#define LOOK_MAX 20000 /* users looked at in one turn */

static uint16_t home_of(const struct ha *ha, uint8_t slot)
{
    const struct topology_node *node = topology_node(&ha->cp->topology, ha->node[slot]);

    return node ? users_home_find(ha->cp->users, slice_str(node->name)) : 0;
}

void ha_users_move(struct ha *ha, uint8_t home, uint8_t to, bool back, uint32_t max)
{
    struct ha_move *m = &ha->move[home];
    uint16_t at = home_of(ha, home);

    if (!m->active || m->to != to || m->back != back)
        *m = (struct ha_move){.active = true, .back = back, .to = to};
    if (!record_was_loaded(
            ha->cp->record)) { /* a control plane that starts does not know yet how many there are */
        struct srm_event unknown = {.type = SRM_MOVED, .u.moved = {.home = home, .moved = 0, .left = 1}};
        ha_give(ha, &unknown);
        return;
    }
    m->total = at ? users_count_at(ha->cp->users, at) : 0;
    if (m->done > m->total)
        m->done = m->total;
    uint64_t left = m->total - m->done;
    uint64_t now = max && max < left ? max : left;
    m->done += now;
    ha->cp->own.v[OWN_ha_users_moved] += now;
    m->active = m->done < m->total;
    struct srm_event e = {.type = SRM_MOVED,
                          .u.moved = {.home = home, .moved = now, .left = m->total - m->done}};
    ha_give(ha, &e);
}

/* ---- rehoming ---- */

struct ha_rehome {
    struct ha *ha;
    uint8_t slot;
    char to[HG_NODE_NAME_MAX + 1];
    bool busy;
    bool over;           /* the pair is another one: the slots are not those of before */
    uint64_t wait_until; /* ns */
    uint32_t last_len;
    char last[USERS_NAME_MAX];
    uint32_t n;
    struct record_item item[RECORD_ITEMS_MAX];
    char value[RECORD_ITEMS_MAX][USER_VALUE_MAX];
};

void ha_users_rehome(struct ha *ha, uint8_t home, uint8_t to)
{
    const struct topology_node *target = topology_node(&ha->cp->topology, ha->node[to]);

    if (!target || (ha->rehome && ha->rehome->busy))
        return; /* it is asked for again */
    if (!ha->rehome)
        ha->rehome = calloc(1, sizeof(*ha->rehome));
    struct ha_rehome *r = ha->rehome;
    if (!r || (r->ha && !r->over && r->slot == home && strcmp(r->to, target->name) == 0))
        return;
    r->ha = ha;
    r->over = false;
    r->slot = home;
    r->last_len = 0;
    memcpy(r->to, target->name, sizeof(r->to));
    log_printf(&ha->cp->log, HG_LOG_INFO, "ha_rehome",
               "high availability is off: the users of %s stay with %s (D09)",
               topology_node(&ha->cp->topology, ha->node[home])
                   ? topology_node(&ha->cp->topology, ha->node[home])->name
                   : "?",
               r->to);
}

void ha_users_forget(struct ha *ha)
{
    if (ha->rehome)
        ha->rehome->over = true;
}

static void on_rehomed(void *arg, const struct record_outcome *outcome)
{
    struct ha_rehome *r = arg;

    r->busy = false;
    if (outcome->result == RECORD_UNAVAILABLE)
        r->wait_until = ha_clock_ns(&r->ha->clock) + 1000000000u;
    if (outcome->result != RECORD_OK)
        r->last_len = 0; /* somebody changed one of them: once more from the beginning */
}

static void one(struct ha_rehome *r, const struct user *u)
{
    char *value = r->value[r->n];
    uint32_t len = users_value(u, slice_str(r->to), value);

    r->item[r->n++] = (struct record_item){.table = RECORD_USERS,
                                           .op = RECORD_SET,
                                           .expect = RECORD_SAME,
                                           .version = u->version,
                                           .field = slice_of(u->name, u->len),
                                           .value = slice_of(value, len)};
}

static void finished(struct ha *ha)
{
    struct srm_event e = {.type = SRM_COMMAND, .u.command = {SRM_CMD_REHOMED, ha->rehome->slot}};

    free(ha->rehome);
    ha->rehome = NULL;
    ha_give(ha, &e);
}

void ha_users_turn(struct ha *ha)
{
    struct ha_rehome *r = ha->rehome;
    struct users *users = ha->cp->users;

    if (r && r->over && !r->busy) {
        free(r);
        ha->rehome = NULL;
        return;
    }
    if (!r || r->busy || !ha->srm || record_room(ha->cp->record) == 0 ||
        ha_clock_ns(&ha->clock) < r->wait_until)
        return;
    uint16_t from = home_of(ha, r->slot);
    if (!from || users_count_at(users, from) == 0) {
        finished(ha);
        return;
    }
    uint64_t at = users_position_after(users, slice_of(r->last, r->last_len));
    r->n = 0;
    for (unsigned i = 0; i < LOOK_MAX && r->n < RECORD_ITEMS_MAX; i++) {
        const struct user *u = users_walk(users, &at);
        if (!u) {
            r->last_len = 0;
            break;
        }
        r->last_len = u->len;
        memcpy(r->last, u->name, u->len);
        if (u->home == from)
            one(r, u);
    }
    if (r->n == 0)
        return;
    r->busy = true;
    record_change(ha->cp->record, r->item, r->n, on_rehomed, r);
}
