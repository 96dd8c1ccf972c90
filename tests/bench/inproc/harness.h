/* SPDX-License-Identifier: BSD-2-Clause */
/* A dataplane in one process without a control plane: real cores, real turns, ports made of rings. For the
 * benchmarks and for tests that send a frame and read what comes out.
 *
 *     struct harness *h = harness_open(&(struct harness_options){.virtual_clock = true});
 *     harness_send_udp(h, "10.0.0.2:5060", "10.0.0.1:5060", bytes, len);
 *     harness_settle(h);
 *     struct harness_packet p;
 *     while (harness_take(h, &p))
 *         ... p.src, p.dst, p.payload ...
 *     harness_close(h);
 *
 * The neighbours' ARP and ND questions are answered by the harness: every address is there, at a MAC address
 * made of its last four bytes. */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"
#include "hg/config.h"
#include "hg/endpoint.h"
#include "hg/slice.h"
#include "hg/static_route.h"

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

struct harness_options {
    const char *config;   /* libconfig text; NULL: harness_config */
    unsigned cores;       /* 0: one */
    bool virtual_clock;   /* time moves by harness_advance_ms only */
    bool one_queue;       /* every frame arrives on core 0's queue: software steering has to spread them */
    bool no_routes;       /* no image is put in force: for tests below the protocols */
    bool closed;          /* listeners stay closed (not_ready) */
    bool no_answers;      /* ARP and ND questions come out of harness_take like anything else */
    unsigned ring_frames; /* of each queue, 0: 4096 */
    bool hugepages;       /* used if the machine has enough of them free */
    unsigned memory_mb;   /* given to EAL by the first harness of the process, 0: 512 */
};

/* One port, 10.0.0.1/24 and fd00::1/64, VLAN 7 with 10.0.7.1/24, listeners on port 5060, access
 * for 10.0.0.0/16 and fd00::/64, domain example.com. */
extern const char harness_config[];

struct harness;

/* NULL with a message on stderr. */
struct harness *harness_open(const struct harness_options *options);
void harness_close(struct harness *h);

struct core *harness_core(struct harness *h, unsigned core);
const struct hg_config *harness_conf(const struct harness *h);

/* ---- tables ---- */
/* Compiles the routes of the configuration and these, and puts them in force on every core. */
bool harness_routes(struct harness *h, const struct hg_static_route *routes, uint32_t n);
/* "user@domain" */
bool harness_user(struct harness *h, const char *user, uint16_t node);
bool harness_node(struct harness *h, uint16_t node, const char *endpoint, bool self);
/* ---- the cluster ---- */
/* Another node, of our pair with high availability. */
bool harness_pair(struct harness *h, uint16_t node, const char *endpoint);
bool harness_serving(struct harness *h, uint16_t home, uint16_t serving); /* 0: nobody */
struct harness_contact {
    const char *endpoint, *uri;
    uint16_t q; /* thousandths, not above the one before */
};
bool harness_contacts(struct harness *h, const char *user, unsigned n, const struct harness_contact *contact);
bool harness_service(struct harness *h, uint16_t home,
                     const char *net); /* "10.0.0.100/24"; NULL: none any more */
/* Whose value every core takes for the deadline; compared with the TSC, not with the virtual clock. */
void harness_lease(struct harness *h, const _Atomic uint64_t *serve_until);

/* ---- frames ---- */
/* Addresses as "ip:port" or "[v6]:port". The frame goes to the core that RSS would choose. */
void harness_send_udp(struct harness *h, const char *src, const char *dst, const void *payload, uint32_t len);
void harness_send_endpoints(struct harness *h, const struct hg_endpoint *src, const struct hg_endpoint *dst,
                            const void *payload, uint32_t len);
/* Any bytes as a frame, on a port and a queue. false: the ring is full. */
bool harness_send_frame(struct harness *h, unsigned port, unsigned queue, const void *frame, uint32_t len);
/* For a benchmark's own frames: fills buf (at least len + 62 bytes), returns the length of the frame. */
uint32_t harness_build_udp(struct harness *h, uint8_t *buf, const struct hg_endpoint *src,
                           const struct hg_endpoint *dst, const void *payload, uint32_t len);

struct harness_packet {
    unsigned port, queue;
    uint16_t vlan;
    bool udp;            /* whole UDP datagram: the next four are filled */
    bool checksums_good; /* IPv4 header's and UDP's, as far as they are there */
    struct hg_endpoint src, dst;
    struct slice payload;
    uint8_t dscp, ttl, proto;
    uint8_t frame[9728]; /* as it left */
    uint32_t len;
};

/* The next frame that left, in order of each queue; false: none. */
bool harness_take(struct harness *h, struct harness_packet *packet);
/* ... and throws away everything; returns how many. */
unsigned harness_take_all(struct harness *h);

/* ---- time ---- */
/* Turns every core so many times; returns the work done. */
unsigned harness_run(struct harness *h, unsigned turns);
/* Until no core finds anything to do. */
void harness_settle(struct harness *h);
/* Virtual clock only: millisecond by millisecond, each with a turn of every core. */
void harness_advance_ms(struct harness *h, uint64_t ms);

/* ---- what happened ---- */
uint64_t harness_counter(const struct harness *h, unsigned id); /* summed over the cores */
/* Every counter that is not zero, on stderr. */
void harness_report(const struct harness *h);
/* Sum of all dispositions of net (up, answered, absorbed, parked, drops) and of sip. At rest net equals
 * rx_frames less mail_full, and sip equals net_up_datagrams. */
uint64_t harness_net_sum(const struct harness *h);
uint64_t harness_sip_sum(const struct harness *h);

/* ---- for benchmarks ---- */
struct rte_mempool *harness_pool(struct harness *h);
struct rte_ring *harness_rx_ring(struct harness *h, unsigned port, unsigned queue);
struct rte_ring *harness_tx_ring(struct harness *h, unsigned port, unsigned queue);
/* Cores on threads of their own, core i on CPU cpu[i] (NULL: anywhere), until harness_stop. */
bool harness_start(struct harness *h, const unsigned *cpu);
void harness_stop(struct harness *h);
/* After harness_stop: seconds from when the threads began to turn to the end of the last turn that found
 * work, by the cores' own clock. */
double harness_worked(const struct harness *h);

#endif
