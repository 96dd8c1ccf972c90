/* SPDX-License-Identifier: BSD-2-Clause */
/* Names to addresses, by c-ares on the libuv loop. Nothing waits: the answer comes by a call. */
#ifndef CONTROLPLANE_DNS_DNS_H
#define CONTROLPLANE_DNS_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "hg/endpoint.h"

#define DNS_ANSWER_MAX 32
#define DNS_SRV_MAX    16

struct dns;

struct dns_rr {
    struct hg_ip ip;
    uint16_t port;     /* SRV only, else 0 */
    uint16_t priority; /* SRV only, lower first */
    uint16_t weight;
};

struct dns_answer {
    unsigned n;     /* 0: error says why */
    uint32_t ttl;   /* seconds, the shortest of what led here; for a failure how long not to ask again */
    bool no_server; /* nobody answers at all: this node has no DNS (B09) */
    const char *error;
    struct dns_rr rr[DNS_ANSWER_MAX];
};

typedef void (*dns_done)(void *arg, const struct dns_answer *answer);

/* servers: NULL for the system's, else "ip[:port][,...]" */
struct dns *dns_create(uv_loop_t *loop, const char *servers);
void dns_close(struct dns *dns);

/* A and AAAA. done is always called, perhaps before this returns (an address, a hosts file, out of memory).
 */
void dns_addresses(struct dns *dns, const char *name, dns_done done, void *arg);
/* SRV and the addresses of its targets; name with its service labels, "_sip._udp.example.com" */
void dns_service(struct dns *dns, const char *name, dns_done done, void *arg);
/* done is not called any more for this arg */
void dns_forget(struct dns *dns, const void *arg);
unsigned dns_running(const struct dns *dns);

#endif
