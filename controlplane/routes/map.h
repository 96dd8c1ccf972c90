/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes -> number, for one compilation: keys are copied, nothing is ever removed. */
#ifndef ROUTES_MAP_H
#define ROUTES_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_item {
    uint64_t hash;
    uint32_t key, len; /* in keys */
    uint32_t value;
    bool seen; /* for the owner */
};

struct map {
    uint32_t *slots; /* index of the item + 1 */
    uint32_t mask;
    uint32_t n, room;
    struct map_item *items;
    char *keys;
    size_t used, keys_room;
};

bool map_open(struct map *m, uint32_t expected);
void map_close(struct map *m);
struct map_item *map_find(const struct map *m, const void *key, uint32_t len);
/* The item, made with value if there was none (*fresh tells); NULL without memory. Pointers hold until the
 * next put. */
struct map_item *map_put(struct map *m, const void *key, uint32_t len, uint32_t value, bool *fresh);

#endif
