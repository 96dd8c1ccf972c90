/* SPDX-License-Identifier: BSD-2-Clause */
/* The two clocks of high availability. Both run on whatever the time of day does, and neither is ever
 * compared with another machine's. The lease is written in TSC, because that is what the cores read. */
#ifndef CONTROLPLANE_HA_CLOCK_H
#define CONTROLPLANE_HA_CLOCK_H

#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* CLOCK_BOOTTIME goes on while the machine sleeps, as does the peer's patience. */
static inline uint64_t ha_clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

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

#endif
