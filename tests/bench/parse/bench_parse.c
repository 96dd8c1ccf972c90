/* SPDX-License-Identifier: BSD-2-Clause */
/* The parser beside memchr, sofia-sip and libosip2. Two sets of frames: 65,536 different ones visited in
 * random order and prefetched a few ahead, as a burst of the dataplane is, and 64 that stay in cache. CPU
 * time of the thread; runs of all contestants interleaved; medians. Figures without "hot" are of the large
 * set. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../messages.h"
#include "parse/peers.h"
#include "sip/check.h"
#include "sip/index_impl.h"

#define FRAMES 65536u
#define HOT    64u
#define AHEAD  4u
#define RUNS   9u
#define HUGE   (2u << 20)

struct set {
    const char *name;
    char *at; /* frames, stride bytes each */
    uint32_t stride, len, head, frames;
    uint32_t *order;
};

struct contest {
    char name[48];
    const struct set *set;
    bool (*parse)(const char *p, uint32_t len);
    bool hot;
    uint32_t messages; /* of one run */
    double ns[RUNS];   /* per message */
};

static uint64_t sum; /* keeps the work alive */
static enum sip_isa isa;

static bool do_index(const char *p, uint32_t len)
{
    struct sip_msg m;
    if (sip_index(&m, p, len, true, SIP_HEADERS_MAX) != SIP_DONE)
        return false;
    sum += m.n + m.f[3].value;
    return true;
}

static bool do_index_isa(const char *p, uint32_t len)
{
    struct sip_msg m;
    if (sip_index_with(isa, &m, p, len, true, SIP_HEADERS_MAX) != SIP_DONE)
        return false;
    sum += m.n + m.f[3].value;
    return true;
}

static bool addresses(const struct sip_msg *m, enum sip_header_id id)
{
    struct sip_cursor c;
    struct slice element;
    struct sip_addr addr;
    sip_cursor_init(&c, m, id);
    for (enum sip_result r; (r = sip_cursor_next(&c, &element)) != SIP_MORE;) {
        if (r == SIP_BAD || sip_addr_decode(element, &addr) != SIP_DONE)
            return false;
        sum += addr.uri.host.len;
    }
    return true;
}

/* Request-URI, every Via, From, To, Call-ID, CSeq, Max-Forwards, Route and Contact, down to their parts. */
static bool do_full(const char *p, uint32_t len)
{
    struct sip_msg m;
    struct sip_core_fields c;
    if (sip_index(&m, p, len, true, SIP_HEADERS_MAX) != SIP_DONE || sip_check_request(&m, &c) != SIP_E_NONE)
        return false;
    sum += c.via.branch.len + c.from.tag.len + c.to.uri.host.len + c.cseq.number + c.call_id.len +
           c.ruri.user.len;
    struct slice element;
    struct sip_via via;
    for (enum sip_result r; (r = sip_cursor_next(&c.after_via, &element)) != SIP_MORE;) {
        if (r == SIP_BAD || sip_via_decode(element, &via) != SIP_DONE)
            return false;
        sum += via.branch.len;
    }
    return addresses(&m, SIP_H_ROUTE) && addresses(&m, SIP_H_CONTACT);
}

/* The floor: only finding the line ends. */
static bool do_memchr(const char *p, uint32_t len)
{
    const char *e = p + len, *q;
    while (p < e && (q = memchr(p, '\n', (size_t)(e - p)))) {
        sum++;
        p = q + 1;
    }
    return true;
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static struct set make_set(const char *name, const char *template)
{
    struct set s = {.name = name, .frames = FRAMES};
    char one[2048];
    uint64_t x = 88172645463325252ull;
    for (uint32_t i = 0; i < FRAMES; i++) {
        struct bench_vary v = {
            .user = (uint32_t)next_random(&x), .call_id = next_random(&x), .tag = (uint32_t)x};
        uint32_t len = bench_build(one, template, &v, NULL);
        if (!s.at) {
            s.len = len;
            s.head = (uint32_t)((char *)memmem(one, len, "\r\n\r\n", 4) - one) + 4;
            s.stride = (len + 127) / 64 * 64; /* as mbufs are: each on lines of its own */
            size_t bytes = ((size_t)s.stride * FRAMES + HUGE - 1) / HUGE * HUGE;
            s.at = aligned_alloc(HUGE, bytes);
            s.order = malloc(FRAMES * sizeof(*s.order));
            if (!s.at || !s.order)
                abort();
            madvise(s.at, bytes, MADV_HUGEPAGE); /* mbufs lie in huge pages */
        }
        memcpy(s.at + (size_t)i * s.stride, one, len);
        s.order[i] = i;
    }
    for (uint32_t i = FRAMES - 1; i > 0; i--) {
        uint32_t j = (uint32_t)(next_random(&x) % (i + 1)), t = s.order[i];
        s.order[i] = s.order[j];
        s.order[j] = t;
    }
    return s;
}

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void run(struct contest *c, unsigned r)
{
    const struct set *s = c->set;
    uint32_t mask = c->hot ? HOT - 1 : FRAMES - 1;
    /* ours never looks at the body; the others walk over it */
    uint32_t reads = c->parse == do_index || c->parse == do_full ? s->head : s->len;
    bool ok = true;
    double t0 = cpu_ns();
    for (uint32_t i = 0; i < c->messages; i++) {
        const char *ahead = s->at + (size_t)s->order[(i + AHEAD) & mask] * s->stride;
        if (!c->hot)
            for (uint32_t line = 0; line < reads; line += 64)
                __builtin_prefetch(ahead + line);
        ok &= c->parse(s->at + (size_t)s->order[i & mask] * s->stride, s->len);
    }
    c->ns[r] = (cpu_ns() - t0) / c->messages;
    if (!ok) {
        fprintf(stderr, "bench_parse: %s refuses a good message\n", c->name);
        exit(1);
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const struct contest *c)
{
    double ns[RUNS];
    memcpy(ns, c->ns, sizeof(ns));
    qsort(ns, RUNS, sizeof(*ns), by_value);
    return ns[RUNS / 2];
}

static void calibrate(void)
{
    uint64_t x = 88172645463325252ull;
    double t0 = cpu_ns();
    for (unsigned i = 0; i < 20000000; i++)
        next_random(&x);
    printf("figure parse_calibration_ns %.3f ns per xorshift step (state %u)\n", (cpu_ns() - t0) / 20e6,
           (unsigned)(x & 1));
}

static struct contest contest(const char *name, const struct set *s, bool (*parse)(const char *, uint32_t),
                              bool hot, uint32_t messages)
{
    struct contest c = {.set = s, .parse = parse, .hot = hot, .messages = messages};
    snprintf(c.name, sizeof(c.name), "%s", name);
    return c;
}

enum { INDEX, INDEX_HOT, MEMCHR, MEMCHR_HOT, FULL, FULL_HOT, SOFIA, SOFIA_HOT, OSIP, OSIP_HOT, KINDS };

static void gbps(const struct set *s, const struct contest *c, const char *what)
{
    double ns = median(c);
    printf("figure sip_%s_%s_gbps %.2f GB/s (%.0f ns)\n", what, s->name, s->len / ns, ns);
}

static double ratio(const struct set *s, const struct contest *c, unsigned peer, const char *name)
{
    if (!c[peer].parse)
        return 0;
    double cold = median(&c[peer]) / median(&c[FULL]), hot = median(&c[peer + 1]) / median(&c[FULL_HOT]);
    printf("figure ratio_full_parse_%s_%s %.1f times (%s %.0f ns, ours %.0f ns; hot %.1f times)\n", name,
           s->name, cold, name, median(&c[peer]), median(&c[FULL]), hot);
    return cold;
}

static void each_isa(const struct set *s)
{
    for (unsigned i = 0; i < SIP_ISA_COUNT; i++) {
        if (!sip_isa_usable((enum sip_isa)i))
            continue;
        isa = (enum sip_isa)i;
        struct contest c = contest(sip_isa_name(isa), s, do_index_isa, true, 50000);
        for (unsigned r = 0; r < RUNS; r++)
            run(&c, r);
        printf("# index pass, %s, %s, hot: %.2f GB/s (%.0f ns)\n", s->name, c.name, s->len / median(&c),
               median(&c));
    }
}

int main(void)
{
    struct set sets[2] = {make_set("message", bench_message), make_set("invite", bench_invite)};
    struct contest c[2][KINDS];
    bool sofia = peers_sofia_init(), osip = peers_osip_init();
    for (unsigned i = 0; i < 2; i++) {
        const struct set *s = &sets[i];
        c[i][INDEX] = contest("index", s, do_index, false, 2 * FRAMES);
        c[i][INDEX_HOT] = contest("index, hot", s, do_index, true, 2 * FRAMES);
        c[i][MEMCHR] = contest("memchr", s, do_memchr, false, 2 * FRAMES);
        c[i][MEMCHR_HOT] = contest("memchr, hot", s, do_memchr, true, 2 * FRAMES);
        c[i][FULL] = contest("full", s, do_full, false, 2 * FRAMES);
        c[i][FULL_HOT] = contest("full, hot", s, do_full, true, 2 * FRAMES);
        c[i][SOFIA] = contest("sofia-sip", s, sofia ? peers_sofia : NULL, false, FRAMES / 4);
        c[i][SOFIA_HOT] = contest("sofia-sip, hot", s, sofia ? peers_sofia : NULL, true, FRAMES / 4);
        c[i][OSIP] = contest("libosip2", s, osip ? peers_osip : NULL, false, FRAMES / 8);
        c[i][OSIP_HOT] = contest("libosip2, hot", s, osip ? peers_osip : NULL, true, FRAMES / 8);
    }
    calibrate();
    for (unsigned r = 0; r < RUNS; r++)
        for (unsigned i = 0; i < 2; i++)
            for (unsigned k = 0; k < KINDS; k++)
                if (c[i][k].parse)
                    run(&c[i][k], r);
    double over_sofia[2], over_osip[2];
    for (unsigned i = 0; i < 2; i++) {
        printf("# %s: %u bytes\n", sets[i].name, sets[i].len);
        gbps(&sets[i], &c[i][INDEX], "index");
        gbps(&sets[i], &c[i][INDEX_HOT], "index_hot");
        gbps(&sets[i], &c[i][MEMCHR], "memchr");
        gbps(&sets[i], &c[i][MEMCHR_HOT], "memchr_hot");
        over_sofia[i] = ratio(&sets[i], c[i], SOFIA, "sofia");
        over_osip[i] = ratio(&sets[i], c[i], OSIP, "osip");
        each_isa(&sets[i]);
    }
    if (sofia)
        printf("figure ratio_full_parse_sofia %.1f times\n", over_sofia[over_sofia[1] < over_sofia[0]]);
    if (osip)
        printf("figure ratio_full_parse_osip %.1f times\n", over_osip[over_osip[1] < over_osip[0]]);
    calibrate();
    return sum == 42; /* the work above must be seen to matter */
}
