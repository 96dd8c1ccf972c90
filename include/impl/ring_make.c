/* SPDX-License-Identifier: BSD-2-Clause */
/* Apart from ring.c, because rte_ring_init() drags librte_ring and EAL's library behind it. */
#include <rte_ring.h>

#include "impl/ring.h"

bool hg_ring_make(void *mem, const char *name, uint32_t cells)
{
    if (((uintptr_t)mem & 63) || (cells & (cells - 1)) || cells < 2)
        return false;
    return rte_ring_init(mem, name, cells, RING_F_SP_ENQ | RING_F_SC_DEQ) == 0;
}
