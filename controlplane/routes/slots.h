/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that stay with a key from one compilation to the next: counters and health hang on them. A number
 * that is given up is used again as late as possible. */
#ifndef ROUTES_SLOTS_H
#define ROUTES_SLOTS_H

#include "routes/map.h"

struct slots {
    struct map map;
    uint32_t first, limit; /* numbers first .. limit - 1 */
    uint32_t rest;         /* so many freed numbers rest before the oldest is used again */
    uint32_t next;         /* never given out: next .. */
    uint32_t *freed;       /* ring of limit places */
    uint32_t head, nfreed;
    uint32_t highest; /* given out now, + 1 */
};

#define SLOTS_NONE UINT32_MAX

bool slots_open(struct slots *s, uint32_t first, uint32_t limit, uint32_t rest);
void slots_close(struct slots *s);
/* The successor of old, still without keys. */
bool slots_begin(struct slots *s, const struct slots *old, uint32_t expected);
/* The key's number: the one that it has, had in old, or a new one; SLOTS_NONE: no room. *fresh: it is new to
 * the key. */
uint32_t slots_take(struct slots *s, struct slots *old, const void *key, uint32_t len, bool *fresh);
/* What old had and s did not take is free from now on. */
void slots_finish(struct slots *s, const struct slots *old);

#endif
