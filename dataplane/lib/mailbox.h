/* SPDX-License-Identifier: BSD-2-Clause */
/* One ring per ordered pair of cores. A mail carries mbufs and ids, never a pointer into another core's tables.
 * Sending never waits: a full box is the sender's drop, with its own counter. */
#ifndef LIB_MAILBOX_H
#define LIB_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;
struct ctx;

enum mail_kind {
    MAIL_RX_FRAME = 1,  /* a = port: a raw frame that this core should process (software steering, fragments) */
    MAIL_TX_FRAME,      /* a = port: a finished frame for a port on which the sender has no queue */
    MAIL_NEIGHBOUR,     /* a = port: a copy of an ARP/ND frame, to be learned and not answered */
    MAIL_SIP_DATAGRAM,  /* a datagram of the sip room; its struct datagram stands in the mbuf's private area */
    MAIL_HOP_HEALTH,    /* a = hop slot, b = state; no mbuf */
};

struct mail {
    uint8_t kind;
    uint8_t from; /* sending core */
    uint16_t a;
    uint32_t b;
    struct rte_mbuf *m;
};

/* false: the box is full, the caller still owns m and counts the drop. */
bool mail_send(struct ctx *c, unsigned to_core, struct mail mail);

#endif
