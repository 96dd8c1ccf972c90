/* SPDX-License-Identifier: BSD-2-Clause */
/* Packet buffers of one core. */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include <stdint.h>

struct rte_mempool;

/* Room for a frame of 2 KiB behind and 128 bytes in front, which is where drivers put it
 * (RTE_PKTMBUF_HEADROOM is fixed when DPDK is built), and 128 more behind for what splicing adds. */
#define POOL_ROOM(frame) (128 + (frame) + 128)
#define POOL_FRAME       2048
/* Lengths in an mbuf have 16 bits: a datagram of 65,507 bytes has 28 bytes in front of it, no more. */
#define POOL_BIG_ROOM 65535

/* mtu: the largest of any port. NULL: no memory, rte_errno says why. */
struct rte_mempool *pool_create(const char *prefix, unsigned core, unsigned n, unsigned mtu, int socket);
struct rte_mempool *pool_big_create(const char *prefix, unsigned core, unsigned n, int socket);

#endif
