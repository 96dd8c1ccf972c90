/* SPDX-License-Identifier: BSD-2-Clause */
/* One ring per ordered pair of cores. A mail carries mbufs and ids, never a pointer into another core's
 * tables. Sending never waits: a full box is the sender's drop, with its own counter. A sender's credit is
 * its ring. */
#ifndef LIB_MAILBOX_H
#define LIB_MAILBOX_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hg/limits.h"

struct rte_mbuf;
struct rte_ring;
struct ctx;

enum mail_kind {
    MAIL_RX_FRAME = 1, /* a = port: a raw frame that this core should process (software steering, fragments);
                        * b = bytes from the mbuf to the frame, to prefetch it by */
    MAIL_TX_FRAME,     /* a = port: a finished frame for a port on which the sender has no queue */
    MAIL_NEIGHBOUR,    /* a = port: a copy of an ARP/ND frame, to be learned and not answered */
    MAIL_SIP_DATAGRAM, /* a datagram of the sip room; its struct datagram stands in the mbuf's private area */
    MAIL_SIP_SEND,     /* a message for a connection of that core; the way stands in the private area */
    MAIL_HOP_HEALTH,   /* a = hop slot, b = state; no mbuf */
    MAIL_RX_SPRAYED,   /* like MAIL_RX_FRAME, of a hot flow: the sender's guard has let the source pass */
    MAIL_TCP_SEGMENT,  /* a segment that came in fragments; its struct segment stands in the private area */
    MAIL_TCP_NEWS,     /* an ICMP error about TCP; struct net_icmp_news in the private area, no data */
};

struct mail {
    uint8_t kind;
    uint8_t from; /* sending core; filled by mail_send */
    uint16_t a;
    uint32_t b;
    struct rte_mbuf *m;
};
static_assert(sizeof(struct mail) == 16, "ring element");

/* What a core lets all others know of itself; a line of its own, written by it once a millisecond. */
struct mail_board {
    alignas(64) atomic_uint load; /* permille of its time that was work; above 1000 it is behind */
};

/* The boxes that one core writes to: struct ctx points here. to[self] exists too. */
struct mail_out {
    uint16_t self;
    uint16_t cores;
    struct mail_board *board; /* [cores] */
    struct rte_ring *to[HG_CORES_MAX];
};

/* The boxes that one core reads. */
struct mail_in {
    uint16_t cores;
    uint16_t first; /* whose turn it is to be read first */
    struct rte_ring *from[HG_CORES_MAX];
};

/* Every ring of a dataplane in one piece of memory. */
struct mail_office {
    uint16_t cores;
    uint32_t depth; /* mails of each ring, rounded up to a power of two less one */
    void *memory;
    uint64_t size, ring_size;
    struct mail_board *board; /* [cores], in front of the rings */
};

/* Off the hot path. false: no memory. */
bool mail_office_open(struct mail_office *o, unsigned cores, unsigned depth);
void mail_office_close(struct mail_office *o); /* frees the mbufs of mails that nobody took */
void mail_office_bind(const struct mail_office *o, unsigned core, struct mail_out *out, struct mail_in *in);

/* false: the box is full, the caller still owns m and counts the drop. */
bool mail_send(struct ctx *c, unsigned to_core, struct mail mail);
/* Returns how many went, the first ones; the rest are still the caller's. */
unsigned mail_send_burst(struct ctx *c, unsigned to_core, struct mail *mail, unsigned n);
/* Takes up to max mails, fairly from all senders. Returns how many. */
unsigned mail_take(struct mail_in *in, struct mail *out, unsigned max);
/* Mails waiting in all boxes of this core. */
unsigned mail_depth(const struct mail_in *in);

#endif
