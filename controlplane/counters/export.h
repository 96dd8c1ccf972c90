/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters to Redis, once a second, only what changed (docs/redis.md). Never waits: while Redis is slow or
 * away a turn is left out, and everything is written anew when it is back. */
#ifndef CONTROLPLANE_COUNTERS_EXPORT_H
#define CONTROLPLANE_COUNTERS_EXPORT_H

#include <stdint.h>

struct controlplane;
struct export;

struct export *export_create(struct controlplane *cp);
void export_free(struct export *e);
void export_second(struct export *e);
/* The segment is another one, or gone. */
void export_reset(struct export *e);
uint64_t export_skipped(const struct export *e);
uint64_t export_done(const struct export *e);

#endif
