/* SPDX-License-Identifier: BSD-2-Clause */
#include "life/loop_time.h"

#include <time.h>

#define US      1000u
#define LATE_US 20000 /* counted: a lease of 300 ms allows few of them */

static uint64_t worked_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void longest(struct own_counters *own, enum own_counter gauge, uint64_t us)
{
    if (us > own->v[gauge])
        own->v[gauge] = us;
}

/* Right before the loop waits: one turn is over. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct loop_time *t = prepare->data;
    uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(prepare->loop), cpu = worked_ns();

    if (t->at_ns) {
        uint64_t took = now - t->at_ns, waited = idle - t->idle_ns;
        uint64_t us = (took > waited ? took - waited : 0) / US;
        longest(t->own, OWN_loop_longest_us, us);
        longest(t->own, OWN_loop_longest_cpu_us, (cpu - t->cpu_ns) / US);
        t->own->v[OWN_loop_late] += us >= LATE_US;
    }
    t->at_ns = now;
    t->idle_ns = idle;
    t->cpu_ns = cpu;
}

void loop_time_start(struct loop_time *t, uv_loop_t *loop, struct own_counters *own)
{
    uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
    t->own = own;
    uv_prepare_init(loop, &t->prepare);
    t->prepare.data = t;
    uv_prepare_start(&t->prepare, on_prepare);
}

void loop_time_stop(struct loop_time *t)
{
    uv_close((uv_handle_t *)&t->prepare, NULL);
}
