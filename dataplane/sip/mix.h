/* SPDX-License-Identifier: BSD-2-Clause */
/* A fast seeded hash for what needs spreading but no secrecy towards the sender: Call-IDs, loop detection,
 * stateless branch ids. What must not be forged carries a SipHash on top (branch.c). */
#ifndef SIP_MIX_H
#define SIP_MIX_H

#include <stdint.h>

#include "hg/slice.h"
#include "hg/word.h"

#define MIX_WORD 0xd6e8feb86659fd93ull

static inline uint64_t mix_fold(uint64_t a, uint64_t b)
{
    /* by hand: of a __uint128_t the compiler puts one half on the stack, between two steps that wait for it
     */
    uint64_t high;
    __asm__("mulq %2" : "+a"(a), "=&d"(high) : "r"(b) : "cc");
    return a ^ high;
}

static inline uint64_t mix_bytes(uint64_t seed, const char *p, uint32_t len)
{
    uint64_t h = seed ^ (0x9e3779b97f4a7c15ull * (len + 1)), tail = hg_tail64(p, len);
    uint32_t left = len;
    for (; left >= 8; left -= 8, p += 8)
        h = mix_fold(h ^ hg_load64(p), MIX_WORD) + 0xa0761d6478bd642full;
    if (left)
        h = mix_fold(h ^ tail, 0xe7037ed1a0b428dbull) + left;
    return mix_fold(h ^ 0x8ebc6af09c88c6e3ull, 0x589965cc75374cc3ull);
}

static inline uint64_t mix_slice(uint64_t seed, struct slice s)
{
    return mix_bytes(seed, s.p, s.len);
}

#endif
