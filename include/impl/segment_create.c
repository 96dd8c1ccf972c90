/* SPDX-License-Identifier: BSD-2-Clause */
/* The dataplane's side: a fresh object under a temporary name, renamed over the old one when it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "impl/segment_layout.h"

/* A living dataplane holds its lock; a killed one does not, whatever it left behind. */
static bool other_dataplane(const char *path, char *error)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool lives = !segment_lock(fd, SEGMENT_LOCK_DP);
    close(fd);
    if (lives)
        snprintf(
            error, HG_SEGMENT_ERROR,
            "another hg-dataplane of this node is running: it holds %s; stop it, or give this node another "
            "node.name",
            path);
    return lives;
}

bool hg_segment_vacant(const char *node, char *error)
{
    char path[128];

    return !segment_path(node, path, sizeof(path)) || !other_dataplane(path, error);
}

static bool spec_ok(const struct hg_segment_spec *s, char *error)
{
    if (s->cores >= 1 && s->cores <= HG_CORES_MAX && s->ring_cells >= 64 && s->ring_cells <= 1u << 24 &&
        !(s->ring_cells & (s->ring_cells - 1)) && s->tsc_hz > 0)
        return true;
    snprintf(
        error, HG_SEGMENT_ERROR,
        "a segment has 1 to %d cores (not %u) and rings of a power of two of cells, 64 to 16777216 (not %u)",
        HG_CORES_MAX, s->cores, s->ring_cells);
    return false;
}

/* Offsets inside one core's area; returns its size. */
static uint64_t lay_out(const struct hg_segment_spec *s, uint64_t base, struct hg_core_area *a)
{
    uint64_t off = segment_align(base + sizeof(*a));
    a->down_offset = off;
    off += segment_align(hg_ring_bytes(s->ring_cells));
    a->up_offset = off;
    off += segment_align(hg_ring_bytes(s->ring_cells));
    a->urgent_down_offset = off;
    off += segment_align(hg_ring_bytes(HG_URGENT_CELLS));
    a->urgent_up_offset = off;
    off += segment_align(hg_ring_bytes(HG_URGENT_CELLS));
    a->route_stats_offset = off;
    off += segment_align((uint64_t)s->route_slots * sizeof(struct hg_route_stats));
    a->hop_stats_offset = off;
    off += segment_align((uint64_t)s->hop_slots * sizeof(struct hg_hop_stats));
    return off - base;
}

static bool fill(const struct hg_segment_spec *spec, struct hg_segment *s, uint64_t area_size, char *error)
{
    struct hg_segment_header *h = s->header;
    h->layout = segment_layout();
    h->dpdk = segment_dpdk();
    h->size = s->size;
    snprintf(h->build, sizeof(h->build), "%s", HG_VERSION);
    h->cores = s->cores = spec->cores;
    h->ring_cells = s->ring_cells = spec->ring_cells;
    h->area_offset = segment_align(sizeof(*h));
    h->area_size = area_size;
    h->tsc_hz = s->tsc_hz = spec->tsc_hz;
    h->boot = spec->boot;
    h->dp_pid = (uint32_t)getpid();
    h->route_slots = s->route_slots = spec->route_slots;
    h->hop_slots = s->hop_slots = spec->hop_slots;
    if (getrandom(&h->secret, sizeof(h->secret), 0) != sizeof(h->secret)) {
        snprintf(error, HG_SEGMENT_ERROR, "no random numbers for the segment: %s", strerror(errno));
        return false;
    }
    for (unsigned i = 0; i < spec->cores; i++) {
        uint64_t base = h->area_offset + i * area_size;
        lay_out(spec, base, (void *)((char *)h + base));
    }
    if (!segment_view(s, error))
        return false;
    for (unsigned i = 0; i < spec->cores; i++) {
        if (!hg_ring_make(s->core[i].down, "hg_down", spec->ring_cells) ||
            !hg_ring_make(s->core[i].up, "hg_up", spec->ring_cells) ||
            !hg_ring_make(s->core[i].urgent_down, "hg_urgent_down", HG_URGENT_CELLS) ||
            !hg_ring_make(s->core[i].urgent_up, "hg_urgent_up", HG_URGENT_CELLS)) {
            snprintf(error, HG_SEGMENT_ERROR, "rings of %u cells cannot be made", spec->ring_cells);
            return false;
        }
    }
    h->magic = HG_SEGMENT_MAGIC;
    return true;
}

static bool allocate(struct hg_segment *s, const char *temporary, char *error)
{
    s->fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (s->fd < 0) {
        snprintf(error, HG_SEGMENT_ERROR, "cannot make %s: %s", temporary, strerror(errno));
        return false;
    }
    if (!segment_lock(s->fd, SEGMENT_LOCK_DP)) {
        snprintf(error, HG_SEGMENT_ERROR, "cannot lock %s: %s", temporary, strerror(errno));
        return false;
    }
    /* Allocated now, because a full file system would show as SIGBUS in the middle of a turn. */
    int e = posix_fallocate(s->fd, 0, (off_t)s->size);
    struct stat st;
    if (e != 0 || fstat(s->fd, &st) < 0) {
        snprintf(error, HG_SEGMENT_ERROR,
                 "no %" PRIu64
                 " MiB in /dev/shm: %s; enlarge it, or lower dataplane.ring_cells, routes_max or cores",
                 (s->size >> 20) + 1, strerror(e ? e : errno));
        return false;
    }
    s->dev = st.st_dev, s->ino = st.st_ino;
    void *m = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->fd, 0);
    if (m == MAP_FAILED) {
        snprintf(error, HG_SEGMENT_ERROR, "cannot map %s: %s", temporary, strerror(errno));
        return false;
    }
    s->header = m;
    return true;
}

bool hg_segment_create(const struct hg_segment_spec *spec, struct hg_segment *out, char *error)
{
    char temporary[sizeof(out->path) + 8];
    *out = (struct hg_segment){.fd = -1};
    error[0] = '\0';
    if (!spec_ok(spec, error))
        return false;
    if (!segment_path(spec->node, out->path, sizeof(out->path))) {
        snprintf(error, HG_SEGMENT_ERROR, "node name \"%s\" cannot name a segment", spec->node);
        return false;
    }
    if (other_dataplane(out->path, error))
        return false;
    struct hg_core_area scratch;
    uint64_t area_size = lay_out(spec, 0, &scratch);
    out->size = segment_align(sizeof(struct hg_segment_header)) + area_size * spec->cores;
    out->cores = spec->cores;
    /* One fixed temporary name, so that starts which were killed half way leave at most one behind. */
    snprintf(temporary, sizeof(temporary), "%s.new", out->path);
    if (other_dataplane(temporary, error))
        return false;
    unlink(temporary);
    if (!allocate(out, temporary, error) || !fill(spec, out, area_size, error)) {
        hg_segment_detach(out);
        unlink(temporary);
        return false;
    }
    if (rename(temporary, out->path) < 0) {
        snprintf(error, HG_SEGMENT_ERROR, "cannot rename %s to %s: %s", temporary, out->path,
                 strerror(errno));
        hg_segment_detach(out);
        unlink(temporary);
        return false;
    }
    if (!hg_segment_current(out)) { /* two starts at the same moment: the other one's object has the name */
        snprintf(error, HG_SEGMENT_ERROR, "another hg-dataplane of this node was started at the same time");
        hg_segment_detach(out);
        return false;
    }
    return true;
}

void hg_segment_destroy(struct hg_segment *segment)
{
    if (hg_segment_current(segment))
        unlink(segment->path);
    hg_segment_detach(segment);
}
