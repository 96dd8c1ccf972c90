/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/orders.h"

#include <string.h>

uint32_t order_word(enum srm_command command, uint16_t node)
{
    return (uint32_t)(command + 1) << 16 | node;
}

bool order_of_word(uint32_t word, enum srm_command *command, uint16_t *node)
{
    uint32_t c = word >> 16;

    if (c < 1 || c - 1 > SRM_CMD_RECOVER)
        return false;
    *command = (enum srm_command)(c - 1);
    *node = (uint16_t)word;
    return true;
}

struct order *orders_find(struct orders *orders, uint32_t id)
{
    for (unsigned i = 0; i < ORDERS_MAX; i++)
        if (orders->given[i].id == id)
            return &orders->given[i];
    return NULL;
}

struct order *orders_give(struct orders *orders, uint32_t id, uint32_t word, const uint16_t node[SRM_SLOTS])
{
    struct order *o = orders_find(orders, 0);

    if (!o || orders_find(orders, id))
        return NULL;
    *o = (struct order){.id = id, .word = word};
    memcpy(o->node, node, sizeof(o->node));
    return o;
}

void orders_end(struct orders *orders, uint32_t id)
{
    struct order *o = id ? orders_find(orders, id) : NULL;

    if (o)
        o->id = 0;
}

void orders_answered(struct orders *orders, uint16_t from, uint32_t id, uint8_t refusal, uint64_t now)
{
    struct order *o = id ? orders_find(orders, id) : NULL;

    for (unsigned k = 0; o && k < SRM_SLOTS; k++) {
        if (o->node[k] != from || o->answered[k])
            continue;
        o->answered[k] = true;
        o->refusal[k] = refusal;
        if (refusal != SRM_OFFERED && o->refused_at == 0)
            o->refused_at = now;
    }
}

enum order_state order_state(const struct order *o, uint64_t now, uint64_t patience, uint8_t *refusal)
{
    unsigned refused = 0;

    for (unsigned k = 0; k < SRM_SLOTS; k++) {
        if (o->answered[k] && o->refusal[k] == SRM_OFFERED)
            return ORDER_ACCEPTED;
        if (o->answered[k]) {
            *refusal = o->refusal[k];
            refused++;
        }
    }
    bool late = refused > 0 && now - o->refused_at >= patience;
    return refused == SRM_SLOTS || late ? ORDER_REFUSED : ORDER_PENDING;
}

const struct order_seen *orders_done(const struct orders *orders, uint16_t from, uint64_t boot, uint32_t id)
{
    for (unsigned i = 0; i < ORDERS_SEEN; i++) {
        const struct order_seen *s = &orders->seen[i];
        if (s->id == id && s->from == from && s->boot == boot)
            return s;
    }
    return NULL;
}

void orders_note(struct orders *orders, uint16_t from, uint64_t boot, uint32_t id, uint8_t refusal)
{
    orders->seen[orders->next_seen++ % ORDERS_SEEN] =
        (struct order_seen){.boot = boot, .id = id, .from = from, .refusal = refusal};
}
