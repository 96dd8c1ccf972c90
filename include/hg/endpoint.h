/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses. IPv4 is held as its v4-mapped IPv6 form, so that there is one kind of address everywhere;
 * a v4-mapped address seen on an IPv6 wire is refused by net/ as a martian. */
#ifndef HG_ENDPOINT_H
#define HG_ENDPOINT_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "hg/slice.h"

struct hg_ip {
    uint8_t b[16]; /* network order */
};

enum hg_proto { HG_UDP = 0, HG_TCP = 1, HG_TLS = 2 };

struct hg_endpoint {
    struct hg_ip ip;
    uint16_t port; /* host order */
    uint8_t proto; /* enum hg_proto */
    uint8_t pad;
};
static_assert(sizeof(struct hg_endpoint) == 20, "shared with the other process");

#define HG_IP_STRLEN       46
#define HG_ENDPOINT_STRLEN 64 /* [v6]:port/proto */

static inline bool hg_ip_is4(const struct hg_ip *ip)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(ip->b, mapped, 12) == 0;
}

/* addr is in network order */
static inline struct hg_ip hg_ip_from4(uint32_t addr_be)
{
    struct hg_ip ip = {{0}};
    ip.b[10] = ip.b[11] = 0xff;
    memcpy(ip.b + 12, &addr_be, 4);
    return ip;
}

static inline uint32_t hg_ip_to4(const struct hg_ip *ip)
{
    uint32_t be;
    memcpy(&be, ip->b + 12, 4);
    return be;
}

static inline bool hg_ip_eq(const struct hg_ip *a, const struct hg_ip *b)
{
    return memcmp(a->b, b->b, 16) == 0;
}

static inline bool hg_endpoint_eq(const struct hg_endpoint *a, const struct hg_endpoint *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* Accepts dotted IPv4, IPv6 with or without brackets; nothing else, no names. */
bool hg_ip_parse(struct slice text, struct hg_ip *out);
/* out has HG_IP_STRLEN bytes; returns the length written. IPv6 without brackets, RFC 5952 form. */
int hg_ip_format(const struct hg_ip *ip, char *out);
/* "ip:port", "[v6]:port", "ip" (port stays default_port), each with or without "/udp", "/tcp", "/tls" behind
 * it. */
bool hg_endpoint_parse(struct slice text, uint16_t default_port, struct hg_endpoint *out);
/* "ip:port/proto"; out has HG_ENDPOINT_STRLEN bytes */
int hg_endpoint_format(const struct hg_endpoint *e, char *out);

/* A network: the first bits of ip count (v4 prefixes are stored as 96 + n). */
struct hg_net {
    struct hg_ip ip;
    uint8_t bits;
    uint8_t pad[3];
};
static_assert(sizeof(struct hg_net) == 20, "shared with the other process");

bool hg_net_parse(struct slice text, struct hg_net *out); /* "10.0.0.0/8", "2001:db8::/32", "1.2.3.4" */
bool hg_net_contains(const struct hg_net *net, const struct hg_ip *ip);
int hg_net_format(const struct hg_net *net, char *out); /* out: HG_IP_STRLEN + 4 */

#endif
