/* SPDX-License-Identifier: BSD-2-Clause */
/* Which core works on which part of the hot flows that this core receives. A Call-ID has an owner, and within
 * its owner's share one of 64 parts; each part is some core's, its owner's to begin with. Parts move from the
 * busiest core to the idlest, a few every other millisecond, for as long as their loads differ. */
#ifndef CORE_SHARE_H
#define CORE_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/limits.h"

#define SHARE_PARTS     64
#define SHARE_TOLERANCE 30 /* permille of load in which cores may differ and are left alone */

struct share {
    uint8_t core[HG_CORES_MAX][SHARE_PARTS];
};

void share_init(struct share *s);

static inline unsigned share_core(const struct share *s, unsigned owner, uint64_t hash)
{
    return s->core[owner][hash % SHARE_PARTS];
}

/* load: of each core, permille; above 1000 it is behind. Returns how many parts have moved. */
unsigned share_balance(struct share *s, const uint32_t *load, unsigned cores);

#endif
