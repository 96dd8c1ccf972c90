/* SPDX-License-Identifier: BSD-2-Clause */
#include "routes/map.h"

#include <stdlib.h>
#include <string.h>

#include "hg/route_image.h"

static uint64_t hash_of(const void *key, uint32_t len)
{
    const char *p = key;
    uint64_t h = len;
    for (; len >= 8; p += 8, len -= 8)
        h = hg_image_mix(h, hg_load64(p));
    uint64_t tail = 0;
    memcpy(&tail, p, len);
    return hg_image_mix(hg_image_mix(h, tail), 0xa0761d6478bd642full);
}

bool map_open(struct map *m, uint32_t expected)
{
    uint32_t slots = 16;
    memset(m, 0, sizeof(*m));
    while (slots < expected * 2ull && slots < 1u << 30)
        slots *= 2;
    m->slots = calloc(slots, sizeof(*m->slots));
    m->mask = slots - 1;
    m->room = expected;
    m->items = expected ? malloc(expected * sizeof(*m->items)) : NULL;
    if (m->slots && (m->items || expected == 0))
        return true;
    map_close(m);
    return false;
}

void map_close(struct map *m)
{
    free(m->slots);
    free(m->items);
    free(m->keys);
    memset(m, 0, sizeof(*m));
}

static bool grow_items(struct map *m)
{
    uint32_t room = m->room ? m->room * 2 : 64;
    struct map_item *items = realloc(m->items, room * sizeof(*items));
    if (!items)
        return false;
    m->items = items;
    m->room = room;
    return true;
}

static bool grow_keys(struct map *m, uint32_t len)
{
    size_t room = m->keys_room ? m->keys_room * 2 : 4096;
    while (room < m->used + len)
        room *= 2;
    char *keys = room <= UINT32_MAX ? realloc(m->keys, room) : NULL;
    if (!keys)
        return false;
    m->keys = keys;
    m->keys_room = room;
    return true;
}

static bool grow_slots(struct map *m)
{
    uint32_t size = (m->mask + 1) * 2;
    uint32_t *slots = calloc(size, sizeof(*slots));
    if (!slots)
        return false;
    free(m->slots);
    m->slots = slots;
    m->mask = size - 1;
    for (uint32_t i = 0; i < m->n; i++) {
        uint32_t at = (uint32_t)m->items[i].hash & m->mask;
        while (slots[at])
            at = (at + 1) & m->mask;
        slots[at] = i + 1;
    }
    return true;
}

static uint32_t place(const struct map *m, uint64_t hash, const void *key, uint32_t len)
{
    uint32_t at = (uint32_t)hash & m->mask;
    for (; m->slots[at]; at = (at + 1) & m->mask) {
        const struct map_item *i = &m->items[m->slots[at] - 1];
        if (i->hash == hash && i->len == len && memcmp(m->keys + i->key, key, len) == 0)
            break;
    }
    return at;
}

struct map_item *map_find(const struct map *m, const void *key, uint32_t len)
{
    if (m->n == 0)
        return NULL;
    uint32_t at = place(m, hash_of(key, len), key, len);
    return m->slots[at] ? &m->items[m->slots[at] - 1] : NULL;
}

struct map_item *map_put(struct map *m, const void *key, uint32_t len, uint32_t value, bool *fresh)
{
    uint64_t hash = hash_of(key, len);
    *fresh = false;
    if (m->n == m->room && !grow_items(m))
        return NULL;
    if (m->used + len > m->keys_room && !grow_keys(m, len))
        return NULL;
    if (m->n >= m->mask / 2 + 1 && !grow_slots(m))
        return NULL;
    uint32_t at = place(m, hash, key, len);
    if (m->slots[at])
        return &m->items[m->slots[at] - 1];
    *fresh = true;
    memcpy(m->keys + m->used, key, len);
    m->items[m->n] = (struct map_item){hash, (uint32_t)m->used, len, value, false};
    m->used += len;
    m->slots[at] = ++m->n;
    return &m->items[m->n - 1];
}
