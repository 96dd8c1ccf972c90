/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames from bytes. */
#include <stdlib.h>
#include <string.h>

#include "rig.h"

struct hg_ip ip_of(const char *text)
{
    struct hg_ip ip;
    if (!hg_ip_parse(slice_str(text), &ip))
        abort();
    return ip;
}

struct hg_endpoint ep_of(const char *ip, uint16_t port)
{
    return (struct hg_endpoint){.ip = ip_of(ip), .port = port, .proto = HG_UDP};
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

uint16_t sum_of(const uint8_t *p, uint32_t len, uint32_t start)
{
    uint64_t s = start;
    for (uint32_t i = 0; i < len; i++)
        s += (uint32_t)p[i] << (i & 1 ? 0 : 8);
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

static uint32_t pseudo_of(const struct hg_ip *src, const struct hg_ip *dst, uint8_t proto, uint32_t len)
{
    uint32_t s = proto + len;
    for (unsigned i = hg_ip_is4(dst) ? 12 : 0; i < 16; i += 2)
        s += ((uint32_t)src->b[i] << 8 | src->b[i + 1]) + ((uint32_t)dst->b[i] << 8 | dst->b[i + 1]);
    return s;
}

uint32_t make_eth(uint8_t *b, const uint8_t dst[6], const uint8_t src[6], int vlan, uint16_t type)
{
    memcpy(b, dst, 6);
    memcpy(b + 6, src, 6);
    if (vlan >= 0) {
        put16(b + 12, 0x8100);
        put16(b + 14, (uint32_t)vlan);
        put16(b + 16, type);
        return 18;
    }
    put16(b + 12, type);
    return 14;
}

void fix_ip4(uint8_t *b)
{
    uint32_t header = (b[14] & 15u) * 4;
    put16(b + 24, 0);
    put16(b + 24, sum_of(b + 14, header, 0));
}

uint32_t make_ip4(uint8_t *b, const char *src, const char *dst, uint8_t proto, const void *payload,
                  uint32_t len)
{
    struct hg_ip s = ip_of(src), d = ip_of(dst);
    make_eth(b, rig_mac, rig_peer_mac, -1, 0x0800);
    uint8_t *h = b + 14;
    memset(h, 0, 20);
    h[0] = 0x45;
    put16(h + 2, 20 + len);
    h[8] = 61;
    h[9] = proto;
    memcpy(h + 12, s.b + 12, 4);
    memcpy(h + 16, d.b + 12, 4);
    memmove(h + 20, payload, len);
    fix_ip4(b);
    return 34 + len;
}

uint32_t make_ip6(uint8_t *b, const char *src, const char *dst, uint8_t proto, const void *payload,
                  uint32_t len)
{
    struct hg_ip s = ip_of(src), d = ip_of(dst);
    make_eth(b, rig_mac, rig_peer_mac, -1, 0x86dd);
    if (d.b[0] == 0xff) {
        b[0] = b[1] = 0x33;
        memcpy(b + 2, d.b + 12, 4);
    }
    uint8_t *h = b + 14;
    memset(h, 0, 40);
    h[0] = 0x60;
    put16(h + 4, len);
    h[6] = proto;
    h[7] = 61;
    memcpy(h + 8, s.b, 16);
    memcpy(h + 24, d.b, 16);
    memmove(h + 40, payload, len);
    return 54 + len;
}

static uint32_t make_ip(uint8_t *b, const char *src, const char *dst, uint8_t proto, const void *payload,
                        uint32_t len)
{
    return strchr(dst, ':') ? make_ip6(b, src, dst, proto, payload, len)
                            : make_ip4(b, src, dst, proto, payload, len);
}

uint32_t make_udp(uint8_t *b, const char *src, uint16_t sport, const char *dst, uint16_t dport,
                  const void *payload, uint32_t len)
{
    static uint8_t u[66000];
    struct hg_ip s = ip_of(src), d = ip_of(dst);
    put16(u, sport);
    put16(u + 2, dport);
    put16(u + 4, 8 + len);
    put16(u + 6, 0);
    memcpy(u + 8, payload, len);
    uint16_t sum = sum_of(u, 8 + len, pseudo_of(&s, &d, 17, 8 + len));
    put16(u + 6, sum ? sum : 0xffff);
    return make_ip(b, src, dst, 17, u, 8 + len);
}

uint32_t make_tcp(uint8_t *b, const char *src, uint16_t sport, const char *dst, uint16_t dport, uint32_t seq,
                  uint8_t flags, const void *payload, uint32_t len)
{
    static uint8_t t[66000];
    struct hg_ip s = ip_of(src), d = ip_of(dst);
    memset(t, 0, 20);
    put16(t, sport);
    put16(t + 2, dport);
    put16(t + 4, seq >> 16);
    put16(t + 6, seq & 0xffff);
    t[12] = 5 << 4;
    t[13] = flags;
    put16(t + 14, 1000);
    memcpy(t + 20, payload, len);
    put16(t + 16, sum_of(t, 20 + len, pseudo_of(&s, &d, 6, 20 + len)));
    return make_ip(b, src, dst, 6, t, 20 + len);
}

uint32_t make_arp(uint8_t *b, uint16_t op, const uint8_t mac[6], const char *sender, const char *target)
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct hg_ip s = ip_of(sender), t = ip_of(target);
    make_eth(b, op == 1 ? all : rig_mac, mac, strncmp(target, "10.7", 4) == 0 ? 7 : -1, 0x0806);
    uint8_t *p = b + (b[12] == 0x81 ? 18 : 14);
    if (strncmp(target, "172", 3) == 0 && op != 1)
        b[5] = 2;
    memcpy(p, (uint8_t[]){0, 1, 8, 0, 6, 4, 0, (uint8_t)op}, 8);
    memcpy(p + 8, mac, 6);
    memcpy(p + 14, s.b + 12, 4);
    memset(p + 18, 0, 6);
    memcpy(p + 24, t.b + 12, 4);
    memset(p + 28, 0, 18); /* padded to 60 as a wire does */
    return (uint32_t)(p - b) + 46;
}

uint32_t make_nd(uint8_t *b, uint8_t type, uint8_t flags, const char *src, const char *dst,
                 const char *target, bool option)
{
    struct hg_ip s = ip_of(src), d = ip_of(dst), t = ip_of(target);
    uint8_t p[32] = {type, 0, 0, 0, flags};
    uint32_t len = option ? 32 : 24;
    memcpy(p + 8, t.b, 16);
    p[24] = type == 135 ? 1 : 2;
    p[25] = 1;
    memcpy(p + 26, rig_peer_mac, 6);
    put16(p + 2, sum_of(p, len, pseudo_of(&s, &d, 58, len)));
    uint32_t n = make_ip6(b, src, dst, 58, p, len);
    b[14 + 7] = 255;
    return n;
}

uint32_t make_icmp(uint8_t *b, const char *src, const char *dst, uint8_t type, uint8_t code, uint32_t rest,
                   const void *data, uint32_t len)
{
    static uint8_t p[66000];
    struct hg_ip s = ip_of(src), d = ip_of(dst);
    bool is4 = hg_ip_is4(&d);
    memset(p, 0, 8);
    p[0] = type;
    p[1] = code;
    put16(p + 4, rest >> 16);
    put16(p + 6, rest);
    memcpy(p + 8, data, len);
    put16(p + 2, sum_of(p, 8 + len, is4 ? 0 : pseudo_of(&s, &d, 58, 8 + len)));
    return make_ip(b, src, dst, is4 ? 1 : 58, p, 8 + len);
}

uint32_t make_fragment(uint8_t *b, const char *src, const char *dst, uint8_t proto, uint32_t id,
                       uint32_t offset, bool more, const uint8_t *data, uint32_t len)
{
    if (strchr(dst, ':')) {
        static uint8_t p[66000];
        p[0] = proto;
        p[1] = 0;
        put16(p + 2, offset | more);
        put16(p + 4, id >> 16);
        put16(p + 6, id);
        memcpy(p + 8, data, len);
        return make_ip6(b, src, dst, 44, p, 8 + len);
    }
    uint32_t n = make_ip4(b, src, dst, proto, data, len);
    put16(b + 18, id);
    put16(b + 20, offset / 8 | (more ? 0x2000 : 0));
    fix_ip4(b);
    return n;
}
