/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs, medians, "figure NAME VALUE UNIT" lines. */
#ifndef BENCH_MEDIAN_H
#define BENCH_MEDIAN_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BENCH_RUNS_MAX 64

static inline unsigned bench_runs(void)
{
    const char *env = getenv("BENCH_RUNS");
    int n = env ? atoi(env) : 7;
    return n < 1 || n > BENCH_RUNS_MAX ? 7 : (unsigned)n;
}

static inline int bench_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts; returns the median. */
static inline double bench_median(double *v, unsigned n)
{
    qsort(v, n, sizeof(*v), bench_by_value);
    return v[n / 2];
}

static inline double bench_figure(const char *name, double *v, unsigned n, const char *unit)
{
    double median = bench_median(v, n);
    printf("figure %s %.6g %s\n# %s: min %.4g max %.4g of %u runs\n", name, median, unit, name, v[0],
           v[n - 1], n);
    fflush(stdout);
    return median;
}

static inline double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One to one on 64 bits. */
static inline uint64_t bench_mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdull;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ull;
    return x ^ x >> 33;
}

#endif
