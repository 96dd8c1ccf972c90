/* SPDX-License-Identifier: BSD-2-Clause */
/* Making and attaching the shared segment (layout: hg/segment.h). */
#ifndef IMPL_SEGMENT_H
#define IMPL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hg/segment.h"
#include "impl/ring.h"

#define HG_SEGMENT_ERROR 512 /* bytes for a message */

struct hg_segment_spec {
    const char *node;
    uint32_t cores;
    uint32_t ring_cells; /* a power of two */
    uint32_t route_slots, hop_slots;
    uint64_t tsc_hz;
    uint32_t boot;
};

/* One process's view. Offsets were checked once and are kept here, out of the other process's reach. */
struct hg_segment_core {
    struct hg_core_area *area;
    void *down, *up; /* ring memory, for hg_ring_open */
    void *urgent_down, *urgent_up;
    struct hg_route_stats *route_stats;
    struct hg_hop_stats *hop_stats;
};

struct hg_segment {
    struct hg_segment_header *header; /* 0: not attached */
    uint64_t size;
    uint64_t dev, ino; /* of the object: a new dataplane makes another one */
    uint32_t cores, ring_cells, route_slots, hop_slots;
    uint64_t tsc_hz;
    int fd;
    char path[128];
    struct hg_segment_core core[HG_CORES_MAX];
};

/* Dataplane: makes a fresh object under a temporary name, fills it with secret and rings, and renames it over
 * /dev/shm/hg-<node>. Refuses when another dataplane of that node lives. false: message in error
 * (HG_SEGMENT_ERROR). */
bool hg_segment_create(const struct hg_segment_spec *spec, struct hg_segment *out, char *error);
/* No dataplane of that node lives. Asked before anything touches the ports: who opens and closes them a
 * second time takes the packets from who has them. false: message in error. */
bool hg_segment_vacant(const char *node, char *error);
/* Clean stop of the dataplane: unmaps, and removes the name if it still means this object. */
void hg_segment_destroy(struct hg_segment *segment);

/* Control plane: maps what the name means now, after checking all of it; repairs its ends of the rings. */
enum hg_attach {
    HG_ATTACH_OK,
    HG_ATTACH_ABSENT,  /* no dataplane has made one yet */
    HG_ATTACH_REFUSED, /* another ABI or broken: will not get better by waiting for this object */
    HG_ATTACH_BUSY,    /* another control plane holds it */
};
enum hg_attach hg_segment_attach(const char *node, struct hg_segment *out, char *error);
void hg_segment_detach(struct hg_segment *segment);
/* The dataplane that made it is alive: the kernel drops its lock with the process, so this is never late. */
bool hg_segment_dp_lives(const struct hg_segment *segment);
/* Whether the name still means the object that is mapped. */
bool hg_segment_current(const struct hg_segment *segment);

/* One control plane a node: a lock beside the segment, held from start to stop, also while no dataplane has
 * made a segment. -1: message in error (HG_SEGMENT_ERROR). Released by hg_segment_release, or with the
 * process. */
int hg_segment_claim(const char *node, char *error);
void hg_segment_release(const char *node, int claim);

/* The other way round: a control plane leaves a card with its versions while it runs, and the dataplane
 * compares. false: it is of another ABI, and error says which versions meet and what to do. */
void hg_segment_hello(const char *node);
void hg_segment_goodbye(const char *node);
bool hg_segment_fits_control(const char *node, char *error);

#endif
