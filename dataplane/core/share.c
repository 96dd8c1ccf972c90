/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/share.h"

#include <string.h>

#define STEP_EACH 24 /* permille of difference that one part makes up for, with some care */
#define STEP_MAX  8

void share_init(struct share *s)
{
    for (unsigned owner = 0; owner < HG_CORES_MAX; owner++)
        memset(s->core[owner], (int)owner, SHARE_PARTS);
}

/* The next part on core from of those whose owner is, or is not, the core that it would go to; NULL: none. */
static uint8_t *part_of(struct share *s, unsigned from, unsigned to, unsigned cores, bool home)
{
    for (unsigned owner = 0; owner < cores; owner++) {
        if ((owner == to) != home)
            continue;
        uint8_t *part = memchr(s->core[owner], (int)from, SHARE_PARTS);
        if (part)
            return part;
    }
    return NULL;
}

static bool has_parts(const struct share *s, unsigned core, unsigned cores)
{
    return memchr(s->core, (int)core, (size_t)cores * SHARE_PARTS) != NULL;
}

unsigned share_balance(struct share *s, const uint32_t *load, unsigned cores)
{
    unsigned idlest = 0, busiest = cores, moved = 0;

    for (unsigned i = 0; i < cores; i++) {
        if (load[i] < load[idlest])
            idlest = i;
        if ((busiest == cores || load[i] > load[busiest]) && has_parts(s, i, cores))
            busiest = i;
    }
    if (busiest == cores || load[busiest] <= load[idlest] + SHARE_TOLERANCE)
        return 0;
    unsigned steps = (load[busiest] - load[idlest]) / STEP_EACH;
    for (steps = steps > STEP_MAX ? STEP_MAX : steps; moved < steps; moved++) {
        /* what comes home has no second hop any more */
        uint8_t *part = part_of(s, busiest, idlest, cores, true);
        if (part == NULL)
            part = part_of(s, busiest, idlest, cores, false);
        if (part == NULL)
            break;
        *part = (uint8_t)idlest;
    }
    return moved;
}
