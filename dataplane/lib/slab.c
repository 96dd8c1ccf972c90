/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/slab.h"

#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define SLAB_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_ASAN 1
#endif
#endif
#ifdef SLAB_ASAN
#include <sanitizer/asan_interface.h>
#define SLAB_HIDE(p, n) __asan_poison_memory_region(p, n)
#define SLAB_SHOW(p, n) __asan_unpoison_memory_region(p, n)
#else
#define SLAB_HIDE(p, n) (void)0
#define SLAB_SHOW(p, n) (void)0
#endif

#define LINE     64u
#define NEXT_MAX 512u

struct free_object {
    struct free_object *next;
};

struct slab {
    char *base;
    struct free_object *free;
    uint32_t size;
    uint32_t max;
    uint32_t fresh; /* objects from here on were never handed out */
    uint32_t used;
};

struct slab *slab_create(uint32_t size, uint32_t max)
{
    struct slab *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    if (size == 0 || max == 0 || size > UINT32_MAX - LINE) {
        free(s);
        return NULL;
    }
    s->size = (size + LINE - 1) & ~(LINE - 1);
    s->max = max;
    s->base = mmap(NULL, (uint64_t)s->size * max, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s->base == MAP_FAILED) {
        free(s);
        return NULL;
    }
    (void)madvise(s->base, (uint64_t)s->size * max, MADV_HUGEPAGE); /* a wish */
    SLAB_HIDE(s->base, (uint64_t)s->size * max);
    return s;
}

void slab_destroy(struct slab *s)
{
    if (s == NULL)
        return;
    SLAB_SHOW(s->base, (uint64_t)s->size * s->max);
    munmap(s->base, (uint64_t)s->size * s->max);
    free(s);
}

void *slab_get(struct slab *s)
{
    struct free_object *o = s->free;

    if (o != NULL) {
        SLAB_SHOW(o, s->size);
        s->free = o->next;
        /* it was put back long ago, and is written from its beginning */
        for (uint32_t line = 0; s->free != NULL && line < s->size && line < NEXT_MAX; line += LINE)
            __builtin_prefetch((const char *)s->free + line, 1);
    } else if (s->fresh < s->max) {
        o = (struct free_object *)(s->base + (uint64_t)s->size * s->fresh++);
        SLAB_SHOW(o, s->size);
    } else {
        return NULL;
    }
    s->used++;
    return o;
}

void slab_put(struct slab *s, void *object)
{
    struct free_object *o = object;

    o->next = s->free;
    s->free = o;
    s->used--;
    SLAB_HIDE(o, s->size);
}

uint32_t slab_used(const struct slab *s)
{
    return s->used;
}

uint32_t slab_max(const struct slab *s)
{
    return s->max;
}

uint32_t slab_object_size(const struct slab *s)
{
    return s->size;
}

uint32_t slab_index(const struct slab *s, const void *object)
{
    return (uint32_t)((uint64_t)((const char *)object - s->base) / s->size);
}

void *slab_at(const struct slab *s, uint32_t index)
{
    return index < s->fresh ? s->base + (uint64_t)s->size * index : NULL;
}

static const struct {
    uint32_t size, share; /* of the messages: one in share */
} sized_class[SIZED_CLASSES] = {{512, 1}, {1024, 1}, {2048, 1}, {4096, 4}, {16384, 16}, {SIZED_MAX, 64}};

bool sized_create(struct sized_slabs *s, uint32_t messages)
{
    for (unsigned i = 0; i < SIZED_CLASSES; i++)
        s->slab[i] = NULL;
    for (unsigned i = 0; i < SIZED_CLASSES; i++) {
        uint32_t max = messages / sized_class[i].share;
        s->slab[i] = slab_create(sized_class[i].size, max < 16 ? 16 : max);
        if (s->slab[i] == NULL) {
            sized_destroy(s);
            return false;
        }
    }
    return true;
}

void sized_destroy(struct sized_slabs *s)
{
    for (unsigned i = 0; i < SIZED_CLASSES; i++) {
        slab_destroy(s->slab[i]);
        s->slab[i] = NULL;
    }
}

void *sized_get(struct sized_slabs *s, uint32_t len)
{
    for (unsigned i = 0; i < SIZED_CLASSES; i++) {
        if (len > sized_class[i].size)
            continue;
        void *object = slab_get(s->slab[i]);
        if (object != NULL)
            return object;
    }
    return NULL;
}

void sized_put(struct sized_slabs *s, void *object)
{
    if (object == NULL)
        return;
    for (unsigned i = 0; i < SIZED_CLASSES; i++) {
        struct slab *slab = s->slab[i];
        uint64_t offset = (uint64_t)((char *)object - slab->base);
        if (offset < (uint64_t)slab->size * slab->max) {
            slab_put(slab, object);
            return;
        }
    }
}

uint64_t sized_used_bytes(const struct sized_slabs *s)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < SIZED_CLASSES; i++)
        bytes += (uint64_t)s->slab[i]->used * s->slab[i]->size;
    return bytes;
}
