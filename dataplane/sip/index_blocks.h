/* SPDX-License-Identifier: BSD-2-Clause */
/* What the index pass asks of bytes, written once for vectors of any width. No header but a body, included
 * once per instruction set, which says before: vec, VEC_BYTES, vec_load, vec_all, vec_eq, vec_min, vec_or,
 * vec_mask (a bit a byte), first_bit (64 when there is none). */
#include "sip/chars.h"
#include "sip/names.h"

#define BLOCK_LINES_MAX 16 /* a header line has four bytes at least */

struct masks {
    uint64_t lf, cr, comma, blank, control; /* blank: up to 0x20; control: below that, or DEL */
};

static inline vec up_to(vec v, char c)
{
    return vec_eq(vec_min(v, vec_all(c)), v);
}

static inline struct masks classify(const char *p)
{
    struct masks k = {0};
    for (unsigned i = 0; i < 64; i += VEC_BYTES) {
        vec v = vec_load(p + i);
        k.lf |= vec_mask(vec_eq(v, vec_all('\n'))) << i;
        k.cr |= vec_mask(vec_eq(v, vec_all('\r'))) << i;
        k.comma |= vec_mask(vec_eq(v, vec_all(','))) << i;
        k.blank |= vec_mask(up_to(v, ' ')) << i;
        k.control |= vec_mask(vec_or(up_to(v, 0x1f), vec_eq(v, vec_all(0x7f)))) << i;
    }
    return k;
}

/* Writes base + the place of each bit, at most BLOCK_LINES_MAX of them; returns how many bits there are. */
static inline uint32_t put_starts(uint16_t *at, uint32_t base, uint64_t starts)
{
    uint32_t count = (uint32_t)__builtin_popcountll(starts);
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint16_t)(base + first_bit(starts));
        starts &= starts - 1;
    }
    if (__builtin_expect(count > 4, 0))
        for (unsigned i = 4; i < count && i < BLOCK_LINES_MAX; i++) {
            at[i] = (uint16_t)(base + first_bit(starts));
            starts &= starts - 1;
        }
    return count;
}

/* Bytes of the first 32 that are white space or control bytes. */
static inline uint32_t blanks(const char *p)
{
    uint64_t found = 0;
    for (unsigned i = 0; i < 32; i += VEC_BYTES)
        found |= vec_mask(up_to(vec_load(p + i), ' ')) << i;
    return (uint32_t)found;
}
