/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/table.h"

#include <stddef.h>
#include <sys/mman.h>

#define FULL_SHARE 4 /* entries of a line that are expected to be used */

bool tcp_table_create(struct tcp_table *t, uint32_t max)
{
    uint64_t lines = 16;
    while (lines * FULL_SHARE < max)
        lines *= 2;
    t->bytes = lines * sizeof(struct tcp_line);
    t->mask = (uint32_t)(lines - 1);
    t->used = 0;
    /* touched as it fills; zero is an empty line */
    void *p =
        mmap(NULL, t->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    t->line = p == MAP_FAILED ? NULL : p;
    if (t->line)
        (void)madvise(p, t->bytes, MADV_HUGEPAGE); /* a wish */
    return t->line != NULL;
}

void tcp_table_destroy(struct tcp_table *t)
{
    if (t->line)
        munmap(t->line, t->bytes);
    t->line = NULL;
}

bool tcp_table_add(struct tcp_table *t, uint64_t hash, uint32_t value)
{
    uint32_t home = (uint32_t)hash & t->mask, at = home;
    for (uint32_t looked = 0; looked <= t->mask; looked++, at = (at + 1) & t->mask) {
        struct tcp_line *line = &t->line[at];
        for (unsigned i = 0; i < TCP_LINE; i++) {
            if (line->entry[i].value)
                continue;
            line->entry[i] = (struct tcp_entry){.tag = (uint32_t)(hash >> 32), .value = value};
            for (; home != at; home = (home + 1) & t->mask)
                t->line[home].passed++;
            t->used++;
            return true;
        }
    }
    return false;
}

static struct tcp_entry *entry_of(struct tcp_table *t, uint64_t hash, uint32_t value, uint32_t *line)
{
    struct tcp_cursor c = tcp_table_begin(t, hash);
    uint32_t v;
    while ((v = tcp_table_next(t, &c)) != 0)
        if (v == value) {
            *line = c.at;
            return &t->line[c.at].entry[c.slot - 1];
        }
    return NULL;
}

void tcp_table_remove(struct tcp_table *t, uint64_t hash, uint32_t value)
{
    uint32_t at, home = (uint32_t)hash & t->mask;
    struct tcp_entry *e = entry_of(t, hash, value, &at);
    if (!e)
        return;
    e->value = 0;
    t->used--;
    for (; home != at; home = (home + 1) & t->mask)
        t->line[home].passed--;
}

void tcp_table_replace(struct tcp_table *t, uint64_t hash, uint32_t from, uint32_t to)
{
    uint32_t at;
    struct tcp_entry *e = entry_of(t, hash, from, &at);
    if (e)
        e->value = to;
}

uint32_t *tcp_table_count(struct tcp_table *t, uint64_t hash)
{
    struct tcp_cursor c = tcp_table_begin(t, hash);
    if (!tcp_table_next(t, &c))
        return NULL;
    return &t->line[c.at].entry[c.slot - 1].value;
}
