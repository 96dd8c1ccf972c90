/* SPDX-License-Identifier: BSD-2-Clause */
/* Heartbeats in flight: a UDP socket on node.address for the management network, the dataplane's datagrams
 * for the service network, and what was heard of each node by each way. Who is told what is the business of
 * the callbacks; here stand authenticity, freshness, round trips and throughput. */
#ifndef CONTROLPLANE_HA_BEATS_H
#define CONTROLPLANE_HA_BEATS_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "counters/own.h"
#include "ha/beat.h"
#include "ha/clock.h"
#include "ha/wan.h"
#include "hg/endpoint.h"

struct beats;

struct beats_events {
    /* An authentic and fresh ASK or ANSWER. sent_ns: when the beat of ours that it answers was sent, 0 =
     * none. An ASK is answered in this call, by beats_answer(), or not at all. */
    void (*heard)(void *arg, const struct beat *beat, uint64_t sent_ns);
    /* That node met this start of ours: what it was asked before, it did not believe. */
    void (*met)(void *arg, uint16_t index);
    /* By the service network; false: it was not taken. */
    bool (*send_service)(void *arg, const struct hg_endpoint *to, const void *data, uint32_t len);
    void *arg;
};

struct beats_options {
    uv_loop_t *loop;
    const char *address; /* ip:port of the management network */
    const char *secret, *cluster;
    struct own_counters *own;
    const struct ha_clock *clock;
    struct beats_events events;
};

/* NULL with a message in why. */
struct beats *beats_create(const struct beats_options *options, char *why, unsigned size);
void beats_close(struct beats *beats);
uint64_t beats_boot(const struct beats *beats);

void beats_self(struct beats *beats, uint16_t index); /* this node's own; 0: not known yet, nothing is sent */
/* Where a node is heard and reached; an endpoint with port 0: not by this way. Index 1 .. HG_NODES_MAX-1. */
void beats_node(struct beats *beats, uint16_t index, const struct hg_endpoint *management,
                const struct hg_endpoint *service);
void beats_forget(struct beats *beats, uint16_t index);

/* An ASK by each way that the node has. Of content, what stands under "what srm.h says" and grants are sent.
 */
void beats_ask(struct beats *beats, uint16_t index, const struct beat *content);
void beats_answer(struct beats *beats, const struct beat *asked, const struct beat *content);
/* A train by the management network, or by the service network. */
void beats_train(struct beats *beats, uint16_t index, enum beat_path path);
/* What the dataplane received on the service port. */
void beats_datagram(struct beats *beats, const void *data, uint32_t len);

struct beats_view {
    uint64_t heard_ns; /* when it was heard last, 0 = never */
    uint64_t rtt_ns;   /* median, 0 = not known */
    uint32_t kbps;     /* median of trains from here to there, 0 = not known */
    uint64_t boot;     /* of its start, 0 = not met yet */
    bool reachable;    /* there is an address */
};
void beats_look(const struct beats *beats, uint16_t index, enum beat_path path, struct beats_view *out);

#endif
