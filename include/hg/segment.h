/* SPDX-License-Identifier: BSD-2-Clause */
/* The shared segment, layout and rights. One POSIX shared-memory object per node, "/hg-<node>"; every
 * dataplane start makes a new object and renames it over the name. Offsets, fixed widths, natural alignment,
 * no pointers. "dp" = dataplane, "cp" = control plane, "core" = the one core that owns the area. */
#ifndef HG_SEGMENT_H
#define HG_SEGMENT_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "hg/counters.h"
#include "hg/limits.h"
#include "hg/user_key.h"

#define HG_SEGMENT_MAGIC 0x48454c494f475231ull /* "HELIOGR1" */
/* raised with every change of this file or records.h; lists tell by themselves */
#define HG_SEGMENT_LAYOUT 4
#define HG_CELL           64
#define HG_URGENT_CELLS   2048 /* of each urgent ring: 100 of the longest datagrams */
#define HG_STAGES         12   /* stages of a turn with a cycle histogram */
#define HG_HISTOGRAM      40   /* log2 buckets */

/* TLS (hgctl tls): what the dataplane's main thread has read, and that somebody wants it read again. */
struct hg_segment_tls {
    /* written by cp */
    alignas(64) _Atomic uint32_t asked; /* raised for each reading that is wanted */
    /* written by dp */
    alignas(64) _Atomic uint32_t done; /* the last one that was asked for and is done */
    _Atomic uint32_t version;          /* odd: being written, to be read again */
    uint32_t certificates;
    uint32_t loads, refused; /* since the start */
    uint64_t loaded_at;      /* seconds since 1970 */
    char error[512];         /* of the last reading; empty: it was good */
    struct {
        int64_t ends; /* seconds since 1970 */
        char chain[HG_FILE_MAX + 1];
        char names[HG_FILE_MAX + 1]; /* separated by commas, as many as fit */
    } certificate[HG_CERTIFICATES_MAX];
};

struct hg_segment_header {
    /* written by dp before the name appears, read-only afterwards */
    uint64_t magic;
    uint32_t layout; /* HG_SEGMENT_LAYOUT with a hash of all that is numbered by a list (*.def) */
    uint32_t dpdk;   /* RTE_VERSION of the ring layout */
    uint64_t size;   /* of the whole object */
    char build[40];  /* version and commit, for messages only */
    uint32_t cores;
    uint32_t ring_cells;  /* cells of each ring, a power of two */
    uint64_t area_offset; /* of core 0's area */
    uint64_t area_size;   /* from one core's area to the next */
    uint64_t tsc_hz;
    uint32_t boot; /* random per dataplane start */
    uint32_t dp_pid;
    uint32_t route_slots; /* length of each core's route_stats */
    uint32_t hop_slots;
    struct hg_hash_secret secret; /* of the user table; random per dataplane start, cp hashes names with it */

    /* written by cp */
    alignas(64) _Atomic uint64_t cp_epoch; /* raised at each attach; 0 = never attached */
    _Atomic uint64_t cp_heartbeat;         /* raised about ten times a second */
    _Atomic uint64_t cp_generation;        /* last resynchronisation begun; raised by one before each BEGIN */
    _Atomic uint32_t cp_pid;
    uint32_t pad0;

    /* written by dp */
    alignas(64) _Atomic uint32_t dp_ready; /* 1 once every core has the tables and its listeners are open */
    _Atomic uint32_t dp_draining;

    /* The lease (docs/ha.md), written by cp; each core reads it once a turn and again right before it
     * transmits. serve_until is a TSC value: from then on nothing leaves that is done for a user or comes
     * from a service address. 0: nothing may (a dataplane that starts), UINT64_MAX: no deadline. */
    alignas(64) _Atomic uint64_t serve_until;
    _Atomic uint64_t serve_epoch; /* of the record that the lease stands on; read by a cp that starts */

    struct hg_segment_tls tls;
};

struct hg_route_stats {
    uint64_t requests; /* requests sent by this route */
    uint64_t answered; /* final answers 1xx excluded, 2xx-4xx, 6xx */
    uint64_t failed;   /* 5xx, time-outs, unreachable */
    uint64_t pad;
};

struct hg_hop_stats {
    uint64_t requests;
    uint64_t answered;
    uint64_t failed;
    uint64_t retransmissions;
    uint64_t probes;
    uint64_t probes_failed;
    uint64_t state; /* enum hop_state, as this core sees it */
    uint64_t pad;
};
static_assert(sizeof(struct hg_route_stats) == 32, "shared with the other process");
static_assert(sizeof(struct hg_hop_stats) == 64, "one cache line");
static_assert(offsetof(struct hg_segment_header, cp_epoch) == 128, "shared with the other process");
static_assert(offsetof(struct hg_segment_header, dp_ready) == 192, "shared with the other process");
static_assert(offsetof(struct hg_segment_header, serve_until) == 256, "shared with the other process");
static_assert(offsetof(struct hg_segment_header, tls) == 320, "shared with the other process");
static_assert(sizeof(struct hg_segment_tls) == 64 + 64 + 512 + 64 * 520, "shared with the other process");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "no lock may hide in the segment");

/* One core's area. The arrays stand behind it in the order of the offsets. */
struct hg_core_area {
    /* written by the core */
    alignas(64) _Atomic uint64_t heartbeat; /* raised every few turns */
    _Atomic uint64_t applied_seq;           /* hg_record.seq of the last down record in force */
    _Atomic uint64_t applied_generation;    /* last resynchronisation that is whole and swept */
    _Atomic uint64_t image_generation;      /* route image in force */
    _Atomic uint64_t urgent_seq;            /* as applied_seq, of the urgent lane */
    /* written by dp at start */
    alignas(64) uint64_t down_offset; /* struct rte_ring and its cells, from the start of the segment */
    uint64_t up_offset;
    uint64_t route_stats_offset;
    uint64_t hop_stats_offset;
    uint64_t urgent_down_offset; /* rings of HG_URGENT_CELLS: what must not wait behind tables and logs */
    uint64_t urgent_up_offset;
    /* written by the core: what it sees of the service network */
    alignas(64) _Atomic uint64_t
        gateway_seen[HG_IFACES_MAX]; /* TSC of the gateway's last answer by ARP or ND, by
                                        interface in the order of the configuration; 0 = none yet */
    _Atomic uint64_t links;          /* bit per port: its link is up */
    _Atomic uint64_t gateways;       /* bit per interface: it has a gateway */
    _Atomic uint64_t serving_epoch;  /* of the serving map in force */
    /* written by the core, read by everybody */
    alignas(64) uint64_t counters[HG_COUNTERS_MAX];
    alignas(64) uint64_t histogram[HG_STAGES][HG_HISTOGRAM]; /* cycles per packet or per turn, log2 */
};
static_assert(offsetof(struct hg_core_area, down_offset) == 64, "shared with the other process");
static_assert(offsetof(struct hg_core_area, gateway_seen) == 128, "shared with the other process");
static_assert(offsetof(struct hg_core_area, counters) == 448, "shared with the other process");

#endif
