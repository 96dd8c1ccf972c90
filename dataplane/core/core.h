/* SPDX-License-Identifier: BSD-2-Clause */
/* One core: everything that one worker owns, and the turn that moves it. */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/load.h"
#include "core/port.h"
#include "core/queue.h"
#include "core/share.h"
#include "core/steer.h"
#include "hg/limits.h"
#include "lib/ahead.h"
#include "lib/ctx.h"
#include "lib/mailbox.h"
#include "lib/wheel.h"

struct feed;
struct net;
struct route;
struct sip;
struct stream;
struct tcp;
struct tls;

#define CORE_BURST   QUEUE_BURST
#define CORE_POLL    (2 * CORE_BURST) /* asked of a port while frames of a hot flow are given away */
#define CORE_FLOWS   256
#define CORE_HOT_MS  8  /* that a flow is taken for hot */
#define CORE_HEADERS 42 /* in front of a datagram, as a rule */

struct hot_flow { /* how much of one flow came, by windows of a few milliseconds */
    uint64_t window;
    uint32_t now, before;
};

struct core_port {
    uint16_t id;      /* of the ethdev */
    bool rx, tx;      /* whether the core has a queue pair's end on it, always of its own number */
    bool steer;       /* flows have to be steered by software */
    bool prepare;     /* offloads need rte_eth_tx_prepare */
    uint16_t tx_core; /* who sends for this core, when it has no tx queue */
    bool up;          /* as the rooms were told */
    bool full;        /* the last poll gave all that was asked for */
    uint64_t no_mbuf; /* as last seen by the first core */
    unsigned polled;
    struct rte_mbuf *poll[CORE_POLL];
    struct frame_queue queue;           /* of what arrived here */
    struct frame_queue mailed, sprayed; /* of what other cores sent; of the latter the guard is satisfied */
};

struct core {
    struct ctx ctx;
    struct clock clock;
    struct net *net;
    struct tcp *tcp;
    struct tls *tls; /* NULL in the test harness */
    struct stream *stream;
    struct route *route;
    struct sip *sip;
    struct feed *feed; /* NULL in the test harness */
    struct hg_core_area *area;
    struct mail_in mail_in;
    struct mail_out mail_out;
    uint16_t nports;
    bool sample;    /* this turn measures its stages */
    bool loaded;    /* the last rx burst was full: less feed, no nap */
    bool mail_full; /* ... and the same of the mail */
    uint64_t turns;
    uint64_t busy_since; /* TSC at the start of the last turn if that one found work, else 0 */
    uint32_t idle;       /* turns without work in a row */
    struct core_port port[HG_PORTS_MAX];
    struct ports *ports; /* shared: link states, written by the main thread */
    atomic_bool *stop;   /* shared: set by the main thread */
    uint64_t hot_ms;     /* when a frame of a hot flow was last seen */
    uint32_t hot_at;     /* bytes before the Call-ID in datagrams of hot flows, of the shorter ones */
    struct load load;
    struct steer_flow last_flow; /* that was seen */
    uint64_t balanced_ms;        /* when share was last looked at */
    struct ahead ahead;
    struct wheel wheel;
    struct share share; /* of the hot flows that arrive here */
    struct hot_flow flow[CORE_FLOWS];
};

static inline bool core_is_hot(const struct core *core)
{
    return core->hot_ms + CORE_HOT_MS > core->ctx.ms;
}

/* Runs one turn; returns how many things it did. */
unsigned core_turn(struct core *core);
/* The worker: turns until *stop. */
void core_loop(struct core *core);
/* Sleeps for a moment after many idle turns, as far as the configuration allows it. */
void core_nap(struct core *core, unsigned work);
/* Every 256 turns: gauges, heartbeat, link news, the protocols' own housekeeping. */
void core_house(struct core *core);

#endif
