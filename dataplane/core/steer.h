/* SPDX-License-Identifier: BSD-2-Clause */
/* Which core a frame belongs to, when the port cannot tell: a symmetric hash, so that both directions of a
 * flow meet, and one core for all fragments of a datagram. */
#ifndef CORE_STEER_H
#define CORE_STEER_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "lib/flow_hash.h"

struct core;
struct rte_mbuf;

enum steer_kind {
    STEER_HERE,     /* not IP (ARP and whatever else): the core that received it */
    STEER_FLOW,     /* hash of addresses and ports */
    STEER_TCP,      /* the hash is the core where the connection is at home */
    STEER_FRAGMENT, /* hash of addresses and identification */
};

/* Reads at most the first len bytes of a frame; anything odd is STEER_HERE, and net says what is wrong with
 * it. */
enum steer_kind steer_hash(const uint8_t *frame, uint32_t len, const struct flow_home *home, uint32_t *hash);

/* One flow of UDP over IPv4 without VLAN or options, so that the next frame of it is known at a glance: a
 * trunk sends a burst of them. */
struct steer_flow {
    uint64_t addresses; /* as they stand in the frame */
    uint32_t ports;
    uint32_t hash;
    struct hg_ip src;
    bool set;
};
#define STEER_PLAIN_PAYLOAD 42

/* Whether the frame belongs to that flow. */
bool steer_flow_again(const struct steer_flow *f, const uint8_t *frame, uint32_t len);
/* A frame of which steer_hash said STEER_FLOW and hash; what is not of that kind leaves the flow as it was.
 */
void steer_flow_note(struct steer_flow *f, const uint8_t *frame, uint32_t len, uint32_t hash);

static inline unsigned steer_core(uint32_t hash, unsigned cores)
{
    return flow_spread(hash, cores);
}

/* Where the payload of a UDP datagram stands that steer_hash called a flow; false: not to be told at a
 * glance. */
bool steer_payload(const uint8_t *frame, uint32_t len, struct hg_ip *src, uint32_t *at);

/* Mails what belongs to other cores (fragments, datagrams of hot flows, TCP that a port's RSS led astray),
 * keeps the rest at the front of m; n up to CORE_BURST. all: every flow, because the port has no usable RSS.
 * Returns how many stay. */
unsigned steer_burst(struct core *core, uint16_t port, struct rte_mbuf **m, unsigned n, bool all);

#endif
