/* SPDX-License-Identifier: BSD-2-Clause */
/* EAL for unit tests: one core, ordinary memory, no devices, nothing left behind. */
#ifndef TESTS_UNIT_EAL_H
#define TESTS_UNIT_EAL_H

#include <stdbool.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include "net/datagram.h"

static inline bool test_eal_start(void)
{
    static char *args[] = {"test",        "--no-huge",      "-m", "64", "--no-pci",
                           "--no-shconf", "--no-telemetry", "-l", "0",  "--log-level=3",
                           NULL};
    static bool started;
    if (!started)
        started = rte_eal_init((int)(sizeof(args) / sizeof(args[0])) - 1, args) >= 0;
    return started;
}

/* Like the dataplane's: 2 KiB behind a headroom of 128, a datagram in the private area. */
static inline struct rte_mempool *test_pool(const char *name, unsigned n)
{
    return rte_pktmbuf_pool_create(name, n, 0, DATAGRAM_PRIV_SIZE, RTE_PKTMBUF_HEADROOM + 2176,
                                   SOCKET_ID_ANY);
}

static inline struct rte_mempool *test_pool_big(const char *name, unsigned n)
{
    return rte_pktmbuf_pool_create(name, n, 0, DATAGRAM_PRIV_SIZE, UINT16_MAX, SOCKET_ID_ANY);
}

#endif
