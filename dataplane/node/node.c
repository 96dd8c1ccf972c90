/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/node.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "core/pool.h"
#include "feed/images.h"

#define MAIL_DEPTH                                                                                           \
    4095 /* mails of one sender that a core may leave lying: eight bursts of the largest port */
#define TICK_NS     5000000 /* of the main thread */
#define LINK_TICKS  20      /* ticks between two looks at the links: 100 ms */
#define FILE_TICKS  100     /* ... at the files of certificates: half a second */
#define DEFAULT_MTU 1500

static unsigned largest_mtu(const struct hg_config *config)
{
    unsigned mtu = DEFAULT_MTU;

    for (unsigned p = 0; p < config->nports; p++)
        for (unsigned i = 0; i < config->ports[p].nifaces; i++)
            if (config->ports[p].iface[i].mtu > mtu)
                mtu = config->ports[p].iface[i].mtu;
    return mtu;
}

static bool open_segment(struct node *node)
{
    char error[HG_SEGMENT_ERROR];
    const struct hg_config *config = node->config;
    struct hg_segment_spec spec = {
        .node = config->node_name,
        .cores = node->cores,
        .ring_cells = (uint32_t)config->dp_ring_cells,
        .route_slots = (uint32_t)config->dp_routes_max,
        .hop_slots = HG_HOP_SLOTS,
        .tsc_hz = rte_get_tsc_hz(),
        .boot = node->boot,
    };

    if (hg_segment_create(&spec, &node->segment, error))
        return true;
    fprintf(stderr, "hg-dataplane: %s\n", error);
    return false;
}

static bool open_pools(struct node *node)
{
    unsigned mtu = largest_mtu(node->config);

    for (unsigned i = 0; i < node->cores; i++) {
        int socket = (int)rte_lcore_to_socket_id(i + 1);
        node->pool[i] = pool_create("frames", i, (unsigned)node->config->dp_mbufs, mtu, socket);
        node->pool_big[i] = pool_big_create("frames", i, (unsigned)node->config->dp_mbufs_big, socket);
        if (node->pool[i] == NULL || node->pool_big[i] == NULL) {
            fprintf(stderr,
                    "hg-dataplane: packet buffers of core %u: %s; raise dataplane.memory or lower "
                    "dataplane.mbufs\n",
                    i, rte_strerror(rte_errno));
            return false;
        }
    }
    return true;
}

static bool open_ports(struct node *node)
{
    char error[PORT_ERROR];

    for (unsigned i = 0; i < node->config->nports; i++) {
        if (!port_open(&node->ports.port[i], &node->config->ports[i], (uint16_t)node->cores, node->pool,
                       error)) {
            fprintf(stderr, "hg-dataplane: %s\n", error);
            return false;
        }
        node->ports.n++;
    }
    return true;
}

static bool start_ports(struct node *node)
{
    char error[PORT_ERROR];

    for (unsigned i = 0; i < node->ports.n; i++)
        if (!port_start(&node->ports.port[i], error)) {
            fprintf(stderr, "hg-dataplane: %s\n", error);
            return false;
        }
    return true;
}

/* ---- on the workers ---- */

static int worker_create(void *arg)
{
    struct node *node = arg;
    unsigned i = rte_lcore_id() - 1;
    struct core_setup setup = {
        .config = node->config,
        .index = (uint16_t)i,
        .cores = (uint16_t)node->cores,
        .boot = node->boot,
        .tsc_hz = rte_get_tsc_hz(),
        .start_tsc = node->start_tsc,
        .ports = &node->ports,
        .office = &node->office,
        .pool = node->pool[i],
        .pool_big = node->pool_big[i],
        .stop = &node->stop,
        .secret = node->segment.header->secret,
        .segment = &node->segment,
        .images = node->images,
        .shelf = node->certificates.shelf,
        .workers = node->certificates.workers,
    };

    node->core[i] = core_create(&setup);
    return node->core[i] ? 0 : -1;
}

static int worker_run(void *arg)
{
    struct node *node = arg;

    prctl(PR_SET_TIMERSLACK, 1000ul); /* naps are a few microseconds long */
    core_loop(node->core[rte_lcore_id() - 1]);
    return 0;
}

static bool on_workers(struct node *node, int (*what)(void *))
{
    bool ok = true;

    for (unsigned i = 0; i < node->cores; i++)
        ok &= rte_eal_remote_launch(what, node, i + 1) == 0;
    return ok;
}

static bool wait_workers(struct node *node)
{
    bool ok = true;

    for (unsigned i = 0; i < node->cores; i++)
        ok &= rte_eal_wait_lcore(i + 1) == 0;
    return ok;
}

bool node_open(struct node *node)
{
    if (getrandom(&node->boot, sizeof(node->boot), 0) != sizeof(node->boot))
        node->boot = (uint32_t)rte_rdtsc();
    node->start_tsc = rte_rdtsc();
    if (!open_segment(node) || !open_pools(node))
        return false;
    if (!mail_office_open(&node->office, node->cores, MAIL_DEPTH) ||
        (node->images = images_create(node->cores)) == NULL) {
        fputs("hg-dataplane: no memory\n", stderr);
        return false;
    }
    if (!certificates_open(&node->certificates, node->config, node->cores, &node->segment.header->tls) ||
        !open_ports(node))
        return false;
    /* each core makes its tables itself: on its CPU, in its memory */
    bool launched = on_workers(node, worker_create);
    return wait_workers(node) && launched && start_ports(node);
}

/* ---- the main thread ---- */

/* systemd's protocol: one datagram to the socket that it names. */
static void notify(const char *what)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un sa = {.sun_family = AF_UNIX};

    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(sa.sun_path))
        return;
    memcpy(sa.sun_path, path, strlen(path));
    if (path[0] == '@')
        sa.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (sendto(fd, what, strlen(what), MSG_NOSIGNAL, (struct sockaddr *)&sa, len) < 0)
        fprintf(stderr, "hg-dataplane: NOTIFY_SOCKET: %s\n", strerror(errno));
    close(fd);
}

static void watch_ready(struct node *node)
{
    if (node->told_ready || atomic_load_explicit(&node->segment.header->dp_ready, memory_order_acquire) == 0)
        return;
    node->told_ready = true;
    notify("READY=1\nSTATUS=routing\n");
}

/* While nobody has attached: is there a control plane that cannot? */
static void watch_control(struct node *node)
{
    char why[HG_SEGMENT_ERROR];

    if (node->told_misfit ||
        atomic_load_explicit(&node->segment.header->cp_epoch, memory_order_relaxed) != 0 ||
        hg_segment_fits_control(node->config->node_name, why))
        return;
    node->told_misfit = true;
    fprintf(stderr, "hg-dataplane: %s\n", why);
}

static void keep_house(struct node *node)
{
    sigset_t set;
    struct timespec tick = {.tv_nsec = TICK_NS};

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    for (unsigned n = 0;; n++) {
        int sig = sigtimedwait(&set, NULL, &tick);
        if (sig == SIGTERM || sig == SIGINT)
            return;
        images_serve(node->images);
        watch_ready(node);
        if (n % LINK_TICKS == 0)
            watch_control(node);
        if (n % FILE_TICKS == 0)
            certificates_look(&node->certificates);
        if (n % LINK_TICKS == 0)
            for (unsigned i = 0; i < node->ports.n; i++)
                port_watch(&node->ports.port[i]);
    }
}

int node_run(struct node *node)
{
    telemetry_open(node);
    if (!on_workers(node, worker_run)) {
        fputs("hg-dataplane: cannot start the workers\n", stderr);
        atomic_store(&node->stop, true);
        wait_workers(node);
        return 1;
    }
    fprintf(stderr,
            "hg-dataplane %s: node %s, %u core%s, %u port%s; waiting for the control plane's tables\n",
            HG_VERSION, node->config->node_name, node->cores, node->cores == 1 ? "" : "s", node->ports.n,
            node->ports.n == 1 ? "" : "s");
    keep_house(node);
    notify("STOPPING=1\n");
    atomic_store(&node->stop, true);
    wait_workers(node);
    return 0;
}

void node_close(struct node *node)
{
    for (unsigned i = 0; i < node->ports.n; i++)
        port_close(&node->ports.port[i]);
    certificates_stop(&node->certificates);
    for (unsigned i = 0; i < node->cores; i++)
        core_destroy(node->core[i]);
    certificates_close(&node->certificates);
    mail_office_close(&node->office);
    if (node->images != NULL)
        images_destroy(node->images);
    if (node->segment.header != NULL)
        hg_segment_destroy(&node->segment);
}
