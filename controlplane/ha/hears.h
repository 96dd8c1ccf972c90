/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether this node hears the service network at all, judged by what else it knows: a node that receives
 * nothing soon cannot send either, because nobody answers its ARP, and then it looks from outside as if its
 * peer were the deaf one. So the two are not compared with each other only, but with every other node; and
 * where there is none, with the frames that reach the ports. Pure. */
#ifndef CONTROLPLANE_HA_HEARS_H
#define CONTROLPLANE_HA_HEARS_H

#include <stdbool.h>
#include <stdint.h>

struct hears_node {
    bool asked;                   /* heartbeats go to it over the service network */
    bool peer;                    /* of this node's pair */
    uint64_t management, service; /* heard last by that network; ns, 0 = never */
};

struct hears {
    bool heard;        /* some node, over the service network, since the start */
    bool judged;       /* there was something to judge by */
    uint64_t begun_ns; /* looked first */
    uint64_t well_ns;  /* all was well last */
    bool counted;      /* frames is known */
    uint64_t frames;   /* received by the ports when it was looked last */
    uint64_t frame_ns; /* the number grew last */
};

enum hears_verdict {
    HEARS_UNKNOWN, /* just begun, and nobody was heard by any network yet */
    HEARS_ALONE,   /* no other node has an address there */
    HEARS_WELL,
    HEARS_DOUBT,   /* not for a while: too short to say that it is down, too long to say that it is not */
    HEARS_NOTHING, /* nodes are heard by the management network, and none by the service network */
};

/* frames: counter of the ports. */
void hears_frames(struct hears *hears, uint64_t frames, uint64_t now);
/* No frame for so long. */
bool hears_silence(const struct hears *hears, uint64_t now, uint64_t limit);
/* limit: so long may a node be silent. */
enum hears_verdict hears_judge(struct hears *hears, const struct hears_node *nodes, unsigned n, uint64_t now,
                               uint64_t limit);

#endif
