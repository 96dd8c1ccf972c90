/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/wheel.h"

#include <stddef.h>
#include <string.h>

#define SLOT_BITS 8
#define SLOT_MASK (WHEEL_SLOTS - 1)
#define DUE       WHEEL_LEVELS
#define FARTHEST                                                                                             \
    ((1ull << (SLOT_BITS * WHEEL_LEVELS)) - 1) /* 49 days; beyond that an entry is placed anew               \
                                                */

static void list_init(struct wheel_timer *head)
{
    head->next = head->prev = head;
}

static void list_append(struct wheel_timer *head, struct wheel_timer *t)
{
    t->prev = head->prev;
    t->next = head;
    head->prev->next = t;
    head->prev = t;
}

/* All of from behind the last of to; from is empty afterwards. */
static void list_splice(struct wheel_timer *to, struct wheel_timer *from)
{
    if (from->next == from)
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

void wheel_init(struct wheel *w, uint64_t now_ms)
{
    w->now_ms = now_ms;
    w->armed = 0;
    memset(w->on_level, 0, sizeof(w->on_level));
    for (unsigned level = 0; level < WHEEL_LEVELS; level++)
        for (unsigned i = 0; i < WHEEL_SLOTS; i++)
            list_init(&w->slot[level][i]);
    list_init(&w->due);
}

/* The level is that of the highest digit in which deadline and now differ: an entry is looked at again
 * exactly when time reaches that digit. */
static void place(struct wheel *w, struct wheel_timer *t)
{
    if (t->deadline_ms <= w->now_ms) {
        t->level = DUE;
        w->on_level[DUE]++;
        list_append(&w->due, t);
        return;
    }
    uint64_t at = t->deadline_ms;
    if (at - w->now_ms > FARTHEST)
        at = w->now_ms + FARTHEST;
    uint64_t differ = at ^ w->now_ms;
    unsigned level = (unsigned)(63 - __builtin_clzll(differ)) / SLOT_BITS;
    if (level >= WHEEL_LEVELS) /* the top digit wraps: its slot comes round before the carry is needed */
        level = WHEEL_LEVELS - 1;
    t->level = (uint16_t)level;
    w->on_level[level]++;
    list_append(&w->slot[level][(at >> (SLOT_BITS * level)) & SLOT_MASK], t);
}

static void unlink_timer(struct wheel *w, struct wheel_timer *t)
{
    w->on_level[t->level]--;
    t->prev->next = t->next;
    t->next->prev = t->prev;
    t->next = t->prev = NULL;
}

void wheel_arm(struct wheel *w, struct wheel_timer *t, uint64_t deadline_ms)
{
    if (wheel_armed(t))
        unlink_timer(w, t);
    else
        w->armed++;
    t->deadline_ms = deadline_ms;
    place(w, t);
}

void wheel_cancel(struct wheel *w, struct wheel_timer *t)
{
    if (!wheel_armed(t))
        return;
    unlink_timer(w, t);
    w->armed--;
}

void wheel_clear(struct wheel *w)
{
    for (unsigned level = 0; level <= WHEEL_LEVELS; level++)
        for (unsigned i = 0; i < (level == DUE ? 1 : WHEEL_SLOTS); i++) {
            struct wheel_timer *head = level == DUE ? &w->due : &w->slot[level][i];
            while (head->next != head)
                wheel_cancel(w, head->next);
        }
}

static void cascade(struct wheel *w, unsigned level)
{
    struct wheel_timer all, *t;
    list_init(&all);
    list_splice(&all, &w->slot[level][(w->now_ms >> (SLOT_BITS * level)) & SLOT_MASK]);
    while ((t = all.next) != &all) {
        __builtin_prefetch(t->next->next);
        unlink_timer(w, t);
        place(w, t);
    }
}

static void step(struct wheel *w)
{
    w->now_ms++;
    for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--)
        if ((w->now_ms & ((1ull << (SLOT_BITS * level)) - 1)) == 0)
            cascade(w, level);
    struct wheel_timer *slot = &w->slot[0][w->now_ms & SLOT_MASK];
    for (struct wheel_timer *t = slot->next; t != slot; t = t->next) {
        t->level = DUE;
        w->on_level[0]--;
        w->on_level[DUE]++;
    }
    list_splice(&w->due, slot);
}

/* To the last moment before an entry can expire or move down. */
static void jump(struct wheel *w, uint64_t now_ms)
{
    unsigned level = 0;
    while (level < WHEEL_LEVELS && w->on_level[level] == 0)
        level++;
    if (level == 0)
        return;
    uint64_t last = level == WHEEL_LEVELS ? now_ms : w->now_ms | ((1ull << (SLOT_BITS * level)) - 1);
    w->now_ms = last < now_ms ? last : now_ms;
}

unsigned wheel_advance(struct wheel *w, uint64_t now_ms, struct wheel_timer **out, unsigned max)
{
    while (w->now_ms < now_ms) {
        jump(w, now_ms);
        if (w->now_ms < now_ms)
            step(w);
    }
    unsigned n = 0;
    struct wheel_timer *t;
    while (n < max && (t = w->due.next) != &w->due) {
        __builtin_prefetch(t->next->next);
        unlink_timer(w, t);
        out[n++] = t;
    }
    w->armed -= n;
    return n;
}
