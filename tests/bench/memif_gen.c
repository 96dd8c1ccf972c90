/* SPDX-License-Identifier: BSD-2-Clause */
/* The other end of a dataplane's net_memif port: sends MESSAGE requests at a pace, takes back what was
 * forwarded, tells the two apart by Call-ID. 65,536 different frames for users at random; each stands whole
 * in a packet buffer and is sent again when it has come back.
 *
 *     memif_gen DEVICE CPU DATAPLANE-MAC GATEWAY SOURCE SINK USERS
 *
 * A rate holds when all that was due was sent in time and all of it came back. At most WINDOW messages are
 * under way: with the rings of 2048 descriptors none is lost because one of the two was not scheduled for a
 * moment; it is late then, and the rate does not hold. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "hg/endpoint.h"
#include "median.h"
#include "messages.h"

#define FRAMES    65536u
#define WINDOW    1536
#define BURST     32
#define RING      2048
#define STEP_S    0.4
#define CONFIRM_S 2.0
#define GRACE     0.02
#define GRACE     0.02
#define HEADERS   42     /* Ethernet, IPv4, UDP */
#define BUCKETS   200000 /* of the latency, 50 ns each: 10 ms */
#define BUCKET_NS 50

struct gen {
    uint16_t port;
    struct rte_mempool *pool;
    uint8_t mac[6], peer[6];
    struct hg_endpoint gateway, source, sink;
    uint32_t users, suffix; /* bytes from the Call-ID's value to the end */
    double hz;
    struct rte_mbuf *frame[FRAMES];
    uint64_t sent_at[FRAMES]; /* TSC; 0: not under way */
    uint32_t next;
    int64_t under_way;
    uint64_t sent, received, lost, strange;
    uint64_t bucket[BUCKETS + 1];
};

static void die(const char *what)
{
    fprintf(stderr, "memif_gen: %s\n", what);
    exit(1);
}

static uint32_t sum16(const uint8_t *p, uint32_t len, uint32_t sum)
{
    for (uint32_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    return len & 1 ? sum + ((uint32_t)p[len - 1] << 8) : sum;
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put_sum(uint8_t *p, uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(p, ~sum & 0xffff);
}

static void put_headers(const struct gen *g, uint8_t *p, uint32_t len)
{
    uint8_t *ip = p + 14, *udp = ip + 20;
    memset(p, 0, HEADERS);
    memcpy(p, g->peer, 6);
    memcpy(p + 6, g->mac, 6);
    put16(p + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, 28 + len);
    ip[8] = 64;
    ip[9] = 17;
    memcpy(ip + 12, g->source.ip.b + 12, 4);
    memcpy(ip + 16, g->gateway.ip.b + 12, 4);
    put_sum(ip + 10, sum16(ip, 20, 0));
    put16(udp, g->source.port);
    put16(udp + 2, g->gateway.port);
    put16(udp + 4, 8 + len);
    put_sum(udp + 6, sum16(udp, 8 + len, sum16(ip + 12, 8, 17 + 8 + len)));
}

static void make_frames(struct gen *g)
{
    char via[32];
    struct in_addr a;
    memcpy(&a, g->source.ip.b + 12, 4);
    snprintf(via, sizeof(via), "%s:%u", inet_ntoa(a), g->source.port);
    for (uint32_t i = 0; i < FRAMES; i++) {
        struct rte_mbuf *m = g->frame[i] = rte_pktmbuf_alloc(g->pool);
        if (m == NULL)
            die("packet buffers exhausted");
        uint64_t r = bench_mix(i + 1);
        struct bench_vary v = {.user = (uint32_t)(r % g->users), .call_id = r << 32 | i, .tag = (uint32_t)r};
        uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
        char *text = (char *)p + HEADERS;
        uint32_t len = bench_build(text, bench_message, &v, via);
        text[len] = '\0';
        g->suffix = (uint32_t)(text + len - (strstr(text, "Call-ID: ") + 9));
        put_headers(g, p, len);
        m->data_len = (uint16_t)(HEADERS + len);
        m->pkt_len = HEADERS + len;
    }
}

static void send_one(struct gen *g, const void *frame, uint16_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(g->pool);
    if (m == NULL)
        return;
    memcpy(rte_pktmbuf_append(m, len), frame, len);
    if (rte_eth_tx_burst(g->port, 0, &m, 1) != 1)
        rte_pktmbuf_free(m);
}

/* Every address that is asked for is here. */
static void answer_arp(struct gen *g, const uint8_t *p, uint32_t len)
{
    uint8_t out[42];
    if (len < 42 || p[20] != 0 || p[21] != 1 || memcmp(p + 28, p + 38, 4) == 0)
        return;
    memcpy(out, p, sizeof(out));
    memcpy(out, p + 6, 6);
    memcpy(out + 6, g->mac, 6);
    out[21] = 2;
    memcpy(out + 22, g->mac, 6);
    memcpy(out + 28, p + 38, 4);
    memcpy(out + 32, p + 22, 10);
    send_one(g, out, sizeof(out));
}

static int hex(uint8_t c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void take_one(struct gen *g, const uint8_t *p, uint32_t len, uint64_t now)
{
    uint32_t i = 0;
    if (len > 14 && p[12] == 8 && p[13] == 6) {
        answer_arp(g, p, len);
        return;
    }
    const uint8_t *id = p + len - g->suffix;
    if (len < HEADERS + g->suffix + 9 || p[23] != 17 || memcmp(p + 30, g->sink.ip.b + 12, 4) != 0 ||
        memcmp(id - 9, "Call-ID: ", 9) != 0) {
        g->strange += len > 34 && p[12] == 8 && p[13] == 0;
        return;
    }
    for (int k = 8; k < 16; k++)
        i = i << 4 | (uint32_t)hex(id[k]);
    if (i >= FRAMES || g->sent_at[i] == 0) {
        g->strange++;
        return;
    }
    uint64_t ns = (uint64_t)((double)(now - g->sent_at[i]) / g->hz * 1e9) / BUCKET_NS;
    g->bucket[ns < BUCKETS ? ns : BUCKETS]++;
    g->sent_at[i] = 0;
    g->under_way--;
    g->received++;
}

static void take(struct gen *g)
{
    struct rte_mbuf *m[BURST];
    uint16_t n = rte_eth_rx_burst(g->port, 0, m, BURST);
    uint64_t now = rte_rdtsc();
    for (uint16_t i = 0; i < n; i++)
        take_one(g, rte_pktmbuf_mtod(m[i], uint8_t *), rte_pktmbuf_data_len(m[i]), now);
    rte_pktmbuf_free_bulk(m, n);
}

/* As many as are due, in bursts; a frame that has not come back when its turn comes again is lost. */
static void send_due(struct gen *g, uint64_t due)
{
    struct rte_mbuf *m[BURST];
    uint16_t n = 0;
    uint32_t first = g->next;
    uint64_t now = rte_rdtsc();
    while (n < BURST && g->sent + n < due && g->under_way + n < WINDOW) {
        uint32_t i = (first + n) % FRAMES;
        if (g->sent_at[i] != 0) {
            g->lost++;
            g->under_way--;
        }
        g->sent_at[i] = now;
        m[n] = g->frame[i];
        rte_mbuf_refcnt_set(m[n++], 2); /* sending gives one back */
    }
    uint16_t out = n ? rte_eth_tx_burst(g->port, 0, m, n) : 0;
    for (uint16_t k = out; k < n; k++)
        g->sent_at[(first + k) % FRAMES] = 0;
    g->next = (first + out) % FRAMES;
    g->sent += out;
    g->under_way += out;
}

static uint64_t forget(struct gen *g)
{
    uint64_t lost = 0;
    for (uint32_t i = 0; i < FRAMES; i++) {
        lost += g->sent_at[i] != 0;
        g->sent_at[i] = 0;
    }
    g->under_way = 0;
    return lost;
}

/* 0: the rate does not hold; else what was really carried, per second, counted until the last came back. Who
 * was not scheduled for a moment may make up for it within GRACE of the time. */
static double run(struct gen *g, double rate, double seconds)
{
    g->sent = g->received = g->lost = g->strange = 0;
    memset(g->bucket, 0, sizeof(g->bucket));
    uint64_t start = rte_rdtsc(), wanted = (uint64_t)(rate * seconds);
    double t = 0, end = seconds * (1 + GRACE);
    while (t < end && g->sent < wanted) {
        uint64_t due = (uint64_t)(t * rate);
        send_due(g, due < wanted ? due : wanted);
        take(g);
        t = (double)(rte_rdtsc() - start) / g->hz;
    }
    double last = t;
    while (g->under_way > 0 && t < last + 0.05) {
        uint64_t before = g->received;
        take(g);
        t = (double)(rte_rdtsc() - start) / g->hz;
        if (g->received != before)
            last = t;
    }
    g->lost += forget(g);
    if (getenv("BENCH_VERBOSE"))
        fprintf(stderr,
                "# %.0f/s: due %" PRIu64 " sent %" PRIu64 " back %" PRIu64 " lost %" PRIu64
                " strange %" PRIu64 "\n",
                rate, wanted, g->sent, g->received, g->lost, g->strange);
    return g->lost || g->strange || g->sent < wanted ? 0 : (double)g->received / last;
}

static double search(struct gen *g)
{
    double good = 100000, bad = 200000;
    double carried;
    while (bad < 12e6 && run(g, bad, STEP_S) > 0) {
        good = bad;
        bad *= 2;
    }
    while (bad / good > 1.02) {
        double rate = (good + bad) / 2;
        if (run(g, rate, STEP_S) > 0)
            good = rate;
        else
            bad = rate;
    }
    while ((carried = run(g, good, CONFIRM_S)) == 0) {
        good *= 0.98;
        if (good < 50000)
            die("no rate without loss");
    }
    return carried;
}

static double percentile(const struct gen *g, double part)
{
    uint64_t rank = (uint64_t)((double)g->received * part), seen = 0;
    for (uint32_t i = 0; i <= BUCKETS; i++)
        if ((seen += g->bucket[i]) > rank)
            return (i + 0.5) * BUCKET_NS / 1000;
    return 0;
}

static void open_port(struct gen *g)
{
    struct rte_eth_conf conf = {0};
    struct rte_ether_addr mac;
    struct rte_eth_link link = {0};
    if (rte_eth_dev_count_avail() != 1)
        die("no port");
    g->pool = rte_pktmbuf_pool_create("gen", FRAMES + 8192, 256, 0, 2176, SOCKET_ID_ANY);
    if (g->pool == NULL || rte_eth_dev_configure(g->port, 1, 1, &conf) != 0 ||
        rte_eth_rx_queue_setup(g->port, 0, RING, SOCKET_ID_ANY, NULL, g->pool) != 0 ||
        rte_eth_tx_queue_setup(g->port, 0, RING, SOCKET_ID_ANY, NULL) != 0 || rte_eth_dev_start(g->port) != 0)
        die(rte_strerror(rte_errno));
    printf("# the generator listens\n"); /* the dataplane asks once: it may start now */
    fflush(stdout);
    rte_eth_macaddr_get(g->port, &mac);
    memcpy(g->mac, mac.addr_bytes, 6);
    for (unsigned n = 0; n < 600; n++) {
        if (rte_eth_link_get_nowait(g->port, &link) == 0 && link.link_status == RTE_ETH_LINK_UP)
            return;
        usleep(50000);
    }
    die("the dataplane's port does not come");
}

static void measure(struct gen *g)
{
    unsigned runs = bench_runs();
    double rate[BENCH_RUNS_MAX], lost[BENCH_RUNS_MAX], p[3][BENCH_RUNS_MAX];
    for (unsigned i = 0; i < runs; i++) {
        rate[i] = search(g);
        lost[i] = (double)g->lost;
        if (run(g, rate[i] / 2, CONFIRM_S) == 0)
            printf("# half of %.0f/s did not hold: lost %" PRIu64 "\n", rate[i], g->lost);
        p[0][i] = percentile(g, 0.5);
        p[1][i] = percentile(g, 0.99);
        p[2][i] = percentile(g, 0.999);
    }
    bench_figure("memif_msgs_per_s", rate, runs, "/s");
    bench_figure("memif_lost", lost, runs, "messages");
    bench_figure("memif_half_load_p50_us", p[0], runs, "us");
    bench_figure("memif_half_load_p99_us", p[1], runs, "us");
    bench_figure("memif_half_load_p999_us", p[2], runs, "us");
}

int main(int argc, char **argv)
{
    static struct gen g;
    char lcores[32], vdev[512];
    if (argc != 8)
        die("usage: memif_gen DEVICE CPU DATAPLANE-MAC GATEWAY SOURCE SINK USERS");
    snprintf(lcores, sizeof(lcores), "0@%s", argv[2]);
    snprintf(vdev, sizeof(vdev), "--vdev=%s", argv[1]);
    char *eal[] = {"memif_gen", "--lcores", lcores,        "--no-pci",       "--no-huge",
                   "-m",        "512",      "--no-shconf", "--no-telemetry", "--log-level=*:warning",
                   vdev,        NULL};
    if (rte_eal_init(11, eal) < 0)
        die(rte_strerror(rte_errno));
    if (rte_ether_unformat_addr(argv[3], (struct rte_ether_addr *)(void *)g.peer) != 0 ||
        !hg_endpoint_parse(slice_str(argv[4]), 5060, &g.gateway) ||
        !hg_endpoint_parse(slice_str(argv[5]), 5060, &g.source) ||
        !hg_endpoint_parse(slice_str(argv[6]), 5060, &g.sink) || (g.users = (uint32_t)atoi(argv[7])) == 0)
        die("an argument is not understood");
    g.hz = (double)rte_get_tsc_hz();
    open_port(&g);
    make_frames(&g);
    if (getchar() == EOF) /* the node has its tables */
        die("nobody says go");
    run(&g, 2000, 1.0); /* neighbours are learned */
    measure(&g);
    rte_eth_dev_stop(g.port);
    rte_eth_dev_close(g.port);
    return 0;
}
