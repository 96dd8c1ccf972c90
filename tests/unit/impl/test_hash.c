/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "hg/user_key.h"
#include "hg/word.h"

/* the key of the published vectors: bytes 00 .. 0f */
static const struct hg_hash_secret secret = {{0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull}};

static void published_vectors(void **state)
{
    (void)state;
    uint64_t out[2];
    assert_int_equal(hg_siphash64(&secret, "", 0), 0x726fdb47dd0e0e31ull);
    /* the example of the SipHash paper, appendix A: 15 bytes 00 .. 0e */
    uint8_t in[15];
    for (uint8_t i = 0; i < sizeof(in); i++)
        in[i] = i;
    assert_int_equal(hg_siphash64(&secret, in, sizeof(in)), 0xa129ca6149be45e5ull);
    hg_siphash128(&secret, "", 0, out);
    assert_int_equal(out[0], 0xe6a825ba047f81a3ull);
    assert_int_equal(out[1], 0x930255c71472f66dull);
}

static void openssl_siphash(const uint8_t *in, size_t len, size_t size, void *out)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_construct_end()};
    assert_int_equal(EVP_MAC_init(ctx, (const uint8_t *)&secret, 16, params), 1);
    assert_int_equal(EVP_MAC_update(ctx, in, len), 1);
    assert_int_equal(EVP_MAC_final(ctx, out, &size, size), 1);
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
}

static void agrees_with_openssl(void **state)
{
    (void)state;
    uint8_t in[600];
    uint64_t want[2], got[2];
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 7);
    for (size_t len = 0; len <= sizeof(in); len++) {
        openssl_siphash(in, len, 16, want);
        hg_siphash128(&secret, in, (uint32_t)len, got);
        assert_memory_equal(want, got, 16);
        openssl_siphash(in, len, 8, want);
        got[0] = hg_siphash64(&secret, in, (uint32_t)len);
        assert_memory_equal(want, got, 8);
    }
    openssl_siphash(in, 19, 8, want);
    got[0] = hg_siphash64_19(&secret, hg_load64(in), hg_load64(in + 8), in[16] | in[17] << 8 | in[18] << 16);
    assert_memory_equal(want, got, 8);
}

/* A key is the hash of user@domain with the domain in lower case, whatever the lengths. */
static void user_keys(void **state)
{
    (void)state;
    static char user[1500], domain[1500], joined[3001];
    srandom(2);
    for (int round = 0; round < 20000; round++) {
        uint32_t nu = (uint32_t)random() % (round % 100 ? 60 : sizeof(user));
        uint32_t nd = (uint32_t)random() % (round % 100 ? 60 : sizeof(domain));
        for (uint32_t i = 0; i < nu; i++)
            joined[i] = user[i] = (char)random();
        joined[nu] = '@';
        for (uint32_t i = 0; i < nd; i++) {
            domain[i] = (char)random();
            joined[nu + 1 + i] = ascii_lower(domain[i]);
        }
        uint64_t want[2];
        hg_siphash128(&secret, joined, nu + 1 + nd, want);
        struct hg_user_key key = hg_user_key(&secret, slice_of(user, nu), slice_of(domain, nd));
        assert_memory_equal(want, key.h, 16);
    }
    struct hg_user_key a = hg_user_key(&secret, slice_str("Bob"), slice_str("Example.COM"));
    struct hg_user_key b = hg_user_key(&secret, slice_str("Bob"), slice_str("example.com"));
    struct hg_user_key c = hg_user_key(&secret, slice_str("bob"), slice_str("example.com"));
    assert_memory_equal(&a, &b, sizeof(a));
    assert_memory_not_equal(&b, &c, sizeof(b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(agrees_with_openssl),
        cmocka_unit_test(user_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
