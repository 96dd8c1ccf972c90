/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a turn of the loop takes, from the end of its waiting to the next: heartbeats, grants and the
 * lease wait for as long. The processor's own time is told apart: what is more of the other was taken by
 * somebody else. */
#ifndef CONTROLPLANE_LIFE_LOOP_TIME_H
#define CONTROLPLANE_LIFE_LOOP_TIME_H

#include <stdint.h>

#include <uv.h>

#include "counters/own.h"

struct loop_time {
    uv_prepare_t prepare;
    struct own_counters *own;
    uint64_t at_ns, idle_ns, cpu_ns; /* when the last turn ended; waited, worked until then */
};

/* Before the loop runs. */
void loop_time_start(struct loop_time *time, uv_loop_t *loop, struct own_counters *own);
void loop_time_stop(struct loop_time *time);

#endif
