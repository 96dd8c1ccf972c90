/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that wait in the core itself, so that one burst is fetched while another is worked on. Under load a
 * queue holds the burst of this turn and the next; without load, nothing beyond the turn. */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include <stdbool.h>
#include <string.h>

#include <rte_mbuf.h>

#define QUEUE_BURST 32
#define QUEUE_MAX   (3 * QUEUE_BURST)

struct frame_queue {
    unsigned n;
    unsigned fetched; /* of these, waited already when the turn began */
    struct rte_mbuf *m[QUEUE_MAX];
};

static inline unsigned queue_room(const struct frame_queue *q)
{
    return QUEUE_MAX - q->n;
}

/* The turn begins. */
static inline void queue_begin(struct frame_queue *q)
{
    q->fetched = q->n;
}

/* How many frames to work on now: a whole burst that came just now is fetched first. */
static inline unsigned queue_due(const struct frame_queue *q)
{
    if (q->fetched == 0 && q->n >= QUEUE_BURST)
        return 0;
    return q->n < QUEUE_BURST ? q->n : QUEUE_BURST;
}

static inline void queue_add(struct frame_queue *q, struct rte_mbuf *const *m, unsigned n)
{
    memcpy(q->m + q->n, m, n * sizeof(m[0]));
    q->n += n;
}

static inline void queue_drop(struct frame_queue *q, unsigned n)
{
    q->n -= n;
    memmove(q->m, q->m + n, q->n * sizeof(q->m[0]));
}

static inline void queue_free(struct frame_queue *q)
{
    rte_pktmbuf_free_bulk(q->m, q->n);
    q->n = 0;
}

#endif
