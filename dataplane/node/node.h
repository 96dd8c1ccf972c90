/* SPDX-License-Identifier: BSD-2-Clause */
/* The process: segment, pools, ports and cores of one node, and the main thread's part. */
#ifndef DATAPLANE_NODE_NODE_H
#define DATAPLANE_NODE_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "node/certificates.h"
#include "node/config.h"
#include "core/assemble.h"
#include "core/port.h"
#include "hg/limits.h"
#include "impl/segment.h"
#include "lib/mailbox.h"

struct images;
struct rte_mempool;

struct node {
    const struct hg_config *config;
    unsigned cores;
    uint16_t cpu[HG_CORES_MAX];
    uint32_t boot;
    uint64_t start_tsc;
    struct hg_segment segment;
    struct images *images;
    struct mail_office office;
    struct certificates certificates;
    struct rte_mempool *pool[HG_CORES_MAX], *pool_big[HG_CORES_MAX];
    struct ports ports;
    struct core *core[HG_CORES_MAX]; /* written by worker i before the loop starts */
    atomic_bool stop;                /* written by the main thread, read by the workers */
    bool told_ready;                 /* systemd knows */
    bool told_misfit;                /* the control plane is of another ABI, said once */
};

/* After EAL. false: message on stderr; node_close is still to be called. */
bool node_open(struct node *node);
/* Starts the workers, keeps house until a signal, stops them. Returns the exit code. */
int node_run(struct node *node);
void node_close(struct node *node);

/* dpdk-telemetry.py: /heliograph/counters, /heliograph/cores. */
void telemetry_open(struct node *node);

#endif
