/* SPDX-License-Identifier: BSD-2-Clause */
/* Orders in the heartbeats of this node. */
#include "controlplane.h"
#include "ha/run_impl.h"
#include "node/nodes.h"

#define REPEAT_NS   250000000u
#define PATIENCE_NS 2000000000u

uint32_t ha_order(struct ha *ha, const uint16_t nodes[SRM_SLOTS], enum srm_command command, uint16_t node)
{
    /* another one for each command of this start, and its first is not that of the last start */
    uint32_t id = (uint32_t)ha_clock_ns(&ha->clock) | 1;

    if (!ha->beats || !orders_give(&ha->orders, id, order_word(command, node), nodes))
        return 0;
    ha_orders_turn(ha);
    return id;
}

enum order_state ha_order_state(struct ha *ha, uint32_t id, const char **why)
{
    struct order *o = orders_find(&ha->orders, id);
    uint8_t refusal = SRM_OFFERED;
    enum order_state state =
        o ? order_state(o, ha_clock_ns(&ha->clock), PATIENCE_NS, &refusal) : ORDER_PENDING;

    *why = srm_refusal_text(refusal);
    return state;
}

void ha_order_end(struct ha *ha, uint32_t id)
{
    orders_end(&ha->orders, id);
}

void ha_orders_turn(struct ha *ha)
{
    uint64_t now = ha_clock_ns(&ha->clock);

    for (unsigned i = 0; i < ORDERS_MAX; i++) {
        struct order *o = &ha->orders.given[i];
        struct beat content = ha_own_content(ha);
        if (!o->id || now < o->repeat_at)
            continue;
        o->repeat_at = now + REPEAT_NS;
        content.train = o->id;
        content.index = o->word;
        for (unsigned k = 0; k < SRM_SLOTS; k++)
            if (!o->answered[k])
                beats_ask(ha->beats, o->node[k], &content);
    }
}

static enum srm_refusal carry_out(struct ha *ha, const struct beat *beat)
{
    struct srm_event e = {.type = SRM_COMMAND};
    uint16_t node;

    if (!ha->srm || !order_of_word(beat->index, &e.u.command.command, &node) ||
        (node != ha->node[0] && node != ha->node[1]))
        return SRM_NO_NO_MANAGER;
    e.u.command.slot = node == ha->node[1];
    enum srm_refusal no = srm_refuses(ha->srm, e.u.command.command, e.u.command.slot);
    log_printf(&ha->cp->log, HG_LOG_INFO, "ha_order", "%s passed on a command of an administrator%s%s",
               nodes_name(ha->cp, beat->from), no ? ", refused: " : "", no ? srm_refusal_text(no) : "");
    if (no == SRM_OFFERED)
        ha_give(ha, &e);
    return no;
}

void ha_order_heard(struct ha *ha, const struct beat *beat)
{
    if (beat->kind == BEAT_ANSWER) {
        orders_answered(&ha->orders, beat->from, beat->train, (uint8_t)beat->index, ha_clock_ns(&ha->clock));
        return;
    }
    const struct order_seen *seen = orders_done(&ha->orders, beat->from, beat->boot, beat->train);
    if (!seen) {
        orders_note(&ha->orders, beat->from, beat->boot, beat->train, (uint8_t)carry_out(ha, beat));
        seen = orders_done(&ha->orders, beat->from, beat->boot, beat->train);
    }
    struct beat answer = ha_own_content(ha);
    answer.train = beat->train;
    answer.index = seen->refusal;
    beats_answer(ha->beats, beat, &answer);
}
