/* SPDX-License-Identifier: BSD-2-Clause */
/* Hierarchical timing wheel, 1 ms ticks, intrusive entries, no allocation. Expired entries are returned in an
 * array; what they mean is the owner's business: kind names the room (high byte) and the timer (low byte). */
#ifndef LIB_WHEEL_H
#define LIB_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

enum wheel_room {
    WHEEL_NET = 1,
    WHEEL_ROUTE = 2,
    WHEEL_SIP = 3,
    WHEEL_CORE = 4,
    WHEEL_TCP = 5,
    WHEEL_STREAM = 6,
    WHEEL_TLS = 7
};

struct wheel_timer {
    struct wheel_timer *next, *prev; /* NULL when not armed */
    uint64_t deadline_ms;
    uint16_t kind;  /* room << 8 | timer */
    uint16_t level; /* the wheel's own note: where the entry hangs */
    uint16_t pad[2];
};

#define WHEEL_KIND(room, timer) (uint16_t)((room) << 8 | (timer))
#define WHEEL_ROOM(kind)        ((kind) >> 8)

#define WHEEL_LEVELS 4
#define WHEEL_SLOTS  256

struct wheel {
    uint64_t now_ms;
    uint32_t armed;
    uint32_t on_level[WHEEL_LEVELS +
                      1]; /* entries of each level, the due ones last: empty levels are jumped over */
    struct wheel_timer slot[WHEEL_LEVELS][WHEEL_SLOTS]; /* list heads */
    struct wheel_timer due;                             /* expired but not yet returned */
};

void wheel_init(struct wheel *w, uint64_t now_ms);
/* Arms or re-arms. A deadline that has passed expires in the next advance. */
void wheel_arm(struct wheel *w, struct wheel_timer *t, uint64_t deadline_ms);
void wheel_cancel(struct wheel *w, struct wheel_timer *t); /* harmless if not armed */
/* Disarms every entry: before their owners are torn down, in whatever order. */
void wheel_clear(struct wheel *w);
static inline bool wheel_armed(const struct wheel_timer *t)
{
    return t->next != 0;
}
/* What the next advance returns first, as far as it is due already: for prefetching. NULL: nothing. */
static inline const struct wheel_timer *wheel_next_due(const struct wheel *w)
{
    return w->due.next == &w->due ? 0 : w->due.next;
}
/* Moves time on and returns at most max expired entries, disarmed; call again while it returns max. */
unsigned wheel_advance(struct wheel *w, uint64_t now_ms, struct wheel_timer **out, unsigned max);

#endif
