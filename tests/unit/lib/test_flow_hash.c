/* SPDX-License-Identifier: BSD-2-Clause */
/* Which core a flow is at home on, asked both ways and as a port's RSS does it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/flow_hash.h"

static uint64_t seed = 88172645463325252ull;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static struct hg_ip draw_ip(bool is4)
{
    struct hg_ip ip;
    if (is4)
        return hg_ip_from4((uint32_t)draw());
    for (unsigned i = 0; i < 16; i++)
        ip.b[i] = (uint8_t)draw();
    return ip;
}

/* RSS as specified: every bit of the input adds the 32 bits of the key that begin where it stands. */
static uint32_t toeplitz(const uint8_t *in, unsigned len)
{
    uint8_t key[64];
    uint32_t hash = 0;
    for (unsigned i = 0; i < sizeof(key); i++)
        key[i] = i & 1 ? 0x5a : 0x6d;
    for (unsigned bit = 0; bit < len * 8; bit++) {
        uint64_t window = 0;
        for (unsigned i = 0; i < 5; i++)
            window = window << 8 | key[bit / 8 + i];
        if (in[bit / 8] & 0x80 >> bit % 8)
            hash ^= (uint32_t)(window >> (8 - bit % 8));
    }
    return hash;
}

static unsigned as_the_port(const struct hg_ip *a, uint16_t ap, const struct hg_ip *b, uint16_t bp,
                            unsigned cores)
{
    uint8_t in[36];
    unsigned from = hg_ip_is4(a) ? 12 : 0, n = 16 - from;
    memcpy(in, a->b + from, n);
    memcpy(in + n, b->b + from, n);
    uint8_t *p = in + 2 * n;
    p[0] = (uint8_t)(ap >> 8);
    p[1] = (uint8_t)ap;
    p[2] = (uint8_t)(bp >> 8);
    p[3] = (uint8_t)bp;
    /* a table of 512 entries */
    return toeplitz(in, 2 * n + 4) % 512 % FLOW_RSS_SLOTS % cores;
}

static void both_directions_meet(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4000; i++) {
        struct flow_home home = {.seed = draw(), .cores = (uint16_t)(1 + draw() % 64), .kind = i & 1};
        struct hg_ip a = draw_ip(i & 2), b = draw_ip(i & 2);
        uint16_t ap = (uint16_t)draw(), bp = (uint16_t)draw();
        unsigned core = flow_core_of(&home, &a, ap, &b, bp);
        assert_in_range(core, 0, home.cores - 1u);
        assert_int_equal(core, flow_core_of(&home, &b, bp, &a, ap));
        if (home.kind == FLOW_TOEPLITZ && home.cores > 1)
            assert_int_equal(core, as_the_port(&a, ap, &b, bp, home.cores));
    }
}

/* One end fixed, as for the clients of a listener, or for an outgoing connection that looks for a port. */
static void ports_spread_evenly(void **state)
{
    (void)state;
    struct hg_ip a = hg_ip_from4(0x0100000a), b = hg_ip_from4(0x0900000a);
    for (unsigned kind = FLOW_SOFTWARE; kind <= FLOW_TOEPLITZ; kind++) {
        struct flow_home home = {.seed = 7, .cores = 4, .kind = (uint8_t)kind};
        unsigned hits[4] = {0};
        for (uint32_t port = 1024; port < 1024 + 32768; port++)
            hits[flow_core_of(&home, &a, 5060, &b, (uint16_t)port)]++;
        for (unsigned i = 0; i < 4; i++)
            assert_in_range(hits[i], 7700, 8700);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_meet),
        cmocka_unit_test(ports_spread_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
