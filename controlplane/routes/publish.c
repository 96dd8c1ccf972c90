/* SPDX-License-Identifier: BSD-2-Clause */
/* Images in mappings of their own: a name per generation, complete before anybody hears of it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routes/compile.h"

#define SHM_FOLDER "/dev/shm"

/* Names of nodes may be longer than those of mappings in a record: what is cut is replaced by a hash. */
static void prefix_of(const char *node, char out[40])
{
    size_t len = strlen(node);
    uint64_t h = 0;
    bool plain = len <= 20;
    for (size_t i = 0; i < len; i++) {
        h = hg_image_mix(h, (uint8_t)node[i] + 1);
        plain &= node[i] != '/';
    }
    if (plain)
        snprintf(out, 40, "hg-%.20s-routes-", node);
    else
        snprintf(out, 40, "hg-%016llx-routes-", (unsigned long long)h);
}

static void name_of(const struct routes *r, uint64_t generation, char name[64])
{
    char prefix[40];
    prefix_of(r->node, prefix);
    snprintf(name, 64, "/%s%llu", prefix, (unsigned long long)generation);
}

static bool write_all(int fd, const char *p, uint64_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (uint64_t)done;
    }
    return true;
}

bool routes_publish(struct routes *r, char name[64], char *why, size_t size)
{
    if (!r->image) {
        snprintf(why, size, "there is no compiled image yet");
        errno = ENOENT;
        return false;
    }
    name_of(r, r->result.generation, name);
    if (r->published == r->result.generation)
        return true;
    int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (fd < 0) {
        int e = errno;
        snprintf(why, size, "cannot create the mapping %s: %s", name, strerror(e));
        errno = e;
        return false;
    }
    /* posix_fallocate and write report a full file system; a store into a mapping would be a SIGBUS. */
    int e = posix_fallocate(fd, 0, (off_t)r->result.size);
    if (e == 0 && !write_all(fd, r->image, r->result.size))
        e = errno ? errno : EIO;
    close(fd);
    if (e) {
        shm_unlink(name);
        snprintf(why, size, "cannot fill the mapping %s with %llu bytes: %s; make room in %s", name,
                 (unsigned long long)r->result.size, strerror(e), SHM_FOLDER);
        errno = e;
        return false;
    }
    r->published = r->result.generation;
    return true;
}

void routes_retire(struct routes *r, uint64_t generation)
{
    char name[64];
    uint64_t end = generation <= r->published ? generation : r->published + 1;
    for (; r->retired < end; r->retired++) {
        name_of(r, r->retired, name);
        (void)shm_unlink(name);
    }
}

void routes_clean(const char *node, const char *keep)
{
    char prefix[40];
    prefix_of(node, prefix);
    DIR *dir = opendir(SHM_FOLDER);
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        char name[NAME_MAX + 2];
        if (strncmp(e->d_name, prefix, strlen(prefix)) != 0)
            continue;
        if (strspn(e->d_name + strlen(prefix), "0123456789") != strlen(e->d_name + strlen(prefix)))
            continue; /* of a node whose name begins as ours ends */
        snprintf(name, sizeof(name), "/%s", e->d_name);
        if (!keep || strcmp(name, keep) != 0)
            (void)shm_unlink(name);
    }
    closedir(dir);
}
