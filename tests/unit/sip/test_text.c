/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers, addresses and branches as text, against the C library and against what reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sip/branch.h"
#include "sip/text.h"

static void number(uint32_t v)
{
    char want[16], got[64];
    int n = snprintf(want, sizeof(want), "%u", v);
    struct text t = text_over(got, sizeof(got)), tight = text_over(got + 32, (uint32_t)n);
    text_number(&t, v);
    assert_int_equal(text_done(&t).len, n);
    assert_memory_equal(got, want, n);
    got[32 + n] = 0x5a;
    text_number(&tight, v);
    assert_false(tight.over);
    assert_memory_equal(got + 32, want, n);
    assert_int_equal(got[32 + n], 0x5a);
    tight = text_over(got + 32, (uint32_t)n - 1);
    text_number(&tight, v);
    assert_true(tight.over);
}

static void numbers(void **state)
{
    (void)state;
    srandom(7);
    for (uint32_t v = 0; v < 200000; v++)
        number(v);
    for (uint64_t power = 10; power <= UINT32_MAX; power *= 10) {
        number((uint32_t)power - 1);
        number((uint32_t)power);
        for (unsigned i = 0; i < 1000; i++)
            number((uint32_t)((uint64_t)random() % power));
    }
    number(UINT32_MAX);
}

static void addresses(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 256; v++)
        for (unsigned place = 0; place < 4; place++) {
            struct hg_ip ip = hg_ip_from4(0x01020304);
            char want[HG_IP_STRLEN], got[64];
            ip.b[12 + place] = (uint8_t)v;
            int n = hg_ip_format(&ip, want);
            for (unsigned room = (unsigned)n; room < 20; room++) {
                struct text t = text_over(got, room);
                text_host(&t, &ip);
                assert_false(t.over);
                assert_int_equal(text_done(&t).len, n);
                assert_memory_equal(got, want, n);
            }
            struct text t = text_over(got, (uint32_t)n - 1);
            text_host(&t, &ip);
            assert_true(t.over);
        }
}

/* What is written is read again, bit for bit; any digit that changes is noticed. */
static void branches(void **state)
{
    (void)state;
    const struct hg_hash_secret secret = {{11, 13}};
    srandom(8);
    for (unsigned i = 0; i < 2000; i++) {
        struct branch b = {.id = (uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^ (uint64_t)random(),
                           .loop = (uint32_t)random() * 2 + 1,
                           .boot = (uint32_t)random() * 2,
                           .kind = i % 2 ? BRANCH_STATELESS : BRANCH_TRANSACTION,
                           .node = (uint8_t)random(),
                           .core = (uint8_t)random()},
                      got;
        char text[BRANCH_LEN + 1];
        text[BRANCH_LEN] = '!';
        branch_write(&secret, &b, text);
        assert_int_equal(text[BRANCH_LEN], '!');
        struct slice s = slice_of(text, BRANCH_LEN);
        assert_int_equal(branch_read(&secret, b.node, b.boot, s, &got), BRANCH_OURS);
        assert_true(got.id == b.id && got.loop == b.loop && got.boot == b.boot && got.kind == b.kind &&
                    got.node == b.node && got.core == b.core);
        unsigned at = 18 + (unsigned)random() % (BRANCH_LEN - 18); /* behind node and boot */
        text[at] = text[at] == '0' ? '1' : '0';
        assert_int_equal(branch_read(&secret, b.node, b.boot, s, &got), BRANCH_FORGED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(addresses),
        cmocka_unit_test(branches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
