/* SPDX-License-Identifier: BSD-2-Clause */
#include "harness_impl.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "core/pool.h"
#include "net/stage.h"
#include "route/apply.h"
#include "route/route.h"

const char harness_config[] =
    "node = { name = \"harness\"; };\n"
    "dataplane = { mbufs = 8192; users_max = 100000; transactions_max = 8192; routes_max = 8192;\n"
    "  ports = ( { device = \"net_ring\"; interfaces = (\n"
    "    { addresses = [ \"10.0.0.1/24\", \"fd00::1/64\" ]; },\n"
    "    { vlan = 7; addresses = [ \"10.0.7.1/24\" ]; } ); } );\n"
    "  listeners = ( { address = \"10.0.0.1\"; }, { address = \"fd00::1\"; }, { address = \"10.0.7.1\"; } ); "
    "};\n"
    "cluster = { domain = \"example.com\"; access = [ \"10.0.0.0/16\", \"fd00::/64\" ];\n"
    "  probe = { enabled = false; };\n"
    "  sip = { source_rate = 10000000; source_burst = 10000000; }; };\n";

/* 2 MiB each */
static unsigned free_hugepages(void)
{
    FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
    unsigned n = 0;

    if (f != NULL && fscanf(f, "%u", &n) != 1)
        n = 0;
    if (f != NULL)
        fclose(f);
    return n;
}

static bool start_eal(const struct harness_options *o)
{
    static bool started;
    char prefix[64], megabytes[16], lcores[1024] = "--lcores=0@(", *p = lcores + strlen(lcores);
    cpu_set_t set;

    if (started)
        return true;
    snprintf(prefix, sizeof(prefix), "--file-prefix=harness%d", (int)getpid());
    snprintf(megabytes, sizeof(megabytes), "%u", o->memory_mb ? o->memory_mb : 512);
    sched_getaffinity(0, sizeof(set), &set);
    for (unsigned i = 0, first = 1; i < CPU_SETSIZE && p < lcores + sizeof(lcores) - 8; i++)
        if (CPU_ISSET(i, &set)) {
            p += sprintf(p, first ? "%u" : ",%u", i);
            first = 0;
        }
    strcpy(p, ")");
    /* As in production where the machine has the pages: a walk of page tables is not what is measured. */
    bool huge = o->hugepages && free_hugepages() * 2 >= (o->memory_mb ? o->memory_mb : 512);
    if (o->hugepages && !huge)
        fprintf(stderr, "# not enough free hugepages: measured with small pages\n");
    char *args[] = {"harness",
                    "-m",
                    megabytes,
                    "--no-pci",
                    huge ? "--in-memory" : "--no-shconf",
                    "--no-telemetry",
                    prefix,
                    "--log-level=*:warning",
                    lcores,
                    huge ? NULL : "--no-huge",
                    NULL};
    if (rte_eal_init(huge ? 9 : 10, args) < 0) {
        fprintf(stderr, "harness: EAL: %s\n", rte_strerror(rte_errno));
        return false;
    }
    rmdir(rte_eal_get_runtime_dir()); /* nothing is in it */
    return started = true;
}

static struct hg_config *load(const char *text)
{
    char name[] = "/tmp/harness-XXXXXX";
    int fd = mkstemp(name);
    struct hg_config *config = NULL;

    if (fd < 0)
        return NULL;
    if (write(fd, text, strlen(text)) == (ssize_t)strlen(text))
        config = hg_config_load(name, stderr);
    close(fd);
    unlink(name);
    return config;
}

static bool open_port(struct harness *h, unsigned port)
{
    unsigned frames = h->options.ring_frames ? h->options.ring_frames : 4096,
             rxq = h->options.one_queue ? 1 : h->cores;
    struct hg_config_port config = h->config->ports[port];
    struct port *p = &h->ports.port[port];
    char name[64], error[PORT_ERROR];

    for (unsigned q = 0; q < h->cores; q++) {
        snprintf(name, sizeof(name), "rx%u.%u.%u", h->number, port, q);
        h->rx[port][q] = rte_ring_create(name, frames, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
        snprintf(name, sizeof(name), "tx%u.%u.%u", h->number, port, q);
        h->tx[port][q] = rte_ring_create(name, frames, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
        if (h->rx[port][q] == NULL || h->tx[port][q] == NULL)
            return false;
    }
    snprintf(name, sizeof(name), "h%up%u", h->number, port);
    if (rte_eth_from_rings(name, h->rx[port], rxq, h->tx[port], h->cores, 0) < 0)
        return false;
    snprintf(config.device, sizeof(config.device), "net_ring_%s", name);
    if (!port_open(p, &config, (uint16_t)h->cores, h->pool_of, error) || !port_start(p, error)) {
        fprintf(stderr, "harness: %s\n", error);
        return false;
    }
    memcpy(p->net.mac, (uint8_t[]){2, 0x48, 0x47, 0, 0, (uint8_t)port}, 6);
    p->net.up = true;
    if (!h->options.one_queue)
        p->rss = true; /* harness_queue plays the part of the port's hash */
    h->ports.n++;
    return true;
}

static bool open_memory(struct harness *h)
{
    char name[16];

    snprintf(name, sizeof(name), "src%u.", h->number);
    h->pool = pool_create(name, 0, 16384, 9000, SOCKET_ID_ANY);
    snprintf(name, sizeof(name), "h%u.", h->number);
    for (unsigned i = 0; i < h->cores; i++) {
        h->pool_of[i] = pool_create(name, i, (unsigned)h->config->dp_mbufs, 1500, SOCKET_ID_ANY);
        h->pool_big[i] = pool_big_create(name, i, (unsigned)h->config->dp_mbufs_big, SOCKET_ID_ANY);
        h->area[i] = aligned_alloc(64, (sizeof(*h->area[i]) + 63) & ~(size_t)63);
        h->route_stats[i] = calloc((size_t)h->config->dp_routes_max, sizeof(struct hg_route_stats));
        h->hop_stats[i] = calloc(HG_HOP_SLOTS, sizeof(struct hg_hop_stats));
        if (!h->pool_of[i] || !h->pool_big[i] || !h->area[i] || !h->route_stats[i] || !h->hop_stats[i])
            return false;
        memset(h->area[i], 0, sizeof(*h->area[i]));
    }
    return h->pool != NULL && mail_office_open(&h->office, h->cores, 4095);
}

static bool open_core(struct harness *h, unsigned i, uint64_t start)
{
    struct core_setup setup = {
        .config = h->config,
        .index = (uint16_t)i,
        .cores = (uint16_t)h->cores,
        .boot = 0x600d0000 + h->number,
        .tsc_hz = rte_get_tsc_hz(),
        .start_tsc = start,
        .ports = &h->ports,
        .office = &h->office,
        .pool = h->pool_of[i],
        .pool_big = h->pool_big[i],
        .stop = &h->stop,
        .secret = h->secret,
        .area = h->area[i],
        .route_stats = h->route_stats[i],
        .hop_stats = h->hop_stats[i],
    };

    if ((h->core[i] = core_create(&setup)) == NULL)
        return false;
    h->core[i]->clock.by_hand = h->options.virtual_clock;
    h->core[i]->clock.hand = start;
    h->core[i]->clock.ms = 10000; /* buckets have filled, as in a dataplane that runs for a while */
    net_set_ready(h->core[i]->net, !h->options.closed);
    return true;
}

struct harness *harness_open(const struct harness_options *options)
{
    static unsigned number;
    struct harness *h = aligned_alloc(alignof(struct harness), sizeof(*h));
    uint64_t start = rte_rdtsc();

    if (h == NULL)
        return NULL;
    memset(h, 0, sizeof(*h));
    h->options = *options;
    h->cores = options->cores ? options->cores : 1;
    h->number = number++;
    h->secret = (struct hg_hash_secret){{0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull}};
    h->config = load(options->config ? options->config : harness_config);
    if (h->config == NULL || !start_eal(options) || !open_memory(h))
        goto bad;
    for (unsigned p = 0; p < h->config->nports; p++)
        if (!open_port(h, p))
            goto bad;
    for (unsigned i = 0; i < h->cores; i++)
        if (!open_core(h, i, start))
            goto bad;
    if (!options->no_routes && !harness_routes(h, NULL, 0))
        goto bad;
    return h;
bad:
    fprintf(stderr, "harness: cannot be opened: %s\n", rte_strerror(rte_errno));
    harness_close(h);
    return NULL;
}

static void drain_ring(struct rte_ring *r)
{
    void *m;

    if (r == NULL)
        return;
    while (rte_ring_dequeue(r, &m) == 0)
        rte_pktmbuf_free(m);
    rte_ring_free(r);
}

void harness_close(struct harness *h)
{
    harness_stop(h);
    for (unsigned p = 0; p < h->ports.n; p++)
        port_close(&h->ports.port[p]);
    for (unsigned i = 0; i < h->cores; i++)
        core_destroy(h->core[i]);
    mail_office_close(&h->office);
    for (unsigned p = 0; p < HG_PORTS_MAX; p++)
        for (unsigned q = 0; q < h->cores; q++) {
            drain_ring(h->rx[p][q]);
            drain_ring(h->tx[p][q]);
        }
    for (unsigned i = 0; i < h->cores; i++) {
        rte_mempool_free(h->pool_of[i]);
        rte_mempool_free(h->pool_big[i]);
        free(h->area[i]);
        free(h->route_stats[i]);
        free(h->hop_stats[i]);
    }
    rte_mempool_free(h->pool);
    harness_routes_free(h);
    if (h->config != NULL)
        hg_config_free(h->config);
    free(h);
}

struct core *harness_core(struct harness *h, unsigned core)
{
    return h->core[core];
}

const struct hg_config *harness_conf(const struct harness *h)
{
    return h->config;
}

struct rte_mempool *harness_pool(struct harness *h)
{
    return h->pool;
}

struct rte_ring *harness_rx_ring(struct harness *h, unsigned port, unsigned queue)
{
    return h->rx[port][queue];
}

struct rte_ring *harness_tx_ring(struct harness *h, unsigned port, unsigned queue)
{
    return h->tx[port][queue];
}
