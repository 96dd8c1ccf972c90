/* SPDX-License-Identifier: BSD-2-Clause */
/* The administrator's routes in memory, in order of their making, found by name. A compilation on another
 * thread reads a version that nobody changes: who changes meanwhile works on a copy. */
#ifndef CONTROLPLANE_ROUTES_BOOK_H
#define CONTROLPLANE_ROUTES_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/static_route.h"

struct route_book;
struct route_pages; /* one version of the routes */

struct route_book *book_create(uint32_t max);
void book_free(struct route_book *b);

bool book_put(struct route_book *b,
              const struct hg_static_route *route); /* adds or replaces; false: no room or no memory */
/* There is no room for a further name. */
bool book_is_full(const struct route_book *b, const char *name);
bool book_remove(struct route_book *b, const char *name);
const struct hg_static_route *book_find(const struct route_book *b, const char *name);
const struct hg_static_route *book_admin(const struct route_book *b,
                                         uint32_t index); /* NULL behind the last */
uint32_t book_count(const struct route_book *b);

/* A load of the record: what was put since the mark stays, the sweep takes out the rest. True: something
 * changed. */
void book_new_mark(struct route_book *b);
/* What the record says of the route cannot be used: what is known stays, if anything is. */
void book_mark(struct route_book *b, const char *name);
bool book_sweep(struct route_book *b);

/* The version of now, kept until it is put back. */
struct route_pages *book_hold(struct route_book *b, const struct hg_static_route **routes, uint32_t *n);
void book_release(struct route_pages *pages);

#endif
