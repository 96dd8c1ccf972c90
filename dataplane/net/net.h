/* SPDX-License-Identifier: BSD-2-Clause */
/* The network room: Ethernet to UDP and back, for one core. */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "lib/ctx.h"
#include "net/datagram.h"
#include "net/segment.h"

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

/* ---- TCP ---- */
/* Of a connection: zero at first, filled and kept right by net_tcp_send(). */
struct net_hint {
    uint32_t neighbour, generations;
};
/* Room for len bytes of TCP header and payload, data_off at the header; NULL: no buffer (count it). */
struct rte_mbuf *net_tcp_buffer(struct net *net, uint32_t len);
/* Sends a buffer of net_tcp_buffer(), flat and nobody else's, data at the TCP header, its checksum field 0,
 * and always takes it. mss: payload of each segment if the port is to cut this one (net_tso_max()), else 0.
 * fenced: it leaves only while the lease lasts; what comes from a service address does anyway. false: nothing
 * leaves (counted). */
bool net_tcp_send(struct net *net, struct rte_mbuf *m, const struct hg_ip *src, const struct hg_ip *dst,
                  struct net_hint *hint, uint16_t mss, bool fenced);
/* The longest payload that the port cuts for us; 0: it does not. After the first net_tcp_send() of the hint.
 */
#define NET_TSO_MAX 61440
uint32_t net_tso_max(const struct net *net, const struct net_hint *hint);
/* A path MTU that TCP believes; it is then in net_path_find() for ten minutes. */
void net_path_mtu_set(struct net *net, const struct hg_ip *dst, uint16_t mtu);

bool net_is_local(const struct net *net, const struct hg_ip *ip);

#endif
