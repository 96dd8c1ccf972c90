/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings of 64-byte cells in the shared segment, one producer and one consumer in different processes: an
 * rte_ring in its by-value, zero-copy form, usable without EAL. A handle is private to a process; whatever
 * the other side may write is checked before it is used. Nothing here waits. */
#ifndef IMPL_RING_H
#define IMPL_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rte_ring;

struct hg_ring {
    struct rte_ring *r; /* in the segment */
    char *cells;        /* its first cell */
    uint32_t ncells;    /* as checked when the ring was opened, a power of two; one cell is never used */
    uint32_t reserved;  /* cells between reserve and commit, or between peek and release */
};

/* Part of a ring, in one or two pieces. */
struct hg_spans {
    char *p1, *p2;
    uint32_t n1, n2; /* bytes */
};

/* Memory that a ring of so many cells takes, a multiple of 64. */
size_t hg_ring_bytes(uint32_t cells);
/* Makes an empty ring in mem (64-byte aligned). ring_make.c, which needs librte_ring: dataplane and tests
 * only. */
bool hg_ring_make(void *mem, const char *name, uint32_t cells);
/* Fills the handle of a ring made by anybody; false when mem is no ring of that many cells. */
bool hg_ring_open(struct hg_ring *ring, void *mem, uint32_t cells);

/* Who attaches sets his own heads back to their tails: a process that was killed between reserve and commit
 * (peek and release) leaves them apart, and the other side would read cells that nobody wrote. */
void hg_ring_repair_producer(struct hg_ring *ring);
void hg_ring_repair_consumer(struct hg_ring *ring);

/* Producer. reserve takes the cells for bytes in one bulk, or none: false when there is no room. commit makes
 * the first bytes of them visible (0 gives all back). */
bool hg_ring_reserve(struct hg_ring *ring, uint32_t bytes, struct hg_spans *spans);
void hg_ring_commit(struct hg_ring *ring, uint32_t bytes);
/* Both at once. */
bool hg_ring_put(struct hg_ring *ring, const void *data, uint32_t bytes);

/* Consumer. peek shows everything that was committed and returns the cells; release frees the first so many
 * of them. After a peek that returned more than 0, release must follow (0 keeps all). */
uint32_t hg_ring_peek(struct hg_ring *ring, struct hg_spans *spans);
void hg_ring_release(struct hg_ring *ring, uint32_t cells);

/* Cells committed and not yet released, as either side sees it. */
uint32_t hg_ring_used(const struct hg_ring *ring);

void hg_spans_write(const struct hg_spans *spans, uint32_t at, const void *data, uint32_t len);
void hg_spans_read(const struct hg_spans *spans, uint32_t at, void *data, uint32_t len);

/* Records out of a peek, copied into buf (HG_RECORD_MAX bytes, 8-byte aligned): what was checked cannot
 * change any more. */
enum hg_take {
    HG_TAKE_NONE,   /* nothing is left */
    HG_TAKE_RECORD, /* one whole record of at least its header stands in buf */
    HG_TAKE_BROKEN, /* a length that cannot be: the rest of this peek is worthless and must be released */
};

struct hg_reader {
    struct hg_spans spans;
    uint32_t cells; /* of the peek */
    uint32_t at;    /* cells taken so far: what to release */
};

static inline uint32_t hg_cells(uint32_t bytes)
{
    return (bytes + 63) / 64;
}

void hg_reader_begin(struct hg_reader *reader, struct hg_ring *ring);
enum hg_take hg_reader_next(struct hg_reader *reader, void *buf);
void hg_reader_end(struct hg_reader *reader, struct hg_ring *ring);

#endif
