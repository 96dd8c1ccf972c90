/* SPDX-License-Identifier: BSD-2-Clause */
#include "ha/clock.h"

#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define MEASURE_NS 50000000u
#define WATCH_NS   10000000000u

bool ha_clock_is_invariant(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;

    return __get_cpuid(0x80000007, &a, &b, &c, &d) && d >> 8 & 1;
#else
    return true; /* the architecture says so of the generic timer */
#endif
}

bool ha_clock_parted(const struct ha_clock *clock, struct ha_clock_watch *watch, uint64_t kernel_ns,
                     uint64_t tsc, int64_t *millionths)
{
    struct ha_clock_watch before = *watch;

    if (before.ns && kernel_ns - before.ns < WATCH_NS)
        return false;
    *watch = (struct ha_clock_watch){kernel_ns, tsc};
    if (!before.ns)
        return false;
    int64_t passed = (int64_t)(kernel_ns - before.ns);
    int64_t counted = tsc > before.tsc ? (int64_t)ha_clock_ns_of(clock, tsc - before.tsc) : 0;
    *millionths = (int64_t)((__int128)(counted - passed) * 1000000 / passed);
    return true;
}

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

bool ha_clock_parted_now(const struct ha_clock *clock, struct ha_clock_watch *watch, int64_t *millionths)
{
    uint64_t ns = 0, tsc = 0;

    read_both(&ns, &tsc);
    return ha_clock_parted(clock, watch, ns, tsc, millionths);
}
