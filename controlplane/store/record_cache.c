/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/record_cache.h"

#include <stdlib.h>

static int64_t locate(const struct record_cache *c, enum record_table table, struct slice field)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (c->known[i]->table == table && slice_eq(c->known[i]->field, field))
            return i;
    return -1;
}

static void remove_at(struct record_cache *c, uint32_t i)
{
    free(c->known[i]);
    c->known[i] = c->known[--c->n];
}

void record_cache_clear(struct record_cache *c)
{
    while (c->n)
        remove_at(c, c->n - 1);
    free(c->known);
    *c = (struct record_cache){0};
}

void record_cache_clear_table(struct record_cache *c, enum record_table table)
{
    for (uint32_t i = c->n; i-- > 0;)
        if (c->known[i]->table == table)
            remove_at(c, i);
}

bool record_cache_set(struct record_cache *c, enum record_table table, struct slice field, struct slice value,
                      struct record_version version)
{
    int64_t at = locate(c, table, field);
    if (at < 0 && c->n >= RECORD_CACHE_MAX)
        return false;
    struct record_known *k = malloc(sizeof(*k) + field.len + value.len + 1);

    if (!k)
        return false;
    if (at < 0 && c->n == c->room) {
        uint32_t room = c->room ? c->room * 2 : 32;
        struct record_known **bigger = realloc(c->known, room * sizeof(bigger[0]));
        if (!bigger) {
            free(k);
            return false;
        }
        c->known = bigger;
        c->room = room;
    }
    k->table = table;
    k->version = version;
    if (field.len)
        memcpy(k->bytes, field.p, field.len);
    if (value.len)
        memcpy(k->bytes + field.len, value.p, value.len);
    k->field = slice_of(k->bytes, field.len);
    k->value = slice_of(k->bytes + field.len, value.len);
    if (at >= 0)
        free(c->known[at]);
    else
        at = c->n++;
    c->known[at] = k;
    return true;
}

void record_cache_remove(struct record_cache *c, enum record_table table, struct slice field)
{
    int64_t at = locate(c, table, field);

    if (at >= 0)
        remove_at(c, (uint32_t)at);
}

const struct record_known *record_cache_find(const struct record_cache *c, enum record_table table,
                                             struct slice field)
{
    int64_t at = locate(c, table, field);

    return at >= 0 ? c->known[at] : NULL;
}
