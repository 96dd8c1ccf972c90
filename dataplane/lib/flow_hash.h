/* SPDX-License-Identifier: BSD-2-Clause */
/* Which core a flow is at home on. Pure and symmetric: both directions of a flow give the same number,
 * whoever asks: the core that got a frame it cannot tell (core/steer.c), or TCP, which chooses the source
 * port of an outgoing connection so that the answers come to the core that asked. */
#ifndef LIB_FLOW_HASH_H
#define LIB_FLOW_HASH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "hg/endpoint.h"

enum flow_kind {
    FLOW_SOFTWARE, /* the keyed hash below: no port spreads frames by itself */
    FLOW_TOEPLITZ, /* ports spread by RSS with FLOW_RSS_KEY and a table that we wrote */
};

struct flow_home {
    uint64_t seed;
    uint16_t cores;
    uint8_t kind; /* enum flow_kind */
};

/* ---- the software's own ---- */

static inline uint64_t flow_mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    return x ^ x >> 32;
}

/* Both ends are mixed alone and then added: the order of the two does not matter, and yet close addresses do
 * not cancel out as they do with a plain exclusive or. */
static inline uint32_t flow_pair(uint64_t a, uint64_t b, uint64_t seed)
{
    return (uint32_t)(flow_mix(flow_mix(a ^ seed) + flow_mix(b ^ seed)) >> 32);
}

static inline uint64_t flow_load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint64_t flow_load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

/* One end: an address as it stands in a header, and a port in host order (0: the packet has none). */
static inline uint64_t flow_end4(const uint8_t *ip, uint16_t port)
{
    return flow_load32(ip) | (uint64_t)port << 32;
}

static inline uint64_t flow_end6(const uint8_t *ip, uint16_t port)
{
    return (flow_mix(flow_load64(ip)) + flow_load64(ip + 8)) ^ (uint64_t)port << 48;
}

static inline unsigned flow_spread(uint32_t hash, unsigned cores)
{
    return (unsigned)((uint64_t)hash * cores >> 32);
}

/* ---- Toeplitz, as ports do it ---- */

/* The same 16 bits over and over: a word of the input counts the same wherever it stands, so that both
 * directions give one hash, and only the exclusive or of all words matters. */
#define FLOW_RSS_KEY 0x6d5au
/* Entry i of a port's table, whatever its size, is (i % FLOW_RSS_SLOTS) % cores: ports agree. */
#define FLOW_RSS_SLOTS 64

static inline uint32_t flow_toeplitz(uint16_t folded)
{
    uint32_t key = FLOW_RSS_KEY << 16 | FLOW_RSS_KEY, hash = 0;
    for (unsigned bit = 0; bit < 16; bit++) { /* from the first bit on the wire */
        hash ^= folded & 0x8000u >> bit ? key : 0;
        key = key << 1 | key >> 31;
    }
    return hash;
}

/* Words in network order, as they stand: the sum is swapped once. */
static inline uint16_t flow_fold(uint64_t words)
{
    words ^= words >> 32;
    words ^= words >> 16;
    return __builtin_bswap16((uint16_t)words);
}

static inline unsigned flow_rss_core(uint16_t folded, unsigned cores)
{
    return flow_toeplitz(folded) % FLOW_RSS_SLOTS % cores;
}

/* ---- the question ---- */

static inline unsigned flow_core4(const struct flow_home *h, const uint8_t *a, uint16_t a_port,
                                  const uint8_t *b, uint16_t b_port)
{
    if (h->kind == FLOW_TOEPLITZ)
        return flow_rss_core(flow_fold(flow_load32(a) ^ flow_load32(b)) ^ a_port ^ b_port, h->cores);
    return flow_spread(flow_pair(flow_end4(a, a_port), flow_end4(b, b_port), h->seed), h->cores);
}

static inline unsigned flow_core6(const struct flow_home *h, const uint8_t *a, uint16_t a_port,
                                  const uint8_t *b, uint16_t b_port)
{
    if (h->kind == FLOW_TOEPLITZ) {
        uint64_t words = flow_load64(a) ^ flow_load64(a + 8) ^ flow_load64(b) ^ flow_load64(b + 8);
        return flow_rss_core(flow_fold(words) ^ a_port ^ b_port, h->cores);
    }
    return flow_spread(flow_pair(flow_end6(a, a_port), flow_end6(b, b_port), h->seed), h->cores);
}

static inline unsigned flow_core_of(const struct flow_home *h, const struct hg_ip *a, uint16_t a_port,
                                    const struct hg_ip *b, uint16_t b_port)
{
    if (h->cores <= 1)
        return 0;
    if (hg_ip_is4(a))
        return flow_core4(h, a->b + 12, a_port, b->b + 12, b_port);
    return flow_core6(h, a->b, a_port, b->b, b_port);
}

#endif
