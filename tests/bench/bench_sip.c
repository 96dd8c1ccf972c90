/* SPDX-License-Identifier: BSD-2-Clause */
/* The SIP path in process: Ethernet frame in to Ethernet frame out, checksums verified and made, every
 * request routed by 1,000,000 users behind 10,000 static routes that are asked first. Excludes I/O: ports are
 * rings.
 *
 * Frames are laid into packet buffers of the core's pool as a NIC would, BATCH at a time (more than L2
 * holds), outside the measured time; then turns are timed until all are done. 65,536 different frames a run,
 * users at random. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "harness.h"
#include "messages.h"

#define USERS     1000000u
#define STATICS   10000u
#define FRAMES    65536u
#define BATCH     4096u
#define RUNS_MAX  64
#define SETTLE_MS 500 /* of virtual time after each stateful batch: about 8,000 transactions a second */
#define WARM_UP   72  /* stateful batches until transactions end as fast as they come (timer J is 32 s) */

static const char config[] =
    "node = { name = \"bench\"; };\n"
    "dataplane = { mbufs = 24576; users_max = 1000000; transactions_max = 524288; routes_max = 16384;\n"
    "  ports = ( { device = \"net_ring\"; descriptors = 4096; interfaces = ( { addresses = [ \"10.0.0.1/24\" "
    "]; } ); } );\n"
    "  listeners = ( { address = \"10.0.0.1\"; } ); };\n"
    "cluster = { domain = \"example.net\"; access = [ \"10.0.0.0/24\" ]; probe = { enabled = false; };\n"
    "  sip = { source_rate = 10000000; source_burst = 10000000; user_mode = \"%s\"; }; };\n";

struct bench {
    struct harness *h;
    struct core *core;
    struct rte_ring *rx, *tx;
    const char *template;
    struct hg_endpoint caller, callee, gateway;
    uint64_t seq;
    struct rte_mbuf *out[BATCH * 2];
};

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdull;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ull;
    return x ^ x >> 33;
}

static void fatal(const char *what)
{
    fprintf(stderr, "bench_sip: %s\n", what);
    exit(1);
}

/* Ends the run with every counter that moved: a figure of lost traffic would be no figure. */
static void lost(struct bench *b, const char *what, unsigned n)
{
    for (unsigned i = 0; i < HG_COUNTERS_MAX; i++)
        if (harness_counter(b->h, i))
            fprintf(stderr, "  %s %" PRIu64 "\n", hg_counter_info[i].name, harness_counter(b->h, i));
    fprintf(stderr, "%u came out\n", n);
    fatal(what);
}

static void open_bench(struct bench *b, const char *mode)
{
    static char text[2048];
    struct hg_static_route *routes = calloc(STATICS, sizeof(*routes));
    char user[64];

    snprintf(text, sizeof(text), config, mode);
    b->h = harness_open(&(struct harness_options){
        .config = text, .virtual_clock = true, .ring_frames = 16384, .memory_mb = 2048, .hugepages = true});
    if (b->h == NULL || routes == NULL)
        fatal("no harness");
    b->core = harness_core(b->h, 0);
    b->rx = harness_rx_ring(b->h, 0, 0);
    b->tx = harness_tx_ring(b->h, 0, 0);
    hg_endpoint_parse(slice_str("10.0.0.2:5080"), 5060, &b->caller);
    hg_endpoint_parse(slice_str("10.0.0.9:5090"), 5060, &b->callee);
    hg_endpoint_parse(slice_str("10.0.0.1:5060"), 5060, &b->gateway);
    harness_node(b->h, 1, "10.0.0.9:5090", false);
    for (unsigned u = 0; u < USERS; u++) {
        snprintf(user, sizeof(user), "u%06u@example.net", u);
        if (!harness_user(b->h, user, 1))
            fatal("the user table is full");
    }
    /* Exact numbers and prefixes of several lengths; none matches a user, all lengths are asked. */
    for (unsigned i = 0; i < STATICS; i++) {
        hg_static_route_defaults(&routes[i]);
        snprintf(routes[i].name, sizeof(routes[i].name), "r%u", i);
        snprintf(routes[i].pattern, sizeof(routes[i].pattern), i % 4 ? "1919%06u" : "4420%04u*", i);
        snprintf(routes[i].next_hop, sizeof(routes[i].next_hop), "10.0.0.%u", 20 + i % 200);
        routes[i].proto = HG_UDP;
    }
    if (!harness_routes(b->h, routes, STATICS))
        fatal("the routes do not compile");
    free(routes);
}

static void close_bench(struct bench *b)
{
    harness_close(b->h);
}

/* One frame in a packet buffer of the core's own pool, as the port's receive would leave it. */
static void lay_frame(struct bench *b, const struct hg_endpoint *src, const struct hg_endpoint *dst,
                      const char *text, uint32_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(b->core->ctx.pool);
    if (m == NULL)
        fatal("packet buffers exhausted");
    uint32_t n = harness_build_udp(b->h, rte_pktmbuf_mtod(m, uint8_t *), src, dst, text, len);
    m->data_len = (uint16_t)n;
    m->pkt_len = n;
    if (rte_ring_enqueue(b->rx, m) != 0)
        fatal("the receive ring is full");
}

static void lay_requests(struct bench *b, unsigned n)
{
    char text[2048];
    for (unsigned i = 0; i < n; i++) {
        uint64_t r = mix(++b->seq);
        struct bench_vary v = {.user = (uint32_t)(r % USERS), .call_id = r, .tag = (uint32_t)(r >> 20)};
        uint32_t len = bench_build(text, b->template, &v, "10.0.0.2:5080");
        lay_frame(b, &b->caller, &b->gateway, text, len);
    }
}

/* Turns until everything that was laid is done, which the core says by a turn without work; returns cycles.
 */
static uint64_t timed_turns(struct bench *b)
{
    uint64_t start = rte_rdtsc();
    while (core_turn(b->core) > 0)
        ;
    return rte_rdtsc() - start;
}

static bool is_udp(const struct rte_mbuf *m)
{
    const uint8_t *f = rte_pktmbuf_mtod(m, const uint8_t *);
    return rte_pktmbuf_data_len(m) > 34 && f[12] == 8 && f[13] == 0 && f[23] == 17;
}

/* What left: datagrams only. The neighbours' questions are answered, announcements thrown away. */
static unsigned take(struct bench *b)
{
    harness_settle(b->h);
    unsigned n = rte_ring_dequeue_burst(b->tx, (void **)b->out, BATCH * 2, NULL), kept = 0;
    for (unsigned i = 0; i < n; i++) {
        if (is_udp(b->out[i]))
            b->out[kept++] = b->out[i];
        else
            rte_pktmbuf_free(b->out[i]);
    }
    return kept;
}

static void release(struct bench *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        rte_pktmbuf_free(b->out[i]);
}

static double stateless_run(struct bench *b)
{
    uint64_t cycles = 0;
    unsigned forwarded = 0;
    for (unsigned done = 0; done < FRAMES; done += BATCH) {
        lay_requests(b, BATCH);
        cycles += timed_turns(b);
        unsigned n = take(b);
        forwarded += n;
        release(b, n);
        harness_advance_ms(b->h, 1);
    }
    if (forwarded != FRAMES)
        lost(b, "not every request was forwarded", forwarded);
    return (double)cycles / (double)rte_get_tsc_hz() * 1e6 / FRAMES;
}

/* The answer of the callee to a forwarded request: its Vias, From, To, Call-ID and CSeq. */
static uint32_t build_answer(const char *in, uint32_t len, char *out)
{
    char *o = stpcpy(out, "SIP/2.0 200 OK\r\n");
    const char *end = in + len, *p = memchr(in, '\n', len);
    for (p = p ? p + 1 : end; p < end && *p != '\r';) {
        const char *q = memchr(p, '\n', (size_t)(end - p));
        if (q == NULL)
            break;
        size_t n = (size_t)(++q - p);
        bool to = strncmp(p, "To:", 3) == 0;
        if (to || strncmp(p, "Via:", 4) == 0 || strncmp(p, "From:", 5) == 0 ||
            strncmp(p, "Call-ID:", 8) == 0 || strncmp(p, "CSeq:", 5) == 0) {
            memcpy(o, p, n - (to ? 2 : 0));
            o += n - (to ? 2 : 0);
            if (to)
                o = stpcpy(o, ";tag=a6c85cf0\r\n");
        }
        p = q;
    }
    return (uint32_t)(stpcpy(o, "Content-Length: 0\r\n\r\n") - out);
}

/* Lays the callee's answer to each forwarded request; returns how many there were. */
static unsigned lay_answers(struct bench *b)
{
    static char text[8192];
    const uint32_t headers = 14 + 20 + 8;
    unsigned n = take(b);
    for (unsigned i = 0; i < n; i++) {
        struct rte_mbuf *m = b->out[i];
        char in[4096];
        uint32_t len = rte_pktmbuf_pkt_len(m);
        const char *frame = rte_pktmbuf_read(m, 0, len < sizeof(in) ? len : sizeof(in), in);
        lay_frame(b, &b->callee, &b->gateway, text, build_answer(frame + headers, len - headers, text));
    }
    release(b, n);
    return n;
}

/* Both neighbours are learned before anything is measured, with few enough packets to wait for them. */
static void warm_up(struct bench *b)
{
    lay_requests(b, 4);
    timed_turns(b);
    harness_advance_ms(b->h, 50);
    lay_answers(b);
    timed_turns(b);
    harness_advance_ms(b->h, 50);
    release(b, take(b));
}

static uint64_t stateful_batch(struct bench *b)
{
    lay_requests(b, BATCH);
    uint64_t cycles = timed_turns(b);
    unsigned asked = lay_answers(b);
    if (asked != BATCH)
        lost(b, "not every request was forwarded", asked);
    cycles += timed_turns(b);
    unsigned n = take(b);
    if (n != BATCH)
        lost(b, "not every answer was forwarded", n);
    release(b, n);
    /* Time goes on, and what has ended is deleted: that is part of a transaction's cost. */
    uint64_t start = rte_rdtsc();
    harness_advance_ms(b->h, SETTLE_MS);
    return cycles + rte_rdtsc() - start;
}

static double stateful_run(struct bench *b)
{
    uint64_t cycles = 0;
    for (unsigned done = 0; done < FRAMES; done += BATCH)
        cycles += stateful_batch(b);
    return (double)cycles / (double)rte_get_tsc_hz() * 1e6 / FRAMES;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *name, double *us, unsigned runs)
{
    qsort(us, runs, sizeof(*us), by_value);
    printf("figure %s %.3f us\n# %s: min %.3f max %.3f of %u runs, excludes I/O\n", name, us[runs / 2], name,
           us[0], us[runs - 1], runs);
    fflush(stdout);
}

int main(void)
{
    static struct bench b;
    const char *env = getenv("BENCH_RUNS");
    unsigned runs = env ? (unsigned)atoi(env) : 7;
    double us[RUNS_MAX];

    if (runs < 1 || runs > RUNS_MAX)
        runs = 7;
    open_bench(&b, "stateless");
    b.template = bench_message;
    warm_up(&b);
    for (unsigned i = 0; i < runs; i++)
        us[i] = stateless_run(&b);
    report("sip_stateless_message_us", us, runs);
    b.template = bench_invite;
    for (unsigned i = 0; i < runs; i++)
        us[i] = stateless_run(&b);
    report("sip_stateless_invite_us", us, runs);
    close_bench(&b);

    open_bench(&b, "stateful");
    b.template = bench_message;
    warm_up(&b);
    for (unsigned i = 0; i < WARM_UP; i++)
        stateful_batch(&b);
    for (unsigned i = 0; i < runs; i++)
        us[i] = stateful_run(&b);
    report("sip_stateful_us", us, runs);
    close_bench(&b);
    return 0;
}
