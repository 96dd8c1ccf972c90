/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "net/checksum.h"
#include "rig.h"

/* Every length up to a few vectors, each placed against a page that must not be touched. */
static void all_variants_agree(void **state)
{
    (void)state;
    const checksum_fn variants[] = {
        checksum_plain,
        checksum_best(),
        __builtin_cpu_supports("avx2") ? checksum_avx2 : checksum_plain,
        __builtin_cpu_supports("avx512bw") ? checksum_avx512 : checksum_plain,
    };
    long page = sysconf(_SC_PAGESIZE);
    uint8_t *area = mmap(NULL, (size_t)page * 3, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(area != MAP_FAILED);
    assert_int_equal(mprotect(area + 2 * page, (size_t)page, PROT_NONE), 0);
    for (long i = 0; i < 2 * page; i++)
        area[i] = (uint8_t)(rand() >> 5 | (i % 7 == 0 ? 0xff : 0));
    for (uint32_t len = 0; len < 1500; len++) {
        const uint8_t *p = area + 2 * page - len;
        uint16_t want = sum_of(p, len, 0x1234);
        for (unsigned v = 0; v < sizeof(variants) / sizeof(variants[0]); v++) {
            uint16_t got = (uint16_t)~checksum_fold(variants[v](p, len, 0x3412));
            assert_int_equal(__builtin_bswap16(got), want);
        }
    }
    munmap(area, (size_t)page * 3);
}

static void largest(void **state)
{
    (void)state;
    static uint8_t ones[65535];
    memset(ones, 0xff, sizeof(ones));
    uint16_t want = __builtin_bswap16(sum_of(ones, sizeof(ones), 0));
    assert_int_equal((uint16_t)~checksum_fold(checksum_plain(ones, sizeof(ones), 0)), want);
    assert_int_equal((uint16_t)~checksum_fold(checksum_best()(ones, sizeof(ones), 0)), want);
    assert_int_equal(checksum_fold(UINT64_MAX), 0xffff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_variants_agree), cmocka_unit_test(largest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
