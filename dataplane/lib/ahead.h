/* SPDX-License-Identifier: BSD-2-Clause */
/* What the next burst will be about, lent to whoever has time. A CPU has few fetches under way: asked for at
 * once, the lines of a burst wait for one another and the core for them. So a stage that computes long on
 * each of its items takes one step for each, and what the next burst needs comes meanwhile. */
#ifndef LIB_AHEAD_H
#define LIB_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "lib/prefetch.h"

#define AHEAD_LINE   64
#define AHEAD_BODY   1536 /* bytes of a frame that are worth it */
#define AHEAD_FRONT  320  /* of them fetched in one step; the others in another */
#define AHEAD_HEADER 6    /* frames between the fetch of an mbuf's first line and the use of what it says */

struct ahead_list {
    struct rte_mbuf *const *m;
    unsigned n, at;
};

struct ahead {
    struct ahead_list whole; /* frames that will be worked on here */
    struct ahead_list heads; /* frames that will be looked at, and perhaps given away */
    uint32_t look_at;        /* offset of what is looked for in them, 0 = nothing but the headers */
    unsigned rested;         /* of whole, fetched to their end */
    bool fetched;            /* the frames that are worked on now were whole ones before */
};

/* The list is of frames whose mbufs may be in no cache yet. */
static inline void ahead_set(struct ahead_list *list, struct rte_mbuf *const *m, unsigned n)
{
    *list = (struct ahead_list){.m = m, .n = n};
    for (unsigned i = 0; i < n && i < AHEAD_HEADER; i++)
        prefetch_write(m[i]);
}

/* The checksum and the parser read the whole frame, and what is written in front of it on its way out stands
 * in lines of its own. The head is moved when the message grows. */
static inline void ahead_front(const struct rte_mbuf *m)
{
    const char *data = rte_pktmbuf_mtod(m, const char *);
    uint32_t end = m->data_len < AHEAD_FRONT ? m->data_len : AHEAD_FRONT;
    prefetch_write(data - AHEAD_LINE);
    for (uint32_t at = 0; at < end; at += AHEAD_LINE)
        __builtin_prefetch(data + at);
}

static inline void ahead_back(const struct rte_mbuf *m)
{
    const char *data = rte_pktmbuf_mtod(m, const char *);
    uint32_t end = m->data_len < AHEAD_BODY ? m->data_len : AHEAD_BODY;
    for (uint32_t at = AHEAD_FRONT; at < end; at += AHEAD_LINE)
        __builtin_prefetch(data + at);
}

static inline void ahead_frame(const struct rte_mbuf *m)
{
    ahead_front(m);
    ahead_back(m);
}

/* Between two items of a later stage: what ahead_step() left of a frame. */
static inline void ahead_rest(struct ahead *a)
{
    if (a && a->rested < a->whole.at)
        ahead_back(a->whole.m[a->rested++]);
}

static inline const struct rte_mbuf *ahead_next(struct ahead_list *list)
{
    if (list->at + AHEAD_HEADER < list->n)
        prefetch_write(list->m[list->at + AHEAD_HEADER]);
    return list->at < list->n ? list->m[list->at++] : NULL;
}

static inline void ahead_head(struct ahead *a)
{
    const struct rte_mbuf *m = ahead_next(&a->heads);
    if (!m)
        return;
    const char *data = rte_pktmbuf_mtod(m, const char *);
    __builtin_prefetch(data);
    if (a->look_at) {
        __builtin_prefetch(data + a->look_at);
        __builtin_prefetch(data + a->look_at + AHEAD_LINE);
    }
}

/* Half of the heads are given away, as a rule, or more: two of them for each frame that stays. */
static inline void ahead_step(struct ahead *a)
{
    if (!a)
        return;
    const struct rte_mbuf *m = ahead_next(&a->whole);
    if (m)
        ahead_front(m);
    ahead_head(a);
    ahead_head(a);
}

#endif
