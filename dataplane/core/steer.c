/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/steer.h"

#include <string.h>

#define ETH_HEADER     14
#define VLAN_HEADER    4
#define TYPE_VLAN      0x8100
#define TYPE_IP4       0x0800
#define TYPE_IP6       0x86dd
#define PROTO_HOP      0
#define PROTO_TCP      6
#define PROTO_UDP      17
#define PROTO_ROUTING  43
#define PROTO_FRAGMENT 44
#define PROTO_DEST     60
#define EXTENSIONS_MAX 8
#define UDP_HEADER     8

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static enum steer_kind steer_ip4(const uint8_t *ip, uint32_t len, const struct flow_home *home,
                                 uint32_t *hash)
{
    if (len < 20 || ip[0] >> 4 != 4)
        return STEER_HERE;
    uint32_t header = (ip[0] & 15u) * 4;
    const uint8_t *src = ip + 12, *dst = ip + 16;
    if (be16(ip + 6) & 0x3fff) { /* more fragments, or not the first */
        *hash = flow_pair(flow_end4(src, 0), flow_end4(dst, 0), home->seed ^ (uint64_t)be16(ip + 4) << 40);
        return STEER_FRAGMENT;
    }
    bool ports = header >= 20 && len >= header + 4;
    uint16_t from = 0, to = 0;
    if (ports && (ip[9] == PROTO_UDP || ip[9] == PROTO_TCP)) {
        from = be16(ip + header);
        to = be16(ip + header + 2);
    }
    if (ports && ip[9] == PROTO_TCP) {
        *hash = flow_core4(home, src, from, dst, to);
        return STEER_TCP;
    }
    *hash = flow_pair(flow_end4(src, from), flow_end4(dst, to), home->seed);
    return STEER_FLOW;
}

static enum steer_kind steer_ip6(const uint8_t *ip, uint32_t len, const struct flow_home *home,
                                 uint32_t *hash)
{
    if (len < 40 || ip[0] >> 4 != 6)
        return STEER_HERE;
    const uint8_t *src = ip + 8, *dst = ip + 24;
    uint8_t next = ip[6];
    uint32_t at = 40;
    for (unsigned i = 0; i < EXTENSIONS_MAX && len >= at + 8; i++) {
        if (next == PROTO_FRAGMENT) {
            uint64_t seed = home->seed ^ flow_mix(flow_load32(ip + at + 4));
            *hash = flow_pair(flow_end6(src, 0), flow_end6(dst, 0), seed);
            return STEER_FRAGMENT;
        }
        if (next != PROTO_HOP && next != PROTO_ROUTING && next != PROTO_DEST)
            break;
        next = ip[at];
        at += (ip[at + 1] + 1u) * 8;
    }
    bool ports = len >= at + 4 && (next == PROTO_UDP || next == PROTO_TCP);
    uint16_t from = ports ? be16(ip + at) : 0, to = ports ? be16(ip + at + 2) : 0;
    if (ports && next == PROTO_TCP) {
        *hash = flow_core6(home, src, from, dst, to);
        return STEER_TCP;
    }
    *hash = flow_pair(flow_end6(src, from), flow_end6(dst, to), home->seed);
    return STEER_FLOW;
}

enum steer_kind steer_hash(const uint8_t *frame, uint32_t len, const struct flow_home *home, uint32_t *hash)
{
    uint32_t at = ETH_HEADER;

    *hash = 0;
    if (len < at)
        return STEER_HERE;
    uint16_t type = be16(frame + 12);
    if (type == TYPE_VLAN && len >= at + VLAN_HEADER) {
        type = be16(frame + at + 2);
        at += VLAN_HEADER;
    }
    if (type == TYPE_IP4)
        return steer_ip4(frame + at, len - at, home, hash);
    if (type == TYPE_IP6)
        return steer_ip6(frame + at, len - at, home, hash);
    return STEER_HERE;
}

bool steer_payload(const uint8_t *frame, uint32_t len, struct hg_ip *src, uint32_t *at)
{
    uint32_t ip = ETH_HEADER;

    if (len < ip + VLAN_HEADER)
        return false;
    uint16_t type = be16(frame + 12);
    if (type == TYPE_VLAN) {
        type = be16(frame + ip + 2);
        ip += VLAN_HEADER;
    }
    const uint8_t *p = frame + ip;
    if (type == TYPE_IP4 && len >= ip + 20 && p[9] == PROTO_UDP) {
        uint32_t address;
        memcpy(&address, p + 12, 4);
        *src = hg_ip_from4(address);
        *at = ip + (p[0] & 15u) * 4 + UDP_HEADER;
    } else if (type == TYPE_IP6 && len >= ip + 40 && p[6] == PROTO_UDP) {
        memcpy(src->b, p + 8, 16);
        *at = ip + 40 + UDP_HEADER;
    } else {
        return false;
    }
    return *at < len;
}

/* Type, version and length of the header, no fragment, UDP. */
static bool is_plain(const uint8_t *frame, uint32_t len)
{
    return len > STEER_PLAIN_PAYLOAD && be16(frame + 12) == TYPE_IP4 && frame[14] == 0x45 &&
           (be16(frame + 20) & 0x3fff) == 0 && frame[23] == PROTO_UDP;
}

bool steer_flow_again(const struct steer_flow *f, const uint8_t *frame, uint32_t len)
{
    return is_plain(frame, len) && f->set && flow_load64(frame + 26) == f->addresses &&
           flow_load32(frame + 34) == f->ports;
}

void steer_flow_note(struct steer_flow *f, const uint8_t *frame, uint32_t len, uint32_t hash)
{
    uint32_t at;

    if (!is_plain(frame, len) || !steer_payload(frame, len, &f->src, &at))
        return;
    f->addresses = flow_load64(frame + 26);
    f->ports = (uint32_t)flow_load32(frame + 34);
    f->hash = hash;
    f->set = true;
}
