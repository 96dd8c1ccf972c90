/* SPDX-License-Identifier: BSD-2-Clause */
/* All that the control plane holds. One loop, one thread, no globals: every room gets what it needs from
 * here. */
#ifndef CONTROLPLANE_CONTROLPLANE_H
#define CONTROLPLANE_CONTROLPLANE_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "node/applied.h"
#include "assign/contact.h"
#include "assign/users.h"
#include "counters/own.h"
#include "hg/config.h"
#include "life/loop_time.h"
#include "log/alarms.h"
#include "log/log.h"
#include "store/version.h"
#include "topology/rules.h"

struct admin;
struct event_stream;
struct ha;
struct dns;
struct export;
struct feed;
struct http;
struct push_contacts;
struct record;
struct redis;
struct route_book;
struct sentinels;
struct route_push;
struct settings;
struct topology_pending;
struct users;

struct push_users { /* of push/users.c */
    bool fresh;     /* the walk is the first for this dataplane: nothing has to be taken back */
    bool walking;   /* names still have to be hashed for this dataplane */
    bool told;      /* feed_users_loaded was called */
    bool served;    /* the dataplane had its tables already */
    uint64_t begun_ms;
    uint32_t last_len;
    char last[USERS_NAME_MAX]; /* hashed last */
};

struct homes {                /* of node/nodes.c: homes of users -> nodes */
    uint64_t topology, names; /* generations that node[] was made from */
    uint16_t node[HG_NODES_MAX];
    bool dirty;
    bool whole;                  /* every node of the record is known: the cores may be told of them */
    uint16_t told[HG_NODES_MAX]; /* what the cores' tables were made from */
    bool here[HG_NODES_MAX];
};

struct controlplane {
    uv_loop_t loop;
    const char *config_file;
    struct hg_config *config;
    struct log log;
    struct alarms alarms;
    uint64_t started_ms; /* uv_now */
    bool stopping;
    int claim; /* of the node's name; -1: not ours */

    struct dns *dns;
    struct record *record;       /* routes and users in Redis */
    struct sentinels *sentinels; /* NULL where node.redis.host names the server */
    struct redis *exports;       /* a connection of its own: counters never stand before a change */
    struct export *export;
    struct http *http; /* Prometheus */
    struct own_counters own;
    struct loop_time loop_time;
    struct event_stream *event_stream;
    struct ha *ha;
    struct feed *feed;
    struct users *users;
    struct push_users push_users;
    struct route_book *routes;     /* the administrator's; those of the file are in config */
    struct route_push *route_push; /* resolving and compiling both */
    struct admin *admin;

    uv_timer_t turn; /* drives the feed */
    uv_idle_t busy;  /* ... again at once while it has work */
    uv_timer_t second;
    uv_signal_t sigterm, sigint, sighup;
    uint16_t self; /* index of this node */

    struct topology topology;               /* as the record has it */
    struct record_version topology_version; /* of its revision */
    uint64_t topology_revision;
    struct homes homes;
    uint8_t resolves[HG_NODES_MAX]; /* enum rule_resolves, by index of the node */
    struct push_contacts *push_contacts;
    struct topology_pending *topology_pending; /* changes that are under way */
    bool joined, joining;                      /* of node/join.c */
    uint32_t files_read, files_joining, files_seeded;
    uint64_t join_at;
    /* set by high availability: states, who serves whom, who is down */
    void (*facts_of_ha)(struct controlplane *cp, struct rules_facts *facts);
    struct settings *settings; /* cluster{} items of the record */

    /* of push/record.c: taking out what the record does not have, writing back a lost one */
    bool sweep;
    uint32_t sweep_last_len, give_last_len, record_bad;
    char sweep_last[USERS_NAME_MAX], give_last[USERS_NAME_MAX];
    char *give_text;
    char give_user[USER_VALUE_MAX];

    uint64_t busy_ms, busy_cycles[HG_CORES_MAX];
    double busy_share[HG_CORES_MAX]; /* of the cycles of the last second */
    double load;                     /* the same over all cores, smoothed over a minute */
    uint8_t load_percent;
    struct applied applied;
    bool draining, drain_said; /* said: by an administrator of this run */
    uint32_t retry_after_s;
};

#endif
