/* SPDX-License-Identifier: BSD-2-Clause */
/* SRV records of a DNS answer, with the TTL that c-ares' own parser leaves out. A pure function on bytes. */
#ifndef CONTROLPLANE_DNS_SRV_H
#define CONTROLPLANE_DNS_SRV_H

#include <stdint.h>

struct srv {
    uint16_t priority, weight, port;
    char target[256]; /* "" where the record says that there is no such service */
};

/* Returns how many were stored, -1 for a malformed answer. ttl: the shortest of the answer section. */
int srv_parse(const unsigned char *msg, int len, struct srv *out, int max, uint32_t *ttl);

#endif
