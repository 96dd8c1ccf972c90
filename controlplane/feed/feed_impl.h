/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to controlplane/feed. */
#ifndef CONTROLPLANE_FEED_FEED_IMPL_H
#define CONTROLPLANE_FEED_FEED_IMPL_H

#include <stdalign.h>

#include "feed/feed.h"
#include "feed/contacts.h"
#include "feed/users.h"
#include "pace.h"

#define SETTINGS_MAX      128
#define SETTING_PATH_MAX  127
#define SETTING_VALUE_MAX 1023
#define IMAGES_KNOWN      64 /* generations whose order is remembered */
#define BEAT_MS           100
#define RETRY_MS          1000
#define ALIVE_MS          2000

/* What else than users a core has to be told; the newest value travels. */
struct others {
    uint64_t nodes;                       /* bit per node */
    uint64_t services;                    /* bit per home node */
    uint64_t settings[SETTINGS_MAX / 64]; /* bit per setting */
    bool image, drain, trace, connections, begin;
};

/* A record that was sent: which queue positions and changes are in force once its seq is applied. */
struct checkpoint {
    uint64_t seq, users, contacts, others;
};

/* The urgent lane of a core (urgent.c). */
struct urgent {
    struct hg_ring down, up;
    bool serving, ping; /* has to be sent: the map; or, where none is known, that the lane begins here */
    uint64_t number;    /* of the last record sent, in this epoch */
    uint64_t serving_seq, serving_sent; /* of the last map: its record, and the change that it carried */
    uint64_t up_seq;                    /* of the last up record taken */
};

enum core_state {
    CORE_SYNC, /* between BEGIN and END */
    CORE_LIVE, /* END was sent */
};

struct feed_core {
    struct hg_ring down, up;
    enum core_state state;
    bool again;   /* it lost its place since the attach */
    bool walking; /* ... and what it has to be told again is being queued */
    struct others others;
    struct urgent urgent;
    uint64_t number;                  /* of the last record sent, in this epoch */
    uint64_t users_end, contacts_end; /* END may follow once the queues have passed these */
    uint64_t end_seq;                 /* of the last END */
    uint64_t others_sent;             /* the change up to which all others were sent */
    uint64_t users_applied, contacts_applied, others_applied; /* in force on the core */
    uint64_t up_seq;                                          /* of the last up record taken */
    uint64_t bad_records;
    uint64_t heartbeat, heartbeat_ms; /* last value seen to move, and when */
    bool told_stuck;
    struct checkpoint *check; /* ring of as many as cells */
    uint64_t check_in, check_out;
};

struct feed_node {
    bool present, self, pair;
    struct hg_endpoint sip;
    char name[HG_NODE_NAME_MAX + 1];
};

struct feed_serving {
    uint64_t epoch;
    uint16_t node[HG_NODES_MAX]; /* by home */
};

struct feed_service {
    uint16_t n;
    struct hg_net net[HG_SERVICE_MAX];
};

struct feed_setting {
    char path[SETTING_PATH_MAX + 1];
    char value[SETTING_VALUE_MAX + 1];
};

struct feed_image {
    uint64_t generation, size, change; /* change 0: none yet */
    char name[64];
};

struct feed {
    struct feed_handlers on;
    void *ctx;
    char node_name[HG_NODE_NAME_MAX + 1];
    uint64_t now_ms;
    /* attachment */
    struct hg_segment segment; /* header 0: none */
    uint64_t attaches, epoch;
    uint64_t looked_ms, tried_ms, beat_ms;
    bool looked;
    char refused[HG_SEGMENT_ERROR]; /* last complaint, told once */
    struct feed_core core[HG_CORES_MAX];
    unsigned first_core; /* of this turn */
    /* what the cores should know */
    struct mirror users;
    struct contacts_mirror contacts;
    bool users_loaded;
    bool serve_always;
    struct feed_serving serving;
    bool serving_known;                        /* until then cores go by the map that they have */
    uint64_t serving_change;                   /* raised with each map */
    struct feed_service service[HG_NODES_MAX]; /* by home */
    uint64_t change;                           /* raised with each change of others */
    struct feed_node node[HG_NODES_MAX];
    unsigned nsettings;
    struct feed_setting *setting[SETTINGS_MAX];
    struct feed_image image;
    struct { /* the order of images, newest last */
        uint64_t generation, change;
    } known[IMAGES_KNOWN];
    unsigned nknown;
    bool drain_known, drain_on;
    uint32_t drain_retry_after_s;
    struct hg_down_trace trace;
    struct hg_down_connections connections;
    alignas(64) char buf[HG_RECORD_MAX];
};

void feed_message(struct feed *feed, enum hg_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* attach.c: looks whether the name means another object; maps, unmaps. */
void feed_look(struct feed *feed);
void feed_detach(struct feed *feed);
/* Everything again for one core, under a new generation. */
void feed_resync(struct feed *feed, unsigned core);

/* The core has the end of its last resynchronisation in force. */
bool feed_core_whole(const struct feed *feed, unsigned core);

/* cluster.c: the lease of a dataplane that was just attached, when it has no end. */
void feed_serve_attached(struct feed *feed);

/* down.c: fills a core's ring until the time is over; true when something was sent. */
bool feed_fill(struct feed *feed, unsigned core, struct pace *pace);
/* Room for the checkpoint of one more record; the record's header; both and the ring. */
bool feed_room(const struct feed *feed, unsigned core);
void feed_number(struct feed *feed, unsigned core, struct hg_record *r, uint16_t type, uint32_t length);
bool feed_put(struct feed *feed, unsigned core, void *record, uint16_t type, uint32_t length);
/* Called once the record is in the ring and the marks of what it carries are cleared. */
void feed_sent(struct feed *feed, unsigned core);
/* down_cluster.c */
bool feed_put_service(struct feed *feed, unsigned core, unsigned home);
bool feed_fill_contacts(struct feed *feed, unsigned core);
/* Moves users_applied and others_applied on. */
void feed_settle(struct feed *feed, unsigned core);

/* urgent.c: both directions of a core's urgent lane; true when there may be more. */
bool feed_urgent_attach(struct feed *feed, unsigned core);
bool feed_urgent_poll(struct feed *feed, unsigned core);
bool feed_serving_in_force(const struct feed *feed, unsigned core, uint64_t change);

/* up.c: drains a core's ring; true when there may be more. */
bool feed_drain_up(struct feed *feed, unsigned core);
/* One record in private memory, its length checked against where it came from; false: refused. */
bool feed_take_up(struct feed *feed, unsigned core, const struct hg_record *r);

#endif
