/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to this room. */
#ifndef DATAPLANE_FEED_CORE_FEED_IMPL_H
#define DATAPLANE_FEED_CORE_FEED_IMPL_H

#include <stdalign.h>

#include "feed/core_feed.h"
#include "hg/config.h"
#include "hg/records.h"
#include "feed/images.h"
#include "impl/segment.h"
#include "lib/log_text.h"
#include "route/route.h"
#include "tcp/tcp.h"

#define SETTING_PATH_MAX  127
#define SETTING_VALUE_MAX 1023
#define EVENTS_MAX        32

enum feed_state {
    FEED_RUN,
    FEED_WAIT_IMAGE, /* the main thread maps an image; what follows in the ring waits for it */
    FEED_SWEEP,      /* entries that the last resynchronisation did not mention go, some each turn */
};

/* What the control plane has to be told once the up ring takes it. */
enum feed_news { NEWS_RESYNC = 1, NEWS_READY = 2, NEWS_DRAINED = 4 };

struct feed_urgent {
    struct hg_ring down, up;
    uint64_t epoch, number; /* of the last record taken */
    uint64_t up_number;     /* of the last one sent */
    bool lost;              /* records are missing: nothing counts as applied before the next map */
};

struct feed_connections { /* a question of the control plane (connections.c) */
    struct hg_down_connections ask;
    uint32_t at, found;
    bool waiting; /* the page is full, and not yet told */
    alignas(
        8) char page[sizeof(struct hg_up_connections) + HG_CONNECTIONS_PAGE * sizeof(struct hg_connection)];
};

struct feed {
    struct feed_setup setup;
    struct hg_core_area *area;
    struct hg_ring ring;
    struct feed_urgent urgent;
    enum feed_state state;
    unsigned news;          /* enum feed_news */
    uint64_t epoch, number; /* of the last record taken */
    uint64_t published;     /* applied_seq */
    uint64_t records;       /* since the last BEGIN */
    bool lost;              /* waits for a BEGIN */
    uint64_t asked_ms;      /* when it asked for one */
    bool whole;             /* some resynchronisation is complete and swept */
    bool ready, draining, drained;
    struct hg_down_image wanted;
    unsigned nevents, turn;
    struct route_event event[EVENTS_MAX]; /* hop states that the ring has not taken yet */
    struct feed_connections connections;
    struct hg_config snapshot[2]; /* the core's configuration after settings came */
    alignas(64) char buf[HG_RECORD_MAX];
};

/* One record that stands in private memory, its length checked against where it came from. */
void feed_take(struct feed *feed, const struct hg_record *r);
/* tell.c: news up; opens the listeners once everything is there. */
unsigned feed_tell(struct feed *feed);
void feed_ask(struct feed *feed); /* for a resynchronisation */
void feed_open(struct feed *feed);
/* urgent.c: the lane of what must not wait behind tables, images and sweeps */
bool feed_urgent_open(struct feed_urgent *urgent, const struct hg_segment_core *core);
unsigned feed_urgent_turn(struct feed *feed);
unsigned feed_tell_datagrams(struct feed *feed); /* what came for the control plane goes up */
/* connections.c */
bool feed_take_connections(struct feed *feed, const struct hg_record *r);
unsigned feed_tell_connections(struct feed *feed);
/* cluster.c */
bool feed_take_node(struct feed *feed, const struct hg_record *r);
bool feed_take_serving(struct feed *feed, const struct hg_record *r);
bool feed_take_service(struct feed *feed, const struct hg_record *r);
bool feed_take_datagram(struct feed *feed, const struct hg_record *r);
/* Nodes, serving map or service addresses are others now: the rooms below are told. */
void feed_cluster_changed(struct feed *feed);

#endif
