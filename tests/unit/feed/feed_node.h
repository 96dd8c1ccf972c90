/* SPDX-License-Identifier: BSD-2-Clause */
/* A dataplane without packets: segment, real route tables and feeds of some cores, turned by hand. The rooms
 * that would touch packets are replaced in feed_node.c. */
#ifndef TESTS_FEED_NODE_H
#define TESTS_FEED_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/user_key.h"
#include "impl/segment.h"
#include "lib/ctx.h"
#include "net/stage.h"

struct feed_node;
struct route;

/* 0: error says why. */
struct feed_node *feed_node_start(const char *node, unsigned cores, uint32_t ring_cells, int64_t users_max,
                                  char *error);
void feed_node_stop(struct feed_node *n);
/* One turn of every core and of the main thread; returns how much was done. */
unsigned feed_node_turn(struct feed_node *n);
/* Only one core, without the main thread. */
unsigned feed_node_turn_core(struct feed_node *n, unsigned core);
void feed_node_ms(struct feed_node *n, uint64_t ms); /* the clock moves on */

const struct hg_segment *feed_node_segment(const struct feed_node *n);
struct ctx *feed_node_ctx(struct feed_node *n, unsigned core);
uint16_t feed_node_user(struct feed_node *n, unsigned core, const struct hg_user_key *key);
uint64_t feed_node_users(struct feed_node *n, unsigned core);
bool feed_node_has(struct feed_node *n, unsigned core, uint16_t node, uint16_t port);
bool feed_node_ready(struct feed_node *n, unsigned core);
bool feed_node_open(struct feed_node *n, unsigned core); /* net_set_ready was called */
bool feed_node_draining(struct feed_node *n, unsigned core);
void feed_node_busy(struct feed_node *n, bool busy); /* what sip_busy says */
unsigned feed_node_images(struct feed_node *n);      /* mapped */
struct route *feed_node_route(struct feed_node *n, unsigned core);
/* What net_service_set was told last; 0 also when sip was told something else. */
/* Connections with ids from 1000 * (core + 1) on, of two addresses in turn, every third in CLOSE-WAIT. */
#define FEED_CONNECTIONS 1000
void feed_node_connections(struct feed_node *n, unsigned core, unsigned connections);
unsigned feed_node_killed(const struct feed_node *n, unsigned core);
unsigned feed_node_service(struct feed_node *n, unsigned core, const struct net_service_address **out);
bool feed_node_peer(struct feed_node *n, unsigned core, const struct hg_ip *ip); /* of net_control_peers */
/* A datagram of another node's control plane came; the last one that was sent (its src is where to). */
void feed_node_receive(struct feed_node *n, unsigned core, const struct hg_endpoint *src, const char *text);
const struct net_control_datagram *feed_node_sent(struct feed_node *n, unsigned core);

#endif
