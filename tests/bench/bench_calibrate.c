/* SPDX-License-Identifier: BSD-2-Clause */
/* A fixed amount of integer work: tells how fast the machine is now, so that figures of different runs can be
 * set against each other. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    enum { RUNS = 9, STEPS = 20000000 };
    double ns[RUNS];
    uint64_t x = 88172645463325252ull;
    for (int r = 0; r < RUNS; r++) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        for (int i = 0; i < STEPS; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
        clock_gettime(CLOCK_MONOTONIC, &b);
        ns[r] = ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / STEPS;
    }
    qsort(ns, RUNS, sizeof(*ns), by_value);
    printf("figure calibration_ns %.3f ns per xorshift step (state %u)\n", ns[RUNS / 2], (unsigned)(x & 1));
    return 0;
}
