/* SPDX-License-Identifier: BSD-2-Clause */
/* A hash table of 32-bit values in lines of seven: who asks for a line before he looks pays for one miss at
 * most. Full lines let their entries pass to the next one and count them, so that a look-up ends where nobody
 * passed, and nothing is left behind when an entry goes. */
#ifndef TCP_TABLE_H
#define TCP_TABLE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#define TCP_LINE 7

struct tcp_line {
    alignas(64) uint32_t passed; /* entries that would be here, had there been room */
    uint32_t spare;
    struct tcp_entry {
        uint32_t tag;
        uint32_t value; /* 0: free */
    } entry[TCP_LINE];
};

struct tcp_table {
    struct tcp_line *line;
    uint64_t bytes;
    uint32_t mask;
    uint32_t used;
};

/* Room for max entries, at most half full. false: no memory. */
bool tcp_table_create(struct tcp_table *t, uint32_t max);
void tcp_table_destroy(struct tcp_table *t);
/* false: no room. */
bool tcp_table_add(struct tcp_table *t, uint64_t hash, uint32_t value);
void tcp_table_remove(struct tcp_table *t, uint64_t hash, uint32_t value);
/* The same entry, another value. */
void tcp_table_replace(struct tcp_table *t, uint64_t hash, uint32_t from, uint32_t to);

/* A look-up: the caller compares what the values stand for. */
struct tcp_cursor {
    uint32_t at, tag, slot;
};

static inline struct tcp_cursor tcp_table_begin(const struct tcp_table *t, uint64_t hash)
{
    return (struct tcp_cursor){.at = (uint32_t)hash & t->mask, .tag = (uint32_t)(hash >> 32)};
}

/* The next value of that hash; 0: there is none. */
static inline uint32_t tcp_table_next(const struct tcp_table *t, struct tcp_cursor *c)
{
    for (uint32_t looked = 0; looked <= t->mask; looked++) {
        const struct tcp_line *line = &t->line[c->at];
        while (c->slot < TCP_LINE) {
            const struct tcp_entry *e = &line->entry[c->slot++];
            if (e->value && e->tag == c->tag)
                return e->value;
        }
        if (!line->passed)
            return 0;
        c->at = (c->at + 1) & t->mask;
        c->slot = 0;
    }
    return 0;
}

static inline void tcp_table_prefetch(const struct tcp_table *t, uint64_t hash)
{
    __builtin_prefetch(&t->line[(uint32_t)hash & t->mask]);
}

/* What stands at the hash's first line under its tag, without a comparison: for prefetching. */
static inline uint32_t tcp_table_guess(const struct tcp_table *t, uint64_t hash)
{
    const struct tcp_line *line = &t->line[(uint32_t)hash & t->mask];
    for (unsigned i = 0; i < TCP_LINE; i++)
        if (line->entry[i].tag == (uint32_t)(hash >> 32))
            return line->entry[i].value;
    return 0;
}

/* How often each value of a counting table occurs: by hash alone. */
uint32_t *tcp_table_count(struct tcp_table *t, uint64_t hash);

#endif
