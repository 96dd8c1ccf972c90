/* SPDX-License-Identifier: BSD-2-Clause */
/* Users are known in tables by a keyed 128-bit hash of "user@domain" (SipHash-2-4-128), never by strings. The
 * key is the cluster's, so nobody outside can aim at one bucket. */
#ifndef HG_USER_KEY_H
#define HG_USER_KEY_H

#include <assert.h>
#include <stdint.h>

#include "hg/slice.h"

struct hg_user_key {
    uint64_t h[2];
};

struct hg_hash_secret {
    uint64_t k[2];
};

/* user: unescaped bytes, case kept; domain: any case, hashed in lower case. */
struct hg_user_key hg_user_key(const struct hg_hash_secret *secret, struct slice user, struct slice domain);
/* The plain keyed hash behind it, for other tables (Call-ID, sources, branches). */
void hg_siphash128(const struct hg_hash_secret *secret, const void *data, uint32_t len, uint64_t out[2]);
uint64_t hg_siphash64(const struct hg_hash_secret *secret, const void *data, uint32_t len);

#endif
