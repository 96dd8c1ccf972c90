/* SPDX-License-Identifier: BSD-2-Clause */
/* Changing a message by splicing: a list of {at, cut, insert}, in the order of the message, applied around
 * the bytes that stay. Every byte that nobody named goes through untouched. */
#ifndef SIP_EDIT_H
#define SIP_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/slice.h"
#include "sip/text.h"

struct rte_mbuf;
struct sip;

#define EDITS_MAX     24
#define EDITS_SCRATCH 2048

struct edit {
    uint32_t at, cut;
    struct slice ins;
};

struct edits {
    unsigned n;
    bool bad; /* too many, or no scratch left */
    int32_t grow;
    uint32_t used;
    struct edit e[EDITS_MAX];
    char scratch[EDITS_SCRATCH]; /* of the inserted texts */
};

static inline void edits_init(struct edits *e)
{
    e->n = 0;
    e->bad = false;
    e->grow = 0;
    e->used = 0;
}

/* Puts an edit where it belongs among those that stand there. */
void edits_insert(struct edits *e, uint32_t at, uint32_t cut, struct slice ins);
/* Edits may be added in any order, best in that of the message; two of them never overlap, of two insertions
 * at one place the first stands first. */
static inline void edits_add(struct edits *e, uint32_t at, uint32_t cut, struct slice ins)
{
    unsigned i = e->n;
    if (i == EDITS_MAX || (i > 0 && e->e[i - 1].at > at)) {
        edits_insert(e, at, cut, ins);
        return;
    }
    e->e[i].at = at;
    e->e[i].cut = cut;
    e->e[i].ins = ins;
    e->n = i + 1;
    e->grow += (int32_t)ins.len - (int32_t)cut;
}
/* A text to be written and then inserted: open, append, add. */
static inline struct text edits_text(struct edits *e)
{
    return text_over(e->scratch + e->used, EDITS_SCRATCH - e->used);
}
static inline void edits_add_text(struct edits *e, uint32_t at, uint32_t cut, const struct text *t)
{
    struct slice done = text_done(t);
    if (t->over) {
        e->bad = true;
        return;
    }
    e->used += done.len;
    edits_add(e, at, cut, done);
}

/* The same by hand, where it has to be quick: room for n bytes, NULL when there is none; what was written
 * from there on is inserted. */
static inline char *edits_room(struct edits *e, uint32_t n)
{
    if (EDITS_SCRATCH - e->used >= n)
        return e->scratch + e->used;
    e->bad = true;
    return NULL;
}
static inline void edits_put(struct edits *e, uint32_t at, uint32_t cut, const char *start, const char *end)
{
    e->used += (uint32_t)(end - start);
    edits_add(e, at, cut, slice_of(start, (uint32_t)(end - start)));
}

/* Applies to bytes in memory. out has room for len + grow bytes and does not overlap. Returns the new length.
 */
uint32_t edits_copy(const struct edits *e, const char *in, uint32_t len, char *out);
/* Applies in the mbuf that holds exactly in (len bytes at data_off), or into a new one when there is no room
 * or somebody else holds a reference; NULL: no buffer left (the old one still is the caller's). */
struct rte_mbuf *edits_mbuf(struct sip *s, const struct edits *e, struct rte_mbuf *m, uint32_t len);

#endif
