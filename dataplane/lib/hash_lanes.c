/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/hash_lanes.h"

#include <string.h>

/* Everything is inlined, so nothing depends on how such vectors would be passed. */
#pragma GCC diagnostic ignored "-Wpsabi"

/* As wide as all lanes: the compiler makes of it what the instruction set has. */
typedef uint64_t lanes __attribute__((vector_size(8 * HASH_LANES)));

#define INLINE          static inline __attribute__((always_inline))
#define ROTATE(x, bits) ((x) << (bits) | (x) >> (64 - (bits)))

struct sip {
    lanes v0, v1, v2, v3;
};

INLINE void rounds(struct sip *s, unsigned n)
{
    for (; n > 0; n--) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = ROTATE(s->v1, 13) ^ s->v0;
        s->v3 = ROTATE(s->v3, 16) ^ s->v2;
        s->v0 = ROTATE(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = ROTATE(s->v1, 17) ^ s->v2;
        s->v3 = ROTATE(s->v3, 21) ^ s->v0;
        s->v2 = ROTATE(s->v2, 32);
    }
}

INLINE void absorb(struct sip *s, lanes word)
{
    s->v3 ^= word;
    rounds(s, 2);
    s->v0 ^= word;
}

INLINE lanes choose(lanes mask, lanes yes, lanes no)
{
    return (mask & yes) | (~mask & no);
}

/* A word that the shorter inputs do not have. */
INLINE void absorb_some(struct sip *s, lanes word, lanes mask)
{
    struct sip next = *s;
    absorb(&next, word);
    s->v0 = choose(mask, next.v0, s->v0);
    s->v1 = choose(mask, next.v1, s->v1);
    s->v2 = choose(mask, next.v2, s->v2);
    s->v3 = choose(mask, next.v3, s->v3);
}

INLINE lanes squeeze(struct sip *s)
{
    rounds(s, 4);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

INLINE lanes all(uint64_t x)
{
    return x - (lanes){0};
}

INLINE void load(lanes *to, const uint64_t *from)
{
    memcpy(to, from, sizeof(*to));
}

INLINE void run(struct hash_lanes *h, const struct hg_hash_secret *secret, bool wide)
{
    const uint64_t *k = secret->k;
    struct sip s = {all(k[0] ^ 0x736f6d6570736575ull), all(k[1] ^ 0x646f72616e646f6dull),
                    all(k[0] ^ 0x6c7967656e657261ull), all(k[1] ^ 0x7465646279746573ull)};
    lanes word, words;
    if (wide)
        s.v1 ^= all(0xee);
    for (uint32_t i = 0; i < h->least; i++) {
        load(&word, h->word[i]);
        absorb(&s, word);
    }
    load(&words, h->words);
    for (uint32_t i = h->least; i < h->most; i++) {
        load(&word, h->word[i]);
        absorb_some(&s, word, (lanes)(words > all(i)));
    }
    s.v2 ^= all(wide ? 0xee : 0xff);
    lanes out = squeeze(&s);
    memcpy(h->out[0], &out, sizeof(out));
    if (wide) {
        s.v1 ^= all(0xdd);
        out = squeeze(&s);
        memcpy(h->out[1], &out, sizeof(out));
    }
}

void hash_lanes_plain(struct hash_lanes *h, const struct hg_hash_secret *secret, bool wide)
{
    run(h, secret, wide);
}

__attribute__((target("avx2"))) void hash_lanes_avx2(struct hash_lanes *h,
                                                     const struct hg_hash_secret *secret, bool wide)
{
    run(h, secret, wide);
}

__attribute__((target("avx512f"))) void hash_lanes_avx512(struct hash_lanes *h,
                                                          const struct hg_hash_secret *secret, bool wide)
{
    run(h, secret, wide);
}

hash_lanes_fn hash_lanes_best(void)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        return hash_lanes_avx512;
    return __builtin_cpu_supports("avx2") ? hash_lanes_avx2 : hash_lanes_plain;
}
