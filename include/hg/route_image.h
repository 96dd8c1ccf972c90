/* SPDX-License-Identifier: BSD-2-Clause */
/* The compiled image of static routes, access lists and names: one flat block of offsets that the control
 * plane writes into a mapping and the cores only read. Nothing in it is trusted before hg_image_check has
 * seen it whole. One hash table finds everything by text; a wildcard costs one probe per length or form that
 * exists, so that the cost of a look-up is bounded by the length of the subject and not by the number of
 * routes. */
#ifndef HG_ROUTE_IMAGE_H
#define HG_ROUTE_IMAGE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "hg/endpoint.h"
#include "hg/limits.h"
#include "hg/word.h"

#define HG_IMAGE_MAGIC   0x48475f524f555445ull
#define HG_IMAGE_LAYOUT  3
#define HG_IMAGE_PROBES  255 /* slots looked at for one key at most; the compiler sees to it */
#define HG_IMAGE_TARGETS 32  /* endpoints of one route: what a name may resolve to */
#define HG_IMAGE_SUFFIX_FORMS                                                                                \
    16 /* lengths before the asterisk for one non-empty ending of a host pattern                             \
        */
#define HG_IMAGE_NONE UINT32_MAX

enum hg_image_kind {
    HG_KEY_USER = 1,  /* user without wildcard: value = group */
    HG_KEY_PREFIX,    /* literals before trailing wildcards: value = prefix */
    HG_KEY_SHAPE,     /* embedded wildcards as NUL, context = shape: value = group */
    HG_KEY_HOST,      /* host without asterisk: value = group */
    HG_KEY_SUFFIX,    /* what follows the asterisk, reversed: value = suffix */
    HG_KEY_BOTH,      /* what precedes the asterisk, context = suffix: value = group */
    HG_KEY_LOCAL,     /* a domain of our own */
    HG_KEY_NAME,      /* a name that was resolved: value = host */
    HG_KEY_NEIGHBOUR, /* 16 bytes of address: value = neighbour */
    HG_KEY_NETWORK,   /* 16 bytes of masked address, context = bits: value = dense number */
    HG_KEY_KINDS
};

struct hg_image_slot {
    uint32_t tag;   /* upper half of the hash */
    uint32_t entry; /* index + 1; 0 = empty */
};

#define HG_IMAGE_HEAD 16
struct hg_image_entry {
    uint32_t value;
    uint32_t context;
    uint32_t text; /* offset in the text section of what does not fit into head */
    uint16_t len;
    uint8_t kind;
    uint8_t pad;
    char head[HG_IMAGE_HEAD];
};
static_assert(sizeof(struct hg_image_entry) == 32, "half a cache line");

/* Patterns with the same literals before their trailing wildcards. What is the rule stands here too: where
 * there is only one, which is nearly everywhere, nothing else has to be read. */
struct hg_image_prefix {
    uint32_t rule; /* first of nexact + nstar rules, each part sorted by len, shortest first */
    uint16_t nexact, nstar;
    uint32_t group; /* of the only rule */
    uint16_t len;
    uint16_t pad;
};
static_assert(sizeof(struct hg_image_prefix) == 16, "layout");

struct hg_image_rule {
    uint32_t group;
    uint16_t len; /* of the subject: exactly, or at least */
    uint16_t pad;
};

struct hg_image_suffix {
    uint32_t group; /* of the pattern that begins with the asterisk, or HG_IMAGE_NONE */
    uint32_t form;  /* first of nforms lengths, longest first */
    uint32_t nforms;
};

enum hg_image_route_flags {
    HG_IMAGE_IN_SERVICE = 1,
    HG_IMAGE_BLOCK = 2,
    HG_IMAGE_STATEFUL = 4,
    HG_IMAGE_PARALLEL = 8,
    HG_IMAGE_LESS_SPECIFIC = 16,
    HG_IMAGE_NO_TRANSPORT = 32,
};

struct hg_image_route {
    uint32_t slot;    /* of route_stats */
    uint32_t target;  /* first */
    uint16_t hop;     /* of the only target */
    uint8_t ntargets; /* 0: not resolved */
    uint8_t flags;
    uint16_t priority, weight;
};
static_assert(sizeof(struct hg_image_route) == 16, "layout");

/* Routes of one identical pattern. Groups are numbered by specificity, the most specific first. */
struct hg_image_group {
    uint32_t route; /* first; sorted by priority, a blocked one first */
    uint32_t nroutes;
    struct hg_image_route only; /* a copy, where nroutes is 1 */
};
static_assert(sizeof(struct hg_image_group) == 24, "layout");

struct hg_image_target {
    uint16_t hop;
    uint16_t priority, weight; /* of the SRV record; 0 and 1 for addresses */
    uint16_t pad;
};

struct hg_image_hop { /* by hop slot */
    struct hg_endpoint ep;
    uint32_t serial; /* changes when the slot gets another endpoint; 0 = unused */
};
static_assert(sizeof(struct hg_image_hop) == 24, "layout");

struct hg_image_neighbour {
    uint32_t rate, burst; /* rate 0: exempt */
    uint32_t id;          /* of its name: stays when the order in the configuration changes */
};

struct hg_image_shape { /* a form of embedded wildcards; there are as many as templates */
    uint16_t len;
    uint8_t star;
    uint8_t pad[5];
    uint64_t any[4]; /* bit i: a wildcard stands at i */
};

enum hg_image_section {
    HG_SECTION_SLOTS, /* a power of two */
    HG_SECTION_ENTRIES,
    HG_SECTION_PREFIXES,
    HG_SECTION_RULES,
    HG_SECTION_SUFFIXES,
    HG_SECTION_FORMS, /* bytes */
    HG_SECTION_GROUPS,
    HG_SECTION_ROUTES,
    HG_SECTION_TARGETS,
    HG_SECTION_HOPS,
    HG_SECTION_NEIGHBOURS,
    HG_SECTION_HOSTS, /* struct hg_endpoint */
    HG_SECTION_TEXT,  /* bytes */
    HG_SECTIONS
};

struct hg_image {
    uint64_t magic;
    uint32_t layout;
    uint32_t header; /* sizeof(struct hg_image) */
    uint64_t size;
    uint64_t generation;
    uint64_t seed;   /* of the hash */
    uint32_t probes; /* longest run of slots to look at */
    uint32_t nshapes;
    uint32_t nnets; /* lengths in net_bits */
    uint32_t networks;
    uint64_t prefix_lens[4]; /* bit n: there is a prefix of n bytes, 0 .. 255 */
    uint64_t suffix_lens[4];
    struct hg_image_shape shape[HG_TEMPLATES_MAX];
    uint8_t net_bits[136]; /* longest first */
    struct {
        uint64_t offset; /* from the start of the image, a multiple of 8 */
        uint64_t n;      /* elements */
    } section[HG_SECTIONS];
};

/* Everything that a look-up relies on. false: why says what is wrong (a constant string). */
bool hg_image_check(const void *image, uint64_t size, const char **why);

#define HG_IMAGE_AT(image, section_, type)                                                                   \
    ((const type *)(const void *)((const char *)(image) + (image)->section[section_].offset))

/* ---- the hash, the same in compiler and look-up ---- */
static inline uint64_t hg_image_mix(uint64_t h, uint64_t w)
{
    __uint128_t m = (__uint128_t)(h ^ w) * 0x9e3779b97f4a7c15ull;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* A subject made ready: the hash of each of its beginnings costs one step. */
#define HG_IMAGE_TEXT_MAX 256
struct hg_image_text {
    uint32_t len; /* of the subject; only the first HG_IMAGE_TEXT_MAX bytes stand in c */
    uint32_t stored;
    uint64_t tail; /* what follows the last whole word */
    uint64_t state[HG_IMAGE_TEXT_MAX / 8 + 1];
    char c[HG_IMAGE_TEXT_MAX + 8];
};

static inline void hg_image_text_seal(struct hg_image_text *t, uint64_t seed)
{
    memset(t->c + t->stored, 0, 8);
    t->tail = hg_load64(t->c + (t->stored & ~7u));
    t->state[0] = seed;
    for (uint32_t i = 0; i < t->stored / 8; i++)
        t->state[i + 1] = hg_image_mix(t->state[i], hg_load64(t->c + 8 * i));
}

static inline void hg_image_text_set(struct hg_image_text *t, uint64_t seed, const char *p, uint32_t len)
{
    t->len = len;
    t->stored = len < HG_IMAGE_TEXT_MAX ? len : HG_IMAGE_TEXT_MAX;
    /* hashed from where it stands: a word read over two pieces just written would wait for both */
    t->tail = hg_tail64(p, t->stored);
    t->state[0] = seed;
    for (uint32_t i = 0; i < t->stored / 8; i++)
        t->state[i + 1] = hg_image_mix(t->state[i], hg_load64(p + 8 * i));
    memcpy(t->c, p, t->stored);
}

/* Hash of the first len bytes, len <= stored. */
static inline uint64_t hg_image_hash(const struct hg_image_text *t, uint32_t len, uint8_t kind,
                                     uint32_t context)
{
    uint64_t tail = len / 8 == t->stored / 8 ? t->tail : hg_load64(t->c + (len & ~7u));
    tail &= (1ull << (len & 7) * 8) - 1;
    uint64_t h = hg_image_mix(t->state[len / 8], tail);
    return hg_image_mix(h, (uint64_t)context << 32 | (uint64_t)len << 8 | kind);
}

static inline bool hg_image_same(const struct hg_image *image, const struct hg_image_entry *e, const char *c,
                                 uint32_t len)
{
    if (len <= HG_IMAGE_HEAD)
        return memcmp(e->head, c, len) == 0;
    return memcmp(e->head, c, HG_IMAGE_HEAD) == 0 &&
           memcmp(HG_IMAGE_AT(image, HG_SECTION_TEXT, char) + e->text, c + HG_IMAGE_HEAD,
                  len - HG_IMAGE_HEAD) == 0;
}

static inline const struct hg_image_entry *hg_image_find(const struct hg_image *image,
                                                         const struct hg_image_text *t, uint32_t len,
                                                         uint8_t kind, uint32_t context)
{
    const struct hg_image_slot *slots = HG_IMAGE_AT(image, HG_SECTION_SLOTS, struct hg_image_slot);
    const struct hg_image_entry *entries = HG_IMAGE_AT(image, HG_SECTION_ENTRIES, struct hg_image_entry);
    uint64_t mask = image->section[HG_SECTION_SLOTS].n - 1;
    uint64_t h = hg_image_hash(t, len, kind, context);
    for (uint32_t i = 0; i < image->probes; i++) {
        const struct hg_image_slot *s = &slots[(h + i) & mask];
        if (s->entry == 0)
            return NULL;
        if (s->tag != (uint32_t)(h >> 32))
            continue;
        const struct hg_image_entry *e = &entries[s->entry - 1];
        if (e->kind == kind && e->len == len && e->context == context && hg_image_same(image, e, t->c, len))
            return e;
    }
    return NULL;
}

#endif
