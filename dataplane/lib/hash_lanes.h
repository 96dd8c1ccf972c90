/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4 of several short inputs at once, one a lane: what the messages of a burst need hashed costs a
 * fraction of hashing it one by one. Inputs are words, the last of them as SipHash closes an input: what is
 * left over, and the length in the highest byte. */
#ifndef LIB_HASH_LANES_H
#define LIB_HASH_LANES_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "hg/user_key.h"

#define HASH_LANES      8
#define HASH_LANE_WORDS 16

struct hash_lanes {
    unsigned n;           /* lanes in use */
    uint32_t most, least; /* words of the longest and of the shortest input */
    alignas(64) uint64_t words[HASH_LANES];
    alignas(64) uint64_t word[HASH_LANE_WORDS][HASH_LANES];
    alignas(64) uint64_t out[2][HASH_LANES]; /* 64 bits: the first */
};

/* What stands in lanes that nobody uses does not matter. */
typedef void (*hash_lanes_fn)(struct hash_lanes *h, const struct hg_hash_secret *secret, bool wide);
void hash_lanes_plain(struct hash_lanes *h, const struct hg_hash_secret *secret, bool wide);
void hash_lanes_avx2(struct hash_lanes *h, const struct hg_hash_secret *secret, bool wide);
void hash_lanes_avx512(struct hash_lanes *h, const struct hg_hash_secret *secret, bool wide);
/* The best of them for this CPU. */
hash_lanes_fn hash_lanes_best(void);

static inline void hash_lanes_reset(struct hash_lanes *h)
{
    h->n = 0;
    h->most = 0;
    h->least = HASH_LANE_WORDS;
}

/* The input of words words that stands in lane n is whole. */
static inline void hash_lanes_added(struct hash_lanes *h, uint32_t words)
{
    h->words[h->n++] = words;
    h->most = words > h->most ? words : h->most;
    h->least = words < h->least ? words : h->least;
}

#endif
