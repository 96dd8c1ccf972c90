/* SPDX-License-Identifier: BSD-2-Clause */
#include "feed/users.h"

#include <stdlib.h>
#include <string.h>

#define NOT_FOUND   UINT32_MAX
#define SHELF_MIN   8u
#define DIRTY_PIECE 16384u /* entries; they lie one behind the other */

static struct mirror_user *user_at(const struct mirror *m, uint32_t at)
{
    return &m->block[at / MIRROR_BLOCK]->user[at % MIRROR_BLOCK];
}

static uint32_t *next_of(const struct mirror *m, unsigned core, uint32_t at)
{
    return &m->block[at / MIRROR_BLOCK]->next[core * MIRROR_BLOCK + at % MIRROR_BLOCK];
}

void mirror_init(struct mirror *m)
{
    memset(m, 0, sizeof(*m));
}

void mirror_free(struct mirror *m)
{
    for (uint32_t i = 0; i < m->users_max / MIRROR_BLOCK; i++)
        free(m->block[i]);
    free(m->block);
    for (unsigned i = 0; i < MIRROR_SHELVES; i++)
        free(m->shelf[i].slot);
    mirror_init(m);
}

static struct mirror_shelf *shelf_of(const struct mirror *m, const struct hg_user_key *key)
{
    return (struct mirror_shelf *)&m->shelf[key->h[0] >> (64 - MIRROR_SHELF_BITS)];
}

static uint32_t home(const struct mirror_shelf *s, const struct hg_user_key *key)
{
    return (uint32_t)key->h[0] & s->mask;
}

/* Slot of the shelf where the key stands, or the empty one where it would. */
static uint32_t probe(const struct mirror *m, const struct mirror_shelf *s, const struct hg_user_key *key)
{
    uint32_t i = home(s, key);
    while (s->slot[i]) {
        const struct mirror_user *u = user_at(m, s->slot[i] - 1);
        if (u->key.h[0] == key->h[0] && u->key.h[1] == key->h[1])
            break;
        i = (i + 1) & s->mask;
    }
    return i;
}

static uint32_t find(const struct mirror *m, const struct hg_user_key *key)
{
    const struct mirror_shelf *s = shelf_of(m, key);
    if (!s->slot)
        return NOT_FOUND;
    uint32_t i = probe(m, s, key);
    return s->slot[i] ? s->slot[i] - 1 : NOT_FOUND;
}

uint16_t mirror_find(const struct mirror *m, const struct hg_user_key *key)
{
    uint32_t at = find(m, key);
    return at == NOT_FOUND ? 0 : user_at(m, at)->node;
}

/* ---- room ---- */

static bool grow(struct mirror *m)
{
    uint32_t blocks = m->users_max / MIRROR_BLOCK;
    if (m->users_max > 1u << 30)
        return false;
    if (blocks == m->blocks_max) {
        uint32_t max = blocks ? blocks * 2 : 16;
        struct mirror_block **more = realloc(m->block, max * sizeof(struct mirror_block *));
        if (!more)
            return false;
        m->block = more;
        m->blocks_max = max;
    }
    m->block[blocks] = malloc(sizeof(struct mirror_block) + sizeof(uint32_t) * m->cores * MIRROR_BLOCK);
    if (!m->block[blocks])
        return false;
    m->users_max += MIRROR_BLOCK;
    return true;
}

/* One more key goes into it: at most half full. */
static bool shelf_room(const struct mirror *m, struct mirror_shelf *s)
{
    uint32_t room = s->slot ? s->mask + 1 : 0;
    if (s->used + 1 <= room / 2)
        return true;
    struct mirror_shelf bigger = {.mask = (room ? room * 2 : SHELF_MIN) - 1, .used = s->used};
    bigger.slot = calloc(bigger.mask + 1, sizeof(uint32_t));
    if (!bigger.slot)
        return false;
    for (uint32_t i = 0; i < room; i++)
        if (s->slot[i])
            bigger.slot[probe(m, &bigger, &user_at(m, s->slot[i] - 1)->key)] = s->slot[i];
    free(s->slot);
    *s = bigger;
    return true;
}

bool mirror_reset(struct mirror *m, unsigned cores)
{
    mirror_free(m);
    m->cores = cores;
    return grow(m);
}

/* ---- entries ---- */

static void push(struct mirror *m, uint32_t at, uint64_t cores)
{
    struct mirror_user *u = user_at(m, at);
    for (uint64_t todo = cores & ~u->dirty; todo; todo &= todo - 1) {
        unsigned core = (unsigned)__builtin_ctzll(todo);
        struct mirror_queue *q = &m->queue[core];
        if (q->pushed++ == q->popped)
            q->first = at;
        else
            *next_of(m, core, q->last) = at;
        q->last = at;
    }
    u->dirty |= cores;
}

static uint64_t all_cores(const struct mirror *m)
{
    return m->cores == 64 ? UINT64_MAX : (1ull << m->cores) - 1;
}

static bool take_entry(struct mirror *m, uint32_t *at)
{
    if (!m->free_list && m->users_used == m->users_max && !grow(m))
        return false;
    if (m->free_list) {
        *at = m->free_list - 1;
        m->free_list = user_at(m, *at)->next_free;
    } else {
        *at = m->users_used++;
    }
    return true;
}

/* Out of the index, those behind it closing up, so that no probe stops too early. */
static void drop_entry(struct mirror *m, uint32_t at)
{
    struct mirror_user *u = user_at(m, at);
    struct mirror_shelf *s = shelf_of(m, &u->key);
    uint32_t hole = probe(m, s, &u->key), i = hole;
    for (;;) {
        i = (i + 1) & s->mask;
        if (!s->slot[i])
            break;
        uint32_t want = home(s, &user_at(m, s->slot[i] - 1)->key);
        if (((i - want) & s->mask) >= ((i - hole) & s->mask)) {
            s->slot[hole] = s->slot[i];
            hole = i;
        }
    }
    s->slot[hole] = 0;
    s->used--;
    u->used = 0;
    u->next_free = m->free_list;
    m->free_list = at + 1;
}

static bool new_entry(struct mirror *m, const struct hg_user_key *key, uint32_t *at)
{
    struct mirror_shelf *s = shelf_of(m, key);
    if (!shelf_room(m, s) || !take_entry(m, at))
        return false;
    *user_at(m, *at) = (struct mirror_user){.key = *key, .used = 1};
    s->slot[probe(m, s, key)] = *at + 1;
    s->used++;
    return true;
}

bool mirror_touch(struct mirror *m, const struct hg_user_key *key, uint16_t node, uint32_t *slot)
{
    uint32_t at = find(m, key);
    if (at == NOT_FOUND && !new_entry(m, key, &at))
        return false;
    m->present += user_at(m, at)->node == 0;
    user_at(m, at)->node = node;
    push(m, at, all_cores(m));
    *slot = at;
    return true;
}

bool mirror_set(struct mirror *m, const struct hg_user_key *key, uint16_t node)
{
    uint32_t at = find(m, key);
    return (at != NOT_FOUND && user_at(m, at)->node == node) || mirror_touch(m, key, node, &at);
}

bool mirror_slot(const struct mirror *m, const struct hg_user_key *key, uint32_t *slot)
{
    uint32_t at = find(m, key);
    *slot = at;
    return at != NOT_FOUND && user_at(m, at)->node != 0;
}

uint32_t mirror_first(const struct mirror *m, unsigned core)
{
    return m->queue[core].first;
}

uint32_t mirror_behind(const struct mirror *m, unsigned core, uint32_t slot)
{
    return *next_of(m, core, slot);
}

void mirror_remove(struct mirror *m, const struct hg_user_key *key)
{
    uint32_t at = find(m, key);
    if (at == NOT_FOUND || user_at(m, at)->node == 0)
        return;
    m->present--;
    user_at(m, at)->node = 0;
    push(m, at, all_cores(m));
    if (!user_at(m, at)->dirty)
        drop_entry(m, at);
}

bool mirror_forget(struct mirror *m, const struct hg_user_key *key)
{
    uint32_t at = find(m, key);
    if (at != NOT_FOUND) {
        mirror_remove(m, key);
        return true;
    }
    if (!m->cores)
        return true;
    if (!new_entry(m, key, &at))
        return false;
    push(m, at, all_cores(m));
    return true;
}

void mirror_dirty_all(struct mirror *m, unsigned core)
{
    m->dirty_at[core] = 0;
}

bool mirror_dirty_some(struct mirror *m, unsigned core)
{
    uint32_t from = m->dirty_at[core];
    uint32_t end = m->users_used - from > DIRTY_PIECE ? from + DIRTY_PIECE : m->users_used;
    for (uint32_t i = from; i < end; i++)
        if (user_at(m, i)->used)
            push(m, i, 1ull << core);
    m->dirty_at[core] = end;
    return end < m->users_used;
}

unsigned mirror_take(struct mirror *m, unsigned core, struct hg_down_user *out, unsigned max)
{
    struct mirror_queue *q = &m->queue[core];
    unsigned n = 0;
    for (; n < max && q->popped != q->pushed; n++) {
        uint32_t at = q->first;
        struct mirror_user *u = user_at(m, at);
        if (++q->popped != q->pushed)
            q->first = *next_of(m, core, at);
        out[n] = (struct hg_down_user){.key = u->key, .node = u->node};
        u->dirty &= ~(1ull << core);
        if (!u->dirty && u->node == 0)
            drop_entry(m, at);
    }
    return n;
}
