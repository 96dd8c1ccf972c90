/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_pause.h>
#include <rte_ring.h>

#include "hg/limits.h"

#define SPINS     64
#define NAP_FIRST 20000 /* ns; a handshake takes ten times as long */
#define NAP_LAST  500000

struct desk {                   /* of one core */
    alignas(64) unsigned given; /* written by the core */
    unsigned taken;
    unsigned depth;
    struct rte_ring *todo, *done;
};

struct workers {
    unsigned cores, threads;
    atomic_bool stop;
    pthread_t thread[64];
    struct desk desk[HG_CORES_MAX];
};

static bool work_once(struct workers *w, unsigned *first)
{
    for (unsigned i = 0; i < w->cores; i++) {
        struct desk *d = &w->desk[(*first + i) % w->cores];
        struct worker_job *job;
        if (rte_ring_mc_dequeue(d->todo, (void **)&job) != 0)
            continue;
        *first = (*first + i + 1) % w->cores; /* the next one's turn, so that no core starves another */
        job->run(job);
        while (rte_ring_mp_enqueue(d->done, job) != 0) /* has room for all that are under way */
            rte_pause();
        return true;
    }
    return false;
}

static void *worker(void *arg)
{
    struct workers *w = arg;
    unsigned first = 0, idle = 0;
    long ns = NAP_FIRST;

    while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
        if (work_once(w, &first)) {
            idle = 0;
            ns = NAP_FIRST;
            continue;
        }
        if (++idle < SPINS) {
            rte_pause();
            continue;
        }
        clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = ns}, NULL);
        ns = ns * 2 > NAP_LAST ? NAP_LAST : ns * 2;
    }
    return NULL;
}

static struct rte_ring *ring_new(unsigned depth, unsigned flags)
{
    unsigned count = 2;
    while (count < depth + 1)
        count *= 2;
    struct rte_ring *r = NULL;
    if (posix_memalign((void **)&r, 64, (size_t)rte_ring_get_memsize(count)) != 0)
        return NULL;
    if (rte_ring_init(r, "workers", count, flags) == 0)
        return r;
    free(r);
    return NULL;
}

static bool desks_open(struct workers *w, unsigned depth)
{
    for (unsigned i = 0; i < w->cores; i++) {
        struct desk *d = &w->desk[i];
        d->depth = depth;
        d->todo = ring_new(depth, RING_F_SP_ENQ);
        d->done = ring_new(depth, RING_F_SC_DEQ);
        if (!d->todo || !d->done)
            return false;
    }
    return true;
}

static bool threads_start(struct workers *w, unsigned threads, const uint16_t *cpu, unsigned ncpus)
{
    pthread_attr_t attr;
    cpu_set_t set;
    sigset_t all, old;
    bool ok = true;

    if (pthread_attr_init(&attr) != 0)
        return false;
    CPU_ZERO(&set);
    for (unsigned i = 0; i < ncpus; i++)
        CPU_SET(cpu[i], &set);
    if (ncpus > 0)
        ok = pthread_attr_setaffinity_np(&attr, sizeof(set), &set) == 0;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (; ok && w->threads < threads; w->threads++) {
        char name[16];
        ok = pthread_create(&w->thread[w->threads], &attr, worker, w) == 0;
        if (!ok)
            break;
        snprintf(name, sizeof(name), "hg-crypto%u", w->threads % 1000);
        pthread_setname_np(w->thread[w->threads], name);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return ok;
}

struct workers *workers_open(unsigned threads, unsigned cores, unsigned depth, const uint16_t *cpu,
                             unsigned ncpus)
{
    struct workers *w = NULL;

    if (cores > HG_CORES_MAX || threads > sizeof(w->thread) / sizeof(w->thread[0]) ||
        posix_memalign((void **)&w, alignof(struct workers), sizeof(*w)) != 0)
        return NULL;
    memset(w, 0, sizeof(*w));
    w->cores = cores;
    if (desks_open(w, depth) && threads_start(w, threads, cpu, ncpus))
        return w;
    workers_close(w);
    return NULL;
}

void workers_close(struct workers *w)
{
    if (w == NULL)
        return;
    atomic_store(&w->stop, true);
    for (unsigned i = 0; i < w->threads; i++)
        pthread_join(w->thread[i], NULL);
    for (unsigned i = 0; i < w->cores; i++) {
        free(w->desk[i].todo);
        free(w->desk[i].done);
    }
    free(w);
}

unsigned workers_threads(const struct workers *w)
{
    return w ? w->threads : 0;
}

bool workers_give(struct workers *w, unsigned core, struct worker_job *job)
{
    struct desk *d = &w->desk[core];

    if (d->given - d->taken >= d->depth || rte_ring_sp_enqueue(d->todo, job) != 0)
        return false;
    d->given++;
    return true;
}

unsigned workers_take(struct workers *w, unsigned core, struct worker_job **done, unsigned max)
{
    struct desk *d = &w->desk[core];

    if (d->given == d->taken)
        return 0;
    unsigned n = rte_ring_sc_dequeue_burst(d->done, (void **)done, max, NULL);
    d->taken += n;
    return n;
}

unsigned workers_under_way(const struct workers *w, unsigned core)
{
    return w ? w->desk[core].given - w->desk[core].taken : 0;
}
