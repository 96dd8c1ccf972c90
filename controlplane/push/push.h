/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes down to the cores, from where it comes: users of the record, routes of file and record with their
 * next hops resolved, nodes, settings. Changes are gathered and compiled once per turn of the loop. */
#ifndef CONTROLPLANE_PUSH_PUSH_H
#define CONTROLPLANE_PUSH_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/config.h"
#include "hg/segment.h"
#include "hg/slice.h"
#include "hg/user_key.h"
#include "routes/routes.h"
#include "store/record.h"

#define RECORD_WAIT_MS 5000 /* a fresh dataplane opens without the record after that */

struct controlplane;
struct user;

/* ---- users ---- */
/* The dataplane is another one: hash every name again with its secret, in pieces. */
void push_users_begin(struct controlplane *cp);
/* A piece of that; true while there is more. */
bool push_users_turn(struct controlplane *cp);
/* All users once more: a home is another node now. */
void push_users_again(struct controlplane *cp);
void push_user(struct controlplane *cp, const struct user *user, unsigned changed); /* enum users_change */
void push_user_remove(struct controlplane *cp, struct slice name);

/* ---- contacts (contacts.c) ---- */
bool push_contacts_create(struct controlplane *cp);
void push_contacts_stop(struct controlplane *cp);
/* The user's contacts to the cores, if this is one of the two nodes that may serve the user. */
void push_contacts(struct controlplane *cp, const struct hg_user_key *key, const struct user *user,
                   uint16_t node);
void push_contacts_remove(struct controlplane *cp, const struct hg_user_key *key);
void push_contacts_turn(struct controlplane *cp, uint64_t now_ms);

/* ---- routes (routes.c) ---- */
bool push_routes_create(struct controlplane *cp);
void push_routes_stop(struct controlplane *cp); /* while the loop still turns */
void push_routes_free(struct controlplane *cp); /* once it has ended */
/* Something changed: compiled on a later turn. Returns the version that will have it. */
uint64_t push_routes_dirty(struct controlplane *cp);
uint64_t push_routes_wanted(const struct controlplane *cp);
/* The version that was compiled and given to the feed last. */
uint64_t push_routes_version(const struct controlplane *cp);
/* Compiles when it is time; gives old images back. */
void push_routes_turn(struct controlplane *cp, uint64_t now_ms);
/* A compilation is running: struct routes must not be touched. */
bool push_routes_busy(const struct controlplane *cp);
/* The configuration that was in force before; it is freed once nobody reads it. */
void push_routes_retire_config(struct controlplane *cp, struct hg_config *old);

/* What was compiled last: routes and what became of them, by index, those of the file first. Valid until the
 * loop turns. */
struct push_routes_view {
    uint32_t n, nfile;
    const struct hg_static_route *file, *admin;
    const struct routes_status *status;
    uint32_t count[ROUTES_STATES];
    uint64_t generation;
};
bool push_routes_view(const struct controlplane *cp, struct push_routes_view *out); /* false: nothing yet */
const struct hg_static_route *push_routes_at(const struct push_routes_view *view, uint32_t index);
uint32_t push_routes_find(const struct push_routes_view *view, const char *name); /* index, UINT32_MAX */
/* Slots of the next hops that a route leads to; a route without counters of its own tells none. */
uint32_t push_routes_hops(const struct controlplane *cp, uint32_t index, uint16_t *out, uint32_t max);
/* As a sentence. Not while busy (the resolver's answers of the compilation are read). */
const char *push_routes_reason(struct controlplane *cp, const struct push_routes_view *view, uint32_t index,
                               char *out, size_t size);
/* For routes_explain; only while not busy and after a first compilation. */
struct routes *push_routes_book(const struct controlplane *cp);
const struct routes_input *push_routes_input(const struct controlplane *cp);

/* ---- nodes and settings ---- */
void push_nodes(struct controlplane *cp);
/* Every reloadable item of the dataplane and the cluster, as it is now: a dataplane may run with older ones.
 */
void push_settings(struct controlplane *cp);

/* ---- from the record (record.c) ---- */
struct record_events push_record_events(struct controlplane *cp);
bool push_record_turn(struct controlplane *cp); /* a piece of the sweep; true while there is more */
void push_record_bad(struct controlplane *cp);  /* what of it cannot be used: the alarm record_bad */

#endif
