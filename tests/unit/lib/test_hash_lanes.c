/* SPDX-License-Identifier: BSD-2-Clause */
/* Hashing many at once gives what hashing each by itself gives, whatever the instruction set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/hash_lanes.h"

static const struct hg_hash_secret secret = {{0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull}};

#define BYTES_MAX (8 * HASH_LANE_WORDS - 1)

struct input {
    uint32_t len;
    char text[BYTES_MAX];
};

/* The words of SipHash: eight bytes each, the last with the length on top. */
static void add(struct hash_lanes *h, const struct input *in)
{
    uint32_t words = in->len / 8 + 1;
    for (uint32_t i = 0; i < words; i++) {
        uint64_t w = 0;
        memcpy(&w, in->text + 8 * i, i + 1 < words ? 8 : in->len % 8);
        h->word[i][h->n] = w | (i + 1 < words ? 0 : (uint64_t)in->len << 56);
    }
    hash_lanes_added(h, words);
}

static void random_input(struct input *in, uint32_t most)
{
    in->len = (uint32_t)random() % (most + 1);
    for (uint32_t i = 0; i < in->len; i++)
        in->text[i] = (char)random();
}

static void run(hash_lanes_fn hash, bool wide, uint32_t most)
{
    static struct hash_lanes h;
    struct input in[HASH_LANES];
    unsigned n = 1 + (unsigned)random() % HASH_LANES;
    hash_lanes_reset(&h);
    for (unsigned i = 0; i < n; i++) {
        random_input(&in[i], most);
        add(&h, &in[i]);
    }
    hash(&h, &secret, wide);
    for (unsigned i = 0; i < n; i++) {
        uint64_t want[2];
        if (wide)
            hg_siphash128(&secret, in[i].text, in[i].len, want);
        else
            want[0] = hg_siphash64(&secret, in[i].text, in[i].len);
        assert_true(h.out[0][i] == want[0]);
        assert_true(!wide || h.out[1][i] == want[1]);
    }
}

static void runs(hash_lanes_fn hash)
{
    srandom(1);
    for (unsigned i = 0; i < 20000; i++)
        run(hash, i & 1, i & 2 ? BYTES_MAX : 20);
}

static void plain(void **state)
{
    (void)state;
    runs(hash_lanes_plain);
}

static void avx2(void **state)
{
    (void)state;
    if (!__builtin_cpu_supports("avx2"))
        skip();
    runs(hash_lanes_avx2);
}

static void avx512(void **state)
{
    (void)state;
    if (!__builtin_cpu_supports("avx512f"))
        skip();
    runs(hash_lanes_avx512);
}

/* The words of a user's name, from any place in memory and up to any number. */
static void names(void **state)
{
    static struct hash_lanes h;
    static struct hg_user_domain domain;
    char user[160], host[80];
    (void)state;
    srandom(3);
    for (unsigned round = 0; round < 20000; round++) {
        uint32_t nu = (uint32_t)random() % sizeof(user), nh = (uint32_t)random() % sizeof(host);
        for (uint32_t i = 0; i < nu; i++)
            user[i] = (char)random();
        for (uint32_t i = 0; i < nh; i++)
            host[i] = (char)random();
        assert_true(hg_user_domain_set(&domain, slice_of(host, nh)));
        hash_lanes_reset(&h);
        unsigned lane = round % HASH_LANES;
        h.n = lane;
        uint32_t words =
            hg_user_key_words(slice_of(user, nu), &domain, &h.word[0][lane], HASH_LANES, HASH_LANE_WORDS);
        assert_int_equal(words, nu + 1 + nh >= 8 * HASH_LANE_WORDS ? 0 : (nu + 1 + nh) / 8 + 1);
        if (words == 0)
            continue;
        hash_lanes_added(&h, words);
        h.least = 0; /* what the lanes before it would be */
        hash_lanes_best()(&h, &secret, true);
        struct hg_user_key want = hg_user_key(&secret, slice_of(user, nu), slice_of(host, nh));
        assert_true(h.out[0][lane] == want.h[0] && h.out[1][lane] == want.h[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(avx2),
        cmocka_unit_test(avx512),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
