/* SPDX-License-Identifier: BSD-2-Clause */
/* Orders: any node accepts an administrator's command for any pair and passes it on to the two managers, in
 * the ASKs that all nodes exchange; their ANSWERs say how it went. It is repeated until it is answered and
 * carried out once. It is an act and not a state: it does not stand in the record, and nothing of it is left
 * when who gave it has gone (docs/decisions). Pure. */
#ifndef CONTROLPLANE_HA_ORDERS_H
#define CONTROLPLANE_HA_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "ha/srm.h"

#define ORDERS_MAX  8
#define ORDERS_SEEN 16

enum order_state { ORDER_PENDING, ORDER_ACCEPTED, ORDER_REFUSED };

struct order { /* given here */
    uint32_t id, word;
    uint16_t node[SRM_SLOTS];
    bool answered[SRM_SLOTS];
    uint8_t refusal[SRM_SLOTS];
    uint64_t refused_at, repeat_at; /* ns */
};
struct order_seen { /* carried out here */
    uint64_t boot;
    uint32_t id;
    uint16_t from;
    uint8_t refusal;
};
struct orders {
    struct order given[ORDERS_MAX];
    struct order_seen seen[ORDERS_SEEN];
    unsigned next_seen;
};

/* An order as two numbers of a beat. */
uint32_t order_word(enum srm_command command, uint16_t node);
bool order_of_word(uint32_t word, enum srm_command *command, uint16_t *node);

/* NULL: too many. id is not 0. */
struct order *orders_give(struct orders *orders, uint32_t id, uint32_t word, const uint16_t node[SRM_SLOTS]);
struct order *orders_find(struct orders *orders, uint32_t id);
void orders_end(struct orders *orders, uint32_t id);
void orders_answered(struct orders *orders, uint16_t from, uint32_t id, uint8_t refusal, uint64_t now);
/* One manager is enough to carry it out; one that refuses waits for the other, `patience` at most. */
enum order_state order_state(const struct order *order, uint64_t now, uint64_t patience, uint8_t *refusal);

/* NULL: it has not been carried out here yet. */
const struct order_seen *orders_done(const struct orders *orders, uint16_t from, uint64_t boot, uint32_t id);
void orders_note(struct orders *orders, uint16_t from, uint64_t boot, uint32_t id, uint8_t refusal);

#endif
