/* SPDX-License-Identifier: BSD-2-Clause */
/* The mirror of the contact table: the keys and what each core has to be told stand in a mirror of users, the
 * contacts themselves beside it by slot. */
#ifndef CONTROLPLANE_FEED_CONTACTS_H
#define CONTROLPLANE_FEED_CONTACTS_H

#include "feed/users.h"

struct contacts_entry {
    char *bytes; /* as in hg/contacts.h; NULL: none */
    uint32_t length;
    uint16_t n;
};

struct contacts_mirror {
    struct mirror keys;
    struct contacts_entry **block; /* by slot of keys, MIRROR_BLOCK in each */
    uint32_t blocks, blocks_max;
    struct contacts_entry **old; /* of before the last reset: freed block by block */
    uint32_t old_blocks;
};

void contacts_init(struct contacts_mirror *m);
void contacts_free(struct contacts_mirror *m);
/* Forgets all; afterwards changes are queued for so many cores. false: no memory. */
bool contacts_reset(struct contacts_mirror *m, unsigned cores);
/* What was forgotten is freed in pieces; true while there is more. */
bool contacts_free_some(struct contacts_mirror *m);
/* n > 0. false: no memory, and nothing was changed. */
bool contacts_set(struct contacts_mirror *m, const struct hg_user_key *key, const char *bytes,
                  uint32_t length, unsigned n);
/* tell: also cores of which nobody here knows whether they have this user. */
void contacts_remove(struct contacts_mirror *m, const struct hg_user_key *key, bool tell);

/* The next users of a core's queue, whole, at most HG_DOWN_CONTACTS_USERS and about as many bytes as a record
 * should have: their number, and the bytes behind struct hg_down_contacts. */
unsigned contacts_next(const struct contacts_mirror *m, unsigned core, uint32_t *length);
/* Takes those n out of the queue and writes them behind the header. */
void contacts_take(struct contacts_mirror *m, unsigned core, unsigned n, char *out);

#endif
