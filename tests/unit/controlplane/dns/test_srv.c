/* SPDX-License-Identifier: BSD-2-Clause */
/* L12, L28, M08: SRV answers as they come from a network that nobody trusts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/srv.h"

/* _sip._udp.a. SRV -> 1 20 5062 b.a. (ttl 300), 2 0 5060 . (ttl 60), and a CNAME (ttl 30) */
static const unsigned char answer[] = {
    0,    1,   0x81, 0x80, 0,   1, 0,   3,   0,   0,   0, 0,                        /* header */
    4,    '_', 's',  'i',  'p', 4, '_', 'u', 'd', 'p', 1, 'a', 0,    0,  33, 0,  1, /* question */
    0xc0, 12,  0,    33,   0,   1, 0,   0,   1,   44,  0, 10,  0,    1,  0,  20, 0x13, 0xc6, 1, 'b',
    0xc0, 22, /* 1 20 5062 */
    0xc0, 12,  0,    33,   0,   1, 0,   0,   0,   60,  0, 7,   0,    2,  0,  0,  0x13, 0xc4, 0, /* 2 0 5060 .
                                                                                                 */
    0xc0, 12,  0,    5,    0,   1, 0,   0,   0,   30,  0, 2,   0xc0, 22,                        /* CNAME a. */
};

static int parse(const unsigned char *p, int len, struct srv *out, uint32_t *ttl)
{
    /* at the end of an allocation: whatever reads on is found */
    unsigned char *copy = malloc((size_t)len + 1);
    memcpy(copy + 1, p, (size_t)len);
    int n = srv_parse(copy + 1, len, out, 4, ttl);
    free(copy);
    return n;
}

static void records_and_the_shortest_ttl(void **state)
{
    struct srv srv[4];
    uint32_t ttl;

    (void)state;
    assert_int_equal(parse(answer, sizeof(answer), srv, &ttl), 2);
    assert_int_equal(ttl, 30);
    assert_int_equal(srv[0].priority, 1);
    assert_int_equal(srv[0].weight, 20);
    assert_int_equal(srv[0].port, 5062);
    assert_string_equal(srv[0].target, "b.a");
    assert_string_equal(srv[1].target, "");
}

static void every_truncation_is_refused(void **state)
{
    struct srv srv[4];
    uint32_t ttl;

    (void)state;
    for (int len = 0; len < (int)sizeof(answer); len++)
        assert_int_equal(parse(answer, len, srv, &ttl), -1);
}

static void mutations_never_crash(void **state)
{
    struct srv srv[4];
    uint32_t ttl;

    (void)state;
    srandom(3);
    for (unsigned i = 0; i < 200000; i++) {
        unsigned char copy[sizeof(answer)];
        memcpy(copy, answer, sizeof(copy));
        for (unsigned k = 0; k < 3; k++)
            copy[(unsigned)random() % sizeof(copy)] = (unsigned char)random();
        assert_true(parse(copy, sizeof(copy), srv, &ttl) <= 4);
    }
}

static void a_name_that_points_at_itself_is_refused(void **state)
{
    unsigned char loop[sizeof(answer)];
    struct srv srv[4];
    uint32_t ttl;

    (void)state;
    memcpy(loop, answer, sizeof(loop));
    loop[30] = 29; /* the first answer's name: a pointer to itself */
    assert_int_equal(parse(loop, sizeof(loop), srv, &ttl), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_and_the_shortest_ttl),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(mutations_never_crash),
        cmocka_unit_test(a_name_that_points_at_itself_is_refused),
    };
    return cmocka_run_group_tests_name("controlplane_srv", tests, NULL, NULL);
}
