/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_ethdev.h>

#include "core/core.h"

#define RX_WANTED                                                                                            \
    (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define TX_WANTED                                                                                            \
    (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |           \
     RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
#define RSS_WANTED                                                                                           \
    (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_IPV6 |     \
     RTE_ETH_RSS_NONFRAG_IPV6_UDP | RTE_ETH_RSS_NONFRAG_IPV6_TCP)
#define RSS_KEY_MAX      128
#define RETA_MAX         4096
#define LOOKS_PER_LOSSES 10 /* a second */

void port_device_name(const char *device, char *name, size_t size)
{
    snprintf(name, size, "%.*s", (int)strcspn(device, ","), device);
}

bool port_is_pci(const char *device)
{
    size_t n = strspn(device, "0123456789abcdefABCDEF:.");
    return n >= 7 && (device[n] == '\0' || device[n] == ',') && memchr(device, ':', n) &&
           memchr(device, '.', n);
}

/* net_memif leaves its listening socket behind when it is killed and asked for a path in the file system;
 * bind then fails. Nobody answering there means that it is stale. */
void port_clean_stale(const char *device)
{
    const char *at = strstr(device, "socket=");
    struct sockaddr_un sa = {.sun_family = AF_UNIX};

    if (strncmp(device, "net_memif", 9) != 0 || at == NULL || strstr(device, "socket-abstract=no") == NULL ||
        (strstr(device, "role=server") == NULL && strstr(device, "role=master") == NULL))
        return;
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%.*s", (int)strcspn(at + 7, ","), at + 7);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (fd < 0)
        return;
    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
        unlink(sa.sun_path);
    close(fd);
}

/* The interface behind net_af_packet: its driver does not look. */
static void kernel_name(const char *device, char *name, size_t size)
{
    const char *at = strstr(device, "iface=");

    if (strncmp(device, "net_af_packet", 13) == 0 && at != NULL)
        snprintf(name, size, "%.*s", (int)strcspn(at + 6, ","), at + 6);
}

static bool failed(char *error, const char *name, const char *what, int code)
{
    snprintf(error, PORT_ERROR, "port %s: %s: %s", name, what, rte_strerror(code < 0 ? -code : code));
    return false;
}

static uint16_t mtu_wanted(const struct hg_config_port *config)
{
    uint16_t mtu = 0;
    for (unsigned i = 0; i < config->nifaces; i++)
        if (config->iface[i].mtu > mtu)
            mtu = config->iface[i].mtu;
    return mtu;
}

static void rss_key(uint8_t *key, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        key[i] = (uint8_t)(i & 1 ? FLOW_RSS_KEY : FLOW_RSS_KEY >> 8);
}

/* As lib/flow_hash.h says, so that TCP can choose ports that come home. A port that refuses only costs mails:
 * the cores look where each segment belongs. */
static void rss_table(const struct port *p)
{
    struct rte_eth_rss_reta_entry64 table[RETA_MAX / RTE_ETH_RETA_GROUP_SIZE] = {0};
    struct rte_eth_dev_info info;

    if (!p->rss || rte_eth_dev_info_get(p->id, &info) != 0 || info.reta_size == 0 ||
        info.reta_size > RETA_MAX)
        return;
    for (unsigned i = 0; i < info.reta_size; i++) {
        struct rte_eth_rss_reta_entry64 *group = &table[i / RTE_ETH_RETA_GROUP_SIZE];
        group->mask |= 1ull << i % RTE_ETH_RETA_GROUP_SIZE;
        group->reta[i % RTE_ETH_RETA_GROUP_SIZE] = (uint16_t)(i % FLOW_RSS_SLOTS % p->rxq);
    }
    rte_eth_dev_rss_reta_update(p->id, table, info.reta_size);
}

static uint16_t queues(uint16_t wanted, uint16_t cores, uint16_t has)
{
    uint16_t n = wanted != 0 && wanted < cores ? wanted : cores;
    return n < has ? n : has;
}

static bool configure(struct port *p, const struct hg_config_port *config,
                      const struct rte_eth_dev_info *info, char *error)
{
    uint8_t key[RSS_KEY_MAX];
    struct rte_eth_conf conf = {0};
    uint16_t mtu = mtu_wanted(config);

    conf.rxmode.offloads = info->rx_offload_capa & RX_WANTED;
    conf.txmode.offloads = info->tx_offload_capa & TX_WANTED;
    if (mtu != 0)
        conf.rxmode.mtu = mtu;
    if (mtu > RTE_ETHER_MTU && info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER)
        conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
    uint64_t rss = info->flow_type_rss_offloads & RSS_WANTED;
    if (p->rxq > 1 && rss != 0) {
        unsigned len = info->hash_key_size ? info->hash_key_size : 40;
        rss_key(key, len < RSS_KEY_MAX ? len : RSS_KEY_MAX);
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf = rss;
        conf.rx_adv_conf.rss_conf.rss_key = key;
        conf.rx_adv_conf.rss_conf.rss_key_len = (uint8_t)(len < RSS_KEY_MAX ? len : RSS_KEY_MAX);
        p->rss = true;
    }
    int rc = rte_eth_dev_configure(p->id, p->rxq, p->txq, &conf);
    if (rc != 0 && p->rss) { /* some software ports offer RSS and refuse the key */
        p->rss = false;
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
        memset(&conf.rx_adv_conf, 0, sizeof(conf.rx_adv_conf));
        rc = rte_eth_dev_configure(p->id, p->rxq, p->txq, &conf);
    }
    if (rc != 0)
        return failed(error, p->name, "cannot configure", rc);
    p->net.rx_ip_cksum = conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
    p->net.rx_udp_cksum = conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
    p->net.tx_ip_cksum = conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
    p->net.tx_udp_cksum = conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
    p->net.rx_tcp_cksum = conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TCP_CKSUM;
    p->net.tx_tcp_cksum = conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_TCP_CKSUM;
    p->net.tx_tso =
        p->net.tx_tcp_cksum && p->net.tx_ip_cksum && conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO;
    p->prepare = p->net.tx_ip_cksum || p->net.tx_udp_cksum || p->net.tx_tcp_cksum;
    if (mtu != 0 && (rc = rte_eth_dev_set_mtu(p->id, mtu)) != 0 && rc != -ENOTSUP)
        return failed(error, p->name, "refuses the configured MTU", rc);
    return true;
}

static bool set_queues(struct port *p, const struct hg_config_port *config, struct rte_mempool *const *pools,
                       char *error)
{
    uint16_t rxd = config->descriptors ? config->descriptors : 1024, txd = rxd;
    int socket = rte_eth_dev_socket_id(p->id), rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &rxd, &txd);

    if (rc != 0)
        return failed(error, p->name, "refuses so many descriptors", rc);
    for (uint16_t q = 0; q < p->rxq; q++)
        if ((rc = rte_eth_rx_queue_setup(p->id, q, rxd, (unsigned)socket, NULL, pools[q])) != 0)
            return failed(error, p->name, "cannot set up a receive queue", rc);
    for (uint16_t q = 0; q < p->txq; q++)
        if ((rc = rte_eth_tx_queue_setup(p->id, q, txd, (unsigned)socket, NULL)) != 0)
            return failed(error, p->name, "cannot set up a send queue", rc);
    return true;
}

bool port_open(struct port *p, const struct hg_config_port *config, uint16_t cores,
               struct rte_mempool *const *pools, char *error)
{
    struct rte_eth_dev_info info;
    struct rte_ether_addr mac;
    int rc;

    memset(p, 0, sizeof(*p));
    port_device_name(config->device, p->name, sizeof(p->name));
    if ((rc = rte_eth_dev_get_port_by_name(p->name, &p->id)) != 0) {
        snprintf(error, PORT_ERROR,
                 "port %s: EAL found no such device; a PCI device must be bound to vfio-pci, a virtual one "
                 "needs its "
                 "driver and, as a rule, root",
                 p->name);
        return false;
    }
    if ((rc = rte_eth_dev_info_get(p->id, &info)) != 0)
        return failed(error, p->name, "no information", rc);
    p->cores = cores;
    kernel_name(config->device, p->kernel, sizeof(p->kernel));
    p->rxq = queues(config->rx_queues, cores, info.max_rx_queues);
    p->txq = queues(0, cores, info.max_tx_queues);
    if (p->rxq == 0 || p->txq == 0)
        return failed(error, p->name, "has no queues", ENODEV);
    if (strncmp(p->name, "net_af_packet", 13) == 0 ||
        strncmp(p->name, "net_memif", 9) == 0) /* queues in pairs */
        p->rxq = p->txq = p->rxq < p->txq ? p->rxq : p->txq;
    if (!configure(p, config, &info, error) || !set_queues(p, config, pools, error))
        return false;
    if ((rc = rte_eth_macaddr_get(p->id, &mac)) != 0)
        return failed(error, p->name, "has no MAC address", rc);
    memcpy(p->net.mac, mac.addr_bytes, sizeof(p->net.mac));
    if (rte_eth_dev_get_mtu(p->id, &p->net.mtu) != 0 || p->net.mtu == 0)
        p->net.mtu = RTE_ETHER_MTU;
    return true;
}

bool port_start(struct port *p, char *error)
{
    int rc = rte_eth_dev_start(p->id);

    if (rc != 0)
        return failed(error, p->name, "cannot start", rc);
    p->started = true;
    rss_table(p);
    /* neighbour discovery comes to multicast addresses; ports without such a filter say so and pass
     * everything */
    if (rte_eth_allmulticast_enable(p->id) != 0)
        rte_eth_promiscuous_enable(p->id);
    port_watch(p);
    return true;
}

void port_close(struct port *p)
{
    if (p->started)
        rte_eth_dev_stop(p->id);
    p->started = false;
    rte_eth_dev_close(p->id);
}

/* net_af_packet says "up" for ever, even when its interface is gone. */
static bool kernel_running(const char *name)
{
    struct ifreq request;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return true;
    memset(&request, 0, sizeof(request));
    memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
    bool running = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_RUNNING);
    close(fd);
    return running;
}

static void watch_losses(struct port *p)
{
    struct rte_eth_stats stats;

    memset(&stats, 0, sizeof(stats));
    if (rte_eth_stats_get(p->id, &stats) != 0)
        return;
    atomic_store_explicit(&p->missed, stats.imissed, memory_order_relaxed);
    atomic_store_explicit(&p->no_mbuf, stats.rx_nombuf, memory_order_relaxed);
}

bool port_watch(struct port *p)
{
    struct rte_eth_link link;

    memset(&link, 0, sizeof(link));
    if (rte_eth_link_get_nowait(p->id, &link) != 0)
        link.link_status = RTE_ETH_LINK_UP; /* a port that cannot tell is taken to be up */
    bool up = link.link_status == RTE_ETH_LINK_UP;
    if (p->kernel[0] != '\0')
        up = kernel_running(p->kernel);
    p->net.up = up;
    if (p->looks++ % LOOKS_PER_LOSSES == 0)
        watch_losses(p);
    atomic_store_explicit(&p->speed, link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed,
                          memory_order_relaxed);
    return atomic_exchange_explicit(&p->up, up, memory_order_relaxed) != up;
}

void port_bind(const struct port *p, uint16_t core, struct core_port *out)
{
    out->id = p->id;
    out->rx = core < p->rxq;
    out->tx = core < p->txq;
    out->steer = p->cores > 1 && (p->rxq < p->cores || !p->rss);
    out->prepare = p->prepare;
    out->tx_core = (uint16_t)(core % p->txq);
    out->up = p->net.up;
}
