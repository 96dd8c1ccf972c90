/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames into the rings and out of them; the neighbours that the cores talk to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "core/steer.h"
#include "harness_impl.h"

#define ETH  14
#define IP4  20
#define IP6  40
#define UDP  8
#define VLAN 4

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t sum16(const uint8_t *p, uint32_t len, uint32_t sum)
{
    for (uint32_t i = 0; i + 1 < len; i += 2)
        sum += get16(p + i);
    if (len & 1)
        sum += (uint32_t)p[len - 1] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Of the transport header at l4: the addresses are taken from the IP header. */
static uint16_t l4_sum(const uint8_t *ip, const uint8_t *l4, uint32_t len, uint8_t proto)
{
    uint32_t sum = ip[0] >> 4 == 4 ? sum16(ip + 12, 8, 0) : sum16(ip + 8, 32, 0);
    return fold(sum16(l4, len, sum + len + proto));
}

static void mac_of(const struct hg_ip *ip, uint8_t *mac)
{
    mac[0] = 2;
    mac[1] = 0xee;
    memcpy(mac + 2, ip->b + 12, 4);
}

/* The interface that has dst among its networks, else the first. */
static const struct hg_config_iface *iface_of(struct harness *h, const struct hg_ip *dst, unsigned *port)
{
    for (unsigned p = 0; p < h->config->nports; p++)
        for (unsigned i = 0; i < h->config->ports[p].nifaces; i++) {
            const struct hg_config_iface *f = &h->config->ports[p].iface[i];
            for (unsigned a = 0; a < f->naddrs; a++)
                if (hg_ip_eq(&f->addr[a].ip, dst) || hg_net_contains(&f->addr[a], dst)) {
                    *port = p;
                    return f;
                }
        }
    *port = 0;
    return &h->config->ports[0].iface[0];
}

static uint32_t ethernet(struct harness *h, uint8_t *buf, unsigned port, uint16_t vlan,
                         const struct hg_ip *from, unsigned type)
{
    memcpy(buf, h->ports.port[port].net.mac, 6);
    mac_of(from, buf + 6);
    if (vlan == 0) {
        put16(buf + 12, type);
        return ETH;
    }
    put16(buf + 12, 0x8100);
    put16(buf + 14, vlan);
    put16(buf + 16, type);
    return ETH + VLAN;
}

uint32_t harness_build_udp(struct harness *h, uint8_t *buf, const struct hg_endpoint *src,
                           const struct hg_endpoint *dst, const void *payload, uint32_t len)
{
    unsigned port;
    const struct hg_config_iface *iface = iface_of(h, &dst->ip, &port);
    bool v4 = hg_ip_is4(&dst->ip);
    uint8_t *ip = buf + ethernet(h, buf, port, iface->vlan, &src->ip, v4 ? 0x0800 : 0x86dd);
    uint8_t *udp = ip + (v4 ? IP4 : IP6);

    memset(ip, 0, (size_t)(udp - ip));
    if (v4) {
        ip[0] = 0x45;
        put16(ip + 2, IP4 + UDP + len);
        ip[8] = 64;
        ip[9] = 17;
        memcpy(ip + 12, src->ip.b + 12, 4);
        memcpy(ip + 16, dst->ip.b + 12, 4);
        put16(ip + 10, fold(sum16(ip, IP4, 0)));
    } else {
        ip[0] = 0x60;
        put16(ip + 4, UDP + len);
        ip[6] = 17;
        ip[7] = 64;
        memcpy(ip + 8, src->ip.b, 16);
        memcpy(ip + 24, dst->ip.b, 16);
    }
    put16(udp, src->port);
    put16(udp + 2, dst->port);
    put16(udp + 4, UDP + len);
    put16(udp + 6, 0);
    memcpy(udp + UDP, payload, len);
    uint16_t sum = l4_sum(ip, udp, UDP + len, 17);
    put16(udp + 6, sum ? sum : 0xffff);
    return (uint32_t)(udp - buf) + UDP + len;
}

unsigned harness_queue(struct harness *h, const uint8_t *frame, uint32_t len)
{
    const struct flow_home rss = {.cores = (uint16_t)h->cores, .kind = FLOW_TOEPLITZ};
    uint32_t hash;
    enum steer_kind is = h->options.one_queue ? STEER_HERE : steer_hash(frame, len, &rss, &hash);

    if (is == STEER_HERE)
        return 0;
    return is == STEER_TCP ? hash : steer_core(hash, h->cores);
}

bool harness_send_frame(struct harness *h, unsigned port, unsigned queue, const void *frame, uint32_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(h->pool);
    void *data = m ? rte_pktmbuf_append(m, (uint16_t)len) : NULL;

    if (data == NULL) {
        rte_pktmbuf_free(m);
        return false;
    }
    memcpy(data, frame, len);
    m->port = (uint16_t)port;
    if (rte_ring_enqueue(h->rx[port][queue], m) == 0)
        return true;
    rte_pktmbuf_free(m);
    return false;
}

void harness_send_endpoints(struct harness *h, const struct hg_endpoint *src, const struct hg_endpoint *dst,
                            const void *payload, uint32_t len)
{
    uint8_t buf[9728];
    unsigned port;

    if (len > sizeof(buf) - 70) {
        fprintf(stderr, "harness: %u bytes do not fit a frame\n", len);
        abort();
    }
    iface_of(h, &dst->ip, &port);
    uint32_t n = harness_build_udp(h, buf, src, dst, payload, len);
    if (!harness_send_frame(h, port, harness_queue(h, buf, n), buf, n)) {
        fprintf(stderr, "harness: no room for a frame of %u bytes\n", n);
        abort();
    }
}

void harness_send_udp(struct harness *h, const char *src, const char *dst, const void *payload, uint32_t len)
{
    struct hg_endpoint from, to;

    if (!hg_endpoint_parse(slice_str(src), 5060, &from) || !hg_endpoint_parse(slice_str(dst), 5060, &to)) {
        fprintf(stderr, "harness: \"%s\" or \"%s\" is not ip:port\n", src, dst);
        abort();
    }
    harness_send_endpoints(h, &from, &to, payload, len);
}

/* ---- neighbours ---- */

static bool answer_arp(struct harness *h, unsigned port, unsigned queue, const uint8_t *frame, uint32_t at)
{
    const uint8_t *arp = frame + at;
    uint8_t out[64];
    struct hg_ip target;

    if (get16(arp + 6) != 1 || memcmp(arp + 14, arp + 24, 4) == 0) /* not a question, or an announcement */
        return false;
    memcpy(&target.b[12], arp + 24, 4);
    memcpy(out, frame, at);
    memcpy(out, frame + 6, 6);
    mac_of(&target, out + 6);
    uint8_t *reply = out + at;
    memcpy(reply, arp, 28);
    put16(reply + 6, 2);
    mac_of(&target, reply + 8);
    memcpy(reply + 14, arp + 24, 4);
    memcpy(reply + 18, arp + 8, 10);
    harness_send_frame(h, port, queue, out, at + 28);
    return true;
}

static bool answer_nd(struct harness *h, unsigned port, unsigned queue, const uint8_t *frame, uint32_t at)
{
    const uint8_t *ip = frame + at, *ns = ip + IP6;
    uint8_t out[128];
    struct hg_ip target;

    memcpy(target.b, ns + 8, 16);
    memcpy(out, frame, at);
    memcpy(out, frame + 6, 6);
    mac_of(&target, out + 6);
    uint8_t *oip = out + at, *na = oip + IP6;
    memset(oip, 0, IP6 + 32);
    oip[0] = 0x60;
    put16(oip + 4, 32);
    oip[6] = 58;
    oip[7] = 255;
    memcpy(oip + 8, target.b, 16);
    memcpy(oip + 24, ip + 8, 16);
    na[0] = 136;
    na[4] = 0x60; /* solicited, override */
    memcpy(na + 8, target.b, 16);
    na[24] = 2;
    na[25] = 1;
    mac_of(&target, na + 26);
    put16(na + 2, l4_sum(oip, na, 32, 58));
    harness_send_frame(h, port, queue, out, at + IP6 + 32);
    return true;
}

bool harness_answer(struct harness *h, unsigned port, unsigned queue, const uint8_t *frame, uint32_t len)
{
    static const uint8_t nobody[16];
    uint32_t at = ETH;

    if (len < at + 28)
        return false;
    unsigned type = get16(frame + 12);
    if (type == 0x8100) {
        type = get16(frame + 16);
        at += VLAN;
    }
    if (type == 0x0806 && len >= at + 28)
        return answer_arp(h, port, queue, frame, at);
    if (type == 0x86dd && len >= at + IP6 + 24 && frame[at + 6] == 58 && frame[at + IP6] == 135 &&
        memcmp(frame + at + 8, nobody, 16) != 0)
        return answer_nd(h, port, queue, frame, at);
    return false;
}

/* ---- what left ---- */

static bool parse_ip(struct harness_packet *p, const uint8_t *ip, uint32_t len, const uint8_t **l4,
                     uint32_t *l4_len)
{
    if (len >= IP4 && ip[0] >> 4 == 4) {
        uint32_t header = (ip[0] & 15u) * 4, total = get16(ip + 2);
        if (header < IP4 || total < header || total > len)
            return false;
        p->proto = ip[9];
        p->ttl = ip[8];
        p->dscp = ip[1] >> 2;
        p->src.ip = hg_ip_from4(0);
        p->dst.ip = hg_ip_from4(0);
        memcpy(p->src.ip.b + 12, ip + 12, 4);
        memcpy(p->dst.ip.b + 12, ip + 16, 4);
        p->checksums_good = fold(sum16(ip, header, 0)) == 0;
        *l4 = ip + header;
        *l4_len = total - header;
        return (get16(ip + 6) & 0x3fff) == 0;
    }
    if (len < IP6 || ip[0] >> 4 != 6 || len < IP6 + get16(ip + 4))
        return false;
    p->proto = ip[6];
    p->ttl = ip[7];
    p->dscp = (uint8_t)((get16(ip) >> 6) & 63);
    memcpy(p->src.ip.b, ip + 8, 16);
    memcpy(p->dst.ip.b, ip + 24, 16);
    p->checksums_good = true;
    *l4 = ip + IP6;
    *l4_len = get16(ip + 4);
    return true;
}

void harness_parse(struct harness_packet *p)
{
    uint32_t at = ETH, n;
    const uint8_t *l4;

    if (p->len < at)
        return;
    unsigned type = get16(p->frame + 12);
    if (type == 0x8100 && p->len >= at + VLAN) {
        p->vlan = get16(p->frame + 14) & 0xfff;
        type = get16(p->frame + 16);
        at += VLAN;
    }
    const uint8_t *ip = p->frame + at;
    if ((type != 0x0800 && type != 0x86dd) || !parse_ip(p, ip, p->len - at, &l4, &n))
        return;
    if (p->proto != 17) {
        p->checksums_good &= p->proto == 58 ? l4_sum(ip, l4, n, 58) == 0 : fold(sum16(l4, n, 0)) == 0;
        return;
    }
    if (n < UDP || get16(l4 + 4) != n)
        return;
    if (get16(l4 + 6) != 0 || ip[0] >> 4 == 6)
        p->checksums_good &= l4_sum(ip, l4, n, 17) == 0;
    p->udp = true;
    p->src.port = (uint16_t)get16(l4);
    p->dst.port = (uint16_t)get16(l4 + 2);
    p->payload = slice_of((const char *)l4 + UDP, n - UDP);
}
