/* SPDX-License-Identifier: BSD-2-Clause */
#include "impl/ring.h"

#include <string.h>

#include <rte_ring.h>
#include <rte_ring_peek_zc.h>

#include "hg/records.h"
#include "hg/segment.h"

static_assert(HG_CELL == 64, "the shifts below");

/* rte_ring's inline functions read these fields again at each call, and the other process could have damaged
 * them. */
static bool ring_sane(const struct hg_ring *ring)
{
    const struct rte_ring *r = ring->r;
    return r->size == ring->ncells && r->mask == ring->ncells - 1 && r->capacity == ring->ncells - 1 &&
           r->prod.sync_type == RTE_RING_SYNC_ST && r->cons.sync_type == RTE_RING_SYNC_ST &&
           (uint32_t)(r->prod.tail - r->cons.tail) <= ring->ncells - 1;
}

size_t hg_ring_bytes(uint32_t cells)
{
    return sizeof(struct rte_ring) + (size_t)cells * HG_CELL;
}

bool hg_ring_open(struct hg_ring *ring, void *mem, uint32_t cells)
{
    *ring = (struct hg_ring){.r = mem, .cells = (char *)mem + sizeof(struct rte_ring), .ncells = cells};
    if (cells < 2 || (cells & (cells - 1)) || ((uintptr_t)mem & (HG_CELL - 1)))
        return false;
    return ring_sane(ring);
}

void hg_ring_repair_producer(struct hg_ring *ring)
{
    ring->r->prod.head = ring->r->prod.tail;
    ring->reserved = 0;
}

void hg_ring_repair_consumer(struct hg_ring *ring)
{
    ring->r->cons.head = ring->r->cons.tail;
    ring->reserved = 0;
}

/* Where rte_ring says the cells are; false when that is not inside this ring. */
static bool spans_of(const struct hg_ring *ring, const struct rte_ring_zc_data *zc, uint32_t cells,
                     struct hg_spans *spans)
{
    uintptr_t off = (uintptr_t)zc->ptr1 - (uintptr_t)ring->cells;
    if (off >= (uintptr_t)ring->ncells * HG_CELL || off % HG_CELL || cells > ring->ncells)
        return false;
    uint32_t first = (uint32_t)(off / HG_CELL), n1 = ring->ncells - first;
    if (n1 > cells)
        n1 = cells;
    *spans = (struct hg_spans){
        .p1 = zc->ptr1, .n1 = n1 * HG_CELL, .p2 = ring->cells, .n2 = (cells - n1) * HG_CELL};
    return true;
}

bool hg_ring_reserve(struct hg_ring *ring, uint32_t bytes, struct hg_spans *spans)
{
    uint32_t cells = hg_cells(bytes);
    if (cells == 0 || ring->reserved || !ring_sane(ring))
        return false;
    struct rte_ring_zc_data zc;
    if (rte_ring_enqueue_zc_bulk_elem_start(ring->r, HG_CELL, cells, &zc, NULL) != cells)
        return false;
    if (!spans_of(ring, &zc, cells, spans)) {
        rte_ring_enqueue_zc_elem_finish(ring->r, 0);
        return false;
    }
    ring->reserved = cells;
    return true;
}

void hg_ring_commit(struct hg_ring *ring, uint32_t bytes)
{
    uint32_t cells = hg_cells(bytes);
    if (!ring->reserved)
        return;
    rte_ring_enqueue_zc_elem_finish(ring->r, cells < ring->reserved ? cells : ring->reserved);
    ring->reserved = 0;
}

bool hg_ring_put(struct hg_ring *ring, const void *data, uint32_t bytes)
{
    struct hg_spans spans;
    if (!hg_ring_reserve(ring, bytes, &spans))
        return false;
    hg_spans_write(&spans, 0, data, bytes);
    hg_ring_commit(ring, bytes);
    return true;
}

uint32_t hg_ring_peek(struct hg_ring *ring, struct hg_spans *spans)
{
    if (ring->reserved || !ring_sane(ring))
        return 0;
    struct rte_ring_zc_data zc;
    uint32_t cells = rte_ring_dequeue_zc_burst_elem_start(ring->r, HG_CELL, ring->ncells, &zc, NULL);
    if (cells == 0)
        return 0;
    if (!spans_of(ring, &zc, cells, spans)) {
        rte_ring_dequeue_zc_elem_finish(ring->r, 0);
        return 0;
    }
    ring->reserved = cells;
    return cells;
}

void hg_ring_release(struct hg_ring *ring, uint32_t cells)
{
    if (!ring->reserved)
        return;
    rte_ring_dequeue_zc_elem_finish(ring->r, cells < ring->reserved ? cells : ring->reserved);
    ring->reserved = 0;
}

uint32_t hg_ring_used(const struct hg_ring *ring)
{
    uint32_t used = ring->r->prod.tail - ring->r->cons.tail;
    return used < ring->ncells ? used : ring->ncells;
}

void hg_spans_write(const struct hg_spans *spans, uint32_t at, const void *data, uint32_t len)
{
    uint32_t n = at < spans->n1 ? spans->n1 - at : 0;
    if (n > len)
        n = len;
    if (n)
        memcpy(spans->p1 + at, data, n);
    if (len > n)
        memcpy(spans->p2 + (at + n - spans->n1), (const char *)data + n, len - n);
}

void hg_spans_read(const struct hg_spans *spans, uint32_t at, void *data, uint32_t len)
{
    uint32_t n = at < spans->n1 ? spans->n1 - at : 0;
    if (n > len)
        n = len;
    if (n)
        memcpy(data, spans->p1 + at, n);
    if (len > n)
        memcpy((char *)data + n, spans->p2 + (at + n - spans->n1), len - n);
}

void hg_reader_begin(struct hg_reader *reader, struct hg_ring *ring)
{
    reader->at = 0;
    reader->cells = hg_ring_peek(ring, &reader->spans);
}

enum hg_take hg_reader_next(struct hg_reader *reader, void *buf)
{
    if (reader->at >= reader->cells)
        return HG_TAKE_NONE;
    struct hg_record head;
    hg_spans_read(&reader->spans, reader->at * HG_CELL, &head, sizeof(head));
    if (head.length < sizeof(head) || head.length > HG_RECORD_MAX ||
        hg_cells(head.length) > reader->cells - reader->at) {
        reader->at = reader->cells;
        return HG_TAKE_BROKEN;
    }
    hg_spans_read(&reader->spans, reader->at * HG_CELL, buf, head.length);
    memcpy(buf, &head, sizeof(head)); /* what was checked, whatever the ring says by now */
    reader->at += hg_cells(head.length);
    return HG_TAKE_RECORD;
}

void hg_reader_end(struct hg_reader *reader, struct hg_ring *ring)
{
    if (reader->cells)
        hg_ring_release(ring, reader->at);
    reader->cells = reader->at = 0;
}
