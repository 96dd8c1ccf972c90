/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/pool.h"

#include <stdio.h>

#include <rte_mbuf.h>

#include "net/datagram.h"

#define FRAME_EXTRA 32 /* Ethernet header, VLAN tags, and a little */

static_assert(RTE_PKTMBUF_HEADROOM == 128, "POOL_ROOM counts on it");

struct rte_mempool *pool_create(const char *prefix, unsigned core, unsigned n, unsigned mtu, int socket)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    unsigned frame = mtu + FRAME_EXTRA > POOL_FRAME ? (mtu + FRAME_EXTRA + 127) & ~127u : POOL_FRAME;
    unsigned cache = n >= 4096 ? 256 : n / 16;

    snprintf(name, sizeof(name), "%s%u", prefix, core);
    return rte_pktmbuf_pool_create(name, n, cache, DATAGRAM_PRIV_SIZE, (uint16_t)POOL_ROOM(frame), socket);
}

struct rte_mempool *pool_big_create(const char *prefix, unsigned core, unsigned n, int socket)
{
    char name[RTE_MEMPOOL_NAMESIZE];

    snprintf(name, sizeof(name), "%sbig%u", prefix, core);
    return rte_pktmbuf_pool_create(name, n, 0, DATAGRAM_PRIV_SIZE, POOL_BIG_ROOM, socket);
}
