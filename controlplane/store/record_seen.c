/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/record_seen.h"

#include <stdlib.h>

static uint64_t key_of(const struct record_seen *s, enum record_table table, struct slice field)
{
    struct hg_hash_secret secret = s->secret;

    secret.k[0] ^= table;
    uint64_t key = hg_siphash64(&secret, field.p, field.len);
    return key ? key : 1;
}

void record_seen_clear(struct record_seen *s)
{
    free(s->slot);
    s->slot = NULL;
    s->count = s->size = 0;
    s->end = (struct record_version){0, 0};
}

static struct record_seen_slot *find(const struct record_seen *s, uint64_t key)
{
    uint32_t i = (uint32_t)key & (s->size - 1);

    while (s->slot[i].key && s->slot[i].key != key)
        i = (i + 1) & (s->size - 1);
    return &s->slot[i];
}

static bool grow(struct record_seen *s)
{
    struct record_seen bigger = *s;

    bigger.size = s->size ? s->size * 2 : 1024;
    bigger.slot = calloc(bigger.size, sizeof(bigger.slot[0]));
    if (!bigger.slot)
        return false;
    for (uint32_t i = 0; i < s->size; i++)
        if (s->slot[i].key)
            *find(&bigger, s->slot[i].key) = s->slot[i];
    free(s->slot);
    *s = bigger;
    return true;
}

void record_seen_until(struct record_seen *s, struct record_version end, struct record_version position)
{
    if (!s->count)
        return;
    if (record_version_cmp(s->end, end) > 0)
        s->end = end;
    if (record_version_cmp(position, s->end) >= 0)
        record_seen_clear(s);
}

bool record_seen_add(struct record_seen *s, enum record_table table, struct slice field,
                     struct record_version version)
{
    if (s->count >= s->size / 2 && !grow(s))
        return false;
    uint64_t key = key_of(s, table, field);
    struct record_seen_slot *slot = find(s, key);
    s->count += slot->key == 0;
    slot->key = key;
    if (record_version_cmp(version, slot->version) > 0) /* HSCAN may tell a field twice */
        slot->version = version;
    if (record_version_cmp(version, s->end) > 0)
        s->end = version;
    return true;
}

bool record_seen_is_newer(const struct record_seen *s, enum record_table table, struct slice field,
                          struct record_version than)
{
    if (!s->count)
        return false;
    return record_version_cmp(find(s, key_of(s, table, field))->version, than) >= 0;
}
