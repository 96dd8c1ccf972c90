/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of the route room of one core. Private to dataplane/route. */
#ifndef ROUTE_STATE_H
#define ROUTE_STATE_H

#include "hg/route_image.h"
#include "route/contact_table.h"
#include "route/route.h"
#include "route/user_table.h"

struct route_node {
    struct hg_endpoint sip;
    bool present, self, pair;
    uint32_t round; /* of the table's resynchronisation that mentioned it last */
};

struct route_hop {
    uint8_t state;    /* enum hop_state */
    uint8_t failures; /* in a row, owner only */
    uint8_t probes;   /* so many of them */
    uint8_t answers;  /* in a row, owner only */
    bool event;       /* stands in events */
    bool doubted;     /* not the owner: failed since it was last told of an answer */
    uint32_t serial;  /* of the image's hop that this state belongs to */
    uint64_t due_ms;  /* owner only: next probe, or the next chance of a hop that is not probed */
};

struct route_service {
    uint32_t round; /* as of a node */
    uint16_t n;
    struct hg_net net[HG_SERVICE_MAX];
};

#define MATCH_MAX 64 /* patterns considered for one request */

/* The host asked about last, with what the image says of it: most requests of a burst name the same. */
struct route_host {
    uint32_t len;    /* of raw, 0 = nothing remembered */
    bool local;      /* one of our domains */
    bool ours;       /* that, or the address of a listener */
    uint16_t groups; /* of the domain patterns that match, most specific first */
    char raw[64];    /* as it was asked about */
    uint32_t group[MATCH_MAX];
};

struct route {
    struct ctx *ctx;
    const struct hg_image *image;
    struct user_table users;
    struct contact_table contacts;
    struct route_host host;
    struct hg_hash_secret secret;
    uint32_t route_slots; /* of ctx->route_stats */
    uint32_t nlocal;      /* addresses of the listeners */
    uint32_t nservice;    /* ... and service addresses behind them */
    struct hg_ip local[HG_LISTENERS_MAX + ROUTE_SERVICE_MAX];
    uint16_t highest_node;
    bool resync; /* begun and not ended */
    bool sweeping;
    uint64_t generation_next, generation; /* of resynchronisations: under way, whole */
    uint16_t self;                        /* 0 = not told yet */
    uint16_t serving[HG_NODES_MAX];       /* by home; [0] is 0 */
    struct route_node nodes[HG_NODES_MAX];
    uint64_t serving_epoch;
    struct route_service service[HG_NODES_MAX]; /* by home */
    /* health */
    uint32_t nhops;
    uint32_t probe_at; /* next slot that route_probes_due looks at */
    uint32_t ndown;
    uint32_t nevents;
    uint16_t events[HG_HOP_SLOTS];
    struct route_hop hops[HG_HOP_SLOTS];
};

/* host made ready for the look-ups in r->image, which there must be. */
const struct route_host *route_host_ready(struct route *r, struct slice host);
/* Service addresses that a resynchronisation did not mention go. */
void cluster_sweep(struct route *r);
void health_image(struct route *r, const struct hg_image *image);
/* Groups of the domain patterns that match, most specific first. */
unsigned image_match_host(const struct hg_image *image, const struct hg_image_text *host, uint32_t *groups);
/* With those of the user patterns in front; user NULL: none. */
unsigned image_match(const struct hg_image *image, const struct hg_image_text *user,
                     const struct route_host *host, uint32_t *groups);

#endif
