/* SPDX-License-Identifier: BSD-2-Clause */
/* The control plane's end of the rings. The feed keeps a mirror of what the cores should know; a change marks
 * it dirty for each core and travels when there is room, the newest value only. A dataplane that starts, or a
 * core that lost its place, gets everything again (a resynchronisation with a generation of its own). It
 * never waits.
 *
 * A new dataplane hashes users with a secret of its own, so the mirror of users is emptied at each attach:
 *   on_attached(secret)  ->  feed_user_set() for every user, feed_contacts_set() for those with contacts,
 * over as many turns of the loop as it takes
 *                        ->  feed_users_loaded()
 * The resynchronisation ends, and cores drop what it did not mention, only after feed_users_loaded() and once
 * an image was given by feed_image_set(). Until then a running dataplane keeps the users that it had. Nodes,
 * the serving map, service addresses, image, settings and drain are kept by the feed over attaches. */
#ifndef CONTROLPLANE_FEED_FEED_H
#define CONTROLPLANE_FEED_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "hg/endpoint.h"
#include "hg/log.h"
#include "hg/records.h"
#include "hg/slice.h"
#include "hg/user_key.h"
#include "impl/segment.h"

struct feed;

struct feed_log {
    unsigned core;
    uint64_t tsc;
    enum hg_log_id id;
    uint32_t suppressed;
    unsigned nargs;
    struct slice arg[HG_LOG_ARGS_MAX]; /* printable bytes */
};

/* Called from feed_poll() with ctx; any may be 0. Slices and records are valid during the call only. Do not
 * destroy the feed in one. */
struct feed_handlers {
    /* a dataplane's segment is mapped; users must be set again under this secret (segment->header->secret) */
    void (*on_attached)(void *ctx, const struct hg_segment *segment);
    /* the segment that feed_segment() gave is about to be unmapped: forget every pointer into it */
    void (*on_detached)(void *ctx);
    void (*on_ready)(void *ctx, unsigned core);   /* its tables are whole, its listeners open */
    void (*on_drained)(void *ctx, unsigned core); /* draining, and no transaction is left */
    void (*on_log)(void *ctx, const struct feed_log *log);
    void (*on_hop_state)(void *ctx, unsigned core, uint16_t hop_slot, uint8_t state,
                         const struct hg_endpoint *ep);
    void (*on_trace)(void *ctx, unsigned core, const struct hg_up_trace *trace, struct slice message);
    void (*on_connections)(void *ctx, unsigned core, const struct hg_up_connections *page);
    /* from the address of a node, over the service network; authenticate it */
    void (*on_datagram)(void *ctx, const struct hg_endpoint *src, uint64_t tsc, const void *data,
                        uint32_t length);
    /* for the journal of the control plane itself: attach refused, core stuck, ... */
    void (*on_message)(void *ctx, enum hg_log_level level, const char *text);
};

/* node: name of this node. 0: no memory. Nothing is attached before the first feed_poll(). */
struct feed *feed_create(const char *node, const struct feed_handlers *handlers, void *ctx);
void feed_destroy(struct feed *feed);

/* Bounded work: looks for a new dataplane (ten times a second), fills the down rings, drains the up rings,
 * beats. now_ms: uv_now(). Call it every 10 ms or oftener, and again at once (an idle handle) while it
 * returns true. */
bool feed_poll(struct feed *feed, uint64_t now_ms);

/* ---- what the cores should know ---- */
/* false: no memory. node 1 .. HG_NODES_MAX-1. Setting what is already so costs nothing on the rings. */
bool feed_user_set(struct feed *feed, const struct hg_user_key *key, uint16_t node);
void feed_user_remove(struct feed *feed, const struct hg_user_key *key);
/* Node of a user as told to the cores, 0 = none. */
uint16_t feed_user_find(const struct feed *feed, const struct hg_user_key *key);
uint64_t feed_user_count(const struct feed *feed);
/* Every user was set since on_attached. */
void feed_users_loaded(struct feed *feed);

/* sip == 0 removes the node. false: index out of range or name too long. */
bool feed_node_set(struct feed *feed, uint16_t node, const char *name, const struct hg_endpoint *sip,
                   bool self);
/* A node that is set: whether it and this one are a pair with high availability (H01 to H03). */
bool feed_node_pair(struct feed *feed, uint16_t node, bool pair);

/* ---- the cluster ---- */
/* Who serves the users of each home: serving[home], 0 = nobody (they get 503); [0] is not looked at. The
 * whole map comes into force at once in each core. Until the first call every node serves its own users. */
bool feed_serving_set(struct feed *feed, const uint16_t serving[HG_NODES_MAX], uint64_t epoch);
/* The contacts of a user, as hg_contact_put() made them (highest q first), n = 0: none any more. Like users
 * they are hashed anew for each dataplane: set all of them between on_attached and feed_users_loaded().
 * false: malformed, or no memory. */
bool feed_contacts_set(struct feed *feed, const struct hg_user_key *key, const void *contacts,
                       uint32_t length, unsigned n);
void feed_contacts_remove(struct feed *feed, const struct hg_user_key *key);
uint64_t feed_contacts_count(const struct feed *feed); /* users with contacts */
/* The addresses under which the users of a home node know it, each with the prefix of its network. This node
 * holds them while it serves that home and its lease lasts. Kept over attaches. n = 0: none. */
bool feed_service_addresses(struct feed *feed, uint16_t home, const struct hg_net *net, unsigned n);
/* Over the service network, from core 0; at once or never: false when there is no room, no dataplane yet, or
 * the length is above HG_DATAGRAM_MAX. Like the map it travels on a lane of its own, in front of all tables.
 */
bool feed_datagram_send(struct feed *feed, const struct hg_endpoint *dst, const void *data, uint32_t length);
/* For who has no high availability: every dataplane that is attached gets serve_until without an end, as long
 * as this is on. Whoever writes the lease himself (on_attached tells the segment) turns it off first. */
void feed_serve_always(struct feed *feed, bool on);
/* There is a segment that cannot be attached (of another build, say): its dataplane may act for whatever it
 * was told before. */
bool feed_unseen(const struct feed *feed);

/* The compiled image in a POSIX shared-memory object: keep it there until feed_image_served() says so. Each
 * image has another generation, above 0. */
bool feed_image_set(struct feed *feed, uint64_t generation, uint64_t size, const char *name);
/* No core still has to map an image older than this generation (its name may be unlinked). */
bool feed_image_served(const struct feed *feed, uint64_t generation);
/* A reloadable item by path and text. false: too long or too many. Kept and repeated to later dataplanes. */
bool feed_setting(struct feed *feed, const char *path, const char *value);
bool feed_drain(struct feed *feed, bool on, uint32_t retry_after_s);
/* filter->on == 0 stops. The record header is filled here. Not repeated to later dataplanes. */
bool feed_trace(struct feed *feed, const struct hg_down_trace *filter);

/* Asks every core which connections it has that match, or has them ended; the answers come to on_connections,
 * those of one id. The record header is filled here. Not repeated to later dataplanes. */
bool feed_connections(struct feed *feed, const struct hg_down_connections *ask);

/* ---- when is it in force ---- */
struct feed_token {
    uint64_t attach; /* during which attach */
    uint64_t users[HG_CORES_MAX], contacts[HG_CORES_MAX];
    uint64_t others, serving;
    uint64_t image; /* which image must be in force, 0 = any */
};
enum feed_progress {
    FEED_APPLIED, /* every core passed what was set before the mark */
    FEED_PENDING,
    FEED_REFUSED, /* every core passed it, but some core refused the image: see its log */
    FEED_LOST, /* another dataplane attached meanwhile: mark again, its resynchronisation carries the change
                */
};
/* What was set until now. Pending without a dataplane, and while cores are resynchronised; but on a dataplane
 * that serves already, commands do not wait for feed_users_loaded(). */
void feed_mark(const struct feed *feed, struct feed_token *token);
enum feed_progress feed_applied(const struct feed *feed, const struct feed_token *token,
                                unsigned *lagging_core);
/* The same for the serving map alone, which waits neither for tables nor for a resynchronisation. */
struct feed_serving_token {
    uint64_t attach, change;
};
void feed_serving_mark(const struct feed *feed, struct feed_serving_token *token);
enum feed_progress feed_serving_applied(const struct feed *feed, const struct feed_serving_token *token);

/* ---- what is known of the dataplane ---- */
/* 0 while none is attached. Valid until on_detached. */
const struct hg_segment *feed_segment(const struct feed *feed);
bool feed_dp_ready(const struct feed *feed); /* attached, alive and every core has its listeners open */

struct feed_core_status {
    bool alive; /* the process lives and the heartbeat moved within the last two seconds */
    uint64_t heartbeat_age_ms;
    uint64_t applied_seq, sent_seq;
    uint64_t applied_generation, image_generation;
    uint32_t down_cells, up_cells, ring_cells; /* in use, and all */
    uint64_t dirty;                            /* changes that wait for room */
    bool resyncing;
    uint64_t bad_records; /* up records refused here */
};
bool feed_core_status(const struct feed *feed, unsigned core, struct feed_core_status *out);

#endif
