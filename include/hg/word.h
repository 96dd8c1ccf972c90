/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as words of eight, the first byte lowest. */
#ifndef HG_WORD_H
#define HG_WORD_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are loaded as they lie");

static inline uint64_t hg_load64(const void *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof(w));
    return w;
}

/* The last len % 8 bytes of the len bytes at p, zeros above them, without a look past either end. */
static inline uint64_t hg_tail64(const char *p, uint32_t len)
{
    uint32_t n = len & 7, low, high;
    if (n == 0)
        return 0;
    if (len >= 8)
        return hg_load64(p + len - 8) >> (64 - 8 * n);
    if (n < 4)
        return (uint64_t)(uint8_t)p[0] | (uint64_t)(uint8_t)p[n / 2] << n / 2 * 8 |
               (uint64_t)(uint8_t)p[n - 1] << (n - 1) * 8;
    memcpy(&low, p, 4);
    memcpy(&high, p + n - 4, 4);
    return low | (uint64_t)high << (n - 4) * 8;
}

#endif
