/* SPDX-License-Identifier: BSD-2-Clause */
/* The one clock of high availability: the machine's invariant time stamp counter, scaled to ns by a factor
 * that is fixed at the start. The lease is written in its ticks, because that is what the cores read. It runs
 * on whatever the time of day does, and is never compared with another machine's. */
#ifndef CONTROLPLANE_HA_CLOCK_H
#define CONTROLPLANE_HA_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

struct ha_clock {
    uint64_t hz;
};

/* hz: as a dataplane has it in its segment; 0 = measured here, which takes 50 ms. */
void ha_clock_init(struct ha_clock *clock, uint64_t hz);

/* The processor promises a counter that runs at one rate, in every sleep, on every core. */
bool ha_clock_is_invariant(void);

#define HA_CLOCK_PARTED_PPM 1000 /* what the guard has to cover (ha/params.c): a thousandth of the lease */

/* The counter beside the kernel's clock, over ten seconds and more. */
struct ha_clock_watch {
    uint64_t ns, tsc; /* of the moment that is compared with; 0 = none yet */
};
/* Millionths by which the counter went too fast (or too slow, below 0) since the moment before; false while
 * that is not ten seconds ago. */
bool ha_clock_parted(const struct ha_clock *clock, struct ha_clock_watch *watch, uint64_t kernel_ns,
                     uint64_t tsc, int64_t *millionths);
/* The same, of now. */
bool ha_clock_parted_now(const struct ha_clock *clock, struct ha_clock_watch *watch, int64_t *millionths);

static inline uint64_t ha_clock_tsc(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t v;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(v));
    return v;
#else
#error "no time stamp counter is known for this machine"
#endif
}

static inline uint64_t ha_clock_ns_of(const struct ha_clock *clock, uint64_t tsc)
{
    return (uint64_t)((unsigned __int128)tsc * 1000000000u / clock->hz);
}

/* Rounded down: a deadline never grows. */
static inline uint64_t ha_clock_tsc_of(const struct ha_clock *clock, uint64_t ns)
{
    return (uint64_t)((unsigned __int128)ns * clock->hz / 1000000000u);
}

static inline uint64_t ha_clock_ns(const struct ha_clock *clock)
{
    return ha_clock_ns_of(clock, ha_clock_tsc());
}

#endif
