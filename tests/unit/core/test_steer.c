/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/steer.h"

static const struct flow_home home = {.seed = 0x5eed, .cores = 8};

static uint64_t rng = 88172645463325252ull;

static uint64_t draw(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

static uint32_t frame4(uint8_t *f, bool vlan, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
    uint32_t at = 14;

    memset(f, 0, 128);
    f[12] = 8;
    if (vlan) {
        memcpy(f + 12, (uint8_t[]){0x81, 0, 0, 7, 8, 0}, 6);
        at += 4;
    }
    uint8_t *ip = f + at;
    ip[0] = 0x45;
    ip[9] = 17;
    memcpy(ip + 12, &src, 4);
    memcpy(ip + 16, &dst, 4);
    ip[20] = (uint8_t)(sport >> 8);
    ip[21] = (uint8_t)sport;
    ip[22] = (uint8_t)(dport >> 8);
    ip[23] = (uint8_t)dport;
    return at + 28;
}

static uint32_t frame6(uint8_t *f, const uint8_t *src, const uint8_t *dst, uint16_t sport, uint16_t dport)
{
    memset(f, 0, 128);
    f[12] = 0x86;
    f[13] = 0xdd;
    uint8_t *ip = f + 14;
    ip[0] = 0x60;
    ip[6] = 17;
    memcpy(ip + 8, src, 16);
    memcpy(ip + 24, dst, 16);
    ip[40] = (uint8_t)(sport >> 8);
    ip[41] = (uint8_t)sport;
    ip[42] = (uint8_t)(dport >> 8);
    ip[43] = (uint8_t)dport;
    return 14 + 48;
}

static void both_directions_meet(void **state)
{
    (void)state;
    uint8_t f[128];
    uint32_t a, b;

    for (unsigned i = 0; i < 2000; i++) {
        uint32_t src = (uint32_t)draw(), dst = (uint32_t)draw();
        uint16_t sport = (uint16_t)draw(), dport = (uint16_t)draw();
        bool vlan = draw() & 1;
        assert_int_equal(steer_hash(f, frame4(f, vlan, src, dst, sport, dport), &home, &a), STEER_FLOW);
        assert_int_equal(steer_hash(f, frame4(f, vlan, dst, src, dport, sport), &home, &b), STEER_FLOW);
        assert_int_equal(a, b);
        uint8_t s6[16], d6[16];
        for (unsigned k = 0; k < 16; k++) {
            s6[k] = (uint8_t)draw();
            d6[k] = (uint8_t)draw();
        }
        assert_int_equal(steer_hash(f, frame6(f, s6, d6, sport, dport), &home, &a), STEER_FLOW);
        assert_int_equal(steer_hash(f, frame6(f, d6, s6, dport, sport), &home, &b), STEER_FLOW);
        assert_int_equal(a, b);
    }
}

/* The usual case: many addresses of one network talk to one address, both on port 5060. */
static void neighbouring_addresses_are_spread(void **state)
{
    (void)state;
    unsigned hits[8] = {0};
    uint8_t f[128];
    uint32_t hash;

    for (uint32_t i = 0; i < 8000; i++) {
        steer_hash(
            f, frame4(f, false, __builtin_bswap32(0x0a000100 + i), __builtin_bswap32(0x0a000001), 5060, 5060),
            &home, &hash);
        hits[steer_core(hash, 8)]++;
    }
    for (unsigned i = 0; i < 8; i++)
        assert_in_range(hits[i], 850, 1150);
}

static void all_fragments_go_to_one_core(void **state)
{
    (void)state;
    uint8_t f[128];
    uint32_t first, later, other;
    uint32_t n = frame4(f, false, 0x0100000a, 0x0200000a, 5060, 5060);

    f[14 + 4] = 0x12;
    f[14 + 6] = 0x20; /* more fragments */
    assert_int_equal(steer_hash(f, n, &home, &first), STEER_FRAGMENT);
    f[14 + 6] = 0;
    f[14 + 7] = 185; /* offset; what stands where the ports were is payload */
    f[14 + 20] = 0xaa;
    assert_int_equal(steer_hash(f, n, &home, &later), STEER_FRAGMENT);
    assert_int_equal(first, later);
    f[14 + 4] = 0x13;
    assert_int_equal(steer_hash(f, n, &home, &other), STEER_FRAGMENT);
    assert_int_not_equal(first, other);
}

static void ip6_fragments_are_found_behind_extensions(void **state)
{
    (void)state;
    uint8_t f[128], s[16] = {0xfd}, d[16] = {0xfd, 1};
    uint32_t a, b;

    frame6(f, s, d, 0, 0);
    uint8_t *ip = f + 14;
    ip[6] = 0;   /* hop-by-hop, 8 bytes */
    ip[40] = 60; /* destination options, 16 bytes */
    ip[41] = 0;
    ip[48] = 44;
    ip[49] = 1;
    ip[64] = 17; /* fragment header */
    ip[68] = 0x99;
    assert_int_equal(steer_hash(f, 14 + 80, &home, &a), STEER_FRAGMENT);
    ip[66] = 1; /* another offset */
    ip[72] = 0x77;
    assert_int_equal(steer_hash(f, 14 + 80, &home, &b), STEER_FRAGMENT);
    assert_int_equal(a, b);
}

static void other_frames_stay(void **state)
{
    (void)state;
    uint8_t arp[42] = {[12] = 8, [13] = 6};
    uint32_t hash;

    assert_int_equal(steer_hash(arp, sizeof(arp), &home, &hash), STEER_HERE);
}

/* Any bytes of any length: no read past the end (exact allocations, for the address sanitizer), no crash. */
static void payload_is_found(void **state)
{
    (void)state;
    uint8_t f[256] = {0}, a[16] = {0xfd, 1}, b[16] = {0xfd, 2};
    struct hg_ip src;
    uint32_t at;

    for (unsigned vlan = 0; vlan < 2; vlan++) {
        uint32_t len = frame4(f, vlan != 0, 0x0200000a, 0x0100000a, 5060, 5060);
        assert_false(steer_payload(f, len, &src, &at)); /* nothing in it */
        assert_true(steer_payload(f, len + 1, &src, &at));
        assert_int_equal(at, len);
        assert_true(hg_ip_is4(&src));
        f[14 + vlan * 4 + 9] = 6;
        assert_false(steer_payload(f, len + 1, &src, &at));
    }
    uint32_t len = frame6(f, a, b, 5060, 5060);
    assert_true(steer_payload(f, len + 1, &src, &at));
    assert_int_equal(at, 14 + 40 + 8);
    assert_memory_equal(src.b, a, 16);
    for (uint32_t n = 0; n < at; n++)
        assert_false(steer_payload(f, n, &src, &at));
}

/* The short way to a flow that was just seen says what the long one says, or nothing. */
static void a_flow_is_known_again(void **state)
{
    (void)state;
    static const struct hg_ip any;
    struct steer_flow f = {0};
    uint8_t a[128], b[128];
    uint32_t hash, again, at;
    uint32_t len = frame4(a, false, 0x0200000a, 0x0100000a, 5080, 5060) + 10;

    assert_false(steer_flow_again(&f, a, len));
    assert_int_equal(steer_hash(a, len, &home, &hash), STEER_FLOW);
    steer_flow_note(&f, a, len, hash);
    assert_true(steer_flow_again(&f, a, len));
    assert_int_equal(f.hash, hash);
    struct hg_ip src = any;
    assert_true(steer_payload(a, len, &src, &at));
    assert_int_equal(at, STEER_PLAIN_PAYLOAD);
    assert_true(hg_ip_eq(&src, &f.src));
    assert_false(steer_flow_again(&f, a, STEER_PLAIN_PAYLOAD));
    for (unsigned byte = 0; byte < STEER_PLAIN_PAYLOAD; byte++)
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(b, a, sizeof(b));
            b[byte] ^= (uint8_t)(1u << bit);
            if (!steer_flow_again(&f, b, len))
                continue;
            assert_int_equal(steer_hash(b, len, &home, &again), STEER_FLOW);
            assert_int_equal(again, hash);
            assert_true(steer_payload(b, len, &src, &at));
            assert_int_equal(at, STEER_PLAIN_PAYLOAD);
        }
    assert_false(steer_flow_again(&f, b, frame4(b, true, 0x0200000a, 0x0100000a, 5080, 5060) + 10));
    steer_flow_note(&f, b, len, 1); /* a VLAN: not of that kind */
    assert_true(steer_flow_again(&f, a, len));
    assert_int_equal(f.hash, hash);
}

static void garbage_is_harmless(void **state)
{
    (void)state;
    uint32_t hash;

    for (unsigned i = 0; i < 200000; i++) {
        uint32_t len = (uint32_t)(draw() % 100);
        uint8_t *f = malloc(len + 1);
        for (uint32_t k = 0; k < len; k++)
            f[k] = (uint8_t)draw();
        if (len > 14) {
            f[12] = draw() & 1 ? 0x08 : 0x86;
            f[13] = f[12] == 8 ? 0 : 0xdd;
        }
        if (len > 20)
            f[14] = f[12] == 8 ? (uint8_t)(0x40 | (draw() & 15)) : 0x60, f[20] = draw() & 1 ? 60 : 44;
        uint8_t *exact = malloc(len ? len : 1);
        memcpy(exact, f, len);
        steer_hash(exact, len, &home, &hash);
        free(exact);
        free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_meet),
        cmocka_unit_test(neighbouring_addresses_are_spread),
        cmocka_unit_test(all_fragments_go_to_one_core),
        cmocka_unit_test(ip6_fragments_are_found_behind_extensions),
        cmocka_unit_test(other_frames_stay),
        cmocka_unit_test(payload_is_found),
        cmocka_unit_test(a_flow_is_known_again),
        cmocka_unit_test(garbage_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
