/* SPDX-License-Identifier: BSD-2-Clause */
/* Two cores on two CPUs against one, in process, real clock, real threads: 65,536 different frames stand in
 * the receive rings, the threads start, and the time until all have left is taken, by the clocks of the
 * cores: from when both turn to the end of the last turn that found work. Neither the start of the threads
 * nor the one who waits for them counts; with one core on two CPUs those would cost nothing, with two they
 * would cost a core. Once from many sources, which the port's hash spreads; once all from one address and
 * port, which the hash gives to one core. The smaller of the two is two_core_scaling. Excludes I/O: ports are
 * rings. The frames were laid before, by a thread that does nothing meanwhile, and are some 60 MB: but for
 * the last 2 MB they come from where a NIC puts them, the shared cache or memory, and from no core's own.
 * What comes first is laid first, so those are the ones that come last. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "harness.h"
#include "median.h"
#include "messages.h"

#define USERS  1000000u
#define FRAMES 65536u
#define LIMIT  20.0 /* seconds for one run: a machine may be busy, but not dead */

static const char config[] =
    "node = { name = \"bench\"; };\n"
    "dataplane = { polling = \"busy\"; mbufs = 81920; users_max = 1000000;\n"
    "  ports = ( { device = \"net_ring\"; descriptors = 4096; interfaces = ( { addresses = [ \"10.0.0.1/16\" "
    "]; } ); } );\n"
    "  listeners = ( { address = \"10.0.0.1\"; } ); };\n"
    "cluster = { domain = \"example.net\"; access = [ \"10.0.0.0/16\" ]; probe = { enabled = false; };\n"
    "  sip = { source_rate = 10000000; source_burst = 10000000; user_mode = \"stateless\"; overload_high = "
    "100; }; };\n";

struct bench {
    struct harness *h;
    unsigned cores;
    double quickest[2]; /* run so far, seconds */
    struct hg_endpoint hot, gateway;
    uint64_t seq;
};

static void fatal(struct bench *b, const char *what)
{
    if (b->h)
        harness_report(b->h);
    fprintf(stderr, "bench_scaling: %s\n", what);
    exit(1);
}

/* In a packet buffer of the pool that the queue's descriptors are filled from. */
static void lay(struct bench *b, unsigned queue, const struct hg_endpoint *src, const char *text,
                uint32_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(harness_core(b->h, queue)->ctx.pool);
    if (m == NULL)
        fatal(b, "packet buffers exhausted");
    uint32_t n = harness_build_udp(b->h, rte_pktmbuf_mtod(m, uint8_t *), src, &b->gateway, text, len);
    m->data_len = (uint16_t)n;
    m->pkt_len = n;
    if (rte_ring_enqueue(harness_rx_ring(b->h, 0, queue), m) != 0)
        fatal(b, "a receive ring is full");
}

/* A source of queue q among 16,384: addresses 10.0.64.0 and up. What the port's hash would do to it is the
 * harness's; here it is enough that each queue gets the same number of sources, each always the same. */
static void lay_all(struct bench *b, unsigned n, bool hot)
{
    char text[2048], via[32];
    for (unsigned i = 0; i < n; i++) {
        uint64_t r = bench_mix(++b->seq);
        unsigned host = (unsigned)(r >> 40) % 16384;
        struct hg_endpoint src = b->hot;
        if (!hot) {
            src.ip = hg_ip_from4(htonl(0x0a004000u + host));
            snprintf(via, sizeof(via), "10.0.%u.%u:5080", 64 + host / 256, host % 256);
        }
        struct bench_vary v = {.user = (uint32_t)(r % USERS), .call_id = r, .tag = (uint32_t)(r >> 20)};
        uint32_t len = bench_build(text, bench_message, &v, hot ? "10.0.0.2:5080" : via);
        lay(b, hot ? 0 : host % b->cores, &src, text, len);
    }
}

static uint64_t counted(const struct bench *b)
{
    return harness_counter(b->h, HG_C_sip_forwarded);
}

static void empty_tx(struct bench *b)
{
    struct rte_mbuf *m[64];
    for (unsigned q = 0; q < b->cores; q++)
        for (unsigned n; (n = rte_ring_dequeue_burst(harness_tx_ring(b->h, 0, q), (void **)m, 64, NULL)) > 0;)
            rte_pktmbuf_free_bulk(m, n);
}

/* Every core learns the neighbour before anything is measured. */
static void warm_up(struct bench *b)
{
    for (unsigned k = 0; k < 64; k++) {
        lay_all(b, 16, false);
        harness_settle(b->h);
    }
    empty_tx(b);
}

static double run(struct bench *b, bool hot)
{
    static const unsigned cpu[] = {0, 1};
    lay_all(b, FRAMES, hot);
    uint64_t before = counted(b), sprayed = harness_counter(b->h, HG_C_sip_sprayed);
    uint64_t busy[2] = {0};
    for (unsigned i = 0; i < b->cores; i++)
        busy[i] = harness_core(b->h, i)->ctx.counters[HG_C_core_busy_cycles];
    double start = bench_now();
    if (!harness_start(b->h, cpu))
        fatal(b, "no threads");
    /* Looking costs a CPU that is measured, and one that looks may be late: the cores note when they were
     * done. */
    usleep((useconds_t)(b->quickest[hot] * 1.2e6));
    while (counted(b) - before < FRAMES && bench_now() - start < LIMIT)
        usleep(1000);
    harness_stop(b->h);
    double seconds = harness_worked(b->h);
    if (b->quickest[hot] == 0 || seconds < b->quickest[hot])
        b->quickest[hot] = seconds;
    if (counted(b) - before != FRAMES || harness_counter(b->h, HG_C_tx_dropped) != 0)
        fatal(b, "not every request was forwarded");
    for (unsigned i = 0; i < b->cores; i++)
        busy[i] = harness_core(b->h, i)->ctx.counters[HG_C_core_busy_cycles] - busy[i];
    if (getenv("BENCH_VERBOSE"))
        fprintf(stderr, "# %u cores, %s: %.3f us a message, %" PRIu64 " sprayed, busy %.3f and %.3f us\n",
                b->cores, hot ? "one source" : "many sources", seconds * 1e6 / FRAMES,
                harness_counter(b->h, HG_C_sip_sprayed) - sprayed,
                (double)busy[0] / (double)rte_get_tsc_hz() * 1e6 / FRAMES,
                (double)busy[1] / (double)rte_get_tsc_hz() * 1e6 / FRAMES);
    empty_tx(b);
    return seconds * 1e6 / FRAMES;
}

static void open_bench(struct bench *b, unsigned cores)
{
    char user[64];
    *b = (struct bench){.cores = cores};
    b->h = harness_open(&(struct harness_options){
        .config = config, .cores = cores, .ring_frames = 131072, .memory_mb = 1024, .hugepages = true});
    if (b->h == NULL)
        fatal(b, "no harness");
    hg_endpoint_parse(slice_str("10.0.0.2:5080"), 5060, &b->hot);
    hg_endpoint_parse(slice_str("10.0.0.1:5060"), 5060, &b->gateway);
    harness_node(b->h, 1, "10.0.0.9:5090", false);
    for (unsigned u = 0; u < USERS; u++) {
        snprintf(user, sizeof(user), "u%06u@example.net", u);
        if (!harness_user(b->h, user, 1))
            fatal(b, "the user table is full");
    }
    warm_up(b);
}

int main(void)
{
    static struct bench one, two;
    unsigned runs = bench_runs();
    double us[4][BENCH_RUNS_MAX], spread[BENCH_RUNS_MAX], hot[BENCH_RUNS_MAX];

    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        printf("# two_core_scaling needs two CPUs\n");
        return 0;
    }
    open_bench(&one, 1);
    open_bench(&two, 2);
    /* One after the other, so that a machine that slows down slows both; the first round warms caches. */
    for (unsigned i = 0; i <= runs; i++) {
        double t[4] = {run(&one, false), run(&two, false), run(&one, true), run(&two, true)};
        for (unsigned k = 0; k < 4 && i > 0; k++)
            us[k][i - 1] = t[k];
    }
    for (unsigned i = 0; i < runs; i++) {
        spread[i] = us[0][i] / us[1][i];
        hot[i] = us[2][i] / us[3][i];
    }
    bench_figure("one_core_message_us", us[0], runs, "us");
    bench_figure("two_core_message_us", us[1], runs, "us");
    bench_figure("one_core_hot_message_us", us[2], runs, "us");
    bench_figure("two_core_hot_message_us", us[3], runs, "us");
    double a = bench_figure("two_core_scaling_spread", spread, runs, "times");
    double b = bench_figure("two_core_scaling_hot", hot, runs, "times");
    printf("figure two_core_scaling %.2f times\n", a < b ? a : b);
    harness_close(one.h);
    harness_close(two.h);
    return 0;
}
