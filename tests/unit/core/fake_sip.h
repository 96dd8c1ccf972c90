/* SPDX-License-Identifier: BSD-2-Clause */
/* A SIP room for tests of the turn: keeps what arrives, sends back what begins with "echo", arms a timer for
 * what begins with "timer". */
#ifndef TEST_FAKE_SIP_H
#define TEST_FAKE_SIP_H

#include <stdint.h>

#define FAKE_KEPT 256

struct fake_sip {
    unsigned datagrams[64]; /* of each core */
    unsigned mailed;        /* with DATAGRAM_HANDED_OVER */
    unsigned timers, houses;
    uint64_t timer_ms;
    uint32_t len[FAKE_KEPT];
    unsigned n;
    int mail_to; /* a core to hand everything to that did not come by mail, -1: none */
};

extern struct fake_sip fake;

#endif
