/* SPDX-License-Identifier: BSD-2-Clause */
/* The mirror of the user table: key -> node, and for each core a queue of the users that it has not been
 * told. A user stands in a core's queue at most once and is sent as it is when its turn comes, so a full ring
 * costs no memory beyond the table. Nothing of it is moved as a whole when it grows: entries come in blocks,
 * queues are chains through them, and the index is of shelves that grow one by one. */
#ifndef CONTROLPLANE_FEED_USERS_H
#define CONTROLPLANE_FEED_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/limits.h"
#include "hg/records.h"

#define MIRROR_BLOCK      4096u /* entries */
#define MIRROR_SHELF_BITS 12
#define MIRROR_SHELVES    (1u << MIRROR_SHELF_BITS)

struct mirror_user {
    struct hg_user_key key;
    uint64_t dirty; /* bit per core that has to be told */
    uint16_t node;  /* 0: deleted, the entry goes when every core knows */
    uint16_t used;
    uint32_t next_free;
};

struct mirror_block {
    struct mirror_user user[MIRROR_BLOCK];
    uint32_t next[]; /* [cores][MIRROR_BLOCK]: behind this one in the queue of the core */
};

struct mirror_shelf { /* of the index: open addressing */
    uint32_t *slot;   /* entry + 1, 0 = empty; NULL: it never had one */
    uint32_t mask, used;
};

struct mirror_queue { /* of one core: entries */
    uint32_t first, last;
    uint64_t pushed, popped;
};

struct mirror {
    struct mirror_block **block;
    uint32_t blocks_max;                       /* that there are pointers for */
    struct mirror_shelf shelf[MIRROR_SHELVES]; /* by the first bits of the key */
    uint32_t users_max, users_used;            /* entries: room, and so many were ever in use */
    uint32_t free_list;                        /* entry + 1 */
    uint64_t present;                          /* entries with a node */
    unsigned cores;
    struct mirror_queue queue[HG_CORES_MAX];
    uint32_t dirty_at[HG_CORES_MAX]; /* mirror_dirty_some goes on here */
};

void mirror_init(struct mirror *m);
void mirror_free(struct mirror *m);
/* Forgets all users and queues; afterwards changes are queued for so many cores. false: no memory. */
bool mirror_reset(struct mirror *m, unsigned cores);
bool mirror_set(struct mirror *m, const struct hg_user_key *key, uint16_t node);
void mirror_remove(struct mirror *m, const struct hg_user_key *key);
/* As remove, but the cores are told even if nobody here knew the user: they may. false: no memory. */
bool mirror_forget(struct mirror *m, const struct hg_user_key *key);
uint16_t mirror_find(const struct mirror *m, const struct hg_user_key *key);
/* Slot of a key that is present, and the slots of a core's queue, which must have so many: for who keeps more
 * beside the mirror, by slot (below users_max). */
bool mirror_slot(const struct mirror *m, const struct hg_user_key *key, uint32_t *slot);
uint32_t mirror_first(const struct mirror *m, unsigned core);
uint32_t mirror_behind(const struct mirror *m, unsigned core, uint32_t slot);
/* As set, but the cores are told even if the node is the same. */
bool mirror_touch(struct mirror *m, const struct hg_user_key *key, uint16_t node, uint32_t *slot);
/* Everything again for one core: begins, and does a piece of it; true while there is more. */
void mirror_dirty_all(struct mirror *m, unsigned core);
bool mirror_dirty_some(struct mirror *m, unsigned core);
static inline uint64_t mirror_waiting(const struct mirror *m, unsigned core)
{
    return m->queue[core].pushed - m->queue[core].popped;
}
/* Takes at most max of a core's queue into out; the core counts as told. */
unsigned mirror_take(struct mirror *m, unsigned core, struct hg_down_user *out, unsigned max);

#endif
