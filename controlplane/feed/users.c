/* SPDX-License-Identifier: BSD-2-Clause */
#include "feed/users.h"

#include <stdlib.h>
#include <string.h>

#define USERS_MIN 1024u
#define NOT_FOUND UINT32_MAX

void mirror_init(struct mirror *m)
{
    memset(m, 0, sizeof(*m));
}

void mirror_free(struct mirror *m)
{
    free(m->user);
    free(m->index);
    for (unsigned i = 0; i < HG_CORES_MAX; i++)
        free(m->queue[i].slot);
    mirror_init(m);
}

static uint32_t home(const struct mirror *m, const struct hg_user_key *key)
{
    return (uint32_t)key->h[0] & m->index_mask;
}

/* Slot of the index where the key stands, or the empty one where it would. */
static uint32_t probe(const struct mirror *m, const struct hg_user_key *key)
{
    uint32_t i = home(m, key);
    while (m->index[i]) {
        const struct mirror_user *u = &m->user[m->index[i] - 1];
        if (u->key.h[0] == key->h[0] && u->key.h[1] == key->h[1])
            break;
        i = (i + 1) & m->index_mask;
    }
    return i;
}

static uint32_t find(const struct mirror *m, const struct hg_user_key *key)
{
    if (!m->index)
        return NOT_FOUND;
    uint32_t i = probe(m, key);
    return m->index[i] ? m->index[i] - 1 : NOT_FOUND;
}

uint16_t mirror_find(const struct mirror *m, const struct hg_user_key *key)
{
    uint32_t at = find(m, key);
    return at == NOT_FOUND ? 0 : m->user[at].node;
}

/* ---- room ---- */

static void free_all(uint32_t **parts, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        free(parts[i]);
}

/* A queue is indexed by its counts masked with its room, so what is in it moves when the room changes. */
static void move_queue(struct mirror_queue *q, uint32_t *slot, uint32_t mask, uint32_t old_mask)
{
    for (uint64_t n = q->popped; n != q->pushed; n++)
        slot[n & mask] = q->slot[n & old_mask];
    free(q->slot);
    q->slot = slot;
}

/* Doubles everything, or nothing. */
static bool grow(struct mirror *m)
{
    uint32_t max = m->users_max ? m->users_max * 2 : USERS_MIN;
    uint32_t *part[HG_CORES_MAX + 1];
    unsigned parts = 0;
    if (max > 1u << 30)
        return false;
    struct mirror_user *user = realloc(m->user, (size_t)max * sizeof(*user));
    if (!user)
        return false;
    m->user = user;
    for (; parts < m->cores; parts++) {
        part[parts] = malloc((size_t)max * sizeof(uint32_t));
        if (!part[parts])
            break;
    }
    uint32_t *index = parts == m->cores ? calloc((size_t)max * 2, sizeof(*index)) : NULL;
    if (!index) {
        free_all(part, parts);
        return false;
    }
    for (unsigned i = 0; i < m->cores; i++)
        move_queue(&m->queue[i], part[i], max - 1, m->users_max - 1);
    free(m->index);
    m->index = index;
    m->index_mask = max * 2 - 1;
    m->users_max = max;
    for (uint32_t i = 0; i < m->users_used; i++)
        if (m->user[i].used)
            index[probe(m, &m->user[i].key)] = i + 1;
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
    struct mirror_user *u = &m->user[at];
    for (uint64_t todo = cores & ~u->dirty; todo; todo &= todo - 1) {
        struct mirror_queue *q = &m->queue[__builtin_ctzll(todo)];
        q->slot[q->pushed++ & (m->users_max - 1)] = at;
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
        m->free_list = m->user[*at].next_free;
    } else {
        *at = m->users_used++;
    }
    return true;
}

/* Out of the index, those behind it closing up, so that no probe stops too early. */
static void drop_entry(struct mirror *m, uint32_t at)
{
    uint32_t hole = probe(m, &m->user[at].key), i = hole;
    for (;;) {
        i = (i + 1) & m->index_mask;
        if (!m->index[i])
            break;
        uint32_t want = home(m, &m->user[m->index[i] - 1].key);
        if (((i - want) & m->index_mask) >= ((i - hole) & m->index_mask)) {
            m->index[hole] = m->index[i];
            hole = i;
        }
    }
    m->index[hole] = 0;
    m->user[at].used = 0;
    m->user[at].next_free = m->free_list;
    m->free_list = at + 1;
}

static bool new_entry(struct mirror *m, const struct hg_user_key *key, uint32_t *at)
{
    if (!take_entry(m, at))
        return false;
    m->user[*at] = (struct mirror_user){.key = *key, .used = 1};
    m->index[probe(m, key)] = *at + 1;
    return true;
}

bool mirror_touch(struct mirror *m, const struct hg_user_key *key, uint16_t node, uint32_t *slot)
{
    uint32_t at = find(m, key);
    if (at == NOT_FOUND && !new_entry(m, key, &at))
        return false;
    m->present += m->user[at].node == 0;
    m->user[at].node = node;
    push(m, at, all_cores(m));
    *slot = at;
    return true;
}

bool mirror_set(struct mirror *m, const struct hg_user_key *key, uint16_t node)
{
    uint32_t at = find(m, key);
    return (at != NOT_FOUND && m->user[at].node == node) || mirror_touch(m, key, node, &at);
}

bool mirror_slot(const struct mirror *m, const struct hg_user_key *key, uint32_t *slot)
{
    uint32_t at = find(m, key);
    *slot = at;
    return at != NOT_FOUND && m->user[at].node != 0;
}

uint32_t mirror_peek(const struct mirror *m, unsigned core, unsigned i)
{
    const struct mirror_queue *q = &m->queue[core];
    return q->slot[(q->popped + i) & (m->users_max - 1)];
}

void mirror_remove(struct mirror *m, const struct hg_user_key *key)
{
    uint32_t at = find(m, key);
    if (at == NOT_FOUND || m->user[at].node == 0)
        return;
    m->present--;
    m->user[at].node = 0;
    push(m, at, all_cores(m));
    if (!m->user[at].dirty)
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
    for (uint32_t i = 0; i < m->users_used; i++)
        if (m->user[i].used)
            push(m, i, 1ull << core);
}

unsigned mirror_take(struct mirror *m, unsigned core, struct hg_down_user *out, unsigned max)
{
    struct mirror_queue *q = &m->queue[core];
    unsigned n = 0;
    for (; n < max && q->popped != q->pushed; n++) {
        uint32_t at = q->slot[q->popped++ & (m->users_max - 1)];
        struct mirror_user *u = &m->user[at];
        out[n] = (struct hg_down_user){.key = u->key, .node = u->node};
        u->dirty &= ~(1ull << core);
        if (!u->dirty && u->node == 0)
            drop_entry(m, at);
    }
    return n;
}
