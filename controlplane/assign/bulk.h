/* SPDX-License-Identifier: BSD-2-Clause */
/* Many changes of users, 500 in a script, a few scripts under way at one time. What a script refuses because
 * of one user is sent again without that user. */
#ifndef CONTROLPLANE_ASSIGN_BULK_H
#define CONTROLPLANE_ASSIGN_BULK_H

#include <stdbool.h>
#include <stdint.h>

#include "assign/contact.h"
#include "assign/users.h"
#include "store/record.h"

struct bulk;

struct bulk_item {
    enum record_op op;
    enum record_expect expect;
    struct record_version version; /* of RECORD_SAME */
    uint32_t tag;                  /* the caller's: a line of a file */
    uint32_t name_len, value_len;
    char name[USERS_NAME_MAX + 1];
    char value[USER_VALUE_MAX];
};

enum bulk_next {
    BULK_ITEM,  /* out is the next change */
    BULK_LATER, /* none now: a walk that would take too long in one go */
    BULK_END
};

struct bulk_work {
    void *arg;
    /* Called as long as there is room. */
    enum bulk_next (*next)(void *arg, struct bulk_item *out);
    /* One user stays as it was, and why. */
    void (*refused)(void *arg, struct slice name, uint32_t tag, enum record_result result);
    /* Everything is durable; or the record went away (why). The bulk is
     * gone then. */
    void (*done)(void *arg, const char *why);
};

/* NULL: no memory, and done is not called. Nothing is called inside. */
struct bulk *bulk_start(struct record *record, const struct bulk_work *work);
/* Asks next() and sends; call it when next() may have something, and about every 10 ms. False: the bulk is
 * gone. */
bool bulk_turn(struct bulk *bulk);
uint64_t bulk_done(const struct bulk *bulk); /* users that are changed and durable */
/* Nobody is called any more; what is under way goes on. */
void bulk_forget(struct bulk *bulk);

#endif
