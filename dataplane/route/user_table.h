/* SPDX-License-Identifier: BSD-2-Clause */
/* User -> node, one table per core: cuckoo hashing with two buckets of four entries, a bucket is a cache
 * line. An entry holds 96 bits of the 128-bit keyed hash; the others are implied by the bucket. The capacity
 * is fixed at start. */
#ifndef ROUTE_USER_TABLE_H
#define ROUTE_USER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hg/user_key.h"

#define USER_BUCKET     4
#define USER_NODE_BITS  12
#define USER_ROUND_BITS 20 /* of the number of the resynchronisation that mentioned the entry last */

struct user_entry {
    uint64_t high; /* of the key; with mark == 0 the place is free */
    uint64_t mark; /* 32 bits of the key, node, round */
};

struct user_bucket {
    struct user_entry e[USER_BUCKET];
};
static_assert(sizeof(struct user_bucket) == 64, "one cache line");

struct user_table {
    struct user_bucket *buckets;
    uint64_t nbuckets;
    uint64_t used;
    uint64_t sweep; /* next bucket; == nbuckets: nothing to sweep */
    uint32_t round; /* 1 .. 2^20 - 1 */
    size_t mapped;
};

bool user_table_open(struct user_table *t, uint64_t users);
void user_table_close(struct user_table *t);
void user_table_prefetch(const struct user_table *t, const struct hg_user_key *key);
uint16_t user_table_find(const struct user_table *t, const struct hg_user_key *key);
/* node 1 .. 4095. false: no room. */
bool user_table_set(struct user_table *t, const struct hg_user_key *key, uint16_t node);
bool user_table_delete(struct user_table *t, const struct hg_user_key *key);
/* A new round begins: what is not set again before the sweep goes. */
void user_table_round(struct user_table *t);
void user_table_sweep_start(struct user_table *t);
/* Looks at n entries at most; true when the sweep is over. */
bool user_table_sweep(struct user_table *t, unsigned n);

#endif
