/* SPDX-License-Identifier: BSD-2-Clause */
/* The route room of one core: user table, static routes, access lists, next-hop health. Lookup never waits.
 */
#ifndef ROUTE_ROUTE_H
#define ROUTE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "hg/limits.h"
#include "hg/slice.h"
#include "hg/user_key.h"
#include "lib/ctx.h"

struct route;
struct route_target;
struct route_targets;
struct hg_config;
struct hg_image;

/* Off the hot path, before the loop: one per core. config gives the sizes; ctx->config is read for what a
 * reload may change. NULL with a message on stderr when memory is short. */
struct route *route_create(struct ctx *ctx, const struct hg_config *config,
                           const struct hg_hash_secret *secret);
void route_destroy(struct route *r);
/* What hg_user_key needs to find an entry of this table. */
const struct hg_hash_secret *route_user_secret(const struct route *r);

/* ---- users: 128-bit key -> node ---- */
/* Call for a whole burst first, look up afterwards: the table does not sit in cache. */
void route_user_prefetch(const struct route *r, const struct hg_user_key *key);
/* Index of the node that serves the user (1 .. HG_NODES_MAX-1), 0 when nobody does. */
uint16_t route_user_find(struct route *r, const struct hg_user_key *key);
/* cluster.domain, its aliases, the SRV cluster name; any case, one trailing dot allowed. Not addresses. */
bool route_is_local_domain(struct route *r, struct slice host);
/* Endpoint of a node's SIP service; false when the node has none. self is true for this very node. */
bool route_node(const struct route *r, uint16_t node, struct hg_endpoint *out, bool *self);

/* Index of this node, 0 when nobody has told yet. */
uint16_t route_self(const struct route *r);
/* It is the other node of our pair, with high availability (H02). */
bool route_node_pair(const struct route *r, uint16_t node);
/* The address of some node of the cluster. */
bool route_is_node(const struct route *r, const struct hg_ip *ip);

/* ---- home -> serving node, contacts, service addresses ---- */
/* Home of a user (0: nobody knows him), who serves it (0: nobody), and whether that is this node. */
struct route_serves {
    uint16_t home, serving;
    bool self;
};
struct route_serves route_user_serves(struct route *r, const struct hg_user_key *key);
/* Who serves the users of that home; 0: nobody. */
uint16_t route_serving(const struct route *r, uint16_t home);
uint64_t route_serving_epoch(const struct route *r);
/* The contacts of a user, targets of one q in one set, highest first; those without a transport are left out.
 * Returns how many contacts there are, whatever their transport. */
unsigned route_contacts(struct route *r, const struct hg_user_key *key, struct route_targets *out);
/* The URI of such a target, len 0 when the contact has gone since. Valid until the next turn. */
struct slice route_contact_uri(const struct route *r, const struct hg_user_key *key,
                               const struct route_target *t);
/* Service addresses of the cluster, and whether this node serves the home that each belongs to. */
struct route_service_address {
    struct hg_net net;
    bool held;
};
#define ROUTE_SERVICE_MAX 64
unsigned route_service_addresses(const struct route *r, struct route_service_address *out);

/* ---- static routes ---- */
enum route_verdict {
    ROUTE_FOUND,          /* n targets */
    ROUTE_NONE,           /* no pattern matches */
    ROUTE_BLOCKED,        /* L20: refuse */
    ROUTE_OUT_OF_SERVICE, /* L19: patterns match, every route is out of service */
    ROUTE_NO_TRANSPORT,   /* only TCP or TLS routes match */
    ROUTE_ALL_DOWN,       /* every next hop is marked down by probes */
};

struct route_target {
    struct hg_endpoint ep;
    uint32_t route_slot; /* index of ctx->route_stats */
    uint16_t hop_slot;   /* index of ctx->hop_stats */
    uint8_t set;         /* targets of one set are tried in parallel, sets one after the other */
    bool stateful;       /* RFC 3261 section 16 stateful, or stateless (only the first target counts) */
    uint8_t hop;         /* another node of the cluster: the how manieth hop between nodes this is; else 0 */
    uint8_t nth;         /* contact of the user */
    uint32_t contact;    /* generation of his contacts; 0: the target is no contact */
};

struct route_targets {
    uint16_t n;
    struct route_target t[HG_TARGETS_MAX];
};

/* Call for a whole burst first, find afterwards. */
void route_static_prefetch(const struct route *r, struct slice user);
/* Fills the ordered list of what to try: most specific pattern first, then by priority, then by weight (drawn
 * with draw, so that a retransmission of a stateless request, hashed by Call-ID, goes the same way), then
 * less specific patterns where allowed. The result is a copy: it outlives any swap of the tables. user:
 * unescaped user part, may be empty; host: host of the R-URI in any case, without port, IPv6 without
 * brackets. Routes of type user apply only where host is a local domain or an address of a listener (decision
 * 0004). A stateless first target comes alone. */
enum route_verdict route_static_find(struct route *r, struct slice user, struct slice host, uint32_t draw,
                                     struct route_targets *out);

/* ---- next hops ---- */
enum hop_state { HOP_UNKNOWN, HOP_UP, HOP_DOWN };
/* The protocol tells what it saw; thresholds (configured) decide. Sends to the other cores by itself. */
void route_hop_answered(struct route *r, uint16_t hop_slot, bool probe);
void route_hop_failed(struct route *r, uint16_t hop_slot, bool probe);
enum hop_state route_hop_state(const struct route *r, uint16_t hop_slot);
/* The next hops that this core has to probe now: the protocol sends OPTIONS to each and counts their
 * requests; probes, probes_failed and state of ctx->hop_stats are written by this room. Returns how many.
 * Call it in every housekeeping: it also gives hops another chance when probing is off. */
unsigned route_probes_due(struct route *r, struct route_target *out, unsigned max);
/* MAIL_HOP_HEALTH arrived. */
void route_hop_mail(struct route *r, uint16_t hop_slot, uint32_t what);
/* State changes that this core decided as the owner of a hop, newest state only; whoever drains them logs and
 * tells the control plane (HG_UP_HOP_STATE). Returns how many. */
struct route_event {
    struct hg_endpoint ep;
    uint16_t hop_slot;
    uint8_t state;    /* enum hop_state */
    uint8_t failures; /* in a row: probes, and calls that nobody answered or that got 503 */
    uint8_t probes;   /* so many of them */
};
unsigned route_take_events(struct route *r, struct route_event *out, unsigned max);

/* ---- access lists (K11), closed by default ---- */
enum route_access {
    ACCESS_DENIED,
    ACCESS_NETWORK,   /* configured network: shared bucket per source address */
    ACCESS_NEIGHBOUR, /* configured neighbour or next hop: exempt, or its own bucket */
};
#define ROUTE_ACCESS_NODE 0xffff /* index of every node of the cluster */
/* index: dense number of the neighbour or network that matched, for its counters and bucket. Numbers of
 * neighbours and of networks are apart, and change only with a swap of the image. */
enum route_access route_access(const struct route *r, const struct hg_ip *src, uint16_t *index);
/* The neighbour's own bucket; false: it is exempt. id is its own, whatever number an image gives it. */
bool route_neighbour_limit(const struct route *r, uint16_t index, uint32_t *rate, uint32_t *burst,
                           uint32_t *id);
/* Name of a configured neighbour, node or next hop -> its address as resolved by the control plane; an
 * address stands for itself only when it is one of theirs. port 0: the configured one, else 5060. */
bool route_host_find(const struct route *r, struct slice host, uint16_t port, struct hg_endpoint *out);

/* ---- the compiled image ---- */
/* Between two bursts. image was checked (hg_image_check) and stays mapped until the next swap; NULL: none.
 * Returns the image that was in force, NULL when there was none. */
const struct hg_image *route_image_set(struct route *r, const struct hg_image *image);
uint64_t route_image_generation(const struct route *r);

#endif
