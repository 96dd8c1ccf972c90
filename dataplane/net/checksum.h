/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet checksum (RFC 1071), summed in memory order: no byte swaps anywhere. */
#ifndef NET_CHECKSUM_H
#define NET_CHECKSUM_H

#include <stdint.h>
#include <string.h>

#include "hg/endpoint.h"

/* Adds len bytes to an unfolded sum. An odd last byte is padded with zero: only the last piece may be odd. */
typedef uint64_t (*checksum_fn)(const void *p, uint32_t len, uint64_t sum);

uint64_t checksum_plain(const void *p, uint32_t len, uint64_t sum);
uint64_t checksum_avx2(const void *p, uint32_t len, uint64_t sum);
uint64_t checksum_avx512(const void *p, uint32_t len, uint64_t sum);
/* The best of them for this CPU. */
checksum_fn checksum_best(void);

static inline uint16_t checksum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    uint32_t s = (uint32_t)sum;
    s = (s & 0xffff) + (s >> 16);
    s = (s & 0xffff) + (s >> 16);
    return (uint16_t)s;
}

/* Pseudo header of either family: the ffff of a v4-mapped address is zero in one's complement. */
static inline uint64_t checksum_pseudo(const struct hg_ip *src, const struct hg_ip *dst, uint32_t len,
                                       uint8_t proto)
{
    uint64_t sum = __builtin_bswap32(len) + (uint64_t)__builtin_bswap32(proto);
    if (hg_ip_is4(dst))
        return sum + hg_ip_to4(src) + hg_ip_to4(dst);
    for (unsigned i = 0; i < 16; i += 4) {
        uint32_t a, b;
        memcpy(&a, src->b + i, 4);
        memcpy(&b, dst->b + i, 4);
        sum += (uint64_t)a + b;
    }
    return sum;
}

/* What an IPv4 header of 20 bytes must carry, its checksum field being zero. */
static inline uint16_t checksum_ip4_header(const void *header)
{
    uint64_t a, b;
    uint32_t c;
    memcpy(&a, header, 8);
    memcpy(&b, (const uint8_t *)header + 8, 8);
    memcpy(&c, (const uint8_t *)header + 16, 4);
    uint64_t sum = (a & 0xffffffff) + (a >> 32) + (b & 0xffffffff) + (b >> 32) + c;
    return (uint16_t)~checksum_fold(sum);
}

#endif
