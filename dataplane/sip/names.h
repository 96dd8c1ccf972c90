/* SPDX-License-Identifier: BSD-2-Clause */
/* Names to ids: header fields by a perfect hash over length and first eight bytes, methods by comparison. */
#ifndef SIP_NAMES_H
#define SIP_NAMES_H

#include <assert.h>
#include <stdint.h>

#include "hg/slice.h"
#include "sip/sip_tables.h"

#define SIP_NAME_MAX 29

/* Name and colon are compared in one step, so a match also says where the name ends. */
struct sip_name {
    char name[30]; /* lower case, with the colon behind it */
    uint8_t len;   /* without the colon; 0 = empty slot, which matches nothing */
    uint8_t id;    /* enum sip_header_id */
    char mask[32]; /* 0xff over name and colon */
} __attribute__((aligned(64)));
static_assert(sizeof(struct sip_name) == 64, "one cache line, compared with vectors of 32 bytes");

extern const struct sip_name sip_names[1 << SIP_NAME_BITS];

#define SIP_NAME_CASE 0x2020202020202020ull

/* first8: the first min(len, 8) bytes in memory order, lower case, the others 0 */
static inline uint32_t sip_name_slot(uint64_t first8, uint32_t len)
{
    return (uint32_t)(((first8 + len) * SIP_NAME_K) >> (64 - SIP_NAME_BITS));
}

uint8_t sip_header_by_name(struct slice name); /* enum sip_header_id; OTHER when unknown */
uint8_t sip_method_by_name(struct slice name); /* enum sip_method, case-sensitive (RFC 3261 7.1) */

#endif
