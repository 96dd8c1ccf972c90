/* SPDX-License-Identifier: BSD-2-Clause */
#include "tls/identity.h"

#include <openssl/x509v3.h>

static bool host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '*' ||
           c == ':' || c == '[' || c == ']';
}

/* A name with anything else in it, a NUL above all, is nobody's name. */
static void add(struct identities *out, struct slice s)
{
    while (s.len > 0 && s.p[s.len - 1] == '.') /* the root's dot says nothing */
        s.len--;
    if (s.len == 0 || s.len > 255)
        return;
    if (out->n == IDENTITIES_MAX || out->used + s.len > IDENTITIES_TEXT) {
        out->left_out = true;
        return;
    }
    char *to = out->text + out->used;
    for (uint32_t i = 0; i < s.len; i++) {
        to[i] = ascii_lower(s.p[i]);
        if (!host_char(to[i]))
            return;
    }
    for (unsigned i = 0; i < out->n; i++)
        if (slice_eq(out->name[i], slice_of(to, s.len)))
            return;
    out->name[out->n++] = slice_of(to, s.len);
    out->used += s.len;
}

static struct slice text_of(const ASN1_STRING *s)
{
    int len = ASN1_STRING_length(s);
    return slice_of((const char *)ASN1_STRING_get0_data(s), len > 0 ? (uint32_t)len : 0);
}

/* "sip:example.com": a domain. One with a user in it is that user's and no domain's (7.1 step 1). */
static void add_uri(struct identities *out, struct slice uri)
{
    if (uri.len <= 4 || !slice_ieq(slice_of(uri.p, 4), SLICE_LIT("sip:")))
        return;
    struct slice host = slice_of(uri.p + 4, uri.len - 4);
    if (memchr(host.p, '@', host.len))
        return;
    for (uint32_t i = 0; i < host.len; i++)
        if (host.p[i] == ';' || host.p[i] == '?')
            host.len = i;
    const char *colon = memchr(host.p, ':', host.len);
    if (colon && host.p[0] != '[')
        host.len = (uint32_t)(colon - host.p);
    add(out, host);
}

static void add_common_name(X509 *certificate, struct identities *out)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return;
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (len > 0)
        add(out, slice_of((const char *)utf8, (uint32_t)len));
    OPENSSL_free(utf8);
}

void identities_of(X509 *certificate, struct identities *out)
{
    bool any = false;

    out->n = 0;
    out->used = 0;
    out->left_out = false;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_URI) {
            any = true;
            add_uri(out, text_of(name->d.uniformResourceIdentifier));
        } else if (name->type == GEN_DNS) {
            any = true;
            add(out, text_of(name->d.dNSName));
        }
    }
    GENERAL_NAMES_free(names);
    if (!any)
        add_common_name(certificate, out);
}

static struct slice without_dot(struct slice s)
{
    if (s.len > 1 && s.p[s.len - 1] == '.')
        s.len--;
    return s;
}

bool identity_equal(struct slice identity, struct slice domain)
{
    return identity.len > 0 && slice_ieq(identity, without_dot(domain));
}

bool identity_covers(struct slice name, struct slice host)
{
    host = without_dot(host);
    if (name.len < 3 || name.p[0] != '*' || name.p[1] != '.')
        return identity_equal(name, host);
    const char *dot = memchr(host.p, '.', host.len);
    if (!dot || dot == host.p)
        return false;
    struct slice rest = slice_of(dot, host.len - (uint32_t)(dot - host.p));
    return slice_ieq(slice_of(name.p + 1, name.len - 1), rest) && memchr(rest.p + 1, '.', rest.len - 1);
}
