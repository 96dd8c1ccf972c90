/* SPDX-License-Identifier: BSD-2-Clause */
/* A core under load while its tables change, in process, over the real segment, rings and feed.
 *
 *   CPU 1: one core, turned by the thread that also lays its frames and takes what it sends. Time is real;
 *          latency runs from the moment when a message was due to the moment when it has left.
 *   CPU 0: the control plane's end: the feed, 100,000 moves of users a second, and on a thread of its own a
 *          compilation of 100,000 static routes each second, published, mapped, checked, swapped in.
 *
 * Every message is judged by where it went. A user's (or the route's) version goes up before a move is given
 * to the feed, and the move is pending until the feed says that it is in force. A message that was laid
 * without a pending move, and has left before the next one, must have gone to the one node; else it may have
 * gone to the old or to the new, never elsewhere.
 *
 * bench_churn feed: four such nodes at once, in a process each on the same two CPUs; every user moves at
 * once. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "churn.h"
#include "median.h"
#include "messages.h"
#include "together.h"

#define FRAMES     65536u
#define SECONDS    3.0
#define LOAD       0.8
#define BURST      32
#define RING       16384
#define BUCKETS    100000 /* of 100 ns: 10 ms */
#define BUCKET_NS  100
#define FEED_NODES 4u

static const char config[] =
    "node = { name = \"bench\"; };\n"
    "dataplane = { polling = \"busy\"; mbufs = 49152; users_max = 1000000; routes_max = 16384;\n"
    "  ports = ( { device = \"net_ring\"; descriptors = 4096; interfaces = ( { addresses = [ \"10.0.0.1/24\" "
    "]; } ); } );\n"
    "  listeners = ( { address = \"10.0.0.1\"; } ); };\n"
    "cluster = { domain = \"example.net\"; access = [ \"10.0.0.0/24\" ]; probe = { enabled = false; };\n"
    "  sip = { source_rate = 10000000; source_burst = 10000000; user_mode = \"stateless\"; overload_high = "
    "100; }; };\n";

struct flight { /* one frame, laid again when it is back */
    uint64_t due;
    uint32_t subject, version;
    uint8_t expected; /* 0: either */
};

struct traffic {
    struct churn *churn;
    struct harness *h;
    struct core *core;
    pthread_t thread;
    struct rte_ring *rx, *tx;
    uint32_t suffix, len[FRAMES];
    uint32_t next;
    uint8_t *frame[FRAMES];
    struct flight flight[FRAMES];
    uint64_t sent, back, lost, misrouted;
    uint64_t bucket[BUCKETS + 1];
    atomic_int rate; /* messages a second; 0: rest, -1: as many as go, -2: end */
    atomic_int running;
};

static void make_frames(struct traffic *l)
{
    struct hg_endpoint from, to;
    char text[2048];
    hg_endpoint_parse(slice_str("10.0.0.2:5080"), 5060, &from);
    hg_endpoint_parse(slice_str("10.0.0.1:5060"), 5060, &to);
    for (uint32_t i = 0; i < FRAMES; i++) {
        uint64_t r = bench_mix(i + 1);
        uint32_t user = (uint32_t)(r % CHURN_USERS);
        struct bench_vary v = {.user = user, .call_id = r << 32 | i, .tag = (uint32_t)r};
        uint32_t len = bench_build(text, bench_message, &v, "10.0.0.2:5080");
        text[len] = '\0';
        l->flight[i].subject = user;
        if (i % 16 == 0) { /* a number: of the static route that leads elsewhere with each reload */
            memcpy(strstr(text, "sip:") + 4, "777", 3);
            l->flight[i].subject = CHURN_ROUTE;
        }
        l->suffix = (uint32_t)(text + len - (strstr(text, "Call-ID: ") + 9));
        l->frame[i] = malloc(len + 64);
        if (l->frame[i] == NULL)
            churn_die("no memory");
        l->len[i] = harness_build_udp(l->h, l->frame[i], &from, &to, text, len);
    }
}

/* false: no room just now. */
static bool lay(struct traffic *l, uint64_t due)
{
    uint32_t i = l->next;
    struct flight *f = &l->flight[i];
    if (rte_ring_free_count(l->rx) == 0 || (f->due != 0 && l->sent - l->back < RING))
        return false;
    struct rte_mbuf *m = rte_pktmbuf_alloc(l->core->ctx.pool);
    if (m == NULL)
        return false;
    memcpy(rte_pktmbuf_mtod(m, void *), l->frame[i], l->len[i]);
    m->data_len = (uint16_t)l->len[i];
    m->pkt_len = l->len[i];
    l->lost += f->due != 0;
    f->due = due;
    f->expected = churn_expected(l->churn, f->subject, &f->version);
    rte_ring_enqueue(l->rx, m);
    l->next = (i + 1) % FRAMES;
    l->sent++;
    return true;
}

static void judge(struct traffic *l, const uint8_t *dst, const char *id, uint64_t now)
{
    uint32_t i = 0;
    for (int k = 8; k < 16; k++)
        i = i << 4 | (uint32_t)(id[k] <= '9' ? id[k] - '0' : id[k] - 'a' + 10);
    struct flight *f = &l->flight[i % FRAMES];
    if (i >= FRAMES || f->due == 0) {
        l->misrouted++; /* twice, or not ours */
        return;
    }
    uint64_t ns = now > f->due ? (uint64_t)((double)(now - f->due) * 1e9 / (double)rte_get_tsc_hz()) : 0;
    l->bucket[ns / BUCKET_NS < BUCKETS ? ns / BUCKET_NS : BUCKETS]++;
    if (!churn_judge(l->churn, f->subject, f->version, f->expected, dst)) {
        if (getenv("BENCH_VERBOSE") && l->misrouted < 5)
            fprintf(stderr, "subject %u expected %u went %u.%u.%u.%u\n", f->subject, f->expected, dst[0],
                    dst[1], dst[2], dst[3]);
        l->misrouted++;
    }
    f->due = 0;
    l->back++;
}

static void take(struct traffic *l)
{
    struct rte_mbuf *m[BURST];
    char room[2048];
    unsigned n = rte_ring_dequeue_burst(l->tx, (void **)m, BURST, NULL);
    uint64_t now = n ? rte_rdtsc() : 0;
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *p = rte_pktmbuf_mtod(m[i], const uint8_t *);
        uint32_t len = rte_pktmbuf_pkt_len(m[i]);
        if (p[12] == 8 && p[13] == 0 && p[23] == 17 && len > 42 + l->suffix)
            judge(l, p + 30, rte_pktmbuf_read(m[i], len - l->suffix, 16, room), now);
        else
            harness_answer(l->h, 0, 0, p, rte_pktmbuf_data_len(m[i]));
        rte_pktmbuf_free(m[i]);
    }
}

/* One period at one rate; ends when the rate is changed, after what was laid has left. */
static void period(struct traffic *l, int rate)
{
    uint64_t start = rte_rdtsc(), laid = 0;
    double hz = (double)rte_get_tsc_hz();
    atomic_store(&l->running, 1);
    while (atomic_load_explicit(&l->rate, memory_order_relaxed) == rate) {
        uint64_t now = rte_rdtsc();
        uint64_t want = rate < 0 ? laid + BURST : (uint64_t)((double)(now - start) / hz * rate);
        for (unsigned k = 0; k < BURST && laid < want; k++, laid++)
            if (!lay(l, rate < 0 ? now : start + (uint64_t)((double)laid * hz / rate)))
                break;
        core_turn(l->core);
        take(l);
    }
    for (double end = bench_now() + 0.2; l->back < l->sent && bench_now() < end;) {
        core_turn(l->core);
        take(l);
    }
    for (uint32_t i = 0; i < FRAMES; i++) {
        l->lost += l->flight[i].due != 0;
        l->flight[i].due = 0;
    }
    atomic_store(&l->running, 0);
}

static void *core_thread(void *arg)
{
    struct traffic *l = arg;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(1, &set);
    pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
    rte_thread_register();
    for (int rate; (rate = atomic_load(&l->rate)) != -2;) {
        if (rate != 0)
            period(l, rate);
        core_turn(l->core);
        take(l);
    }
    rte_thread_unregister();
    return NULL;
}

/* The control plane's side runs meanwhile; returns messages that came back a second. */
static double phase(struct traffic *l, int rate, double seconds, bool changes)
{
    memset(l->bucket, 0, sizeof(l->bucket));
    l->sent = l->back = 0;
    double start = bench_now();
    churn_changes(l->churn, changes);
    atomic_store(&l->rate, rate);
    while (bench_now() - start < seconds)
        churn_turn(l->churn);
    churn_changes(l->churn, false);
    seconds = bench_now() - start;
    atomic_store(&l->rate, 0);
    while (atomic_load(&l->running))
        churn_turn(l->churn);
    churn_settle(l->churn);
    return (double)l->back / seconds;
}

static double p99_us(const struct traffic *l)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i <= BUCKETS; i++)
        if ((seen += l->bucket[i]) * 100 >= l->back * 99)
            return (i + 0.5) * BUCKET_NS / 1000;
    return 0;
}

static void measure(struct traffic *l, unsigned runs)
{
    double calm[BENCH_RUNS_MAX], busy[BENCH_RUNS_MAX], ratio[BENCH_RUNS_MAX];
    double full = phase(l, -1, 1, false);
    uint64_t users = 0, images = 0;
    l->lost = l->misrouted = 0;
    for (unsigned i = 0; i < runs; i++) {
        phase(l, (int)(full * LOAD), SECONDS, false);
        calm[i] = p99_us(l);
        phase(l, (int)(full * LOAD), SECONDS, true);
        busy[i] = p99_us(l);
        ratio[i] = busy[i] / calm[i];
        churn_counted(l->churn, &users, &images);
    }
    printf("# %.0f messages/s, %.0f %% of what goes with frames laid by the same CPU; in force each second: "
           "%.0f moves of users, %.2f images of %u static routes\n",
           full * LOAD, LOAD * 100, (double)users / runs / SECONDS, (double)images / runs / SECONDS,
           CHURN_STATICS);
    printf("figure churn_lost %" PRIu64 " messages\nfigure churn_misrouted %" PRIu64 " messages\n", l->lost,
           l->misrouted);
    bench_figure("churn_p99_calm_us", calm, runs, "us");
    bench_figure("churn_p99_us", busy, runs, "us");
    bench_figure("churn_p99_ratio", ratio, runs, "times");
}

/* A failover of everybody, record by record, on every node at once. */
static void measure_feed(struct traffic *l, unsigned runs, struct together *t, struct together_node *me)
{
    together_wait(t);
    double full = phase(l, -1, 1, false);
    memset(l->bucket, 0, sizeof(l->bucket));
    l->sent = l->back = l->lost = l->misrouted = 0;
    for (unsigned i = 0; i < runs; i++) {
        together_wait(t);
        atomic_store(&l->rate, (int)(full * LOAD));
        while (!atomic_load(&l->running))
            churn_turn(l->churn);
        together_wait(t);
        uint64_t back = l->back;
        me->seconds[i] = churn_move_all(l->churn);
        me->forwarded[i] = (double)(l->back - back) / me->seconds[i];
        together_wait(t); /* it forwards on until the last one has everything */
        atomic_store(&l->rate, 0);
        while (atomic_load(&l->running))
            churn_turn(l->churn);
    }
    me->lost = l->lost;
    me->misrouted = l->misrouted;
}

static void open_traffic(struct traffic *l)
{
    l->h = harness_open(&(struct harness_options){
        .config = config, .ring_frames = RING, .memory_mb = 512, .hugepages = true});
    if (l->h == NULL)
        churn_die("no harness");
    l->core = harness_core(l->h, 0);
    l->rx = harness_rx_ring(l->h, 0, 0);
    l->tx = harness_tx_ring(l->h, 0, 0);
    l->churn = churn_open(l->h);
    make_frames(l);
    if (pthread_create(&l->thread, NULL, core_thread, l) != 0)
        churn_die("no thread");
}

static void close_traffic(struct traffic *l)
{
    if (getenv("BENCH_VERBOSE"))
        harness_report(l->h);
    atomic_store(&l->rate, -2);
    pthread_join(l->thread, NULL);
    churn_close(l->churn);
    harness_close(l->h);
}

static void feed_one(void *arg, struct together *t, struct together_node *me)
{
    struct traffic *l = arg;

    open_traffic(l);
    churn_load(l->churn);
    phase(l, 2000, 0.5, false); /* neighbours are learned */
    measure_feed(l, bench_runs(), t, me);
    close_traffic(l);
}

/* What the slowest of the nodes took counts: the figure is for every core of every node. */
static int feed_all(struct traffic *l, unsigned runs)
{
    const struct together *t = together_run(FEED_NODES, feed_one, l);
    double rate[BENCH_RUNS_MAX], forwarded[BENCH_RUNS_MAX];
    uint64_t lost = 0, misrouted = 0;

    if (t == NULL)
        churn_die("a node failed");
    for (unsigned i = 0; i < runs; i++) {
        double slowest = 0;
        forwarded[i] = 0;
        for (unsigned n = 0; n < FEED_NODES; n++) {
            slowest = t->node[n].seconds[i] > slowest ? t->node[n].seconds[i] : slowest;
            forwarded[i] += t->node[n].forwarded[i];
        }
        rate[i] = CHURN_USERS / slowest;
    }
    for (unsigned n = 0; n < FEED_NODES; n++) {
        lost += t->node[n].lost;
        misrouted += t->node[n].misrouted;
    }
    bench_figure("feed_records_per_s", rate, runs, "records/s");
    printf(
        "# to each of %u nodes at the same time; together they forwarded %.0f messages/s meanwhile: %" PRIu64
        " lost, %" PRIu64 " misrouted\n",
        FEED_NODES, bench_median(forwarded, runs), lost, misrouted);
    if (lost || misrouted)
        churn_die("messages were lost or misrouted");
    return 0;
}

int main(int argc, char **argv)
{
    static struct traffic l;
    unsigned runs = bench_runs();
    double loads[BENCH_RUNS_MAX];

    if (argc > 1 && strcmp(argv[1], "feed") == 0)
        return feed_all(&l, runs);
    open_traffic(&l);
    for (unsigned i = 0; i < runs; i++)
        loads[i] = churn_load(l.churn);
    bench_figure("route_load_million_s", loads, runs, "s");
    double bytes = churn_bytes_per_user();
    printf(
        "figure route_bytes_per_user %.1f bytes\n# %.1f bytes a user and core: %.0f MB on a node of 16 cores "
        "with a million users\n",
        bytes, bytes, bytes * 16);
    phase(&l, 2000, 0.5, false); /* neighbours are learned */
    measure(&l, runs);
    close_traffic(&l);
    return 0;
}
