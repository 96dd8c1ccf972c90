/* SPDX-License-Identifier: BSD-2-Clause */
/* The stage interface of the network room: what core/turn.c calls, and nobody else.
 *
 * Accounting. Every mbuf given to net_input() ends, when that call returns, in exactly one of:
 * net_up_datagrams, net_up_segments, net_control, net_answered, net_absorbed, net_parked_fragments, or one
 * drop of layer net other than frag_timeout. A fragment that waits counts net_parked_fragments once and for
 * good; the fragment that completes a datagram takes whatever disposition the whole datagram gets. Parked
 * fragments that are given up later (time-out, eviction, or a refused overlap) count frag_timeout: a second
 * fate of arrivals already counted, so it stands outside the sum. net_handed_over, rx_frames and rx_bytes are
 * counted by core, which polls and steers; tx_* are counted here. */
#ifndef NET_STAGE_H
#define NET_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/config.h"
#include "hg/limits.h"
#include "hg/segment.h"
#include "lib/ctx.h"
#include "lib/wheel.h"
#include "net/datagram.h"
#include "net/net.h"
#include "net/segment.h"

struct net_port {
    uint8_t mac[6];
    uint16_t mtu;
    bool rx_ip_cksum, rx_udp_cksum, rx_tcp_cksum; /* the port sets RTE_MBUF_F_RX_*_CKSUM_* */
    bool tx_ip_cksum, tx_udp_cksum, tx_tcp_cksum;
    bool tx_tso; /* it cuts TCP segments; has both checksums as well */
    bool up;
};

struct net_setup {
    uint16_t nports;
    struct net_port port[HG_PORTS_MAX];
    const struct hg_config *config; /* its lists are read by net_create() only */
};

/* NULL: out of memory. */
struct net *net_create(struct ctx *ctx, const struct net_setup *setup);
void net_destroy(struct net *net);

/* What a burst left for the rooms above. */
struct net_up {
    unsigned datagrams, segments;
    struct datagram *datagram; /* both have room for as many as frames were given */
    struct segment *segment;
};
/* Takes the mbufs. */
void net_input(struct net *net, uint16_t port, struct rte_mbuf **m, unsigned n, struct net_up *up);
/* What ICMP said about TCP since the last time; valid until the next net_input(). */
#define NET_ICMP_BOX 64
unsigned net_icmp_take(struct net *net, const struct net_icmp_news **news);
/* MAIL_NEIGHBOUR: learns, never answers; takes the mbuf. */
void net_neighbour_news(struct net *net, uint16_t port, struct rte_mbuf *m);
/* Expired timers of room WHEEL_NET. */
void net_timers(struct net *net, struct wheel_timer **t, unsigned n);

/* Frames ready to leave; the array stays valid until net_tx_done(), which must follow. */
unsigned net_tx_take(struct net *net, uint16_t port, struct rte_mbuf ***frames);
/* The first sent frames were taken by the port; the others are freed and counted tx_dropped. */
void net_tx_done(struct net *net, uint16_t port, unsigned sent);

/* A frame that another core asks to have sent: false when the lease no longer covers it (counted; the caller
 * frees it). Frames of net_tx_take() have passed. */
bool net_may_leave(struct net *net, const struct rte_mbuf *m);

/* ---- the cluster ---- */
/* All service addresses of the cluster, and which of them are this node's now. Those in no network of ours
 * are left out; false when one that should be held is, or there is no room. */
#define NET_SERVICE_MAX 64
struct net_service_address {
    struct hg_ip ip;
    bool held;
};
bool net_service_set(struct net *net, const struct net_service_address *a, unsigned n);
void net_service_house(struct net *net); /* every few hundred turns */
/* The control plane's own datagrams (cluster.ha.service_port): from these addresses only. Take: all that came
 * since; valid until the next net_input(). */
#define NET_CONTROL_BOX 64
struct net_control_datagram {
    struct hg_endpoint src;
    uint32_t length;
    char data[HG_DATAGRAM_MAX];
};
void net_control_peers(struct net *net, const struct hg_ip *ip, unsigned n);
unsigned net_control_take(struct net *net, const struct net_control_datagram **out);
bool net_control_send(struct net *net, const struct hg_endpoint *dst, const char *data, uint32_t length);
/* From now on the default gateways are asked whether they are there. */
void net_gateway_watch(struct net *net);
/* Links, and when each gateway answered last, for the control plane. */
void net_health(const struct net *net, struct hg_core_area *area);

/* While closed, datagrams to listeners are dropped (not_ready); ARP, ND and ICMP work. Starts closed. */
void net_set_ready(struct net *net, bool open);
void net_link(struct net *net, uint16_t port, bool up);

#endif
