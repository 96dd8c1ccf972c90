/* SPDX-License-Identifier: BSD-2-Clause */
/* User -> contacts, one table per core: for the users that this node serves, or would. Chains of sets in
 * slabs of a few sizes; the number of users is fixed at start, pages are touched as they are first used. */
#ifndef ROUTE_CONTACT_TABLE_H
#define ROUTE_CONTACT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/contacts.h"
#include "hg/user_key.h"

#define CONTACT_CLASSES 6

struct slab;

struct contact_set {
    struct hg_user_key key;
    uint32_t generation; /* of this set, never 0: what replaces it has another */
    uint32_t round;      /* of the resynchronisation that mentioned it last */
    uint32_t next;       /* link in its chain */
    uint32_t self;       /* its own link: class and index, never 0 */
    uint32_t length;
    uint16_t n;
    uint16_t pad;
    char bytes[]; /* hg/contacts.h */
};

struct contact_table {
    struct slab *slab[CONTACT_CLASSES];
    uint32_t *bucket; /* link of the first set */
    uint32_t mask;
    uint32_t max, used;
    uint32_t round;
    uint32_t generation;
    uint32_t sweep; /* next bucket; above mask: nothing to sweep */
};

bool contact_table_open(struct contact_table *t, uint32_t users);
void contact_table_close(struct contact_table *t);
void contact_table_prefetch(const struct contact_table *t, const struct hg_user_key *key);
/* Valid until the table is changed. */
const struct contact_set *contact_table_find(const struct contact_table *t, const struct hg_user_key *key);
/* bytes passed hg_contacts_check(), n > 0. false: no room. */
bool contact_table_set(struct contact_table *t, const struct hg_user_key *key, const char *bytes,
                       uint32_t length, unsigned n);
bool contact_table_delete(struct contact_table *t, const struct hg_user_key *key);
/* As in user_table.h; n counts buckets and what stands in them. */
void contact_table_round(struct contact_table *t);
void contact_table_sweep_start(struct contact_table *t);
bool contact_table_sweep(struct contact_table *t, unsigned n);

#endif
