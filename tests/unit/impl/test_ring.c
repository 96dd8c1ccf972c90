/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings between processes: order, wrap, killed in the middle, damaged by the other side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "hg/records.h"
#include "impl/ring.h"

#define CELLS 64u

struct numbered { /* a record whose content follows from its number */
    struct hg_record r;
    uint8_t fill[1200];
};

static void *shared(size_t size)
{
    void *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(m != MAP_FAILED);
    return m;
}

static struct hg_ring make(uint32_t cells)
{
    struct hg_ring ring;
    void *m = shared(hg_ring_bytes(cells));
    assert_true(hg_ring_make(m, "t", cells));
    assert_true(hg_ring_open(&ring, m, cells));
    return ring;
}

static void unmake(struct hg_ring *ring)
{
    munmap(ring->r, hg_ring_bytes(ring->ncells));
}

static uint32_t length_of(uint64_t n)
{
    return (uint32_t)(sizeof(struct hg_record) + (n * 7919) % sizeof(((struct numbered *)0)->fill));
}

static uint32_t build(struct numbered *x, uint64_t n)
{
    uint32_t length = length_of(n);
    x->r = (struct hg_record){.type = 3, .version = HG_RECORD_VERSION, .length = length, .seq = n};
    memset(x->fill, (int)(n * 31), sizeof(x->fill));
    return length;
}

/* Number of the record in buf, which must be exactly what build() makes. */
static uint64_t verify(const char *buf)
{
    static struct numbered want;
    const struct hg_record *r = (const void *)buf;
    uint32_t length = build(&want, r->seq);
    assert_int_equal(r->length, length);
    assert_memory_equal(buf, &want, length);
    return r->seq;
}

static void order_and_wrap(void **state)
{
    (void)state;
    struct hg_ring ring = make(CELLS);
    static char buf[HG_RECORD_MAX] __attribute__((aligned(64)));
    static struct numbered x;
    uint64_t in = 0, out = 0;
    while (out < 5000) {
        for (unsigned burst = in % 5; burst-- > 0;) {
            if (!hg_ring_put(&ring, &x, build(&x, in + 1)))
                break;
            in++;
        }
        if (in == out && hg_ring_put(&ring, &x, build(&x, in + 1)))
            in++;
        struct hg_reader reader;
        hg_reader_begin(&reader, &ring);
        while (hg_reader_next(&reader, buf) == HG_TAKE_RECORD) {
            assert_int_equal(verify(buf), out + 1);
            out++;
        }
        hg_reader_end(&reader, &ring);
        assert_int_equal(in, out);
    }
    assert_int_equal(hg_ring_used(&ring), 0);
    unmake(&ring);
}

static void full_and_partial_release(void **state)
{
    (void)state;
    struct hg_ring ring = make(CELLS);
    char cell[64] = {0}, buf[128] __attribute__((aligned(64)));
    struct hg_record *r = (void *)cell;
    struct hg_spans spans;
    for (uint64_t i = 1; i < CELLS; i++) {
        *r = (struct hg_record){.type = 1, .length = 64, .seq = i};
        assert_true(hg_ring_put(&ring, cell, 64));
    }
    assert_false(hg_ring_put(&ring, cell, 1));
    assert_false(hg_ring_reserve(&ring, 0, &spans));
    assert_int_equal(hg_ring_used(&ring), CELLS - 1);

    struct hg_reader reader;
    hg_reader_begin(&reader, &ring);
    assert_int_equal(hg_reader_next(&reader, buf), HG_TAKE_RECORD);
    hg_reader_end(&reader, &ring);
    assert_int_equal(hg_ring_used(&ring), CELLS - 2);
    hg_reader_begin(&reader, &ring); /* nothing taken: nothing released */
    hg_reader_end(&reader, &ring);
    assert_int_equal(hg_ring_used(&ring), CELLS - 2);

    assert_true(hg_ring_reserve(&ring, 64, &spans));
    assert_false(hg_ring_reserve(&ring, 64, &spans)); /* one at a time */
    hg_ring_commit(&ring, 0);                         /* given back */
    assert_int_equal(hg_ring_used(&ring), CELLS - 2);
    assert_true(hg_ring_put(&ring, cell, 64));
    unmake(&ring);
}

static void broken_length(void **state)
{
    (void)state;
    const uint32_t bad[] = {0, 1, 15, 65, 4096, HG_RECORD_MAX + 1, 0x80000000u, UINT32_MAX};
    static char buf[HG_RECORD_MAX] __attribute__((aligned(64)));
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct hg_ring ring = make(CELLS);
        struct hg_record r = {.type = 1, .length = 16, .seq = 1};
        struct hg_reader reader;
        assert_true(hg_ring_put(&ring, &r, 16));
        r.length = bad[i];
        assert_true(hg_ring_put(&ring, &r, 16));
        hg_reader_begin(&reader, &ring);
        assert_int_equal(hg_reader_next(&reader, buf), HG_TAKE_RECORD);
        assert_int_equal(hg_reader_next(&reader, buf), HG_TAKE_BROKEN);
        assert_int_equal(hg_reader_next(&reader, buf), HG_TAKE_NONE);
        hg_reader_end(&reader, &ring);
        assert_int_equal(hg_ring_used(&ring), 0);
        r.length = 16; /* and goes on at a record's start */
        r.seq = 9;
        assert_true(hg_ring_put(&ring, &r, 16));
        hg_reader_begin(&reader, &ring);
        assert_int_equal(hg_reader_next(&reader, buf), HG_TAKE_RECORD);
        assert_int_equal(((struct hg_record *)buf)->seq, 9);
        hg_reader_end(&reader, &ring);
        unmake(&ring);
    }
}

/* The other process may scribble over the ring's own words: no access outside, no endless loop. */
static void damaged_words(void **state)
{
    (void)state;
    static char buf[HG_RECORD_MAX] __attribute__((aligned(64)));
    size_t head = hg_ring_bytes(CELLS) - CELLS * 64;
    srand(4711);
    for (unsigned round = 0; round < 20000; round++) {
        static struct hg_ring ring;
        if (!ring.r)
            ring = make(CELLS);
        assert_true(hg_ring_make(ring.r, "t", CELLS));
        assert_true(hg_ring_open(&ring, ring.r, CELLS));
        uint32_t *words = (void *)ring.r;
        unsigned n = 1 + (unsigned)rand() % 4;
        while (n--)
            words[(unsigned)rand() % (head / 4)] =
                rand() % 2 ? (uint32_t)rand() * 2654435761u : (uint32_t)rand() % 200;
        struct hg_record r = {.type = 1, .length = 16, .seq = 1};
        hg_ring_put(&ring, &r, 16);
        hg_ring_put(&ring, buf, 1000);
        struct hg_reader reader;
        hg_reader_begin(&reader, &ring);
        for (unsigned i = 0; i < 2 * CELLS && hg_reader_next(&reader, buf) != HG_TAKE_NONE; i++)
            ;
        hg_reader_end(&reader, &ring);
        hg_ring_used(&ring);
    }
}

static void open_refuses(void **state)
{
    (void)state;
    struct hg_ring ring, other;
    ring = make(CELLS);
    assert_false(hg_ring_open(&other, ring.r, 2 * CELLS));
    assert_false(hg_ring_open(&other, ring.r, CELLS - 1));
    assert_false(hg_ring_open(&other, (char *)ring.r + 8, CELLS));
    assert_false(hg_ring_make(ring.r, "t", 63));
    memset(ring.r, 0, hg_ring_bytes(CELLS));
    assert_false(hg_ring_open(&other, ring.r, CELLS));
    unmake(&ring);
}

/* A producer that is killed between reserve and commit, again and again; each next one repairs and goes on
 * after the last number that was acknowledged. *acked is written after each commit. */
static void producer_child(struct hg_ring *ring, uint64_t *acked, unsigned seed)
{
    static struct numbered x;
    srand(seed);
    hg_ring_repair_producer(ring);
    unsigned lives = (unsigned)rand() % 40;
    for (uint64_t n = *acked + 1;; n++) {
        struct hg_spans spans;
        uint32_t length = build(&x, n);
        while (!hg_ring_reserve(ring, length, &spans))
            ;
        if (lives-- == 0) {
            memset(spans.p1, 0xee, spans.n1); /* what nobody may ever read */
            kill(getpid(), SIGKILL);
        }
        hg_spans_write(&spans, 0, &x, length);
        hg_ring_commit(ring, length);
        __atomic_store_n(acked, n, __ATOMIC_RELEASE);
    }
}

static void killed_producer(void **state)
{
    (void)state;
    struct hg_ring ring = make(CELLS);
    static char buf[HG_RECORD_MAX] __attribute__((aligned(64)));
    uint64_t *acked = shared(4096), seen = 0;
    for (unsigned round = 0; round < 300; round++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            producer_child(&ring, acked, round);
        for (bool dead = false;;) {
            struct hg_reader reader;
            hg_reader_begin(&reader, &ring);
            enum hg_take got;
            while ((got = hg_reader_next(&reader, buf)) == HG_TAKE_RECORD) {
                /* committed but not acknowledged: the next producer sends it again */
                assert_in_range(verify(buf), seen, seen + 1);
                seen = verify(buf);
            }
            assert_int_equal(got, HG_TAKE_NONE);
            hg_reader_end(&reader, &ring);
            if (dead)
                break;
            dead = waitpid(pid, NULL, WNOHANG) == pid; /* then once more what it left */
        }
        assert_true(seen >= *acked);
    }
    assert_true(seen > 1000);
    munmap(acked, 4096);
    unmake(&ring);
}

static void consumer_child(struct hg_ring *ring, uint64_t *taken, uint64_t *bad, unsigned seed)
{
    static char buf[HG_RECORD_MAX] __attribute__((aligned(64)));
    static struct numbered want;
    srand(seed);
    hg_ring_repair_consumer(ring);
    unsigned lives = (unsigned)rand() % 40;
    for (;;) {
        struct hg_reader reader;
        hg_reader_begin(&reader, ring);
        enum hg_take got;
        while ((got = hg_reader_next(&reader, buf)) == HG_TAKE_RECORD) {
            const struct hg_record *r = (const void *)buf;
            uint32_t length = build(&want, r->seq);
            if (r->length != length || memcmp(buf, &want, length) != 0 || r->seq > *taken + 1)
                ++*bad;
            if (r->seq == *taken + 1)
                __atomic_store_n(taken, r->seq, __ATOMIC_RELEASE);
            if (lives-- == 0)
                kill(getpid(), SIGKILL);
        }
        *bad += got == HG_TAKE_BROKEN;
        hg_reader_end(&reader, ring);
    }
}

static void killed_consumer(void **state)
{
    (void)state;
    struct hg_ring ring = make(CELLS);
    static struct numbered x;
    uint64_t *words = shared(4096), *taken = &words[0], *bad = &words[8], sent = 0;
    for (unsigned round = 0; round < 300; round++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            consumer_child(&ring, taken, bad, round);
        while (waitpid(pid, NULL, WNOHANG) != pid)
            if (hg_ring_put(&ring, &x, build(&x, sent + 1)))
                sent++;
        assert_int_equal(*bad, 0);
        assert_true(*taken <= sent);
    }
    assert_true(*taken > 1000);
    munmap(words, 4096);
    unmake(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_and_wrap),  cmocka_unit_test(full_and_partial_release),
        cmocka_unit_test(broken_length),   cmocka_unit_test(damaged_words),
        cmocka_unit_test(open_refuses),    cmocka_unit_test(killed_producer),
        cmocka_unit_test(killed_consumer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
