/* SPDX-License-Identifier: BSD-2-Clause */
/* The shared segment: made afresh, attached after every check, refused with words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "hg/records.h"
#include "impl/segment.h"

static char node[64], path[128], error[HG_SEGMENT_ERROR];

static struct hg_segment_spec spec(void)
{
    return (struct hg_segment_spec){.node = node,
                                    .cores = 3,
                                    .ring_cells = 256,
                                    .route_slots = 100,
                                    .hop_slots = 50,
                                    .tsc_hz = 2000000000,
                                    .boot = 7};
}

static int setup(void **state)
{
    (void)state;
    snprintf(node, sizeof(node), "unit-%d", (int)getpid());
    snprintf(path, sizeof(path), "/dev/shm/hg-%s", node);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void made_and_attached(void **state)
{
    (void)state;
    struct hg_segment dp, cp;
    struct hg_segment_spec s = spec();
    assert_int_equal(hg_segment_attach(node, &cp, error), HG_ATTACH_ABSENT);
    assert_true(hg_segment_create(&s, &dp, error));
    assert_int_equal(hg_segment_attach(node, &cp, error), HG_ATTACH_OK);
    assert_int_equal(cp.cores, 3);
    assert_int_equal(cp.ring_cells, 256);
    assert_int_equal(cp.header->boot, 7);
    assert_memory_equal(&cp.header->secret, &dp.header->secret, sizeof(cp.header->secret));
    assert_true(cp.header->secret.k[0] | cp.header->secret.k[1]);
    assert_true(hg_segment_current(&cp));
    /* both see the same memory at other addresses, and cores do not overlap */
    for (unsigned i = 0; i < 3; i++) {
        dp.core[i].area->counters[0] = 100 + i;
        dp.core[i].route_stats[99].failed = 200 + i;
        dp.core[i].hop_stats[49].state = 300 + i;
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(cp.core[i].area->counters[0], 100 + i);
        assert_int_equal(cp.core[i].route_stats[99].failed, 200 + i);
        assert_int_equal(cp.core[i].hop_stats[49].state, 300 + i);
        struct hg_ring a, b;
        assert_true(hg_ring_open(&a, dp.core[i].down, 256));
        assert_true(hg_ring_open(&b, cp.core[i].down, 256));
        struct hg_record r = {.type = 1, .length = 16, .seq = i};
        assert_true(hg_ring_put(&b, &r, 16));
        assert_int_equal(hg_ring_used(&a), 1);
    }
    hg_segment_detach(&cp);
    hg_segment_destroy(&dp);
    assert_int_equal(access(path, F_OK), -1);
}

static void one_of_each(void **state)
{
    (void)state;
    struct hg_segment dp, dp2, cp, cp2;
    struct hg_segment_spec s = spec();
    assert_true(hg_segment_vacant(node, error));
    assert_true(hg_segment_create(&s, &dp, error));
    assert_false(hg_segment_create(&s, &dp2, error));
    assert_non_null(strstr(error, "another hg-dataplane"));
    error[0] = '\0';
    assert_false(hg_segment_vacant(node, error)); /* what the second one asks before it touches the ports */
    assert_non_null(strstr(error, "another hg-dataplane"));
    assert_int_equal(hg_segment_attach(node, &cp, error), HG_ATTACH_OK);
    assert_int_equal(hg_segment_attach(node, &cp2, error), HG_ATTACH_BUSY);
    assert_non_null(strstr(error, "another hg-controlplane"));
    hg_segment_detach(&cp);
    assert_int_equal(hg_segment_attach(node, &cp, error), HG_ATTACH_OK);
    hg_segment_detach(&cp);
    hg_segment_destroy(&dp);
}

/* A dataplane that was killed leaves its object; the next start makes another under the same name, and who
 * has the old one mapped sees that it is not current. */
static void killed_dataplane(void **state)
{
    (void)state;
    struct hg_segment cp, cp2, dp;
    struct hg_segment_spec s = spec();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        bool made = hg_segment_create(&s, &dp, error);
        kill(getpid(), made ? SIGKILL : SIGTERM);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_int_equal(hg_segment_attach(node, &cp, error), HG_ATTACH_OK);
    uint64_t size = cp.size;
    assert_true(hg_segment_create(&s, &dp, error));
    assert_false(hg_segment_current(&cp));
    assert_int_equal(cp.header->magic, HG_SEGMENT_MAGIC); /* not truncated under our feet */
    assert_int_equal(cp.header->size, size);
    assert_memory_not_equal(&cp.header->secret, &dp.header->secret, sizeof(dp.header->secret));
    assert_int_equal(hg_segment_attach(node, &cp2, error), HG_ATTACH_OK);
    hg_segment_detach(&cp);
    hg_segment_detach(&cp2);
    hg_segment_destroy(&dp);
}

static void half_made(void **state)
{
    (void)state;
    struct hg_segment dp;
    struct hg_segment_spec s = spec();
    char temporary[160];
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    int fd = open(temporary, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0 && ftruncate(fd, 100) == 0);
    close(fd);
    assert_true(hg_segment_create(&s, &dp, error));
    assert_int_equal(access(temporary, F_OK), -1);
    hg_segment_destroy(&dp);
}

static void refused(struct hg_segment *dp, const char *a, const char *b)
{
    struct hg_segment cp;
    assert_int_equal(hg_segment_attach(node, &cp, error), HG_ATTACH_REFUSED);
    assert_null(cp.header);
    if (!strstr(error, a) || !strstr(error, b))
        fail_msg("\"%s\" lacks \"%s\" or \"%s\"", error, a, b);
    (void)dp;
}

static void mismatch_named(void **state)
{
    (void)state;
    struct hg_segment dp;
    struct hg_segment_spec s = spec();
    assert_true(hg_segment_create(&s, &dp, error));
    struct hg_segment_header *h = dp.header, good = *h;

    h->layout = 42;
    refused(&dp, "layout 0000002a", "install the same version");
    *h = good;
    h->dpdk ^= 0x10000;
    refused(&dp, "DPDK", "install the same version");
    *h = good;
    h->magic = 1;
    refused(&dp, "not a Heliograph segment", "0000000000000001");
    *h = good;
    h->size += 64;
    refused(&dp, "bytes but has", "restart");
    *h = good;
    h->cores = 0;
    refused(&dp, "0 cores", "1 to 64");
    h->cores = 65;
    refused(&dp, "65 cores", "1 to 64");
    *h = good;
    h->ring_cells = 255;
    refused(&dp, "255 ring cells", "power of two");
    *h = good;
    h->area_size *= 2;
    refused(&dp, "areas of 3 cores", "size");
    *h = good;
    h->area_offset = UINT64_MAX & ~63ull;
    refused(&dp, "areas of 3 cores", "size");
    *h = good;
    h->route_slots = 1 << 30;
    refused(&dp, "core 0", "leaves its area");
    *h = good;
    struct hg_core_area *a = dp.core[2].area, area = *a;
    a->down_offset = dp.size - 64;
    refused(&dp, "core 2", "leaves its area");
    *a = area;
    a->up_offset = 0;
    refused(&dp, "core 2", "leaves its area");
    *a = area;
    a->urgent_down_offset = dp.size;
    refused(&dp, "core 2", "leaves its area");
    *a = area;
    a->urgent_up_offset = 64;
    refused(&dp, "core 2", "leaves its area");
    *a = area;
    memset(dp.core[0].urgent_up, 0xff, 512);
    refused(&dp, "ring of core 0", "damaged");
    memset(dp.core[1].up, 0xff, 512);
    refused(&dp, "ring of core", "damaged");
    hg_segment_destroy(&dp);
}

static void not_a_segment(void **state)
{
    (void)state;
    struct hg_segment cp, dp;
    struct hg_segment_spec s = spec();
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0 && write(fd, "hello", 5) == 5);
    assert_int_equal(hg_segment_attach(node, &cp, error), HG_ATTACH_REFUSED);
    assert_non_null(strstr(error, "too small"));
    close(fd);
    assert_int_equal(hg_segment_attach("../x", &cp, error), HG_ATTACH_REFUSED);
    assert_int_equal(hg_segment_attach("", &cp, error), HG_ATTACH_REFUSED);
    s.ring_cells = 100;
    assert_false(hg_segment_create(&s, &dp, error));
    s = spec();
    s.cores = 65;
    assert_false(hg_segment_create(&s, &dp, error));
    s = spec();
    s.node = "a/b";
    assert_false(hg_segment_create(&s, &dp, error));
}

/* The dataplane sees a control plane of another ABI, which cannot write into the segment. */
static void mismatch_seen_by_dataplane(void **state)
{
    (void)state;
    char card[160];
    uint32_t layout = 7;
    snprintf(card, sizeof(card), "%s~cp", path);
    assert_true(hg_segment_fits_control(node, error)); /* none yet */
    hg_segment_hello(node);
    assert_true(hg_segment_fits_control(node, error));
    int fd = open(card, O_RDWR);
    assert_true(fd >= 0 && pwrite(fd, &layout, 4, 8) == 4);
    assert_false(hg_segment_fits_control(node, error));
    assert_non_null(strstr(error, "layout 00000007"));
    assert_non_null(strstr(error, "install the same version"));
    assert_int_equal(ftruncate(fd, 20), 0);
    assert_true(hg_segment_fits_control(node, error)); /* no card at all */
    close(fd);
    hg_segment_hello(node);
    hg_segment_goodbye(node);
    assert_int_equal(access(card, F_OK), -1);
}

/* Two processes or one: the name is held once, also when the file was taken away in between. */
static void one_control_plane(void **state)
{
    (void)state;
    char lock[160];
    snprintf(lock, sizeof(lock), "%s~cp.lock", path);
    int first = hg_segment_claim(node, error);
    assert_true(first >= 0);
    assert_int_equal(hg_segment_claim(node, error), -1);
    assert_non_null(strstr(error, "another hg-controlplane"));
    assert_non_null(strstr(error, node));
    hg_segment_release(node, first);
    assert_int_equal(access(lock, F_OK), -1);
    int second = hg_segment_claim(node, error);
    assert_true(second >= 0);
    assert_int_equal(hg_segment_claim(node, error), -1);
    hg_segment_release(node, second);
}

/* Any header and areas at all: attach refuses or everything that it gives lies inside the mapping. */
static void random_headers(void **state)
{
    (void)state;
    struct hg_segment dp, cp;
    struct hg_segment_spec s = spec();
    assert_true(hg_segment_create(&s, &dp, error));
    struct hg_segment_header good = *dp.header;
    struct hg_core_area area = *dp.core[1].area;
    srand(1);
    for (unsigned i = 0; i < 3000; i++) {
        uint32_t *words = (void *)dp.header, *more = (void *)&dp.core[1].area->down_offset;
        words[2 + (unsigned)rand() % 24] = rand() % 2 ? (uint32_t)rand() : (uint32_t)rand() % 4096 * 64;
        if (rand() % 2)
            more[(unsigned)rand() % 12] = rand() % 2 ? (uint32_t)rand() : (uint32_t)rand() % 4096 * 64;
        if (hg_segment_attach(node, &cp, error) == HG_ATTACH_OK) {
            for (unsigned c = 0; c < cp.cores; c++) {
                const char *end = (const char *)cp.header + cp.size;
                assert_true((const char *)(cp.core[c].hop_stats + cp.hop_slots) <= end);
                assert_true((const char *)(cp.core[c].route_stats + cp.route_slots) <= end);
                assert_true((const char *)cp.core[c].down + hg_ring_bytes(cp.ring_cells) <= end);
                assert_true((const char *)cp.core[c].up + hg_ring_bytes(cp.ring_cells) <= end);
                assert_true((const char *)cp.core[c].urgent_down + hg_ring_bytes(HG_URGENT_CELLS) <= end);
                assert_true((const char *)cp.core[c].urgent_up + hg_ring_bytes(HG_URGENT_CELLS) <= end);
            }
            hg_segment_detach(&cp);
        }
        *dp.header = good;
        *dp.core[1].area = area;
    }
    hg_segment_destroy(&dp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(made_and_attached, setup, teardown),
        cmocka_unit_test_setup_teardown(one_of_each, setup, teardown),
        cmocka_unit_test_setup_teardown(killed_dataplane, setup, teardown),
        cmocka_unit_test_setup_teardown(half_made, setup, teardown),
        cmocka_unit_test_setup_teardown(mismatch_named, setup, teardown),
        cmocka_unit_test_setup_teardown(mismatch_seen_by_dataplane, setup, teardown),
        cmocka_unit_test_setup_teardown(one_control_plane, setup, teardown),
        cmocka_unit_test_setup_teardown(not_a_segment, setup, teardown),
        cmocka_unit_test_setup_teardown(random_headers, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
