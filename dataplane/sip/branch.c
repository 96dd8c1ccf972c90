/* SPDX-License-Identifier: BSD-2-Clause */
#include "sip/branch.h"

#include <assert.h>
#include <immintrin.h>
#include <string.h>

#include "sip/text.h"

static_assert(BRANCH_STATELESS + 1 == BRANCH_TRANSACTION && BRANCH_STATELESS + 2 == BRANCH_STATELESS_FENCED &&
                  BRANCH_STATELESS + 3 == BRANCH_TRANSACTION_FENCED,
              "branch_kind(), and the one range below");

#define BRANCH_MAGIC_WORD 0x4b62344768397aull /* the same, first byte lowest */

static uint32_t branch_mac(const struct hg_hash_secret *secret, const struct branch *b)
{
    uint64_t word[BRANCH_MAC_WORDS];
    branch_mac_words(b, word, 1);
    return (uint32_t)hg_siphash64_19(secret, word[0], word[1], (uint32_t)word[2]);
}

/* 16 hex digits of the first eight bytes, or of the last eight. */
static inline __m128i hex_digits(__m128i bytes, bool last)
{
    const __m128i digits =
        _mm_setr_epi8('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f');
    const __m128i nibble = _mm_set1_epi8(0x0f);
    __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble), low = _mm_and_si128(bytes, nibble);
    __m128i pairs = last ? _mm_unpackhi_epi8(high, low) : _mm_unpacklo_epi8(high, low);
    return _mm_shuffle_epi8(digits, pairs);
}

static inline void put16(char *out, __m128i v)
{
    _mm_storeu_si128((__m128i *)(void *)out, v);
}

void branch_write(const struct hg_hash_secret *secret, const struct branch *b, char *out)
{
    branch_write_with(b, branch_mac(secret, b), out);
}

void branch_write_with(const struct branch *b, uint32_t mac, char *out)
{
    uint64_t id = __builtin_bswap64(b->id);
    uint64_t first = b->node | (uint64_t)__builtin_bswap32(b->boot) << 8 | (uint64_t)b->core << 40 | id << 48;
    uint64_t checks = __builtin_bswap32(b->loop) | (uint64_t)__builtin_bswap32(mac) << 32;
    uint64_t magic = BRANCH_MAGIC_WORD | (uint64_t)b->kind << 56;
    __m128i origin = _mm_set_epi64x((long long)(id >> 16), (long long)first);
    memcpy(out, &magic, 8);
    put16(out + 8, hex_digits(origin, false));
    put16(out + 24, hex_digits(origin, true)); /* its last four digits are written over */
    put16(out + 36, hex_digits(_mm_cvtsi64_si128((long long)checks), false));
}

enum branch_origin branch_read(const struct hg_hash_secret *secret, uint8_t node, uint32_t boot,
                               struct slice text, struct branch *b)
{
    uint64_t node_, boot_, core, id, loop, mac;
    if (text.len != BRANCH_LEN || memcmp(text.p, BRANCH_MAGIC, 7) != 0)
        return BRANCH_FOREIGN;
    memset(b, 0, sizeof(*b));
    b->kind = (uint8_t)text.p[7];
    if (b->kind < BRANCH_STATELESS || b->kind > BRANCH_TRANSACTION_FENCED)
        return BRANCH_FOREIGN;
    if (!hex_read(text.p + 8, 2, &node_) || !hex_read(text.p + 10, 8, &boot_) ||
        !hex_read(text.p + 18, 2, &core) || !hex_read(text.p + 20, 16, &id) ||
        !hex_read(text.p + 36, 8, &loop) || !hex_read(text.p + 44, 8, &mac))
        return BRANCH_FOREIGN;
    b->node = (uint8_t)node_;
    b->boot = (uint32_t)boot_;
    b->core = (uint8_t)core;
    b->id = id;
    b->loop = (uint32_t)loop;
    if (b->node != node || b->boot != boot)
        return BRANCH_OTHER_BOOT;
    return branch_mac(secret, b) == (uint32_t)mac ? BRANCH_OURS : BRANCH_FORGED;
}
