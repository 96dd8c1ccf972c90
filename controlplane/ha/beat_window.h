/* SPDX-License-Identifier: BSD-2-Clause */
/* Which authenticated heartbeats of one node are fresh. Within a start of the sender, by a sliding window
 * over its sequence numbers. A start that is not known yet has to prove that it lives now: it must echo a
 * beat of ours that is younger than every one that was echoed before. So nothing that was recorded earlier,
 * of this start or of an earlier one, is ever taken again. Pure. */
#ifndef CONTROLPLANE_HA_BEAT_WINDOW_H
#define CONTROLPLANE_HA_BEAT_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "ha/beat.h"

#define BEAT_SENT 256 /* send times that are remembered */

struct beat_window {
    uint64_t own_boot;
    uint64_t own_seq;         /* of the last beat sent */
    uint64_t sent[BEAT_SENT]; /* when, by seq % BEAT_SENT; monotonic ns */
    uint64_t echoed;          /* highest own seq that came back */
    uint64_t boot, high;      /* of the sender; boot 0 = none known */
    uint64_t seen;            /* bit i: high - i came */
};

enum beat_verdict {
    BEAT_FRESH,
    BEAT_NEW_START, /* fresh, and the first of another start of the sender */
    BEAT_HELLO,     /* of an unknown start, without proof: answer it, believe nothing */
    BEAT_REPLAYED,
};

void beat_window_init(struct beat_window *w, uint64_t own_boot);
/* The number of the beat that is sent now. */
uint64_t beat_window_send(struct beat_window *w, uint64_t now);
enum beat_verdict beat_window_take(struct beat_window *w, const struct beat *b);
/* When the beat that b echoes was sent; 0 = not one of ours, or too long ago. */
uint64_t beat_window_echo(const struct beat_window *w, const struct beat *b);

#endif
