/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4 (Aumasson and Bernstein) with 64 and 128 bits of output. */
#include "hg/user_key.h"

#include <string.h>

#include "hg/word.h"

#define CHUNK     512 /* of a name gathered before it is absorbed; a multiple of 8 */
#define KEY_WORDS 64  /* of a name that is not */

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, int b)
{
    return (x << b) | (x >> (64 - b));
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 = rotl(s->v2, 32);
}

static inline void sip_start(struct sip *s, const struct hg_hash_secret *secret)
{
    s->v0 = secret->k[0] ^ 0x736f6d6570736575ull;
    s->v1 = secret->k[1] ^ 0x646f72616e646f6dull;
    s->v2 = secret->k[0] ^ 0x6c7967656e657261ull;
    s->v3 = secret->k[1] ^ 0x7465646279746573ull;
}

static inline void sip_word(struct sip *s, uint64_t w)
{
    s->v3 ^= w;
    sip_round(s);
    sip_round(s);
    s->v0 ^= w;
}

static inline void sip_words(struct sip *s, const uint8_t *p, uint32_t words)
{
    for (; words > 0; words--, p += 8)
        sip_word(s, hg_load64(p));
}

/* The last word: what is left of the input, below the low byte of its whole length. */
static inline void sip_tail(struct sip *s, const uint8_t *p, uint32_t left, uint32_t total)
{
    uint64_t w = 0;
    memcpy(&w, p, left);
    sip_word(s, w | (uint64_t)(total & 0xff) << 56);
}

static inline uint64_t sip_finish(struct sip *s)
{
    for (int i = 0; i < 4; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline void sip_finish128(struct sip *s, uint64_t out[2])
{
    s->v2 ^= 0xee;
    out[0] = sip_finish(s);
    s->v1 ^= 0xdd;
    out[1] = sip_finish(s);
}

uint64_t hg_siphash64(const struct hg_hash_secret *secret, const void *data, uint32_t len)
{
    const uint8_t *p = data;
    struct sip s;
    sip_start(&s, secret);
    sip_words(&s, p, len / 8);
    sip_tail(&s, len ? p + (len & ~7u) : (const uint8_t *)"", len & 7, len);
    s.v2 ^= 0xff;
    return sip_finish(&s);
}

uint64_t hg_siphash64_19(const struct hg_hash_secret *secret, uint64_t first, uint64_t second, uint32_t rest)
{
    struct sip s;
    sip_start(&s, secret);
    sip_word(&s, first);
    sip_word(&s, second);
    sip_word(&s, rest | (uint64_t)19 << 56);
    s.v2 ^= 0xff;
    return sip_finish(&s);
}

void hg_siphash128(const struct hg_hash_secret *secret, const void *data, uint32_t len, uint64_t out[2])
{
    const uint8_t *p = data;
    struct sip s;
    sip_start(&s, secret);
    s.v1 ^= 0xee;
    sip_words(&s, p, len / 8);
    sip_tail(&s, len ? p + (len & ~7u) : (const uint8_t *)"", len & 7, len);
    sip_finish128(&s, out);
}

/* ASCII letters to lower case, eight at a time; bytes above 0x7f stay. */
static inline uint64_t lower8(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101ull;
    uint64_t low = w & (0x7f * ones);
    uint64_t from_a = low + (0x80 - 'A') * ones;
    uint64_t past_z = low + (0x80 - 'Z' - 1) * ones;
    uint64_t upper = (from_a ^ past_z) & ~w & (0x80 * ones);
    return w | upper >> 2;
}

static inline void copy_name(uint8_t *to, const char *from, uint32_t n, bool lower)
{
    for (; n >= 8; n -= 8, from += 8, to += 8) {
        uint64_t w = hg_load64(from);
        w = lower ? lower8(w) : w;
        memcpy(to, &w, 8);
    }
    for (; n > 0; n--)
        *to++ = (uint8_t)(lower ? ascii_lower(*from++) : *from++);
}

/* Names longer than any that routes still hash whole, chunk by chunk. */
static uint32_t gather(struct sip *s, uint8_t *buf, uint32_t fill, struct slice part, bool lower)
{
    while (part.len > 0) {
        uint32_t n = CHUNK - fill < part.len ? CHUNK - fill : part.len;
        copy_name(buf + fill, part.p, n, lower);
        part.p += n;
        part.len -= n;
        fill += n;
        if (fill == CHUNK) {
            sip_words(s, buf, CHUNK / 8);
            fill = 0;
        }
    }
    return fill;
}

/* A name or domain longer than any: the key that nobody has, but that of the whole text all the same. */
static struct hg_user_key key_of_long(const struct hg_hash_secret *secret, struct slice user,
                                      struct slice domain)
{
    struct hg_user_key key;
    struct sip s;
    uint8_t buf[CHUNK + 8];
    uint32_t total = user.len + 1 + domain.len, fill;
    sip_start(&s, secret);
    s.v1 ^= 0xee;
    fill = gather(&s, buf, 0, user, false);
    fill = gather(&s, buf, fill, SLICE_LIT("@"), false);
    fill = gather(&s, buf, fill, domain, true);
    sip_words(&s, buf, fill / 8);
    sip_tail(&s, buf + (fill & ~7u), fill & 7, total);
    sip_finish128(&s, key.h);
    return key;
}

bool hg_user_domain_set(struct hg_user_domain *d, struct slice domain)
{
    if (domain.len > HG_HOST_MAX)
        return false;
    d->len = domain.len;
    memset(d->text, 0, 8);
    d->text[8] = '@';
    copy_name((uint8_t *)d->text + 9, domain.p, domain.len, true);
    memset(d->text + 9 + domain.len, 0, 8);
    return true;
}

struct hg_user_key hg_user_key_in(const struct hg_hash_secret *secret, struct slice user,
                                  const struct hg_user_domain *d)
{
    uint64_t word[KEY_WORDS];
    uint32_t words = hg_user_key_words(user, d, word, 1, KEY_WORDS);
    struct hg_user_key key;
    struct sip s;
    if (words == 0)
        return key_of_long(secret, user, slice_of(d->text + 9, d->len));
    sip_start(&s, secret);
    s.v1 ^= 0xee;
    sip_words(&s, (const uint8_t *)word, words);
    sip_finish128(&s, key.h);
    return key;
}

struct hg_user_key hg_user_key(const struct hg_hash_secret *secret, struct slice user, struct slice domain)
{
    struct hg_user_domain d;
    if (!hg_user_domain_set(&d, domain))
        return key_of_long(secret, user, domain);
    return hg_user_key_in(secret, user, &d);
}
