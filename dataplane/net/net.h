/* SPDX-License-Identifier: BSD-2-Clause */
/* The network room: Ethernet to UDP and back, for one core. */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "lib/ctx.h"
#include "net/datagram.h"

struct net;
struct rte_mbuf;
struct wheel_timer;
struct mail;

/* Where a packet to some address leaves: found once per next hop, cheap to repeat. */
struct net_path {
    struct hg_ip src;     /* our address on that interface */
    struct hg_ip gateway; /* the neighbour to ask for: the destination itself or a router */
    uint16_t iface;
    uint16_t mtu;
};

/* false: no route (counted tx_no_route by the caller's send, not here). */
bool net_path_find(struct net *net, const struct hg_ip *dst, struct net_path *path);

/* Sends payload (data_off at the UDP payload, headroom for 62 bytes of headers; may be larger than the MTU)
 * and always takes ownership. src.ip must be one of our addresses. The neighbour may be unknown: the packet
 * then waits, bounded in number and time. A message that is kept for retransmission is sent from a copy or an
 * extra reference: net writes only in front of data_off. */
void net_udp_send(struct net *net, struct rte_mbuf *payload, const struct hg_endpoint *src,
                  const struct hg_endpoint *dst);

/* The same for what is done for a user of this node: it leaves only while the lease lasts. */
void net_udp_send_fenced(struct net *net, struct rte_mbuf *payload, const struct hg_endpoint *src,
                         const struct hg_endpoint *dst);

bool net_is_local(const struct net *net, const struct hg_ip *ip);

#endif
