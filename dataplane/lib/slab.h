/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of one size for one core: address space for max of them is taken at start, pages are touched as
 * they are first used, and nothing is allocated in a turn. What is kept longer than a turn (messages for
 * retransmission, transactions) lives here and never in an mbuf. */
#ifndef LIB_SLAB_H
#define LIB_SLAB_H

#include <stdbool.h>
#include <stdint.h>

struct slab;

/* Off the hot path. size is rounded up to a cache line. NULL: no memory. */
struct slab *slab_create(uint32_t size, uint32_t max);
void slab_destroy(struct slab *s);
void *slab_get(struct slab *s); /* NULL: all max are in use; contents undefined */
void slab_put(struct slab *s, void *object);
uint32_t slab_used(const struct slab *s);
uint32_t slab_max(const struct slab *s);
uint32_t slab_object_size(const struct slab *s);
/* Dense number of an object, 0 .. max-1, and back: fit for ids that travel in a branch or a mail. Any index
 * is safe to ask for; whether the object is in use is for its owner to know. */
uint32_t slab_index(const struct slab *s, const void *object);
void *slab_at(const struct slab *s, uint32_t index); /* NULL: never handed out so far, or out of range */

/* Bytes of any length up to 68 KiB, in classes. */
#define SIZED_CLASSES 6
#define SIZED_MAX     (68u * 1024)

struct sized_slabs {
    struct slab *slab[SIZED_CLASSES];
};

/* Room for about that many messages: as many objects of 512, 1024 and 2048 bytes each, a quarter of 4096, a
 * sixteenth of 16384, a sixty-fourth of 68 KiB. A class that is full borrows from the larger ones. */
bool sized_create(struct sized_slabs *s, uint32_t messages);
void sized_destroy(struct sized_slabs *s);
void *sized_get(struct sized_slabs *s, uint32_t len); /* NULL: no room, or len > SIZED_MAX */
void sized_put(struct sized_slabs *s, void *object);  /* NULL is harmless */
uint64_t sized_used_bytes(const struct sized_slabs *s);

#endif
