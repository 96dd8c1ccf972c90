/* SPDX-License-Identifier: BSD-2-Clause */
/* The core's end of the rings: applies what the control plane says, in bounded pieces between two bursts, and
 * publishes how far it got. It may be absent, restart or send nonsense: nothing here waits for it. */
#ifndef DATAPLANE_FEED_CORE_FEED_H
#define DATAPLANE_FEED_CORE_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/ctx.h"

struct feed;
struct hg_segment;
struct images;
struct net;
struct route;
struct sip;
struct stream;
struct tcp;

struct feed_setup {
    struct ctx *ctx; /* ctx->log and ctx->config are set */
    const struct hg_segment *segment;
    struct images *images; /* shared by all cores */
    struct net *net;
    struct route *route;
    struct sip *sip;
    struct tcp *tcp;
    struct stream *stream;
};

/* Before the loop; 0 with a message on stderr. Listeners stay closed until the first resynchronisation is
 * whole. */
struct feed *feed_init(const struct feed_setup *setup);
void feed_close(struct feed *feed);

/* One stage of the turn: at most 8 records, or 2 when the turn is loaded, or one step of a sweep. Returns
 * how much was done: while it is more than 0 there may be more, so the core should not nap. */
unsigned feed_turn(struct feed *feed, bool loaded);

/* Tables are whole, an image is in force, listeners are open. */
bool feed_ready(const struct feed *feed);

#endif
