/* SPDX-License-Identifier: BSD-2-Clause */
#include "routes/book.h"

#include <stdlib.h>
#include <string.h>

#include "hg/slice.h"
#include "hg/user_key.h"

struct route_pages {
    unsigned refs;
    uint32_t n, room;
    struct hg_static_route route[];
};

struct route_book {
    struct route_pages *pages;
    uint8_t *mark;  /* beside the routes: [pages->room] */
    uint32_t *slot; /* hash table of index + 1 */
    uint32_t mask;
    uint32_t max; /* whoever writes to the record cannot fill the memory */
    uint8_t now;
    bool changed; /* since the mark */
};

static uint32_t hash(const char *name)
{
    /* the names are the administrators', nobody attacks by them */
    static const struct hg_hash_secret secret = {{0x68656c696f677261, 0x70682d726f757465}};

    return (uint32_t)hg_siphash64(&secret, name, (uint32_t)strlen(name));
}

static struct route_pages *pages_new(uint32_t room)
{
    struct route_pages *p = malloc(sizeof(*p) + (size_t)room * sizeof(p->route[0]));

    if (p) {
        p->refs = 1;
        p->n = 0;
        p->room = room;
    }
    return p;
}

void book_release(struct route_pages *pages)
{
    if (pages && --pages->refs == 0)
        free(pages);
}

struct route_book *book_create(uint32_t max)
{
    struct route_book *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->pages = pages_new(16);
    b->mark = calloc(16, 1);
    b->mask = 63;
    b->max = max;
    b->slot = calloc(b->mask + 1, sizeof(b->slot[0]));
    if (!b->pages || !b->mark || !b->slot) {
        book_free(b);
        return NULL;
    }
    return b;
}

void book_free(struct route_book *b)
{
    if (!b)
        return;
    book_release(b->pages);
    free(b->mark);
    free(b->slot);
    free(b);
}

static void index_all(struct route_book *b)
{
    memset(b->slot, 0, (size_t)(b->mask + 1) * sizeof(b->slot[0]));
    for (uint32_t i = 0; i < b->pages->n; i++) {
        uint32_t at = hash(b->pages->route[i].name) & b->mask;
        while (b->slot[at])
            at = (at + 1) & b->mask;
        b->slot[at] = i + 1;
    }
}

static uint32_t find(const struct route_book *b, const char *name)
{
    for (uint32_t at = hash(name) & b->mask; b->slot[at]; at = (at + 1) & b->mask)
        if (strcmp(b->pages->route[b->slot[at] - 1].name, name) == 0)
            return b->slot[at] - 1;
    return UINT32_MAX;
}

/* Ours alone, with room for n. */
static bool make_writable(struct route_book *b, uint32_t n)
{
    if (b->pages->refs == 1 && n <= b->pages->room)
        return true;
    uint32_t room = n <= b->pages->room ? b->pages->room : n + n / 2;
    struct route_pages *p = pages_new(room);
    uint8_t *mark = realloc(b->mark, room);
    if (mark)
        b->mark = mark;
    if (!p || !mark) {
        free(p);
        return false;
    }
    p->n = b->pages->n;
    memcpy(p->route, b->pages->route, (size_t)p->n * sizeof(p->route[0]));
    book_release(b->pages);
    b->pages = p;
    return true;
}

static bool grow_index(struct route_book *b, uint32_t n)
{
    if ((uint64_t)n * 2 <= b->mask)
        return true;
    uint32_t mask = b->mask * 2 + 1;
    uint32_t *slot = calloc((size_t)mask + 1, sizeof(slot[0]));
    if (!slot)
        return false;
    free(b->slot);
    b->slot = slot;
    b->mask = mask;
    index_all(b);
    return true;
}

bool book_put(struct route_book *b, const struct hg_static_route *route)
{
    uint32_t i = find(b, route->name);

    if (i != UINT32_MAX && memcmp(&b->pages->route[i], route, sizeof(*route)) == 0) {
        b->mark[i] = b->now;
        return true;
    }
    if (i == UINT32_MAX && b->pages->n >= b->max)
        return false;
    if (!make_writable(b, i == UINT32_MAX ? b->pages->n + 1 : b->pages->n) || !grow_index(b, b->pages->n + 1))
        return false;
    if (i == UINT32_MAX) {
        i = b->pages->n++;
        uint32_t at = hash(route->name) & b->mask;
        while (b->slot[at])
            at = (at + 1) & b->mask;
        b->slot[at] = i + 1;
    }
    b->pages->route[i] = *route;
    b->mark[i] = b->now;
    b->changed = true;
    return true;
}

bool book_remove(struct route_book *b, const char *name)
{
    uint32_t i = find(b, name);

    if (i == UINT32_MAX || !make_writable(b, b->pages->n))
        return false;
    struct route_pages *p = b->pages;
    memmove(&p->route[i], &p->route[i + 1], (size_t)(p->n - i - 1) * sizeof(p->route[0]));
    memmove(&b->mark[i], &b->mark[i + 1], p->n - i - 1);
    p->n--;
    index_all(b);
    b->changed = true;
    return true;
}

bool book_is_full(const struct route_book *b, const char *name)
{
    return b->pages->n >= b->max && find(b, name) == UINT32_MAX;
}

const struct hg_static_route *book_find(const struct route_book *b, const char *name)
{
    uint32_t i = find(b, name);

    return i == UINT32_MAX ? NULL : &b->pages->route[i];
}

const struct hg_static_route *book_admin(const struct route_book *b, uint32_t index)
{
    return index < b->pages->n ? &b->pages->route[index] : NULL;
}

uint32_t book_count(const struct route_book *b)
{
    return b->pages->n;
}

void book_new_mark(struct route_book *b)
{
    b->now++;
    b->changed = false;
}

void book_mark(struct route_book *b, const char *name)
{
    uint32_t i = find(b, name);

    if (i != UINT32_MAX)
        b->mark[i] = b->now;
}

bool book_sweep(struct route_book *b)
{
    uint32_t keep = 0, n = b->pages->n;

    for (uint32_t i = 0; i < n; i++)
        keep += b->mark[i] == b->now;
    if (keep == n || !make_writable(b, n))
        return b->changed;
    keep = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (b->mark[i] != b->now)
            continue;
        b->pages->route[keep] = b->pages->route[i];
        b->mark[keep++] = b->now;
    }
    b->pages->n = keep;
    index_all(b);
    b->changed = true;
    return true;
}

struct route_pages *book_hold(struct route_book *b, const struct hg_static_route **routes, uint32_t *n)
{
    b->pages->refs++;
    *routes = b->pages->route;
    *n = b->pages->n;
    return b->pages;
}
