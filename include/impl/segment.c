/* SPDX-License-Identifier: BSD-2-Clause */
#include "impl/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_version.h>

#include "hg/log.h"
#include "hg/stages.h"
#include "impl/segment_layout.h"

bool segment_path(const char *node, char *out, size_t size)
{
    size_t len = strlen(node);
    if (len == 0 || node[0] == '.' || strchr(node, '/'))
        return false;
    return (size_t)snprintf(out, size, "/dev/shm/hg-%s", node) < size;
}

bool segment_lock(int fd, int byte)
{
    /* An open file description lock: it belongs to the descriptor, so that a second holder in one process (a
     * test) is refused as well. */
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool hg_segment_dp_lives(const struct hg_segment *s)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SEGMENT_LOCK_DP, .l_len = 1};
    return fcntl(s->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

uint64_t segment_align(uint64_t n)
{
    return (n + 63) & ~63ull;
}

static uint32_t hash_text(uint32_t h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 16777619u;
    return (h ^ 0xff) * 16777619u;
}

/* Counters, logs and stages travel as numbers: with another list a number means something else. */
uint32_t segment_layout(void)
{
    uint32_t h = (2166136261u ^ HG_SEGMENT_LAYOUT) * 16777619u;
    for (unsigned i = 0; i < HG_COUNTERS_MAX; i++)
        h = hash_text(h, hg_counter_info[i].name);
    for (unsigned i = 0; i < HG_LOGS_MAX; i++)
        h = hash_text(h, hg_log_info[i].text);
    for (unsigned i = 0; i < HG_STAGE_COUNT; i++)
        h = hash_text(h, hg_stage_info[i].name);
    return h;
}

uint32_t segment_dpdk(void)
{
    return RTE_VERSION;
}

/* off .. off+len inside [from, to) and aligned, without overflow */
static bool inside(uint64_t off, uint64_t len, uint64_t from, uint64_t to)
{
    return off % 64 == 0 && off >= from && off <= to && len <= to - off;
}

bool segment_view(struct hg_segment *view, char *error)
{
    struct hg_segment_header *h = view->header;
    char *base = (char *)h;
    uint64_t area = h->area_offset, step = h->area_size;
    uint64_t ring = hg_ring_bytes(view->ring_cells), urgent = hg_ring_bytes(HG_URGENT_CELLS);
    if (!inside(area, 0, sizeof(*h), view->size) || step % 64 || step < sizeof(struct hg_core_area) ||
        step > (view->size - area) / view->cores) {
        snprintf(error, HG_SEGMENT_ERROR, "%s: the areas of %u cores do not fit its size", view->path,
                 view->cores);
        return false;
    }
    for (unsigned i = 0; i < view->cores; i++) {
        struct hg_core_area *a = (void *)(base + area + i * step);
        uint64_t from = area + i * step + sizeof(*a), to = area + (i + 1) * step;
        uint64_t down = a->down_offset, up = a->up_offset;
        uint64_t urgent_down = a->urgent_down_offset, urgent_up = a->urgent_up_offset;
        uint64_t routes = a->route_stats_offset, hops = a->hop_stats_offset;
        if (!inside(down, ring, from, to) || !inside(up, ring, from, to) ||
            !inside(urgent_down, urgent, from, to) || !inside(urgent_up, urgent, from, to) ||
            !inside(routes, (uint64_t)view->route_slots * sizeof(struct hg_route_stats), from, to) ||
            !inside(hops, (uint64_t)view->hop_slots * sizeof(struct hg_hop_stats), from, to)) {
            snprintf(error, HG_SEGMENT_ERROR, "%s: an offset of core %u leaves its area", view->path, i);
            return false;
        }
        view->core[i] = (struct hg_segment_core){.area = a,
                                                 .down = base + down,
                                                 .up = base + up,
                                                 .urgent_down = base + urgent_down,
                                                 .urgent_up = base + urgent_up,
                                                 .route_stats = (void *)(base + routes),
                                                 .hop_stats = (void *)(base + hops)};
    }
    return true;
}

#define ADVICE "install the same version of both and restart the older one"

/* Everything that must agree before one byte of the rest is believed. */
static bool header_matches(struct hg_segment *s, char *error)
{
    const struct hg_segment_header *h = s->header;
    if (h->magic != HG_SEGMENT_MAGIC) {
        snprintf(error, HG_SEGMENT_ERROR,
                 "%s is not a Heliograph segment: magic %016" PRIx64 ", expected %016" PRIx64
                 "; remove it and restart hg-dataplane",
                 s->path, h->magic, (uint64_t)HG_SEGMENT_MAGIC);
        return false;
    }
    if (h->layout != segment_layout()) {
        snprintf(
            error, HG_SEGMENT_ERROR,
            "%s has layout %08x (hg-dataplane %.40s), this hg-controlplane %s speaks layout %08x; " ADVICE,
            s->path, h->layout, h->build, HG_VERSION, segment_layout());
        return false;
    }
    if (h->dpdk != segment_dpdk()) {
        snprintf(error, HG_SEGMENT_ERROR,
                 "%s was made with DPDK %08x (hg-dataplane %.40s), this hg-controlplane was built for DPDK "
                 "%08x; " ADVICE,
                 s->path, h->dpdk, h->build, segment_dpdk());
        return false;
    }
    if (h->size != s->size) {
        snprintf(error, HG_SEGMENT_ERROR,
                 "%s says it has %" PRIu64 " bytes but has %" PRIu64 "; restart hg-dataplane", s->path,
                 h->size, s->size);
        return false;
    }
    s->cores = h->cores, s->ring_cells = h->ring_cells;
    s->route_slots = h->route_slots, s->hop_slots = h->hop_slots, s->tsc_hz = h->tsc_hz;
    if (s->cores < 1 || s->cores > HG_CORES_MAX || s->ring_cells < 64 || s->ring_cells > 1u << 24 ||
        (s->ring_cells & (s->ring_cells - 1)) || s->tsc_hz == 0) {
        snprintf(error, HG_SEGMENT_ERROR,
                 "%s: %u cores (1 to %d), %u ring cells (a power of two, 64 to 16777216), TSC at %" PRIu64
                 " Hz: not believable; restart hg-dataplane",
                 s->path, s->cores, HG_CORES_MAX, s->ring_cells, s->tsc_hz);
        return false;
    }
    return segment_view(s, error);
}

static bool rings_whole(const struct hg_segment_core *core, uint32_t cells)
{
    struct hg_ring ring;
    return hg_ring_open(&ring, core->down, cells) && hg_ring_open(&ring, core->up, cells) &&
           hg_ring_open(&ring, core->urgent_down, HG_URGENT_CELLS) &&
           hg_ring_open(&ring, core->urgent_up, HG_URGENT_CELLS);
}

static void repair_rings(const struct hg_segment_core *core, uint32_t cells)
{
    struct hg_ring ring;
    if (hg_ring_open(&ring, core->down, cells))
        hg_ring_repair_producer(&ring);
    if (hg_ring_open(&ring, core->urgent_down, HG_URGENT_CELLS))
        hg_ring_repair_producer(&ring);
    if (hg_ring_open(&ring, core->up, cells))
        hg_ring_repair_consumer(&ring);
    if (hg_ring_open(&ring, core->urgent_up, HG_URGENT_CELLS))
        hg_ring_repair_consumer(&ring);
}

static enum hg_attach map_checked(struct hg_segment *s, char *error)
{
    struct stat st;
    if (fstat(s->fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        st.st_size < (off_t)sizeof(struct hg_segment_header)) {
        snprintf(error, HG_SEGMENT_ERROR, "%s is too small for a segment; remove it and restart hg-dataplane",
                 s->path);
        return HG_ATTACH_REFUSED;
    }
    s->size = (uint64_t)st.st_size, s->dev = st.st_dev, s->ino = st.st_ino;
    void *m = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    if (m == MAP_FAILED) {
        snprintf(error, HG_SEGMENT_ERROR, "cannot map %s: %s", s->path, strerror(errno));
        return HG_ATTACH_REFUSED;
    }
    s->header = m;
    if (!header_matches(s, error))
        return HG_ATTACH_REFUSED;
    for (unsigned i = 0; i < s->cores; i++) {
        if (!rings_whole(&s->core[i], s->ring_cells)) {
            snprintf(error, HG_SEGMENT_ERROR, "%s: a ring of core %u is damaged; restart hg-dataplane",
                     s->path, i);
            return HG_ATTACH_REFUSED;
        }
    }
    return HG_ATTACH_OK;
}

enum hg_attach hg_segment_attach(const char *node, struct hg_segment *out, char *error)
{
    *out = (struct hg_segment){.fd = -1};
    error[0] = '\0';
    if (!segment_path(node, out->path, sizeof(out->path))) {
        snprintf(error, HG_SEGMENT_ERROR, "node name \"%s\" cannot name a segment", node);
        return HG_ATTACH_REFUSED;
    }
    out->fd = open(out->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (out->fd < 0) {
        int e = errno;
        snprintf(error, HG_SEGMENT_ERROR, "cannot open %s: %s%s", out->path, strerror(e),
                 e == EACCES ? "; run both processes as the same user or group" : "");
        return e == ENOENT ? HG_ATTACH_ABSENT : HG_ATTACH_REFUSED;
    }
    enum hg_attach result = HG_ATTACH_BUSY;
    if (segment_lock(out->fd, SEGMENT_LOCK_CP))
        result = map_checked(out, error);
    else
        snprintf(error, HG_SEGMENT_ERROR, "another hg-controlplane is attached to %s; stop it first",
                 out->path);
    if (result != HG_ATTACH_OK) {
        hg_segment_detach(out);
        return result;
    }
    for (unsigned i = 0; i < out->cores; i++)
        repair_rings(&out->core[i], out->ring_cells);
    atomic_store_explicit(&out->header->cp_pid, (uint32_t)getpid(), memory_order_relaxed);
    return HG_ATTACH_OK;
}

void hg_segment_detach(struct hg_segment *segment)
{
    if (segment->header)
        munmap(segment->header, segment->size);
    if (segment->fd >= 0)
        close(segment->fd);
    segment->header = NULL;
    segment->fd = -1;
}

bool hg_segment_current(const struct hg_segment *segment)
{
    struct stat st;
    return segment->header && stat(segment->path, &st) == 0 && st.st_ino == segment->ino &&
           st.st_dev == segment->dev;
}
