/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_HARNESS_IMPL_H
#define BENCH_HARNESS_IMPL_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "core/assemble.h"
#include "harness.h"

struct routes;

struct harness_span { /* TSC; of one thread, which writes it */
    alignas(64) uint64_t begin;
    uint64_t end; /* of the last turn that found work */
};

struct harness {
    struct harness_options options;
    struct hg_config *config;
    unsigned cores, number; /* number: of this harness in the process, for names */
    struct ports ports;
    struct mail_office office;
    struct rte_mempool *pool, *pool_of[HG_CORES_MAX], *pool_big[HG_CORES_MAX];
    struct rte_ring *rx[HG_PORTS_MAX][HG_CORES_MAX], *tx[HG_PORTS_MAX][HG_CORES_MAX];
    struct hg_core_area *area[HG_CORES_MAX];
    struct hg_route_stats *route_stats[HG_CORES_MAX];
    struct hg_hop_stats *hop_stats[HG_CORES_MAX];
    struct core *core[HG_CORES_MAX];
    struct hg_hash_secret secret;
    struct routes *routes;
    void *image;
    atomic_bool stop;
    bool running;
    atomic_uint ready; /* threads that have begun */
    struct harness_span span[HG_CORES_MAX];
    pthread_t thread[HG_CORES_MAX];
};

/* frames.c: true when the frame was a question that was answered. */
bool harness_answer(struct harness *h, unsigned port, unsigned queue, const uint8_t *frame, uint32_t len);
void harness_parse(struct harness_packet *p);
unsigned harness_queue(struct harness *h, const uint8_t *frame, uint32_t len);
/* tables.c */
void harness_routes_free(struct harness *h);

#endif
