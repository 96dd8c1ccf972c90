/* SPDX-License-Identifier: BSD-2-Clause */
/* What net/ hands up of TCP: one packet's TCP header and payload, flat, with its addresses, and what routers
 * say about packets of ours. Whoever takes a segment owns the mbuf. */
#ifndef NET_SEGMENT_H
#define NET_SEGMENT_H

#include <assert.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "net/datagram.h"

struct rte_mbuf;

enum segment_flags {
    SEGMENT_SUM_GOOD = 1,    /* the port has checked the checksum of TCP; otherwise nobody has */
    SEGMENT_SERVICE = 2,     /* dst is a service address */
    SEGMENT_REASSEMBLED = 4, /* came in fragments: perhaps not on the core where its connection is at home */
    SEGMENT_HANDED_OVER = 8, /* came by mailbox from the core that received it */
};

struct segment {
    struct rte_mbuf *m; /* its data are the segment's */
    const uint8_t *tcp; /* the TCP header; nothing of it was looked at, it may be cut short */
    uint32_t len;       /* of header and payload */
    uint16_t iface;     /* index of the interface it arrived on */
    uint8_t ecn;        /* the two bits of RFC 3168 */
    uint8_t flags;      /* enum segment_flags */
    struct hg_ip src, dst;
};
/* A segment that goes to another core travels in the mbuf's private area, like a datagram. */
static_assert(sizeof(struct segment) <= DATAGRAM_PRIV_SIZE, "fits the mbuf's private area");

enum net_icmp_kind {
    NET_ICMP_MTU,  /* a packet was too big: mtu is the router's, 0 if it did not say */
    NET_ICMP_HARD, /* protocol or port unreachable, forbidden (RFC 1122 section 4.2.3.9) */
    NET_ICMP_SOFT, /* no route now, time exceeded */
};

/* An ICMP error about a TCP packet that says it came from us. Anybody can write one: believe it only if seq
 * is in flight (RFC 5927 section 4). */
struct net_icmp_news {
    struct hg_ip local, remote;
    uint16_t local_port, remote_port;
    uint32_t seq;
    uint8_t kind; /* enum net_icmp_kind */
    uint16_t mtu;
};
static_assert(sizeof(struct net_icmp_news) <= DATAGRAM_PRIV_SIZE, "fits the mbuf's private area");

#endif
