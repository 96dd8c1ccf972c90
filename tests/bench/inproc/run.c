/* SPDX-License-Identifier: BSD-2-Clause */
/* Turning the cores, by hand or on threads, and taking what they send. */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "harness_impl.h"

#define SETTLE_MAX 100000

/* Answers questions of the cores at once; everything else stays in its ring. */
static unsigned answer_all(struct harness *h)
{
    unsigned answered = 0;

    for (unsigned p = 0; p < h->ports.n; p++)
        for (unsigned q = 0; q < h->cores; q++) {
            struct rte_ring *r = h->tx[p][q];
            for (unsigned n = rte_ring_count(r); n > 0; n--) {
                void *m;
                if (rte_ring_dequeue(r, &m) != 0)
                    break;
                if (((struct rte_mbuf *)m)->nb_segs == 1 &&
                    harness_answer(h, p, q < (h->options.one_queue ? 1 : h->cores) ? q : 0,
                                   rte_pktmbuf_mtod((struct rte_mbuf *)m, uint8_t *),
                                   rte_pktmbuf_data_len((struct rte_mbuf *)m))) {
                    rte_pktmbuf_free(m);
                    answered++;
                } else {
                    rte_ring_enqueue(r, m);
                }
            }
        }
    return answered;
}

unsigned harness_run(struct harness *h, unsigned turns)
{
    unsigned work = 0;

    for (unsigned t = 0; t < turns; t++)
        for (unsigned i = 0; i < h->cores; i++)
            work += core_turn(h->core[i]);
    return work;
}

void harness_settle(struct harness *h)
{
    for (unsigned n = 0; n < SETTLE_MAX; n++) {
        unsigned work = harness_run(h, 1);
        if (!h->options.no_answers)
            work += answer_all(h);
        if (work == 0)
            return;
    }
    fprintf(stderr, "harness: the cores do not come to rest\n");
}

void harness_advance_ms(struct harness *h, uint64_t ms)
{
    for (uint64_t n = 0; n < ms; n++) {
        for (unsigned i = 0; i < h->cores; i++)
            h->core[i]->clock.hand += h->core[i]->clock.per_ms;
        harness_settle(h);
    }
}

bool harness_take(struct harness *h, struct harness_packet *packet)
{
    for (unsigned p = 0; p < h->ports.n; p++)
        for (unsigned q = 0; q < h->cores; q++) {
            void *m;
            if (rte_ring_dequeue(h->tx[p][q], &m) != 0)
                continue;
            memset(packet, 0, offsetof(struct harness_packet, frame));
            packet->port = p;
            packet->queue = q;
            packet->len = rte_pktmbuf_pkt_len((struct rte_mbuf *)m);
            if (packet->len > sizeof(packet->frame))
                packet->len = sizeof(packet->frame);
            const void *bytes = rte_pktmbuf_read(m, 0, packet->len, packet->frame);
            if (bytes != packet->frame)
                memcpy(packet->frame, bytes, packet->len);
            rte_pktmbuf_free(m);
            harness_parse(packet);
            return true;
        }
    return false;
}

unsigned harness_take_all(struct harness *h)
{
    struct harness_packet packet;
    unsigned n = 0;

    while (harness_take(h, &packet))
        n++;
    return n;
}

/* ---- threads ---- */

struct start {
    struct harness *h;
    unsigned core;
    int cpu;
};
static struct start starts[HG_CORES_MAX];

/* The start of a thread is not what is measured: none turns before all are there. */
static void wait_for_all(struct harness *h)
{
    atomic_fetch_add(&h->ready, 1);
    while (atomic_load_explicit(&h->ready, memory_order_relaxed) < h->cores && !atomic_load(&h->stop))
        sched_yield();
}

/* core_loop() with a note of when there was work last. */
static void turn_until_stopped(struct harness *h, unsigned i)
{
    struct harness_span *span = &h->span[i];
    struct core *core = h->core[i];

    span->begin = span->end = rte_rdtsc();
    while (!atomic_load_explicit(&h->stop, memory_order_relaxed)) {
        unsigned work = core_turn(core);
        if (work > 0)
            span->end = rte_rdtsc();
        core_nap(core, work);
    }
}

static void *worker(void *arg)
{
    struct start *s = arg;

    if (s->cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((unsigned)s->cpu, &set);
        pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
    }
    rte_thread_register(); /* an lcore number: the pools' caches hang on it */
    wait_for_all(s->h);
    turn_until_stopped(s->h, s->core);
    rte_thread_unregister();
    return NULL;
}

bool harness_start(struct harness *h, const unsigned *cpu)
{
    atomic_store(&h->stop, false);
    atomic_store(&h->ready, 0);
    for (unsigned i = 0; i < h->cores; i++) {
        starts[i] = (struct start){.h = h, .core = i, .cpu = cpu ? (int)cpu[i] : -1};
        if (pthread_create(&h->thread[i], NULL, worker, &starts[i]) != 0) {
            atomic_store(&h->stop, true);
            while (i-- > 0)
                pthread_join(h->thread[i], NULL);
            return false;
        }
    }
    return h->running = true;
}

void harness_stop(struct harness *h)
{
    if (!h->running)
        return;
    atomic_store(&h->stop, true);
    for (unsigned i = 0; i < h->cores; i++)
        pthread_join(h->thread[i], NULL);
    h->running = false;
}

double harness_worked(const struct harness *h)
{
    uint64_t begin = UINT64_MAX, end = 0;

    for (unsigned i = 0; i < h->cores; i++) {
        begin = RTE_MIN(begin, h->span[i].begin);
        end = RTE_MAX(end, h->span[i].end);
    }
    return (double)(end - begin) / (double)rte_get_tsc_hz();
}
