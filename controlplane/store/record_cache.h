/* SPDX-License-Identifier: BSD-2-Clause */
/* The small tables as the record has them: everything but routes and users. Kept to write a lost record back,
 * and to notice a promotion that took back the ownership of a subcluster. */
#ifndef CONTROLPLANE_STORE_RECORD_CACHE_H
#define CONTROLPLANE_STORE_RECORD_CACHE_H

#include "store/record.h"

#define RECORD_CACHE_MAX 4096 /* entries; what is more is not remembered */

struct record_known {
    enum record_table table;
    struct record_version version;
    struct slice field, value; /* in bytes[] */
    char bytes[];
};
struct record_cache {
    struct record_known **known;
    uint32_t n, room;
};

static inline bool record_cache_keeps(enum record_table table)
{
    return table < RECORD_ROUTES;
}

void record_cache_clear(struct record_cache *cache);
/* One table only. */
void record_cache_clear_table(struct record_cache *cache, enum record_table table);
bool record_cache_set(struct record_cache *cache, enum record_table table, struct slice field,
                      struct slice value, struct record_version version);
void record_cache_remove(struct record_cache *cache, enum record_table table, struct slice field);
const struct record_known *record_cache_find(const struct record_cache *cache, enum record_table table,
                                             struct slice field);

#endif
