/* SPDX-License-Identifier: BSD-2-Clause */
/* Everybody who has an entry in the record: "user@domain" -> the node that is the user's home, or none, and
 * the contacts that were provisioned. The names stay here; the cores get keyed hashes, computed anew for each
 * dataplane. Kept in the order of a hash, so that a page of a listing can go on after any name, also when the
 * table grew or the name went away meanwhile. Homes are names too, as the record has them: whether a node of
 * that name exists is topology's business. */
#ifndef CONTROLPLANE_ASSIGN_USERS_H
#define CONTROLPLANE_ASSIGN_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/limits.h"
#include "hg/slice.h"
#include "store/version.h"

#define USERS_NAME_MAX (HG_USER_MAX + 1 + HG_HOST_MAX)

struct user {
    struct record_version version;
    char *contacts; /* as in the record: URIs with blanks between them; NULL = none, not signed in */
    uint16_t home;  /* of users_home_name; 0 = unassigned (C10) */
    uint16_t at;    /* of the '@' in name */
    uint16_t len;
    uint8_t mark; /* of the load that mentioned it last */
    char name[];  /* user as given, domain in lower case */
};

enum users_change { USERS_SAME = 0, USERS_HOME = 1, USERS_CONTACTS = 2, USERS_NEW = 4 };

struct users;

struct users *users_create(void);
void users_free(struct users *users);
uint32_t users_count(const struct users *users);

/* "user@domain" in its canonical form; false and why when it is none. out: USERS_NAME_MAX + 1. */
bool users_canonical(struct slice name, char *out, uint32_t *len, const char **why);

/* What a person writes: canonical, with %-escapes undone as the lookup of a request does it. False and why
 * where no request could find the user, or none that people can tell from another. */
bool users_typed(struct slice name, char *out, uint32_t *len, const char **why);

/* name is canonical. Returns the entry, NULL without memory; *changed has bits of enum users_change. */
struct user *users_set(struct users *users, struct slice name, uint16_t home, struct slice contacts,
                       struct record_version version, unsigned *changed);
/* As the record has the user, with that home. out: USER_VALUE_MAX. Returns the length. */
uint32_t users_value(const struct user *user, struct slice home, char *out);
const struct user *users_find(const struct users *users, struct slice name);
bool users_remove(struct users *users, struct slice name);

/* First entry behind the name in the table's order, the first of all when name is empty. */
const struct user *users_after(const struct users *users, struct slice name);

/* Walks by position: *at from 0; NULL at the end. The table must not change meanwhile, except for the entry
 * that was returned when removed by users_remove_at. */
struct user *users_walk(struct users *users, uint64_t *at);
/* Where users_walk goes on behind the name, whatever happened to the table meanwhile. */
uint64_t users_position_after(const struct users *users, struct slice name);
/* Removes what the last users_walk returned and steps back. */
void users_remove_walked(struct users *users, uint64_t *at);

/* A load marks what the record has; everything else is removed by whoever walks. */
uint8_t users_new_mark(struct users *users);
/* What the record says of the user cannot be used: what is known stays, if anything is. */
void users_mark(struct users *users, struct slice name);
bool users_is_marked(const struct users *users, const struct user *user);

/* Names of homes <-> index; 0 when the wall is reached. An index stays as long as a user has it. */
uint16_t users_home(struct users *users, struct slice name);
uint16_t users_home_find(const struct users *users, struct slice name);
const char *users_home_name(const struct users *users, uint16_t home); /* "" for 0 */
uint64_t users_homes_generation(const struct users *users);            /* another one after each new name */
/* Users of a home, of 0 those that are unassigned; and of them those with contacts. */
uint32_t users_count_at(const struct users *users, uint16_t home);
uint32_t users_signed_in_at(const struct users *users, uint16_t home);

#endif
