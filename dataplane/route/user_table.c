/* SPDX-License-Identifier: BSD-2-Clause */
#include "route/user_table.h"

#include <string.h>
#include <sys/mman.h>

#define ROUND_MASK ((1u << USER_ROUND_BITS) - 1)
#define HUGE_PAGE  (2ul << 20)

/* The search for a place looks at this many buckets at most: at 90 % fill a handful is the rule. */
#define SEARCH_MAX 512

static uint32_t tag_of(const struct hg_user_key *key)
{
    return (uint32_t)key->h[0];
}

static uint64_t mark_of(uint32_t tag, uint16_t node, uint32_t round)
{
    return (uint64_t)tag << 32 | (uint64_t)node << USER_ROUND_BITS | round;
}

static uint32_t mark_tag(uint64_t mark)
{
    return (uint32_t)(mark >> 32);
}

static uint16_t mark_node(uint64_t mark)
{
    return (uint16_t)(mark >> USER_ROUND_BITS & ((1u << USER_NODE_BITS) - 1));
}

static uint32_t mark_round(uint64_t mark)
{
    return (uint32_t)mark & ROUND_MASK;
}

static uint64_t scale(uint64_t hash, uint64_t n)
{
    return (uint64_t)((__uint128_t)hash * n >> 64);
}

static uint64_t first_bucket(const struct user_table *t, const struct hg_user_key *key)
{
    return scale(key->h[0], t->nbuckets);
}

/* The two buckets of an entry add up to a number that the entry alone gives, so that it can be moved without
 * its key and without a power of two of buckets. */
static uint64_t other_bucket(const struct user_table *t, uint64_t bucket, uint64_t high)
{
    uint64_t sum = scale(high * 0x9e3779b97f4a7c15ull, t->nbuckets);
    return sum >= bucket ? sum - bucket : sum + t->nbuckets - bucket;
}

static int bucket_find(const struct user_bucket *b, uint64_t high, uint32_t tag)
{
    for (int i = 0; i < USER_BUCKET; i++)
        if (b->e[i].high == high && b->e[i].mark != 0 && mark_tag(b->e[i].mark) == tag)
            return i;
    return -1;
}

bool user_table_open(struct user_table *t, uint64_t users)
{
    memset(t, 0, sizeof(*t));
    t->nbuckets = users * 10 / 9 / USER_BUCKET + 2; /* 90 % full at most */
    t->mapped = t->nbuckets * sizeof(struct user_bucket);
    if (t->mapped >= HUGE_PAGE)
        t->mapped = (t->mapped + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    void *p = mmap(NULL, t->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    (void)madvise(p, t->mapped, MADV_HUGEPAGE); /* a wish: without huge pages it is slower, not wrong */
    memset(p, 0, t->mapped);                    /* no page fault in a turn */
    t->buckets = p;
    t->sweep = t->nbuckets;
    t->round = 1;
    return true;
}

void user_table_close(struct user_table *t)
{
    if (t->buckets)
        munmap(t->buckets, t->mapped);
    t->buckets = NULL;
}

void user_table_prefetch(const struct user_table *t, const struct hg_user_key *key)
{
    uint64_t b = first_bucket(t, key);
    __builtin_prefetch(&t->buckets[b]);
    __builtin_prefetch(&t->buckets[other_bucket(t, b, key->h[1])]);
}

static struct user_entry *find(const struct user_table *t, const struct hg_user_key *key)
{
    uint64_t b = first_bucket(t, key);
    int i = bucket_find(&t->buckets[b], key->h[1], tag_of(key));
    if (i < 0) {
        b = other_bucket(t, b, key->h[1]);
        i = bucket_find(&t->buckets[b], key->h[1], tag_of(key));
    }
    return i < 0 ? NULL : &t->buckets[b].e[i];
}

uint16_t user_table_find(const struct user_table *t, const struct hg_user_key *key)
{
    const struct user_entry *e = find(t, key);
    return e ? mark_node(e->mark) : 0;
}

/* While a sweep is under way, what it would remove is room already: so nothing stale is ever moved behind it.
 */
static int bucket_room(const struct user_table *t, const struct user_bucket *b)
{
    bool sweeping = t->sweep < t->nbuckets;
    for (int i = 0; i < USER_BUCKET; i++)
        if (b->e[i].mark == 0 || (sweeping && mark_round(b->e[i].mark) != t->round))
            return i;
    return -1;
}

struct step {
    uint64_t bucket;
    int16_t from; /* step before, -1 for the first two */
    int8_t place; /* in that step's bucket: the entry that moves here */
};

/* Breadth first: the shortest chain of moves that ends at a free place. Returns the last step, -1 without
 * any. */
static int search(const struct user_table *t, struct step *steps, uint64_t first, uint64_t second)
{
    int head = 0, tail = 0;
    steps[tail++] = (struct step){first, -1, -1};
    steps[tail++] = (struct step){second, -1, -1};
    for (; head < tail; head++) {
        const struct user_bucket *b = &t->buckets[steps[head].bucket];
        if (bucket_room(t, b) >= 0)
            return head;
        for (int8_t i = 0; i < USER_BUCKET && tail < SEARCH_MAX; i++) {
            uint64_t to = other_bucket(t, steps[head].bucket, b->e[i].high);
            steps[tail++] = (struct step){to, (int16_t)head, i};
        }
    }
    return -1;
}

/* Whether one bucket stands twice in a chain: moving along it would then lose an entry. */
static bool chain_repeats(const struct step *steps, int last)
{
    for (int a = last; a >= 0; a = steps[a].from)
        for (int b = steps[a].from; b >= 0; b = steps[b].from)
            if (steps[a].bucket == steps[b].bucket)
                return true;
    return false;
}

static struct user_entry *make_room(struct user_table *t, const struct hg_user_key *key)
{
    struct step steps[SEARCH_MAX];
    uint64_t first = first_bucket(t, key), second = other_bucket(t, first, key->h[1]);
    int at = search(t, steps, first, second);
    if (at < 0 || chain_repeats(steps, at))
        return NULL;
    struct user_entry *room = &t->buckets[steps[at].bucket].e[bucket_room(t, &t->buckets[steps[at].bucket])];
    if (room->mark != 0)
        t->used--; /* stale */
    for (; steps[at].from >= 0; at = steps[at].from) {
        struct user_entry *moved = &t->buckets[steps[steps[at].from].bucket].e[steps[at].place];
        *room = *moved;
        room = moved;
    }
    return room;
}

bool user_table_set(struct user_table *t, const struct hg_user_key *key, uint16_t node)
{
    struct user_entry *e = find(t, key);
    if (!e) {
        e = make_room(t, key);
        if (!e)
            return false;
        t->used++;
    }
    *e = (struct user_entry){key->h[1], mark_of(tag_of(key), node, t->round)};
    return true;
}

bool user_table_delete(struct user_table *t, const struct hg_user_key *key)
{
    struct user_entry *e = find(t, key);
    if (!e)
        return false;
    *e = (struct user_entry){0, 0};
    t->used--;
    return true;
}

void user_table_round(struct user_table *t)
{
    t->round = t->round == ROUND_MASK ? 1 : t->round + 1;
    t->sweep = t->nbuckets;
}

void user_table_sweep_start(struct user_table *t)
{
    t->sweep = 0;
}

bool user_table_sweep(struct user_table *t, unsigned n)
{
    for (unsigned seen = 0; seen + USER_BUCKET <= n && t->sweep < t->nbuckets;
         seen += USER_BUCKET, t->sweep++) {
        struct user_bucket *b = &t->buckets[t->sweep];
        for (int i = 0; i < USER_BUCKET; i++) {
            if (b->e[i].mark == 0 || mark_round(b->e[i].mark) == t->round)
                continue;
            b->e[i] = (struct user_entry){0, 0};
            t->used--;
        }
    }
    return t->sweep >= t->nbuckets;
}
