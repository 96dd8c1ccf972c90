/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of the control plane applied to the tables of one core. Everything in a record is checked here:
 * false means refused (feed_bad), and nothing of it was applied unless said otherwise. length is what the
 * ring says it holds. */
#ifndef ROUTE_APPLY_H
#define ROUTE_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/records.h"
#include "hg/user_key.h"

struct route;

/* A resynchronisation: users and nodes that come between begin and end stay, the rest is swept afterwards. A
 * begin before the end of an older one replaces it. */
void route_resync_begin(struct route *r, uint64_t generation);
bool route_resync_end(struct route *r);
/* At most 1,000 entries a call; true when there is nothing left to sweep. Call it once a turn. */
bool route_resync_sweep(struct route *r);
/* The last resynchronisation that is whole and swept. */
uint64_t route_resync_generation(const struct route *r);

/* false: no room (the table is full) or a node out of range. */
bool route_user_set(struct route *r, const struct hg_user_key *key, uint16_t node);
void route_user_delete(struct route *r, const struct hg_user_key *key);
uint64_t route_user_count(const struct route *r);

bool route_apply_begin(struct route *r, const struct hg_record *rec, uint32_t length);
bool route_apply_end(struct route *r, const struct hg_record *rec, uint32_t length);
/* false also when some user found no room; the others are in force. */
bool route_apply_users(struct route *r, const struct hg_record *rec, uint32_t length);
/* false also when some user found no room; the others are in force. */
bool route_apply_contacts(struct route *r, const struct hg_record *rec, uint32_t length);
bool route_apply_serving(struct route *r, const struct hg_record *rec, uint32_t length);
bool route_apply_service(struct route *r, const struct hg_record *rec, uint32_t length);
bool route_apply_node(struct route *r, const struct hg_record *rec, uint32_t length);

#endif
