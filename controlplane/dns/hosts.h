/* SPDX-License-Identifier: BSD-2-Clause */
/* Host names that are looked up one by one and whenever somebody asks for them: of contacts, of nodes. The
 * last good answer stays when nobody answers any more. */
#ifndef CONTROLPLANE_DNS_HOSTS_H
#define CONTROLPLANE_DNS_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/dns.h"
#include "hg/slice.h"

#define HOSTS_MAX     65536 /* names that are known at one time */
#define HOSTS_RUNNING 64    /* questions asked at one time */

struct hosts;
enum host_state { HOST_ASKED, HOST_FOUND, HOST_FAILED };

/* changed: some name has another address, or its first one, or none at all */
struct hosts *hosts_create(struct dns *dns, void (*changed)(void *arg), void *arg);
void hosts_close(struct hosts *h);
/* Asks when the name is new. ip is written when HOST_FOUND. */
enum host_state hosts_find(struct hosts *h, struct slice name, struct hg_ip *ip);
/* About every 100 ms: asks what waits and what is too old. */
void hosts_turn(struct hosts *h, uint64_t now_ms);
uint32_t hosts_count(const struct hosts *h);

#endif
