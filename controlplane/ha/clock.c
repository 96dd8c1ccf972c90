/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/clock.h"

#include <time.h>

#define MEASURE_NS 50000000u

static uint64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Both clocks as near to each other as they can be read: the tightest of a few tries. */
static void read_both(uint64_t *ns, uint64_t *tsc)
{
    uint64_t best = UINT64_MAX;

    for (unsigned i = 0; i < 16; i++) {
        uint64_t before = ha_clock_tsc(), now = monotonic(), after = ha_clock_tsc();
        if (after - before >= best)
            continue;
        best = after - before;
        *ns = now;
        *tsc = before + best / 2;
    }
}

void ha_clock_init(struct ha_clock *clock, uint64_t hz)
{
    uint64_t ns[2] = {0}, tsc[2] = {0};
    struct timespec wait = {.tv_nsec = MEASURE_NS};

    clock->hz = hz;
    if (hz)
        return;
    read_both(&ns[0], &tsc[0]);
    nanosleep(&wait, NULL); /* before the loop turns; longer is only better */
    read_both(&ns[1], &tsc[1]);
    clock->hz = (uint64_t)((unsigned __int128)(tsc[1] - tsc[0]) * 1000000000u / (ns[1] - ns[0]));
}
