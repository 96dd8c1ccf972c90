/* SPDX-License-Identifier: BSD-2-Clause */
/* What the way to another node is worth (I01, I02, I15): round trip from answered heartbeats, throughput from
 * the dispersion of small trains of datagrams. Medians, so that one odd sample raises no alarm. Pure. */
#ifndef CONTROLPLANE_HA_WAN_H
#define CONTROLPLANE_HA_WAN_H

#include <stdbool.h>
#include <stdint.h>

#define WAN_RTTS    15 /* samples of a median */
#define WAN_RATES   5
#define WAN_TRAIN   16        /* datagrams of a train: 24 ms of the least bandwidth that is asked for */
#define WAN_LEAST   8         /* of them that must come */
#define WAN_FASTEST 10000000u /* kbit/s that are told at most: what a train of this length can tell apart */

struct wan {
    uint64_t rtt[WAN_RTTS];   /* ns */
    uint32_t rate[WAN_RATES]; /* kbit/s */
    unsigned rtts, rates;     /* ever taken */
    /* the train that is arriving */
    uint32_t train, index;
    unsigned got;
    uint64_t first_ns, last_ns;
    uint32_t bytes; /* of all but the first */
};

void wan_rtt(struct wan *w, uint64_t ns);
void wan_rate(struct wan *w, uint32_t kbps);
uint64_t wan_rtt_median(const struct wan *w);  /* ns, 0 = not known yet */
uint32_t wan_rate_median(const struct wan *w); /* kbit/s, 0 = not known yet */

/* One datagram of a train; bytes with all headers; at: when the kernel had it. Returns kbit/s once the train
 * is as complete as it can be (its last datagram came), 0 before and when too few came. */
uint32_t wan_arrived(struct wan *w, uint32_t train, uint32_t index, uint32_t bytes, uint64_t at_ns);

#endif
