/* SPDX-License-Identifier: BSD-2-Clause */
/* Users are known in tables by a keyed 128-bit hash of "user@domain" (SipHash-2-4-128), never by strings. The
 * key is the cluster's, so nobody outside can aim at one bucket. */
#ifndef HG_USER_KEY_H
#define HG_USER_KEY_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "hg/limits.h"
#include "hg/slice.h"
#include "hg/word.h"

struct hg_user_key {
    uint64_t h[2];
};

struct hg_hash_secret {
    uint64_t k[2];
};

/* user: unescaped bytes, case kept; domain: any case, hashed in lower case. */
struct hg_user_key hg_user_key(const struct hg_hash_secret *secret, struct slice user, struct slice domain);

/* A domain made ready for many users. */
struct hg_user_domain {
    uint32_t len;
    char text[8 + 1 + HG_HOST_MAX + 8]; /* eight zeros, '@', the domain in lower case, eight zeros */
};
/* false: longer than any domain. */
bool hg_user_domain_set(struct hg_user_domain *d, struct slice domain);
struct hg_user_key hg_user_key_in(const struct hg_hash_secret *secret, struct slice user,
                                  const struct hg_user_domain *d);
/* What hg_user_key_in() hashes, for who hashes many at once: words, each stride words behind the one before.
 * Returns how many; 0: more than max. The words that hold only the user are read where they stand; the next
 * one begins with the user's last bytes, and the domain is read so far in front of its '@' that zeros take
 * their place. */
static inline uint32_t hg_user_key_words(struct slice user, const struct hg_user_domain *d, uint64_t *word,
                                         uint32_t stride, uint32_t max)
{
    uint32_t extra = user.len & 7, whole = user.len / 8, rest = (extra + 1 + d->len) / 8;
    const char *from = d->text + 8 - extra;
    if (whole >= max || rest >= max - whole)
        return 0;
    for (uint32_t i = 0; i < whole; i++, word += stride)
        *word = hg_load64(user.p + 8 * i);
    *word = hg_load64(from) | hg_tail64(user.p, user.len);
    for (uint32_t i = 1; i <= rest; i++) {
        word += stride;
        *word = hg_load64(from + 8 * i);
    }
    *word |= (uint64_t)((user.len + 1 + d->len) & 0xff) << 56;
    return whole + rest + 1;
}
/* The plain keyed hash behind it, for other tables (Call-ID, sources, branches). */
void hg_siphash128(const struct hg_hash_secret *secret, const void *data, uint32_t len, uint64_t out[2]);
uint64_t hg_siphash64(const struct hg_hash_secret *secret, const void *data, uint32_t len);
/* The same of 19 bytes that stand in registers; rest holds the last three. */
uint64_t hg_siphash64_19(const struct hg_hash_secret *secret, uint64_t first, uint64_t second, uint32_t rest);

#endif
