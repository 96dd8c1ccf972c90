/* SPDX-License-Identifier: BSD-2-Clause */
/* One core put together from its rooms, and taken apart. Off the hot path; called on the CPU that will run
 * it, so that its memory is near. */
#ifndef CORE_ASSEMBLE_H
#define CORE_ASSEMBLE_H

#include <stdatomic.h>
#include <stdint.h>

#include "core/core.h"
#include "hg/user_key.h"

struct hg_config;
struct hg_segment;
struct images;
struct tls_shelf;
struct workers;

struct core_setup {
    const struct hg_config *config;
    uint16_t index, cores;
    uint32_t boot;
    uint64_t tsc_hz, start_tsc;
    struct ports *ports;
    const struct mail_office *office;
    struct rte_mempool *pool, *pool_big;
    atomic_bool *stop;
    struct hg_hash_secret secret;
    const struct hg_segment
        *segment; /* NULL: without a control plane (tests); then the next three are given */
    struct images *images;
    struct tls_shelf *shelf; /* NULL: no TLS (tests) */
    struct workers *workers;
    struct hg_core_area *area;
    struct hg_route_stats *route_stats;
    struct hg_hop_stats *hop_stats;
};

/* NULL with a message on stderr. */
struct core *core_create(const struct core_setup *setup);
void core_destroy(struct core *core); /* NULL is harmless */

#endif
