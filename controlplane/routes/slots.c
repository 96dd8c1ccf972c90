/* SPDX-License-Identifier: BSD-2-Clause */
#include "routes/slots.h"

#include <stdlib.h>
#include <string.h>

bool slots_open(struct slots *s, uint32_t first, uint32_t limit, uint32_t rest)
{
    memset(s, 0, sizeof(*s));
    s->first = s->next = first;
    s->limit = limit;
    s->rest = rest;
    s->freed = calloc(limit ? limit : 1, sizeof(*s->freed));
    return s->freed && map_open(&s->map, 0);
}

void slots_close(struct slots *s)
{
    map_close(&s->map);
    free(s->freed);
    memset(s, 0, sizeof(*s));
}

bool slots_begin(struct slots *s, const struct slots *old, uint32_t expected)
{
    if (!slots_open(s, old->first, old->limit, old->rest))
        return false;
    map_close(&s->map);
    s->next = old->next;
    s->head = old->head;
    s->nfreed = old->nfreed;
    memcpy(s->freed, old->freed, old->limit * sizeof(*s->freed));
    return map_open(&s->map, expected);
}

static uint32_t allot(struct slots *s)
{
    if (s->nfreed > s->rest || (s->nfreed && s->next >= s->limit)) {
        uint32_t slot = s->freed[s->head];
        s->head = (s->head + 1) % s->limit;
        s->nfreed--;
        return slot;
    }
    return s->next < s->limit ? s->next++ : SLOTS_NONE;
}

uint32_t slots_take(struct slots *s, struct slots *old, const void *key, uint32_t len, bool *fresh)
{
    bool added;
    struct map_item *mine = map_put(&s->map, key, len, SLOTS_NONE, &added);
    *fresh = false;
    if (!mine)
        return SLOTS_NONE;
    if (!added)
        return mine->value;
    struct map_item *before = map_find(&old->map, key, len);
    if (before && before->value != SLOTS_NONE) {
        before->seen = true;
        mine->value = before->value;
    } else {
        mine->value = allot(s);
        *fresh = mine->value != SLOTS_NONE;
    }
    if (mine->value != SLOTS_NONE && mine->value + 1 > s->highest)
        s->highest = mine->value + 1;
    return mine->value;
}

void slots_finish(struct slots *s, const struct slots *old)
{
    for (uint32_t i = 0; i < old->map.n; i++) {
        const struct map_item *item = &old->map.items[i];
        if (item->seen || item->value == SLOTS_NONE)
            continue;
        s->freed[(s->head + s->nfreed) % s->limit] = item->value;
        s->nfreed++;
    }
}
