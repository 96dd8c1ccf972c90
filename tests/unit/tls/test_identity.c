/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 5922 section 7: whose certificate it is, from certificates made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/x509v3.h>

#include "tls/identity.h"

/* san: as OpenSSL writes it, NULL: none. */
static X509 *certificate(const char *san, const char *cn, int cn_len)
{
    X509 *c = X509_new();
    X509_set_version(c, 2);
    if (cn)
        X509_NAME_add_entry_by_NID(X509_get_subject_name(c), NID_commonName, MBSTRING_ASC,
                                   (const unsigned char *)cn, cn_len, -1, 0);
    if (san) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
        assert_non_null(e);
        X509_add_ext(c, e, -1);
        X509_EXTENSION_free(e);
    }
    return c;
}

static void expect(const char *san, const char *cn, int cn_len, const char *names)
{
    struct identities found;
    char all[IDENTITIES_TEXT + IDENTITIES_MAX] = "";
    X509 *c = certificate(san, cn, cn_len);

    identities_of(c, &found);
    for (unsigned i = 0; i < found.n; i++) {
        if (i > 0)
            strcat(all, " ");
        strncat(all, found.name[i].p, found.name[i].len);
    }
    assert_string_equal(all, names);
    X509_free(c);
}

static void names_are_found(void **state)
{
    (void)state;
    expect("DNS:Example.COM", NULL, 0, "example.com");
    expect("URI:sip:example.com,DNS:a.example.com", NULL, 0, "example.com a.example.com");
    expect("URI:SIP:example.com,DNS:example.com", NULL, 0, "example.com");
    expect("URI:sip:example.com:5061\\;transport=tls", NULL, 0, "example.com");
    expect("URI:sip:example.com.", NULL, 0, "example.com");
    expect("URI:sip:alice@example.com", NULL, 0, "");                    /* a user's */
    expect("URI:sips:example.com,URI:https://example.com", NULL, 0, ""); /* 7.1: the scheme is sip */
    expect("email:sip@example.com", "other.example.com", -1, "other.example.com");
    expect(NULL, "Common.example.com", -1, "common.example.com");
    expect("DNS:san.example.com", "common.example.com", -1, "san.example.com"); /* it is not looked at */
    expect("URI:https://example.com", "common.example.com", -1, "");
    expect(NULL, NULL, 0, "");
}

static void what_is_no_name_is_left_out(void **state)
{
    (void)state;
    expect(NULL, "example.com\0.evil.example", 25, "");
    expect(NULL, "two words", -1, "");
    expect(NULL, ".", -1, "");
}

static void names_are_compared(void **state)
{
    (void)state;
    assert_true(identity_equal(SLICE_LIT("example.com"), SLICE_LIT("EXAMPLE.com")));
    assert_true(identity_equal(SLICE_LIT("example.com"), SLICE_LIT("example.com.")));
    assert_false(identity_equal(SLICE_LIT("*.example.com"), SLICE_LIT("a.example.com"))); /* 7.2 */
    assert_false(identity_equal(SLICE_LIT("example.com"), SLICE_LIT("a.example.com")));
    assert_false(identity_equal(SLICE_LIT(""), SLICE_LIT("")));
    assert_true(identity_covers(SLICE_LIT("*.example.com"), SLICE_LIT("a.Example.com")));
    assert_true(identity_covers(SLICE_LIT("example.com"), SLICE_LIT("example.com")));
    assert_false(identity_covers(SLICE_LIT("*.example.com"), SLICE_LIT("a.b.example.com")));
    assert_false(identity_covers(SLICE_LIT("*.example.com"), SLICE_LIT("example.com")));
    assert_false(identity_covers(SLICE_LIT("*.example.com"), SLICE_LIT(".example.com")));
    assert_false(identity_covers(SLICE_LIT("*.com"), SLICE_LIT("example.com")));
}

static void more_than_fit_are_left_out(void **state)
{
    (void)state;
    char san[4096] = "";
    struct identities found;
    for (unsigned i = 0; i < 40; i++)
        sprintf(san + strlen(san), "%sDNS:n%u.example.com", i ? "," : "", i);
    X509 *c = certificate(san, NULL, 0);
    identities_of(c, &found);
    assert_int_equal(found.n, IDENTITIES_MAX);
    assert_true(found.left_out);
    X509_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(what_is_no_name_is_left_out),
        cmocka_unit_test(names_are_compared),
        cmocka_unit_test(more_than_fit_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
