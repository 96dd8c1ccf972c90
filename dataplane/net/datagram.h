/* SPDX-License-Identifier: BSD-2-Clause */
/* What net/ hands up: a UDP payload, contiguous, with its addresses. Whoever takes it owns the mbuf. */
#ifndef NET_DATAGRAM_H
#define NET_DATAGRAM_H

#include <stdint.h>

#include "hg/endpoint.h"

struct rte_mbuf;

enum datagram_flags {
    /* came by mailbox from the core that received it: guarded and steered already */
    DATAGRAM_HANDED_OVER = 1,
    DATAGRAM_ALLOWED = 2, /* the guard has let it pass, here or on the core that received it */
};

struct datagram {
    struct rte_mbuf *m; /* data_off stands at the payload; at least 128 + 42 bytes of headroom before it */
    const char *data;   /* == rte_pktmbuf_mtod(m, char *) */
    uint32_t len;       /* up to 65507; received ones leave room for the headroom, so up to 65359 */
    uint16_t iface;     /* index of the interface it arrived on */
    uint8_t flags;      /* enum datagram_flags */
    uint8_t ttl;
    struct hg_endpoint src;
    struct hg_endpoint dst; /* the listener's address */
    uint64_t flow;          /* what the protocol above notes of its way; 0 from here */
};

/* The mbuf private area (rte_mbuf_to_priv) is sized to hold a struct datagram, for MAIL_SIP_DATAGRAM. */
#define DATAGRAM_PRIV_SIZE 128
static_assert(sizeof(struct datagram) <= DATAGRAM_PRIV_SIZE, "fits the mbuf's private area");

#endif
