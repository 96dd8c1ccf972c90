/* SPDX-License-Identifier: BSD-2-Clause */
/* Random routes and subjects: the image against a matcher that tries every pattern character by character. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hg/route_pattern.h"
#include "rig.h"

static uint64_t seed = 0x2545f4914f6cdd1dull;

static uint32_t rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) * n >> 32);
}

/* Straight from the words of L04 to L09, recursive, on the pattern as it was written. */
static bool naive(uint8_t type, const char *p, const char *s)
{
    if (*p == 0)
        return *s == 0;
    if (*p == '*')
        return naive(type, p + 1, s) || (*s && naive(type, p, s + 1));
    if (*p == '.' && type == HG_ROUTE_USER)
        return *s && naive(type, p + 1, s + 1);
    if (*p == '\\')
        p++;
    return *s == *p && naive(type, p + 1, s + 1);
}

static void user_pattern(char *out)
{
    static const char *const templates[] = {"1..2", "2.1.3*", "12...33"};
    if (rnd(4) == 0) {
        strcpy(out, templates[rnd(3)]);
        return;
    }
    unsigned n = 0;
    for (unsigned i = rnd(6); i > 0; i--) {
        if (rnd(8) == 0)
            n += (unsigned)sprintf(out + n, "\\*");
        else
            out[n++] = (char)('1' + rnd(3));
    }
    for (unsigned i = rnd(3) ? 0 : rnd(4); i > 0; i--)
        out[n++] = '.';
    if (n == 0 || rnd(2))
        out[n++] = '*';
    out[n] = 0;
}

static void host_pattern(char *out)
{
    static const char *const part[] = {"a", "b", "ab", "aa.b", "b.a"};
    unsigned star = rnd(3), n = 0;
    if (star != 1)
        n += (unsigned)sprintf(out + n, "%s", part[rnd(5)]);
    if (star)
        n += (unsigned)sprintf(out + n, "*");
    if (star && rnd(3))
        n += (unsigned)sprintf(out + n, "%s%s", rnd(2) ? "." : "", part[rnd(5)]);
}

static void subject(char *out, const char *alphabet, unsigned max)
{
    unsigned n = rnd(max);
    for (unsigned i = 0; i < n; i++)
        out[i] = alphabet[rnd((uint32_t)strlen(alphabet))];
    out[n] = 0;
}

struct hit {
    struct hg_pattern p;
    unsigned hop;
};

static int by_specificity(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    return hg_pattern_compare(&x->p, &y->p);
}

static unsigned expected(const struct rig *rig, const char *user, const char *host, struct hit *hits)
{
    unsigned n = 0;
    bool ours = strcmp(host, "a.b") == 0;
    for (uint32_t i = 0; i < rig->config->nroutes; i++) {
        const struct hg_static_route *r = &rig->config->routes[i];
        bool is_user = r->type == HG_ROUTE_USER;
        if (is_user ? !ours || !*user || !naive(r->type, r->pattern, user)
                    : !naive(r->type, r->pattern, host))
            continue;
        assert_int_equal(hg_pattern_parse(r->type, slice_str(r->pattern), &hits[n].p), HG_PATTERN_OK);
        hits[n++].hop = i;
    }
    qsort(hits, n, sizeof(*hits), by_specificity);
    return n;
}

static void one_round(unsigned routes)
{
    struct rig *rig = rig_open(0, 1);
    struct hit *hits = calloc(routes, sizeof(*hits));
    strcpy(rig->config->cluster_domain, "a.b");
    rig_template(rig, "x..x");
    rig_template(rig, "x.x.x*");
    rig_template(rig, "1x...xx");
    for (unsigned i = 0; i < routes; i++) {
        char pattern[64], hop[32];
        bool user = rnd(2);
        if (user)
            user_pattern(pattern);
        else
            host_pattern(pattern);
        bool known = false;
        for (uint32_t k = 0; k < rig->config->nroutes; k++)
            known |= rig->config->routes[k].type == (user ? HG_ROUTE_USER : HG_ROUTE_DOMAIN) &&
                     strcmp(rig->config->routes[k].pattern, pattern) == 0;
        if (known)
            continue;
        snprintf(hop, sizeof(hop), "10.1.%u.%u", rig->config->nroutes / 256, rig->config->nroutes % 256);
        rig_add(rig, user ? HG_ROUTE_USER : HG_ROUTE_DOMAIN, pattern, hop);
    }
    rig_compile(rig);
    for (uint32_t i = 0; i < rig->result->n; i++)
        assert_int_equal(rig_status(rig, i)->state, ROUTES_ACTIVE);
    for (unsigned i = 0; i < 300; i++) {
        char user[32], host[32];
        struct route_targets t;
        subject(user, "1123*", 9);
        subject(host, "aab.", 7);
        if (rnd(2))
            strcpy(host, "a.b");
        while (host[0] && host[strlen(host) - 1] == '.')
            host[strlen(host) - 1] = 0;
        unsigned n = expected(rig, user, host, hits);
        enum route_verdict v = rig_find(rig, user, host, rnd(UINT32_MAX), &t);
        if (host[0] == 0)
            continue;
        assert_int_equal(v, n ? ROUTE_FOUND : ROUTE_NONE);
        if (t.n != (n < HG_TARGETS_MAX ? n : HG_TARGETS_MAX)) {
            print_message("%s @ %s: %u not %u\n", user, host, t.n, n);
            for (unsigned k = 0; k < t.n; k++)
                print_message("  %s\n",
                              rig->config->routes[t.t[k].ep.ip.b[14] * 256 + t.t[k].ep.ip.b[15]].pattern);
        }
        assert_int_equal(t.n, n < HG_TARGETS_MAX ? n : HG_TARGETS_MAX);
        for (unsigned k = 0; k < t.n; k++)
            assert_int_equal(t.t[k].ep.ip.b[14] * 256 + t.t[k].ep.ip.b[15], hits[k].hop);
    }
    free(hits);
    rig_close(rig);
}

static void L04_to_L09_like_a_naive_matcher(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 120; i++)
        one_round(1 + rnd(60));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(L04_to_L09_like_a_naive_matcher)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
