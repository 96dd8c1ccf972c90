/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/contact_table.h"

#include <stdlib.h>
#include <string.h>

#include "lib/slab.h"

#define LINK_BITS 28 /* index in its slab + 1; the class above */

/* Few users have many contacts: the larger the class, the fewer of it. One that is full borrows from the
 * next. */
static const struct {
    uint32_t size, share; /* of the users: one in share */
} classes[CONTACT_CLASSES] = {{128, 1}, {256, 1}, {512, 2}, {1024, 4}, {2048, 8}, {5120, 16}};
static_assert(sizeof(struct contact_set) + HG_CONTACTS_BYTES <= 5120, "the largest set fits the last class");

static uint32_t bucket_of(const struct contact_table *t, const struct hg_user_key *key)
{
    return (uint32_t)(key->h[1] >> 20) & t->mask;
}

static struct contact_set *at(const struct contact_table *t, uint32_t link)
{
    uint32_t size_class = link >> LINK_BITS, index = link & ((1u << LINK_BITS) - 1);
    return link ? slab_at(t->slab[size_class], index - 1) : NULL;
}

bool contact_table_open(struct contact_table *t, uint32_t users)
{
    uint32_t buckets = 64;
    users = users ? users : 1;
    while (buckets < users && buckets < 1u << 30)
        buckets *= 2;
    *t = (struct contact_table){.mask = buckets - 1, .max = users, .round = 1, .sweep = buckets};
    t->bucket = calloc(buckets, sizeof(*t->bucket));
    bool ok = t->bucket != NULL && users < 1u << LINK_BITS;
    for (unsigned i = 0; i < CONTACT_CLASSES; i++) {
        t->slab[i] = slab_create(classes[i].size, users / classes[i].share + 16);
        ok &= t->slab[i] != NULL;
    }
    if (!ok)
        contact_table_close(t);
    return ok;
}

void contact_table_close(struct contact_table *t)
{
    for (unsigned i = 0; i < CONTACT_CLASSES; i++)
        slab_destroy(t->slab[i]);
    free(t->bucket);
    *t = (struct contact_table){0};
}

void contact_table_prefetch(const struct contact_table *t, const struct hg_user_key *key)
{
    if (t->used)
        __builtin_prefetch(&t->bucket[bucket_of(t, key)]);
}

static struct contact_set *find(const struct contact_table *t, const struct hg_user_key *key)
{
    struct contact_set *s = at(t, t->bucket[bucket_of(t, key)]);
    while (s && (s->key.h[0] != key->h[0] || s->key.h[1] != key->h[1]))
        s = at(t, s->next);
    return s;
}

const struct contact_set *contact_table_find(const struct contact_table *t, const struct hg_user_key *key)
{
    return t->used ? find(t, key) : NULL;
}

static void drop(struct contact_table *t, struct contact_set *s)
{
    uint32_t *link = &t->bucket[bucket_of(t, &s->key)];
    while (*link != s->self)
        link = &at(t, *link)->next;
    *link = s->next;
    t->used--;
    slab_put(t->slab[s->self >> LINK_BITS], s);
}

static struct contact_set *take(struct contact_table *t, uint32_t length)
{
    struct contact_set *s = NULL;
    unsigned size_class = 0;
    if (t->used == t->max)
        return NULL;
    while (sizeof(struct contact_set) + length > classes[size_class].size)
        size_class++;
    while (size_class < CONTACT_CLASSES && !(s = slab_get(t->slab[size_class])))
        size_class++;
    if (!s)
        return NULL;
    s->self = (uint32_t)size_class << LINK_BITS | (slab_index(t->slab[size_class], s) + 1);
    t->used++;
    return s;
}

bool contact_table_set(struct contact_table *t, const struct hg_user_key *key, const char *bytes,
                       uint32_t length, unsigned n)
{
    struct contact_set *s = find(t, key);
    if (s && s->length == length && memcmp(s->bytes, bytes, length) == 0) {
        s->round = t->round; /* the same again: who works with it goes on */
        return true;
    }
    if (s) /* its place is there for the new one, so that a full table can still be changed */
        drop(t, s);
    s = take(t, length);
    if (!s)
        return false;
    uint32_t self = s->self, *head = &t->bucket[bucket_of(t, key)];
    if (++t->generation == 0)
        t->generation = 1;
    *s = (struct contact_set){.key = *key,
                              .generation = t->generation,
                              .round = t->round,
                              .next = *head,
                              .self = self,
                              .length = length,
                              .n = (uint16_t)n};
    memcpy(s->bytes, bytes, length);
    *head = self;
    return true;
}

bool contact_table_delete(struct contact_table *t, const struct hg_user_key *key)
{
    struct contact_set *s = find(t, key);
    if (s)
        drop(t, s);
    return s != NULL;
}

void contact_table_round(struct contact_table *t)
{
    t->round++;
    t->sweep = t->mask + 1;
}

void contact_table_sweep_start(struct contact_table *t)
{
    t->sweep = 0;
}

bool contact_table_sweep(struct contact_table *t, unsigned n)
{
    if (t->used == 0)
        t->sweep = t->mask + 1;
    for (unsigned seen = 0; seen < n && t->sweep <= t->mask; seen++, t->sweep++) {
        struct contact_set *s = at(t, t->bucket[t->sweep]);
        while (s) {
            struct contact_set *next = at(t, s->next);
            if (s->round != t->round)
                drop(t, s);
            s = next;
            seen++;
        }
    }
    return t->sweep > t->mask;
}
