/* SPDX-License-Identifier: BSD-2-Clause */
/* The ports of this process: found by device string, set up for so many cores, started, watched. Main thread
 * only, except for what says otherwise. */
#ifndef CORE_PORT_H
#define CORE_PORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hg/config.h"
#include "hg/limits.h"
#include "net/stage.h"

struct core_port;
struct rte_mempool;

struct port {
    char name[64];     /* the ethdev's */
    uint16_t id;       /* of the ethdev */
    uint16_t rxq, txq; /* queues of either kind */
    uint16_t cores;
    bool rss;     /* the port spreads flows by a symmetric hash */
    bool prepare; /* offloads need rte_eth_tx_prepare */
    bool started;
    struct net_port net; /* what the network room has to know */
    char kernel[16]; /* the kernel's interface under a port whose driver does not watch the link, or empty */
    unsigned looks;  /* of port_watch */
    /* written by the main thread, read by the cores */
    atomic_bool up;
    atomic_uint speed;     /* Mb/s */
    atomic_ullong missed;  /* frames that the port lost before a core saw them */
    atomic_ullong no_mbuf; /* ... because there was no buffer to put them into */
};

struct ports {
    uint16_t n;
    struct port port[HG_PORTS_MAX];
};

#define PORT_ERROR 256

/* Name that EAL gives to a device string: all before the first comma. */
void port_device_name(const char *device, char *name, size_t size);
/* PCI address ("0000:01:00.0", "01:00.0") as against a virtual device. */
bool port_is_pci(const char *device);
/* Removes what a killed process may have left in the way of this device. */
void port_clean_stale(const char *device);

/* Sets the port up with one queue pair per core, as far as it has them; pools: one per core, of the rx
 * queues. false: message in error (PORT_ERROR). */
bool port_open(struct port *p, const struct hg_config_port *config, uint16_t cores,
               struct rte_mempool *const *pools, char *error);
bool port_start(struct port *p, char *error);
void port_close(struct port *p);
/* Looks at the link; true when it changed. */
bool port_watch(struct port *p);
/* One core's view. */
void port_bind(const struct port *p, uint16_t core, struct core_port *out);

#endif
