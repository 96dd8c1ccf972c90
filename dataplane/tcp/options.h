/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP options (RFC 9293 section 3.2, RFC 7323, RFC 2018), read and written. Pure. */
#ifndef TCP_OPTIONS_H
#define TCP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define TCP_SACKS 4

enum tcp_option_bits {
    TCP_OPTION_MSS = 1,
    TCP_OPTION_SCALE = 2,
    TCP_OPTION_SACK_OK = 4,
    TCP_OPTION_TS = 8,
};

struct tcp_range {
    uint32_t from, to; /* to: behind the last octet */
};

struct tcp_options {
    uint32_t ts_val, ts_ecr;
    uint16_t mss;
    uint8_t has;   /* enum tcp_option_bits */
    uint8_t scale; /* 14 at most (RFC 7323 section 2.3) */
    uint8_t sacks;
    struct tcp_range sack[TCP_SACKS];
};

/* p: len bytes behind the fixed header. false: an option that does not fit, or too short for its kind. */
bool tcp_options_read(const uint8_t *p, uint32_t len, struct tcp_options *out);

/* For a SYN or what answers it; bits say what is offered. Returns the length, a multiple of 4, 20 at most. */
uint32_t tcp_options_syn(uint8_t *p, const struct tcp_options *o);

#define TCP_OPTIONS_TS 12 /* timestamps with their padding */
static inline void tcp_options_ts(uint8_t *p, uint32_t val, uint32_t ecr)
{
    uint32_t w[3] = {__builtin_bswap32(0x0101080a), __builtin_bswap32(val), __builtin_bswap32(ecr)};
    __builtin_memcpy(p, w, sizeof(w));
}

/* Returns the length, a multiple of 4. */
uint32_t tcp_options_sack(uint8_t *p, const struct tcp_range *r, unsigned n);

#endif
