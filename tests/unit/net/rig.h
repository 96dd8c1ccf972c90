/* SPDX-License-Identifier: BSD-2-Clause */
/* One core's network room with two ports, fed with frames built from bytes. Nothing here uses the room's own
 * helpers: checksums and headers are made in the plainest way, so that a test cannot share a fault with the
 * code. */
#ifndef TESTS_NET_RIG_H
#define TESTS_NET_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/config.h"
#include "lib/ctx.h"
#include "lib/mailbox.h"
#include "lib/wheel.h"
#include "net/stage.h"

#define RIG_MBUFS 512
#define RIG_BIG   8
#define RIG_SENT  1024

struct rig {
    struct ctx ctx;
    struct hg_config *config;
    struct net *net;
    struct net_setup setup;
    uint64_t counters[HG_COUNTERS_MAX];
    struct wheel wheel;
    struct datagram out[64];
    struct segment segment[64];
    unsigned nout, nsegments;
    struct { /* frames that left, in order */
        uint8_t *b;
        uint32_t len;
        uint16_t port;
        uint64_t ol_flags;
    } sent[RIG_SENT];
    unsigned nsent, taken;
};

/* Ours: 02:00:00:00:00:01; 10.0.0.1/24, 10.0.0.2/24, fd00::1/64, gateways 10.0.0.254 and fd00::fe; VLAN
 * 7: 10.7.0.1/24. Port 1: 02:00:00:00:00:02, 172.16.0.1/30. 192.168.0.0/16 by 10.0.0.253. Listeners: 5060
 * everywhere, 10.0.0.2:5080. */
extern const uint8_t rig_mac[6], rig_peer_mac[6];

/* tweak changes the configuration before the room is made; may be NULL. */
struct rig *rig_open(void (*tweak)(struct hg_config *, struct net_setup *));
void rig_close(struct rig *rig); /* asserts that no buffer is lost */
/* Gives one frame to port; asserts that it ended in exactly one disposition. Returns that counter. */
unsigned rig_feed(struct rig *rig, uint16_t port, const uint8_t *b, uint32_t len);
/* The same of a burst, without that; what gets up replaces rig->out and rig->segment. Returns the datagrams.
 */
unsigned rig_input(struct rig *rig, uint16_t port, struct rte_mbuf **m, unsigned n);
/* Time passes, timers fire. */
void rig_wait(struct rig *rig, unsigned ms);
/* The next frame that left, NULL if there is none. */
const uint8_t *rig_sent(struct rig *rig, uint32_t *len);
void rig_flush(struct rig *rig); /* forgets what was sent */
void rig_free_out(struct rig *rig);
uint64_t rig_count(const struct rig *rig, unsigned id);
/* The neighbour answers an ARP question; afterwards packets to ip go to rig_peer_mac. */
void rig_know4(struct rig *rig, const char *ip);
void rig_know6(struct rig *rig, const char *ip);
uint64_t rig_dispositions(const struct rig *rig);
struct rte_mbuf *rig_payload(struct rig *rig, const void *data, uint32_t len);

struct hg_ip ip_of(const char *text);
struct hg_endpoint ep_of(const char *ip, uint16_t port);
uint16_t sum_of(const uint8_t *p, uint32_t len, uint32_t start);

/* Builders: return the length of the frame; b has room for 66,000 bytes. */
uint32_t make_eth(uint8_t *b, const uint8_t dst[6], const uint8_t src[6], int vlan, uint16_t type);
uint32_t make_ip4(uint8_t *b, const char *src, const char *dst, uint8_t proto, const void *payload,
                  uint32_t len);
uint32_t make_ip6(uint8_t *b, const char *src, const char *dst, uint8_t proto, const void *payload,
                  uint32_t len);
uint32_t make_udp(uint8_t *b, const char *src, uint16_t sport, const char *dst, uint16_t dport,
                  const void *payload, uint32_t len); /* either family, whole frame */
/* A header of 20 bytes with window 1000. */
uint32_t make_tcp(uint8_t *b, const char *src, uint16_t sport, const char *dst, uint16_t dport, uint32_t seq,
                  uint8_t flags, const void *payload, uint32_t len);
uint32_t make_arp(uint8_t *b, uint16_t op, const uint8_t mac[6], const char *sender, const char *target);
/* type 135 or 136; option: with our link-layer address */
uint32_t make_nd(uint8_t *b, uint8_t type, uint8_t flags, const char *src, const char *dst,
                 const char *target, bool option);
uint32_t make_icmp(uint8_t *b, const char *src, const char *dst, uint8_t type, uint8_t code, uint32_t rest,
                   const void *data, uint32_t len);
/* A fragment of the IP payload at offset; id is the datagram's. */
uint32_t make_fragment(uint8_t *b, const char *src, const char *dst, uint8_t proto, uint32_t id,
                       uint32_t offset, bool more, const uint8_t *data, uint32_t len);
void fix_ip4(uint8_t *b); /* header checksum of an untagged frame */

#endif
