/* SPDX-License-Identifier: BSD-2-Clause */
/* A control plane of another ABI cannot say so in the segment, so it leaves a card of a form that never
 * changes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "impl/segment_layout.h"

#define CARD_MAGIC 0x48454c494f435031ull /* "HELIOCP1" */

struct card { /* this layout is for ever */
    uint64_t magic;
    uint32_t layout, dpdk, pid, pad;
    char build[40];
};
static_assert(sizeof(struct card) == 64, "the same in every version");

static bool card_path(const char *node, const char *end, char path[160])
{
    char base[128];
    return segment_path(node, base, sizeof(base)) && snprintf(path, 160, "%s~cp%s", base, end) < 160;
}

static bool card_read(const char *node, struct card *card)
{
    char path[160];
    int fd = card_path(node, "", path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0)
        return false;
    bool ok = read(fd, card, sizeof(*card)) == sizeof(*card) && card->magic == CARD_MAGIC;
    close(fd);
    card->build[sizeof(card->build) - 1] = '\0';
    return ok;
}

void hg_segment_hello(const char *node)
{
    struct card card = {
        .magic = CARD_MAGIC, .layout = segment_layout(), .dpdk = segment_dpdk(), .pid = (uint32_t)getpid()};
    char path[160], temporary[160];
    snprintf(card.build, sizeof(card.build), "%s", HG_VERSION);
    if (!card_path(node, "", path) || !card_path(node, ".new", temporary))
        return;
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return;
    bool ok = write(fd, &card, sizeof(card)) == sizeof(card);
    close(fd);
    if (!ok || rename(temporary, path) < 0)
        unlink(temporary);
}

void hg_segment_goodbye(const char *node)
{
    struct card card;
    char path[160];
    if (card_read(node, &card) && card.pid == (uint32_t)getpid() && card_path(node, "", path))
        unlink(path);
}

/* Whoever stops takes the file away: a lock on one that lost its name would keep nobody out. */
static bool still_named(int fd, const char *path)
{
    struct stat mine, there;
    return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
           mine.st_dev == there.st_dev;
}

int hg_segment_claim(const char *node, char *error)
{
    char path[160];
    for (;;) {
        int fd =
            card_path(node, ".lock", path) ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660) : -1;
        if (fd < 0) {
            snprintf(error, HG_SEGMENT_ERROR, "no lock in /dev/shm for node \"%s\": %s", node,
                     strerror(errno));
            return -1;
        }
        if (!segment_lock(fd, SEGMENT_LOCK_CP)) {
            snprintf(
                error, HG_SEGMENT_ERROR,
                "another hg-controlplane of node \"%s\" is running: it holds %s; stop it, or give this node "
                "another node.name",
                node, path);
            close(fd);
            return -1;
        }
        if (still_named(fd, path))
            return fd;
        close(fd);
    }
}

void hg_segment_release(const char *node, int claim)
{
    char path[160];
    if (claim < 0)
        return;
    if (card_path(node, ".lock", path))
        unlink(path);
    close(claim);
}

bool hg_segment_fits_control(const char *node, char *error)
{
    struct card card;
    error[0] = '\0';
    if (!card_read(node, &card) || (kill((pid_t)card.pid, 0) < 0 && errno == ESRCH)) /* it is dead */
        return true;
    if (card.layout == segment_layout() && card.dpdk == segment_dpdk())
        return true;
    snprintf(error, HG_SEGMENT_ERROR,
             "hg-controlplane %s (pid %u) speaks segment layout %08x with DPDK %08x, this hg-dataplane %s "
             "layout %08x with DPDK %08x: it cannot attach; install the same version of both and restart the "
             "older one",
             card.build, card.pid, card.layout, card.dpdk, HG_VERSION, segment_layout(), segment_dpdk());
    return false;
}
