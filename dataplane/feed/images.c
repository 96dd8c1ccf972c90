/* SPDX-License-Identifier: BSD-2-Clause */
#include "feed/images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hg/limits.h"
#include "hg/route_image.h"

struct image {
    struct image *next;
    void *base;
    uint64_t size, generation;
    uint64_t dev, ino;
};

enum slot_state { SLOT_IDLE, SLOT_ASKED, SLOT_READY, SLOT_REFUSED };

/* One core's request. IDLE -> ASKED by the core, ASKED -> READY or REFUSED by the main thread, -> IDLE by the
 * core; whoever may write next owns wanted, given and why. */
struct slot {
    alignas(64) _Atomic uint32_t state;
    struct hg_down_image wanted;
    struct image *given;              /* last answer, main thread */
    const char *why;                  /* of a refusal, a constant string */
    _Atomic(struct image *) in_force; /* written by the core */
};

struct images {
    unsigned cores, mapped;
    struct image *list; /* main thread only */
    struct slot slot[HG_CORES_MAX];
};

struct images *images_create(unsigned cores)
{
    struct images *images = NULL;
    if (cores < 1 || cores > HG_CORES_MAX ||
        posix_memalign((void **)&images, alignof(struct images), sizeof(*images)) != 0)
        return NULL;
    memset(images, 0, sizeof(*images));
    images->cores = cores;
    return images;
}

static void unmap(struct images *images, struct image *image)
{
    munmap(image->base, image->size);
    free(image);
    images->mapped--;
}

void images_destroy(struct images *images)
{
    if (!images)
        return;
    while (images->list) {
        struct image *image = images->list;
        images->list = image->next;
        unmap(images, image);
    }
    free(images);
}

/* "/hg-..." and nothing that leaves /dev/shm */
static bool name_ok(const char *name, size_t size)
{
    return memchr(name, '\0', size) && strncmp(name, "/hg-", 4) == 0 && !strchr(name + 1, '/');
}

static struct image *find(const struct images *images, const struct stat *st, uint64_t generation)
{
    for (struct image *i = images->list; i; i = i->next)
        if (i->ino == st->st_ino && i->dev == st->st_dev && i->generation == generation)
            return i;
    return NULL;
}

static const char *map_fd(int fd, struct image *image)
{
    image->base = mmap(NULL, image->size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (image->base == MAP_FAILED)
        return "it cannot be mapped";
    const char *why = "it is damaged";
    if (hg_image_check(image->base, image->size, &why))
        return NULL;
    munmap(image->base, image->size);
    return why;
}

/* An object that is mapped already is known by its inode: a control plane that was restarted may use a name
 * again. */
static struct image *map(struct images *images, const struct hg_down_image *wanted, int fd, const char **why)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != wanted->size ||
        wanted->size == 0) {
        *why = "its size is not the one announced";
        return NULL;
    }
    struct image *image = find(images, &st, wanted->generation);
    if (image)
        return image;
    image = calloc(1, sizeof(*image));
    if (!image) {
        *why = "no memory";
        return NULL;
    }
    image->size = wanted->size, image->generation = wanted->generation;
    image->dev = st.st_dev, image->ino = st.st_ino;
    *why = map_fd(fd, image);
    if (*why) {
        free(image);
        return NULL;
    }
    image->next = images->list;
    images->list = image;
    images->mapped++;
    return image;
}

static struct image *open_and_map(struct images *images, const struct hg_down_image *wanted, const char **why)
{
    if (!name_ok(wanted->name, sizeof(wanted->name))) {
        *why = "its name is no route image's";
        return NULL;
    }
    int fd = shm_open(wanted->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (fd < 0) {
        *why = "it cannot be opened";
        return NULL;
    }
    struct image *image = map(images, wanted, fd, why);
    close(fd);
    return image;
}

static bool in_use(struct images *images, const struct image *image)
{
    for (unsigned i = 0; i < images->cores; i++) {
        struct slot *s = &images->slot[i];
        if (s->given == image || atomic_load_explicit(&s->in_force, memory_order_acquire) == image)
            return true;
    }
    return false;
}

unsigned images_serve(struct images *images)
{
    unsigned served = 0;
    for (unsigned i = 0; i < images->cores; i++) {
        struct slot *s = &images->slot[i];
        if (atomic_load_explicit(&s->state, memory_order_acquire) != SLOT_ASKED)
            continue;
        const char *why = NULL;
        struct image *image = open_and_map(images, &s->wanted, &why);
        s->why = why;
        if (image)
            s->given = image;
        atomic_store_explicit(&s->state, image ? SLOT_READY : SLOT_REFUSED, memory_order_release);
        served++;
    }
    for (struct image **p = &images->list; *p;) {
        struct image *image = *p;
        if (in_use(images, image)) {
            p = &image->next;
            continue;
        }
        *p = image->next;
        unmap(images, image);
    }
    return served;
}

unsigned images_mapped(const struct images *images)
{
    return images->mapped;
}

void images_ask(struct images *images, unsigned core, const struct hg_down_image *wanted)
{
    struct slot *s = &images->slot[core];
    s->wanted = *wanted;
    atomic_store_explicit(&s->state, SLOT_ASKED, memory_order_release);
}

enum images_answer images_poll(struct images *images, unsigned core, const void **base, uint64_t *size,
                               const char **why)
{
    struct slot *s = &images->slot[core];
    switch (atomic_load_explicit(&s->state, memory_order_acquire)) {
    case SLOT_READY:
        *base = s->given->base;
        *size = s->given->size;
        atomic_store_explicit(&s->state, SLOT_IDLE, memory_order_relaxed);
        return IMAGES_READY;
    case SLOT_REFUSED:
        *why = s->why;
        atomic_store_explicit(&s->state, SLOT_IDLE, memory_order_relaxed);
        return IMAGES_REFUSED;
    default:
        return IMAGES_WAIT;
    }
}

void images_in_force(struct images *images, unsigned core)
{
    struct slot *s = &images->slot[core];
    atomic_store_explicit(&s->in_force, s->given, memory_order_release);
}
